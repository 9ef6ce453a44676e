"""How a new version of an application takes over, and what takes it back: ECS's own deployment strategies.

Sources: Amazon ECS API Reference, DeploymentConfiguration, CanaryConfiguration, LinearConfiguration and
DeploymentLifecycleHook; Amazon ECS Developer Guide, "How CloudWatch alarms detect Amazon ECS deployment failures".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from documents import catalogue
from documents.alerting.alarms import Comparison, Math, Metric
from documents.catalogue import BalancerDimension
from documents.faults import wrong
from documents.model import Model, Whole
from documents.names import Names
from documents.traffic import MOST_VALUES, Traffic

BLUE: Final = "blue"
GREEN: Final = "green"
"""The two target groups of an application whose traffic is shifted; after each deployment they have changed places."""

_STEP_PERCENT: Final = 25.0
_STEP_MINUTES: Final = 10
_BAKE_MINUTES: Final = 10
_LEAST_LINEAR: Final = 3.0

_SPARE_MINUTES: Final = 30
"""What a deployment takes besides its waits: two sets of tasks that start and stop."""


class Strategy(StrEnum):
    """How traffic comes to a new version: task by task, a share first, in equal steps, or all at once."""

    ROLLING = "rolling"
    CANARY = "canary"
    LINEAR = "linear"
    BLUE_GREEN = "blueGreen"

    @property
    def in_ecs(self) -> str:
        """As ECS names it."""
        return {Strategy.BLUE_GREEN: "BLUE_GREEN"}.get(self, self.value.upper())


class Point(StrEnum):
    """Where a deployment may wait for a person, and ECS's name of it: once the new tasks run, once they get the
    requests of testers, before each shift of traffic, after the last."""

    SCALED_UP = "scaledUp"
    TESTED = "tested"
    BEFORE_SHIFT = "beforeShift"
    SHIFTED = "shifted"

    @property
    def in_ecs(self) -> str:
        """As ECS names it."""
        return _STAGES[self]


_STAGES: Final = {
    Point.SCALED_UP: "POST_SCALE_UP",
    Point.TESTED: "POST_TEST_TRAFFIC_SHIFT",
    Point.BEFORE_SHIFT: "PRE_PRODUCTION_TRAFFIC_SHIFT",
    Point.SHIFTED: "POST_PRODUCTION_TRAFFIC_SHIFT",
}


class Pause(Model):
    """A point at which a deployment waits until somebody lets it go on."""

    at: Point
    """Where it waits."""
    minutes: Annotated[Whole, Field(ge=1, le=20_160)] = 60
    """Minutes until it is rolled back."""


def _header(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,40}", value):
        raise wrong("is not the name of a header", "for example X-Preview")
    return value


Minutes = Annotated[Whole, Field(ge=0, le=1440)]


class Rollout(Model):
    """How a new version takes over."""

    strategy: Strategy
    """How requests go to the new version; all but `rolling` need `traffic`."""
    percent: Annotated[float, Field(ge=0.1, le=100)] | None = None
    """Canary and linear: percent of the requests in a step (left out, 25), of linear at least 3."""
    step_minutes: Minutes | None = None
    """Canary and linear: minutes that a step lasts (left out, 10)."""
    bake_minutes: Minutes | None = None
    """Minutes for which the old version stays after the last step, to go back to at once (left out, 10)."""
    errors: Annotated[float, Field(gt=0, le=100)] = 5
    """Percent of failed requests of the new version at which it is rolled back; needs `traffic`."""
    test_header: Annotated[str, AfterValidator(_header)] | None = None
    """Name of a header; requests that have it get the new version before any other does."""
    pause: Pause | None = None
    """A point at which a deployment waits for somebody."""

    @model_validator(mode="after")
    def _of_the_strategy(self) -> Self:
        extra = [key for key in _MEANINGLESS[self.strategy] if getattr(self, key) is not None]
        if extra:
            names = ", ".join(type(self).model_fields[key].alias or key for key in extra)
            raise wrong(f"has {names}, which {self.strategy} does not know", "leave it out, or choose another strategy")
        if self.strategy is Strategy.LINEAR and self.step_percent < _LEAST_LINEAR:
            raise wrong(f"has steps of {self.step_percent:g} percent", f"give at least {_LEAST_LINEAR:g}")
        if self.pause and self.pause.at is Point.TESTED and not self.test_header:
            raise wrong("waits at a test that nobody can make", "give testHeader, or wait at scaledUp")
        return self

    @property
    def shifts(self) -> bool:
        """Whether ECS moves requests from one target group to another."""
        return self.strategy is not Strategy.ROLLING

    @property
    def step_percent(self) -> float:
        """Percent of the requests in a step."""
        return self.percent or _STEP_PERCENT

    @property
    def deployment_configuration(self) -> dict[str, Any]:
        """What the provider takes; minutes are texts to it."""
        if not self.shifts:
            return {"strategy": self.strategy.in_ecs}
        configuration: dict[str, Any] = {"strategy": self.strategy.in_ecs, "bake_time_in_minutes": str(self._bake)}
        step = str(self._step)
        match self.strategy:
            case Strategy.CANARY:
                canary = {"canary_percent": self.step_percent, "canary_bake_time_in_minutes": step}
                configuration["canary_configuration"] = canary
            case Strategy.LINEAR:
                linear = {"step_percent": self.step_percent, "step_bake_time_in_minutes": step}
                configuration["linear_configuration"] = linear
            case _:
                pass
        if self.pause:
            configuration["lifecycle_hooks"] = [
                {
                    "target_type": "PAUSE",
                    "lifecycle_stages": [self.pause.at.in_ecs],
                    "timeout_configuration": {"timeout_in_minutes": str(self.pause.minutes), "action": "ROLLBACK"},
                }
            ]
        return configuration

    @property
    def most_minutes(self) -> int | None:
        """How long a deployment may take before it is given up: all of its waits, and what it takes besides. None for
        as long as any other."""
        if not self.shifts:
            return None
        steps = {Strategy.CANARY: 1, Strategy.LINEAR: -int(-100 // self.step_percent)}.get(self.strategy, 0)
        waits = steps + 1 if self.pause and self.pause.at is Point.BEFORE_SHIFT else 1
        paused = self.pause.minutes * waits if self.pause else 0
        return steps * self._step + self._bake + paused + _SPARE_MINUTES

    @property
    def _step(self) -> int:
        return _STEP_MINUTES if self.step_minutes is None else self.step_minutes

    @property
    def _bake(self) -> int:
        return _BAKE_MINUTES if self.bake_minutes is None else self.bake_minutes


_MEANINGLESS: Final[Mapping[Strategy, tuple[str, ...]]] = {
    Strategy.ROLLING: ("percent", "step_minutes", "bake_minutes", "test_header", "pause"),
    Strategy.CANARY: (),
    Strategy.LINEAR: (),
    Strategy.BLUE_GREEN: ("percent", "step_minutes"),
}


def _word(value: object) -> object:
    return {"strategy": value} if isinstance(value, str) else value


WrittenRollout = Annotated[Rollout, BeforeValidator(_word, json_schema_input_type=Strategy | Rollout)]
"""A strategy by its name alone, or with its numbers."""


@dataclass(frozen=True)
class RollbackAlarm:
    """A CloudWatch alarm on the last of its `queries`, which ECS looks at while it deploys. It has a data point each
    minute, and fires when `breaching` of the newest `periods` breach. `about` tells it from the others on its group."""

    about: str
    name: str
    queries: tuple[Metric | Math, ...]
    comparison: Comparison
    threshold: float
    periods: int
    breaching: int
    summary: str


_ERRORS: Final = "RolloutErrors"
_UNHEALTHY: Final = "RolloutUnhealthy"


def is_alarm(name: str) -> bool:
    """Whether a CloudWatch alarm of this name is one that only ECS looks at."""
    return re.search(rf"-(?:{_ERRORS}|{_UNHEALTHY})-", name) is not None


def alarms(
    names: Names, application: str, colour: str, *, errors: float, balancer: str, group: str
) -> tuple[RollbackAlarm, ...]:
    """What takes a new version back, for one target group of an application; `balancer` and `group` as CloudWatch names
    them (`app/name/id`, `targetgroup/name/id`).

    Each group has its own: among the requests of both, those that a canary fails would be too few to see.
    """
    dimensions = {BalancerDimension.BALANCER: balancer, BalancerDimension.TARGET_GROUP: group}

    def read(name: str, metric: catalogue.ServiceMetric) -> Metric:
        return Metric(name, metric.namespace, metric.name, dimensions, metric.statistic)

    return (
        RollbackAlarm(
            about="errors",
            name=names.rollback_alarm(_ERRORS, application, colour),
            # Without a failed request CloudWatch has no number of them, and without a number there is no data point.
            queries=(
                read("failed", catalogue.TARGET_ERRORS),
                read("requests", catalogue.TARGET_REQUESTS),
                Math("share", "100 * failed / requests"),
            ),
            comparison=Comparison.ABOVE,
            threshold=errors,
            periods=3,
            breaching=2,
            summary=f"More than {errors:g}% of the requests to {application} failed in two of three minutes.",
        ),
        RollbackAlarm(
            about="unhealthy",
            name=names.rollback_alarm(_UNHEALTHY, application, colour),
            queries=(read("unhealthy", catalogue.UNHEALTHY_TARGETS),),
            comparison=Comparison.AT_LEAST,
            threshold=1,
            periods=3,
            breaching=3,
            summary=f"A task of {application} failed the load balancer's health check for three minutes.",
        ),
    )


def check(rollout: Rollout, traffic: Traffic | None) -> None:
    """Raises what pydantic takes if the roll-out of an application does not go with the traffic that it has."""
    if traffic is None and not rollout.shifts and "errors" in rollout.model_fields_set:
        raise wrong("counts errors of no traffic", "give the application traffic, or leave errors out")
    if not rollout.shifts:
        return
    if traffic is None:
        raise wrong(f"is {rollout.strategy} of no traffic", "give the application traffic, or let it be rolling")
    if traffic.split:
        raise wrong("shifts a share that traffic.split fixes", "let it be rolling, or leave split out")
    if rollout.test_header and len(traffic.hosts) + len(traffic.paths) >= MOST_VALUES:
        raise wrong(
            f"has a testHeader beside {MOST_VALUES} hosts and paths, and a rule takes {MOST_VALUES} of all",
            "take one host or path away, or testHeader",
        )
