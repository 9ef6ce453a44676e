"""What AWS bills, for estimates: list prices of us-east-1 in US dollars. docs/costs.md names the sources."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Price:
    """So many are `free` in a month, and a million more costs `per_million`."""

    free: int
    per_million: float

    def promql(self, amount: str) -> str:
        """Dollars for what a PromQL expression gives."""
        return f"clamp_min({amount} - {self.free}, 0) * {self.per_million:g} / 1000000"

    def dollars(self, amount: float) -> float:
        """Dollars for so many."""
        return max(amount - self.free, 0) * self.per_million / 1_000_000


SAMPLES: Final = Price(free=40_000_000, per_million=0.09)
"""AMP, samples ingested: 0.90 for 10 million up to 2 billion a month; beyond, they are cheaper."""

TRACES: Final = Price(free=100_000, per_million=5.0)
"""X-Ray, traces recorded."""

HOURS: Final = 730
"""A month's, as AWS's price lists count."""


@dataclass(frozen=True)
class Standing:
    """What stands there costs so much an `hour`, and so much for each `gigabyte` that passes."""

    hour: float
    gigabyte: float = 0.0

    def month(self, count: int = 1) -> float:
        """Dollars for so many, before anything passes."""
        return self.hour * HOURS * count


PUBLIC_ADDRESS: Final = Standing(hour=0.005)
"""A public IPv4 address."""

NAT_GATEWAY: Final = Standing(hour=0.045, gigabyte=0.045)
"""Without the public address that each has."""

INTERFACE_ENDPOINT: Final = Standing(hour=0.01, gigabyte=0.01)
"""In one availability zone; up to a petabyte a month, beyond which a GB is cheaper."""


LOAD_BALANCER: Final = Standing(hour=0.0225)
"""An Application Load Balancer, without the public address that it has in each zone."""

CAPACITY_UNIT: Final = Standing(hour=0.008)
"""Of its traffic: 25 new connections a second, 3,000 open ones, or a GB an hour, whichever is most."""


@dataclass(frozen=True)
class Computing:
    """A task costs so much an hour for each `vcpu` and each `gigabyte` that it reserves."""

    vcpu: float
    gigabyte: float

    def month(self, cpu: float, memory: float) -> float:
        """Dollars for a task of so many CPU units and MiB."""
        return (cpu / 1024 * self.vcpu + memory / 1024 * self.gigabyte) * HOURS


FARGATE: Final[Mapping[str, Computing]] = {
    "X86_64": Computing(vcpu=0.04048, gigabyte=0.004445),
    "ARM64": Computing(vcpu=0.03238, gigabyte=0.00356),
}
"""By processor; the first 20 GiB of disk cost nothing more."""

FARGATE_SPOT: Final[Mapping[str, Computing]] = {
    "X86_64": Computing(vcpu=0.01288871, gigabyte=0.00141527),
    "ARM64": Computing(vcpu=0.01030969, gigabyte=0.00113349),
}
"""On 2026-09-28: it floats."""

TASK_DISK: Final = Standing(hour=0.000111)
"""A GiB of a Fargate task's disk beyond those 20."""

INSTANCES: Final[Mapping[str, Standing]] = {
    "t3.medium": Standing(hour=0.0416),
    "t3.large": Standing(hour=0.0832),
    "t4g.medium": Standing(hour=0.0336),
    "t4g.large": Standing(hour=0.0672),
    "c7g.large": Standing(hour=0.0725),
    "c7g.xlarge": Standing(hour=0.145),
    "c7g.2xlarge": Standing(hour=0.29),
    "c7i.large": Standing(hour=0.08925),
    "c7i.xlarge": Standing(hour=0.1785),
    "c7i.2xlarge": Standing(hour=0.357),
    "m7g.large": Standing(hour=0.0816),
    "m7g.xlarge": Standing(hour=0.1632),
    "m7g.2xlarge": Standing(hour=0.3264),
    "m7i.large": Standing(hour=0.1008),
    "m7i.xlarge": Standing(hour=0.2016),
    "m7i.2xlarge": Standing(hour=0.4032),
}
"""EC2 with Linux, on demand, by type. Not from a price list: docs/costs.md."""

VOLUME_MONTH: Final = 0.08
"""A GiB of an instance's disk (gp3) for a month."""
