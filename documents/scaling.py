"""How many tasks a service has when load decides: bounds, what is held at a target, and the clock.

Sources: Amazon ECS Developer Guide, "Use a target metric to scale Amazon ECS services"; Application Auto Scaling API
Reference, RegisterScalableTarget, PutScalingPolicy, PutScheduledAction.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from documents.faults import Fault, wrong
from documents.model import Model, Whole, not_less_than_min
from documents.schedules import Expression, TimeZone

MOST_TASKS: Final = 5000
"""Tasks of one service ("Amazon ECS service quotas")."""

_UTILIZATION_CPU: Final = "ECSServiceAverageCPUUtilization"
_UTILIZATION_MEMORY: Final = "ECSServiceAverageMemoryUtilization"
REQUESTS: Final = "ALBRequestCountPerTarget"
"""The predefined metric that needs the label of a target group; requests in a minute."""


@dataclass(frozen=True)
class Target:
    """A predefined metric of Application Auto Scaling and the value it is held at; `name` is the policy's."""

    name: str
    metric: str
    value: int


Percent = Annotated[Whole, Field(ge=10, le=90)]
"""Of what the tasks reserve, on average. Above, load doubles before a new task has started."""

Cooldown = Annotated[Whole, Field(ge=0, le=3600)]
"""Seconds from one change of the number of tasks to the next."""


class Tracking(Model):
    """Between two bounds, as many tasks as hold what they use at a percentage.

    Whichever target asks for most tasks wins, and tasks are taken away only when all agree.
    """

    min: Annotated[Whole, Field(ge=1, le=MOST_TASKS)] = 2
    """Fewest tasks."""
    max: Annotated[Whole, Field(ge=1, le=MOST_TASKS)]
    """Most tasks."""
    cpu: Percent | None = 60
    """Percent of the CPU that tasks use on average; null for no such target."""
    # Off: most runtimes never give memory back, so that a service held by memory grows and stays.
    memory: Percent | None = None
    """The same of their memory."""
    scale_out_cooldown: Cooldown = 60
    """Seconds before more tasks are added."""
    scale_in_cooldown: Cooldown = 300
    """Seconds before more tasks are taken away."""

    _room = field_validator("max")(not_less_than_min)

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if not self.moves:
            raise wrong(
                "has nothing that changes the number of tasks", "give it a target, such as cpu, or leave it out"
            )
        return self

    @property
    def moves(self) -> bool:
        """Whether anything changes the number of tasks."""
        return bool(self.targets)

    @property
    def targets(self) -> tuple[Target, ...]:
        """What is held, in the order in which policies are made."""
        values = (("cpu", _UTILIZATION_CPU, self.cpu), ("memory", _UTILIZATION_MEMORY, self.memory))
        return tuple(Target(name, metric, value) for name, metric, value in values if value)

    def initial(self, desired_count: int) -> int:
        """How many tasks the service has before any policy has looked at it."""
        return max(self.min, min(desired_count, self.max))


def _schedule_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?", value):
        raise wrong("is not a name", "use at most 64 letters, digits and hyphens, no hyphen at an end")
    return value


class Schedule(Model):
    """New bounds at a time. They hold until the next schedule changes them.

    At least one task: of none there is no metric by which load could bring one back, and nothing to alert on.
    """

    name: Annotated[str, AfterValidator(_schedule_name)]
    """At most 64 letters, digits and hyphens."""
    schedule: Expression
    """`cron(minutes hours day-of-month month day-of-week year)`, or `at(yyyy-mm-ddThh:mm:ss)` for once."""
    time_zone: TimeZone = "UTC"
    """A name of the IANA database, such as Europe/Berlin."""
    min: Annotated[Whole, Field(ge=1, le=MOST_TASKS)]
    """Fewest tasks from then on."""
    max: Annotated[Whole, Field(ge=1, le=MOST_TASKS)]
    """Most tasks from then on."""

    _room = field_validator("max")(not_less_than_min)


class Scaling(Tracking):
    """Of an application: also by the requests that each task gets in a minute, and by the clock."""

    requests_per_target: Annotated[Whole, Field(ge=1, le=1_000_000)] | None = None
    """Requests of the load balancer to each task in a minute; needs `traffic` and a `rollout` that is rolling."""
    schedules: tuple[Schedule, ...] = ()
    """New bounds at a time."""

    @field_validator("schedules")
    @classmethod
    def _names(cls, schedules: tuple[Schedule, ...]) -> tuple[Schedule, ...]:
        names = [schedule.name for schedule in schedules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise wrong(f"has {', '.join(twice)} more than once", "give each schedule a name of its own")
        return schedules

    @property
    def moves(self) -> bool:
        """Whether anything changes the number of tasks."""
        return super().moves or bool(self.schedules)

    @property
    def targets(self) -> tuple[Target, ...]:
        """What is held, in the order in which policies are made."""
        requests = self.requests_per_target
        return (*super().targets, *([Target("requests", REQUESTS, requests)] if requests else []))

    @property
    def least(self) -> int:
        """Fewer tasks than this there never are."""
        return min((self.min, *(schedule.min for schedule in self.schedules)))

    @property
    def most(self) -> int:
        """More tasks than this there never are."""
        return max((self.max, *(schedule.max for schedule in self.schedules)))


class CollectorScaling(Tracking):
    """Of the collector's own service: never one alone, and slow to take one away."""

    min: Annotated[Whole, Field(ge=2, le=100)] = 2
    max: Annotated[Whole, Field(ge=2, le=100)]
    cpu: Percent | None = 60
    memory: Percent | None = 70
    # A collector that goes drains for up to two minutes and clients need a moment to find the others: the next may only
    # go when that is over, or what is waiting moves from one that stops to another that stops.
    scale_in_cooldown: Annotated[Whole, Field(ge=240, le=3600)] = 600


def check(scaling: Scaling, desired_count: int, *, balanced: bool, shifted: bool) -> None:
    """Raises what pydantic takes if the scaling of an application does not go with its other keys. `balanced` says
    whether a load balancer sends it requests, and `shifted` whether those change to another target group."""
    if desired_count > scaling.max:
        raise wrong(
            f"has max {scaling.max}, and desiredCount is {desired_count}",
            "give at most as many, or leave desiredCount out: load decides once the service runs",
        )
    if scaling.requests_per_target is not None and not balanced:
        raise wrong(
            "counts requests per target of a load balancer, and this application has none",
            "give it traffic, or leave requestsPerTarget out and scale by cpu",
        )
    if scaling.requests_per_target is not None and shifted:
        raise wrong(
            "counts requests of one target group, and the rollout shifts them to another",
            "scale by cpu, or let the rollout be rolling",
        )


def collector_faults(scaling: CollectorScaling | None, *, tail: bool, key: str) -> Sequence[Fault]:
    """Faults between the scaling of the collector's service, under `key`, and what it does with traces."""
    if scaling is None or not tail:
        return ()
    return (
        Fault(
            f"{key}.scaling",
            "changes the number of collectors, and with it where spans of a trace go while traces.tail waits for them",
            "leave one of the two out, and give desiredCount for the busiest hour",
        ),
    )
