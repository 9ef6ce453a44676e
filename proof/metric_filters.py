"""What CloudWatch Logs counts with our metric filters: a model of their patterns, as far as ours go.

Amazon CloudWatch Logs User Guide, "Filter pattern syntax": `{ ($.field = "text*") || ... }`. A condition on what an
event does not have is false; an asterisk stands for any text at the beginning or the end.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from documents import events
from documents.names import Names
from proof.cloudwatch_alarms import Series

_CONDITION: Final = re.compile(r'\(\$\.(?P<field>[\w.\[\]]+) = "(?P<text>[^"]*)"\)')


def matches(pattern: str, event: Mapping[str, Any]) -> bool:
    """Whether an event has what a pattern asks for. ValueError if the model does not know the pattern's syntax."""
    conditions = list(_CONDITION.finditer(pattern))
    if pattern != f"{{ {' || '.join(condition[0] for condition in conditions)} }}":
        raise ValueError(f"the model does not know {pattern!r}")
    return any(_fits(condition["text"], _field(event, condition["field"])) for condition in conditions)


def counted(names: Names, seen: Iterable[tuple[float, Mapping[str, Any]]]) -> list[Series]:
    """The metrics that come of events, each with the second at which it was written: 1 for each event that fits."""
    samples: dict[tuple[str, str], list[tuple[float, float]]] = {}
    [(dimension, selector)] = events.dimensions().items()
    for time, event in seen:
        group = _field(event, selector.removeprefix("$."))
        for one in events.COUNTED:
            if matches(one.pattern, event):
                samples.setdefault((one.metric, str(group)), []).append((time, 1.0))
    return [
        Series(events.namespace(names), metric, {dimension: group}, found)
        for (metric, group), found in sorted(samples.items())
    ]


def _field(event: Mapping[str, Any], path: str) -> Any:
    value: Any = event
    for step in re.findall(r"\w+", path):
        if isinstance(value, list):
            items = cast("list[Any]", value)
            value = items[int(step)] if int(step) < len(items) else None
        else:
            value = cast("Mapping[str, Any]", value).get(step) if isinstance(value, Mapping) else None
    return value


def _fits(text: str, value: Any) -> bool:
    begins, ends = text.endswith("*"), text.startswith("*")
    word = re.escape(text.strip("*"))
    wanted = f"{'.*' if ends else ''}{word}{'.*' if begins else ''}"
    return value is not None and re.fullmatch(wanted, str(value), re.DOTALL) is not None
