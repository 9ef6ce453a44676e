"""Topics, key, subscriptions, Alertmanager, alarms and task events, as they go to AWS."""

import json
from typing import Any

import pytest
import yaml

from preview import placeholders
from preview.recorder import Recording
from preview.recording import Secret
from preview.render import documents
from tests import judges
from tests.components.variants import STOREFRONT, program, recorded, statements, untagged

pytestmark = pytest.mark.slow

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
TOPIC = "aws:sns/topic:Topic"
POLICY = "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
KEY = "aws:kms/key:Key"
RULE = "aws:cloudwatch/eventRule:EventRule"
FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
DEFINITION = "aws:amp/alertManagerDefinition:AlertManagerDefinition"

BY_WORKSPACE = {
    "StringEquals": {"aws:SourceAccount": "<account>"},
    "ArnLike": {"aws:SourceArn": "<metrics-workspace.arn>"},
}
BY_ALARMS = {
    "StringEquals": {"aws:SourceAccount": "<account>"},
    "ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:eu-west-1:<account>:alarm:ecs-observability-dev-*"},
}


def policy(recording: Recording, token: str, name: str) -> list[dict[str, Any]]:
    inputs = recording.named(token, name).inputs
    return json.loads(inputs.get("policy") or inputs["policyDocument"])["Statement"]


def test_a_topic_for_each_severity_and_one_for_the_heartbeat() -> None:
    recording = recorded("defaults")
    assert {topic.name: untagged(topic) for topic in recording.of_type(TOPIC)} == {
        f"alerting-{what}": {"name": f"ecs-observability-dev-{what}", "kmsMasterKeyId": "<alerting-key.id>"}
        for what in ("critical", "warning", "heartbeat")
    }
    assert recording.outputs["alertTopics"] == {
        "critical": "<alerting-critical.arn>",
        "warning": "<alerting-warning.arn>",
    }


def test_one_workspace_and_the_alarms_of_one_stack_may_publish() -> None:
    def may(service: str, sid: str, action: Any, condition: Any, topic: str) -> dict[str, Any]:
        return {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Action": action,
            "Resource": f"<alerting-{topic}.arn>",
            "Condition": condition,
        }

    publish = ["sns:GetTopicAttributes", "sns:Publish"]
    recording = recorded("defaults")
    assert policy(recording, POLICY, "alerting-critical-policy") == [
        may("aps", "AlertsOfTheWorkspace", publish, BY_WORKSPACE, "critical"),
        may("cloudwatch", "AlarmsOfTheStack", "sns:Publish", BY_ALARMS, "critical"),
    ]
    assert policy(recording, POLICY, "alerting-heartbeat-policy") == [
        may("aps", "AlertsOfTheWorkspace", publish, BY_WORKSPACE, "heartbeat")
    ]


def test_the_key_is_for_those_who_publish() -> None:
    recording = recorded("defaults")
    key = recording.named(KEY, "alerting-key")
    assert key.inputs["enableKeyRotation"] is True
    account, workspace, alarms = policy(recording, KEY, "alerting-key")
    assert account["Principal"] == {"AWS": "arn:aws:iam::<account>:root"}
    use = ["kms:Decrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"]
    assert (workspace["Principal"]["Service"], workspace["Action"], workspace["Condition"]) == (
        "aps.amazonaws.com",
        use,
        BY_WORKSPACE,
    )
    assert (alarms["Principal"]["Service"], alarms["Action"], alarms["Condition"]) == (
        "cloudwatch.amazonaws.com",
        use,
        BY_ALARMS,
    )


def test_who_is_subscribed() -> None:
    recording = recorded("alerts")
    assert {one.name: dict(one.inputs) for one in recording.of_type(SUBSCRIPTION)} == {
        "alerting-critical-email-e61a23": {
            "topic": "<alerting-critical.arn>",
            "protocol": "email",
            "endpoint": "people@example.com",
        },
        "alerting-warning-email-e61a23": {
            "topic": "<alerting-warning.arn>",
            "protocol": "email",
            "endpoint": "people@example.com",
        },
        "alerting-critical-https-8d5821": {
            "topic": "<alerting-critical.arn>",
            "protocol": "https",
            "endpoint": Secret("https://example.com/integration/secret-key"),
        },
    }
    assert recorded("defaults").of_type(SUBSCRIPTION) == ()


