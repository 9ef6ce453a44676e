"""Expectations come out of the truth of a run alone."""

import json
import math
from dataclasses import replace

import pytest

from documents import dashboards, rules
from documents.catalogue import Label, Pattern
from documents.dashboards.sources import AMP
from documents.objectives import Objectives
from proof import expectations, grafana
from proof.expectations import PANELS, VARIABLES
from proof.expectations.application import ROUTE, from_histogram
from proof.expectations.missed import beyond, missed
from proof.expectations.values import Expected, Quantity, Value, about, between, exactly
from proof.gate import Arrival
from proof.load import Sent
from proof.truth import Truth, Window
from tests.proof.made import MEBIBYTE, START, labels, plan, service, truth
from tests.stacks import application, observed


def expected(uid: str, title: str, ref: str = "A", **services: object) -> Expected:
    return PANELS[uid, title, ref](truth())


def near(value: Value, truth: float) -> bool:
    """Whether the truth is expected, and nothing that is about half or double of it."""
    return value.holds(truth) and not value.holds(truth / 2.1) and not value.holds(truth * 2.1)


PROMISED = Objectives.model_validate({"availability": 85, "latency": {"threshold": "500ms", "target": 85}})
STACK = observed(
    "dev",
    applications=(
        application("front", Pattern.SIDECAR, objectives=PROMISED),
        application("back", Pattern.SERVICE),
    ),
    logs=True,
)
"""Whatever a dashboard can show is in it."""

BOARDS = [grafana.read(json.loads(made.json), 60.0) for made in dashboards.dashboards(STACK)]


def asked(board: grafana.Dashboard) -> set[tuple[str, str, str]]:
    """What it asks of AMP, in panels and for marks."""
    panels = (*board.panels, *board.annotations)
    return {(board.uid, panel.title, one.ref) for panel in panels for one in panel.targets if one.source is AMP}


def test_every_panel_and_variable_that_we_make_has_an_expectation() -> None:
    for board in BOARDS:
        assert board.uid in expectations.OURS
        assert asked(board) <= set(PANELS)
        for variable in board.variables:
            assert variable.kind != "query" or (board.uid, variable.name) in VARIABLES


def test_no_expectation_is_left_over() -> None:
    assert set(PANELS) == set[tuple[str, str, str]]().union(*(asked(board) for board in BOARDS))
    variables = {(board.uid, one.name) for board in BOARDS for one in board.variables if one.kind == "query"}
    assert set(VARIABLES) == variables


def test_every_recorded_series_has_an_expectation_whatever_its_window() -> None:
    for stack in (STACK, observed("slow", sidecar=["front"], interval=300)):
        assert all(expectations.recorded(one.name) for one in rules.recorded(stack))
    assert expectations.recorded("job:http_requests:rate20m") is expectations.recorded("job:http_requests:rate5m")
    assert expectations.recorded("job:http_requests") is None
    known = {expectations.recorded(one.name) for one in rules.recorded(STACK)}
    assert known == set(expectations.RECORDED.values())


def test_tasks_are_counted_and_their_use_is_measured() -> None:
    assert expected("ecs-tasks", "Running tasks").series == {(): exactly(2)}
    assert near(expected("ecs-tasks", "vCPU in use").series[()], 0.4)
    memory = expected("ecs-tasks", "Memory in use").series[()]
    assert memory.holds(320 * MEBIBYTE)
    assert not memory.holds(320)
    shares = expected("ecs-tasks", "CPU of reservation")
    assert shares.by == (Label.FAMILY,)
    assert set(shares.series) == {("shop-dev-front",), ("shop-dev-back",)}
    assert all(near(value, 0.8) for value in shares.series.values())
    assert near(expected("ecs-tasks", "Network in").series["shop-dev-front",], 1000)
    assert near(expected("ecs-tasks", "Network out").series["shop-dev-front",], 2000)
    assert near(expected("ecs-tasks", "Storage write").series["shop-dev-front",], 8192)
    assert expected("ecs-tasks", "Storage read").series["shop-dev-front",].holds(0)


