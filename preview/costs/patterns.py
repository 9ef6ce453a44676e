"""A stack in both patterns, each as the program makes it."""

from collections.abc import Mapping
from pathlib import Path

from documents.catalogue import Pattern
from documents.costs import Spread
from documents.prices import Prices
from documents.two_patterns import Both
from preview.costs.reading import read
from preview.recorder import record


def in_both(root: Path, stack: str, prices: Prices, spreads: Mapping[str, Spread]) -> Both:
    """The same settings with sidecars and with collectors of their own. An application that names its own pattern keeps
    it. Raises ProgramError if one of the two is refused."""
    sidecar, service = (
        read(record(root, stack, config={"pattern": pattern.value})) for pattern in (Pattern.SIDECAR, Pattern.SERVICE)
    )
    return Both(sidecar, service, prices, spreads)
