"""Queries to CloudWatch and X-Ray are held against what AWS documents."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from documents import dashboards
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
        asked = [(panel, target) for panel in board.panels for target in panel.targets if not target.expr]
        assert [contract.cloudwatch(target, panel, STACK, choice) for panel, target in asked] == [[]] * len(asked)
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


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
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
        ({"expression": "stats latest(CpuUtilized)", "logGroupNames": ["/ecs/shop"]}, "log group /ecs/shop is not"),
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
    assert contract.xray({"queryType": "getTraceSummaries", "query": text}) == []


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
    [found] = contract.xray({"queryType": "getTraceSummaries", "query": text})
    assert reason in found


def test_query_types_are_those_of_the_plugin() -> None:
    assert contract.xray({"queryType": "getServiceMap"}) == []
    assert contract.xray({"queryType": "getTrace", "query": "1-5f84c7a1-abc"}) == []
    assert "none of the X-Ray data source's" in contract.xray({"queryType": "getTraces"})[0]


def test_links_to_explore_are_found() -> None:
    query = {"datasource": {"type": "grafana-x-ray-datasource"}, "queryType": "getTraceSummaries", "query": "fault"}
    other = {"datasource": {"type": "prometheus"}, "expr": "up"}
    panes = quote(json.dumps({"p": {"queries": [query, other]}}))
    document = {"panels": [{"links": [{"url": f"/explore?schemaVersion=1&panes={panes}"}, {"url": "https://x"}]}]}
    assert [one["query"] for one in contract.linked_queries(document)] == ["fault"]
