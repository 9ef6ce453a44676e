"""What tasks run on: EC2 instances, or Fargate, and Fargate Spot for those that may be taken away.

Sources: Amazon ECS API Reference, CapacityProviderStrategyItem; AWS re:Post, "How do I handle Spot termination notices
in AWS Fargate Spot tasks?". ARM64 runs on Spot as well from platform version 1.4.0 on, which is what `LATEST` is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, ValidationInfo, field_validator

from documents.faults import Fault, wrong
from documents.model import Model, Whole

ON_DEMAND: Final = "FARGATE"
SPOT: Final = "FARGATE_SPOT"
PROVIDERS: Final = (ON_DEMAND, SPOT)
"""The capacity providers that a cluster must have for a mix."""

_WHOLE: Final = 100

_WARNING_SECONDS: Final = 120
"""From the SIGTERM of an interruption until the task is gone, whatever its containers are allowed each."""

_DRAIN_SECONDS: Final = 30
"""What is left at least of that to the queues of a sidecar, which are drained once the application has stopped."""


class Compute(StrEnum):
    """Where the tasks of a service are: on Fargate, or on the EC2 instances of the stack (documents/instances.py)."""

    FARGATE = "fargate"
    EC2 = "ec2"


@dataclass(frozen=True)
class Share:
    """What one capacity provider gets: `base` tasks first, then its `weight` of the weights of all."""

    provider: str
    weight: int
    base: int = 0


class Capacity(Model):
    """A mix of Fargate and Fargate Spot."""

    spot_percent: Annotated[Whole, Field(ge=0, le=_WHOLE)]
    """Percent of the tasks beyond `base` that are on Fargate Spot; docs/scaling.md#spot."""
    base: Annotated[Whole, Field(validate_default=True, ge=0, le=5000)] = 1
    """Tasks that are on Fargate in any case."""

    @field_validator("base")
    @classmethod
    def _has_weight(cls, base: int, info: ValidationInfo) -> int:
        if base and info.data.get("spot_percent") == _WHOLE:
            # ECS: "any capacity providers with a weight of 0 can't be used to place tasks".
            raise wrong("is for Fargate, which has no weight where 100 percent are on Spot", "give 0, or fewer percent")
        return base

    @property
    def strategy(self) -> tuple[Share, ...]:
        """The capacity provider strategy, without providers that would get nothing."""
        shares = Share(ON_DEMAND, _WHOLE - self.spot_percent, self.base), Share(SPOT, self.spot_percent)
        return tuple(share for share in shares if share.weight)


def warnings(capacity: Capacity | None, key: str) -> list[str]:
    """What is allowed and yet unwise in the capacity of an application, which stands under `key`."""
    if capacity is None or capacity.spot_percent < _WHOLE:
        return []
    return [f"{key}.capacity: no task runs while AWS has no Spot to spare; give a base, and less than 100 percent"]


def sidecar_faults(stop_seconds: int, key: str) -> Iterator[Fault]:
    """Faults if an application on Spot, under `key`, takes so long to stop that its sidecar has no time to drain."""
    if stop_seconds > _WARNING_SECONDS - _DRAIN_SECONDS:
        yield Fault(
            f"{key}.container.stopTimeout",
            f"leaves the sidecar's queues {_WARNING_SECONDS - stop_seconds} of the {_WARNING_SECONDS} seconds that Spot"
            " gives a whole task to stop",
            f"give at most {_WARNING_SECONDS - _DRAIN_SECONDS}, or leave capacity out, or choose the service pattern",
            stop_seconds,
        )


def check(capacity: Capacity, most_tasks: int, drain_seconds: int) -> None:
    """Raises what pydantic takes if the mix cannot be had with as many tasks as there may be, or if its load balancer
    lets requests to a task that is to go end after that task (`drain_seconds`, 0 without one)."""
    if capacity.spot_percent and drain_seconds >= _WARNING_SECONDS:
        raise wrong(
            f"is Spot, which takes a task away after {_WARNING_SECONDS} seconds, and traffic.drain is {drain_seconds}",
            f"give traffic.drain less than {_WARNING_SECONDS}",
        )
    if capacity.spot_percent and capacity.base >= most_tasks:
        raise wrong(
            f"has a base of {capacity.base}, and there are never more tasks than {most_tasks}: none is on Spot",
            "give a smaller base, or more tasks, or leave capacity out",
        )


def check_instances(chosen: Compute, *, capacity: Capacity | None, ephemeral_storage: int | None) -> None:
    """Raises what pydantic takes if tasks on EC2 are to have what only Fargate has."""
    if chosen is not Compute.EC2:
        return
    if capacity:
        raise wrong("has no mix of Fargate and Fargate Spot, which is what capacity says", "leave capacity out")
    if ephemeral_storage:
        # ECS refuses ephemeralStorage in a task definition that does not require Fargate.
        raise wrong(
            "has no disk for each task, whose size ephemeralStorage says: tasks share that of their instance",
            "leave ephemeralStorage out, and give ec2.instances.volumeSize",
        )
