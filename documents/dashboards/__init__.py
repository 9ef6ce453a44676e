"""Grafana dashboards, generated from the catalogue."""

from typing import Final

from documents.dashboards import application, ecs_tasks
from documents.dashboards.model import Dashboard
from documents.observed import Observed

__all__ = ["OURS", "Dashboard", "dashboards"]

OURS: Final = frozenset({ecs_tasks.UID, application.UID})
"""The uids of our dashboards, which no imported one may have."""


def dashboards(observed: Observed) -> tuple[Dashboard, ...]:
    """The dashboards of a stack."""
    return (ecs_tasks.dashboard(observed), application.dashboard(observed))
