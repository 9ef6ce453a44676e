"""Everything that a stack file may say: its model, what is wrong in it, and what the parts of a stack learn from it."""

from documents.environment.exports import Exports
from documents.environment.model import (
    KEYS,
    Build,
    Settings,
    StackApplication,
    StackCollector,
    StackMetrics,
    StackTask,
    asked_of,
)
from documents.environment.reading import Files, read
from documents.environment.views import (
    capacity_providers,
    container_insights,
    dashboards_of,
    existing_task_roles,
    observed,
    rules_of,
    uses,
    warnings,
)

__all__ = [
    "KEYS",
    "Build",
    "Exports",
    "Files",
    "Settings",
    "StackApplication",
    "StackCollector",
    "StackMetrics",
    "StackTask",
    "asked_of",
    "capacity_providers",
    "container_insights",
    "dashboards_of",
    "existing_task_roles",
    "observed",
    "read",
    "rules_of",
    "uses",
    "warnings",
]
