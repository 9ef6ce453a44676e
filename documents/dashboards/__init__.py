"""Grafana dashboards, generated from the catalogue."""

from typing import Final

from documents.dashboards import application, collector, costs, ecs_tasks, overview, traces
from documents.dashboards.folder import FOLDER
from documents.dashboards.model import Dashboard
from documents.observed import Observed

__all__ = ["OURS", "Dashboard", "dashboards"]

OURS: Final = frozenset(entry.uid for entry in FOLDER)
"""The uids of our dashboards, which no imported one may have."""


def dashboards(observed: Observed) -> tuple[Dashboard, ...]:
    """The dashboards of a stack, in the order of their folder."""
    made = (overview, ecs_tasks, application, traces, collector, costs)
    return tuple(one.dashboard(observed) for one in made)
