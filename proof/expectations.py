"""What every panel, variable and recorded series must show, from the truth of a run and never from a query.

An expectation is stated in base units (ratios, bytes, seconds, vCPU, each per second where it is a rate) per series:
which labels tell the series apart, and between which values each of them must lie.
"""

import bisect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from documents.catalogue import Label
from proof.truth import TaskTruth, Truth, Window

_MEBIBYTE: Final = 1024 * 1024
_PAGE: Final = 4096
"""Bytes: the smallest piece that goes to or from a disk."""

ROUTE: Final = "/orders/{order_id}"
"""The sample's only route that is observed."""

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Bucket bounds in seconds: OpenTelemetry semantic conventions, metric `http.server.request.duration`."""


class Quantity(StrEnum):
    """What a value measures, with the base unit that it is stated in."""

    COUNT = ""
    RATIO = "ratio"
    BYTES = "B"
    BYTE_RATE = "B/s"
    SECONDS = "s"
    RATE = "/s"
    VCPU = "vCPU"

    def show(self, value: float) -> str:
        """A value for people."""
        if not math.isfinite(value):
            return str(value)
        match self:
            case Quantity.RATIO:
                return f"{100 * value:.3g} %"
            case Quantity.SECONDS:
                return f"{1000 * value:.3g} ms" if abs(value) < 1 else f"{value:.3g} s"
            case Quantity.BYTES | Quantity.BYTE_RATE:
                power = min(max(int(math.log(abs(value), 1024)), 0), 4) if value else 0
                return f"{value / 1024**power:.4g} {('', 'Ki', 'Mi', 'Gi', 'Ti')[power]}{self.value}"
            case _:
                return f"{value:.4g} {self.value}".rstrip().replace(" /s", "/s")


@dataclass(frozen=True)
class Value:
    """A value lies from `low` to `high`; `centre` is set where it is one value with a tolerance."""

    quantity: Quantity
    low: float
    high: float
    centre: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a value is what was expected."""
        return self.low <= value <= self.high

    def __str__(self) -> str:
        if self.centre is None:
            return f"{self.quantity.show(self.low)} to {self.quantity.show(self.high)}"
        if self.low == self.high:
            return self.quantity.show(self.centre)
        return f"{self.quantity.show(self.centre)} ± {self.quantity.show(self.high - self.centre)}"


@dataclass(frozen=True)
class Expected:
    """Exactly these series, told apart by the values of the labels `by`."""

    by: tuple[str, ...]
    series: Mapping[tuple[str, ...], Value]


Expectation = Callable[[Truth], Expected]


# What a quantity is made of


def about(quantity: Quantity, value: float, relative: float, absolute: float = 0.0) -> Value:
    """A value with a tolerance: its share, and at least an absolute part."""
    slack = max(abs(value) * relative, absolute)
    return Value(quantity, value - slack, value + slack, value)


def exactly(value: float) -> Value:
    """A count."""
    return Value(Quantity.COUNT, value, value, value)


def between(quantity: Quantity, low: float, high: float) -> Value:
    """A value that itself moved while it was watched."""
    return Value(quantity, low, high)


def _even(quantity: Quantity, truth: Truth, used: Callable[[Window], float], relative: float, absolute: float) -> Value:
    """What was used evenly, whether a query looks at moments or back over a while."""
    means = truth.means(used)
    low, high = about(quantity, min(means), relative, absolute), about(quantity, max(means), relative, absolute)
    return between(quantity, max(low.low, 0), high.high)


def _cpu(tasks: Sequence[TaskTruth], truth: Truth) -> Value:
    """vCPU of several tasks together. A process's clock ticks in hundredths of a second."""
    return _even(Quantity.VCPU, truth, lambda window: sum(task.used_vcpu(window) for task in tasks), 0.15, 0.01)


def _cpu_share(tasks: Sequence[TaskTruth], truth: Truth) -> Value:
    """Mean share of the reservation."""

    def share(window: Window) -> float:
        return math.fsum(task.used_vcpu(window) / task.vcpu for task in tasks) / len(tasks)

    return _even(Quantity.RATIO, truth, share, 0.15, 0.02)


