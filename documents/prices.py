"""List prices of a region, as data: what each is for, since when it is known and from where.

The figures are in files (`preview/costs/prices/<region>.json`), which `make prices REGION=...` writes from AWS's public
price list. Here is what such a file must say, and how much so many of something cost.
"""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, model_validator

from documents.faults import ConfigurationError, collect, wrong
from documents.model import Model

HOURS: Final = 730
"""A month's, as AWS's price lists count."""

CURRENT_DAYS: Final = 366
"""A price that was read longer ago is said to be old."""

REQUIRED: Final[Mapping[str, str]] = {
    "fargate.x86.vcpu": "vCPU-hour",
    "fargate.x86.gigabyte": "GB-hour",
    "fargate.arm.vcpu": "vCPU-hour",
    "fargate.arm.gigabyte": "GB-hour",
    "fargate.disk": "GB-hour",
    "volume.gp3": "GB-month",
    "address": "hour",
    "nat.hour": "hour",
    "nat.gigabyte": "GB",
    "endpoint.hour": "hour",
    "endpoint.gigabyte": "GB",
    "balancer.hour": "hour",
    "balancer.unit": "LCU-hour",
    "amp.samples": "sample",
    "amp.queries": "sample",
    "amp.storage": "GB-month",
    "xray.recorded": "trace",
    "xray.read": "trace",
    "logs.ingested": "GB",
    "logs.stored": "GB-month",
    "alarm": "metric-month",
    "metric": "metric-month",
    "insights.metric": "metric-month",
    "grafana.editor": "user-month",
    "grafana.viewer": "user-month",
    "kms.key": "key-month",
    "zone": "zone-month",
    "sns.email": "message",
    "sns.https": "message",
    "secret": "secret-month",
    "parameter.advanced": "parameter-month",
}
"""The prices that every file has, by name, and the unit of each. A file may have more: `instance.<type>` in hours, and
`fargate-spot.*` like `fargate.*`."""


def unit(name: str) -> str:
    """The unit of a price that a file may have."""
    return REQUIRED.get(name) or REQUIRED.get(name.replace("fargate-spot.", "fargate.")) or "hour"


_OPTIONAL: Final = re.compile(r"instance\.[a-z0-9.-]+|fargate-spot\.(?:x86|arm)\.(?:vcpu|gigabyte)")
_DECIMAL: Final = re.compile(r"\d+(\.\d+)?")


def _decimal(value: object) -> object:
    """A price is written as a text: a JSON number would be rounded to the nearest binary fraction."""
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise wrong("is no decimal number in quotes", 'write it as "0.04048"')
    return Decimal(value)


