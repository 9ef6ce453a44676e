"""The dashboard "Collector": what it asks for the collectors of a stack, and what it says when nothing happens."""

from pathlib import Path

import pytest

from documents import catalogue
from documents.catalogue import Pattern
from documents.observed import Observed
from tests.documents.boards import assert_answers, board, data, overrides, panel, panels, series, target, variables
from tests.stacks import observed

SIDECAR = observed("dev", sidecar=["stock"], collector_memory={Pattern.SIDECAR: 512})
SERVICE = observed("prod", service=["stock"], collector_memory={Pattern.SERVICE: 688}, max_series=1_000_000)
LOGS = observed("logs", sidecar=["stock"], logs=True)

CHOSEN = 'aws_ecs_cluster_name="$cluster", aws_ecs_service_name=~"$service"'


def test_every_panel_has_its_number_for_good() -> None:
    titles = {
        1: "Collectors running",
        2: "Fullest buffer",
        3: "Lost",
        10: "Spans from applications",
        11: "Points from applications",
        20: "Spans delivered",
        21: "Points delivered",
        30: "Buffers filled",
        31: "Bytes waiting",
        40: "Refused",
        41: "Attempts that fail",
        42: "Given up",
        50: "Memory against its limit",
        51: "Collectors",
        60: "Active series",
        61: "Samples ingested",
        62: "Samples rejected",
    }
    assert {found["id"]: found["title"] for found in panels(board(SIDECAR, "collector"))} == titles
    records = {12: "Records from applications", 22: "Records delivered"}
    assert {found["id"]: found["title"] for found in panels(board(LOGS, "collector"))} == titles | records


def test_every_figure_of_collectors_is_asked_for() -> None:
    text = str(panels(board(LOGS, "collector")))
    assert [metric.name for metric in catalogue.COLLECTOR_METRICS if metric.name not in text] == []


def test_amp_is_asked_about_the_workspace_of_the_stack() -> None:
    assert variables(SERVICE, "collector")["workspace"]["query"] == "ws-of-this-stack"
    asked = {
        found["title"]: (query["namespace"], query["metricName"], query["dimensions"])
        for found in panels(board(SERVICE, "collector"))
        for query in found["targets"]
        if "metricName" in query
    }
    usage = {"Type": "Resource", "Service": "Prometheus", "Class": "None", "ResourceId": "$workspace"}
    assert asked == {
        "Active series": ("AWS/Usage", "ResourceCount", {**usage, "Resource": "ActiveSeries"}),
        "Samples ingested": ("AWS/Usage", "ResourceCount", {**usage, "Resource": "IngestionRate"}),
        "Samples rejected": ("AWS/Prometheus", "DiscardedSamples", {"Workspace": "$workspace", "Reason": "*"}),
    }