def test_the_service_pattern_has_no_tasks_in_amp() -> None:
    mixed = truth(plan(service("front"), service("back", sidecar=False, count=2)))
    assert PANELS["ecs-tasks", "Running tasks", "A"](mixed).series == {(): exactly(1)}
    assert VARIABLES["ecs-tasks", "service"](mixed) == ("front",)
    assert VARIABLES["application", "application"](mixed) == ("shop/back", "shop/front")


def test_requests_errors_and_latency_are_those_of_the_load() -> None:
    rate = expected("application", "Request rate by application")
    assert rate.by == (Label.JOB,)
    assert (rate.series["shop/front",].low, rate.series["shop/front",].high) == pytest.approx((9.4, 10.6), rel=0.01)
    errors = expected("application", "Error ratio by route").series["shop/back", ROUTE]
    assert (errors.low, errors.high) == pytest.approx((0.09, 0.11), rel=0.03)
    for title, value in (("p50", 0.183), ("p95", 0.625), ("p99", 0.725)):
        latency = expected("application", f"Latency {title} by application").series["shop/front",]
        assert latency.holds(value)
        assert not latency.holds(value * 1000)
    assert not expected("application", "Latency p99 by application").series["shop/front",].holds(0.625)


def test_quantiles_come_from_buckets_as_prometheus_makes_them() -> None:
    values = [0.15] * 90 + [0.6] * 10
    assert from_histogram(0.5, values) == pytest.approx(0.1 + 0.15 * 50 / 90)
    assert from_histogram(0.95, values) == pytest.approx(0.5 + 0.25 * 5 / 10)
    assert from_histogram(0.5, [0.001]) == pytest.approx(0.0025)
    assert from_histogram(0.99, [60.0]) == 10.0


def test_values_are_shown_for_people() -> None:
    assert str(about(Quantity.RATIO, 0.1, 0.1)) == "10 % ± 1 %"
    assert str(between(Quantity.BYTES, 300 * MEBIBYTE, 1.5 * 1024 * MEBIBYTE)) == "300 MiB to 1.5 GiB"
    assert str(about(Quantity.SECONDS, 0.15, 0, 0.01)) == "150 ms ± 10 ms"
    assert Quantity.SECONDS.show(2.5) == "2.5 s"
    assert Quantity.RATE.show(9.97) == "9.97/s"
    assert Quantity.BYTE_RATE.show(0) == "0 B/s"
    assert Quantity.VCPU.show(0.25) == "0.25 vCPU"
    assert Quantity.COUNT.show(math.nan) == "nan"
    assert str(exactly(2)) == "2"


# Overview


def shown(title: str, ref: str, of: Truth) -> Expected:
    return PANELS["overview", title, ref](of)


def test_an_application_that_fails_too_often_is_not_healthy() -> None:
    failing = shown("Applications", "Health", truth())
    assert failing.by == (Label.SERVICE,)
    assert all(value.holds(2) and not value.holds(0) for value in failing.series.values())
    assert set(failing.series) == {("front",), ("back",)}
    alerts = shown("Alerts that fire", "A", truth())
    assert set(alerts.series) == {("HighErrorRate", "front"), ("HighErrorRate", "back")}
    assert not alerts.optional
    assert shown("Active alerts", "A", truth()).series[()].holds(2)


def test_budgets_follow_from_what_was_promised_and_what_was_sent() -> None:
    promised = truth(plan(objectives={"front": PROMISED}))
    left = shown("Error budget left", "A", promised)
    assert set(left.series) == {("front", "availability"), ("front", "latency")}
    # One request in ten fails and one is slow, of fifteen in a hundred.
    assert all(value.holds(1 - 0.1 / 0.15) and not value.holds(1) for value in left.series.values())
    assert set(shown("Applications", "Latency", promised).series) == {("front",)}
    objective = expectations.RECORDED["slo:objective:ratio"](promised)
    assert objective.series["front", "latency"].holds(0.85)
    burning = shown("Alerts that fire", "A", promised)
    assert burning.optional == {("ErrorBudgetBurningFast", "front"), ("ErrorBudgetBurningSlowly", "front")}
    assert shown("Error budget left", "A", truth()).series == {}


