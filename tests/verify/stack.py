"""A small stack, as recorded and as deployed to a `Cloud`."""

import json
from collections.abc import Mapping
from typing import Any

from documents.dashboards.sources import AMP, CLOUDWATCH, XRAY, Source
from preview.recording import Recording, Resource
from proof.plan import Plan
from tests.proof import made
from tests.verify.cloud import WORKSPACE, Cloud
from verify.deployment import Deployment

RULES = """\
groups:
  - name: requests
    rules:
      - record: job:http_requests:rate5m
        expr: sum by (job) (rate(http_server_request_duration_seconds_count[5m]))
      - alert: HighErrorRate
        expr: job:http_errors:ratio5m > 0.05
"""

DEFINITION = """\
alertmanager_config: |
  receivers:
    - name: all
      sns_configs:
        - topic_arn: {topic}
"""
SUBSCRIBED = "on-call-key-7f3a@example.com"
"""An address that AWS tells to whoever may ask, and that nobody else has to see."""
ALARM = "shop-dev-TaskOutOfMemory"
EVENTS = {"Namespace": "ECS", "MetricName": "Out"}
DIMENSIONS = [{"Name": "Cluster", "Value": "<cluster.id>"}, {"Name": "Service", "Value": "front"}]


def alarm(threshold: float, dimensions: list[dict[str, str]]) -> dict[str, Any]:
    """As PutMetricAlarm takes it, and as DescribeAlarms tells it."""
    metric = {"Id": "value", "MetricStat": {"Metric": {**EVENTS, "Dimensions": dimensions}, "Period": 60}}
    return {"AlarmName": ALARM, "Threshold": threshold, "Metrics": [metric]}


def resource(token: str, known: str, **inputs: Any) -> Resource:
    return Resource(f"urn:{known}", token, known, "", True, inputs, (), "", {}, {})


def recording(*boards: Mapping[str, Any], **environment: str) -> Recording:
    container = {
        "name": "front",
        "image": "app:1",
        "environment": [{"name": name, "value": value} for name, value in environment.items()],
    }
    collector = {
        "name": "collector",
        "environment": [{"name": "AOT_CONFIG_CONTENT", "value": "receivers: {}"}],
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/shop-dev/front"}},
    }
    resources = (
        resource("aws:ecs/taskDefinition:TaskDefinition", "definition", family="shop-dev-front",
                 containerDefinitions=json.dumps([container, collector])),
        resource("aws:ecs/service:Service", "front", name="front", taskDefinition="<definition.arn>"),
        resource("aws:amp/alertManagerDefinition:AlertManagerDefinition", "alertmanager"),
        resource("aws:cloudwatch/metricAlarm:MetricAlarm", "oom", name=ALARM),
        resource("aws:sns/topic:Topic", "alerts", name="shop-dev-alerts"),
        resource("aws:sns/topicSubscription:TopicSubscription", "mail", topic="<alerts.arn>", protocol="email"),
        resource("grafana:alerting/ruleGroup:RuleGroup", "traces", name="shop-dev-traces", folderUid="shop-dev",
                 rules=[{"name": "TraceFaults"}]),
        *(resource("grafana:oss/dataSource:DataSource", one.uid, uid=one.uid, type=one.type)
          for one in (AMP, XRAY, CLOUDWATCH)),
        *(resource("grafana:oss/dashboard:Dashboard", f"board-{one['uid']}", configJson=json.dumps(one))
          for one in boards or (BOARD,)),
        resource("aws:amp/ruleGroupNamespace:RuleGroupNamespace", "rules", name="requests", data=RULES),
    )  # fmt: skip
    return Recording("shop", "dev", "eu-west-1", {}, resources, {}, ())


def target(source: Source, **query: Any) -> dict[str, Any]:
    return {"refId": "A", "datasource": {"type": source.type, "uid": source.uid}, **query}


def panel(title: str, *targets: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "timeseries", "title": title, "targets": list(targets), "gridPos": {"x": 0, "y": 0, "w": 6, "h": 6}}


INSIGHTS = {"queryMode": "Metrics", "namespace": "ECS/ContainerInsights", "statistic": "Average"}
CPU = INSIGHTS | {"metricName": "CpuUtilized", "dimensions": {"ClusterName": "shop-dev", "ServiceName": "front"}}

BOARD: dict[str, Any] = {
    "uid": "shop",
    "title": "Shop",
    "templating": {
        "list": [
            {
                "name": "application",
                "type": "query",
                "query": "label_values(up, job)",
                "datasource": {"type": AMP.type, "uid": AMP.uid},
                "current": {"value": "shop/front"},
            }
        ]
    },
    "panels": [
        panel(
            "Requests",
            target(
                AMP, expr='sum(rate(http_server_request_duration_seconds_count{job="$application"}[$__rate_interval]))'
            ),
        ),
        panel("Tasks", target(AMP, expr="count(up)", instant=True)),
        panel("Traces", target(XRAY, queryType="getTraceSummaries", query='service("front")')),
        panel("Map", target(XRAY, queryType="getServiceMap")),
        panel("Latency", target(XRAY, queryType="getTimeSeriesServiceStatistics")),
        panel("One trace", target(XRAY, queryType="getTrace", query="1-2-3")),
        panel("CPU", target(CLOUDWATCH, **CPU)),
        panel(
            "Memory",
            target(CLOUDWATCH, expression="SUM(raw)", queryMode="Metrics"),
            target(CLOUDWATCH, refId="B", id="raw", hide=True, **CPU),
        ),
        panel("Log", target(CLOUDWATCH, queryMode="Logs", expression="fields @message")),
    ],
}


def plan(*boards: Mapping[str, Any]) -> Plan:
    documents = {f"dashboards/{one['uid']}.json": json.dumps(one) for one in boards or (BOARD,)}
    of_alerts = {
        "rules/requests.yaml": RULES,
        "alertmanager/alertmanager.yaml": DEFINITION.format(topic="<alerts.arn>"),
        f"alarms/{ALARM}.json": json.dumps(alarm(1, DIMENSIONS) | {"Tags": []}),
    }
    return made.plan(made.service("front"), documents=documents | of_alerts)


def deployed(port: int) -> Deployment:
    return Deployment(f"http://127.0.0.1:{port}/workspaces/{WORKSPACE}", f"http://127.0.0.1:{port}")


def told(threshold: float) -> dict[str, Any]:
    """The alarm as CloudWatch tells it: in an order of its own."""
    dimensions = [{"Name": "Service", "Value": "front"}, {"Name": "Cluster", "Value": "shop-dev"}]
    return alarm(threshold, dimensions) | {"StateValue": "OK", "ActionsEnabled": True}


def cloud(**changes: Any) -> Cloud:
    """All of it as it should be."""
    loaded = [
        {
            "name": "requests",
            "rules": [
                {"name": "job:http_requests:rate5m", "health": "ok", "type": "recording"},
                {"name": "HighErrorRate", "health": "ok", "type": "alerting", "state": "inactive"},
            ],
        }
    ]
    return Cloud(
        **{
            "rules": {"requests": RULES},
            "loaded": loaded,
            "definition": DEFINITION.format(topic="arn:aws:sns:eu-west-1:123456789012:alerts"),
            "alarms": {ALARM: told(1.0)},
            "subscriptions": {
                "shop-dev-alerts": [
                    {"SubscriptionArn": "arn:aws:sns:eu-west-1:1:t:1", "Protocol": "email", "Endpoint": SUBSCRIBED}
                ]
            },
            "dashboards": {"shop": BOARD | {"id": 3, "version": 2, "graphTooltip": 0}},
            **changes,
        }
    )
