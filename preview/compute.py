"""What changes the number of tasks of a recorded service, and what they run on, as lines for a person."""

from collections.abc import Iterator, Mapping
from typing import Any

from preview import wiring
from preview.recording import Recording, Resource
from preview.wiring import Running

_TARGET = "aws:appautoscaling/target:Target"
_POLICY = "aws:appautoscaling/policy:Policy"
_ACTION = "aws:appautoscaling/scheduledAction:ScheduledAction"


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
    if strategy := [wiring.table(one) for one in wiring.items(run.service.inputs.get("capacityProviderStrategies"))]:
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
