"""What really happened while a stack ran: the load that was sent, and what its processes used. No telemetry in it."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from proof.elsewhere import Elsewhere
from proof.gate import Arrival, Writes
from proof.load import Sent
from proof.metadata import Reading
from proof.plan import Plan, Service
from proof.remote_write import Labels
from proof.segment import Segment
from proof.senders import Foreign
from proof.sts import Assumed
from proof.xray import Received
from sample import behaviour

LOOK_BACK: Final = 4
"""Intervals between samples that Grafana's `$__rate_interval` covers."""


@dataclass(frozen=True)
class Window:
    """A stretch of time in seconds since the epoch."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


@dataclass(frozen=True)
class Handled:
    """One request as an application answered it: when, how fast at least (seconds), and with which HTTP status."""

    at: float
    seconds: float
    status: int


@dataclass(frozen=True)
class TaskTruth:
    """One task: `vcpu` and `memory` (MiB) are reserved, `readings` are in order of time and cover the whole run.

    `key` is the access key that its collector signs with, if it has one.
    """

    service: str
    family: str
    id: str
    vcpu: float
    memory: int
    sidecar: bool
    key: str
    readings: tuple[Reading, ...]

    def used_vcpu(self, window: Window) -> float:
        """Mean over the window, of all its containers together."""
        return self._rate(window, lambda reading: sum(one.user + one.system for one in reading.usage.values()))

    def used_memory(self, window: Window) -> tuple[float, float]:
        """The least and the most that its containers held together, in bytes."""
        held = [sum(one.memory for one in reading.usage.values()) for reading in self._within(window)]
        return min(held), max(held)

    def received(self, window: Window) -> float:
        """Mean over the window, in bytes a second."""
        return self._rate(window, lambda reading: reading.traffic.received)

    def sent(self, window: Window) -> float:
        """Mean over the window, in bytes a second."""
        return self._rate(window, lambda reading: reading.traffic.sent)

    def read(self, window: Window) -> float:
        """From disk: mean over the window, in bytes a second."""
        return self._rate(window, lambda reading: sum(one.read for one in reading.usage.values()))

    def written(self, window: Window) -> float:
        """To disk: mean over the window, in bytes a second."""
        return self._rate(window, lambda reading: sum(one.written for one in reading.usage.values()))

    def _rate(self, window: Window, total: Callable[[Reading], float]) -> float:
        within = list(self._within(window))
        return (total(within[-1]) - total(within[0])) / (within[-1].at - within[0].at)

    def _within(self, window: Window) -> Iterator[Reading]:
        return (reading for reading in self.readings if window.start <= reading.at <= window.end)


@dataclass(frozen=True)
class Truth:
    """A whole run. `steady` is when the load had been even for longer than any rate looks back, and the rules had
    recorded everything; they were loaded at `ruled` (seconds since the epoch).

    `interval` is the time between two samples of a series in this run, in seconds.
    `writes` and `traces` are what arrived at the stand-ins; `logs` has the collectors' logs by name.
    """

    plan: Plan
    interval: float
    began: float
    ruled: float
    steady: Window
    sent: tuple[Sent, ...]
    tasks: tuple[TaskTruth, ...]
    writes: Writes
    traces: Received
    logs: Mapping[str, str]
    prometheus: str
    elsewhere: Elsewhere = field(default_factory=Elsewhere)
    log_records: tuple[str, ...] = ()
    """The texts of the log records that were sent, each of them different."""
    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """What applications wrote to standard error, by name."""
    foreign: tuple[Foreign, ...] = ()
    """The segments that were sent beside the load, without OTLP."""
    arrivals: Mapping[Labels, tuple[Arrival, ...]] = field(default_factory=dict[Labels, tuple[Arrival, ...]])
    """Every sample that was written, by its series."""
    assumed: Assumed = field(default_factory=Assumed)

    def means(self, used: Callable[[Window], float]) -> tuple[float, float]:
        """The mean of a quantity over the steady window, as its moments show it and as a rate would.

        A rate looks back, so its first points still show what was before, and a start is never quite even.
        """
        back = self.looked_back
        return used(self.steady), math.fsum(map(used, back)) / len(back)

    @property
    def looked_back(self) -> tuple[Window, ...]:
        """What each point of a rate in the steady window looks back over."""
        back = LOOK_BACK * self.interval
        count = int(self.steady.seconds / self.interval) + 1
        ends = (self.steady.start + index * self.interval for index in range(count))
        return tuple(Window(end - back, end) for end in ends)

    def tasks_of(self, service: Service) -> tuple[TaskTruth, ...]:
        """The tasks of one service."""
        return tuple(task for task in self.tasks if task.service == service.name)

    @cached_property
    def of_load(self) -> tuple[Segment, ...]:
        """What arrived in X-Ray of the load."""
        others = {one.trace for one in self.foreign}
        return tuple(segment for segment in self.traces.segments if segment.trace not in others)

    @cached_property
    def handled(self) -> Mapping[str, tuple[Handled, ...]]:
        """The requests of each application, by its name: each of them passes all applications, down to the leaf."""
        return {
            service.name: tuple(
                Handled(one.ended, behaviour.duration_seconds(one.order), self._status(service, one.order))
                for one in self.sent
            )
            for service in self.plan.applications
        }

    def _status(self, service: Service, order: int) -> int:
        if not behaviour.is_error(order):
            return 200
        # The last application fails; what calls it says that somebody else did.
        return 500 if service is self.plan.applications[-1] else 502
