"""Our dashboards by uid and title, in the order in which people need them: what each of them links to."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Entry:
    """A dashboard of the folder."""

    uid: str
    title: str

    @property
    def path(self) -> str:
        """Where Grafana shows it."""
        return f"/d/{self.uid}"


OVERVIEW: Final = Entry("overview", "Overview")
ECS_TASKS: Final = Entry("ecs-tasks", "ECS tasks")
APPLICATION: Final = Entry("application", "Application")
TRACES: Final = Entry("traces", "Traces")
COLLECTOR: Final = Entry("collector", "Collector")
COSTS: Final = Entry("costs", "Costs")

FOLDER: Final = (OVERVIEW, ECS_TASKS, APPLICATION, TRACES, COLLECTOR, COSTS)


def others(uid: str) -> tuple[Entry, ...]:
    """Every dashboard but one."""
    return tuple(entry for entry in FOLDER if entry.uid != uid)
