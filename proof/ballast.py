"""A process that uses CPU or holds memory, and is counted as part of an application's container."""

import sys
from dataclasses import dataclass, replace
from typing import Final

from proof.metadata import Usage
from proof.processes import Child, Children, Program

_LARGEST_BYTES: Final = 256 * 1024 * 1024
_LARGEST_SHARE: Final = 0.05
"""Of one core. What tasks have reserved may be more than this machine has, and it has other things to do."""

_PROGRAM: Final = """
import sys, time
size, share, period = int(sys.argv[1]), float(sys.argv[2]), 0.1
held = bytearray(size)
for page in range(0, size, 4096):
    held[page] = 1  # memory that was never written to is not held
while True:
    due, used = time.monotonic() + period, time.process_time() + share * period
    while time.process_time() < used:
        pass
    time.sleep(max(due - time.monotonic(), 0))  # what is left of the period is for others: a share is what is wanted
"""


@dataclass(frozen=True)
class Ballast:
    """A running one. Its CPU is counted `cpu` times and its memory `memory` times, 0 for not at all."""

    child: Child
    cpu: float = 0.0
    memory: float = 0.0

    def added_to(self, usage: Usage) -> Usage:
        """What a container uses together with it. When it has ended its memory is free, and its CPU stays used."""
        own = self.child.usage()
        held = int(own.memory * self.memory) if self.child.ended is None else 0
        return replace(
            usage,
            user=usage.user + own.user * self.cpu,
            system=usage.system + own.system * self.cpu,
            memory=usage.memory + held,
            largest_memory=max(usage.largest_memory, usage.memory + held),
        )


def of_cpu(children: Children, name: str, vcpu: float) -> Ballast:
    """Uses so many vCPU."""
    share = min(vcpu, _LARGEST_SHARE)
    return Ballast(_start(children, name, 0, share), cpu=vcpu / share)


def of_memory(children: Children, name: str, size: int) -> Ballast:
    """Holds so many bytes."""
    held = min(size, _LARGEST_BYTES)
    return Ballast(_start(children, name, held, 0.0), memory=size / held)


def _start(children: Children, name: str, size: int, share: float) -> Child:
    arguments = [sys.executable, "-ISc", _PROGRAM, str(size), str(share)]
    return children.start(Program(name, arguments, {}))
