"""What is said of alerts that a fault had to make fire."""

from dataclasses import replace

import pytest

from documents.alerting import alerts
from proof import drilled
from proof.drill import Course, Drill, Evaluator, Told, held
from proof.drilled import Happened, Recording
from proof.replay import Timeline
from proof.truth import Window
from proof.verdict import Kind

TOLD = Told("HighErrorRate", "critical", "front", Evaluator.AMP, 0.05)
FAULT = Window(1000.0, 2000.0)
RULES = """
groups:
  - name: front
    rules:
      - alert: HighErrorRate
        expr: max(ratio >= 0.05)
        labels: {severity: critical, aws_ecs_service_name: front}
"""
BURNT = Happened("all fails", (alerts.BURNING_FAST,), Window(200.0, 300.0))
RECORDING = Recording(
    100.0, 10.0, {}, (Happened("all fails", (alerts.ERROR_RATE,), Window(200.0, 300.0)),), Window(400.0, 450.0)
)


def told(firing: range) -> Drill:
    return held(TOLD, "all fails", FAULT, Course(list(firing), [(60.0, 0.0), (1500.0, 1.0), (9000.0, 0.0)], 6000.0))


def test_an_alert_that_fires_and_resolves() -> None:
    drill = told(range(1320, 2221, 60))
    assert (drill.verdict.kind, drill.verdict.found) == (Kind.PROVED, "fires and resolves")
    assert (drill.began, drill.ended, drill.fired, drill.resolved) == (900.0, 1900.0, 1220.0, 2180.0)
    assert drill.values == ((1400.0, 1.0),)


@pytest.mark.parametrize(
    ("firing", "reason"),
    [
        (range(0), "it does not fire"),
        (range(2220, 2400, 60), "it does not fire"),
        (range(900, 2400, 60), "it fires before the fault"),
        (range(1320, 1800, 60), "it stops firing while the fault lasts"),
        (range(1320, 6001, 60), "it does not resolve"),
    ],
)
def test_an_alert_that_does_not(firing: range, reason: str) -> None:
    drill = told(firing)
    assert (drill.verdict.kind, drill.verdict.reason) == (Kind.FAILED, reason)


def timeline(*names: str) -> Timeline:
    labels = {"alertname": "HighErrorRate", "severity": "critical", "alertstate": "firing"}
    firing = {
        float(time): tuple(({**labels, "aws_ecs_service_name": name}, 1.0) for name in names)
        for time in range(1080, 2160, 60)
    }
    return Timeline(6000.0, firing, {"max(ratio{})": {1080.0: (({}, 0.5),)}})


def test_each_alert_of_the_rules_has_a_drill() -> None:
    [drill] = drilled.drills([RULES], timeline("front"), RECORDING)
    assert (drill.alert, drill.severity, drill.subject, drill.fault) == (
        "HighErrorRate",
        "critical",
        "front",
        "all fails",
    )
    assert (drill.verdict.kind, drill.threshold) == (Kind.PROVED, 0.05)


def test_an_alert_of_somebody_else_is_none() -> None:
    [drill] = drilled.drills([RULES], timeline("back"), RECORDING)
    assert drill.verdict.reason == "it does not fire"


def test_an_alert_that_nothing_makes_fire_has_failed() -> None:
    [drill] = drilled.drills([RULES], timeline("front"), replace(RECORDING, happened=()))
    assert (drill.verdict.kind, drill.verdict.reason) == (Kind.FAILED, "no drill makes it fire")


def test_a_budget_that_minutes_do_not_burn_is_burnt_by_hours() -> None:
    rules = RULES.replace("HighErrorRate", "ErrorBudgetBurningFast")
    labels = {"alertname": "ErrorBudgetBurningFast", "severity": "critical", "aws_ecs_service_name": "front"}
    burnt = Timeline(30000.0, {float(time): ((labels, 1.0),) for time in range(18000, 24000, 60)}, {})
    short = drilled.drills([rules], timeline("front"), replace(RECORDING, happened=(BURNT,)))
    assert [one.verdict.reason for one in short] == ["it does not fire"]
    [drill] = drilled.in_outage([rules], burnt, Window(0.0, 23000.0), short)
    assert (drill.fault, drill.verdict.kind) == ("all fails, for 6 hours (repeated)", Kind.PROVED)


def test_the_dead_mans_switch_fires_all_the_time() -> None:
    rules = "groups: [{name: a, rules: [{alert: DeadMansSwitch, expr: vector(1), labels: {severity: warning}}]}]"
    labels = {"alertname": "DeadMansSwitch", "severity": "warning"}
    always = Timeline(600.0, {60.0 * minute: ((labels, 1.0),) for minute in range(10)}, {})
    [drill] = drilled.drills([rules], always, RECORDING)
    assert drill.verdict.kind is Kind.PROVED
    [drill] = drilled.drills([rules], replace(always, firing={0.0: ((labels, 1.0),)}), RECORDING)
    assert drill.verdict.reason == "it does not always fire"


def test_moments_after_the_run_are_those_of_its_last_health() -> None:
    # 1 s of the run is 10 s of a deployment; the health is from 3000 s to 3500 s.
    assert RECORDING.moments([0.0, 3400.0, 3600.0, 4100.0]) == [100.0, 440.0, 410.0, 410.0]
