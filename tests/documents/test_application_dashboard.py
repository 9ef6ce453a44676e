"""The dashboard "Application": what it asks AMP, X-Ray and CloudWatch Logs, and where it leads."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from documents.catalogue import Label
from documents.dashboards.application import traces_url
from tests.documents.boards import assert_answers, board, data, overrides, panel, panels, series, target, variables
from tests.stacks import observed

SIDECAR = observed("dev", sidecar=["storefront", "stock"])
SERVICE = observed("prod", service=["storefront", "stock"])

RED = ("Request rate", "Error ratio", "Latency p50", "Latency p95", "Latency p99")
BY_ROUTE = "job, http_route"
CHOSEN = 'aws_ecs_cluster_name="$cluster", job=~"$application"'


def test_every_panel_has_its_number_for_good() -> None:
    assert {found["id"]: found["title"] for found in panels(board(SIDECAR, "application"))} == {
        **{
            first + index: f"{what} {by}"
            for first, by in ((1, "by application"), (6, "by route"))
            for index, what in enumerate(RED)
        },
        11: "Routes",
        12: "Answers by status",
        13: "Distribution of latency",
        14: "Calls to other hosts",
        15: "Failed calls to other hosts",
        16: "Latency p95 of calls",
        17: "CPU of the busiest process",
        18: "Memory of the largest process",
        19: "Garbage collections",
        20: "Lines of the trace",
        21: "Latest lines",
        22: "Request rate by revision",
        23: "Error ratio by revision",
        24: "Latency p95 by revision",
    }


def counted(by: str, more: str = "") -> str:
    return f"sum by ({by}) (rate(http_server_request_duration_seconds_count{{{CHOSEN}{more}}}[$__rate_interval]))"


def quantile(share: float, by: str) -> str:
    buckets = f"http_server_request_duration_seconds_bucket{{{CHOSEN}}}[$__rate_interval]"
    return f"histogram_quantile({share}, sum by ({by}, le) (rate({buckets}))) >= 0"


@pytest.mark.parametrize(("interval", "window"), [(60, "5m"), (300, "20m")])
def test_by_application_it_asks_what_rules_record(interval: int, window: str) -> None:
    stack = observed("dev", sidecar=["storefront"], interval=interval)
    asked = [target(stack, "application", f"{what} by application") for what in RED]
    assert [one["expr"] for one in asked] == [
        f"topk(10, sum by (job) (job:http_requests:rate{window}{{{CHOSEN}}}))",
        f"topk(10, max by (job) (job:http_errors:ratio{window}{{{CHOSEN}}}))",
        f"topk(10, {quantile(0.5, 'job')})",
        f"topk(10, max by (job) (job:http_latency_p95:seconds{window}{{{CHOSEN}}}))",
        f"topk(10, {quantile(0.99, 'job')})",
    ]


def test_by_route_it_asks_the_histogram() -> None:
    failed, every = counted(BY_ROUTE, ', http_response_status_code=~"5.."'), counted(BY_ROUTE)
    assert [target(SIDECAR, "application", f"{what} by route")["expr"] for what in RED] == [
        f"topk(10, {every})",
        f"topk(10, ({failed} or 0 * {every}) / ({every} > 0))",
        *(f"topk(10, {quantile(share, BY_ROUTE)})" for share in (0.5, 0.95, 0.99)),
    ]


def test_by_revision_it_asks_the_histogram_too() -> None:
    by = "job, aws_ecs_task_revision"
    failed, every = counted(by, ', http_response_status_code=~"5.."'), counted(by)
    asked = [target(SIDECAR, "application", f"{what} by revision") for what in (RED[0], RED[1], RED[3])]
    assert [one["expr"] for one in asked] == [
        f"topk(10, {every})",
        f"topk(10, ({failed} or 0 * {every}) / ({every} > 0))",
        f"topk(10, {quantile(0.95, by)})",
    ]
    assert {one["legendFormat"] for one in asked} == {"{{aws_ecs_task_revision}} {{job}}"}


def test_logs_are_asked_only_when_their_row_is_opened() -> None:
    rows = {row["title"]: row for row in data(board(SIDECAR, "application"))["panels"] if row["type"] == "row"}
    assert [title for title, row in rows.items() if row["collapsed"]] == ["Logs"]
    assert [found["type"] for found in rows["Logs"]["panels"]] == ["logs", "logs"]


def test_the_heatmap_has_the_buckets_as_they_were_counted() -> None:
    found = panel(SIDECAR, "application", "Distribution of latency")
    assert (found["type"], found["options"]["calculate"], found["options"]["yAxis"]["unit"]) == ("heatmap", False, "s")
    [asked] = found["targets"]
    assert (asked["format"], asked["legendFormat"], asked["range"], asked["interval"]) == (
        "heatmap",
        "{{le}}",
        True,
        "60s",
    )
    assert asked["expr"] == (
        f"sum by (le) (rate(http_server_request_duration_seconds_bucket{{{CHOSEN}}}[$__rate_interval]))"
    )


def test_lines_of_a_trace_are_found_by_the_end_of_its_id() -> None:
    asked = target(SERVICE, "application", "Lines of the trace", "CloudWatch")
    assert asked["logGroupNames"] == ["/ecs/shop-prod/storefront", "/ecs/shop-prod/stock"]
    assert (asked["queryMode"], asked["region"]) == ("Logs", "eu-west-1")
    assert asked["expression"] == (
        "fields @timestamp, @logStream, @message\n"
        '| filter strcontains(@message, substr(concat("------------------------", "$trace"), strlen("$trace"))) = 1\n'
        "| sort @timestamp desc\n"
        "| limit 500"
    )


@pytest.mark.parametrize(
    ("trace", "found"),
    [
        ("5f84c7a1bd862e3fe1be46a994272793", True),
        ("1-5f84c7a1-bd862e3fe1be46a994272793", True),
        ("1-5f84c7a1-bd862e3fe1be46a994272794", False),
        ("", False),
    ],
)
def test_both_forms_of_a_trace_id_end_alike(trace: str, found: bool) -> None:
    """The query's arithmetic in Python: `substr` counts from 0, `strlen` counts characters."""
    asked = target(SERVICE, "application", "Lines of the trace", "CloudWatch")["expression"]
    padding = re.findall(r'concat\("(-+)"', asked)[0]
    ending = f"{padding}{trace}"[len(trace) :]
    for line in ('{"trace_id": "5f84c7a1bd862e3fe1be46a994272793"}', "trace=1-5f84c7a1-bd862e3fe1be46a994272793"):
        assert (ending in line) is found


