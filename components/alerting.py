"""Who hears of alerts, and what CloudWatch watches: topics, subscriptions, AMP's Alertmanager, alarms."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.identity import role
from components.site import Site
from documents import policies
from documents.alerting import alarms, alertmanager
from documents.alerting.alarms import Alarm
from documents.alerting.alertmanager import Delivery
from documents.alerting.model import HEARTBEAT, Severity
from documents.alerting.subscriptions import Subscription
from documents.model import PENDING
from documents.observed import Observed

CHAT = "chat"


class AlertingArgs(TypedDict):
    """What is watched, whose alerts go where, and to whom. `defines` is whether the workspace's Alertmanager definition
    is this stack's, of which there is one; without `workspace_arn` the workspace is another account's, whose alerts
    reach no topic of this one."""

    site: Site
    observed: Observed
    workspace_id: pulumi.Input[str]
    workspace_arn: pulumi.Input[str] | None
    subscriptions: Sequence[Subscription]
    defines: NotRequired[bool]


class Alerting(pulumi.ComponentResource):
    """A topic for each severity and one for the heartbeat, encrypted with the stack's key or one of their own; whoever
    is subscribed; the Alertmanager definition of the workspace; every CloudWatch alarm.

    Chats have topics of their own, because they take no other messages than those made for them.
    """

    topic_arns: dict[Severity, pulumi.Output[str]]
    key_arn: pulumi.Output[str]

    def __init__(self, name: str, args: AlertingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecs-observability:index:Alerting", name, None, opts)
        self._name, self._site = name, args["site"]
        self._child = pulumi.ResourceOptions(parent=self)
        self._workspace_arn = args["workspace_arn"]
        subscriptions = args["subscriptions"]
        key_id, self.key_arn = self._key()
        self.topic_arns = {severity: self._topic(severity.value, key_id) for severity in Severity}
        heartbeat = self._topic(HEARTBEAT, key_id, alarms=False) if self._workspace_arn is not None else None
        # Nobody confirms a chat's subscription, so that such a topic can come and go.
        passing = pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(protect=False))
        chats = {
            one: self._topic(f"{CHAT}-{one}", key_id, opts=passing) for one in alertmanager.chatting(subscriptions)
        }
        self._subscribe(subscriptions)
        self._chats(subscriptions, chats)
        if heartbeat is not None and args.get("defines", True):
            self._definition(args, heartbeat, chats)
        observed = args["observed"]

        def queries(workspace_id: str) -> list[list[Any]]:
            return [_metric_queries(alarm, observed) for alarm in alarms.alarms(observed, workspace_id)]

        # Once for all alarms: each of them would go through all of them for its own.
        known = pulumi.Output.from_input(args["workspace_id"]).apply(queries)
        for index, alarm in enumerate(alarms.alarms(observed, PENDING)):
            self._alarm(alarm, known[index], observed, chats)
        self.register_outputs({"topicArns": {str(one): arn for one, arn in self.topic_arns.items()}})

    def _key(self) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """Id and ARN of the stack's key, or of one for the topics alone, which they need in any case."""
        site = self._site
        if site.key_arn:
            return site.key_arn, site.key_arn
        key = aws.kms.Key(
            f"{self._name}-key",
            description=f"Alerts of {site.names.prefix}",
            enable_key_rotation=True,
            policy=pulumi.Output.all(site.partition, site.account, self._workspace_arn).apply(
                lambda known: json.dumps(
                    policies.alert_key(
                        partition=known[0],
                        account=known[1],
                        workspace_arn=known[2],
                        alarms_arn=site.names.alarms_arn(known[0], site.region, known[1]),
                    ),
                    sort_keys=True,
                )
            ),
            tags=site.tags,
            opts=self._child,
        )
        aws.kms.Alias(
            f"{self._name}-key-alias",
            name=f"alias/{site.names.prefix}-alerts",
            target_key_id=key.id,
            opts=self._child,
        )
        return key.id, key.arn

    def _topic(
        self,
        what: str,
        key_id: pulumi.Output[str],
        *,
        alarms: bool = True,
        opts: pulumi.ResourceOptions | None = None,
    ) -> pulumi.Output[str]:
        site = self._site
        topic = aws.sns.Topic(
            f"{self._name}-{what}",
            name=site.names.topic(what),
            kms_master_key_id=key_id,
            tags=site.tags,
            opts=opts or self._child,
        )
        allowed = aws.sns.TopicPolicy(
            f"{self._name}-{what}-policy",
            arn=topic.arn,
            policy=pulumi.Output.all(topic.arn, site.partition, site.account, self._workspace_arn).apply(
                lambda known: json.dumps(
                    policies.alert_topic(
                        known[0],
                        account=known[2],
                        workspace_arn=known[3],
                        alarms_arn=site.names.alarms_arn(known[1], site.region, known[2]) if alarms else None,
                    ),
                    sort_keys=True,
                )
            ),
            opts=self._child,
        )
        # Known with the policy: a heartbeat that is refused before it makes AmpNotificationsFailing fire.
        return pulumi.Output.all(topic.arn, allowed.id).apply(lambda known: str(known[0]))

    def _subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        for index, one in enumerate(subscriptions):
            if not (endpoint := _endpoint(one)):
                continue
            who = f"{one.key}-{index}" if one.hidden else one.key
            protocol, address = endpoint
            for severity in one.severities:
                aws.sns.TopicSubscription(
                    f"{self._name}-{severity}-{who}",
                    topic=self.topic_arns[severity],
                    protocol=protocol,
                    endpoint=address,
                    opts=self._child,
                )

    def _chats(self, subscriptions: Sequence[Subscription], topics: Mapping[Severity, pulumi.Output[str]]) -> None:
        chatting = [one for one in subscriptions if one.chat]
        if not chatting:
            return
        site = self._site
        acting, _ = role(
            f"{self._name}-chat-role",
            site=site,
            role_name=site.names.role("alerts", CHAT),
            trust=pulumi.Output.from_input(policies.chat_trust()),
            statements=None,
            opts=self._child,
        )
        for one in chatting:
            shared: dict[str, Any] = {
                "configuration_name": f"{site.names.prefix}-{one.key}",
                "iam_role_arn": acting.arn,
                "sns_topic_arns": [topics[severity] for severity in one.severities],
                # What people in the channel may have done; without it, everything.
                "guardrail_policy_arns": [
                    site.partition.apply(lambda known: f"arn:{known}:iam::aws:policy/AWSDenyAll")
                ],
                "tags": site.tags,
                "opts": self._child,
            }
            if one.chat and one.chat.slack:
                slack = one.chat.slack
                aws.chatbot.SlackChannelConfiguration(
                    f"{self._name}-{one.key}",
                    slack_team_id=slack.workspace,
                    slack_channel_id=slack.channel,
                    **shared,
                )
            if one.chat and one.chat.teams:
                teams = one.chat.teams
                aws.chatbot.TeamsChannelConfiguration(
                    f"{self._name}-{one.key}",
                    tenant_id=teams.tenant,
                    team_id=teams.team,
                    channel_id=teams.channel,
                    **shared,
                )

    def _definition(
        self, args: AlertingArgs, heartbeat: pulumi.Output[str], chats: Mapping[Severity, pulumi.Output[str]]
    ) -> None:
        def text(known: Mapping[str, Any]) -> str:
            delivery = Delivery(
                region=self._site.region,
                topics={one: known["topics"][one] for one in Severity},
                heartbeat=known["heartbeat"],
                chats=dict(known["chats"]),
                subscriptions=args["subscriptions"],
            )
            return alertmanager.definition(args["observed"], delivery)

        aws.amp.AlertManagerDefinition(
            f"{self._name}-alertmanager",
            workspace_id=args["workspace_id"],
            definition=pulumi.Output.all(topics=self.topic_arns, heartbeat=heartbeat, chats=chats).apply(text),
            opts=self._child,
        )

    def _alarm(
        self,
        alarm: Alarm,
        queries: pulumi.Output[list[Any]],
        observed: Observed,
        chats: Mapping[Severity, pulumi.Output[str]],
    ) -> None:
        severity = alarm.alert.severity
        told = [self.topic_arns[severity], *([chats[severity]] if severity in chats else [])]

        request = alarms.put_metric_alarm(alarm, observed, [])
        warm_up = request.get("WarmUpConfiguration")
        aws.cloudwatch.MetricAlarm(
            f"{self._name}-{alarm.alert.name}-{alarm.subject}",
            name=request["AlarmName"],
            alarm_description=request["AlarmDescription"],
            alarm_actions=told,
            ok_actions=told,
            metric_queries=queries,
            evaluation_periods=request["EvaluationPeriods"],
            datapoints_to_alarm=request["DatapointsToAlarm"],
            threshold=request["Threshold"],
            comparison_operator=request["ComparisonOperator"],
            treat_missing_data=request["TreatMissingData"],
            warm_up_configuration={
                "warm_up_period_duration_in_minutes": warm_up["WarmUpPeriodDurationInMinutes"],
            }
            if warm_up
            else None,
            tags=self._site.tags,
            opts=self._child,
        )