@pytest.mark.slow
def test_encrypted_addresses_can_be_rendered() -> None:
    """All of them look the same there."""
    encrypted = {"https": {"secure": "v1:abc"}}
    subscriptions = [encrypted, encrypted | {"severity": "critical"}]
    recording = program({"alerts": {"subscriptions": subscriptions}, "applications": [STOREFRONT]})
    assert len(recording.of_type(SUBSCRIPTION)) == 3


def test_nothing_is_sent_to_a_topic_that_refuses_it() -> None:
    """A heartbeat that is refused makes an alarm fire on the first day."""
    recording = recorded("alerts")
    senders = [*recording.of_type(ALARM), recording.named(DEFINITION, "alerting-alertmanager")]
    for sender in senders:
        names = {recording.by_urn(urn).name for urn in sender.dependencies}
        topics = {name for name in names if f"{name}-policy" in {one.name for one in recording.of_type(POLICY)}}
        assert topics
        assert {f"{topic}-policy" for topic in topics} <= names, sender.name


def test_an_address_with_a_key_stands_in_no_document() -> None:
    recording = recorded("alerts")
    assert not any("secret-key" in text for text in documents(recording).values())
    assert not any("secret-key" in warning for warning in recording.warnings)


def test_chats() -> None:
    recording = recorded("alerts")
    slack = recording.named("aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration", "alerting-chat-84ee1d")
    shared = {
        "iamRoleArn": "<alerting-chat-role.arn>",
        "guardrailPolicyArns": ["arn:aws:iam::aws:policy/AWSDenyAll"],
    }
    assert untagged(slack) == {
        "configurationName": "ecs-observability-dev-chat-84ee1d",
        "slackTeamId": "T0123ABCD",
        "slackChannelId": "C0123ABCD",
        "snsTopicArns": ["<alerting-chat-warning.arn>"],
        **shared,
    }
    teams = recording.named("aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration", "alerting-chat-c3772f")
    assert untagged(teams) == {
        "configurationName": "ecs-observability-dev-chat-c3772f",
        "tenantId": "0f8fad5b-d9cb-469f-a165-70867728950e",
        "teamId": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "channelId": "19%3aabc%40thread.tacv2",
        "snsTopicArns": ["<alerting-chat-critical.arn>", "<alerting-chat-warning.arn>"],
        **shared,
    }
    assert not any("chat" in resource.name for resource in recorded("defaults").resources)


def test_alarms_tell_the_topic_of_their_severity_and_its_chats() -> None:
    told = {alarm.name: alarm.inputs["alarmActions"] for alarm in recorded("alerts").of_type(ALARM)}
    assert told["alerting-TaskOutOfMemory-storefront"] == ["<alerting-critical.arn>", "<alerting-chat-critical.arn>"]
    assert told["alerting-TaskCpuSaturated-storefront"] == ["<alerting-warning.arn>", "<alerting-chat-warning.arn>"]
    plain = recorded("defaults").named(ALARM, "alerting-TaskOutOfMemory-storefront")
    assert plain.inputs["alarmActions"] == plain.inputs["okActions"] == ["<alerting-critical.arn>"]


def test_an_alarm_on_the_workspace_names_it() -> None:
    alarm = recorded("defaults").named(ALARM, "alerting-AmpIngestionStopped-workspace")
    assert untagged(alarm) == {
        "name": "ecs-observability-dev-AmpIngestionStopped-workspace",
        "alarmDescription": alarm.inputs["alarmDescription"],
        "alarmActions": ["<alerting-critical.arn>"],
        "okActions": ["<alerting-critical.arn>"],
        "metricQueries": [
            {
                "id": "value",
                "returnData": True,
                "metric": {
                    "namespace": "AWS/Usage",
                    "metricName": "ResourceCount",
                    "dimensions": {
                        "Type": "Resource",
                        "Service": "Prometheus",
                        "Class": "None",
                        "Resource": "IngestionRate",
                        "ResourceId": "<metrics-workspace.id>",
                    },
                    "period": 60,
                    "stat": "Maximum",
                },
            }
        ],
        "evaluationPeriods": 10,
        "datapointsToAlarm": 10,
        "threshold": 0,
        "comparisonOperator": "LessThanOrEqualToThreshold",
        "treatMissingData": "breaching",
        "warmUpConfiguration": {"warmUpPeriodDurationInMinutes": 60},
    }


