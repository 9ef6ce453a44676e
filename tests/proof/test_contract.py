"""Queries to CloudWatch and X-Ray are held against what AWS documents."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from documents import dashboards
from documents.dashboards.sources import CLOUDWATCH, XRAY
from proof import contract, grafana
from proof.grafana import Choice
from proof.plan import Plan
from tests.proof.made import plan, service
from tests.stacks import observed

STACK = plan(
    service("front", sidecar=False),
    service("back", sidecar=False),
    collector=service("collector"),
    container_insights="enhanced",
)

METRIC = {
    "namespace": "ECS/ContainerInsights",
    "metricName": "CpuUtilized",
    "statistic": "Average",
    "dimensions": {"ClusterName": "shop-dev", "ServiceName": "$service"},
    "queryMode": "Metrics",
    "refId": "A",
}


TRACED = {
    "queryMode": "X-Ray",
    "queryType": "getTraceSummaries",
    "region": "eu-west-1",
    "group": {"GroupName": "Default", "GroupARN": "default"},
}


def problems(target: dict[str, Any], *more: dict[str, Any], stack: Plan = STACK) -> str:
    panel = {"type": "timeseries", "title": "P", "datasource": {"uid": "cloudwatch"}, "targets": [target, *more]}
    variables = [{"name": "service", "type": "custom", "query": "front,back", "multi": True}]
    board = grafana.read({"uid": "u", "title": "T", "panels": [panel], "templating": {"list": variables}}, 60.0)
    choice = Choice().adding(board.variables[0], board.variables[0].fixed)
    read = board.panels[0]
    return "; ".join(contract.cloudwatch(read.targets[0], read, stack, choice))


def test_our_own_dashboards_agree_with_the_contract() -> None:
    for made in dashboards.dashboards(observed("dev", service=["front", "back"])):
        document = json.loads(made.json)
        board = grafana.read(document, 60.0)
        choice = Choice()
        for variable in board.variables:
            choice = choice.adding(variable, variable.fixed or variable.current)
        asked = [(panel, target) for panel in board.panels for target in panel.targets]
        read = [(panel, target) for panel, target in asked if target.source is CLOUDWATCH]
        assert [contract.cloudwatch(target, panel, STACK, choice) for panel, target in read] == [[]] * len(read)
        traced = [target.raw for _, target in asked if target.source is XRAY]
        assert [contract.xray(query) for query in traced] == [[]] * len(traced)
        links = list(contract.linked_queries(document))
        assert [contract.xray(query) for query in links] == [[]] * len(links)


def test_a_documented_metric_passes() -> None:
    assert problems(METRIC) == ""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"metricName": "CPUUtilised"}, "metric 'CPUUtilised' is not documented"),
        ({"namespace": "AWS/ECS"}, "namespace 'AWS/ECS' is not ECS/ContainerInsights"),
        ({"statistic": "Mean"}, "statistic 'Mean' is none of CloudWatch's"),
        ({"dimensions": {"ServiceName": "front"}}, "CpuUtilized has no dimension set ServiceName"),
        ({"dimensions": {"ClusterName": "other"}}, "ClusterName other is not in this stack"),
        ({"dimensions": {"ClusterName": "shop-dev", "ServiceName": ["front", "gone"]}}, "ServiceName gone is not"),
    ],
)
def test_what_cloudwatch_does_not_have_is_named(change: dict[str, Any], reason: str) -> None:
    assert reason in problems(METRIC | change)


def test_the_cluster_must_have_container_insights() -> None:
    assert "Container Insights of the cluster is disabled" in problems(METRIC, stack=plan(service("front")))
    by_task = METRIC | {"dimensions": {"ClusterName": "shop-dev", "ServiceName": "front", "TaskId": "*"}}
    assert problems(by_task) == ""
    plain = plan(service("front", sidecar=False), container_insights="enabled")
    assert "needs Container Insights with enhanced observability" in problems(by_task, stack=plain)


AMP = {
    "namespace": "AWS/Usage",
    "metricName": "ResourceCount",
    "statistic": "Maximum",
    "dimensions": {
        "Type": "Resource",
        "Service": "Prometheus",
        "Class": "None",
        "Resource": "ActiveSeries",
        "ResourceId": "ws-1",
    },
    "queryMode": "Metrics",
    "refId": "A",
}
DISCARDED = AMP | {
    "namespace": "AWS/Prometheus",
    "metricName": "DiscardedSamples",
    "dimensions": {"Workspace": "ws-1", "Reason": "*"},
}


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (AMP, ""),
        (DISCARDED, ""),
        (AMP | {"dimensions": {**AMP["dimensions"], "Resource": "Series"}}, "AMP documents no metric 'ResourceCount'"),
        (AMP | {"dimensions": {"ResourceId": "ws-1"}}, "AMP documents no metric 'ResourceCount'"),
        (DISCARDED | {"metricName": "DroppedSamples"}, "AMP documents no metric 'DroppedSamples'"),
        (DISCARDED | {"dimensions": {"Reason": "*"}}, "with the dimensions Reason"),
    ],
)
def test_a_workspace_counts_what_amp_documents(query: dict[str, Any], reason: str) -> None:
    """It needs no Container Insights."""
    found = problems(query, stack=plan(service("front")))
    assert reason in found
    assert bool(found) == bool(reason)


EVENTS = {"queryMode": "Logs", "logGroupNames": ["/aws/events/shop-dev/ecs"], "refId": "A"}


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (
            'filter `detail-type` = "ECS Task State Change" | parse detail.group "service:*" as name'
            " | filter name like /^(a|b)$/ | stats count_distinct(detail.taskArn) as stops by name, detail.stopCode",
            "",
        ),
        ("fields coalesce(detail.containers.0.reason, detail.stoppedReason) as reason | display reason", ""),
        ("fields detail.containers.0.cause", "field 'detail.containers.0.cause' is not in the documented events"),
        ("filter `detail-kind` = 1", "field 'detail-kind' is not in the documented events"),
        ("stats latest(CpuUtilized)", "field 'CpuUtilized' is not in the documented events"),
    ],
)
def test_events_of_ecs_have_documented_fields(expression: str, reason: str) -> None:
    found = problems(EVENTS | {"expression": expression}, stack=plan(service("front")))
    assert reason in found
    assert bool(found) == bool(reason)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("SORT(RATE(raw), MAX, DESC, 10)", ""),
        ("SUM(raw) * 0.5 / ($__period_auto / 60)", ""),
        ("SUMM(raw)", "function SUMM is not"),
        ("RATE(other)", "no query of the panel has the id 'other'"),
    ],
)
def test_metric_math_names_functions_and_queries(expression: str, reason: str) -> None:
    found = problems({"expression": expression, "refId": "A"}, METRIC | {"id": "raw", "refId": "B"})
    assert reason in found
    assert bool(found) == bool(reason)


LOGS = {"queryMode": "Logs", "logGroupNames": ["/aws/ecs/containerinsights/shop-dev/performance"], "refId": "A"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"expression": 'filter Type = "Task" | stats latest(CpuUtilized) as cpu by TaskId | sort cpu desc'}, ""),
        ({"expression": "stats latest(CPU) by TaskId"}, "field 'CPU' is not in the documented"),
        (
            {"expression": "stats latest(CpuUtilized)", "logGroupNames": ["/ecs/shop"]},
            "log group /ecs/shop is none of those that this stack has",
        ),
    ],
)
def test_log_queries_name_documented_fields(change: dict[str, Any], reason: str) -> None:
    found = problems(LOGS | change)
    assert reason in found
    assert bool(found) == bool(reason)


@pytest.mark.parametrize(
    "text",
    [
        "",
        'service("front")',
        'service("${__data.fields.Application}") { fault = true }',
        'service("a") AND (responsetime > 5 OR http.status != 200) && !error',
        'edge("a", "b") { throttle }',
        'annotation.tenant = "x" AND annotation[user.id] BEGINSWITH "u"'.replace("[user.id]", '["user.id"]'),
        'http.url CONTAINS "/orders" and user = "me"',
    ],
)
def test_filter_expressions_that_xray_takes(text: str) -> None:
    assert contract.xray(TRACED | {"query": text}) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('service("a"', "ends too early"),
        ("service(a)", "should be a text in double quotes"),
        ('service("a") { fualt }', "'fualt' is no keyword"),
        ('service("a") service("b")', "'service' is not expected"),
        ("responsetime", "ends too early"),
        ("responsetime ~ 5", "has characters that mean nothing"),
        ("responsetime fault 5", "'fault' is no operator"),
        ("fault = maybe", "'maybe' is neither true nor false"),
        ('service["a"]', "'[' stands where '(' is expected"),
    ],
)
def test_filter_expressions_that_xray_refuses(text: str, reason: str) -> None:
    [found] = contract.xray(TRACED | {"query": text})
    assert reason in found


def test_query_types_are_those_of_the_plugin() -> None:
    assert contract.xray(TRACED | {"queryType": "getServiceMap"}) == []
    assert contract.xray(TRACED | {"queryType": "getTrace", "query": "1-5f84c7a1-abc"}) == []
    assert "none of the X-Ray data source's" in contract.xray(TRACED | {"queryType": "getTraces"})[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"queryMode": "Services"}, "query mode 'Services' is not X-Ray"),
        ({"region": ""}, "it names no region"),
        ({"group": {}}, "it names no group"),
        ({"columns": ["OkCount", "P99"]}, "X-Ray has no statistic 'P99'"),
    ],
)
def test_a_query_has_the_form_that_the_plugin_reads(change: dict[str, Any], reason: str) -> None:
    assert contract.xray(TRACED | change) == [reason]


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ('service("$name")', []),
        ('edge("a", "b")', []),
        (
            'service("a") { fault = true }',
            ["selector 'service(\"a\") { fault = true }' is more than a service or an edge"],
        ),
        ("fault = true", ["selector 'fault = true' is more than a service or an edge"]),
    ],
)
def test_statistics_are_of_a_service_or_an_edge(text: str, reasons: list[str]) -> None:
    assert contract.xray(TRACED | {"queryType": "getTimeSeriesServiceStatistics", "query": text}) == reasons


def test_links_to_explore_are_found() -> None:
    query = {"datasource": {"type": "grafana-x-ray-datasource"}, "queryType": "getTraceSummaries", "query": "fault"}
    other = {"datasource": {"type": "prometheus"}, "expr": "up"}
    panes = quote(json.dumps({"p": {"queries": [query, other]}}))
    document = {"panels": [{"links": [{"url": f"/explore?schemaVersion=1&panes={panes}"}, {"url": "https://x"}]}]}
    assert [one["query"] for one in contract.linked_queries(document)] == ["fault"]
