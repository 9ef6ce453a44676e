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


def lines(recording: Recording) -> Iterator[str]:
    """A table of them, empty where there is none."""
    found = [task for task in recording.of_type(wiring.TASK) if _is_ours(recording, task)]
    if not found:
        return
    prices, when = files.at_hand(recording.region), dict(_schedules(recording))
    yield "| task | CPU units, MiB | runs | runs a month | dollars a month for each minute of a run |"
    yield "|---|---|---|---:|---:|"
    for task in sorted(found, key=wiring.aws_name):
        size = f"{task.inputs.get('cpu')}, {task.inputs.get('memory')}"
        schedule = when.get(task.urn)
        row = (f"`{wiring.aws_name(task)}`", size, _moments(schedule), *_cost(task, schedule, prices))
        yield f"| {' | '.join(row)} |"
    yield ""
    yield (
        f"The output `runTask` has the command for each. List prices of {prices.region} (docs/costs.md); a run is "
        "billed from the pull of its images on, for a minute at least."
    )


def _moments(schedule: Resource | None) -> str:
    if schedule is None:
        return "when somebody runs it"
    asleep = ", but it is turned off" if schedule.inputs.get("state") == "DISABLED" else ""
    return f"`{schedule.inputs.get('scheduleExpression')}`, {schedule.inputs.get('scheduleExpressionTimezone')}{asleep}"


def _cost(task: Resource, schedule: Resource | None, prices: Prices) -> tuple[str, str]:
    """How often it runs in a month, and what that costs if each run takes a minute; nothing where nobody knows."""
    if schedule is None or schedule.inputs.get("state") == "DISABLED":
        return "", ""
    runs = tasks.runs_a_month(wiring.text(schedule.inputs.get("scheduleExpression")))
    if runs is None:
        return "", ""
    month = compute.on_fargate(task, prices)
    if month is None:
        return f"{runs:,.1f}", ""
    return f"{runs:,.1f}", f"{Decimal(str(runs)) * month / HOURS / 60:.3f}"


def _is_ours(recording: Recording, task: Resource) -> bool:
    component = wiring.component(recording, task)
    return component is not None and component.type == _TASK


def _schedules(recording: Recording) -> Iterator[tuple[str, Resource]]:
    """The schedule of each task definition, by its URN."""
    for schedule in recording.of_type(_SCHEDULE):
        parameters = wiring.table(wiring.table(schedule.inputs.get("target")).get("ecsParameters"))
        if task := wiring.meant(recording, parameters.get("taskDefinitionArn"), wiring.TASK):
            yield task.urn, schedule
