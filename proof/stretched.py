"""The samples of a run on the time scale of a deployment: so many times slower, nothing else changed.

Times are seconds since an origin, on the scale of a deployment.
"""

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from proof.gate import Arrival
from proof.remote_write import Labels
from proof.truth import Window

LATE_SECONDS: Final = 4.0
"""Of a run. What arrived later than that after its time (from a queue, after a kill) was not there when the rules of a
deployment were evaluated, so it is left out."""

GRID_SECONDS: Final = 15
"""Of a deployment: promtool takes values at even distances. A quarter of the interval keeps two samples of a series
apart that came early and late."""

_CUMULATIVE: Final = ("_total", "_count", "_sum", "_bucket")
_STALE: Final = 0x7FF0000000000002
"""The bits of the value by which a series says that it has ended: Prometheus, `model/value`, StaleNaN."""


@dataclass(frozen=True)
class Point:
    """One sample."""

    at: float
    value: float

    @property
    def stale(self) -> bool:
        """Whether it says that the series has ended."""
        return struct.unpack("<Q", struct.pack("<d", self.value))[0] == _STALE


Series = Mapping[Labels, Sequence[Point]]


def stretched(arrivals: Mapping[Labels, Iterable[Arrival]], factor: float, origin: float) -> Series:
    """What was recorded, `factor` times slower since `origin` (seconds since the epoch), in order of time."""
    return {
        labels: sorted(
            (
                Point((one.at - origin) * factor, one.value)
                for one in arrived
                if one.at >= origin and one.arrived - one.at <= LATE_SECONDS
            ),
            key=lambda point: point.at,
        )
        for labels, arrived in arrivals.items()
    }


def prolonged(series: Series, last: Window, end: float) -> Series:
    """The series with what was recorded in `last` repeated after its end until a time; counters go on counting."""
    return {labels: [*points, *_repeated(labels, points, last, end)] for labels, points in series.items()}


def until(series: Series, end: float) -> Series:
    """The series as they were at a time."""
    return {labels: [point for point in points if point.at <= end] for labels, points in series.items()}


def followed(series: Series, others: Series, window: Window, at: float) -> Series:
    """The series, and from `at` on what others have in `window`."""
    return {
        labels: [
            *series.get(labels, ()),
            *(
                Point(point.at - window.start + at, point.value)
                for point in points
                if window.start < point.at <= window.end
            ),
        ]
        for labels, points in others.items()
    }


def _repeated(labels: Labels, points: Sequence[Point], last: Window, end: float) -> list[Point]:
    before = [point for point in points if point.at <= last.start]
    within = [point for point in points if last.start < point.at <= last.end]
    if not within or within[-1].stale:
        return []
    first = before[-1] if before else within[0]
    cumulative = dict(labels).get("__name__", "").endswith(_CUMULATIVE)
    step = within[-1].value - first.value if cumulative else 0.0
    times = math.ceil((end - last.end) / last.seconds)
    return [
        Point(point.at + turn * last.seconds, point.value + turn * step)
        for turn in range(1, times + 1)
        for point in within
    ]


def notation(points: Iterable[Point]) -> str:
    """The values of a series as promtool's unit tests write them, one for each step of the grid since the origin.

    A sample stands at the next step: at the nearest one, an alert could be over for a sample that was still to come.
    """
    slots = {math.ceil(point.at / GRID_SECONDS): point for point in points}
    words: list[str] = []
    next_slot = 0
    for slot in sorted(slots):
        if gap := slot - next_slot:
            words.append(f"_x{gap}")
        words.append("stale" if slots[slot].stale else repr(slots[slot].value))
        next_slot = slot + 1
    return " ".join(words)
