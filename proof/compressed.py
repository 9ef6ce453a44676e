"""Rule files for a run in which samples come more often than in a deployment: every duration shrinks alike."""

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

from documents.text import from_yaml

_UNITS: Final = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "y": 31_536_000_000,
}
_PART: Final = r"\d+(?:ms|[smhdwy])"
_DURATION: Final = rf"(?:{_PART})+"

_STRING: Final = r'"(?:[^"\\]|\\.)*"' + "|" + r"'(?:[^'\\]|\\.)*'"
_TIMES: Final = re.compile(rf"({_STRING})|(\[\s*|:\s*|\boffset\s+-?\s*)({_DURATION})(?=\s*[\]:)]|\b)")
"""A string, which is left alone, or a duration where PromQL has one: a range, the step of a subquery, an offset."""


def milliseconds(duration: str) -> int:
    """A duration as Prometheus writes it, such as `1h30m`. Raises ValueError if it is none."""
    if not re.fullmatch(_DURATION, duration):
        raise ValueError(f"{duration!r} is no duration")
    return sum(
        int(part[:-2] if part.endswith("ms") else part[:-1]) * _UNITS["ms" if part.endswith("ms") else part[-1]]
        for part in re.findall(_PART, duration)
    )


def duration(text: str, factor: float) -> str:
    """A duration, so many times shorter. Never zero, which Prometheus takes for no window at all."""
    whole = milliseconds(text)
    return f"{max(round(whole / factor), 1)}ms" if whole else text


def query(text: str, factor: float) -> str:
    """PromQL with every range, step and offset so many times shorter; names and values stay."""
    return _TIMES.sub(lambda found: found[1] or f"{found[2]}{duration(found[3], factor)}", text)


def rules(text: str, factor: float) -> str:
    """A rules file whose windows, offsets, waiting times and intervals are so many times shorter."""
    document: Mapping[str, Any] = from_yaml(text) or {}
    groups = [_group(group, factor) for group in document.get("groups") or ()]
    return yaml.safe_dump({**document, "groups": groups}, sort_keys=False)


def _group(group: Mapping[str, Any], factor: float) -> dict[str, Any]:
    return _with_durations(group, ("interval", "query_offset"), factor) | {
        "rules": [
            _with_durations(rule, ("for", "keep_firing_for"), factor) | {"expr": query(str(rule["expr"]), factor)}
            for rule in group["rules"]
        ]
    }


def _with_durations(given: Mapping[str, Any], keys: tuple[str, ...], factor: float) -> dict[str, Any]:
    return {**given, **{key: duration(str(given[key]), factor) for key in keys if key in given}}
