"""What every panel, variable and recorded series must show, from the truth of a run and never from a query."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from documents import rules
from proof.expectations import application, collector, costs, ecs_tasks, overview, traces
from proof.expectations.values import Expectation
from proof.truth import Truth

PANELS: Final[Mapping[tuple[str, str, str], Expectation]] = {
    **overview.PANELS,
    **ecs_tasks.PANELS,
    **application.PANELS,
    **traces.PANELS,
    **collector.PANELS,
    **costs.PANELS,
}
"""By dashboard uid, panel title and refId. A panel of ours that is not here is not proved."""

RECORDED: Final[Mapping[str, Expectation]] = {
    **overview.RECORDED,
    **ecs_tasks.RECORDED,
    **collector.RECORDED,
    **costs.RECORDED,
}
"""By the name of the recorded series, without the window at its end: the load is even, so all windows agree."""

CONFIGURED: Final = frozenset({rules.OBJECTIVE.name})
"""Recorded series that say what is configured, and so have a value before any telemetry."""

VARIABLES: Final[Mapping[tuple[str, str], Callable[[Truth], tuple[str, ...]]]] = {
    **overview.VARIABLES,
    **ecs_tasks.VARIABLES,
    **application.VARIABLES,
    **traces.VARIABLES,
    **collector.VARIABLES,
    **costs.VARIABLES,
}
"""By dashboard uid and name of the variable: the values that a user can choose from."""


def recorded(name: str) -> Expectation | None:
    """What a recorded series must be, whatever its window."""
    return RECORDED.get(re.sub(r"(?<=\D)\d+[smhdw]$", "", name))


OURS: Final = tuple(dict.fromkeys(uid for uid, *_ in PANELS))
"""The uids of the dashboards that are made here, in the order of a report; every other one was imported."""
