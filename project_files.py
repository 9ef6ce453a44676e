"""The files of the user's project, which documents are made of."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProjectFiles:
    """The files below a folder, by their path in it."""

    root: Path

    def is_file(self, path: str, /) -> bool:
        """Whether there is such a file."""
        try:
            return (self.root / path).is_file()
        except OSError:  # a name that is too long; only Python 3.14 and later take that for no
            return False

    def text(self, path: str, /) -> str:
        """What is in it. Raises OSError, and ValueError for what is no UTF-8."""
        return (self.root / path).read_text(encoding="utf-8")