def test_the_definition_names_the_topics() -> None:
    definition = recorded("alerts").named(DEFINITION, "alerting-alertmanager").inputs
    assert definition["workspaceId"] == "<metrics-workspace.id>"
    inner = yaml.safe_load(yaml.safe_load(definition["definition"])["alertmanager_config"])
    told = {receiver["name"]: [sns["topic_arn"] for sns in receiver["sns_configs"]] for receiver in inner["receivers"]}
    assert told == {
        "critical": ["<alerting-critical.arn>", "<alerting-chat-critical.arn>"],
        "warning": ["<alerting-warning.arn>", "<alerting-chat-warning.arn>"],
        "heartbeat": ["<alerting-heartbeat.arn>"],
    }


def test_events_are_kept_and_counted() -> None:
    recording = recorded("defaults")
    logs = recording.named("aws:cloudwatch/logGroup:LogGroup", "events-logs")
    assert untagged(logs) == {"name": "/aws/events/ecs-observability-dev/ecs", "retentionInDays": 30}
    stops = recording.named(RULE, "events-stops")
    assert stops.inputs["name"] == "ecs-observability-dev-ecs-stops"
    assert json.loads(stops.inputs["eventPattern"])["detail"]["clusterArn"] == ["<cluster-cluster.arn>"]
    for what in ("stops", "deployments"):
        target = recording.named("aws:cloudwatch/eventTarget:EventTarget", f"events-{what}-target")
        assert target.inputs == {"rule": f"ecs-observability-dev-ecs-{what}", "arn": "<events-logs.arn>"}
        names = {recording.by_urn(urn).name for urn in target.dependencies}
        assert "events-policy" in names, "before it, events are lost"
    assert untagged(recording.named(FILTER, "events-TasksFailed")) == {
        "name": "ecs-observability-dev-TasksFailed",
        "logGroupName": "/aws/events/ecs-observability-dev/ecs",
        "pattern": '{ ($.detail.stopCode = "EssentialContainerExited") || ($.detail.stopCode = "TaskFailedToStart") }',
        "metricTransformation": {
            "namespace": "ecs-observability-dev/TaskEvents",
            "name": "TasksFailed",
            "value": "1",
            "unit": "Count",
            "dimensions": {"Group": "$.detail.group"},
        },
    }


def test_eventbridge_alone_may_write_events() -> None:
    recording = recorded("defaults")
    allowed = recording.named("aws:cloudwatch/logResourcePolicy:LogResourcePolicy", "events-policy")
    assert allowed.inputs["resourceArn"] == "<events-logs.arn>"
    services = {"Service": ["delivery.logs.amazonaws.com", "events.amazonaws.com"]}
    assert policy(recording, allowed.type, allowed.name) == [
        {
            "Sid": "OpenStreams",
            "Effect": "Allow",
            "Principal": services,
            "Action": "logs:CreateLogStream",
            "Resource": "<events-logs.arn>:*",
        },
        {
            "Sid": "WriteEvents",
            "Effect": "Allow",
            "Principal": services,
            "Action": "logs:PutLogEvents",
            "Resource": "<events-logs.arn>:*:*",
            "Condition": {"ArnEquals": {"aws:SourceArn": ["<events-stops.arn>", "<events-deployments.arn>"]}},
        },
    ]


