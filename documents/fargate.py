"""Which pairs of cpu and memory Fargate has.

Source: Amazon ECS API Reference, RegisterTaskDefinition, `cpu` and `memory`.
"""

from typing import Final

_GIB: Final = 1024

SIZES: Final[dict[int, tuple[int, ...]]] = {
    256: (512, 1 * _GIB, 2 * _GIB),
    512: tuple(n * _GIB for n in range(1, 5)),
    1024: tuple(n * _GIB for n in range(2, 9)),
    2048: tuple(n * _GIB for n in range(4, 17)),
    4096: tuple(n * _GIB for n in range(8, 31)),
    8192: tuple(n * _GIB for n in range(16, 61, 4)),
    16384: tuple(n * _GIB for n in range(32, 121, 8)),
}
"""CPU units (1024 = 1 vCPU) to the memory sizes in MiB that go with them."""


def size_problem(cpu: int, memory: int) -> tuple[str, str] | None:
    """What is wrong with a pair of CPU units and MiB, and what would be right; None if Fargate has it."""
    if cpu not in SIZES:
        return f"Fargate has no task of {cpu} CPU units", f"choose one of {', '.join(map(str, SIZES))}"
    if memory not in SIZES[cpu]:
        return (
            f"Fargate has no task of {cpu} CPU units with {memory} MiB",
            f"with {cpu} CPU units choose one of {', '.join(map(str, SIZES[cpu]))} MiB",
        )
    return None


DISK_FOR_QUEUES: Final = 12 * _GIB
"""MiB of a task's disk that queues may fill: Fargate gives 20 GiB, in which its images stand as well, packed and
unpacked (Amazon ECS Developer Guide, "Fargate task ephemeral storage for Amazon ECS")."""
