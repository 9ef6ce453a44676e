"""What ECS tasks use of what they have reserved, where a collector beside them sees it."""

from typing import Final

from documents.catalogue import ATTRIBUTES, CPU_RESERVED, CPU_UTILIZED, MEMORY_RESERVED, MEMORY_UTILIZED, TaskMetric
from documents.observed import Observed
from documents.rules.recorded import Group, Recorded, Rule, by, newest

_OF_TASK: Final = tuple(attribute.label for attribute in ATTRIBUTES)

CPU_UTILIZATION: Final = Recorded("task:ecs_task_cpu_utilization:ratio", _OF_TASK)
MEMORY_UTILIZATION: Final = Recorded("task:ecs_task_memory_utilization:ratio", _OF_TASK)

TASKS: Final = (CPU_UTILIZATION, MEMORY_UTILIZATION)
"""Every series that our rules make for each task."""


def group(observed: Observed) -> Group:
    """For stacks in which a collector sees its own task."""
    return Group(
        "ecs-tasks",
        (
            _used_of_reserved(observed, CPU_UTILIZATION, CPU_UTILIZED, CPU_RESERVED),
            _used_of_reserved(observed, MEMORY_UTILIZATION, MEMORY_UTILIZED, MEMORY_RESERVED),
        ),
    )


def _used_of_reserved(observed: Observed, makes: Recorded, used: TaskMetric, reserved: TaskMetric) -> Rule:
    # max, not sum: a task that for a moment has two series (a label changed) must not count twice.
    held, whole = (f"{by(_OF_TASK, 'max')} ({newest(metric.name, observed)})" for metric in (used, reserved))
    return Rule(makes, f"{held} / ({whole} > 0)")
