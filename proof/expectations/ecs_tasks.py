"""What the dashboard "ECS tasks" must show."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from proof.expectations.values import (
    Expectation,
    Quantity,
    Value,
    between,
    by_family,
    by_task,
    even,
    exactly,
    in_order,
    in_total,
    observed,
)
from proof.truth import TaskTruth, Truth, Window

_MEBIBYTE: Final = 1024 * 1024
_PAGE: Final = 4096
"""Bytes: the smallest piece that goes to or from a disk."""


def _cpu(tasks: Sequence[TaskTruth], truth: Truth) -> Value:
    """vCPU of several tasks together. A process's clock ticks in hundredths of a second."""
    return even(Quantity.VCPU, truth, lambda window: sum(task.used_vcpu(window) for task in tasks), 0.15, 0.01)


def cpu_share(tasks: Sequence[TaskTruth], truth: Truth) -> Value:
    """Mean share of the reservation."""

    def share(window: Window) -> float:
        return math.fsum(task.used_vcpu(window) / task.vcpu for task in tasks) / len(tasks)

    return even(Quantity.RATIO, truth, share, 0.15, 0.02)


def _memory(tasks: Sequence[TaskTruth], truth: Truth) -> Value:
    """Bytes. The receiver cuts each container to whole MiB, and memory moves between two looks at it."""
    held = [task.used_memory(truth.steady) for task in tasks]
    low, high = sum(least for least, _ in held), sum(most for _, most in held)
    return between(Quantity.BYTES, low * 0.95 - 2 * _MEBIBYTE * len(tasks), high * 1.05)


def memory_share(tasks: Sequence[TaskTruth], truth: Truth) -> Value:
    """Mean share of the reservation."""
    values = [(_memory([task], truth), task.memory * _MEBIBYTE) for task in tasks]
    low, high = sum(held.low / whole for held, whole in values), sum(held.high / whole for held, whole in values)
    return between(Quantity.RATIO, low / len(values), high / len(values))


def _received(tasks: Sequence[TaskTruth], truth: Truth) -> Value:
    """Bytes a second."""
    return even(Quantity.BYTE_RATE, truth, lambda window: sum(task.received(window) for task in tasks), 0.15, 50)


def _sent(tasks: Sequence[TaskTruth], truth: Truth) -> Value:
    """Bytes a second. Telemetry leaves in bursts, of which the window may catch one more or less."""
    return even(Quantity.BYTE_RATE, truth, lambda window: sum(task.sent(window) for task in tasks), 0.2, 50)


def _read(tasks: Sequence[TaskTruth], truth: Truth) -> Value:
    """Bytes a second from disk; what the kernel reads ahead comes in pieces."""
    return even(Quantity.BYTE_RATE, truth, lambda window: sum(task.read(window) for task in tasks), 0.25, _PAGE)


def _written(tasks: Sequence[TaskTruth], truth: Truth) -> Value:
    """Bytes a second to disk."""
    return even(Quantity.BYTE_RATE, truth, lambda window: sum(task.written(window) for task in tasks), 0.25, _PAGE)


def _age(tasks: Sequence[TaskTruth], truth: Truth) -> Value:
    """Seconds, as they are in the middle of the window. A task's collector starts after the stack began and before the
    task is looked at; what it says of itself is up to two samples old."""
    middle = (truth.steady.start + truth.steady.end) / 2
    youngest = middle - max(task.readings[0].at for task in tasks) - 2 * truth.interval
    return between(Quantity.SECONDS, youngest, middle - truth.began)


_ECS: Final[Mapping[str, Expectation]] = {
    "Running tasks": in_total(lambda tasks, _: exactly(len(tasks))),
    "Memory in use": in_total(_memory),
    "vCPU in use": in_total(_cpu),
    "CPU of reservation": by_family(cpu_share),
    "Memory of reservation": by_family(memory_share),
    "Network in": by_family(_received),
    "Network out": by_family(_sent),
    "Storage read": by_family(_read),
    "Storage write": by_family(_written),
}

PANELS: Final[Mapping[tuple[str, str, str], Expectation]] = {
    **{("ecs-tasks", title, "A"): expectation for title, expectation in _ECS.items()},
    ("ecs-tasks", "Tasks", "A"): by_task(cpu_share),
    ("ecs-tasks", "Tasks", "B"): by_task(memory_share),
    ("ecs-tasks", "Tasks", "C"): by_task(_memory),
    ("ecs-tasks", "Tasks", "D"): by_task(_received),
    ("ecs-tasks", "Tasks", "E"): by_task(_sent),
    ("ecs-tasks", "Tasks", "F"): by_task(_age),
    ("ecs-tasks", "annotation Deployment", "Annotation"): by_family(lambda tasks, _: exactly(len(tasks))),
}

RECORDED: Final[Mapping[str, Expectation]] = {
    "task:ecs_task_cpu_utilization:ratio": by_task(cpu_share),
    "task:ecs_task_memory_utilization:ratio": by_task(memory_share),
}

VARIABLES: Final[Mapping[tuple[str, str], Callable[[Truth], tuple[str, ...]]]] = {
    ("ecs-tasks", "cluster"): lambda truth: (truth.plan.cluster,),
    ("ecs-tasks", "service"): lambda truth: in_order(task.service for task in observed(truth)),
    ("ecs-tasks", "family"): lambda truth: in_order(task.family for task in observed(truth)),
}
