"""Grafana dashboards, generated from the catalogue."""

from typing import Final

from documents.dashboards import application, ecs_tasks
from documents.dashboards.model import Dashboard, Feeds

__all__ = ["OURS", "Dashboard", "Feeds", "dashboards"]

OURS: Final = frozenset({ecs_tasks.UID, application.UID})
"""The uids of our dashboards, which no imported one may have."""


def dashboards(feeds: Feeds) -> tuple[Dashboard, ...]:
    """The dashboards of a stack. Without any source of ECS figures there is no dashboard of ECS tasks."""
    ecs = (ecs_tasks.dashboard(feeds),) if feeds.has_ecs_figures else ()
    return (*ecs, application.dashboard(feeds))
