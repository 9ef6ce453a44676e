"""`python -m preview STACK`: writes every document of a stack to `build/<stack>/` and shows what would be made."""

import argparse
import gc
import sys
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from preview import wiring
from preview.exits import Exit
from preview.recorder import record
from preview.recording import ProgramError, Recording
from preview.render import documents, write
from preview.summary import components


def main() -> int:
    """The command. Exit status: 0, 1 for what is wrong with the stack, 2 for what is wrong with the command line."""
    parser = argparse.ArgumentParser(prog="python -m preview", description=__doc__)
    parser.add_argument("stack", metavar="STACK", help="name of a stack: it has a file Pulumi.STACK.yaml")
    parser.add_argument("--root", type=Path, default=Path(), help="folder of Pulumi.yaml (default: this one)")
    parser.add_argument("--prices", metavar="REGION", default="", help="count with the prices of another region")
    arguments = parser.parse_args()
    # The generated classes of the AWS SDK are half a million objects that all stay: collecting was a tenth of the run.
    gc.disable()
    folder = arguments.root / "build" / arguments.stack
    try:
        recording = record(arguments.root, arguments.stack)
        rendered = documents(recording, arguments.prices)
        write(rendered, folder)
    except ProgramError as error:
        print(f"error: {error}", file=sys.stderr)
        return Exit.FAILED
    except OSError as error:
        print(f"error: cannot write {folder}: {error}", file=sys.stderr)
        return Exit.FAILED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    _show(recording)
    print(f"{len(rendered)} documents in {folder}, the first to read: {folder / 'summary.md'}")
    return Exit.GOOD


def _show(recording: Recording) -> None:
    console = Console()
    overview = Table(
        title=f"{recording.project}, stack {recording.stack}",
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    overview.add_column("resource", no_wrap=True)
    overview.add_column("name", overflow="fold")
    for title, resources in components(recording):
        if resources:
            overview.add_row(Text(title, style="bold"))
        for resource in resources:
            overview.add_row(Text(f"  {wiring.short_type(resource)}"), Text(resource.name))
    console.print(overview)
    for warning in recording.warnings:
        console.print(Text(f"warning: {warning}", style="yellow"))


if __name__ == "__main__":
    sys.exit(main())