def _memory(tasks: Sequence[TaskTruth], truth: Truth) -> Value:
    """Bytes. The receiver cuts each container to whole MiB, and memory moves between two looks at it."""
    held = [task.used_memory(truth.steady) for task in tasks]
    low, high = sum(least for least, _ in held), sum(most for _, most in held)
    return between(Quantity.BYTES, low * 0.95 - 2 * _MEBIBYTE * len(tasks), high * 1.05)


def _memory_share(tasks: Sequence[TaskTruth], truth: Truth) -> Value:
    """Mean share of the reservation."""
    values = [(_memory([task], truth), task.memory * _MEBIBYTE) for task in tasks]
    low, high = sum(held.low / whole for held, whole in values), sum(held.high / whole for held, whole in values)
    return between(Quantity.RATIO, low / len(values), high / len(values))


def _received(tasks: Sequence[TaskTruth], truth: Truth) -> Value:
    """Bytes a second."""
    return _even(Quantity.BYTE_RATE, truth, lambda window: sum(task.received(window) for task in tasks), 0.15, 50)


def _sent(tasks: Sequence[TaskTruth], truth: Truth) -> Value:
    """Bytes a second. Telemetry leaves in bursts, of which the window may catch one more or less."""
    return _even(Quantity.BYTE_RATE, truth, lambda window: sum(task.sent(window) for task in tasks), 0.2, 50)


def _read(tasks: Sequence[TaskTruth], truth: Truth) -> Value:
    """Bytes a second from disk; what the kernel reads ahead comes in pieces."""
    return _even(Quantity.BYTE_RATE, truth, lambda window: sum(task.read(window) for task in tasks), 0.25, _PAGE)


def _written(tasks: Sequence[TaskTruth], truth: Truth) -> Value:
    """Bytes a second to disk."""
    return _even(Quantity.BYTE_RATE, truth, lambda window: sum(task.written(window) for task in tasks), 0.25, _PAGE)


def _requests(truth: Truth, application: str) -> Value:
    """Requests a second that the application answered in the steady window."""
    at = sorted(one.at for one in truth.handled[application] if truth.steady.start <= one.at <= truth.steady.end)
    return about(Quantity.RATE, (len(at) - 1) / (at[-1] - at[0]), 0.06)


def _errors(truth: Truth, application: str) -> Value:
    """Share of the requests that were answered with a status of 500 and above."""
    within = [one for one in truth.handled[application] if truth.steady.start <= one.at <= truth.steady.end]
    return about(Quantity.RATIO, sum(one.status >= 500 for one in within) / len(within), 0.1)


def _latency(quantile: float) -> Callable[[Truth, str], Value]:
    """Seconds, as a histogram with the conventions' buckets gives them.

    At least what the sample's behaviour takes, at most what the client measured: what lies between is overhead.
    """

    def expected(truth: Truth, application: str) -> Value:
        pairs = zip(truth.handled[application], truth.sent, strict=True)
        within = [pair for pair in pairs if truth.steady.start <= pair[0].at <= truth.steady.end]
        least = from_histogram(quantile, [handled.seconds for handled, _ in within])
        most = from_histogram(quantile, [sent.seconds for _, sent in within])
        return between(Quantity.SECONDS, least * 0.92, most * 1.08)

    return expected


def from_histogram(quantile: float, seconds: Sequence[float]) -> float:
    """A quantile as it can be told from buckets: values are taken to be even within each of them."""
    counts = [0] * (len(BOUNDS) + 1)
    for value in seconds:
        counts[bisect.bisect_left(BOUNDS, value)] += 1
    rank, below = quantile * len(seconds), 0
    for index, count in enumerate(counts[:-1]):
        if below + count >= rank and count:
            lower = BOUNDS[index - 1] if index else 0.0
            return lower + (BOUNDS[index] - lower) * (rank - below) / count
        below += count
    return BOUNDS[-1]


# Which series


def _in_total(quantity: Callable[[Sequence[TaskTruth], Truth], Value]) -> Expectation:
    return lambda truth: Expected((), {(): quantity(_observed(truth), truth)})


def _by_family(quantity: Callable[[Sequence[TaskTruth], Truth], Value]) -> Expectation:
    def expected(truth: Truth) -> Expected:
        families: dict[tuple[str, ...], list[TaskTruth]] = {}
        for task in _observed(truth):
            families.setdefault((task.family,), []).append(task)
        return Expected((Label.FAMILY,), {family: quantity(tasks, truth) for family, tasks in families.items()})

    return expected


