"""Service-level objectives: what an application promises its callers over four weeks, and how fast it may fail them.

The mathematics of burn rates is that of the chapter "Alerting on SLOs" of the Site Reliability Workbook
(https://sre.google/workbook/alerting-on-slos/), for 28 days instead of its 30.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from documents.catalogue import REQUEST_DURATION
from documents.faults import wrong
from documents.model import Model

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

PERIOD_SECONDS: Final = 28 * DAY
"""Whole weeks, so that each period has as many weekends as the one before."""

A_FEW: Final = 2.8
"""Failed requests that an alert needs in its window. With less, one failure among ten requests at night would be a
failure ratio of 10 %. A rate extrapolates to the ends of its window, but not below zero, so that it only estimates how
many there were: two failures count as 2.67 at most, which is never enough, and four as 3.2 at least, which always is.
"""

AVAILABILITY: Final = "availability"
LATENCY: Final = "latency"
"""Names of objectives: values of the label `slo`."""

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s)")


def _seconds(value: object) -> object:
    """Seconds of a text such as `300ms` or `1.5s`."""
    if isinstance(value, str) and (found := _DURATION.fullmatch(value)):
        return float(found[1]) / (1000 if found[2] == "ms" else 1)
    raise wrong("is not a time", "write it as 300ms or 1.5s")


def _measurable(value: float) -> float:
    least, most = REQUEST_DURATION.bounds[0], REQUEST_DURATION.bounds[-1]
    if not least <= value <= most:
        raise wrong(
            "is a time that the histogram of request durations cannot tell", f"choose from {least:g}s to {most:g}s"
        )
    return value


def _below_all(value: float) -> float:
    if not 0 < value < 100:
        raise wrong(
            "is no target: an objective leaves a budget for errors", "give percent above 0 and below 100, such as 99.9"
        )
    return value


Duration = Annotated[float, BeforeValidator(_seconds, json_schema_input_type=str), AfterValidator(_measurable)]
"""Seconds, from a text; within the bounds of the histogram that every application has."""

Percent = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_below_all)]


@dataclass(frozen=True)
class BurnRate:
    """Budget that is used up too fast: the `share` of all of it within `seconds`."""

    share: float
    seconds: int

    @property
    def factor(self) -> float:
        """How many times as fast as a budget that is used up exactly at the end of the period."""
        return self.share * PERIOD_SECONDS / self.seconds

    def short_seconds(self, least: int) -> int:
        """The window in which it must still be so, so that an alert ends soon after its cause; `least` is the shortest
        over which there is a rate."""
        return max(self.seconds // 12, least)

    def errors(self, objective: float) -> float | None:
        """The ratio of errors at which it is so for an objective, itself a ratio; None if no ratio is so high, since
        the budget is so large that even an outage uses it up more slowly."""
        ratio = round(self.factor * (1 - objective), 9)
        return ratio if ratio < 1 else None


FAST: Final = (BurnRate(0.02, HOUR), BurnRate(0.05, 6 * HOUR))
"""Somebody has to look now: the budget is gone within days."""

SLOW: Final = (BurnRate(0.10, 3 * DAY),)
"""Somebody has to look in working hours: the budget will not last for its period."""


@dataclass(frozen=True)
class Between:
    """Where a time lies among the bounds of a histogram: `share` of the way from `lower` to `upper`, which are the same
    where it is a bound itself."""

    lower: float
    upper: float
    share: float


def between(seconds: float) -> Between:
    """Where a time within the bounds of the histogram of request durations lies among them.

    The requests of a bucket are taken as spread evenly over it, as `histogram_quantile` takes them.
    """
    bounds = REQUEST_DURATION.bounds
    index = bisect_left(bounds, seconds)
    upper = bounds[index]
    if seconds == upper:
        return Between(upper, upper, 1.0)
    lower = bounds[index - 1]
    return Between(lower, upper, round((seconds - lower) / (upper - lower), 9))


def is_bound(seconds: float) -> bool:
    """Whether requests that took longer can be counted, and need not be estimated."""
    return seconds in REQUEST_DURATION.bounds


def between_bounds(key: str, seconds: float) -> str:
    """What to know of a time that stands under `key` and is no bound of the histogram."""
    found = between(seconds)
    return (
        f"{key}: no bound of the histogram of request durations (got {seconds:g}s); requests between {found.lower:g}s "
        f"and {found.upper:g}s are taken as spread evenly, and only at these two are they counted exactly"
    )


def duration(seconds: int) -> str:
    """A time as Prometheus writes it, in its largest whole unit."""
    for unit, length in (("d", DAY), ("h", HOUR), ("m", MINUTE)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


class Latency(Model):
    """How many requests are answered how soon."""

    threshold: Duration
    """Such as 300ms or 1.5s, from 5ms to 10s."""
    target: Percent
    """Percent of the requests that are answered within it; above 0 and below 100."""


class Objectives(Model):
    """What an application promises over four weeks; at least one of the two."""

    availability: Percent | None = None
    """Percent of the requests that are not answered with 500 and above; above 0 and below 100."""
    latency: Latency | None = None
    """How many requests are answered how soon."""

    @property
    def ratios(self) -> dict[str, float]:
        """The share of the requests that has to be good, by the name of the objective."""
        percents = {AVAILABILITY: self.availability, LATENCY: self.latency.target if self.latency else None}
        return {name: round(percent / 100, 9) for name, percent in percents.items() if percent is not None}

    @model_validator(mode="after")
    def _any(self) -> "Objectives":
        if self.availability is None and self.latency is None:
            raise wrong("has no objective", "give availability, latency or both, or leave it out")
        return self
