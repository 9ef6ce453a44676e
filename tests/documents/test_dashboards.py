"""The dashboards of a stack: what they ask, how they are laid out, and that nothing in them can go stale unseen."""

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from documents import catalogue, rules
from documents.catalogue import Label
from documents.dashboards import Dashboard, dashboards
from documents.dashboards.folder import FOLDER
from documents.observed import Observed
from tests.documents.boards import data, judge, panel, panels, plain, series, target, variables
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
"""Panels of the dashboard ECS tasks that have the same figures in both patterns."""

EVENT_TITLES = ["Why tasks stopped", "Deployments", "Stopped tasks"]


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
OWN = ATTRIBUTES | IDENTITY | {Label.CONTAINER, Label.EXPORTER, Label.RECEIVER, Label.VERSION}
CALL = ATTRIBUTES | IDENTITY | set(catalogue.CALL_DURATION.labels)
RUNTIME = (*catalogue.PROCESS_CPU, *catalogue.PROCESS_MEMORY, *catalogue.COLLECTIONS)
LABELS = {
    catalogue.ALERTS: {Label.ALERT, Label.STATE, Label.SEVERITY, Label.CLUSTER, Label.SERVICE, Label.SLO},
    **{metric.name: OWN for metric in catalogue.COLLECTOR_METRICS},
    **{metric.name: ATTRIBUTES | IDENTITY for metric in catalogue.TASK_METRICS},
    **{recorded.name: {*recorded.labels} for stack in ALL.values() for recorded in rules.recorded(stack)},
    f"{catalogue.REQUEST_DURATION.name}_count": REQUEST,
    f"{catalogue.REQUEST_DURATION.name}_bucket": REQUEST | {Label.BOUND},
    f"{catalogue.CALL_DURATION.name}_count": CALL,
    f"{catalogue.CALL_DURATION.name}_bucket": CALL | {Label.BOUND},
    **{metric.name: ATTRIBUTES | IDENTITY for metric in RUNTIME},
}
"""Every series that the product writes, with its labels."""


@pytest.mark.parametrize("stack", ALL.values(), ids=ALL)
def test_the_dashboards_of_every_stack(stack: Observed) -> None:
    made = dashboards(stack)
    assert [(found.uid, found.title) for found in made] == [(entry.uid, entry.title) for entry in FOLDER]
    (ecs,) = (found for found in made if found.uid == "ecs-tasks")
    assert [found["title"] for found in panels(ecs)] == [*ECS_TITLES, *EVENT_TITLES]


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
    refresh = data(dashboard).get("refresh")
    if not refresh:
        assert dashboard.uid == "traces", "each of its queries is billed"
        return
    seconds = int(refresh[:-1]) * {"s": 1, "m": 60}[refresh[-1]]
    assert seconds >= stack.interval_seconds
    if dashboard.uid == "ecs-tasks" and stack.cloudwatch_services:
        assert seconds == 300


@every
def test_what_asks_x_ray_does_not_refresh_by_itself(stack: Observed, dashboard: Dashboard) -> None:
    asked = {query["datasource"]["uid"] for found in panels(dashboard) for query in found["targets"]}
    assert "xray" not in asked or not data(dashboard).get("refresh"), "each refresh of an X-Ray query is billed"


def test_ids_are_stable() -> None:
    """Links and reports name panels by id: these numbers never change, new panels get new ones."""
    for stack in ALL.values():
        found = {dashboard.uid: [one["id"] for one in panels(dashboard)] for dashboard in dashboards(stack)}
        assert found["overview"] == [*range(1, 10)]
        assert found["ecs-tasks"] == [*range(1, 11), 11, 12, 13]
        assert found["costs"] == [*range(1, 16)]
        assert {*range(1, 12)} <= {*found["application"]}


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
                ruled = any(recorded.name in asked["expr"] for recorded in rules.TASKS) and "[$" in asked["expr"]
                assert asked["interval"] == f"{max(60, stack.interval_seconds) if ruled else stack.interval_seconds}s"


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
    several = {*"ABCDEF"} if title == "Tasks" and "A" in refs else set[str]()
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
    for title in ECS_TITLES:
        for asked in panel(stack, "ecs-tasks", title)["targets"]:
            if asked["datasource"] == CLOUDWATCH:
                yield title, asked


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
        "Storage read": "SORT(RATE(raw), MAX, DESC, 10)",
        "Storage write": "SORT(RATE(raw), MAX, DESC, 10)",
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
                f"max by {PER_TASK} (otelcol_process_uptime_total{{{ECS}}})"
                f" and on (aws_ecs_task_id) ecs_task_cpu_reserved{{{ECS}}}",
            ],
        ),
    ],
)
def test_ecs_queries(title: str, expressions: list[str]) -> None:
    assert [asked["expr"] for asked in panel(SIDECAR, "ecs-tasks", title)["targets"]] == expressions


def test_whole_graph() -> None:
    assert panel(SIDECAR, "overview", "Errors by application") == {
        "datasource": AMP,
        "description": (
            "Share of requests answered with a status of 500 and above, the ten worst. Above 1 %: open the application "
            "and the failed traces of its worst route. Several rise together: begin with the one that the others call."
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
        "gridPos": {"h": 8, "w": 12, "x": 12, "y": 25},
        "id": 8,
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
                "expr": (
                    'topk(10, max by (aws_ecs_service_name) (job:http_errors:ratio5m{aws_ecs_cluster_name="$cluster"}))'
                ),
                "instant": False,
                "interval": "60s",
                "legendFormat": "{{aws_ecs_service_name}}",
                "range": True,
                "refId": "A",
            }
        ],
        "title": "Errors by application",
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


