"""What a value must be: in base units (ratios, bytes, seconds, vCPU, each per second where it is a rate), per series:
which labels tell the series apart, and between which values each of them must lie.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from documents.catalogue import Label
from proof.truth import TaskTruth, Truth, Window


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
    """Exactly these series, told apart by the values of the labels `by`.

    Those in `optional` may be missing, and `coverage` is the share of the asked points that each has at least: what
    begins when something has been wrong for a while has fewer.
    """

    by: tuple[str, ...]
    series: Mapping[tuple[str, ...], Value]
    optional: frozenset[tuple[str, ...]] = frozenset()
    coverage: float = 0.8


SELDOM: Final = 0.5
"""The coverage of what rules look at every four minutes only: what begins between two looks is there from the next."""

_OFTEN: Final = 0.12
"""Exports do not come quite as often as they should, and a rate is made of four of them."""

Expectation = Callable[[Truth], Expected]


# What a quantity is made of


def about(quantity: Quantity, value: float, relative: float, absolute: float = 0.0) -> Value:
    """A value with a tolerance: its share, and at least an absolute part."""
    slack = max(abs(value) * relative, absolute)
    return Value(quantity, value - slack, value + slack, value)


def often(truth: Truth, quantity: Quantity, value: float) -> Value:
    """What arrives once in each interval: a window holds one arrival of each series more or less than its length says,
    which a short one cannot tell from a fault."""
    return about(quantity, value, max(_OFTEN, truth.interval / truth.steady.seconds))


def exactly(value: float) -> Value:
    """A count."""
    return Value(Quantity.COUNT, value, value, value)


def between(quantity: Quantity, low: float, high: float) -> Value:
    """A value that itself moved while it was watched."""
    return Value(quantity, low, high)


def even(quantity: Quantity, truth: Truth, used: Callable[[Window], float], relative: float, absolute: float) -> Value:
    """What was used evenly, whether a query looks at moments or back over a while."""
    means = truth.means(used)
    low, high = about(quantity, min(means), relative, absolute), about(quantity, max(means), relative, absolute)
    return between(quantity, max(low.low, 0), high.high)


def in_total(quantity: Callable[[Sequence[TaskTruth], Truth], Value]) -> Expectation:
    """One series: a quantity of all observed tasks together."""
    return lambda truth: Expected((), {(): quantity(observed(truth), truth)})


def by_family(quantity: Callable[[Sequence[TaskTruth], Truth], Value]) -> Expectation:
    """A series for each task family."""

    def expected(truth: Truth) -> Expected:
        families: dict[tuple[str, ...], list[TaskTruth]] = {}
        for task in observed(truth):
            families.setdefault((task.family,), []).append(task)
        return Expected((Label.FAMILY,), {family: quantity(tasks, truth) for family, tasks in families.items()})

    return expected


def by_task(quantity: Callable[[Sequence[TaskTruth], Truth], Value]) -> Expectation:
    """A series for each task."""
    return lambda truth: Expected(
        (Label.TASK, Label.FAMILY, Label.SERVICE),
        {(task.id, task.family, task.service): quantity([task], truth) for task in observed(truth)},
    )


def observed(truth: Truth) -> list[TaskTruth]:
    """The tasks whose ECS metrics are in AMP: those with a collector of their own."""
    return [task for task in truth.tasks if task.sidecar and _is_application(truth, task)]


def _is_application(truth: Truth, task: TaskTruth) -> bool:
    return any(task.service == one.name for one in truth.plan.applications)


def in_order(values: Iterable[str]) -> tuple[str, ...]:
    """Each value once, as a variable offers them."""
    return tuple(sorted(set(values)))
