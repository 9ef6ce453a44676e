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
    # It stands in annotations, which are templates to Prometheus, and in Markdown.
    if value != RUNBOOKS and not re.fullmatch(r"https://[A-Za-z0-9._~:/@!&*+,;=%-]+", value):
        raise wrong("is not the address of a folder", "give an https address, to which /<page>.md can be added")
    return value


AlertName = Annotated[str, AfterValidator(_known)]
ApplicationAlertName = Annotated[AlertName, AfterValidator(_of_application)]
Folder = Annotated[str, AfterValidator(_folder)]
Share = Annotated[float, Field(gt=0, le=100)]
"""Percent."""


class Thresholds(Model):
    """Where alerts fire; what is left out is as the stack has it."""

    errors: Share | None = None
    """Percent of the requests of five minutes that are answered with a status of 500 and above (5 where nobody says
    anything)."""
    latency: Duration | None = None
    """What one request in twenty may exceed, such as 300ms or 1.5s, from 5ms to 10s (1s)."""
    cpu: Share | None = None
    """Percent of the CPU that a task reserves (90)."""
    memory: Share | None = None
    """Percent of the memory that a task reserves, and of a collector's own limit (90)."""
    queue: Share | None = None
    """Percent of what a collector's buffer may hold (50)."""

    def over(self, others: "Thresholds") -> "Thresholds":
        """These, and those of `others` where these say nothing."""
        return Thresholds.model_construct(
            **{**others.model_dump(exclude_none=True), **self.model_dump(exclude_none=True)}
        )


DEFAULTS: Final = Thresholds.model_construct(errors=5.0, latency=1.0, cpu=90.0, memory=90.0, queue=50.0)


RUNBOOKS: Final = "docs/runbooks"
"""Where the pages are in this project. Nobody can click on that in a message: a stack gives its own address."""


class ApplicationAlerts(Model):
    """The alerts of one application."""

    thresholds: Thresholds = Thresholds()
    """Where its alerts fire; what is left out is as the stack has it."""
    disabled: tuple[ApplicationAlertName, ...] = ()
    """Names of alerts that it does not want, beside those that the stack has turned off."""


class Alerts(Model):
    """The alerts of a stack."""

    thresholds: Thresholds = Thresholds()
    """Where alerts fire for every application that says nothing else."""
    disabled: tuple[AlertName, ...] = ()
    """Names of alerts that nobody wants; docs/alerts.md has all of them."""
    runbooks: Folder = RUNBOOKS
    """The https address of the folder of runbooks that alerts link to, such as the one in your repository."""
    subscriptions: Subscriptions = ()
    """Who is told. Everybody stands in the list once, in any order; docs/alerts.md#who-is-told."""
    traces: bool = False
    """Whether Grafana looks at the faults of traces in X-Ray as well; docs/costs.md#alerts."""
