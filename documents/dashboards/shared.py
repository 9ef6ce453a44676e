"""Dashboards for a Grafana that other stacks use too, where the fixed uids of a stack's own would collide."""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any, Final, cast

from documents.dashboards.layout import canonical
from documents.dashboards.model import Dashboard
from documents.dashboards.sources import SOURCES, XRAY

_DIGEST: Final = 6
_UIDS: Final = frozenset(source.uid for source in SOURCES)
_NAMED_BY: Final = frozenset({"uid", "query", "text", "value"})
"""Keys whose whole value may be the uid of a data source: references, and the constants of imported dashboards."""


def uid(stack: str, own: str) -> str:
    """The uid in a shared Grafana of what has the uid `own` in a stack's. Grafana takes 40 characters, which the name
    of a stack may fill alone."""
    return f"{own}-{hashlib.sha256(stack.encode()).hexdigest()[:_DIGEST]}"


def shared(stack: str, dashboards: Iterable[Dashboard]) -> tuple[Dashboard, ...]:
    """The dashboards with the uids of this stack, in their data sources and in what links to them as well."""
    every = tuple(dashboards)
    linked = {one.uid for one in every}
    return tuple(_shared(stack, one, linked) for one in every)


def unshared(stack: str, text: str) -> str:
    """A text with the uids of a stack's own Grafana: what `shared` has done to it, undone."""
    return text.replace(uid(stack, ""), "")


def _shared(stack: str, dashboard: Dashboard, linked: Collection[str]) -> Dashboard:
    def moved(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: moved(inner, name) for name, inner in cast("dict[str, Any]", value).items()}
        if isinstance(value, list):
            return [moved(inner) for inner in cast("list[Any]", value)]
        if isinstance(value, str):
            return uid(stack, value) if key in _NAMED_BY and value in _UIDS else _link(stack, value, linked)
        return value

    own = uid(stack, dashboard.uid)
    return replace(dashboard, uid=own, json=canonical(moved(json.loads(dashboard.json)) | {"uid": own}))


def _link(stack: str, text: str, linked: Collection[str]) -> str:
    """The text, if it is an address in Grafana, with the uids of this stack."""
    if text.startswith("/explore?"):
        return text.replace(f"%22{XRAY.uid}%22", f"%22{uid(stack, XRAY.uid)}%22")
    path, mark, asked = text.partition("?")
    own = path.removeprefix("/d/")
    return f"/d/{uid(stack, own)}{mark}{asked}" if text.startswith("/d/") and own in linked else text
