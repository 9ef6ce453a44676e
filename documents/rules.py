"""Prometheus recording rules: what dashboards and alerts ask again and again.

Names follow Prometheus' convention `level:metric:operation`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from documents import text
from documents.catalogue import ATTRIBUTES, CPU_RESERVED, CPU_UTILIZED, MEMORY_RESERVED, MEMORY_UTILIZED, TaskMetric


@dataclass(frozen=True)
class Recorded:
    """A series that a rule makes: `name`, the `labels` that it keeps, and the expression behind it."""

    name: str
    labels: tuple[str, ...]
    expr: str


_TASK_LABELS: Final = tuple(attribute.label for attribute in ATTRIBUTES)


def _used_of_reserved(name: str, used: TaskMetric, reserved: TaskMetric) -> Recorded:
    # max, not sum: a task that for a moment has two series (a label changed) must not count twice.
    by = f"max by ({', '.join(_TASK_LABELS)})"
    return Recorded(name, _TASK_LABELS, f"{by} ({used.name}) / ({by} ({reserved.name}) > 0)")


CPU_UTILIZATION: Final = _used_of_reserved("task:ecs_task_cpu_utilization:ratio", CPU_UTILIZED, CPU_RESERVED)
MEMORY_UTILIZATION: Final = _used_of_reserved(
    "task:ecs_task_memory_utilization:ratio", MEMORY_UTILIZED, MEMORY_RESERVED
)

RECORDED: Final = (CPU_UTILIZATION, MEMORY_UTILIZATION)
"""Every series that our rules make."""


def recording_rules() -> dict[str, object]:
    """The data of a Prometheus rules file, for stacks whose ECS task metrics are in AMP.

    Groups carry no `interval`: AMP's default of 60 s holds, which is the shipped interval of the metrics.
    """
    rules = [{"record": recorded.name, "expr": recorded.expr} for recorded in RECORDED]
    return {"groups": [{"name": "ecs-tasks", "rules": rules}]}


def to_yaml(rules: Mapping[str, object]) -> str:
    """The text of a rules file: the same bytes for the same rules, keys in the order in which people write them."""
    return text.to_yaml(rules)
