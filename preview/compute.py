"""What changes the number of tasks of a recorded service, and what they run on and cost, as lines for a person."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from documents import costs
from documents.compute import ON_DEMAND, PROVIDERS, SPOT
from documents.prices import HOURS, Prices, shown
from preview import month, wiring
from preview.costs import files
from preview.recording import Recording, Resource
from preview.wiring import Running

_POLICY = "aws:appautoscaling/policy:Policy"
_ACTION = "aws:appautoscaling/scheduledAction:ScheduledAction"
_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
_GROUP = "aws:autoscaling/group:Group"

_FREE_DISK: Final = 20
"""GiB that a Fargate task has anyway."""


def lines(recording: Recording, run: Running) -> Iterator[str]:
    """Markdown: a line for the bounds and what moves within them, one for each schedule, one for a mix of capacity.
    Nothing for a fixed number of tasks on Fargate alone."""
    if bounds := wiring.scaling(recording, run):
        held = ", ".join(_held(policy) for policy in _of(recording, bounds, _POLICY))
        yield f"- {_span(bounds.inputs)} tasks{f' by load: {held}' if held else ''}"
        for action in _of(recording, bounds, _ACTION):
            span = _span(wiring.table(action.inputs.get("scalableTargetAction")))
            yield f"  - from `{action.inputs.get('schedule')}` ({action.inputs.get('timezone')}) on {span} tasks"
    mixed = strategy(run)
    if on_instances(run):
        yield f"- on EC2 instances: `{mixed[0].get('capacityProvider')}`"
    elif mixed:
        first = [
            f"the first {share['base']} on {share.get('capacityProvider')}, others"
            for share in mixed
            if share.get("base")
        ]
        weights = [f"{share.get('capacityProvider')} {share.get('weight')}" for share in mixed]
        yield f"- {' '.join([*first, 'by weight:', ', '.join(weights)])}"


def _of(recording: Recording, bounds: Resource, token: str) -> Iterator[Resource]:
    return (resource for resource in recording.of_type(token) if bounds.urn in resource.dependencies)


def _span(bounds: Mapping[str, Any]) -> str:
    return f"{bounds.get('minCapacity')} to {bounds.get('maxCapacity')}"


def _held(policy: Resource) -> str:
    configuration = wiring.table(policy.inputs.get("targetTrackingScalingPolicyConfiguration"))
    return f"{policy.inputs.get('name')} at {configuration.get('targetValue')}"


def cost(recording: Recording, runs: Sequence[Running], prices: Prices | None) -> Iterator[str]:
    """Markdown: a row for each ECS service, one for the instances of the stack, and one for all. Nothing where nothing
    runs, and no dollars without prices."""
    if not runs:
        return
    if prices is None:
        yield from _unpriced(recording, runs)
        return
    yield "| what | on | dollars a month |"
    yield "|---|---|---:|"
    least = most = Decimal(0)
    for run in runs:
        if on_instances(run):
            yield f"| {_counted(run)} | in the instances |"
        elif (dollars := _dollars(run, prices)) is None:
            yield f"| {_counted(run)} | not known here |"
        else:
            least, most = least + dollars, most + dollars
            yield f"| {_counted(run)} | {shown(dollars)} |"
    for group in groups(recording):
        each = group.month(prices)
        cost = f"{shown(group.least * each)} to {shown(group.most * each)}" if each else "not known here"
        least, most = least + group.least * (each or 0), most + group.most * (each or 0)
        yield f"| {group} | EC2 | {cost} |"
    yield f"| all | | {shown(least)}{f' to {shown(most)}' if most > least else ''} |"
    yield ""
    yield (
        f"List prices of {prices.region} (docs/costs.md), {HOURS} hours, for the number of tasks that services begin "
        "with; what is run by the clock or once comes on top, and so do instances that are there already. Spot's "
        "prices float."
    )


def _unpriced(recording: Recording, runs: Iterable[Running]) -> Iterator[str]:
    yield "| what | on |"
    yield "|---|---|"
    yield from (f"| {_counted(run)} |" for run in runs)
    yield from (f"| {group} | EC2 |" for group in groups(recording))
    yield ""
    yield files.NO_DOLLARS


def _counted(run: Running) -> str:
    """A service with its tasks, and what they run on: two cells."""
    count = month.tasks(run)
    kinds = ["EC2"] if on_instances(run) else _kinds(run)
    return f"{run.name}, {count} task{'' if count == 1 else 's'} | {' and '.join(kinds)}"


def strategy(run: Running) -> list[Mapping[str, Any]]:
    """The mix of capacity of a service; empty where it has none."""
    return [wiring.table(one) for one in wiring.items(run.service.inputs.get("capacityProviderStrategies"))]


def on_instances(run: Running) -> bool:
    """Whether the tasks of a service are on EC2."""
    return any(share.get("capacityProvider") not in PROVIDERS for share in strategy(run))


def _kinds(run: Running) -> list[str]:
    words = {ON_DEMAND: "Fargate", SPOT: "Fargate Spot"}
    return [words[wiring.text(share.get("capacityProvider"))] for share in strategy(run)] or [words[ON_DEMAND]]


def _dollars(run: Running, prices: Prices) -> Decimal | None:
    """What the tasks of a service cost in a month, where that is known."""
    total = Decimal(0)
    for spot, share in costs.shares(mix(run), Decimal(month.tasks(run))):
        each = on_fargate(run.task, prices, spot=spot)
        if each is None:
            return None
        total += share * each
    return total


def mix(run: Running) -> costs.Mix:
    """The mix of capacity of a service on Fargate."""
    mixed = [
        (share.get("capacityProvider") == SPOT, int(share.get("base", 0)), int(share["weight"]))
        for share in strategy(run)
    ]
    return tuple(mixed) or costs.ON_DEMAND


def on_fargate(definition: Resource, prices: Prices, *, spot: bool = False) -> Decimal | None:
    """Dollars for a task of a definition that runs a whole month, where the price is known."""
    task = definition.inputs
    processor = wiring.text(wiring.table(task.get("runtimePlatform")).get("cpuArchitecture")) or "X86_64"
    found = files.fargate(prices, processor, "fargate-spot" if spot else "fargate")
    if found is None:
        return None
    vcpu, gigabyte = found
    cpu, memory = Decimal(str(task["cpu"])) / 1024, Decimal(str(task["memory"])) / 1024
    return (cpu * vcpu.first + memory * gigabyte.first + billed_disk(definition) * prices["fargate.disk"].first) * HOURS


def billed_disk(definition: Resource) -> int:
    """GiB of a task's disk beyond what every task has."""
    stated = wiring.table(definition.inputs.get("ephemeralStorage")).get("sizeInGib", _FREE_DISK)
    return int(stated) - _FREE_DISK


