"""The dashboards of a stack: what they ask, how they are laid out, and that nothing in them can go stale unseen."""

import dataclasses
import itertools
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import promql_parser
import pytest
import yaml

from documents import catalogue, rules
from documents.catalogue import Label
from documents.dashboards import Dashboard, dashboards
from documents.dashboards.application import traces_url
from documents.observed import Observed
from tests.stacks import observed

SIDECAR = observed("dev", sidecar=["storefront"])
SERVICE = observed("prod", service=["storefront"])
BOTH = observed("both", sidecar=["inventory"], service=["storefront"], interval=30)
ALL = {"sidecar": SIDECAR, "service": SERVICE, "both": BOTH}

EVERY = [
    pytest.param(stack, dashboard, id=f"{name}-{dashboard.uid}")
    for name, stack in ALL.items()
    for dashboard in dashboards(stack)
]
every = pytest.mark.parametrize(("stack", "dashboard"), EVERY)

AMP = {"type": "grafana-amazonprometheus-datasource", "uid": "amp"}
CLOUDWATCH = {"type": "cloudwatch", "uid": "cloudwatch"}

ECS_TITLES = [
    "Running tasks",
    "Memory in use",
    "vCPU in use",
    "CPU of reservation",
    "Memory of reservation",
    "Network in",
    "Network out",
    "Storage read",
    "Storage write",
    "Tasks",
]
APPLICATION_TITLES = [
    *(
        f"{what} {by}"
        for by in ("by application", "by route")
        for what in ("Request rate", "Error ratio", "Latency p50", "Latency p95", "Latency p99")
    ),
    "Routes",
]


def data(dashboard: Dashboard) -> dict[str, Any]:
    return json.loads(dashboard.json)


def panels(dashboard: Dashboard) -> list[dict[str, Any]]:
    return [panel for panel in data(dashboard)["panels"] if panel["type"] != "row"]


def panel(stack: Observed, uid: str, title: str) -> dict[str, Any]:
    (dashboard,) = (found for found in dashboards(stack) if found.uid == uid)
    (found,) = (found for found in panels(dashboard) if found["title"] == title)
    return found


def target(stack: Observed, uid: str, title: str, ref: str = "A") -> dict[str, Any]:
    (found,) = (found for found in panel(stack, uid, title)["targets"] if found["refId"] == ref)
    return found


def plain(expr: str) -> str:
    """A query as Prometheus takes it: Grafana's variables filled in."""
    filled = expr.replace("$__rate_interval", "4m").replace("$cluster", "cluster-1")
    return re.sub(r"\$(service|family|application)\b", ".*", filled)


def queries(dashboard: Dashboard) -> Iterator[tuple[str, str]]:
    for found in panels(dashboard):
        for asked in found["targets"]:
            if "expr" in asked:
                yield found["title"], asked["expr"]


def nodes(node: Any) -> Iterator[Any]:
    """Every node of a parsed query."""
    yield node
    for name in ("expr", "lhs", "rhs", "param", "vector_selector"):
        child = getattr(node, name, None)
        if child is not None:
            yield from nodes(child)
    for child in getattr(node, "args", None) or ():
        yield from nodes(child)


ATTRIBUTES = {attribute.label for attribute in catalogue.ATTRIBUTES}
IDENTITY = {Label.JOB, Label.INSTANCE}
REQUEST = ATTRIBUTES | IDENTITY | set(catalogue.REQUEST_DURATION.labels)
LABELS = {
    **{metric.name: ATTRIBUTES | IDENTITY for metric in catalogue.TASK_METRICS},
    **{recorded.name: set(recorded.labels) for recorded in rules.RECORDED},
    f"{catalogue.REQUEST_DURATION.name}_count": REQUEST,
    f"{catalogue.REQUEST_DURATION.name}_bucket": REQUEST | {Label.BOUND},
}
"""Every series that the product writes, with its labels."""


@pytest.mark.parametrize("stack", ALL.values(), ids=ALL)
def test_the_dashboards_of_every_stack(stack: Observed) -> None:
    made = dashboards(stack)
    assert [(found.uid, found.title) for found in made] == [("ecs-tasks", "ECS tasks"), ("application", "Application")]
    assert [[found["title"] for found in panels(dashboard)] for dashboard in made] == [ECS_TITLES, APPLICATION_TITLES]


@pytest.mark.parametrize("stack", ALL.values(), ids=ALL)
def test_the_same_bytes_each_time(stack: Observed) -> None:
    assert dashboards(stack) == dashboards(dataclasses.replace(stack))


