"""Words for the types of JSON schema, as the reference has them."""

from typing import Final

KINDS: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "map",
    "array": "list",
}
ANYTHING: Final = "anything"
_OR: Final = " or "


def plural(kind: str) -> str:
    """Several of a type: `list of texts` for `text`. Values that are spelt out stay as they are."""
    if kind in (KINDS["boolean"], ANYTHING) or kind.startswith("`"):
        return kind
    if _OR in kind:
        return _OR.join(map(plural, kind.split(_OR)))
    first, of, rest = kind.partition(" of ")
    return f"{first}s{of}{rest}"