def test_the_latest_lines_are_those_of_the_chosen_applications_alone() -> None:
    asked = target(SIDECAR, "application", "Latest lines", "CloudWatch")
    assert "| filter @logStream like /^(${names:pipe})(\\/|$)/\n" in asked["expression"]


def test_what_applications_send_as_logs_is_read_too() -> None:
    stack = observed("dev", sidecar=["storefront"], logs=True)
    for title in ("Lines of the trace", "Latest lines"):
        asked = target(stack, "application", title, "CloudWatch")
        assert asked["logGroupNames"] == ["/ecs/shop-dev/storefront", "/ecs/shop-dev/telemetry/logs"]


def test_variables() -> None:
    found = variables(SIDECAR, "application")
    assert list(found) == ["cluster", "application", "names", "trace"]
    assert (found["names"]["hide"], found["names"]["multi"], found["names"]["includeAll"]) == (2, True, True)
    assert "allValue" not in found["names"], "all of them are those that `application` has chosen"
    assert found["names"]["query"]["query"] == (
        f"label_values(http_server_request_duration_seconds_count{{{CHOSEN}}}, job)"
    )
    [name] = re.findall(found["names"]["regex"].strip("/"), "shop/storefront")
    assert name == "storefront"
    assert (found["trace"]["type"], found["trace"]["query"], found["trace"]["current"]["value"]) == ("textbox", "", "")


def test_graphs_lead_to_the_traces_of_that_application_and_time() -> None:
    leading = [
        found["title"]
        for found in panels(board(SIDECAR, "application"))
        if found.get("fieldConfig", {"defaults": {}})["defaults"].get("links")
    ]
    assert leading == [f"{what} {by}" for by in ("by application", "by route") for what in RED[1:]]
    [link] = panel(SIDECAR, "application", "Error ratio by route")["fieldConfig"]["defaults"]["links"]
    assert link["url"] == ("/d/traces?${cluster:queryparam}&var-application=${__field.labels.job}&${__url_time_range}")


def test_the_whole_table_of_routes() -> None:
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


