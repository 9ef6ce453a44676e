"""Service-level objectives: what an application promises its callers over four weeks."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from documents.catalogue import REQUEST_DURATION
from documents.faults import wrong
from documents.model import Model

PERIOD_DAYS: Final = 28
"""Whole weeks, so that each period has as many weekends as the one before."""

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


Duration = Annotated[float, BeforeValidator(_seconds), AfterValidator(_measurable)]
"""Seconds, from a text; within the bounds of the histogram that every application has."""

Percent = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_below_all)]


class Latency(Model):
    """`target` percent of the requests are answered within `threshold`."""

    threshold: Duration
    target: Percent


class Objectives(Model):
    """What an application promises: `availability` is the percentage of requests that are not answered with a status
    of 500 and above."""

    availability: Percent | None = None
    latency: Latency | None = None

    @model_validator(mode="after")
    def _any(self) -> "Objectives":
        if self.availability is None and self.latency is None:
            raise wrong("has no objective", "give availability, latency or both, or leave it out")
        return self
