"""Stacks as their dashboards, rules and alarms see them, for tests of documents."""

from collections.abc import Sequence
from typing import Any

from documents.alerting.inputs import DEFAULTS
from documents.catalogue import Pattern
from documents.names import Names
from documents.observed import Application, Observed


def application(name: str, pattern: Pattern, **changes: Any) -> Application:
    """An application with one task and the thresholds that hold where nobody says anything."""
    return Application(**{"name": name, "pattern": pattern, "desired_count": 1, "thresholds": DEFAULTS, **changes})


def observed(
    stack: str, sidecar: Sequence[str] = (), service: Sequence[str] = (), interval: int = 60, **changes: Any
) -> Observed:
    """A stack `shop-<stack>` with applications in each pattern."""
    applications = (
        *(application(name, Pattern.SIDECAR) for name in sidecar),
        *(application(name, Pattern.SERVICE) for name in service),
    )
    return Observed(
        **{
            "names": Names("shop", stack),
            "region": "eu-west-1",
            "interval_seconds": interval,
            "applications": applications,
            "collectors": 2 if service else 0,
            "collector_memory": {Pattern.SIDECAR: 512, Pattern.SERVICE: 688},
            **changes,
        }
    )