def _date(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise wrong("is no date", 'write it as "2026-09-11"')
    try:
        return datetime.date.fromisoformat(value)
    except ValueError as error:
        raise wrong("is no date", 'write it as "2026-09-11"') from error


Number = Annotated[Decimal, BeforeValidator(_decimal)]
Day = Annotated[datetime.date, BeforeValidator(_date)]


def shown(dollars: Decimal) -> str:
    """Dollars as a bill has them: two digits, half a cent up."""
    return str(dollars.quantize(Decimal("0.01"), ROUND_HALF_UP))


class Source(StrEnum):
    """Where a price was read."""

    LIST = "list"
    """AWS's public price list."""
    PAGE = "page"
    """A page of AWS or a public copy of it, or of the price list."""
    FEED = "feed"
    """AWS's feed of Spot prices."""


class Tier(Model):
    """From so many in a month on, one costs so many dollars."""

    begin: Number = Decimal(0)
    """The first tier begins at 0."""
    dollars: Number
    """Of one, in US dollars."""


class Price(Model):
    """What one of something costs in a month, by how many there are."""

    unit: str
    """What is counted."""
    tiers: tuple[Tier, ...]
    """In ascending order."""
    source: Source
    """Where it was read."""
    reference: str
    """The page, or the offer of the price list with its version."""
    date: Day | None = None
    """When it was published, or else read there; left out where nobody wrote that down."""
    sku: str = ""
    """Of the price list, where it is known."""
    usagetype: str = ""
    """Of the price list, where it is known."""
    unverified: str = ""
    """What nobody has confirmed about it."""

    @model_validator(mode="after")
    def _ascending(self) -> "Price":
        begins = [tier.begin for tier in self.tiers]
        if not begins or begins[0] != 0 or begins != sorted(set(begins)):
            raise wrong("has tiers that do not ascend from 0", "begin the first at 0, each further one where it begins")
        return self

    @property
    def free(self) -> Decimal:
        """How many cost nothing in a month; an account has this once, whatever the number of its stacks."""
        return self.tiers[1].begin if len(self.tiers) > 1 and not self.tiers[0].dollars else Decimal(0)

    @property
    def first(self) -> Decimal:
        """Dollars for one, beyond what is free and before it gets cheaper."""
        return next((tier.dollars for tier in self.tiers if tier.dollars), Decimal(0))

    def cost(self, amount: Decimal, *, after: Decimal = Decimal(0)) -> Decimal:
        """Dollars for so many, when `after` so many have been used already."""
        if not amount:
            return Decimal(0)
        if len(self.tiers) == 1:
            return amount * self.tiers[0].dollars
        return self._upto(after + amount) - self._upto(after)

    def _upto(self, amount: Decimal) -> Decimal:
        ends = [tier.begin for tier in self.tiers[1:]] + [max(amount, self.tiers[-1].begin)]
        shares = (
            max(min(amount, end) - tier.begin, Decimal(0)) * tier.dollars
            for tier, end in zip(self.tiers, ends, strict=True)
        )
        return sum(shares, Decimal(0))

    def is_old(self, today: datetime.date) -> bool:
        """Whether it was read more than a year before that day, or nobody knows when."""
        return self.date is None or (today - self.date).days > CURRENT_DAYS


class Offer(Model):
    """A part of AWS's price list, as it was read."""

    version: str
    """AWS's own."""
    published: Day
    """When AWS did."""
    url: str
    """Where it was read."""
    sha256: str
    """Of the bytes."""


class Prices(Model):
    """The prices of a region, by name (see `REQUIRED`)."""

    region: str
    """Of AWS."""
    currency: str
    """Always US dollars: a price list in another currency is refused."""
    offers: Mapping[str, Offer] = {}
    """By AWS's code, those that were read to make the file."""
    prices: Mapping[str, Price]
    """By name."""

    @model_validator(mode="after")
    def _complete(self) -> "Prices":
        if self.currency != "USD":
            raise wrong(f"is in {self.currency}", "give prices in USD: every figure here is in dollars")
        if missing := sorted(set(REQUIRED) - set(self.prices)):
            raise wrong(f"lacks {', '.join(missing)}", "have the file written by make prices")
        for name, price in self.prices.items():
            if name not in REQUIRED and not _OPTIONAL.fullmatch(name):
                raise wrong(f"has {name}, which nothing asks for", "take it out")
            if price.unit != (expected := unit(name)):
                raise wrong(f"has {name} by {price.unit}", f"give it by {expected}")
        return self

    def __getitem__(self, name: str) -> Price:
        return self.prices[name]

    def get(self, name: str) -> Price | None:
        """A price that a file may have."""
        return self.prices.get(name)


def parsed(document: Any) -> Prices:
    """The prices in a file. Raises ConfigurationError with every fault."""
    faults: list[Any] = []
    made = collect(faults, lambda: Prices.model_validate(document), Prices, "")
    if made is None:
        raise ConfigurationError(faults)
    return made


@dataclass(frozen=True)
class Estimate:
    """What the dashboard Costs multiplies with: so many are `free` in a month, a million more costs `per_million`."""

    free: int
    per_million: float

    def promql(self, amount: str) -> str:
        """Dollars for what a PromQL expression gives."""
        return f"clamp_min({amount} - {self.free}, 0) * {self.per_million:g} / 1000000"

    def dollars(self, amount: float) -> float:
        """Dollars for so many."""
        return max(amount - self.free, 0) * self.per_million / 1_000_000


# Said again here, where no file is read, for the dashboard; a test compares them with the file of us-east-1.
SAMPLES: Final = Estimate(free=40_000_000, per_million=0.09)
"""AMP, samples ingested, at its first tiers in us-east-1."""

TRACES: Final = Estimate(free=100_000, per_million=5.0)
"""X-Ray, traces recorded, in us-east-1."""
