"""Where what is deployed differs from what was rendered."""

import re
from collections.abc import Mapping
from typing import Any, Final

from preview import wiring

_NOT_OURS: Final = frozenset({"id", "version"})
"""What each Grafana numbers by itself."""

_PLACEHOLDER: Final = re.compile(r"<[\w-]+(?:\.\w+)+>")
"""What stands in a rendered document where only AWS knows the value."""


def difference(wanted: Any, found: Any, place: str = "") -> str:
    """Where the first thing stands that is wanted and not found, empty if there is none.

    What a service adds by itself when it stores a document is no difference, nor is the order of a list of named
    things, or what a placeholder stands for.
    """
    if isinstance(wanted, Mapping):
        if not isinstance(found, Mapping):
            return place or "the top"
        there, kept = wiring.table(found), wiring.table(wanted).items()
        inner = (
            difference(value, there.get(key), f"{place}.{key}".lstrip("."))
            for key, value in kept
            if key not in _NOT_OURS
        )
        return next(filter(None, inner), "")
    if isinstance(wanted, list):
        ours, theirs = wiring.items(wanted), wiring.items(found)
        if len(ours) != len(theirs):
            return place
        pairs = enumerate(zip(ours, theirs, strict=True))
        return next(filter(None, (difference(one, other, f"{place}[{index}]") for index, (one, other) in pairs)), "")
    return "" if wanted is None or _same(wanted, found) else place


def _same(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, str) and isinstance(found, str):
        return re.fullmatch(".+".join(map(re.escape, _PLACEHOLDER.split(wanted))), found, re.DOTALL) is not None
    # One is not true, though Python says so.
    return wanted == found and isinstance(wanted, bool) == isinstance(found, bool)
