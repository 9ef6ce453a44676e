"""`python -m verify STACK`: asks the deployed stack what the proof asked, and says what is wrong and why."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from documents.faults import ConfigurationError
from preview import render
from preview.exits import Exit
from preview.recorder import ProgramError, record
from proof import terminal
from proof.plan import Plan, PlanError, plan
from verify.aws import Aws, RefusedError
from verify.deployment import NotDeployedError, deployment
from verify.questions import faults, verified
from verify.verdict import Kind, Verdict

_ROOT: Final = Path(__file__).resolve().parent.parent
_STYLES: Final = {
    Kind.DATA: "green",
    Kind.GOOD: "green",
    Kind.EMPTY: "yellow",
    Kind.NOT_ASKED: "dim",
    Kind.FAILED: "bold red",
}
_NAMED: Final = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code is 0 if nothing failed, 1 if something did, 2 if it could not be tried."""
    parser = argparse.ArgumentParser(prog="python -m verify", description=__doc__)
    parser.add_argument("stack", help="a deployed stack of this project, such as dev")
    parser.add_argument("--url", default="", help="where the sample is reached, for a little traffic")
    asked = parser.parse_args(arguments)
    console = terminal.console()
    try:
        deployed = deployment(_ROOT, asked.stack)
        recording = record(_ROOT, asked.stack)
        wanted = _within_reach(plan(recording, render.documents(recording)))
        aws = Aws(recording.region, recording.config.get("aws:profile"))
        work = verified(recording, wanted, deployed, aws, url=asked.url, say=lambda text: console.print(f"[dim]{text}"))
        verdicts = asyncio.run(work)
    except (NotDeployedError, ConfigurationError, ProgramError, PlanError) as error:
        print(f"verify: {error}", file=sys.stderr)
        return Exit.USAGE
    except RefusedError as error:
        print(f"verify: {error.cause} ({error})", file=sys.stderr)
        return Exit.USAGE
    except KeyboardInterrupt:
        print("verify: interrupted", file=sys.stderr)
        return Exit.INTERRUPTED
    show(verdicts, console)
    return Exit.FAILED if faults(verdicts) else Exit.GOOD


def _within_reach(wanted: Plan) -> Plan:
    """The plan. Raises NotDeployedError if what is to be asked is in another account."""
    if wanted.central is None:
        return wanted
    raise NotDeployedError(
        f"the metrics of stack {wanted.stack!r} are in account {wanted.central.account}, which answers nobody of this "
        "one; see them on its dashboards there (docs/accounts.md)"
    )


def show(verdicts: list[Verdict], console: Console) -> None:
    """The table of all verdicts, and below it what is wrong, by likely cause."""
    table = terminal.table(("panel", 4), ("query", 6), ("series", 1), ("found", 4), ("verdict", 2))
    for verdict in verdicts:
        subject = verdict.subject if verdict.area == "panel" else f"{verdict.area}: {verdict.subject}"
        table.add_row(
            Text(subject),
            terminal.query(verdict.query),
            str(verdict.series or ""),
            Text(verdict.found or (verdict.cause if verdict.kind is not Kind.FAILED else "")),
            Text(verdict.kind.value, style=_STYLES[verdict.kind]),
        )
    console.print(table)
    for cause, failed in faults(verdicts).items():
        first = ", ".join(verdict.subject for verdict in failed[:_NAMED])
        rest = f" and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
        console.print(Text(f"✗ {cause}", style="red"))
        console.print(Text(f"    {first}{rest}; the answer: {failed[0].found}", style="dim"))
    counts = (f"{count} {kind.value}" for kind in Kind if (count := sum(one.kind is kind for one in verdicts)))
    console.print(f"\n{', '.join(counts)}")


if __name__ == "__main__":
    sys.exit(main())
