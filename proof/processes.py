"""Child processes that never outlive us: each in a group of its own, ended in every case, killed if we die."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from proof.metadata import Usage

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
        if not os.access(program.arguments[0], os.X_OK):
            raise ProgramError(f"{self.name} cannot be started: {program.arguments[0]} is not a program")
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                _bound_to_us(program.arguments),
                cwd=folder,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        self._seen = psutil.Process(self._process.pid)
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
        """What it used so far; what was seen last if it has ended. None of our programs starts others."""
        with suppress(psutil.Error), self._seen.oneshot():
            times, memory = self._seen.cpu_times(), self._seen.memory_info().rss
            # Not every system counts the disk for each process; its panels then show nothing but zero, as is true.
            disk = self._seen.io_counters() if hasattr(self._seen, "io_counters") else None
            self._last = Usage(
                user=times.user,
                system=times.system,
                memory=memory,
                largest_memory=max(self._last.largest_memory, memory),
                read=disk.read_bytes if disk else 0,
                written=disk.write_bytes if disk else 0,
            )
        return self._last

    def pause(self) -> None:
        """Stops the whole group where it is."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets the whole group go on."""
        self._signal(signal.SIGCONT)

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

    async def end(self, ending: Sequence[Child], seconds: float = _GRACE_SECONDS) -> None:
        """Ends some of them: SIGTERM to all at once, SIGKILL to what has not ended after so many seconds.

        What ends may still have something to send, so the stand-ins go on serving meanwhile.
        """
        for child in ending:
            child.terminate()
        until = time.monotonic() + seconds
        while time.monotonic() < until and any(child.ended is None for child in ending):
            await asyncio.sleep(0.05)
        for child in ending:
            # Also for what ended: it may have left something behind in its group.
            child.kill()
        self._running = [child for child in self._running if child not in ending]


def _bound_to_us(arguments: Sequence[str]) -> list[str]:
    """Arguments that start the same program so that the kernel kills it when we die, however we die.

    A launcher asks for that and then becomes the program. Asking between fork and exec would be shorter, and unsafe:
    the Pulumi SDK has left threads behind by then.
    """
    if sys.platform != "linux":
        return [*arguments]
    return [sys.executable, "-ISc", _LAUNCHER, str(os.getpid()), *arguments]


_LAUNCHER: Final = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
if os.getppid() != int(sys.argv[1]):
    os._exit(1)  # we died before the request was made
os.execv(sys.argv[2], sys.argv[2:])
"""
