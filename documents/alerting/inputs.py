"""What a user chooses about alerts."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from documents.alerting.alerts import ALERTS, OF_NO_APPLICATION
from documents.alerting.subscriptions import Subscriptions
from documents.faults import nearest, wrong
from documents.model import Model
from documents.objectives import Duration

_NAMES: Final = {alert.name for alert in ALERTS}


def _known(value: str) -> str:
    if value not in _NAMES:
        raise wrong("is not the name of an alert", nearest(value, _NAMES))
    return value


def _of_application(value: str) -> str:
    if value in OF_NO_APPLICATION:
        raise wrong("is not about an application", "turn it off for the whole stack, under alerts.disabled")
    return value


def _folder(value: str) -> str:
    if value != RUNBOOKS and not re.fullmatch(r"https://[^\s?#]+", value):
        raise wrong("is not the address of a folder", "give an https address, to which /<page>.md can be added")
    return value


AlertName = Annotated[str, AfterValidator(_known)]
ApplicationAlertName = Annotated[AlertName, AfterValidator(_of_application)]
Folder = Annotated[str, AfterValidator(_folder)]
Share = Annotated[float, Field(gt=0, le=100)]
"""Percent."""


class Thresholds(Model):
    """Where alerts fire; what is left out is as the stack has it.

    Percent: `errors` of the requests, `cpu` of what a task reserves, `memory` of that and of a collector's own limit,
    `queue` of what a collector's buffer may hold. `latency` is what one request in twenty may exceed.
    """

    errors: Share | None = None
    latency: Duration | None = None
    cpu: Share | None = None
    memory: Share | None = None
    queue: Share | None = None

    def over(self, others: "Thresholds") -> "Thresholds":
        """These, and those of `others` where these say nothing."""
        return Thresholds.model_construct(
            **{**others.model_dump(exclude_none=True), **self.model_dump(exclude_none=True)}
        )


DEFAULTS: Final = Thresholds.model_construct(errors=5.0, latency=1.0, cpu=90.0, memory=90.0, queue=50.0)


RUNBOOKS: Final = "docs/runbooks"
"""Where the pages are in this project. Nobody can click on that in a message: a stack gives its own address."""


class ApplicationAlerts(Model):
    """The alerts of one application: thresholds of its own, and alerts that it does not want."""

    thresholds: Thresholds = Thresholds()
    disabled: tuple[ApplicationAlertName, ...] = ()


class Alerts(Model):
    """The alerts of a stack: thresholds for every application that has none of its own, alerts that nobody wants, who
    is told, and whether Grafana looks at traces in X-Ray as well. `runbooks` is where the pages are that alerts link
    to."""

    thresholds: Thresholds = Thresholds()
    disabled: tuple[AlertName, ...] = ()
    runbooks: Folder = RUNBOOKS
    subscriptions: Subscriptions = ()
    traces: bool = False
