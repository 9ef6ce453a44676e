"""What CloudWatch would make of an alarm: a model of its documented semantics, for series that somebody has.

Modelled: statistics over periods, windows that slide by a minute, M of N, the four ways to treat missing data with the
evaluation range, premature alarms, subtraction in metric math, totals by Metrics Insights, warm-up. Source: Amazon
CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data" (alarms-and-missing-data.html).

Not modelled: delays of delivery, high resolution, percentiles. CloudWatch does not say how many points it retrieves
beyond the evaluation periods; its examples have two.
"""

import ast
import statistics
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from documents.alerting.alarms import Alarm, Comparison, Math, Metric, Missing, Query, Total

MINUTE: Final = 60
EXTRA_POINTS: Final = 2

Points = tuple[float | None, ...]
"""One value for each period, the newest last; None where there was no sample."""


class State(StrEnum):
    """The state of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT = "INSUFFICIENT_DATA"


@dataclass(frozen=True)
class Series:
    """A metric with its dimensions, and its samples: seconds and value, in order of time."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    samples: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Change:
    """An alarm enters `state` at `time`, in seconds."""

    time: float
    state: State


_BREACHES: Final[Mapping[Comparison, Callable[[float, float], bool]]] = {
    Comparison.ABOVE: lambda value, threshold: value > threshold,
    Comparison.AT_LEAST: lambda value, threshold: value >= threshold,
    Comparison.BELOW: lambda value, threshold: value < threshold,
    Comparison.AT_MOST: lambda value, threshold: value <= threshold,
}

_STATISTICS: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "Average": statistics.fmean,
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
    "Sum": sum,
}


def changes(alarm: Alarm, series: Iterable[Series], start: float, end: float) -> list[Change]:
    """The states that an alarm made at `start` enters until `end`, the one it is made in first.

    It is evaluated once a minute, as CloudWatch does with periods of a minute and more.
    """
    known = tuple(series)
    found = [Change(start, State.INSUFFICIENT)]
    times = (start + MINUTE * minute for minute in range(1, int((end - start) // MINUTE) + 1))
    for time in times:
        points = data_points(alarm, known, time)
        if _warming_up(alarm, points, time - start):
            continue
        state = evaluated(alarm, points, found[-1].state)
        if state is not found[-1].state:
            found.append(Change(time, state))
    return found


def alarmed(found: Sequence[Change], end: float) -> Iterator[tuple[float, float]]:
    """From when to when an alarm was in ALARM."""
    for change, after in pairwise([*found, Change(end, State.OK)]):
        if change.state is State.ALARM:
            yield change.time, after.time


def data_points(alarm: Alarm, series: Sequence[Series], time: float) -> Points:
    """What an alarm sees at `time`: all points of its evaluation range."""
    windows = [
        (time - alarm.period * (age + 1), time - alarm.period * age)
        for age in reversed(range(alarm.periods + EXTRA_POINTS))
    ]
    values: dict[str, Points] = {}
    for query in alarm.queries:
        values[query.id] = tuple(
            _value(query, series, window, {name: points[index] for name, points in values.items()})
            for index, window in enumerate(windows)
        )
    return values[alarm.queries[-1].id]


def evaluated(alarm: Alarm, points: Points, before: State) -> State:
    """The state after an evaluation of these points, all of the evaluation range; `before` it was in another."""
    real = [_breaches(alarm, point) for point in points if point is not None]
    lacking = max(0, alarm.periods - len(real))
    if lacking and alarm.missing is Missing.MISSING:
        if not real:
            return State.INSUFFICIENT
        if _premature(alarm, points, real):
            return State.ALARM
    if lacking and alarm.missing is Missing.IGNORE and all(real) and sum(real) < alarm.breaching:
        return before
    filled = lacking if alarm.missing is Missing.BREACHING else 0
    return State.ALARM if sum(real[-alarm.periods :]) + filled >= alarm.breaching else State.OK


def _premature(alarm: Alarm, points: Points, real: Sequence[bool]) -> bool:
    """Whether all there is breaches, and has for as long as it takes to fire."""
    oldest = next(index for index, point in enumerate(points) if point is not None)
    return all(real) and len(points) - oldest >= alarm.breaching


def _breaches(alarm: Alarm, value: float) -> bool:
    return _BREACHES[alarm.comparison](value, alarm.threshold)


def _warming_up(alarm: Alarm, points: Points, age: float) -> bool:
    enough = sum(point is not None for point in points) >= alarm.periods
    return age <= alarm.warm_up_minutes * MINUTE and not enough


def _value(
    query: Query, series: Sequence[Series], window: tuple[float, float], others: Mapping[str, float | None]
) -> float | None:
    match query:
        case Math():
            return computed(query.text, others)
        case Metric():
            samples = [value for one in series if _is(query, one) for value in _within(one, window)]
            return _STATISTICS[query.statistic](samples) if samples else None
        case Total():
            samples = [value for one in series if _counts(query, one) for value in _within(one, window)]
            return sum(samples) if samples else None


def _is(query: Metric, one: Series) -> bool:
    return (one.namespace, one.name, one.dimensions) == (query.namespace, query.name, query.dimensions)


def _counts(query: Total, one: Series) -> bool:
    return (one.namespace, one.name, one.dimensions.get(query.dimension)) == (query.namespace, query.name, query.value)


def _within(one: Series, window: tuple[float, float]) -> Iterator[float]:
    after, until = (bisect_right(one.samples, edge, key=lambda sample: sample[0]) for edge in window)
    return (value for _, value in one.samples[after:until])


def computed(text: str, values: Mapping[str, float | None]) -> float | None:
    """Metric math: names and their differences. A point that one of them lacks has no result. Raises ValueError for any
    other expression: an alarm that the model cannot tell is not to be taken for a quiet one."""

    def value(node: ast.expr) -> float | None:
        match node:
            case ast.Name():
                return values[node.id]
            case ast.BinOp(op=ast.Sub()):
                left, right = value(node.left), value(node.right)
                return None if left is None or right is None else left - right
            case _:
                raise ValueError(f"the model has no {ast.unparse(node)!r}")

    return value(ast.parse(text, mode="eval").body)
