"""`python -m manual`: writes docs/reference/ and the diagrams anew from the code."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from documents.environment import Settings
from manual import components, configuration, markdown
from manual.schema import schema
from preview import diagrams
from preview.recorder import record

ROOT: Final = Path(__file__).resolve().parent.parent
STACKS: Final = ("dev", "prod")
"""The stacks whose pictures the documentation shows."""


def main() -> int:
    """The command."""
    for path, text in files(ROOT):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
    return 0


def files(root: Path) -> Iterator[tuple[Path, str]]:
    """Every file that is made from the code, with its content."""
    docs = root / "docs"
    keys = configuration.page(schema(Settings))
    yield docs / "reference/configuration.md", keys
    package = json.loads((root / "components/schema.json").read_text(encoding="utf-8"))
    anchors = [heading.anchor for heading in markdown.headings(keys)]
    yield docs / "reference/components.md", components.page(package, anchors)
    for stack in STACKS:
        recording = record(root, stack)
        yield docs / f"images/architecture/{stack}-made.svg", diagrams.made(recording)
        yield docs / f"images/architecture/{stack}-telemetry.svg", diagrams.telemetry(recording)


if __name__ == "__main__":
    sys.exit(main())
