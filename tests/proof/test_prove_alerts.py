"""Every alert of a stack is made to fire on the running stack, and resolves."""

from collections.abc import Iterator

import pytest

from documents import catalogue
from proof import promql
from proof.drill import Drill
from proof.verdict import Kind
from tests.proof.live import Live, live, wanted
from tests.proof.test_names import asked, rules

pytestmark = pytest.mark.slow

_OTHERS = ("cpython", "jvm", "dotnet", "v8js")
"""Runtimes: the sample is of the first, and has no collections while it is idle. The names of the others are those of
OpenTelemetry's semantic conventions."""
_LOG_RECORDS = "log_records"
"""What collectors say of signals that this stack does not have."""


_NOT_IN_A_DRILL = {
    catalogue.OVERFLOWN_SPANS.name,
    catalogue.OVERFLOWN_POINTS.name,
    catalogue.FAILED_POINTS.name,
}
"""Counters that appear with the first failure, which a drill may do without: no drill refuses points, and how far a
queue is filled depends on the machine."""


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The sidecar pattern, with objectives."""
    [first, second] = (
        {"name": name, "image": "public.ecr.aws/shop/sample:1.0", "port": 8080, "memory": 1024}
        for name in ("storefront", "inventory")
    )
    objectives = {"availability": 99.9, "latency": {"threshold": "300ms", "target": 95}}
    config = {"applications": [first | {"objectives": objectives}, second]}
    with live(wanted("dev", config=config), tmp_path_factory.mktemp("alerts")) as alive:
        yield alive


@pytest.fixture(scope="module")
def drills(dev: Live, tmp_path_factory: pytest.TempPathFactory) -> tuple[Drill, ...]:
    """Every alert, made to fire."""
    return dev.drilled(tmp_path_factory.mktemp("replay"))


def test_every_alert_fires_and_resolves(drills: tuple[Drill, ...]) -> None:
    failed = [f"{one.alert} {one.subject}: {one.verdict.reason}" for one in drills if one.verdict.kind is Kind.FAILED]
    assert failed == []


def test_no_alert_is_without_a_drill(dev: Live, drills: tuple[Drill, ...]) -> None:
    plan = dev.truth.plan
    alerts = [str(rule["alert"]) for rule in rules(plan) if "alert" in rule]
    alarms = [path for path in plan.documents if path.startswith("alarms/")]
    assert [one.alert for one in drills[: len(alerts)]] == alerts
    assert len(drills) == len(alerts) + len(alarms)


def test_what_cloudwatch_decides_is_never_called_proved(drills: tuple[Drill, ...]) -> None:
    assert {one.verdict.kind for one in drills if one.evaluator.value == "CloudWatch alarm"} == {Kind.CHECKED}
    assert {one.verdict.kind for one in drills if one.evaluator.value == "AMP rule"} == {Kind.PROVED}


def test_collectors_were_seen_to_write_what_is_asked_for(dev: Live, drills: tuple[Drill, ...]) -> None:
    """After the drills, since what collectors count of failures is there after the first of them only."""
    assert drills
    plan = dev.truth.plan
    seen = {dict(series)["__name__"] for series in dev.run.stack.gate.arrivals}
    recorded = {str(rule["record"]) for rule in rules(plan) if "record" in rule}
    named = {name for query in asked(plan) for name in promql.metrics(query)}
    unseen = named - seen - recorded - {catalogue.ALERTS}
    assert {one for one in unseen if not one.startswith(_OTHERS) and _LOG_RECORDS not in one} <= _NOT_IN_A_DRILL
