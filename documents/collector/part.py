"""Pieces of a collector's configuration, and how they become one document."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

Configuration = dict[str, Any]
Components = Mapping[str, Any]
"""Component id to its configuration."""


def _none() -> Components:
    return {}


@dataclass(frozen=True)
class Part:
    """Components, by section of the configuration, and the pipelines that use them."""

    extensions: Components = field(default_factory=_none)
    receivers: Components = field(default_factory=_none)
    processors: Components = field(default_factory=_none)
    exporters: Components = field(default_factory=_none)
    pipelines: Mapping[str, Configuration] = field(default_factory=_none)


def merged(parts: Iterable[Part]) -> Part:
    """All parts in one. Raises ValueError if two of them mean different things by one name."""
    sections: dict[str, dict[str, Any]] = {one.name: {} for one in fields(Part)}
    for part in parts:
        for name, section in sections.items():
            for key, value in getattr(part, name).items():
                if section.setdefault(key, value) != value:
                    raise ValueError(f"{name} has two different {key!r}")
    return Part(**sections)


def literal(text: str) -> str:
    """A text that the collector takes as it is: unescaped, it would take what follows a dollar sign for a variable."""
    return text.replace("$", "$$")


def pipeline(receivers: Iterable[str], processors: Iterable[str], exporters: Iterable[str]) -> Configuration:
    """One pipeline; what has no processors says nothing of them."""
    listed = {"receivers": list(receivers), "processors": list(processors), "exporters": list(exporters)}
    return {key: ids for key, ids in listed.items() if ids}