def test_grafana_looks_at_traces_when_asked() -> None:
    recording = recorded("alerts")
    contact = recording.named("grafana:alerting/contactPoint:ContactPoint", "grafana-alerts-topic")
    assert contact.inputs["sns"][0]["topic"] == "<alerting-warning.arn>"
    route = recording.named("grafana:alerting/notificationPolicy:NotificationPolicy", "grafana-alerts-policy")
    assert route.inputs["contactPoint"] == "ecs-observability-dev-alerts"
    group = recording.named("grafana:alerting/ruleGroup:RuleGroup", "grafana-alerts-rules").inputs
    assert (group["folderUid"], group["intervalSeconds"]) == ("ecs-observability-dev", 60)
    [rule] = group["rules"]
    assert rule["labels"] == {
        "severity": "warning",
        "aws_ecs_cluster_name": "ecs-observability-dev",
        "aws_ecs_service_name": "storefront",
    }
    assert [(stage["refId"], stage["datasourceUid"]) for stage in rule["datas"]] == [
        ("A", "xray"), ("B", "xray"), ("C", "__expr__"), ("D", "__expr__"), ("E", "__expr__"),
    ]  # fmt: skip
    models = [json.loads(stage["model"]) for stage in rule["datas"]]
    assert [model.get("columns") for model in models[:2]] == [["FaultStatistics.TotalCount"], ["TotalCount"]]
    assert models[0]["query"] == 'service("storefront")'
    assert models[-1]["expression"] == "$D >= 10 && $C >= $D * 0.05"
    assert rule["condition"] == "E"
    granted = statements(recording, "grafana-role-policy")
    assert granted[-2:] == [
        {
            "Sid": "PublishAlerts",
            "Effect": "Allow",
            "Action": "sns:Publish",
            "Resource": "<alerting-warning.arn>",
        },
        {
            "Sid": "EncryptAlerts",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "<alerting-key.arn>",
        },
    ]
    assert not any("alerting/" in resource.type for resource in recorded("defaults").resources)
    assert not any(one["Sid"] == "PublishAlerts" for one in statements(recorded("defaults"), "grafana-role-policy"))


# What judges from outside say.


def filled(recording: Recording, value: Any) -> Any:
    return json.loads(placeholders.fill(recording, json.dumps(value, default=repr)))


@pytest.mark.slow
@pytest.mark.parametrize("stack", ["defaults", "alerts", "mixed"])
def test_cloudwatch_takes_every_alarm(stack: str) -> None:
    recording = recorded(stack)
    alarms = {path: text for path, text in documents(recording).items() if path.startswith("alarms/")}
    assert len(alarms) == len(recording.of_type(ALARM))
    for path, text in alarms.items():
        request = json.loads(placeholders.fill(recording, text))
        assert judges.request("cloudwatch", "PutMetricAlarm", request) == [], path


@pytest.mark.slow
@pytest.mark.parametrize("stack", ["alerts", "gov-cloud"])
def test_cloud_formation_takes_topics_key_alarms_and_events(stack: str) -> None:
    recording = recorded(stack)
    resources: dict[str, tuple[str, Any]] = {}
    for path, text in documents(recording).items():
        if path.startswith("alarms/"):
            resources[path] = ("AWS::CloudWatch::Alarm", json.loads(placeholders.fill(recording, text)))
    for one in recording.of_type(KEY):
        resources[one.name] = ("AWS::KMS::Key", {"KeyPolicy": filled(recording, json.loads(one.inputs["policy"]))})
    for one in recording.of_type(POLICY):
        document = filled(recording, json.loads(one.inputs["policy"]))
        resources[one.name] = ("AWS::SNS::TopicPolicy", {"PolicyDocument": document, "Topics": ["topic"]})
    for one in recording.of_type(RULE):
        pattern = filled(recording, json.loads(one.inputs["eventPattern"]))
        resources[one.name] = ("AWS::Events::Rule", {"Name": one.inputs["name"], "EventPattern": pattern})
    for one in recording.of_type(FILTER):
        inputs = one.inputs
        metric = inputs["metricTransformation"]
        dimensions = [{"Key": key, "Value": value} for key, value in metric["dimensions"].items()]
        transformation = {
            "MetricNamespace": metric["namespace"],
            "MetricName": metric["name"],
            "MetricValue": metric["value"],
            "Unit": metric["unit"],
            "Dimensions": dimensions,
        }
        resources[one.name] = (
            "AWS::Logs::MetricFilter",
            {
                "LogGroupName": inputs["logGroupName"],
                "FilterName": inputs["name"],
                "FilterPattern": inputs["pattern"],
                "MetricTransformations": [transformation],
            },
        )
    assert judges.cloud_formation(resources, recording.region) == []
