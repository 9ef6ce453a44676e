"""Rendered alarms read as the model takes them, and the figures of a run that they are given."""

import json
from dataclasses import replace

import pytest

from documents.alerting import alerts
from documents.alerting.alarms import Alarm, alarms, put_metric_alarm
from documents.catalogue import CPU_UTILIZATION, MEMORY_UTILIZATION, RUNNING_TASKS
from proof import alarms as rendered
from proof import figures
from proof.drilled import Happened, Recording
from proof.faults import Stop
from proof.gate import Arrival
from proof.truth import Window
from proof.verdict import Kind
from tests.proof import made
from tests.stacks import observed

OBSERVED = observed("dev", service=["front"], scheduled=True)
ALARMS = alarms(OBSERVED, figures.WORKSPACE)
DOCUMENTS = {
    f"alarms/{alarm.name(OBSERVED.names)}.json": json.dumps(put_metric_alarm(alarm, OBSERVED, ())) for alarm in ALARMS
}
FRONT = made.service("front", sidecar=False)
PLAN = made.plan(FRONT, documents=DOCUMENTS)
"""A minute of a run stands for half an hour; its tasks have figures of a minute."""


def recording(*happened: Happened) -> Recording:
    arrivals = {(("__name__", "up"),): [Arrival(made.START + second, 1.0, made.START + second) for second in range(60)]}
    return Recording(made.START, 30.0, arrivals, happened, Window(made.START + 50, made.START + 60))


def drilled(alarm: str, run: Recording, *stops: Stop) -> Kind:
    known = [one for one in rendered.read(DOCUMENTS) if one.alert.name == alarm]
    end = 5 * 3600.0
    told = figures.series(PLAN, [made.task(FRONT, 1)], stops, run, end)
    found = rendered.drills(known, told, run, end)
    return found[-1].verdict.kind


def test_what_is_rendered_is_read_as_it_was_meant() -> None:
    def comparable(alarm: Alarm) -> Alarm:
        return replace(alarm, summary="", threshold=float(alarm.threshold))

    assert sorted(map(comparable, rendered.read(DOCUMENTS)), key=str) == sorted(map(comparable, ALARMS), key=str)


def test_an_alarm_that_is_named_after_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="mine is not named after an alert"):
        rendered.read({"alarms/a.json": '{"AlarmName": "mine"}'})


def test_tasks_that_ended_are_events() -> None:
    killed = Happened("killed", (alerts.OUT_OF_MEMORY, alerts.RESTART_LOOP), Window(made.START + 20, made.START + 40))
    stops = [Stop(made.START + second, "front", "1") for second in (21, 25, 30)]
    assert drilled("TaskOutOfMemory", recording(killed), *stops) is Kind.CHECKED
    assert drilled("TaskRestartLoop", recording(killed), *stops) is Kind.CHECKED
    assert drilled("TaskRestartLoop", recording(killed), *stops[:1]) is Kind.FAILED


@pytest.mark.parametrize("alarm", sorted(figures.TOLD))
def test_what_nothing_can_bring_about_is_told(alarm: str) -> None:
    assert drilled(alarm, recording()) is Kind.CHECKED


def test_an_alarm_that_nothing_makes_fire_has_failed() -> None:
    assert drilled("TaskMemorySaturated", recording()) is Kind.FAILED


def test_container_insights_says_what_the_processes_used() -> None:
    end = 1800.0
    told = {one.name: one for one in figures.series(PLAN, [made.task(FRONT, 1)], (), recording(), end)}
    # 160 of 1024 MiB; a tenth of a vCPU in each of two containers, of the quarter that is reserved.
    assert {value for _, value in told[MEMORY_UTILIZATION.name].samples} == {15.625}
    assert {round(value) for _, value in told[CPU_UTILIZATION.name].samples} == {80}
    assert {value for _, value in told[RUNNING_TASKS.name].samples} == {1.0}


def test_how_long_a_fault_has_to_last() -> None:
    assert rendered.least_seconds(ALARMS, [alerts.CPU_SATURATED, alerts.MEMORY_SATURATED]) == (15 + 4) * 60
    assert rendered.least_seconds(ALARMS, [alerts.ERROR_RATE]) == 0