def test_what_is_slower_than_a_time_is_told_from_buckets() -> None:
    values = [0.15] * 90 + [0.6] * 10
    once = [1.0] * 100
    assert beyond(0.5, values, once) == pytest.approx(0.1)
    assert beyond(0.6, values, once) == pytest.approx(0.1 * 0.15 / 0.25)
    assert beyond(0.1, values, once) == 1
    assert beyond(0.5, values, [1.0] * 90 + [2.0] * 10) == pytest.approx(20 / 110)


def test_a_slow_start_counts_as_far_as_the_first_rules_look_back() -> None:
    even = truth(plan(objectives={"front": PROMISED}))
    slow = tuple(replace(one, ended=one.began + 0.8) if 20 <= one.order < 60 else one for one in even.sent)

    def high(sent: tuple[Sent, ...], ruled: float) -> float:
        steady = Window(START + ruled + 2, START + 40)
        run = replace(even, sent=sent, ruled=START + ruled, steady=steady)
        return missed(run, run.plan.applications[0], "latency").high

    # Of what was answered until rules were loaded at the eighth second 40 were slow, and three of the other 38 as ever.
    assert high(slow, 8) == pytest.approx(1.2 * 43 / 78)
    assert high(slow, 17) == high(even.sent, 17) < 1.2 * 0.12


# Costs


def written(of: Truth, step: float = 2.0) -> Truth:
    """The run with a sample of three series of each task every so many seconds, from its beginning."""
    names = ("http_server_request_duration_seconds_count", "ecs_task_cpu_reserved", "something_else")
    times = [START + index * step for index in range(int(60 / step))]
    arrivals = {
        labels(task, of.plan, name): tuple(Arrival(at, 1.0, at + 0.5) for at in times)
        for task in of.tasks
        for name in names
    }
    return replace(of, arrivals=arrivals)


def test_samples_and_series_are_counted_at_the_gate() -> None:
    run = written(truth())
    # Two known series of each task, one sample a minute as deployed.
    samples = PANELS["costs", "Samples a second by application", "A"](run)
    assert all(near(value, 2 / 60) for value in samples.series.values())
    assert set(samples.series) == {("front",), ("back",)}
    assert near(PANELS["costs", "Samples a month", "A"](run).series[()], 4 * 43_800)
    series = PANELS["costs", "What each metric costs", "A"](run)
    assert series.by == (Label.SERVICE, Label.METRIC)
    assert series.series["front", "http_server_request_duration_seconds"].holds(1)
    assert not series.series["front", "http_server_request_duration_seconds"].holds(0)
    assert not any("something" in metric for _, metric in series.series)
    assert PANELS["costs", "Series", "A"](run).series[()].holds(4)


def test_only_the_largest_metrics_are_expected_in_a_top_ten() -> None:
    largest = PANELS["costs", "Series by metric", "A"](written(truth()))
    assert set(largest.series) == {("http_server_request_duration_seconds",), ("ecs_task_cpu_reserved",)}
    assert not largest.optional


def test_spans_belong_to_who_sends_them() -> None:
    # Ten requests a second: a segment of each application, and the call between them.
    beside = PANELS["costs", "Spans a second by sender", "A"](truth())
    assert near(beside.series["front",], 20)
    assert near(beside.series["back",], 10)
    apart = truth(plan(service("front", sidecar=False), service("back", sidecar=False)))
    assert near(PANELS["costs", "Spans a second by sender", "A"](apart).series["collector",], 30)
    assert near(PANELS["costs", "Spans a month", "A"](apart).series[()], 30 * 2_628_000)