def test_routes_lead_to_their_traces_in_x_ray() -> None:
    routes = panel(SIDECAR, "application", "Routes")
    links = [*overrides(routes, "Application")["links"], *overrides(routes, "Errors")["links"]]
    assert [link["title"] for link in links] == ["Traces in X-Ray", "Failed traces"]
    asked: list[str] = []
    for link in links:
        url = urlsplit(link["url"].replace("${__data.fields.Application}", "storefront"))
        assert (url.path, parse_qs(url.query)["schemaVersion"]) == ("/explore", ["1"])
        pane = json.loads(parse_qs(url.query)["panes"][0])["traces"]
        assert pane["range"] == {"from": "${__from}", "to": "${__to}"}
        [query] = pane["queries"]
        assert (query["queryType"], query["queryMode"], query["region"]) == ("getTraceSummaries", "X-Ray", "eu-west-1")
        asked.append(query["query"])
    assert asked == ['service("storefront")', 'service("storefront") { fault = true }']


def test_only_variables_stay_readable_in_a_link() -> None:
    url = traces_url('service("${__data.fields.Application}") { http.url = "a&b#c d" }', "eu-west-1")
    assert "${__data.fields.Application}" in url
    assert not set('"&#{} ') & set(re.sub(r"\$\{[^}]*\}", "", url.split("panes=")[1]))


def test_it_is_the_same_in_both_patterns() -> None:
    for one, other in zip(panels(board(SIDECAR, "application")), panels(board(SERVICE, "application")), strict=True):
        if one["type"] != "logs":
            assert one == other


# What Prometheus answers

CALL = "http_client_request_duration_seconds"
SERVER = "http_server_request_duration_seconds"
FRONT = {"job": "shop/storefront", "instance": "i"}
STOREFRONT, TO_STOCK = '{job="shop/storefront"}', '{job="shop/storefront", server_address="stock"}'

SAMPLES = [
    series(f"{SERVER}_count", "0+60x20", **FRONT, http_response_status_code="200"),
    series(f"{SERVER}_count", "0+30x20", **FRONT, http_response_status_code="404"),
    series(f"{SERVER}_bucket", "0+60x20", **FRONT, le="0.1"),
    series(f"{SERVER}_bucket", "0+90x20", **FRONT, le="+Inf"),
    # A call without an answer has no status.
    series(f"{CALL}_count", "0+45x20", **FRONT, server_address="stock", http_response_status_code="200"),
    series(f"{CALL}_count", "0+9x20", **FRONT, server_address="stock", http_response_status_code="503"),
    series(f"{CALL}_count", "0+6x20", **FRONT, server_address="stock", error_type="ConnectError"),
    series(f"{CALL}_bucket", "0+30x20", **FRONT, server_address="stock", le="0.1"),
    series(f"{CALL}_bucket", "0+60x20", **FRONT, server_address="stock", le="0.5"),
    series(f"{CALL}_bucket", "0+60x20", **FRONT, server_address="stock", le="+Inf"),
    series(f"{CALL}_count", "0+60x20", **FRONT, server_address="bank", http_response_status_code="200"),
    # Two Python processes and a Java one: the busiest counts, and each language has names of its own.
    series("process_cpu_time_seconds_total", "0+12x20", **FRONT, type="user"),
    series("process_cpu_time_seconds_total", "0+6x20", **FRONT, type="system"),
    series("process_cpu_time_seconds_total", "0+3x20", job="shop/storefront", instance="idle", type="user"),
    series("jvm_cpu_time_seconds_total", "0+30x20", job="shop/java", instance="j"),
    series("process_memory_usage_bytes", "100x20", **FRONT),
    series("process_memory_usage_bytes", "300x20", job="shop/storefront", instance="idle"),
    series("jvm_memory_used_bytes", "10x20", job="shop/java", instance="j", jvm_memory_pool_name="old"),
    series("jvm_memory_used_bytes", "20x20", job="shop/java", instance="j", jvm_memory_pool_name="eden"),
    series("cpython_gc_collections_total", "0+60x20", **FRONT, cpython_gc_generation="0"),
    series("cpython_gc_collections_total", "0+6x20", **FRONT, cpython_gc_generation="1"),
    series("jvm_gc_duration_seconds_count", "0+3x20", job="shop/java", instance="j", jvm_gc_name="G1"),
]


