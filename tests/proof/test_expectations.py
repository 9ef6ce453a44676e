"""Expectations come out of the truth of a run alone."""

import json
import math

import pytest

from documents import dashboards
from documents.catalogue import Label
from documents.rules import RECORDED
from proof import expectations, grafana
from proof.expectations import PANELS, VARIABLES
from proof.expectations.application import ROUTE, from_histogram
from proof.expectations.values import Expected, Quantity, Value, about, between, exactly
from tests.proof.made import MEBIBYTE, plan, service, truth
from tests.stacks import observed


def expected(uid: str, title: str, ref: str = "A", **services: object) -> Expected:
    return PANELS[uid, title, ref](truth())


def near(value: Value, truth: float) -> bool:
    """Whether the truth is expected, and nothing that is about half or double of it."""
    return value.holds(truth) and not value.holds(truth / 2.1) and not value.holds(truth * 2.1)


def test_every_panel_and_variable_that_we_make_has_an_expectation() -> None:
    for made in dashboards.dashboards(observed("dev", sidecar=["front", "back"])):
        board = grafana.read(json.loads(made.json), 60.0)
        assert board.uid in expectations.OURS
        for panel in board.panels:
            for target in panel.targets:
                assert (board.uid, panel.title, target.ref) in PANELS
        for variable in board.variables:
            assert variable.kind != "query" or (board.uid, variable.name) in VARIABLES
    assert {one.name for one in RECORDED} == set(expectations.RECORDED)


def test_no_expectation_is_left_over() -> None:
    boards = [
        grafana.read(json.loads(made.json), 60.0)
        for made in dashboards.dashboards(observed("dev", sidecar=["front", "back"]))
    ]
    asked = {(board.uid, panel.title, one.ref) for board in boards for panel in board.panels for one in panel.targets}
    assert set(PANELS) == asked


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
    assert rate.series["shop/front",].centre == pytest.approx(10, rel=0.01)
    errors = expected("application", "Error ratio by route")
    assert errors.series["shop/back", ROUTE].centre == pytest.approx(0.1)
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
