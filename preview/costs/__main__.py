"""`python -m preview.costs STACK`: what a stack costs in a month before it exists, and in which pattern it is less."""

import argparse
import datetime
import gc
import sys
from collections.abc import Iterable
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from documents import costs
from preview.costs import files, page, reading
from preview.costs.page import Sheet
from preview.costs.patterns import in_both
from preview.exits import Exit
from preview.recorder import record
from preview.recording import ProgramError


def main() -> int:
    """The command. Exit status: 0, 1 for what is wrong with stack, prices or assumptions, 2 for the command line."""
    parser = argparse.ArgumentParser(prog="python -m preview.costs", description=__doc__)
    parser.add_argument("stack", metavar="STACK", help="name of a stack: it has a file Pulumi.STACK.yaml")
    parser.add_argument("--prices", metavar="REGION", help="take the prices of another region than the stack's")
    parser.add_argument(
        "--assume",
        metavar="NAME=FIGURE",
        action="append",
        default=[],
        help="take another figure, for all scenarios, or three of them: requests=5,50,200 (may be repeated)",
    )
    parser.add_argument("--root", type=Path, default=Path(), help="folder of Pulumi.yaml (default: this one)")
    arguments = parser.parse_args()
    gc.disable()
    try:
        _report(arguments.root, arguments.stack, arguments.prices, arguments.assume)
    except ProgramError as error:
        print(f"error: {error}", file=sys.stderr)
        return Exit.FAILED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.GOOD


def _report(root: Path, stack: str, region: str | None, assume: Iterable[str]) -> None:
    spreads, faults = costs.assumed(assume)
    if faults:
        raise ProgramError("invalid assumptions:\n" + "\n".join(f"  {fault}" for fault in faults))
    if region:
        files.load(region)  # before the program runs, which takes seconds
    recording = record(root, stack)
    prices = files.load(region or recording.region)
    counted = reading.read(recording)
    bill = costs.bill(counted, prices, spreads)
    console = Console()
    console.print(Text(f"{recording.project}, stack {recording.stack} in {recording.region}", style="bold"))
    today = datetime.datetime.now(tz=datetime.UTC).date()
    _say(console, [*page.notes(recording, prices, bill, today), *page.crowded(counted, spreads)])
    for sheet in page.sheets(bill, prices, page.settled(counted, spreads)):
        _show(console, sheet)
    _say(console, [page.FREE_TIERS])
    try:
        both = in_both(root, stack, prices, spreads)
    except ProgramError as error:
        _say(console, [f"The two patterns cannot be compared, since this stack cannot have both: {error}"])
        return
    if both.applications:
        _show(console, page.patterns_sheet(both))
        _say(console, page.dollars_notes(both))
        _say(console, page.lacks_notes())


def _say(console: Console, lines: Iterable[str]) -> None:
    listed = Table.grid(padding=(0, 1))
    for line in lines:
        listed.add_row("-", Text(line))
    console.print()
    console.print(listed)


def _show(console: Console, sheet: Sheet) -> None:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    for at, column in enumerate(sheet.columns):
        # A reader looks for what stands first, and copies it.
        table.add_column(column, justify="right" if at in sheet.numbers else "left", overflow="fold", no_wrap=at == 0)
    for row in sheet.rows:
        table.add_row(*map(Text, row), style="bold" if row[0] == "all" else "")
    console.print()
    console.print(Text(sheet.title, style="bold"))
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
