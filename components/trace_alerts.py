"""Alerts on traces, which Grafana evaluates, and their way to a topic."""

from typing import TypedDict

import pulumi
import pulumiverse_grafana as grafana

from documents.alerting import traces
from documents.catalogue import Label
from documents.observed import Observed


class TraceAlertsArgs(TypedDict):
    """What is watched, and the topic and its key, to which Grafana's role publishes."""

    observed: Observed
    topic_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]


def place(name: str, args: TraceAlertsArgs, folder_uid: pulumi.Input[str], opts: pulumi.ResourceOptions) -> None:
    """The rules of a stack in Grafana, the topic as contact point, and the policy that everything goes there.

    Grafana has one policy: what somebody has made in its pages by hand is replaced.
    """
    contact = grafana.alerting.ContactPoint(
        f"{name}-topic",
        name=args["observed"].names.topic("alerts"),
        sns=[
            {
                "topic": args["topic_arn"],
                "auth_provider": "default",
                "message_format": "text",
                "subject": "[{{ .Status }}] {{ .CommonLabels.alertname }}",
            }
        ],
        opts=opts,
    )
    grafana.alerting.NotificationPolicy(
        f"{name}-policy",
        contact_point=contact.name,
        group_bies=["alertname", Label.SERVICE],
        opts=opts,
    )
    made = traces.rules(args["observed"])
    if not made:
        return
    grafana.alerting.RuleGroup(
        f"{name}-rules",
        name=args["observed"].names.topic("traces"),
        folder_uid=folder_uid,
        interval_seconds=traces.EVALUATED_SECONDS,
        rules=[
            {
                "name": rule.name,
                "condition": rule.stages[-1].ref,
                "for_": traces.HOLDS,
                # Without traces there are none with a fault; whether an application is silent another alert says.
                "no_data_state": "OK",
                "exec_err_state": "Error",
                "labels": rule.labels,
                "annotations": rule.annotations,
                "datas": [
                    {
                        "ref_id": stage.ref,
                        "datasource_uid": stage.source,
                        "relative_time_range": {"from_": traces.LOOKED_BACK_SECONDS, "to": 0},
                        "model": stage.json,
                    }
                    for stage in rule.stages
                ],
            }
            for rule in made
        ],
        opts=opts,
    )
