"""What ECS says of tasks that stop and of deployments, kept and counted."""

import json
from typing import TypedDict

import pulumi
import pulumi_aws as aws

from components.site import Site
from documents import events, policies


class TaskEventsArgs(TypedDict):
    """What is watched: the tasks and deployments of one ECS cluster."""

    site: Site
    cluster_arn: pulumi.Input[str]


class TaskEvents(pulumi.ComponentResource):
    """EventBridge rules that write to a log group, and metric filters that count what alarms are about."""

    log_group_name: pulumi.Output[str]
    log_group_arn: pulumi.Output[str]

    def __init__(self, name: str, args: TaskEventsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecs-observability:index:TaskEvents", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args["site"]
        cluster_arn = pulumi.Output.from_input(args["cluster_arn"])
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=events.log_group(site.names),
            retention_in_days=site.log_retention_days,
            kms_key_id=site.key_arn,
            tags=site.tags,
            opts=child,
        )
        rules = {
            what: aws.cloudwatch.EventRule(
                f"{name}-{what}",
                name=f"{site.names.prefix}-ecs-{what}",
                description=f"Of the ECS cluster {site.names.cluster}: {what}",
                event_pattern=cluster_arn.apply(lambda arn, of=pattern: json.dumps(of(arn))),
                tags=site.tags,
                opts=child,
            )
            for what, pattern in (("stops", events.stops), ("deployments", events.deployments))
        }
        # Of the log group, not of the account, which may have ten such policies in all.
        allowed = aws.cloudwatch.LogResourcePolicy(
            f"{name}-policy",
            resource_arn=logs.arn,
            policy_document=pulumi.Output.all(logs.arn, *(rule.arn for rule in rules.values())).apply(
                lambda arns: json.dumps(policies.events_log(arns[0], arns[1:]), sort_keys=True)
            ),
            opts=child,
        )
        for what, rule in rules.items():
            aws.cloudwatch.EventTarget(
                f"{name}-{what}-target",
                rule=rule.name,
                arn=logs.arn,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed]),
            )
        for one in events.COUNTED:
            aws.cloudwatch.LogMetricFilter(
                f"{name}-{one.metric}",
                name=f"{site.names.prefix}-{one.metric}",
                log_group_name=logs.name,
                pattern=one.pattern,
                metric_transformation={
                    "namespace": events.namespace(site.names),
                    "name": one.metric,
                    "value": "1",
                    "unit": "Count",
                    "dimensions": dict(events.dimensions()),
                },
                opts=child,
            )
        self.log_group_name = logs.name
        self.log_group_arn = logs.arn
        self.register_outputs({"logGroupName": self.log_group_name, "logGroupArn": self.log_group_arn})