@pytest.mark.slow
def test_what_prometheus_answers(tmp_path: Path) -> None:
    java = '{job="shop/java"}'
    to_bank = '{job="shop/storefront", server_address="bank"}'
    expected = {
        ("Answers by status", "A"): {
            '{job="shop/storefront", http_response_status_code="200"}': 1.0,
            '{job="shop/storefront", http_response_status_code="404"}': 0.5,
        },
        ("Distribution of latency", "A"): {'{le="0.1"}': 1.0, '{le="+Inf"}': 1.5},
        ("Calls to other hosts", "A"): {TO_STOCK: 1.0, to_bank: 1.0},
        ("Failed calls to other hosts", "A"): {TO_STOCK: 0.25, to_bank: 0.0},
        ("Latency p95 of calls", "A"): {TO_STOCK: 0.1 + 0.4 * 0.9},
        ("CPU of the busiest process", "A"): {STOREFRONT: 0.3, java: 0.5},
        ("Memory of the largest process", "A"): {STOREFRONT: 300, java: 30},
        ("Garbage collections", "A"): {STOREFRONT: 1.1, java: 0.05},
    }
    assert_answers(tmp_path, SIDECAR, "application", SAMPLES, expected)
    silent = [series("something_else", "1x20")]
    assert_answers(tmp_path, SIDECAR, "application", silent, {key: {} for key in expected})


def requests(job: str, route: str, status: str, step: int, fast: int) -> list[dict[str, str]]:
    """Requests of one route: `step` more each minute, `fast` of them within 0.1 s and the rest within 0.5 s."""
    labels = {Label.JOB: job, Label.ROUTE: route, Label.STATUS: status, Label.SERVICE: "x", Label.INSTANCE: "i"}
    bounds = {"0.1": fast, "0.5": step, "+Inf": step}
    return [
        series(f"{SERVER}_count", f"0+{step}x20", **labels),
        *(series(f"{SERVER}_bucket", f"0+{each}x20", le=bound, **labels) for bound, each in bounds.items()),
    ]


REQUESTS = [
    *requests("shop/storefront", "/", "200", 60, 60),
    *requests("shop/storefront", "/order", "200", 90, 60),
    *requests("shop/storefront", "/order", "500", 30, 0),
    *requests("shop/stock", "/stock", "200", 120, 60),
    *requests("shop/idle", "/idle", "200", 0, 0),
]


def revision(number: str, step: int, failed: int, fast: int) -> list[dict[str, str]]:
    """A revision in two tasks, each with half of the requests: in all `step` and `failed` more each minute, of which
    `fast` within 0.1 s."""
    of_tasks = [{Label.JOB: "shop/storefront", Label.REVISION: number, Label.INSTANCE: f"{number}-{at}"} for at in "ab"]
    return [
        sample
        for labels in of_tasks
        for sample in (
            series(f"{SERVER}_count", f"0+{step // 2}x20", **labels, http_response_status_code="200"),
            series(f"{SERVER}_count", f"0+{failed // 2}x20", **labels, http_response_status_code="500"),
            series(f"{SERVER}_bucket", f"0+{fast // 2}x20", **labels, le="0.1"),
            series(f"{SERVER}_bucket", f"0+{(step + failed) // 2}x20", **labels, le="0.5"),
            series(f"{SERVER}_bucket", f"0+{(step + failed) // 2}x20", **labels, le="+Inf"),
        )
    ]


@pytest.mark.slow
def test_two_revisions_are_told_apart_while_both_run(tmp_path: Path) -> None:
    """A canary of a quarter that fails one request in ten; and an application that does not say its revision."""
    old, new = (f'{{job="shop/storefront", aws_ecs_task_revision="{number}"}}' for number in ("41", "42"))
    samples = [*revision("41", 180, 0, 180), *revision("42", 54, 6, 0)]
    expected = {
        ("Request rate by revision", "A"): {old: 3, new: 1, STOCK: 2},
        ("Error ratio by revision", "A"): {old: 0, new: 0.1, STOCK: 0},
        ("Latency p95 by revision", "A"): {old: 0.095, new: 0.1 + 0.4 * 0.95, STOCK: 0.1 + 0.4 * 0.9},
    }
    unsaid = requests("shop/stock", "/stock", "200", 120, 60)
    assert_answers(tmp_path, SIDECAR, "application", [*samples, *unsaid], expected)


STOCK, IDLE = '{job="shop/stock"}', '{job="shop/idle"}'
HOME, ORDER, STOCKS, IDLES = (
    f'{{http_route="{route}", job="shop/{job}"}}'
    for route, job in (("/", "storefront"), ("/order", "storefront"), ("/stock", "stock"), ("/idle", "idle"))
)


def as_row(labels: str) -> str:
    """The labels of a row of the table of routes."""
    job = re.search('job="shop/([a-z]+)"', labels)
    assert job is not None
    return f'{{application="{job[1]}", {labels[1:]}'


@pytest.mark.slow
def test_requests_errors_and_latency(tmp_path: Path) -> None:
    """Recorded for an application, worked out anew for its routes. One that is idle has a rate and nothing else."""
    expected = {
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
    assert_answers(tmp_path, SIDECAR, "application", REQUESTS, expected)