def _by_task(quantity: Callable[[Sequence[TaskTruth], Truth], Value]) -> Expectation:
    return lambda truth: Expected(
        (Label.TASK, Label.FAMILY, Label.SERVICE),
        {(task.id, task.family, task.service): quantity([task], truth) for task in _observed(truth)},
    )


def _by_application(quantity: Callable[[Truth, str], Value]) -> Expectation:
    return lambda truth: Expected(
        (Label.JOB,), {(truth.plan.job(one),): quantity(truth, one.name) for one in truth.plan.applications}
    )


def _by_route(quantity: Callable[[Truth, str], Value]) -> Expectation:
    return lambda truth: Expected(
        (Label.JOB, Label.ROUTE),
        {(truth.plan.job(one), ROUTE): quantity(truth, one.name) for one in truth.plan.applications},
    )


def _observed(truth: Truth) -> list[TaskTruth]:
    """The tasks whose ECS metrics are in AMP: those with a collector of their own."""
    return [task for task in truth.tasks if task.sidecar and _is_application(truth, task)]


def _is_application(truth: Truth, task: TaskTruth) -> bool:
    return any(task.service == one.name for one in truth.plan.applications)


def _red(by: str, spread: Callable[[Callable[[Truth, str], Value]], Expectation]) -> dict[str, Expectation]:
    return {
        f"Request rate by {by}": spread(_requests),
        f"Error ratio by {by}": spread(_errors),
        f"Latency p50 by {by}": spread(_latency(0.5)),
        f"Latency p95 by {by}": spread(_latency(0.95)),
        f"Latency p99 by {by}": spread(_latency(0.99)),
    }


_ECS: Final[Mapping[str, Expectation]] = {
    "Running tasks": _in_total(lambda tasks, _: exactly(len(tasks))),
    "Memory in use": _in_total(_memory),
    "vCPU in use": _in_total(_cpu),
    "CPU of reservation": _by_family(_cpu_share),
    "Memory of reservation": _by_family(_memory_share),
    "Network in": _by_family(_received),
    "Network out": _by_family(_sent),
    "Storage read": _by_family(_read),
    "Storage write": _by_family(_written),
}

PANELS: Final[Mapping[tuple[str, str, str], Expectation]] = {
    **{("ecs-tasks", title, "A"): expectation for title, expectation in _ECS.items()},
    ("ecs-tasks", "Tasks", "A"): _by_task(_cpu_share),
    ("ecs-tasks", "Tasks", "B"): _by_task(_memory_share),
    ("ecs-tasks", "Tasks", "C"): _by_task(_memory),
    ("ecs-tasks", "Tasks", "D"): _by_task(_received),
    ("ecs-tasks", "Tasks", "E"): _by_task(_sent),
    **{("application", title, "A"): one for title, one in _red("application", _by_application).items()},
    **{("application", title, "A"): one for title, one in _red("route", _by_route).items()},
    ("application", "Routes", "A"): _by_route(_requests),
    ("application", "Routes", "B"): _by_route(_errors),
    ("application", "Routes", "C"): _by_route(_latency(0.95)),
}
"""By dashboard uid, panel title and refId. A panel of ours that is not here is not proved."""

RECORDED: Final[Mapping[str, Expectation]] = {
    "task:ecs_task_cpu_utilization:ratio": _by_task(_cpu_share),
    "task:ecs_task_memory_utilization:ratio": _by_task(_memory_share),
}
"""By the name of the recorded series."""


def _sorted(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


VARIABLES: Final[Mapping[tuple[str, str], Callable[[Truth], tuple[str, ...]]]] = {
    ("ecs-tasks", "cluster"): lambda truth: (truth.plan.cluster,),
    ("ecs-tasks", "service"): lambda truth: _sorted(task.service for task in _observed(truth)),
    ("ecs-tasks", "family"): lambda truth: _sorted(task.family for task in _observed(truth)),
    ("application", "cluster"): lambda truth: (truth.plan.cluster,),
    ("application", "application"): lambda truth: _sorted(truth.plan.job(one) for one in truth.plan.applications),
}
"""By dashboard uid and name of the variable: the values that a user can choose from."""

OURS: Final = tuple(dict.fromkeys(uid for uid, *_ in PANELS))
"""The uids of the dashboards that are made here, in the order of a report; every other one was imported."""
