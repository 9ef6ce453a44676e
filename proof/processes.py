"""Child processes that never outlive us: each in a group of its own, ended in every case, killed if we die."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from proof.metadata import Usage

_PR_SET_PDEATHSIG: Final = 1
_GRACE_SECONDS: Final = 8.0
_LAST_LINES: Final = 15


class ProgramError(Exception):
    """A program is missing, cannot start, or ended; the text says which and why."""


@dataclass(frozen=True)
class Program:
    """What to start: a name for people, the argument list and the whole environment."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]


class Child:
    """One running program. Works in `folder`; its output goes to `log` there."""

    def __init__(self, program: Program, folder: Path) -> None:
        self.name: Final = program.name
        self.log: Final = folder / f"{program.name}.log"
        with self.log.open("wb") as output:
            try:
                self._process = subprocess.Popen(
                    program.arguments,
                    cwd=folder,
                    env=dict(program.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    process_group=0,
                    preexec_fn=_die_with_parent(os.getpid()),  # noqa: PLW1509 - we have no threads
                )
            except OSError as error:
                raise ProgramError(f"{self.name} cannot be started: {error}") from None
        self._seen = psutil.Process(self._process.pid)
        self._largest = 0
        self._last = Usage(0, 0, 0, 0, 0, 0)

    @property
    def pid(self) -> int:
        """Its process id, which is that of its group."""
        return self._process.pid

    @property
    def ended(self) -> int | None:
        """Its exit code, or None while it runs."""
        return self._process.poll()

    def check(self) -> None:
        """Raises ProgramError with its last log lines if it ended."""
        if self.ended is not None:
            raise ProgramError(f"{self.name} ended with exit code {self.ended}:\n{self.last_lines()}")

    def last_lines(self) -> str:
        """The end of its log, indented."""
        lines = self.log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        return "\n".join(f"    {line}" for line in lines) or "    (it logged nothing)"

    def usage(self) -> Usage:
        """What it and its children used so far; what was seen last if it has ended."""
        try:
            family = [self._seen, *self._seen.children(recursive=True)]
            self._last = self._measure(family)
        except psutil.Error:
            pass
        return self._last

    def terminate(self) -> None:
        """Asks the whole group to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the whole group, whatever it does."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def _measure(self, family: Sequence[psutil.Process]) -> Usage:
        times = [process.cpu_times() for process in family]
        disks = [process.io_counters() for process in family]
        memory = sum(process.memory_info().rss for process in family)
        self._largest = max(self._largest, memory)
        return Usage(
            user=sum(one.user for one in times),
            system=sum(one.system for one in times),
            memory=memory,
            largest_memory=self._largest,
            read=sum(one.read_bytes for one in disks),
            written=sum(one.write_bytes for one in disks),
        )


class Children:
    """All programs of a run. Use as a context: at its end every one of them has ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[Child] = []

    def __enter__(self) -> "Children":
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._running:
            child.kill()
        self._running.clear()

    def start(self, program: Program) -> Child:
        """Starts a program in our folder. Raises ProgramError if that fails."""
        child = Child(program, self._folder)
        self._running.append(child)
        return child

    async def end(self, ending: Sequence[Child]) -> None:
        """Ends some of them: SIGTERM to all at once, SIGKILL to what has not ended soon.

        What ends may still have something to send, so the stand-ins go on serving meanwhile.
        """
        for child in ending:
            child.terminate()
        until = time.monotonic() + _GRACE_SECONDS
        while time.monotonic() < until and any(child.ended is None for child in ending):
            await asyncio.sleep(0.05)
        for child in ending:
            # Also for what ended: it may have left something behind in its group.
            child.kill()
        self._running = [child for child in self._running if child not in ending]


def _die_with_parent(parent: int) -> Callable[[], None] | None:
    """What a child does before it becomes its program: ask the kernel to be killed when we die, however we die."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # We may have died between fork and here; the request came too late then.
        if os.getppid() != parent:
            os._exit(1)

    return ask
