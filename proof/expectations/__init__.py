"""What every panel, variable and recorded series must show, from the truth of a run and never from a query."""

from collections.abc import Callable, Mapping
from typing import Final

from proof.expectations import application, ecs_tasks
from proof.expectations.values import Expectation
from proof.truth import Truth

PANELS: Final[Mapping[tuple[str, str, str], Expectation]] = {**ecs_tasks.PANELS, **application.PANELS}
"""By dashboard uid, panel title and refId. A panel of ours that is not here is not proved."""

RECORDED: Final[Mapping[str, Expectation]] = ecs_tasks.RECORDED
"""By the name of the recorded series."""

VARIABLES: Final[Mapping[tuple[str, str], Callable[[Truth], tuple[str, ...]]]] = {
    **ecs_tasks.VARIABLES,
    **application.VARIABLES,
}
"""By dashboard uid and name of the variable: the values that a user can choose from."""

OURS: Final = tuple(dict.fromkeys(uid for uid, *_ in PANELS))
"""The uids of the dashboards that are made here, in the order of a report; every other one was imported."""
