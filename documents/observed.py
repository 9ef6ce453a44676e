"""A stack as its dashboards, rules and alarms see it: what runs, and where the figures of it come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from documents.alerting.inputs import DEFAULTS, RUNBOOKS, Thresholds
from documents.catalogue import Pattern
from documents.names import COLLECTOR, SCRAPER, Names
from documents.objectives import Objectives


@dataclass(frozen=True)
class Application:
    """An application: `desired_count` is how many tasks must run, the least where load decides; `thresholds` are
    complete, `disabled` are names of alerts that nobody wants of it, `log_group` is that of somebody else to which it
    writes."""

    name: str
    pattern: Pattern
    desired_count: int
    thresholds: Thresholds
    disabled: frozenset[str] = frozenset()
    objectives: Objectives | None = None
    log_group: str | None = None


@dataclass(frozen=True)
class Observed:
    """A stack. `interval_seconds` is the interval at which metrics are shipped; `collectors` is how many tasks the
    collector's own service has, the least where load decides and 0 where there is none; `disabled` are names of alerts
    that nobody wants of anything; `max_series` is the workspace's limit, where one is set.

    `collector_memory` is the hard limit of a collector's memory in MiB, by pattern. `thresholds` are complete, and hold
    for the collector's own services. `runbooks` is the address of the folder with the pages that alerts link to.
    """

    names: Names
    region: str
    interval_seconds: int
    applications: tuple[Application, ...]
    disabled: frozenset[str] = frozenset()
    collectors: int = 0
    scraped: bool = False
    max_series: int | None = None
    collector_memory: Mapping[Pattern, int] = field(default_factory=dict[Pattern, int])
    runbooks: str = RUNBOOKS
    logs: bool = False
    """Whether collectors take log records."""
    thresholds: Thresholds = DEFAULTS
    scheduled: bool = False
    """Whether tasks are run by the clock."""

    @property
    def log_groups(self) -> tuple[str, ...]:
        """The names of the log groups of all applications, each once."""
        named = (one.log_group or self.names.log_group(one.name) for one in self.applications)
        return tuple(dict.fromkeys(named))

    @property
    def foreign_log_groups(self) -> tuple[str, ...]:
        """Those of them that are somebody else's."""
        own = {self.names.log_group(one.name) for one in self.applications if one.log_group is None}
        return tuple(name for name in self.log_groups if name not in own)

    def of(self, pattern: Pattern) -> tuple[Application, ...]:
        """The applications that a pattern observes."""
        return tuple(one for one in self.applications if one.pattern is pattern)

    @property
    def cluster(self) -> str:
        """The name of the cluster."""
        return self.names.cluster

    @property
    def sidecar(self) -> bool:
        """Whether AMP has ECS task metrics."""
        return bool(self.of(Pattern.SIDECAR))

    @property
    def cloudwatch_services(self) -> tuple[str, ...]:
        """The ECS services whose task figures come from CloudWatch Container Insights."""
        observed = [one.name for one in self.of(Pattern.SERVICE)]
        return (*observed, COLLECTOR, *([SCRAPER] if self.scraped else [])) if observed else ()

    def job(self, service: str) -> str:
        """The `job` label of the series of an application, or of `collector`."""
        return f"{self.names.project}/{service}"
