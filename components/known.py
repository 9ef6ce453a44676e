"""Inputs that may be outputs: judged now as far as they are known, and again when they are."""

from collections.abc import Awaitable, Mapping
from typing import Any, cast

import pulumi

from documents.model import PENDING


def known_now(value: Any) -> Any:
    """The value with `PENDING` in place of everything that another resource will give."""
    if isinstance(value, pulumi.Output | Awaitable):
        return PENDING
    if isinstance(value, Mapping):
        return {key: known_now(inner) for key, inner in cast(Mapping[str, Any], value).items()}
    if isinstance(value, list | tuple):
        return [known_now(inner) for inner in cast(list[Any], value)]
    return value
