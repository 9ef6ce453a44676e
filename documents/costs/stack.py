"""What of a stack is billed, counted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from documents.catalogue import COLLECTOR_SERVICE

ZERO: Final = Decimal(0)

Mix = tuple[tuple[bool, int, int], ...]
"""Of Fargate and Fargate Spot: whether it is Spot, how many tasks are there first, and the weight for the others."""

ON_DEMAND: Final[Mix] = ((False, 0, 1),)


def shares(mix: Mix, tasks: Decimal) -> Iterator[tuple[bool, Decimal]]:
    """How many of so many tasks are on Spot, and how many are not: the base first, others by weight."""
    based = min(tasks, Decimal(sum(base for _, base, _ in mix)))
    weights = sum(weight for _, _, weight in mix)
    for spot, base, weight in mix:
        yield spot, min(Decimal(base), based) + (tasks - based) * weight / weights


@dataclass(frozen=True)
class Service:
    """An ECS service and what one task of it takes: `cpu` in units, `memory` in MiB, `disk` in GiB that are billed.

    There are from `least` to `most` tasks, and nothing is billed for those on instances. Each keeps writing so many
    `series` every `interval` seconds, and if an application `serves` requests in it, what these add; `ratio` of the
    requests begins a trace. `recorded` is how many samples rules record in a month, of the service and of each task.
    """

    name: str
    least: int
    most: int
    cpu: int
    memory: int
    processor: str
    serves: bool = False
    series: int = 0
    interval: int = 60
    ratio: Decimal = Decimal(1)
    disk: int = 0
    fargate: bool = True
    strategy: Mix = ON_DEMAND
    public: bool = False
    application: bool = False
    collectors: int = 0
    """Containers that log as collectors do."""
    beside: tuple[int, int] = (0, 0)
    """CPU units and MiB that collectors and their drain take in a task of an application."""
    log_days: int | None = None
    """For how long CloudWatch keeps what it logs; None where it does not log there."""
    recorded: tuple[int, int] = (0, 0)

    @property
    def carries(self) -> bool:
        """Whether it is the collectors' service, of which there are as many tasks as spans need."""
        return self.name == COLLECTOR_SERVICE and not self.application

    def tasks(self, load: Decimal) -> Decimal:
        """How many on average, by load."""
        return self.least + (self.most - self.least) * load


@dataclass(frozen=True)
class Instances:
    """From `least` to `most` instances of EC2 of a `kind`, with so many GiB of `disk` each."""

    least: int
    most: int
    kind: str
    disk: int


@dataclass(frozen=True)
class Run:
    """A task that runs by the clock so many times a month; nothing is known of those that people start."""

    name: str
    times: Decimal
    cpu: int
    memory: int
    processor: str


@dataclass(frozen=True)
class People:
    """Whom a stack gives a role of Grafana: `users` by name, and `groups`, of which it does not say how many are in."""

    users: int = 0
    groups: int = 0


@dataclass(frozen=True)
class Stack:
    """Everything in a stack that is billed, counted."""

    services: tuple[Service, ...] = ()
    instances: tuple[Instances, ...] = ()
    runs: tuple[Run, ...] = ()
    addresses: int = 0
    """Public ones, beside those of tasks."""
    gateways: int = 0
    endpoints: int = 0
    """Interface endpoints, each as often as it has zones."""
    balancers: int = 0
    metric_days: int = 150
    """For how long AMP keeps samples; what AMP does by itself."""
    evaluations: int = 0
    """Evaluations of rules in a month."""
    queries: Decimal = ZERO
    """Queries of AMP in an hour of an open dashboard, of the average one."""
    insights: bool = False
    alarms: int = 0
    """Metrics that alarms look at."""
    metrics: int = 0
    """Custom metrics, made of log lines."""
    grafana: int = 0
    editors: People = People()
    """Of Grafana, with its administrators."""
    viewers: People = People()
    accounts: int = 0
    """Service accounts of Grafana, each billed as an editor in a month in which it asks for something."""
    keys: int = 0
    zones: int = 0
    mails: int = 0
    """Subscribers by e-mail."""
    posts: int = 0
    """Subscribers by HTTPS."""
    secrets: int = 0
    parameters: int = 0
    """Advanced ones."""


Tasks = Mapping[str, Decimal]
"""How many tasks there are on average, by service."""


@dataclass(frozen=True)
class Size:
    """How large a stack is taken to be, where that is not what it says: `tasks` of services by name, and `sizes` of
    these tasks as CPU units and MiB."""

    tasks: Tasks = field(default_factory=dict[str, Decimal])
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])


AS_IT_IS: Final = Size()