@every
def test_the_text_is_canonical(stack: Observed, dashboard: Dashboard) -> None:
    document = data(dashboard)
    assert dashboard.json == json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
    assert not {"id", "version", "iteration", "__inputs", "__requires", "__elements"} & document.keys()
    assert (document["uid"], document["title"]) == (dashboard.uid, dashboard.title)
    assert len(dashboard.uid) <= 40
    assert document["editable"] is False
    assert not re.search(r"\b\d{12}\b", dashboard.json), "an account id"
    assert "${DS_" not in dashboard.json


@every
def test_refresh_is_no_faster_than_the_data(stack: Observed, dashboard: Dashboard) -> None:
    refresh = data(dashboard)["refresh"]
    seconds = int(refresh[:-1]) * {"s": 1, "m": 60}[refresh[-1]]
    assert seconds >= stack.interval_seconds
    if dashboard.uid == "ecs-tasks" and stack.cloudwatch_services:
        assert seconds == 300


@every
def test_no_panel_asks_x_ray_by_itself(stack: Observed, dashboard: Dashboard) -> None:
    asked = {query["datasource"]["uid"] for found in panels(dashboard) for query in found["targets"]}
    assert asked <= {"amp", "cloudwatch"}, "each refresh of an X-Ray query is billed"


@every
def test_layout(stack: Observed, dashboard: Dashboard) -> None:
    everything = data(dashboard)["panels"]
    taken: set[tuple[int, int]] = set()
    for found in everything:
        place = found["gridPos"]
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= 24
        assert place["w"] >= 8, "narrower is unreadable at 1280 px"
        cells = set(
            itertools.product(range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"]))
        )
        assert not cells & taken, found["title"]
        taken |= cells
    assert len(taken) == 24 * (max(y for _, y in taken) + 1), "a hole"
    assert everything[0]["type"] == "row"
    order = [(found["gridPos"]["y"], found["gridPos"]["x"]) for found in everything]
    assert order == sorted(order)


@every
def test_every_panel_explains_itself(stack: Observed, dashboard: Dashboard) -> None:
    everything = data(dashboard)["panels"]
    for key in ("id", "title"):
        values = [found[key] for found in everything]
        assert len(values) == len(set(values)), key
    for found in panels(dashboard):
        defaults = found["fieldConfig"]["defaults"]
        assert defaults["unit"], found["title"]
        assert found["type"] == "table" or "decimals" in defaults, found["title"]
        assert defaults["thresholds"]["steps"][0]["value"] is None
        assert found["description"].count(".") >= 2, "what a bad value means, and what to do"
        refs = [query["refId"] for query in found["targets"]]
        assert refs, found["title"]
        assert len(refs) == len(set(refs)), found["title"]
        assert all(query["datasource"] in (AMP, CLOUDWATCH) for query in found["targets"])
        if found["type"] == "table":
            columns = {
                override["matcher"]["options"]: override["properties"] for override in found["fieldConfig"]["overrides"]
            }
            assert columns


def test_ids_are_stable() -> None:
    """Links and reports name panels by id: these numbers never change, new panels get new ones."""
    for stack in ALL.values():
        ecs, application = dashboards(stack)
        assert [found["id"] for found in panels(ecs)] == list(range(1, 11))
        assert [found["id"] for found in panels(application)] == list(range(1, 12))


@every
def test_links_lead_to_shipped_dashboards(stack: Observed, dashboard: Dashboard) -> None:
    shipped = {f"/d/{found.uid}" for found in dashboards(stack)}
    links = data(dashboard)["links"]
    assert {link["url"] for link in links} == shipped - {f"/d/{dashboard.uid}"}
    assert all(link["keepTime"] and link["includeVars"] for link in links)


@every
def test_promql(stack: Observed, dashboard: Dashboard) -> None:
    for title, expr in queries(dashboard):
        parsed = list(nodes(promql_parser.parse(plain(expr))))
        selectors = [node for node in parsed if isinstance(node, promql_parser.VectorSelector)]
        assert selectors, f"{title}: a constant proves nothing"
        for selector in selectors:
            assert selector.name in LABELS, title
            matchers = {matcher.name: matcher.value for matcher in selector.matchers.matchers}
            assert matchers.keys() <= LABELS[selector.name], title
            assert matchers[Label.CLUSTER] == "cluster-1", title
        assert "vector(" not in expr
        for node in parsed:
            if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
                below = [
                    found.name
                    for found in nodes(node.expr)
                    if isinstance(found, promql_parser.VectorSelector) and found.name
                ]
                for name in below:
                    assert set(node.modifier.labels) <= LABELS[name], (title, name)
            if isinstance(node, promql_parser.Call) and node.func.name in {"rate", "increase", "avg_over_time"}:
                assert isinstance(node.args[0], promql_parser.MatrixSelector)
        assert set(re.findall(r"\[[^\]]*\]", expr)) <= {"[$__rate_interval]"}, title


@every
def test_steps_give_windows_of_four_samples(stack: Observed, dashboard: Dashboard) -> None:
    """Grafana makes `$__rate_interval` four times the query's shortest step."""
    for found in panels(dashboard):
        for asked in found["targets"]:
            if "expr" in asked:
                ruled = any(recorded.name in asked["expr"] for recorded in rules.RECORDED) and asked["range"]
                assert asked["interval"] == f"{max(60, stack.interval_seconds) if ruled else stack.interval_seconds}s"


@every
def test_graphs_show_at_most_ten_series(stack: Observed, dashboard: Dashboard) -> None:
    for found in panels(dashboard):
        if found["type"] == "timeseries":
            assert all(asked["expr"].startswith("topk(10, ") for asked in found["targets"] if "expr" in asked)


@every
def test_legends_name_labels_of_the_query(stack: Observed, dashboard: Dashboard) -> None:
    for found in panels(dashboard):
        for asked in found["targets"]:
            kept = set(re.findall(r"by \(([^)]*)\)", asked.get("expr", "")))
            named = re.findall(r"{{(\w+)}}", asked.get("legendFormat", ""))
            if found["type"] == "timeseries" and "expr" in asked:
                assert named
            assert all(any(label in labels.split(", ") for labels in kept) for label in named)


@pytest.mark.parametrize(
    ("stack", "source", "refs"),
    [
        (SIDECAR, AMP, {"A"}),
        (SERVICE, CLOUDWATCH, {"CloudWatch"}),
        (BOTH, {"type": "datasource", "uid": "-- Mixed --"}, {"A", "CloudWatch"}),
    ],
    ids=ALL,
)
@pytest.mark.parametrize("title", ECS_TITLES)
def test_ecs_stack(stack: Observed, source: dict[str, str], refs: set[str], title: str) -> None:
    found = panel(stack, "ecs-tasks", title)
    assert found["datasource"] == source
    shown = {asked["refId"] for asked in found["targets"] if not asked.get("hide")}
    several = {"A", "B", "C", "D", "E"} if title == "Tasks" and "A" in refs else set[str]()
    assert shown == refs | several
    for asked in found["targets"]:
        assert asked["datasource"] == (AMP if "expr" in asked else CLOUDWATCH)


@pytest.mark.parametrize("title", ECS_TITLES)
def test_the_same_panel_whatever_stack_it(title: str) -> None:
    def looks(stack: Observed) -> dict[str, Any]:
        found = panel(stack, "ecs-tasks", title)
        return {key: found[key] for key in found.keys() - {"targets", "datasource"}}

    assert looks(SIDECAR) == looks(SERVICE) == looks(BOTH)


def cloudwatch_targets(stack: Observed) -> Iterator[tuple[str, dict[str, Any]]]:
    for dashboard in dashboards(stack):
        for found in panels(dashboard):
            for asked in found["targets"]:
                if asked["datasource"] == CLOUDWATCH:
                    yield found["title"], asked


DOCUMENTED = {metric.name: metric for metric in catalogue.CLOUDWATCH_METRICS}


@pytest.mark.parametrize(
    ("stack", "services"), [(SERVICE, "service"), (BOTH, "cloudwatch_service")], ids=["own", "both"]
)
def test_cloudwatch_is_asked_what_aws_documents(stack: Observed, services: str) -> None:
    asked = list(cloudwatch_targets(stack))
    assert len(asked) >= len(ECS_TITLES)
    for title, found in asked:
        assert found["region"] == "eu-west-1"
        if found["queryMode"] == "Logs":
            continue
        assert (found["metricQueryType"], found["statistic"] in {"Average", "Sum"}) == (0, True), title
        if found["metricEditorMode"] == 1:
            assert re.search(r"\braw\b", found["expression"]), title
            continue
        assert found["namespace"] == "ECS/ContainerInsights"
        assert found["matchExact"] is True
        assert frozenset(found["dimensions"]) in DOCUMENTED[found["metricName"]].dimensions, title
        expected = {"ClusterName": "$cluster", "ServiceName": f"${services}", "TaskId": "*"}
        assert found["dimensions"].items() <= expected.items()


def test_cloudwatch_arithmetic() -> None:
    """What each panel computes: hidden metric with its statistic and dimensions, and the expression on it."""
    by_service, by_task = ["ClusterName", "ServiceName"], ["ClusterName", "ServiceName", "TaskId"]
    found: dict[str, list[Any]] = {}
    for title, asked in cloudwatch_targets(SERVICE):
        if asked.get("metricName"):
            found.setdefault(title, []).extend((asked["metricName"], asked["statistic"], sorted(asked["dimensions"])))
            assert (asked.get("hide", False), asked["id"]) in ((True, "raw"), (False, ""))
    expressions = {
        title: asked["expression"] for title, asked in cloudwatch_targets(SERVICE) if asked.get("metricEditorMode")
    }
    assert found == {
        "Running tasks": ["RunningTaskCount", "Average", by_service],
        "Memory in use": ["MemoryUtilized", "Average", by_task],
        "vCPU in use": ["CpuUtilized", "Average", by_task],
        "CPU of reservation": ["TaskCpuUtilization", "Average", by_service],
        "Memory of reservation": ["TaskMemoryUtilization", "Average", by_service],
        "Network in": ["NetworkRxBytes", "Sum", by_service],
        "Network out": ["NetworkTxBytes", "Sum", by_service],
        "Storage read": ["StorageReadBytes", "Average", by_task],
        "Storage write": ["StorageWriteBytes", "Average", by_task],
    }
    assert expressions == {
        "Memory in use": "SUM(raw)",
        "vCPU in use": "SUM(raw) * 0.0009765625",
        "Network in": "raw / ($__period_auto / 60)",
        "Network out": "raw / ($__period_auto / 60)",
        "Storage read": "RATE(raw)",
        "Storage write": "RATE(raw)",
    }


def test_sums_over_tasks_never_get_a_single_series() -> None:
    """SUM of one series is one number for the whole time; a wildcard makes Grafana search, which gives an array."""
    for stack in (SERVICE, BOTH):
        for dashboard in dashboards(stack):
            for found in panels(dashboard):
                if any(asked.get("expression", "").startswith("SUM(raw)") for asked in found["targets"]):
                    (raw,) = (asked for asked in found["targets"] if asked.get("id") == "raw")
                    assert raw["dimensions"]["TaskId"] == "*"


def test_the_table_of_tasks_from_the_performance_log() -> None:
    asked = target(SERVICE, "ecs-tasks", "Tasks", "CloudWatch")
    assert asked["logGroupNames"] == ["/aws/ecs/containerinsights/$cluster/performance"]
    assert asked["queryMode"] == "Logs"
    assert asked["expression"] == (
        'filter Type = "Task" and ServiceName in [${service:doublequote}]\n'
        "| fields 100 * CpuUtilized / CpuReserved as cpu_percent,"
        " 100 * MemoryUtilized / MemoryReserved as memory_percent\n"
        "| stats latest(TaskDefinitionFamily) as family, latest(ServiceName) as service,"
        " latest(TaskDefinitionRevision) as revision, latest(cpu_percent) as cpu, latest(memory_percent) as memory,"
        " latest(MemoryUtilized) as memory_used, latest(NetworkRxBytes) as network_in,"
        " latest(NetworkTxBytes) as network_out by TaskId"
    )


ECS = 'aws_ecs_cluster_name="$cluster", aws_ecs_service_name=~"$service", aws_ecs_task_family=~"$family"'
PER_TASK = "(aws_ecs_task_id, aws_ecs_task_family, aws_ecs_service_name, aws_ecs_task_revision)"


@pytest.mark.parametrize(
    ("title", "expressions"),
    [
        ("Running tasks", [f"count(count by (aws_ecs_task_id) (ecs_task_cpu_reserved{{{ECS}}}))"]),
        ("Memory in use", [f"sum(ecs_task_memory_utilized{{{ECS}}})"]),
        ("vCPU in use", [f"sum(ecs_task_cpu_usage_vcpu{{{ECS}}})"]),
        (
            "CPU of reservation",
            [
                "topk(10, 100 * avg by (aws_ecs_task_family) "
                f"(avg_over_time(task:ecs_task_cpu_utilization:ratio{{{ECS}}}[$__rate_interval])))"
            ],
        ),
        (
            "Memory of reservation",
            [
                "topk(10, 100 * avg by (aws_ecs_task_family) "
                f"(avg_over_time(task:ecs_task_memory_utilization:ratio{{{ECS}}}[$__rate_interval])))"
            ],
        ),
        (
            "Network in",
            [
                "topk(10, sum by (aws_ecs_task_family) "
                f"(avg_over_time(ecs_task_network_rate_rx{{{ECS}}}[$__rate_interval])))"
            ],
        ),
        (
            "Storage write",
            [f"topk(10, sum by (aws_ecs_task_family) (rate(ecs_task_storage_write_bytes{{{ECS}}}[$__rate_interval])))"],
        ),
        (
            "Tasks",
            [
                f"100 * max by {PER_TASK} (task:ecs_task_cpu_utilization:ratio{{{ECS}}})",
                f"100 * max by {PER_TASK} (task:ecs_task_memory_utilization:ratio{{{ECS}}})",
                f"max by {PER_TASK} (ecs_task_memory_utilized{{{ECS}}})",
                f"max by {PER_TASK} (ecs_task_network_rate_rx{{{ECS}}})",
                f"max by {PER_TASK} (ecs_task_network_rate_tx{{{ECS}}})",
            ],
        ),
    ],
)
def test_ecs_queries(title: str, expressions: list[str]) -> None:
    assert [asked["expr"] for asked in panel(SIDECAR, "ecs-tasks", title)["targets"]] == expressions


APP = 'aws_ecs_cluster_name="$cluster", job=~"$application"'


def counted(by: str, more: str = "") -> str:
    return f"sum by ({by}) (rate(http_server_request_duration_seconds_count{{{APP}{more}}}[$__rate_interval]))"


@pytest.mark.parametrize(("title", "by"), [("by application", "job"), ("by route", "job, http_route")])
def test_application_queries(title: str, by: str) -> None:
    def expr(what: str) -> str:
        return target(SIDECAR, "application", f"{what} {title}")["expr"]

    failed = counted(by, ', http_response_status_code=~"5.."')
    buckets = f"http_server_request_duration_seconds_bucket{{{APP}}}[$__rate_interval]"
    assert expr("Request rate") == f"topk(10, {counted(by)})"
    assert expr("Error ratio") == f"topk(10, ({failed} or 0 * {counted(by)}) / ({counted(by)} > 0))"
    for quantile, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99")):
        quantiles = f"histogram_quantile({quantile}, sum by ({by}, le) (rate({buckets}))) >= 0"
        assert expr(f"Latency {name}") == f"topk(10, {quantiles})"


def test_the_application_dashboard_is_the_same_in_both_patterns() -> None:
    one = dashboards(SIDECAR)[1]
    other = dashboards(dataclasses.replace(SERVICE, names=SIDECAR.names))[1]
    assert one == other


def test_whole_graph() -> None:
    assert panel(SIDECAR, "application", "Error ratio by application") == {
        "datasource": AMP,
        "description": (
            "Share of requests answered with a status of 500 and above; 0 % without errors, no line without requests. "
            "Above 1 %: open the failed traces of the route in the table below, the first failing segment names the "
            "cause."
        ),
        "fieldConfig": {
            "defaults": {
                "color": {"mode": "palette-classic"},
                "custom": {
                    "fillOpacity": 10,
                    "lineWidth": 1,
                    "showPoints": "never",
                    "thresholdsStyle": {"mode": "dashed"},
                },
                "decimals": 2,
                "min": 0,
                "thresholds": {
                    "mode": "absolute",
                    "steps": [
                        {"color": "green", "value": None},
                        {"color": "yellow", "value": 0.01},
                        {"color": "red", "value": 0.05},
                    ],
                },
                "unit": "percentunit",
            },
            "overrides": [],
        },
        "gridPos": {"h": 8, "w": 12, "x": 12, "y": 1},
        "id": 2,
        "options": {
            "legend": {
                "calcs": ["lastNotNull", "max"],
                "displayMode": "table",
                "placement": "bottom",
                "showLegend": True,
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "repeatDirection": "h",
        "targets": [
            {
                "datasource": AMP,
                "editorMode": "code",
                "expr": target(SIDECAR, "application", "Error ratio by application")["expr"],
                "instant": False,
                "interval": "60s",
                "legendFormat": "{{job}}",
                "range": True,
                "refId": "A",
            }
        ],
        "title": "Error ratio by application",
        "transparent": False,
        "type": "timeseries",
    }


def test_whole_number_fed_by_cloudwatch() -> None:
    found = panel(SERVICE, "ecs-tasks", "Memory in use")
    assert found["targets"] == [
        {
            "datasource": CLOUDWATCH,
            "expression": "SUM(raw)",
            "id": "",
            "label": "Memory",
            "metricEditorMode": 1,
            "metricQueryType": 0,
            "namespace": "",
            "queryMode": "Metrics",
            "refId": "CloudWatch",
            "region": "eu-west-1",
            "statistic": "Average",
        },
        {
            "datasource": CLOUDWATCH,
            "dimensions": {"ClusterName": "$cluster", "ServiceName": "$service", "TaskId": "*"},
            "hide": True,
            "id": "raw",
            "label": "Memory",
            "matchExact": True,
            "metricEditorMode": 0,
            "metricName": "MemoryUtilized",
            "metricQueryType": 0,
            "namespace": "ECS/ContainerInsights",
            "queryMode": "Metrics",
            "refId": "CloudWatchRaw",
            "region": "eu-west-1",
            "statistic": "Average",
        },
    ]


def test_whole_table() -> None:
    found = panel(SIDECAR, "application", "Routes")
    assert [asked["format"] for asked in found["targets"]] == ["table"] * 3
    assert [(asked["instant"], asked["range"]) for asked in found["targets"]] == [(True, False)] * 3
    for asked in found["targets"]:
        assert asked["expr"].startswith("label_replace(")
        assert asked["expr"].endswith(', "application", "$1", "job", "(?:.*/)?(.+)")')
    assert found["transformations"] == [
        {
            "id": "organize",
            "options": {
                "excludeByName": {"Time": True, "job": True},
                "renameByName": {
                    "application": "Application",
                    "http_route": "Route",
                    "Value #A": "Requests",
                    "Value #B": "Errors",
                    "Value #C": "p95",
                },
            },
        },
        {"id": "merge", "options": {}},
        {
            "id": "organize",
            "options": {"indexByName": {"Application": 0, "Route": 1, "Requests": 2, "Errors": 3, "p95": 4}},
        },
    ]
    overrides = [
        (override["matcher"]["options"], [held["id"] for held in override["properties"]])
        for override in found["fieldConfig"]["overrides"]
    ]
    assert overrides == [
        ("Application", ["links"]),
        ("Requests", ["unit", "decimals"]),
        ("Errors", ["unit", "decimals", "thresholds", "custom.cellOptions"]),
        ("Errors", ["links"]),
        ("p95", ["unit", "decimals", "thresholds", "custom.cellOptions"]),
    ]


def test_links_to_traces_keep_the_time() -> None:
    overrides = panel(SIDECAR, "application", "Routes")["fieldConfig"]["overrides"]
    links = [
        link
        for override in overrides
        for held in override["properties"]
        if held["id"] == "links"
        for link in held["value"]
    ]
    assert [link["title"] for link in links] == ["Traces in X-Ray", "Failed traces"]
    asked: list[str] = []
    for link in links:
        url = urlsplit(link["url"].replace("${__data.fields.Application}", "storefront"))
        assert url.path == "/explore"
        assert parse_qs(url.query)["schemaVersion"] == ["1"]
        pane = json.loads(parse_qs(url.query)["panes"][0])["traces"]
        assert pane["range"] == {"from": "${__from}", "to": "${__to}"}
        assert pane["datasource"] == "xray"
        (query,) = pane["queries"]
        assert query["datasource"] == {"type": "grafana-x-ray-datasource", "uid": "xray"}
        assert (query["queryType"], query["queryMode"], query["region"]) == ("getTraceSummaries", "X-Ray", "eu-west-1")
        asked.append(query["query"])
    assert asked == ['service("storefront")', 'service("storefront") { fault = true }']


def test_only_variables_stay_readable_in_a_link() -> None:
    url = traces_url('service("${__data.fields.Application}") { http.url = "a&b#c d" }', "eu-west-1")
    assert "${__data.fields.Application}" in url
    assert not set('"&#{} ') & set(re.sub(r"\$\{[^}]*\}", "", url.split("panes=")[1]))


def variables(stack: Observed, uid: str) -> dict[str, dict[str, Any]]:
    (dashboard,) = (found for found in dashboards(stack) if found.uid == uid)
    return {found["name"]: found for found in data(dashboard)["templating"]["list"]}


def test_variables_from_amp() -> None:
    found = variables(SIDECAR, "ecs-tasks")
    assert {name: variable["query"]["query"] for name, variable in found.items()} == {
        "cluster": "label_values(ecs_task_cpu_reserved, aws_ecs_cluster_name)",
        "service": 'label_values(ecs_task_cpu_reserved{aws_ecs_cluster_name="$cluster"}, aws_ecs_service_name)',
        "family": (
            'label_values(ecs_task_cpu_reserved{aws_ecs_cluster_name="$cluster", aws_ecs_service_name=~"$service"}, '
            "aws_ecs_task_family)"
        ),
    }
    assert {variable["datasource"]["uid"] for variable in found.values()} == {"amp"}
    assert found["cluster"]["current"] == {"selected": True, "text": "shop-dev", "value": "shop-dev"}
    for name in ("service", "family"):
        assert (found[name]["multi"], found[name]["includeAll"], found[name]["allValue"]) == (True, True, ".*")


def test_variables_that_need_no_amp() -> None:
    found = variables(SERVICE, "ecs-tasks")
    assert {name: (variable["type"], variable["query"]) for name, variable in found.items()} == {
        "cluster": ("custom", "shop-prod"),
        "service": ("custom", "storefront,collector"),
    }


def test_a_mixed_stack_has_a_variable_for_each_feed() -> None:
    found = variables(BOTH, "ecs-tasks")
    assert {name: variable["type"] for name, variable in found.items()} == {
        "cluster": "query",
        "service": "query",
        "family": "query",
        "cloudwatch_service": "custom",
    }
    assert found["cloudwatch_service"]["query"] == "storefront,collector"


@every
def test_every_variable_is_defined_and_used(stack: Observed, dashboard: Dashboard) -> None:
    defined = variables(stack, dashboard.uid).keys()
    text = json.dumps(data(dashboard)["panels"])
    used = set(re.findall(r"\$\{?([a-z]\w*)", text)) & (defined | {"cluster", "service", "family", "application"})
    assert used == set(defined)


def series(name: str, values: str, **labels: str) -> dict[str, str]:
    inside = ",".join(f'{key}="{value}"' for key, value in {Label.CLUSTER: "cluster-1", **labels}.items())
    return {"series": f"{name}{{{inside}}}", "values": values}


def ecs_series(task: str, **values: str) -> list[dict[str, str]]:
    labels = {
        Label.SERVICE: "service-1",
        Label.FAMILY: "family-1",
        Label.REVISION: "3",
        Label.TASK: task,
        Label.ENVIRONMENT: "dev",
        Label.JOB: "shop/storefront",
        Label.INSTANCE: task,
    }
    return [series(f"ecs_task_{name}", each, **labels) for name, each in values.items()]


def requests(job: str, route: str, status: str, step: int, fast: int) -> list[dict[str, str]]:
    """Requests of one route: `step` more each minute, `fast` of them within 0.1 s and the rest within 0.5 s."""
    labels = {Label.JOB: job, Label.ROUTE: route, Label.STATUS: status, Label.SERVICE: "x", Label.INSTANCE: "i"}
    base = "http_server_request_duration_seconds"
    bounds = {"0.1": fast, "0.5": step, "+Inf": step}
    return [
        series(f"{base}_count", f"0+{step}x20", **labels),
        *(series(f"{base}_bucket", f"0+{each}x20", le=bound, **labels) for bound, each in bounds.items()),
    ]


INPUT = [
    *ecs_series(
        "one",
        cpu_utilized="64x20",
        cpu_reserved="256x20",
        cpu_usage_vcpu="0.0625x20",
        memory_utilized="128x20",
        memory_reserved="512x20",
        network_rate_rx="10x20",
        network_rate_tx="1x20",
        storage_read_bytes="0+600x20",
        storage_write_bytes="1000+60x20",
    ),
    *ecs_series(
        "two",
        cpu_utilized="192x20",
        cpu_reserved="256x20",
        cpu_usage_vcpu="0.1875x20",
        memory_utilized="384x20",
        memory_reserved="512x20",
        network_rate_rx="30x20",
        network_rate_tx="3x20",
        storage_read_bytes="0+1200x20",
        storage_write_bytes="0+180x20",
    ),
    *requests("shop/storefront", "/", "200", 60, 60),
    *requests("shop/storefront", "/order", "200", 90, 60),
    *requests("shop/storefront", "/order", "500", 30, 0),
    *requests("shop/stock", "/stock", "200", 120, 60),
    *requests("shop/idle", "/idle", "200", 0, 0),
]

FAMILY = '{aws_ecs_task_family="family-1"}'
STOREFRONT, STOCK, IDLE = ('{job="shop/storefront"}', '{job="shop/stock"}', '{job="shop/idle"}')
HOME, ORDER, STOCKS, IDLES = (
    f'{{http_route="{route}", job="shop/{job}"}}'
    for route, job in (("/", "storefront"), ("/order", "storefront"), ("/stock", "stock"), ("/idle", "idle"))
)


def of_task(one: float, two: float) -> dict[str, float]:
    rest = 'aws_ecs_service_name="service-1", aws_ecs_task_family="family-1", aws_ecs_task_revision="3"'
    return {f'{{{rest}, aws_ecs_task_id="{task}"}}': value for task, value in (("one", one), ("two", two))}


def as_row(labels: str) -> str:
    """The labels of a row of the table of routes."""
    job = re.search('job="shop/([a-z]+)"', labels)
    assert job is not None
    return f'{{application="{job[1]}", {labels[1:]}'


EXPECTED: dict[tuple[str, str], dict[str, float]] = {
    ("Running tasks", "A"): {"{}": 2},
    ("Memory in use", "A"): {"{}": 512},
    ("vCPU in use", "A"): {"{}": 0.25},
    ("CPU of reservation", "A"): {FAMILY: 50},
    ("Memory of reservation", "A"): {FAMILY: 50},
    ("Network in", "A"): {FAMILY: 40},
    ("Network out", "A"): {FAMILY: 4},
    ("Storage read", "A"): {FAMILY: 30},
    ("Storage write", "A"): {FAMILY: 4},
    ("Tasks", "A"): of_task(25, 75),
    ("Tasks", "B"): of_task(25, 75),
    ("Tasks", "C"): of_task(128, 384),
    ("Tasks", "D"): of_task(10, 30),
    ("Tasks", "E"): of_task(1, 3),
    ("Request rate by application", "A"): {STOREFRONT: 3, STOCK: 2, IDLE: 0},
    ("Error ratio by application", "A"): {STOREFRONT: 30 / 180, STOCK: 0},
    ("Latency p50 by application", "A"): {STOREFRONT: 0.075, STOCK: 0.1},
    ("Latency p95 by application", "A"): {STOREFRONT: 0.1 + 0.4 * 51 / 60, STOCK: 0.1 + 0.4 * 0.9},
    ("Latency p99 by application", "A"): {
        STOREFRONT: 0.1 + 0.4 * 58.2 / 60,
        STOCK: 0.1 + 0.4 * 0.98,
    },
    ("Request rate by route", "A"): {HOME: 1, ORDER: 2, STOCKS: 2, IDLES: 0},
    ("Error ratio by route", "A"): {HOME: 0, ORDER: 0.25, STOCKS: 0},
    ("Latency p50 by route", "A"): {HOME: 0.05, ORDER: 0.1, STOCKS: 0.1},
    ("Latency p95 by route", "A"): {
        HOME: 0.095,
        ORDER: 0.1 + 0.4 * 0.9,
        STOCKS: 0.1 + 0.4 * 0.9,
    },
    ("Latency p99 by route", "A"): {
        HOME: 0.099,
        ORDER: 0.1 + 0.4 * 0.98,
        STOCKS: 0.1 + 0.4 * 0.98,
    },
    ("Routes", "A"): {as_row(HOME): 1, as_row(ORDER): 2, as_row(STOCKS): 2},
    ("Routes", "B"): {as_row(HOME): 0, as_row(ORDER): 0.25, as_row(STOCKS): 0},
    ("Routes", "C"): {as_row(HOME): 0.095, as_row(ORDER): 0.1 + 0.4 * 0.9, as_row(STOCKS): 0.1 + 0.4 * 0.9},
}


def judge(folder: Path, tests: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    promtool = os.environ.get("PROMTOOL") or str(Path(__file__).parents[2] / ".bin" / "promtool")
    if not Path(promtool).exists():
        pytest.skip(f"no promtool at {promtool}")
    (folder / "rules.yaml").write_text(rules.to_yaml(rules.recording_rules()))
    (folder / "tests.yaml").write_text(
        yaml.safe_dump(
            {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "fuzzy_compare": True, "tests": tests}
        )
    )
    return subprocess.run(
        [promtool, "test", "rules", folder / "tests.yaml"], capture_output=True, text=True, check=False
    )


def asked_of(samples: list[dict[str, str]], expected: dict[tuple[str, str], dict[str, float]]) -> list[dict[str, Any]]:
    known = {
        (found["title"], asked["refId"]): asked["expr"]
        for dashboard in dashboards(SIDECAR)
        for found in panels(dashboard)
        for asked in found["targets"]
    }
    assert known.keys() == expected.keys()
    checks = [
        {
            "expr": f"round({plain(known[key])}, 0.0001)",
            "eval_time": "20m",
            "exp_samples": [{"labels": labels, "value": round(value, 4)} for labels, value in found.items()],
        }
        for key, found in expected.items()
    ]
    return [{"interval": "1m", "input_series": samples, "promql_expr_test": checks}]


def test_what_every_query_answers(tmp_path: Path) -> None:
    result = judge(tmp_path, asked_of(INPUT, EXPECTED))
    assert result.returncode == 0, result.stdout + result.stderr


def test_silence_without_telemetry(tmp_path: Path) -> None:
    nothing: dict[tuple[str, str], dict[str, float]] = {key: {} for key in EXPECTED}
    result = judge(tmp_path, asked_of([series("something_else", "1x20")], nothing))
    assert result.returncode == 0, result.stdout + result.stderr
