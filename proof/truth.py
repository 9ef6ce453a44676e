"""What really happened while a stack ran: the load that was sent, and what its processes used. No telemetry in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from proof.gate import Writes
from proof.load import Sent
from proof.metadata import Reading
from proof.plan import Plan, Service
from proof.xray import Received
from sample import behaviour


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
        first, last = self._ends(window)
        return (_cpu(last) - _cpu(first)) / (last.at - first.at)

    def used_memory(self, window: Window) -> tuple[float, float]:
        """The least and the most that its containers held together, in bytes."""
        held = [sum(one.memory for one in reading.usage.values()) for reading in self._within(window)]
        return min(held), max(held)

    def received(self, window: Window) -> float:
        """Mean over the window, in bytes a second."""
        first, last = self._ends(window)
        return (last.traffic.received - first.traffic.received) / (last.at - first.at)

    def sent(self, window: Window) -> float:
        """Mean over the window, in bytes a second."""
        first, last = self._ends(window)
        return (last.traffic.sent - first.traffic.sent) / (last.at - first.at)

    def disk(self, window: Window) -> tuple[tuple[int, int], tuple[int, int]]:
        """(bytes read, bytes written) until the start and until the end of the window."""
        first, last = self._ends(window)
        return _disk(first), _disk(last)

    def _within(self, window: Window) -> Iterator[Reading]:
        return (reading for reading in self.readings if window.start <= reading.at <= window.end)

    def _ends(self, window: Window) -> tuple[Reading, Reading]:
        within = list(self._within(window))
        return within[0], within[-1]


@dataclass(frozen=True)
class Truth:
    """A whole run. `steady` is when the load had been even for longer than any rate looks back.

    `interval` is the time between two samples of a series in this run, in seconds.
    `writes` and `traces` are what arrived at the stand-ins; `logs` has the collectors' logs by name.
    """

    plan: Plan
    interval: float
    began: float
    steady: Window
    sent: tuple[Sent, ...]
    tasks: tuple[TaskTruth, ...]
    writes: Writes
    traces: Received
    logs: Mapping[str, str]
    prometheus: str

    def tasks_of(self, service: Service) -> tuple[TaskTruth, ...]:
        """The tasks of one service."""
        return tuple(task for task in self.tasks if task.service == service.name)

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


def _cpu(reading: Reading) -> float:
    return sum(one.user + one.system for one in reading.usage.values())


def _disk(reading: Reading) -> tuple[int, int]:
    return sum(one.read for one in reading.usage.values()), sum(one.written for one in reading.usage.values())
