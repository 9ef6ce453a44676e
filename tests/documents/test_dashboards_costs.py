"""The dashboard Costs: its arithmetic, and what it asks of AMP's own metrics."""

from pathlib import Path
from typing import Any

import pytest

from documents import prices
from documents.catalogue import Label
from documents.dashboards import dashboards
from documents.dashboards.model import WORKSPACE
from documents.observed import Observed
from documents.prices import Estimate
from tests.documents.boards import data, judge, panel, panels, plain, series, target
from tests.stacks import observed

SIDECAR = observed("dev", sidecar=["storefront"])
SERVICE = observed("prod", service=["storefront"], interval=30, max_series=5000)


def costs(stack: Observed) -> dict[str, Any]:
    return data(dashboards(stack)[-1])


@pytest.mark.parametrize(("samples", "dollars"), [(0, 0), (40_000_000, 0), (50_000_000, 0.9), (140_000_000, 9.0)])
def test_amp_is_free_at_first_and_then_90_cents_for_10_million(samples: int, dollars: float) -> None:
    assert prices.SAMPLES.dollars(samples) == pytest.approx(dollars)


def test_x_ray_is_free_at_first_and_then_5_dollars_a_million() -> None:
    assert prices.TRACES.dollars(100_000) == 0
    assert prices.TRACES.dollars(1_100_000) == pytest.approx(5)


def test_prices_are_those_of_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "costs.md").read_text()
    assert "AMP: 40 million samples a month free, then 0.90 per 10 million" in page
    assert "X-Ray: 5.00 per million traces recorded, the first 100,000 free" in page


def test_a_price_in_promql() -> None:
    assert Estimate(free=1000, per_million=0.25).promql("sum(x)") == "clamp_min(sum(x) - 1000, 0) * 0.25 / 1000000"


def test_the_interval_of_the_stack_counts() -> None:
    chosen = 'job_metric:series:count{aws_ecs_cluster_name="$cluster"}'
    assert target(SIDECAR, "costs", "Samples a month")["expr"] == f"sum({chosen}) * 2628000 / 60"
    assert target(SERVICE, "costs", "Samples a month")["expr"] == f"sum({chosen}) * 2628000 / 30"


def test_no_query_selects_every_series() -> None:
    for found in panels(dashboards(SIDECAR)[-1]):
        for asked in found["targets"]:
            assert "__name__" not in asked.get("expr", ""), found["title"]


def test_what_amp_counts_is_asked_of_this_workspace() -> None:
    usage = {"Type": "Resource", "Service": "Prometheus", "Class": "None", "ResourceId": "$workspace"}
    asked = {
        found["title"]: (one["namespace"], one["metricName"], one["statistic"], one["dimensions"])
        for found in panels(dashboards(SERVICE)[-1])
        for one in found["targets"]
        if "metricName" in one
    }
    assert asked == {
        "Samples a second, as AMP counts": (
            "AWS/Usage", "ResourceCount", "Maximum", {**usage, "Resource": "IngestionRate"}
        ),
        "Active series, as AMP counts": (
            "AWS/Usage", "ResourceCount", "Maximum", {**usage, "Resource": "ActiveSeries"}
        ),
        "Samples rejected, by reason": (
            "AWS/Prometheus", "DiscardedSamples", "Sum", {"Workspace": "$workspace", "Reason": "*"}
        ),
        "Samples read by queries": (
            "AWS/Prometheus", "QuerySamplesProcessed", "Sum", {"Workspace": "$workspace"}
        ),
    }  # fmt: skip


def test_the_workspace_is_known_when_it_is_made() -> None:
    made = dashboards(SIDECAR)[-1]
    assert made.json.count(WORKSPACE) == 3
    placed = made.placed("ws-0123")
    assert WORKSPACE not in placed
    (variable,) = (one for one in costs(SIDECAR)["templating"]["list"] if one["name"] == "workspace")
    assert (variable["type"], variable["query"]) == ("custom", WORKSPACE)
    assert '"query": "ws-0123"' in placed


@pytest.mark.parametrize(("stack", "most"), [(SIDECAR, 10_000_000), (SERVICE, 5000)], ids=["quota", "own limit"])
def test_the_limit_of_series_colours_them(stack: Observed, most: int) -> None:
    for title in ("Series", "Active series, as AMP counts"):
        steps = panel(stack, "costs", title)["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert [step["value"] for step in steps] == [None, 0.8 * most, most]


def counted(service: str, metric: str, count: int) -> dict[str, str]:
    return series("job_metric:series:count", f"{count}x20", **{Label.SERVICE: service, Label.METRIC: metric})


def sent(service: str, exporter: str, step: int) -> dict[str, str]:
    return series("otelcol_exporter_sent_spans_total", f"0+{step}x20", **{Label.SERVICE: service, "exporter": exporter})


# Apart, since our rules count the series of the second as well.
COUNTED = [
    counted("storefront", "http_server_request_duration_seconds", 1700),
    counted("storefront", "up", 100),
    counted("inventory", "http_server_request_duration_seconds", 600),
]
SENT = [
    sent("storefront", "awsxray", 600),
    sent("inventory", "awsxray", 1200),
    sent("inventory", "otlp_http/partner", 60000),
]

MONTH = 2400 * 43_800
STOREFRONT, INVENTORY = (f'{{aws_ecs_service_name="{name}"}}' for name in ("storefront", "inventory"))

ANSWERS: dict[tuple[str, str], dict[str, float]] = {
    ("Samples a month", "A"): {"{}": MONTH},
    ("AMP a month (estimate)", "A"): {"{}": (MONTH - 40_000_000) * 0.09 / 1_000_000},
    ("Series", "A"): {"{}": 2400},
    ("Spans a month", "A"): {"{}": 30 * 2_628_000},
    ("X-Ray a month (estimate)", "A"): {"{}": (15 * 2_628_000 - 100_000) * 5 / 1_000_000},
    ("Spans a second", "A"): {"{}": 30},
    ("Samples a second by application", "A"): {STOREFRONT: 30, INVENTORY: 10},
    ("Series by application", "A"): {STOREFRONT: 1800, INVENTORY: 600},
    ("Series by metric", "A"): {'{metric="http_server_request_duration_seconds"}': 2300, '{metric="up"}': 100},
    ("What each metric costs", "C"): {
        '{aws_ecs_service_name="storefront", metric="http_server_request_duration_seconds"}': 1700 * 43_800 * 9e-8,
        '{aws_ecs_service_name="storefront", metric="up"}': 100 * 43_800 * 9e-8,
        '{aws_ecs_service_name="inventory", metric="http_server_request_duration_seconds"}': 600 * 43_800 * 9e-8,
    },
    ("Spans a second by sender", "A"): {STOREFRONT: 10, INVENTORY: 20},
}


def test_what_every_query_answers(tmp_path: Path) -> None:
    checks = {
        (title, ref): {
            "expr": f"round({plain(target(SIDECAR, 'costs', title, ref)['expr'])}, 0.0001)",
            "eval_time": "20m",
            "exp_samples": [{"labels": labels, "value": round(value, 4)} for labels, value in found.items()],
        }
        for (title, ref), found in ANSWERS.items()
    }
    of_spans = {key for key in checks if "Span" in key[0] or "X-Ray" in key[0]}
    tests = [
        {"interval": "1m", "input_series": given, "promql_expr_test": [checks[key] for key in checks if key in asked]}
        for given, asked in ((SENT, of_spans), (COUNTED, checks.keys() - of_spans))
    ]
    result = judge(tmp_path, tests, SIDECAR)
    assert result.returncode == 0, result.stdout + result.stderr
