"""`python -m proof STACK`: runs a stack's documents on this machine and says whether they produce telemetry."""

import argparse
import asyncio
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from documents.faults import ConfigurationError
from preview import comparison, render
from preview.comparison import Comparison
from preview.exits import Exit
from preview.recorder import ProgramError as RecordingError
from preview.recorder import record
from proof import equipment, report, terminal
from proof.drill import Drill
from proof.drills import drills
from proof.plan import Plan, PlanError, plan
from proof.processes import ProgramError
from proof.prometheus import QueryError
from proof.replay import ReplayError
from proof.report import Facts
from proof.run import Run, observed
from proof.stack import REQUESTS_PER_SECOND, Programs, Timing
from proof.task import INTERVAL_SECONDS
from proof.verdict import Kind
from proof.verdicts import Judgement
from tools.build import MissingProgram, program

_ROOT: Final = Path(__file__).resolve().parent.parent
_STYLES: Final = {Kind.PROVED: "green", Kind.CHECKED: "blue", Kind.SEEN: "yellow", Kind.FAILED: "bold red"}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code is 0 if nothing failed, 1 if something did, 2 if it could not be tried."""
    parser = argparse.ArgumentParser(prog="python -m proof", description=__doc__)
    parser.add_argument("stack", help="a stack of this project, such as dev")
    parser.add_argument("--keep", action="store_true", help="keep everything running after the verdicts")
    asked = parser.parse_args(arguments)
    console = terminal.console()
    try:
        programs = _programs()
        console.print(f"[dim]rendering {asked.stack}")
        recording = record(_ROOT, asked.stack)
        documents = render.documents(recording)
        wanted = plan(recording, documents)
        equipment.check(wanted, programs.collector)
        folder = _ROOT / "build" / asked.stack
        render.write(documents, folder)
        beside = comparison.beside_other(_ROOT, recording)
        return _interruptible(lambda: _prove(wanted, programs, folder, beside, console, keep=asked.keep))
    except (ConfigurationError, RecordingError, PlanError, MissingProgram, equipment.LackingError) as error:
        print(f"proof: {error}", file=sys.stderr)
        return Exit.USAGE
    except (ProgramError, QueryError, ReplayError) as error:
        print(f"proof: {error}", file=sys.stderr)
        return Exit.FAILED
    except KeyboardInterrupt:
        print("proof: interrupted", file=sys.stderr)
        return Exit.INTERRUPTED


def _interruptible(work: Callable[[], Awaitable[int]]) -> int:
    """Runs it; SIGINT and SIGTERM cancel it, so that it ends its processes before we end."""

    async def run() -> int:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, lambda: task.cancel() if task else None)
        return await work()

    try:
        return asyncio.run(run())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _prove(
    wanted: Plan, programs: Programs, folder: Path, beside: Comparison, console: Console, *, keep: bool
) -> int:
    began = time.monotonic()

    def say(text: str) -> None:
        console.print(f"[dim]{text}")

    with tempfile.TemporaryDirectory(prefix="proof-") as temporary:
        async with observed(wanted, programs, Path(temporary), Timing(), say) as run:
            judgement = await run.judge()
            fired = await drills(run, programs.promtool, Path(temporary) / "replay", say)
            judgement = replace(judgement, drills=fired)
            seconds = time.monotonic() - began
            _print(judgement, wanted, console)
            _print_drills(judgement.drills, console)
            facts = await _facts(run, programs, seconds)
            page = folder / "report.html"
            report.write(page, report.render(judgement, run.truth, facts, beside))
            _summarize(judgement, seconds, page, console)
            if keep:
                await _keep(run, console)
    return Exit.FAILED if judgement.failed else Exit.GOOD


async def _keep(run: Run, console: Console) -> None:
    console.print("\nEverything keeps running under load; Ctrl-C ends it.")
    for name, address in run.stack.addresses.items():
        console.print(f"  {name:32} {address}")
    # The verdicts stand, so that ending it now is no failure.
    with suppress(asyncio.CancelledError):
        await run.stack.keep_driving()


# Programs


def _programs() -> Programs:
    """The binaries that were built, or that variables such as COLLECTOR name."""
    return Programs(*(program(one.name).resolve() for one in fields(Programs)))


def _version(binary: Path) -> str:
    """The first line that a program says about its version."""
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return next(iter((said.stdout or said.stderr).splitlines()), "unknown")


async def _facts(run: Run, programs: Programs, seconds: float) -> Facts:
    truth = run.truth
    factor = truth.plan.shipped_seconds / INTERVAL_SECONDS
    window = truth.steady.seconds
    return Facts(
        stack=truth.plan.stack,
        when=datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
        seconds=seconds,
        items=(
            ("Command", f"make prove STACK={truth.plan.stack}"),
            ("Collector", f"{_version(programs.collector)} ({_shown(programs.collector)})"),
            ("Prometheus, as AMP", f"{await run.server.version()} ({_shown(programs.prometheus)})"),
            ("X-Ray", "a stand-in that stores what arrives; signatures of both are verified"),
            ("Tasks", ", ".join(f"{one.count} x {one.name}" for one in truth.plan.services)),
            ("Load", f"{REQUESTS_PER_SECOND:g} requests a second, {len(truth.sent)} in all, one in ten fails, "
                     f"one in ten is slow; judged over {window:.0f} s"),
            ("Time", f"compressed {factor:g} times: a sample every {INTERVAL_SECONDS:g} s instead of every "
                     f"{truth.plan.shipped_seconds:g} s, and Grafana's windows with it"),
            ("Python", sys.version.split()[0]),
        ),
    )  # fmt: skip


def _shown(path: Path) -> str:
    return str(path.relative_to(_ROOT)) if path.is_relative_to(_ROOT) else path.name


# Output


def _print(judgement: Judgement, wanted: Plan, console: Console) -> None:
    if not wanted.dashboards:
        console.print("This stack has no dashboards (Grafana is turned off); everything else is proved.")
    table = terminal.table(("panel", 3), ("query", 5), ("series", 1), ("expected", 4), ("found", 4), ("verdict", 2))
    for board in judgement.dashboards:
        for verdict in board.verdicts:
            table.add_row(
                Text(verdict.subject),
                terminal.query(verdict.query),
                str(verdict.series or ""),
                Text(verdict.expected),
                Text(verdict.found),
                Text(verdict.kind.value, style=_STYLES[verdict.kind]),
            )
    if judgement.dashboards:
        console.print(table)
    for verdict in judgement.others:
        mark = Text(f"{report.MARKS[verdict.kind]} {verdict.kind.value:7}", style=_STYLES[verdict.kind])
        console.print(mark, Text(f"{verdict.area}: {verdict.subject}:"), Text(verdict.found.replace("\n", ", ")))


def _print_drills(drilled: Sequence[Drill], console: Console) -> None:
    table = terminal.table(
        ("alert", 3), ("subject", 3), ("evaluated by", 2), ("fault", 5), ("fires", 1), ("resolves", 1), ("verdict", 2)
    )
    for drill in drilled:
        table.add_row(
            Text(drill.alert),
            Text(drill.subject),
            Text(drill.evaluator.value),
            Text(drill.fault, style="dim"),
            _minutes(drill.fired, drill.began),
            _minutes(drill.resolved, drill.ended),
            Text(drill.verdict.kind.value, style=_STYLES[drill.verdict.kind]),
        )
    if drilled:
        console.print("\nAlerts, in minutes of a deployment: after the fault began, and after it ended")
        console.print(table)


def _minutes(at: float | None, after: float) -> str:
    return "" if at is None else f"{max(at - after, 0) / 60:.0f} min"


def _summarize(judgement: Judgement, seconds: float, page: Path, console: Console) -> None:
    for verdict in judgement.failed:
        console.print(Text(f"✗ {verdict.subject}: {verdict.reason}", style="red"))
    counts = ", ".join(
        f"{count} {kind.value}" for kind in Kind if (count := sum(one.kind is kind for one in judgement.verdicts))
    )
    console.print(f"\n{counts}; {seconds:.0f} s; {page.relative_to(_ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
