"""Traces as waterfalls."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from proof.expectations.values import Quantity
from proof.truth import Truth
from proof.xray import Segment
from sample import behaviour

HUES = 8
"""How many colours there are for services and series."""


@dataclass(frozen=True)
class Bar:
    """One segment of a trace: where it lies in the whole, in percent, and what is known of it."""

    segment: Segment
    service: str
    hue: int
    depth: int
    left: float
    width: float
    took: str
    began: str

    @property
    def bad(self) -> bool:
        """Whether something went wrong in it."""
        return self.segment.fault or self.segment.error


@dataclass(frozen=True)
class Waterfall:
    """One trace. `ticks` are the times along it, `services` its services with their hues."""

    title: str
    trace: str
    took: str
    bars: tuple[Bar, ...]
    services: tuple[tuple[str, int], ...]
    ticks: tuple[str, ...]


_ORDINARY, _SLOW, _FAILED = "An ordinary request", "A slow request", "A failed request"


def waterfalls(truth: Truth) -> tuple[Waterfall, ...]:
    """An ordinary trace, a slow one and one with an error, as far as they can be found."""
    found = dict(_samples(truth))
    order = (_ORDINARY, _SLOW, _FAILED)
    return tuple(_waterfall(title, found[title]) for title in order if title in found)


def _samples(truth: Truth) -> Iterator[tuple[str, list[Segment]]]:
    """The latest come last."""
    traces: dict[str, list[Segment]] = defaultdict(list)
    for segment in truth.of_load:
        traces[segment.trace].append(segment)
    slow = (behaviour.NORMAL_SECONDS + behaviour.SLOW_SECONDS) / 2
    for segments in sorted(traces.values(), key=lambda trace: min(one.start for one in trace)):
        roots = [segment for segment in segments if not segment.parent]
        if len(roots) == 1:
            [root] = roots
            yield _FAILED if root.fault else _SLOW if root.end - root.start > slow else _ORDINARY, segments


def _waterfall(title: str, segments: Sequence[Segment]) -> Waterfall:
    start = min(segment.start for segment in segments)
    whole = max(max(segment.end for segment in segments) - start, 1e-6)
    children: dict[str, list[Segment]] = defaultdict(list)
    for segment in sorted(segments, key=lambda one: one.start):
        children[segment.parent].append(segment)
    hues: dict[str, int] = {}
    bars: list[Bar] = []

    def below(parent: str, service: str, depth: int) -> None:
        for segment in children[parent]:
            # A subsegment is work of the service whose segment it is in.
            owner = service if segment.subsegment else segment.name
            bars.append(
                Bar(
                    segment,
                    owner,
                    hues.setdefault(owner, len(hues) % HUES),
                    depth,
                    left=100 * (segment.start - start) / whole,
                    width=max(100 * (segment.end - segment.start) / whole, 0.3),
                    took=Quantity.SECONDS.show(segment.end - segment.start),
                    began=Quantity.SECONDS.show(segment.start - start),
                )
            )
            below(segment.id, owner, depth + 1)

    below("", "", 0)
    ticks = tuple(Quantity.SECONDS.show(whole * part / 4) for part in range(5))
    return Waterfall(title, segments[0].trace, Quantity.SECONDS.show(whole), tuple(bars), tuple(hues.items()), ticks)
