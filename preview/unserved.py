"""The tasks of a stack that are no service, and when they run."""

from collections.abc import Iterator
from decimal import Decimal

from documents import tasks
from documents.prices import HOURS, Prices
from preview import compute, wiring
from preview.costs import files
from preview.recording import Recording, Resource

_TASK = "ecs-observability:index:Task"
_SCHEDULE = "aws:scheduler/schedule:Schedule"


def lines(recording: Recording, prices: Prices | None) -> Iterator[str]:
    """A table of them, empty where there is none, and no dollars without prices."""
    found = [task for task in recording.of_type(wiring.TASK) if _is_ours(recording, task)]
    if not found:
        return
    when = dict(_schedules(recording))
    dollars = (" dollars a month for each minute of a run |", "---:|") if prices else ("", "")
    yield f"| task | CPU units, MiB | runs | runs a month |{dollars[0]}"
    yield f"|---|---|---|---:|{dollars[1]}"
    for task in sorted(found, key=wiring.aws_name):
        size = f"{task.inputs.get('cpu')}, {task.inputs.get('memory')}"
        schedule = when.get(task.urn)
        runs = _runs(schedule)
        row = [f"`{wiring.aws_name(task)}`", size, _moments(schedule), f"{runs:,.1f}" if runs is not None else ""]
        yield f"| {' | '.join([*row, _cost(task, runs, prices)] if prices else row)} |"
    yield ""
    yield (
        "The output `runTask` has the command for each. A run is billed from the pull of its images on, for a minute "
        f"at least. {f'List prices of {prices.region} (docs/costs.md).' if prices else files.NO_DOLLARS}"
    )


def _moments(schedule: Resource | None) -> str:
    if schedule is None:
        return "when somebody runs it"
    asleep = ", but it is turned off" if schedule.inputs.get("state") == "DISABLED" else ""
    return f"`{schedule.inputs.get('scheduleExpression')}`, {schedule.inputs.get('scheduleExpressionTimezone')}{asleep}"


def _runs(schedule: Resource | None) -> float | None:
    """How often it runs in a month, where anybody knows."""
    if schedule is None or schedule.inputs.get("state") == "DISABLED":
        return None
    return tasks.runs_a_month(wiring.text(schedule.inputs.get("scheduleExpression")))


def _cost(task: Resource, runs: float | None, prices: Prices) -> str:
    """What so many runs cost if each takes a minute."""
    month = compute.on_fargate(task, prices)
    return f"{Decimal(str(runs)) * month / HOURS / 60:.3f}" if runs is not None and month is not None else ""


def _is_ours(recording: Recording, task: Resource) -> bool:
    component = wiring.component(recording, task)
    return component is not None and component.type == _TASK


def _schedules(recording: Recording) -> Iterator[tuple[str, Resource]]:
    """The schedule of each task definition, by its URN."""
    for schedule in recording.of_type(_SCHEDULE):
        parameters = wiring.table(wiring.table(schedule.inputs.get("target")).get("ecsParameters"))
        if task := wiring.meant(recording, parameters.get("taskDefinitionArn"), wiring.TASK):
            yield task.urn, schedule
