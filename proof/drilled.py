"""What the alerts that AMP evaluates made of the faults of a run."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from documents.alerting import alerts
from documents.alerting.model import Alert
from documents.catalogue import Label
from proof import replay, stretched
from proof.drill import Course, Drill, Evaluator, Told, always, held, missing
from proof.gate import Arrival
from proof.remote_write import Labels
from proof.replay import EVALUATION_SECONDS, AlertRule, Timeline
from proof.truth import Window
from proof.verdict import Kind

QUIET_SECONDS: Final = 8 * 3600.0
"""Of a deployment: how long the last health is repeated. No alert has to look back further to be over: the longest of
the short windows of burn rates is six hours."""


OUTAGE_SECONDS: Final = 6 * 3600.0
"""Of a deployment: the longest window that an alert looks back over to call a budget burning fast."""

BUDGETS: Final = frozenset({alerts.BURNING_FAST.name, alerts.BURNING_SLOWLY.name})
"""Alerts that look back over hours: nobody waits for them, and the load of the panels began them."""


@dataclass(frozen=True)
class Happened:
    """A fault that was there for a while, in words, with the alerts that it had to make fire."""

    text: str
    alerts: tuple[Alert, ...]
    window: Window


@dataclass(frozen=True)
class Recording:
    """A run with its drills: when it began, what was written, which faults there were, and the health after the last
    of them. Times in seconds since the epoch; `factor` as of `Stack.factor`."""

    began: float
    factor: float
    arrivals: Mapping[Labels, Sequence[Arrival]]
    happened: tuple[Happened, ...]
    healthy: Window

    def shipped(self, window: Window) -> Window:
        """A stretch of the run in seconds of a deployment since the beginning."""
        return Window(self.shipped_at(window.start), self.shipped_at(window.end))

    def shipped_at(self, at: float) -> float:
        """A moment of the run (seconds since the epoch) in seconds of a deployment since the beginning."""
        return (at - self.began) * self.factor

    def moments(self, times: Iterable[float]) -> list[float]:
        """The moments of the run that times of a deployment stand for; after its end, those of its last health."""
        last = self.shipped(self.healthy)
        return [
            self.began + (time if time <= last.end else last.start + (time - last.start) % last.seconds) / self.factor
            for time in times
        ]

    def of(self, alert: str) -> Happened | None:
        """The fault that had to make an alert fire."""
        return next((one for one in self.happened if any(named.name == alert for named in one.alerts)), None)


async def timeline(promtool: Path, rules: Mapping[str, str], recording: Recording, folder: Path) -> Timeline:
    """What the rules of a deployment make of a recording: of its samples on their scale, and of as much health after
    them as the slowest alert needs. Raises ReplayError if promtool refuses a document."""
    series = stretched.stretched(recording.arrivals, recording.factor, recording.began)
    healthy = recording.shipped(recording.healthy)
    prolonged = stretched.prolonged(series, healthy, healthy.end + QUIET_SECONDS)
    return await replay.replay(promtool, rules, prolonged, folder, healthy.end)


async def outage(
    promtool: Path, rules: Mapping[str, str], recording: Recording, folder: Path
) -> tuple[Timeline, Window]:
    """What the rules make of requests that fail for hours, and when they fail: all that was recorded until the end of
    that fault, with its second half repeated, and then the last health. Raises ReplayError as `timeline`, ValueError if
    requests never failed."""
    failed = recording.of(alerts.ERROR_RATE.name)
    if failed is None:
        raise ValueError("there was no fault that could last")
    fault, healthy = recording.shipped(failed.window), recording.shipped(recording.healthy)
    half = Window(fault.end - fault.seconds / 2, fault.end)
    over = half.end + math.ceil(OUTAGE_SECONDS / half.seconds) * half.seconds
    series = stretched.stretched(recording.arrivals, recording.factor, recording.began)
    failing = stretched.prolonged(stretched.until(series, half.end), half, over)
    again = Window(over, over + healthy.seconds)
    recovered = stretched.followed(failing, series, healthy, over)
    prolonged = stretched.prolonged(recovered, again, again.end + QUIET_SECONDS)
    return await replay.replay(promtool, rules, prolonged, folder, 0.0), Window(0.0, over)


def drills(rules: Iterable[str], found: Timeline, recording: Recording) -> tuple[Drill, ...]:
    """A drill for each alert of these rule files, also for one that nobody made fire."""
    return tuple(_drill(rule, found, recording) for rule in replay.alerts(rules))


def in_outage(rules: Iterable[str], found: Timeline, fault: Window, before: Sequence[Drill]) -> tuple[Drill, ...]:
    """The same drills; those of error budgets that failed `before` are those of an outage of hours. A low objective
    burns so fast after hours only."""
    return tuple(
        held(_told(rule), f"{drill.fault}, for {OUTAGE_SECONDS / 3600:g} hours (repeated)", fault, _course(rule, found))
        if drill.verdict.kind is Kind.FAILED and rule.name in BUDGETS
        else drill
        for rule, drill in zip(replay.alerts(rules), before, strict=True)
    )


def _drill(rule: AlertRule, found: Timeline, recording: Recording) -> Drill:
    told, course = _told(rule), _course(rule, found)
    if rule.name == alerts.DEAD_MANS_SWITCH.name:
        return always(told, course)
    happened = recording.of(rule.name)
    return held(told, happened.text, recording.shipped(happened.window), course) if happened else missing(told)


def _told(rule: AlertRule) -> Told:
    subject = " ".join(filter(None, (rule.labels.get(Label.SERVICE), rule.labels.get(Label.SLO)))) or "stack"
    return Told(rule.name, rule.labels.get("severity", ""), subject, Evaluator.AMP, rule.threshold)


def _course(rule: AlertRule, found: Timeline) -> Course:
    firing = [time for time, alive in sorted(found.firing.items()) if any(_is(rule, labels) for labels, _ in alive)]
    values = [
        (time, max(value for _, value in series))
        for time, series in sorted(found.measured.get(rule.measured, {}).items())
        if series
    ]
    return Course(firing, values, found.end, float(EVALUATION_SECONDS))


def _is(rule: AlertRule, labels: Mapping[str, str]) -> bool:
    """Whether a firing alert, told by its labels, is of this rule."""
    return labels.items() >= {"alertname": rule.name, **rule.labels}.items()
