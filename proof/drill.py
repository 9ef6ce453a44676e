"""An alert that was made to fire: by which fault, when it fired, and when it resolved."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from proof.truth import Window
from proof.verdict import Kind, Verdict

_MARGIN_SECONDS: Final = 900.0
"""What is shown before a fault and after the end of an alert, on the shipped time scale."""


class Evaluator(StrEnum):
    """What decides whether an alert fires."""

    AMP = "AMP rule"
    CLOUDWATCH = "CloudWatch alarm"


@dataclass(frozen=True)
class Drill:
    """One alert on one `subject`, such as an application. Times are seconds of the shipped time scale since the drill
    began, which is some time before its fault; `fired` and `resolved` are None where it did not happen.

    `values` is what the alert's expression or metric was over time, `threshold` what it is compared with, if it is.
    """

    alert: str
    severity: str
    subject: str
    evaluator: Evaluator
    fault: str
    began: float
    ended: float
    fired: float | None
    resolved: float | None
    values: tuple[tuple[float, float], ...]
    threshold: float | None
    verdict: Verdict


@dataclass(frozen=True)
class Told:
    """What evaluated an alert, and of what: the part of a drill that is known before it."""

    alert: str
    severity: str
    subject: str
    evaluator: Evaluator
    threshold: float | None = None


@dataclass(frozen=True)
class Course:
    """What an alert did. `firing` are the evaluations at which it fired, `every` so many seconds until `end`; `values`
    what it measured. Times are seconds of the shipped time scale since the run began."""

    firing: Sequence[float]
    values: Sequence[tuple[float, float]]
    end: float
    every: float = 60.0


def held(told: Told, fault: str, window: Window, course: Course, proved: Kind = Kind.PROVED) -> Drill:
    """The drill of an alert that a fault had to make fire in `window`; `proved` is the verdict if all went well."""
    fired = next((time for time in course.firing if window.start <= time <= window.end + course.every), None)
    resolved = None if fired is None else _over(course, max(fired, window.end))
    reason = _reason(course, window, fired, resolved)
    start = max(window.start - _MARGIN_SECONDS, 0.0)
    end = min((resolved or window.end) + _MARGIN_SECONDS, course.end)
    return Drill(
        alert=told.alert,
        severity=told.severity,
        subject=told.subject,
        evaluator=told.evaluator,
        fault=fault,
        began=window.start - start,
        ended=window.end - start,
        fired=None if fired is None else fired - start,
        resolved=None if resolved is None else resolved - start,
        values=tuple((time - start, value) for time, value in course.values if start <= time <= end),
        threshold=told.threshold,
        verdict=_verdict(told, reason, proved),
    )


def always(told: Told, course: Course) -> Drill:
    """The drill of an alert that has to fire as long as all is well."""
    complete = len(course.firing) >= course.end // course.every
    reason = "" if complete else "it does not always fire"
    first = next(iter(course.firing), None)
    values = tuple(course.values)
    verdict = _verdict(told, reason, Kind.PROVED)
    fault = "none: it fires as long as all is well"
    return Drill(
        told.alert,
        told.severity,
        told.subject,
        told.evaluator,
        fault,
        0.0,
        course.end,
        first,
        None,
        values,
        None,
        verdict,
    )


def missing(told: Told) -> Drill:
    """What is said of an alert that nothing makes fire."""
    verdict = _verdict(told, "no drill makes it fire", Kind.PROVED)
    return Drill(
        told.alert,
        told.severity,
        told.subject,
        told.evaluator,
        "none",
        0.0,
        0.0,
        None,
        None,
        (),
        told.threshold,
        verdict,
    )


def _over(course: Course, after: float) -> float | None:
    """The first evaluation from `after` on at which it does not fire."""
    firing = set(course.firing)
    time = -(-after // course.every) * course.every
    while time in firing:
        time += course.every
    return time if time < course.end else None


def _reason(course: Course, window: Window, fired: float | None, resolved: float | None) -> str:
    if any(window.start - course.every <= time < window.start for time in course.firing):
        return "it fires before the fault"
    if fired is None:
        return "it does not fire"
    last = window.end // course.every * course.every
    if fired < last not in course.firing:
        return "it stops firing while the fault lasts"
    return "it does not resolve" if resolved is None else ""


def _verdict(told: Told, reason: str, proved: Kind) -> Verdict:
    expected = "fires and resolves"
    kind = Kind.FAILED if reason else proved
    subject = f"{told.alert}: {told.subject}"
    return Verdict(kind, "alert", subject, expected=expected, found=reason or expected, reason=reason)
