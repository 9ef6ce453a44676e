"""The pages of the project: every Markdown file that a reader may find, without what is built or installed."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_FOLDERS: Final = ("docs", "sample", "examples", "components", "policy")


def pages() -> dict[str, Path]:
    """All of them, by their path in the project."""
    found = [*ROOT.glob("*.md"), *(path for folder in _FOLDERS for path in (ROOT / folder).rglob("*.md"))]
    return {str(path.relative_to(ROOT)): path for path in sorted(found) if "node_modules" not in path.parts}
