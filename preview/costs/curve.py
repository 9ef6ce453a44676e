"""`python -m preview.costs.curve`: the picture and the table of docs/choose-a-pattern.md, from the dev stack."""

import sys
from pathlib import Path
from typing import Final

from documents import costs
from preview.costs import files, page
from preview.costs.chart import svg
from preview.costs.patterns import in_both

STACK: Final = "dev"
ASSUMED: Final = ("requests=0.2",)
"""What the sample gets of its own traffic: with more, what X-Ray takes for traces in both hides all else."""

TASKS: Final = range(1, 21)
PICTURE: Final = Path("docs/images/costs-by-pattern.svg")
PAGE: Final = Path("docs/choose-a-pattern.md")
BEGIN: Final = "<!-- made by `make curve` -->\n"
END: Final = "<!-- end of what `make curve` makes -->\n"


def made(root: Path) -> dict[Path, str]:
    """The two files as they should be, by path below `root`."""
    spreads, _ = costs.assumed(ASSUMED)
    both = in_both(root, STACK, files.load(files.REFERENCE), spreads)
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
    before, _, rest = (root / PAGE).read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return {PICTURE: picture, PAGE: f"{before}{BEGIN}\n{table}\n\n{END}{after}"}


def main() -> int:
    """The command, in the folder of the project."""
    for path, text in made(Path()).items():
        path.write_text(text, "utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