@dataclass(frozen=True)
class Group:
    """An Auto Scaling group: from `least` to `most` instances of a `kind`, each with so many GiB of `disk`."""

    least: int
    most: int
    kind: str
    disk: int

    def __str__(self) -> str:
        """How many there are of what."""
        return f"{self.least} to {self.most} `{self.kind}` with {self.disk} GiB"

    def month(self, prices: Prices) -> Decimal | None:
        """Dollars for one instance and its disk, as far as that is known."""
        hour = prices.get(f"instance.{self.kind}")
        return hour.first * HOURS + self.disk * prices["volume.gp3"].first if hour else None


def groups(recording: Recording) -> Iterator[Group]:
    """The groups of instances that a stack makes."""
    for group in recording.of_type(_GROUP):
        template = wiring.meant(recording, wiring.table(group.inputs.get("launchTemplate")).get("id"), _TEMPLATE)
        devices = map(wiring.table, wiring.items(template.inputs.get("blockDeviceMappings") if template else ()))
        disk = sum(int(wiring.table(device.get("ebs")).get("volumeSize", 0)) for device in devices)
        kind = wiring.text(template.inputs.get("instanceType")) if template else "instance"
        yield Group(int(group.inputs["minSize"]), int(group.inputs["maxSize"]), kind, disk)