def _endpoint(one: Subscription) -> tuple[str, pulumi.Input[str]] | None:
    """Protocol and address of somebody whom SNS itself tells."""
    if one.email:
        return "email", one.email
    if one.https:
        # It may hold a key: Pulumi encrypts it, and shows it nowhere.
        return "https", pulumi.Output.secret(one.https.get_secret_value())
    return None


def _metric_queries(alarm: Alarm, observed: Observed) -> list[Any]:
    return [_metric_query(query) for query in alarms.put_metric_alarm(alarm, observed, [])["Metrics"]]


def _metric_query(query: Mapping[str, Any]) -> dict[str, Any]:
    """A query of CloudWatch's API as the provider has it."""
    made: dict[str, Any] = {"id": query["Id"], "return_data": query["ReturnData"]}
    if "Expression" in query:
        made |= {"expression": query["Expression"]} | ({"period": query["Period"]} if "Period" in query else {})
        return made
    statistic = query["MetricStat"]
    metric = statistic["Metric"]
    return made | {
        "metric": {
            "namespace": metric["Namespace"],
            "metric_name": metric["MetricName"],
            "dimensions": {each["Name"]: each["Value"] for each in metric["Dimensions"]},
            "period": statistic["Period"],
            "stat": statistic["Stat"],
        }
    }
