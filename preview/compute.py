"""What changes the number of tasks of a recorded service, and what they run on and cost, as lines for a person."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from documents import prices
from documents.compute import ON_DEMAND, PROVIDERS, SPOT
from preview import month, wiring
from preview.recording import Recording, Resource
from preview.wiring import Running

_TARGET = "aws:appautoscaling/target:Target"
_POLICY = "aws:appautoscaling/policy:Policy"
_ACTION = "aws:appautoscaling/scheduledAction:ScheduledAction"
_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
_GROUP = "aws:autoscaling/group:Group"

_FREE_DISK: Final = 20
"""GiB that a Fargate task has anyway."""


def lines(recording: Recording, run: Running) -> Iterator[str]:
    """Markdown: a line for the bounds and what moves within them, one for each schedule, one for a mix of capacity.
    Nothing for a fixed number of tasks on Fargate alone."""
    for bounds in recording.of_type(_TARGET):
        if run.service.urn in bounds.dependencies:
            held = ", ".join(_held(policy) for policy in _of(recording, bounds, _POLICY))
            yield f"- {_span(bounds.inputs)} tasks{f' by load: {held}' if held else ''}"
            for action in _of(recording, bounds, _ACTION):
                span = _span(wiring.table(action.inputs.get("scalableTargetAction")))
                yield f"  - from `{action.inputs.get('schedule')}` ({action.inputs.get('timezone')}) on {span} tasks"
    strategy = _strategy(run)
    if _on_instances(run):
        yield f"- on EC2 instances: `{strategy[0].get('capacityProvider')}`"
    elif strategy:
        first = [
            f"the first {share['base']} on {share.get('capacityProvider')}, others"
            for share in strategy
            if share.get("base")
        ]
        weights = [f"{share.get('capacityProvider')} {share.get('weight')}" for share in strategy]
        yield f"- {' '.join([*first, 'by weight:', ', '.join(weights)])}"


def _of(recording: Recording, bounds: Resource, token: str) -> Iterator[Resource]:
    return (resource for resource in recording.of_type(token) if bounds.urn in resource.dependencies)


def _span(bounds: Mapping[str, Any]) -> str:
    return f"{bounds.get('minCapacity')} to {bounds.get('maxCapacity')}"


def _held(policy: Resource) -> str:
    configuration = wiring.table(policy.inputs.get("targetTrackingScalingPolicyConfiguration"))
    return f"{policy.inputs.get('name')} at {configuration.get('targetValue')}"


def cost(recording: Recording, runs: Sequence[Running]) -> Iterator[str]:
    """Markdown: a row for each ECS service, one for the instances of the stack, and one for all. Nothing where nothing
    runs."""
    if not runs:
        return
    yield "| what | on | dollars a month |"
    yield "|---|---|---:|"
    least = most = 0.0
    for run in runs:
        count = f"{run.name}, {month.tasks(run)} task{'' if month.tasks(run) == 1 else 's'}"
        if _on_instances(run):
            yield f"| {count} | EC2 | in the instances |"
        else:
            dollars = round(_dollars(run), 2)
            least, most = least + dollars, most + dollars
            yield f"| {count} | {' and '.join(_kinds(run))} | {dollars:.2f} |"
    for group in recording.of_type(_GROUP):
        template = wiring.meant(recording, wiring.table(group.inputs.get("launchTemplate")).get("id"), _TEMPLATE)
        kind, each = _instance(template) if template else ("instance", None)
        low, high = int(group.inputs["minSize"]), int(group.inputs["maxSize"])
        shown = f"{low * each:.2f} to {high * each:.2f}" if each else "not known here"
        least, most = least + low * (each or 0), most + high * (each or 0)
        yield f"| {low} to {high} {kind} | EC2 | {shown} |"
    yield f"| all | | {least:.2f}{f' to {most:.2f}' if most > least else ''} |"
    yield ""
    yield (
        "List prices of us-east-1 (docs/costs.md), 730 hours, for the number of tasks that services begin with; what "
        "is run by the clock or once comes on top, and so do instances that are there already. Spot's prices float."
    )


def _strategy(run: Running) -> list[Mapping[str, Any]]:
    return [wiring.table(one) for one in wiring.items(run.service.inputs.get("capacityProviderStrategies"))]


def _on_instances(run: Running) -> bool:
    return any(share.get("capacityProvider") not in PROVIDERS for share in _strategy(run))


def _kinds(run: Running) -> list[str]:
    words = {ON_DEMAND: "Fargate", SPOT: "Fargate Spot"}
    return [words[wiring.text(share.get("capacityProvider"))] for share in _strategy(run)] or [words[ON_DEMAND]]


def _dollars(run: Running) -> float:
    """What the tasks of a service cost in a month: the base first, others by weight."""
    count, strategy = month.tasks(run), _strategy(run) or [{"capacityProvider": ON_DEMAND, "weight": 1}]
    based = min(count, sum(int(share.get("base", 0)) for share in strategy))
    weights = sum(int(share["weight"]) for share in strategy)
    return sum(
        (min(int(share.get("base", 0)), based) + (count - based) * int(share["weight"]) / weights)
        * on_fargate(run.task, prices.FARGATE_SPOT if share["capacityProvider"] == SPOT else prices.FARGATE)
        for share in strategy
    )


def on_fargate(definition: Resource, by_processor: Mapping[str, prices.Computing]) -> float:
    """Dollars for a task of a definition that runs a whole month."""
    task = definition.inputs
    processor = wiring.text(wiring.table(task.get("runtimePlatform")).get("cpuArchitecture")) or "X86_64"
    disk = int(wiring.table(task.get("ephemeralStorage")).get("sizeInGib", _FREE_DISK)) - _FREE_DISK
    return by_processor[processor].month(float(task["cpu"]), float(task["memory"])) + prices.TASK_DISK.month(disk)


def _instance(template: Resource) -> tuple[str, float | None]:
    """What an instance is, and what it costs in a month with its disk, as far as that is known."""
    kind = wiring.text(template.inputs.get("instanceType"))
    devices = map(wiring.table, wiring.items(template.inputs.get("blockDeviceMappings")))
    disk = sum(int(wiring.table(device.get("ebs")).get("volumeSize", 0)) for device in devices)
    price = prices.INSTANCES.get(kind)
    return f"`{kind}` with {disk} GiB", price.month() + disk * prices.VOLUME_MONTH if price else None
