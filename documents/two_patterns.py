"""Sidecar and service side by side, in dollars: what each costs with so many tasks, where they cross, what each lacks.

The same settings reserve the same task in both patterns: beside a sidecar the application gets less of it. So the
service pattern is counted twice, with tasks as they are and with tasks that are smaller by what the sidecar took, as
far as Fargate has such a size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from documents import costs
from documents.catalogue import ATTRIBUTES, Pattern
from documents.costs import Scenario, Size, Spread, Stack, Tasks
from documents.fargate import SIZES
from documents.prices import Prices

MOST: Final = 500
"""Tasks of each application up to which a crossing is looked for."""

_UNSEEN: Final = " or ".join(f"`{one.label}`" for one in ATTRIBUTES if Pattern.SERVICE not in one.patterns)

LACKS: Final[Mapping[Pattern, tuple[str, ...]]] = {
    Pattern.SIDECAR: (
        "Every task gives CPU and memory to a collector, however little it sends.",
        "A new version or configuration of the collector deploys every application.",
        "The role of each application may write metrics and traces.",
        "No collector sees a whole trace: what to keep cannot depend on errors or duration (`traces.tail`).",
    ),
    Pattern.SERVICE: (
        "Collectors run, and cost, where nothing is sent.",
        f"In AMP no series of an application has {_UNSEEN}.",
        "CPU, memory, network and disk of tasks stay in CloudWatch, which bills Container Insights for each metric.",
        "Telemetry crosses the network before it is on disk: what a task has not handed over when it dies is lost.",
        "Applications share the collectors: what one sends too much of, all wait for.",
    ),
}
"""What each pattern does without, beside dollars."""


@dataclass(frozen=True)
class Costs:
    """Dollars a month: with a sidecar, in the service pattern, and there with tasks that are as much smaller as the
    collector was."""

    sidecar: Decimal
    service: Decimal
    smaller: Decimal


@dataclass(frozen=True)
class Crossing:
    """From so many tasks of each application on, up to the next crossing, the service pattern is `cheaper` or not."""

    tasks: int
    cheaper: bool


@dataclass(frozen=True)
class Both:
    """A stack in both patterns, with prices, and assumptions by name."""

    sidecar: Stack
    service: Stack
    prices: Prices
    spreads: Mapping[str, Spread]

    @property
    def applications(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(one.name for one in self.service.services if one.application)

    def costs(self, tasks: int | None = None, scenario: Scenario = Scenario.EXPECTED) -> Costs:
        """Dollars with so many tasks of each application, or with as many as the bill has."""
        given = costs.in_scenario(self.spreads, scenario)
        counts = {} if tasks is None else dict.fromkeys(self.applications, Decimal(tasks))

        def month(stack: Stack, sizes: Mapping[str, tuple[int, int]]) -> Decimal:
            return costs.month(stack, self.prices, given, scenario, Size(counts, sizes))

        return Costs(month(self.sidecar, {}), month(self.service, {}), month(self.service, self.smaller_sizes))

    def tasks(self, scenario: Scenario = Scenario.EXPECTED) -> Tasks:
        """How many tasks of each service the bill has in the service pattern."""
        return costs.running(self.service, costs.in_scenario(self.spreads, scenario))

    def crossings(self) -> tuple[tuple[Crossing, ...], tuple[Crossing, ...]]:
        """Where which pattern is cheaper changes, of up to `MOST` tasks of each application, with tasks as they are and
        with smaller ones; the first of each says what it is with one."""
        every = [self.costs(tasks) for tasks in range(1, MOST + 1)]
        return _changes([one.service < one.sidecar for one in every]), _changes(
            [one.smaller < one.sidecar for one in every]
        )

    def shares(self) -> dict[str, Decimal]:
        """What the part of a task that its sidecar takes is worth in a month, by application on Fargate."""
        found: dict[str, Decimal] = {}
        for one in self.sidecar.services:
            if one.application and one.fargate:
                cpu, memory = one.beside
                part = Stack(services=(replace(one, cpu=cpu, memory=memory, disk=0, least=1, most=1),))
                found[one.name] = costs.bill(part, self.prices, self.spreads).part("Fargate").of(Scenario.EXPECTED)
        return found

    @property
    def smaller_sizes(self) -> dict[str, tuple[int, int]]:
        """CPU units and MiB of each application on Fargate, without what its sidecar takes: the least that Fargate has
        for the rest."""
        return {
            one.name: _least(one.cpu - one.beside[0], one.memory - one.beside[1])
            for one in self.sidecar.services
            if one.application and one.fargate
        }


def _changes(cheaper: Sequence[bool]) -> tuple[Crossing, ...]:
    before = (None, *cheaper)
    return tuple(Crossing(at, now) for at, now in enumerate(cheaper, start=1) if now != before[at - 1])


def _least(cpu: int, memory: int) -> tuple[int, int]:
    """The smallest size that Fargate has for so much."""
    for units, memories in SIZES.items():
        for size in memories:
            if units >= cpu and size >= memory:
                return units, size
    return cpu, memory


def sentence(crossings: Sequence[Crossing], applications: int) -> str:
    """Where which pattern is cheaper, in a sentence."""
    first, *others = crossings
    words = {True: "the service pattern", False: "the sidecar"}
    each = "each application" if applications > 1 else "the application"
    if not others:
        return f"With 1 to {MOST:,} tasks of {each}, {words[first.cheaper]} is cheaper."
    parts = [f"With few tasks {words[first.cheaper]} is cheaper"]
    for crossing in others:
        in_all = f" ({crossing.tasks * applications:,} in all)" if applications > 1 else ""
        parts.append(f"from {crossing.tasks:,} tasks of {each}{in_all} on {words[crossing.cheaper]}")
    return ", ".join(parts) + "."
