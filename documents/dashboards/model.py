"""What a dashboard is made from, and what it is once made."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Feeds:
    """Where the figures of a stack come from.

    `sidecar` says that AMP has ECS task metrics; `cloudwatch_services` are the ECS services whose task figures come
    from CloudWatch Container Insights instead. `interval_seconds` is the interval at which metrics are shipped.
    """

    sidecar: bool
    cloudwatch_services: tuple[str, ...]
    cluster: str
    region: str
    interval_seconds: int

    @property
    def has_ecs_figures(self) -> bool:
        """Whether anything says what the tasks use."""
        return self.sidecar or bool(self.cloudwatch_services)


@dataclass(frozen=True)
class Dashboard:
    """A Grafana dashboard. `json` is canonical: sorted keys, the same bytes on any day, ids of one Grafana left out."""

    uid: str
    title: str
    json: str
