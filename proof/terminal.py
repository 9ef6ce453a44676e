"""What commands have in common where they meet a person: width and tables."""

import os
import sys
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDE: Final = 180
"""Columns where nobody looks at a terminal: long enough for every table."""

_LONGEST_QUERY: Final = 160


def console() -> Console:
    """Where a command prints."""
    return Console(highlight=False, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDE)


def table(*columns: tuple[str, int]) -> Table:
    """An empty table: the titles of its columns, each with the share of the width that it takes."""
    made = Table(box=None, pad_edge=False, header_style="dim", expand=True)
    for title, ratio in columns:
        made.add_column(title, ratio=ratio, overflow="fold")
    return made


def query(text: str) -> Text:
    """The beginning of a query, which is enough to tell it by."""
    return Text(text[:_LONGEST_QUERY], style="dim")
