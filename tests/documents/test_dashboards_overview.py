"""The dashboard Overview: who is healthy, and what real Prometheus answers while alerts fire and while none do."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from documents.catalogue import Label, Pattern
from documents.dashboards import dashboards
from documents.dashboards.folder import FOLDER
from documents.objectives import Objectives
from documents.observed import Observed
from tests.documents.boards import data as read
from tests.documents.boards import judge, panel, plain, series, target
from tests.stacks import application, observed

PROMISED = Objectives.model_validate({"availability": 99.9, "latency": {"threshold": "300ms", "target": 99}})

SIDECAR = observed("dev", sidecar=["storefront", "inventory"])
SERVICE = observed("prod", service=["storefront", "inventory"])
BOTH = observed(
    "both",
    applications=(
        application("storefront", Pattern.SIDECAR, objectives=PROMISED),
        application("inventory", Pattern.SERVICE),
    ),
)


def overview(stack: Observed) -> dict[str, Any]:
    return read(dashboards(stack)[0])


def expr(title: str, ref: str = "A", stack: Observed = SIDECAR) -> str:
    return target(stack, "overview", title, ref)["expr"]


def test_it_is_the_first() -> None:
    assert FOLDER[0].uid == "overview"
    assert overview(SIDECAR)["uid"] == "overview"


def test_health_is_the_worst_alert_and_zero_where_there_is_telemetry() -> None:
    chosen = 'aws_ecs_cluster_name="$cluster"'
    firing = f'{chosen}, alertstate="firing", alertname!="DeadMansSwitch"'
    ours = 'aws_ecs_service_name!~"|collector|scraper"'
    assert expr("Applications", "Health") == (
        "max by (aws_ecs_service_name) "
        f'(2 * ALERTS{{{firing}, {ours}, severity="critical"}} or 1 * ALERTS{{{firing}, {ours}, severity="warning"}}'
        f" or 0 * job:http_requests:rate5m{{{chosen}}} or 0 * task:ecs_task_cpu_utilization:ratio{{{chosen}}})"
    )
    assert "task:" not in expr("Applications", "Health", SERVICE)


@pytest.mark.parametrize(
    ("stack", "columns"),
    [
        (SIDECAR, ["Health", "Requests", "Errors", "p95", "CPU", "Memory"]),
        (SERVICE, ["Health", "Requests", "Errors", "p95", "CloudWatch"]),
        (BOTH, ["Health", "Requests", "Errors", "p95", "CPU", "Memory", "Availability", "Latency", "CloudWatch"]),
    ],
    ids=["sidecar", "service", "both"],
)
def test_where_the_columns_come_from(stack: Observed, columns: list[str]) -> None:
    assert [asked["refId"] for asked in panel(stack, "overview", "Applications")["targets"]] == columns


def test_the_fullest_task_comes_from_container_insights() -> None:
    asked = target(BOTH, "overview", "Applications", "CloudWatch")
    assert asked["logGroupNames"] == ["/aws/ecs/containerinsights/$cluster/performance"]
    assert asked["expression"].split("\n") == [
        'filter Type = "Task" and ServiceName in ["inventory"]',
        "| fields 100 * CpuUtilized / CpuReserved as cpu_percent,"
        " 100 * MemoryUtilized / MemoryReserved as memory_percent",
        "| stats latest(cpu_percent) as cpu_of_task, latest(memory_percent) as memory_of_task by ServiceName, TaskId",
        "| stats max(cpu_of_task) as cpu, max(memory_of_task) as memory by ServiceName",
    ]


def test_budgets_are_shown_where_somebody_promised_something() -> None:
    titles = [found["title"] for found in panels_of(BOTH)]
    assert "Error budget left" in titles
    assert titles[:-1] == [found["title"] for found in panels_of(SIDECAR)]
    budget = "slo:error_budget_remaining:ratio"
    assert expr("Applications", "Latency", BOTH) == (
        f'min by (aws_ecs_service_name) ({budget}{{aws_ecs_cluster_name="$cluster", slo="latency"}})'
    )
    assert expr("Error budget left", stack=BOTH).startswith("bottomk(10, min by (aws_ecs_service_name, slo)")


def panels_of(stack: Observed) -> list[dict[str, Any]]:
    return [found for found in overview(stack)["panels"] if found["type"] != "row"]


def links(stack: Observed, column: str) -> list[str]:
    overrides = panel(stack, "overview", "Applications")["fieldConfig"]["overrides"]
    return [
        link["url"]
        for override in overrides
        if override["matcher"]["options"] == column
        for held in override["properties"]
        if held["id"] == "links"
        for link in held["value"]
    ]


@pytest.mark.parametrize("column", ["Application", "Requests", "Errors", "p95"])
def test_a_row_leads_to_its_application_at_the_same_time(column: str) -> None:
    (url,) = links(SIDECAR, column)
    filled = url.replace("${cluster:queryparam}", "var-cluster=shop-dev").replace(
        "${__url_time_range}", "from=now-1h&to=now"
    )
    found = urlsplit(filled.replace("${__data.fields.Application}", "storefront"))
    assert found.path == "/d/application"
    assert parse_qs(found.query) == {
        "var-cluster": ["shop-dev"],
        "var-application": ["shop/storefront"],
        "from": ["now-1h"],
        "to": ["now"],
    }


def test_saturation_leads_to_the_tasks() -> None:
    row = "${__data.fields.Application}"
    kept = "/d/ecs-tasks?${cluster:queryparam}&${__url_time_range}"
    assert links(SIDECAR, "CPU") == links(SERVICE, "Memory") == [f"{kept}&var-service={row}"]
    assert links(BOTH, "CPU") == [f"{kept}&var-service={row}&var-cloudwatch_service={row}"]


def test_states_have_words() -> None:
    (mapped,) = (
        held["value"]
        for override in panel(SIDECAR, "overview", "Applications")["fieldConfig"]["overrides"]
        for held in override["properties"]
        if held["id"] == "mappings"
    )
    assert {key: value["text"] for key, value in mapped[0]["options"].items()} == {
        "0": "Healthy",
        "1": "Warning",
        "2": "Critical",
    }
    shown = panel(SIDECAR, "overview", "When alerts fired")["fieldConfig"]["defaults"]["mappings"][0]["options"]
    assert {key: value["text"] for key, value in shown.items()} == {"1": "Warning", "2": "Critical"}


# What Prometheus answers


def of(service: str) -> dict[str, str]:
    return {Label.SERVICE: service}


def alert(name: str, severity: str, values: str, **labels: str) -> dict[str, str]:
    return series("ALERTS", values, alertname=name, severity=severity, alertstate="firing", **labels)


def requests(service: str, status: str, step: int) -> list[dict[str, str]]:
    """So many requests more each minute, all answered within 0.1 s."""
    labels = {**of(service), Label.JOB: f"shop/{service}", Label.ROUTE: "/", Label.STATUS: status}
    base = "http_server_request_duration_seconds"
    return [
        series(f"{base}_count", f"0+{step}x40", **labels),
        *(series(f"{base}_bucket", f"0+{step}x40", le=bound, **labels) for bound in ("0.1", "+Inf")),
    ]


INPUT = [
    *requests("storefront", "200", 90),
    *requests("storefront", "500", 30),
    *requests("inventory", "200", 60),
    *requests("idle", "200", 0),
    alert("HighErrorRate", "critical", "_x25 1x15", **of("storefront")),
    alert("TaskCpuSaturated", "warning", "1x40", **of("storefront")),
    alert("HighLatency", "warning", "1x40", **of("inventory")),
    alert("CollectorDown", "critical", "1x40", **of("collector")),
    alert("DeadMansSwitch", "warning", "1x40"),
]


def by_service(**values: float) -> dict[str, float]:
    return {f'{{aws_ecs_service_name="{name}"}}': value for name, value in values.items()}


ANSWERS: list[tuple[str, str, str, dict[str, float]]] = [
    ("20m", "Active alerts", "A", {"{}": 3}),
    ("30m", "Active alerts", "A", {"{}": 4}),
    ("20m", "Applications", "Health", by_service(storefront=1, inventory=1, idle=0)),
    ("30m", "Applications", "Health", by_service(storefront=2, inventory=1, idle=0)),
    ("30m", "Requests", "A", {"{}": 3}),
    ("30m", "Errors", "A", {"{}": 0.1667}),
    ("30m", "Applications", "Requests", by_service(storefront=2, inventory=1, idle=0)),
    ("30m", "Applications", "Errors", by_service(storefront=0.25, inventory=0)),
    ("30m", "Applications", "p95", by_service(storefront=0.095, inventory=0.095)),
    ("30m", "Errors by application", "A", by_service(storefront=0.25, inventory=0)),
    (
        "30m",
        "When alerts fired",
        "A",
        {
            '{alertname="CollectorDown", aws_ecs_service_name="collector"}': 2,
            '{alertname="HighErrorRate", aws_ecs_service_name="storefront"}': 2,
            '{alertname="TaskCpuSaturated", aws_ecs_service_name="storefront"}': 1,
            '{alertname="HighLatency", aws_ecs_service_name="inventory"}': 1,
        },
    ),
]


def checks(answers: list[tuple[str, str, str, dict[str, float]]]) -> list[dict[str, Any]]:
    return [
        {
            "expr": f"round({plain(expr(title, ref))}, 0.0001)",
            "eval_time": at,
            "exp_samples": [{"labels": labels, "value": value} for labels, value in found.items()],
        }
        for at, title, ref, found in answers
    ]


def test_what_every_query_answers(tmp_path: Path) -> None:
    tests = [{"interval": "1m", "input_series": INPUT, "promql_expr_test": checks(ANSWERS)}]
    result = judge(tmp_path, tests, SIDECAR)
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_alert_is_zero_and_no_telemetry_is_nothing(tmp_path: Path) -> None:
    quiet = [("30m", "Active alerts", "A", {"{}": 0.0}), ("30m", "Applications", "Health", by_service(inventory=0))]
    silent: list[tuple[str, str, str, dict[str, float]]] = [(at, title, ref, {}) for at, title, ref, _ in quiet]
    tests = [
        {"interval": "1m", "input_series": requests("inventory", "200", 60), "promql_expr_test": checks(quiet)},
        {"interval": "1m", "input_series": [series("other", "1x40")], "promql_expr_test": checks(silent)},
    ]
    result = judge(tmp_path, tests, SIDECAR)
    assert result.returncode == 0, result.stdout + result.stderr
