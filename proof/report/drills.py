"""Alerts that were made to fire, each with what was evaluated over time."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from proof.drill import Drill

WIDTH: Final = 640.0
HEIGHT: Final = 150.0


@dataclass(frozen=True)
class Mark:
    """A moment on a timeline: how far from the left, and what happened."""

    x: float
    name: str
    at: str


@dataclass(frozen=True)
class Timeline:
    """A drill drawn in WIDTH by HEIGHT: `line` is an SVG path, `threshold` its height where there is one.

    `fault` is where the fault starts and how long it is; `top` and `bottom` are the values at the edges, `end` the last
    time. `firing` and `resolving` say how long after the fault began the alert fired, and after it ended resolved,
    if they did.
    """

    drill: Drill
    line: str
    threshold: float | None
    fault: tuple[float, float]
    marks: tuple[Mark, ...]
    top: str
    bottom: str
    end: str
    firing: str | None
    resolving: str | None

    @property
    def told(self) -> str:
        """When it fired and resolved, as a sentence goes on."""
        if not self.firing:
            return "never fired"
        fired = f"fired {self.firing} after it began"
        return f"{fired}, resolved {self.resolving} after it ended" if self.resolving else fired


def timeline(drill: Drill) -> Timeline:
    """What a person sees of one drill."""
    points = [(time, value) for time, value in drill.values if math.isfinite(value)]
    moments = [drill.ended, *(time for time, _ in points)]
    moments += [one for one in (drill.fired, drill.resolved) if one is not None]
    last = max(*moments, 1.0)
    values = [value for _, value in points] + ([] if drill.threshold is None else [drill.threshold])
    low, high = min([0.0, *values]), max([0.0, *values])
    # Room above, so that a threshold at the top is not the frame.
    high = low + 1.15 * (high - low) if high > low else low + 1.0

    def x(time: float) -> float:
        return round(WIDTH * time / last, 1)

    def y(value: float) -> float:
        return round(HEIGHT * (1 - (value - low) / (high - low)), 1)

    return Timeline(
        drill,
        line="".join(f"{'L' if at else 'M'}{x(time)} {y(value)}" for at, (time, value) in enumerate(points)),
        threshold=None if drill.threshold is None else y(drill.threshold),
        fault=(x(drill.began), x(drill.ended) - x(drill.began)),
        marks=tuple(Mark(x(at), name, spoken(at)) for name, at in _moments(drill)),
        top=f"{high:.4g}",
        bottom=f"{low:.4g}",
        end=spoken(last),
        firing=None if drill.fired is None else spoken(drill.fired - drill.began),
        resolving=None if drill.resolved is None else spoken(drill.resolved - drill.ended),
    )


def _moments(drill: Drill) -> Iterator[tuple[str, float]]:
    if drill.fired is not None:
        yield "fired", drill.fired
    if drill.resolved is not None:
        yield "resolved", drill.resolved


def spoken(seconds: float) -> str:
    """A duration for people: `45 s`, `5 min`, `1 h 10 min`; no seconds from ten minutes on."""
    minutes, rest = divmod(round(seconds) if seconds < 600 else 60 * round(seconds / 60), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"