def own_series(task: str, uptime: str) -> list[dict[str, str]]:
    """What the collector of a task says of itself."""
    labels = {Label.SERVICE: "service-1", Label.FAMILY: "family-1", Label.REVISION: "3", Label.TASK: task}
    return [series("otelcol_process_uptime_total", uptime, **labels, job="shop/collector")]


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
    *own_series("one", "0+60x20"),
    *own_series("two", "_x18 0 60"),
]

FAMILY = '{aws_ecs_task_family="family-1"}'


def of_task(one: float, two: float) -> dict[str, float]:
    rest = 'aws_ecs_service_name="service-1", aws_ecs_task_family="family-1", aws_ecs_task_revision="3"'
    return {f'{{{rest}, aws_ecs_task_id="{task}"}}': value for task, value in (("one", one), ("two", two))}


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
    ("Tasks", "F"): of_task(1200, 60),
}


def asked_of(
    uids: set[str], samples: list[dict[str, str]], expected: dict[tuple[str, str], dict[str, float]] | None
) -> list[dict[str, Any]]:
    """What these dashboards ask, with the answers that each query has to give; nothing at all where none are given."""
    checks: list[dict[str, Any]] = []
    for dashboard in dashboards(SIDECAR):
        for found in panels(dashboard) if dashboard.uid in uids else ():
            for asked in found["targets"]:
                if "expr" not in asked:
                    continue
                answers = {} if expected is None else expected.get((found["title"], asked["refId"]))
                assert answers is not None, found["title"]
                known = [{"labels": labels, "value": round(value, 4)} for labels, value in answers.items()]
                expr = f"round({plain(asked['expr'])}, 0.0001)"
                checks.append({"expr": expr, "eval_time": "20m", "exp_samples": known})
    assert expected is None or len(checks) == len(expected)
    return [{"interval": "1m", "input_series": samples, "promql_expr_test": checks}]


def test_what_every_query_answers(tmp_path: Path) -> None:
    result = judge(tmp_path, asked_of({"ecs-tasks"}, INPUT, EXPECTED), SIDECAR)
    assert result.returncode == 0, result.stdout + result.stderr


def test_silence_without_telemetry(tmp_path: Path) -> None:
    asked = asked_of({entry.uid for entry in FOLDER}, [series("something_else", "1x20")], None)
    assert len(asked[0]["promql_expr_test"]) > 50
    result = judge(tmp_path, asked, SIDECAR)
    assert result.returncode == 0, result.stdout + result.stderr


REVISIONS = [
    series("ecs_task_cpu_reserved", "256x40", **{Label.SERVICE: "s", Label.FAMILY: "f", Label.REVISION: "3"}),
    series("ecs_task_cpu_reserved", "_x20 256x20", **{Label.SERVICE: "s", Label.FAMILY: "f", Label.REVISION: "4"}),
]


def test_a_deployment_is_marked_when_a_revision_is_new(tmp_path: Path) -> None:
    """From the first sample of a revision until the window has passed, and never again."""
    (ecs,) = (found for found in dashboards(SIDECAR) if found.uid == "ecs-tasks")
    (mark,) = data(ecs)["annotations"]["list"]
    assert mark["target"]["expr"] == (
        f"count by (aws_ecs_task_family, aws_ecs_task_revision) (ecs_task_cpu_reserved{{{ECS}}}) "
        f"unless on (aws_ecs_task_family, aws_ecs_task_revision) ecs_task_cpu_reserved{{{ECS}}} offset 5m"
    )
    new = '{aws_ecs_task_family="f", aws_ecs_task_revision="4"}'
    checks = [
        {
            "expr": plain(mark["target"]["expr"]),
            "eval_time": at,
            "exp_samples": [{"labels": new, "value": 1}] if on else [],
        }
        for at, on in (("19m", False), ("20m", True), ("24m", True), ("25m", False), ("38m", False))
    ]
    result = judge(tmp_path, [{"interval": "1m", "input_series": REVISIONS, "promql_expr_test": checks}], SIDECAR)
    assert result.returncode == 0, result.stdout + result.stderr


def test_both_feeds_mark_deployments_only_where_amp_knows_revisions() -> None:
    for stack, marked in ((SIDECAR, 1), (SERVICE, 0), (BOTH, 1)):
        (ecs,) = (found for found in dashboards(stack) if found.uid == "ecs-tasks")
        assert len(data(ecs)["annotations"]["list"]) == marked


CHOSEN = {
    "sidecar": "${service:pipe}",
    "service": "${service:pipe}",
    "both": "${service:pipe}|${cloudwatch_service:pipe}",
}


@pytest.mark.parametrize(("name", "stack"), ALL.items(), ids=ALL)
def test_stops_and_deployments_come_from_events_in_both_patterns(name: str, stack: Observed) -> None:
    for title in EVENT_TITLES:
        (asked,) = panel(stack, "ecs-tasks", title)["targets"]
        assert asked["logGroupNames"] == [f"/aws/events/{stack.cluster}/ecs"]
        assert f"| filter service like /^({CHOSEN[name]})$/" in asked["expression"]
    assert target(stack, "ecs-tasks", "Why tasks stopped", "CloudWatch")["expression"].split("\n") == [
        'filter `detail-type` = "ECS Task State Change"',
        '| parse detail.group "service:*" as service',
        f"| filter service like /^({CHOSEN[name]})$/",
        "| fields coalesce(detail.containers.0.reason, detail.containers.1.reason, detail.containers.2.reason,"
        " detail.containers.3.reason, detail.containers.4.reason, detail.stoppedReason) as reason",
        "| stats count_distinct(detail.taskArn) as stops by service, detail.stopCode, reason",
        "| sort stops desc",
        "| limit 50",
    ]
