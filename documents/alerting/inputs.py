"""What a user chooses about alerts."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from documents.alerting.alerts import ALERTS
from documents.faults import nearest, wrong
from documents.model import Model
from documents.objectives import Duration

_NAMES: Final = {alert.name for alert in ALERTS}


def _known(value: str) -> str:
    if value not in _NAMES:
        raise wrong("is not the name of an alert", nearest(value, _NAMES))
    return value


AlertName = Annotated[str, AfterValidator(_known)]
Share = Annotated[float, Field(gt=0, le=100)]
"""Percent."""


class Thresholds(Model):
    """Where alerts fire; what is left out is as the stack has it. Percent of requests, of the reservation, of a
    collector's queue; `latency` is what one request in twenty may exceed."""

    errors: Share | None = None
    latency: Duration | None = None
    cpu: Share | None = None
    memory: Share | None = None

    def over(self, others: "Thresholds") -> "Thresholds":
        """These, and those of `others` where these say nothing."""
        return Thresholds.model_construct(
            **{**others.model_dump(exclude_none=True), **self.model_dump(exclude_none=True)}
        )


DEFAULTS: Final = Thresholds.model_construct(errors=5.0, latency=1.0, cpu=90.0, memory=90.0)


class ApplicationAlerts(Model):
    """The alerts of one application: thresholds of its own, and alerts that it does not want."""

    thresholds: Thresholds = Thresholds()
    disabled: tuple[AlertName, ...] = ()


class Alerts(Model):
    """The alerts of a stack: thresholds for every application that has none of its own, alerts that nobody wants."""

    thresholds: Thresholds = Thresholds()
    disabled: tuple[AlertName, ...] = ()
