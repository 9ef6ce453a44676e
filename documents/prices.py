"""What AWS bills, for estimates: list prices of us-east-1 in US dollars. docs/costs.md names the sources."""

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
