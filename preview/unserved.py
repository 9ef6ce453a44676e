"""The tasks of a stack that are no service, and when they run."""

from collections.abc import Iterator

from preview import wiring
from preview.recording import Recording, Resource

_TASK = "ecs-observability:index:Task"
_SCHEDULE = "aws:scheduler/schedule:Schedule"


def lines(recording: Recording) -> Iterator[str]:
    """A table of them, empty where there is none."""
    found = [task for task in recording.of_type(wiring.TASK) if _is_ours(recording, task)]
    if not found:
        return
    when = dict(_schedules(recording))
    yield from ("| task | CPU units, MiB | runs |", "|---|---|---|")
    for task in sorted(found, key=wiring.aws_name):
        size = f"{task.inputs.get('cpu')}, {task.inputs.get('memory')}"
        yield f"| `{wiring.aws_name(task)}` | {size} | {when.get(task.urn, 'when somebody runs it')} |"
    yield from ("", "The output `runTask` has the command for each. What they cost depends on how long they take.")


def _is_ours(recording: Recording, task: Resource) -> bool:
    component = wiring.component(recording, task)
    return component is not None and component.type == _TASK


def _schedules(recording: Recording) -> Iterator[tuple[str, str]]:
    """When each task definition is run, by its URN."""
    for schedule in recording.of_type(_SCHEDULE):
        parameters = wiring.table(wiring.table(schedule.inputs.get("target")).get("ecsParameters"))
        if task := wiring.meant(recording, parameters.get("taskDefinitionArn"), wiring.TASK):
            asleep = ", but it is turned off" if schedule.inputs.get("state") == "DISABLED" else ""
            zone = schedule.inputs.get("scheduleExpressionTimezone")
            yield task.urn, f"`{schedule.inputs.get('scheduleExpression')}`, {zone}{asleep}"
