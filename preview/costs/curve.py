"""`python -m preview.costs.curve`: the picture and the table of docs/choose-a-pattern.md, from the dev stack, and what
the project's own stacks cost in README.md."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from documents import costs
from documents.costs import Bill
from documents.prices import shown
from preview.costs import files, page
from preview.costs.chart import svg
from preview.costs.patterns import in_both
from preview.costs.reading import read
from preview.recorder import record

STACK: Final = "dev"
STACKS: Final = (STACK, "prod")
ASSUMED: Final = ("requests=0.2",)
"""What the sample gets of its own traffic: with more, what X-Ray takes for traces in both hides all else."""

TASKS: Final = range(1, 21)
PICTURE: Final = Path("docs/images/costs-by-pattern.svg")
PAGE: Final = Path("docs/choose-a-pattern.md")
README: Final = Path("README.md")
BEGIN: Final = "<!-- made by `make curve` -->\n"
END: Final = "<!-- end of what `make curve` makes -->\n"


def made(root: Path) -> dict[Path, str]:
    """The files as they should be, by path below `root`."""
    spreads, _ = costs.assumed(ASSUMED)
    prices = files.load(files.REFERENCE)
    both = in_both(root, STACK, prices, spreads)
    points = [both.costs(tasks) for tasks in TASKS]
    picture = svg(
        "Dollars a month by tasks of each application, in both patterns",
        TASKS,
        {
            "sidecar": [one.sidecar for one in points],
            "service": [one.service for one in points],
            "service, smaller tasks": [one.smaller for one in points],
        },
    )
    table = "\n".join(
        [
            *page.patterns_sheet(both).markdown(),
            "",
            *(f"* {note}" for note in page.dollars_notes(both)),
        ]
    )
    bills = {stack: costs.bill(read(record(root, stack)), prices, spreads) for stack in STACKS}
    return {
        PICTURE: picture,
        PAGE: _between(root / PAGE, table),
        README: _between(root / README, "\n".join(_bills(bills))),
    }


def _between(page: Path, made: str) -> str:
    """A page with this between its two comments."""
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{made}\n\n{END}{after}"


def _bills(bills: Mapping[str, Bill]) -> Iterator[str]:
    """Markdown: a row for each stack with its three largest parts, and the commands that have the rest."""
    yield "| | low | expected | high | most of what is expected |"
    yield "|---|---:|---:|---:|---|"
    for stack, bill in bills.items():
        parts = {line.part: bill.part(line.part).expected for line in bill.lines}
        most = sorted(parts, key=lambda part: -parts[part])[:3]
        total = " | ".join(shown(one) for one in (bill.total.low, bill.total.expected, bill.total.high))
        yield f"| {stack} | {total} | {', '.join(f'{part} {shown(parts[part])}' for part in most)} |"
    yield ""
    yield "```sh"
    yield from (f'make cost STACK={stack} PRICES={files.REFERENCE} ASSUME="{" ".join(ASSUMED)}"' for stack in bills)
    yield "```"


def main() -> int:
    """The command, in the folder of the project."""
    for path, text in made(Path()).items():
        path.write_text(text, "utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