@pytest.mark.parametrize(("stack", "limit"), [(SERVICE, 1_000_000), (SIDECAR, catalogue.AMP_MOST_SERIES)])
def test_series_are_held_against_the_limit_of_the_workspace(stack: Observed, limit: int) -> None:
    found = panel(stack, "collector", "Active series")
    steps = found["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [step["value"] for step in steps] == [None, 0.7 * limit, 0.9 * limit]
    assert f"of at most {limit:,}" in found["description"]


def test_memory_is_held_against_the_limit_of_each_pattern() -> None:
    def held(services: str, mebibytes: int) -> str:
        memory = f'otelcol_process_memory_rss{{{CHOSEN}, aws_ecs_service_name{services}, container="collector"}}'
        return f"max by (aws_ecs_service_name) ({memory}) / {mebibytes * 1024 * 1024}"

    of_service, of_sidecar = held('="collector"', 688), held('!~"collector|scraper"', 512)
    title = "Memory against its limit"
    assert target(SIDECAR, "collector", title)["expr"] == f"topk(10, {of_sidecar})"
    assert target(SERVICE, "collector", title)["expr"] == f"topk(10, {of_service})"
    both = observed("both", sidecar=["stock"], service=["web"])
    assert target(both, "collector", title)["expr"] == f"topk(10, {of_service} or {of_sidecar})"


@pytest.mark.parametrize(("interval", "window", "seconds"), [(60, "5m", 300), (300, "20m", 1200)])
def test_what_is_lost_is_what_rules_record(interval: int, window: str, seconds: int) -> None:
    stack = observed("dev", sidecar=["stock"], interval=interval)

    def lately(what: str, more: str, zero: str) -> str:
        recorded = f"sum by (aws_ecs_service_name) (service:{what}:increase{window}{{{CHOSEN}{more}}}) / {seconds}"
        rate = f"sum by (aws_ecs_service_name) (rate({zero}{{{CHOSEN}}}[$__rate_interval]))"
        return f"({recorded} or 0 * {rate})"

    accepted = "otelcol_receiver_accepted_spans_total"
    lost = ', metric=~"otelcol_exporter_send_failed_spans_total|otelcol_exporter_enqueue_failed_spans_total"'
    refused = ', metric=~"otelcol_receiver_refused_spans_total"'
    assert [target(stack, "collector", title)["expr"] for title in ("Lost", "Given up", "Refused")] == [
        f"sum({lately('collector_lost', '', 'otelcol_process_uptime_total')})",
        f"topk(10, {lately('collector_lost', lost, accepted)})",
        f"topk(10, {lately('collector_refused', refused, accepted)})",
    ]


def test_the_fill_of_buffers_is_judged_as_the_alert_judges_it() -> None:
    for judged in (
        panel(SIDECAR, "collector", "Buffers filled")["fieldConfig"]["defaults"]["thresholds"],
        overrides(panel(SIDECAR, "collector", "Collectors"), "Fullest buffer")["thresholds"],
    ):
        assert [step["value"] for step in judged["steps"]] == [None, 0.1, 0.5]


def test_cloudwatch_is_not_asked_more_often_than_it_knows() -> None:
    assert data(board(SIDECAR, "collector"))["refresh"] == "5m"


# What Prometheus answers


def own(name: str, values: str, **labels: str) -> dict[str, str]:
    known = {"aws_ecs_service_name": "stock", "aws_ecs_task_id": "t", "container": "collector", "job": "shop/collector"}
    return series(name, values, **known | labels)


def quiet() -> list[dict[str, str]]:
    """A collector of a sidecar to which nothing bad has ever happened: what fails has no series at all."""
    xray, application = {"exporter": "otlp_grpc/xray"}, {"exporter": "otlp_grpc/application"}
    return [
        own("up", "1x20"),
        own("otelcol_process_uptime_total", "0+60x20", version="v0.49.0"),
        own("otelcol_process_memory_rss", "268435456x20"),
        own("otelcol_receiver_accepted_spans_total", "0+60x20", receiver="otlp"),
        own("otelcol_receiver_accepted_metric_points_total", "0+120x20", receiver="otlp"),
        own("otelcol_receiver_accepted_metric_points_total", "0+600x20", receiver="prometheus/collector"),
        own("otelcol_exporter_sent_spans_total", "0+60x20", exporter="awsxray"),
        own("otelcol_exporter_sent_metric_points_total", "0+120x20", exporter="prometheus_remote_write/application"),
        own("otelcol_exporter_queue_size", "100x20", **xray),
        own("otelcol_exporter_queue_capacity", "1000x20", **xray),
        own("otelcol_exporter_queue_size", "0x20", **application),
        own("otelcol_exporter_queue_capacity", "1000x20", **application),
    ]


def troubled() -> list[dict[str, str]]:
    """The same after a bad time: one try in X-Ray fails each second, and half of it has no room to wait in."""
    return [
        *quiet(),
        own("up", "0x20", aws_ecs_task_id="u"),
        own("otelcol_receiver_refused_spans_total", "0+30x20", receiver="otlp"),
        own("otelcol_exporter_send_failed_spans_total", "0+60x20", exporter="awsxray"),
        own("otelcol_exporter_send_failed_spans_total", "0+6x20", exporter="otlp_grpc/xray"),
        own("otelcol_exporter_enqueue_failed_spans_total", "0+30x20", exporter="otlp_grpc/xray"),
    ]


STOCK = '{aws_ecs_service_name="stock"}'
TO_XRAY = '{aws_ecs_service_name="stock", exporter="awsxray"}'
TO_AMP = '{aws_ecs_service_name="stock", exporter="prometheus_remote_write/application"}'
BEFORE_XRAY = '{aws_ecs_service_name="stock", exporter="otlp_grpc/xray"}'
BEFORE_AMP = '{aws_ecs_service_name="stock", exporter="otlp_grpc/application"}'
PROCESS = 'aws_ecs_service_name="stock", aws_ecs_task_id="t", container="collector"'

QUIET = {
    ("Collectors running", "A"): {"{}": 1},
    ("Fullest buffer", "A"): {"{}": 0.1},
    ("Lost", "A"): {"{}": 0},
    ("Spans from applications", "A"): {STOCK: 1},
    ("Points from applications", "A"): {STOCK: 2},
    ("Spans delivered", "A"): {TO_XRAY: 1},
    ("Points delivered", "A"): {TO_AMP: 2},
    ("Buffers filled", "A"): {BEFORE_XRAY: 0.1, BEFORE_AMP: 0},
    ("Bytes waiting", "A"): {BEFORE_XRAY: 100, BEFORE_AMP: 0},
    ("Refused", "A"): {STOCK: 0},
    ("Refused", "B"): {STOCK: 0},
    ("Attempts that fail", "A"): {TO_XRAY: 0},
    ("Attempts that fail", "B"): {TO_AMP: 0},
    ("Given up", "A"): {STOCK: 0},
    ("Given up", "B"): {STOCK: 0},
    ("Memory against its limit", "A"): {STOCK: 0.5},
    ("Collectors", "A"): {f'{{{PROCESS}, version="v0.49.0"}}': 1200},
    ("Collectors", "B"): {f"{{{PROCESS}}}": 268435456},
    ("Collectors", "C"): {f"{{{PROCESS}}}": 0.1},
}


@pytest.mark.slow
def test_nothing_bad_is_zero_and_nothing_at_all_is_nothing(tmp_path: Path) -> None:
    assert_answers(tmp_path, SIDECAR, "collector", quiet(), QUIET)
    assert_answers(tmp_path, SIDECAR, "collector", [series("something_else", "1x20")], {key: {} for key in QUIET})


@pytest.mark.slow
def test_the_first_failure_of_its_kind_is_seen(tmp_path: Path) -> None:
    """Its counter was not there before, and a rate of it would be nothing."""
    first = own("otelcol_exporter_send_failed_spans_total", "_x18 30 30", exporter="otlp_grpc/xray")
    expected = {("Lost", "A"): {"{}": 0.1}, ("Given up", "A"): {STOCK: 0.1}, ("Given up", "B"): {STOCK: 0}}
    assert_answers(tmp_path, SIDECAR, "collector", [*quiet(), first], expected)


@pytest.mark.slow
def test_what_fails_for_a_while_is_told_from_what_is_lost(tmp_path: Path) -> None:
    expected = {
        ("Collectors running", "A"): {"{}": 1},
        ("Lost", "A"): {"{}": 0.6},
        ("Refused", "A"): {STOCK: 0.5},
        ("Attempts that fail", "A"): {TO_XRAY: 1},
        ("Given up", "A"): {STOCK: 0.6},
        ("Given up", "B"): {STOCK: 0},
    }
    assert_answers(tmp_path, SIDECAR, "collector", troubled(), expected)
