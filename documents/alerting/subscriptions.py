"""Who is told of alerts: e-mail, HTTPS, chat, PagerDuty."""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr, model_validator

from documents.alerting.model import Severity
from documents.faults import wrong
from documents.model import Model, SecretArn, is_placeholder

_DIGEST: Final = 6

_ADDRESS: Final = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")
_WORKSPACE: Final = re.compile(r"T[A-Z0-9]{8,}")
_CHANNEL: Final = re.compile(r"[CG][A-Z0-9]{8,}")
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_TEAMS_CHANNEL: Final = re.compile(r"[\w=+/.,-]*%3[aA][\w=+/.,-]*%40[\w=+/.,-]*", re.ASCII)


def _like(form: re.Pattern[str], problem: str, remedy: str) -> AfterValidator:
    def check(value: str) -> str:
        if not is_placeholder(value) and not form.fullmatch(value):
            raise wrong(problem, remedy)
        return value

    return AfterValidator(check)


def _secure(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    parts = urlsplit(text)
    if not is_placeholder(text) and (parts.scheme != "https" or not parts.hostname):
        raise wrong("is not an address with https", "write it as https://example.com/alerts", secret=True)
    return value


Address = Annotated[
    str, _like(_ADDRESS, "is not an e-mail address", "write it as people@example.com, without a name before it")
]
Endpoint = Annotated[SecretStr, AfterValidator(_secure)]
"""An address that may hold a key, so that nothing ever shows it."""


class Slack(Model):
    """A channel of a Slack workspace that an administrator has authorised for Amazon Q Developer."""

    workspace: Annotated[str, _like(_WORKSPACE, "is not the id of a Slack workspace", "it begins with T")]
    """Id of a workspace (T...) that is authorised for Amazon Q Developer."""
    channel: Annotated[str, _like(_CHANNEL, "is not the id of a Slack channel", "it begins with C")]
    """Id of the channel (C... or G...)."""


class Teams(Model):
    """A channel of Microsoft Teams; its team is one that an administrator has authorised for Amazon Q Developer."""

    tenant: Annotated[str, _like(_UUID, "is not the id of a tenant", "it is a UUID")]
    """Id of the tenant, a UUID."""
    team: Annotated[str, _like(_UUID, "is not the id of a team", "it is a UUID")]
    """Id of the team, a UUID."""
    channel: Annotated[
        str,
        _like(
            _TEAMS_CHANNEL, "is not the id of a Teams channel", "copy it from the link to the channel, with %3a and %40"
        ),
    ]
    """Id of the channel as its link has it, with `%3a` and `%40`."""


class Chat(Model):
    """One channel of either."""

    slack: Slack | None = None
    """A channel of Slack."""
    teams: Teams | None = None
    """A channel of Microsoft Teams."""

    @model_validator(mode="after")
    def _one(self) -> "Chat":
        if (self.slack is None) == (self.teams is None):
            raise wrong("does not name one channel", "give slack or teams")
        return self


class PagerDuty(Model):
    """A service of PagerDuty that AMP tells by itself, without SNS. AMP wants the secret, a JSON object, encrypted with
    a key of your own."""

    secret_arn: SecretArn
    """ARN of the secret in Secrets Manager with the integration key."""
    secret_key: str = "routing_key"  # noqa: S105 - where in the secret it is, not what it is
    """Name of the integration key in the secret's JSON."""


class Subscription(Model):
    """Somebody who is told of alerts of one severity, or of both."""

    email: Address | None = None
    """An e-mail address; its owner confirms once."""
    https: Endpoint | None = None
    """An https address, which may hold a key and may be encrypted in the stack file."""
    chat: Chat | None = None
    """A channel of a chat."""
    pagerduty: PagerDuty | None = None
    """A service of PagerDuty, told by AMP itself and so of alerts that AMP evaluates only."""
    severity: Severity | None = None
    """Left out, of both severities."""

    @model_validator(mode="after")
    def _one(self) -> "Subscription":
        if sum(one is not None for one in (self.email, self.https, self.chat, self.pagerduty)) != 1:
            raise wrong("does not say who is told", "give one of email, https, chat and pagerduty", secret=True)
        return self

    @property
    def severities(self) -> tuple[Severity, ...]:
        """Of what it is told."""
        return (self.severity,) if self.severity else tuple(Severity)

    @property
    def hidden(self) -> bool:
        """Whether its address is encrypted and not known: where a stack is only rendered, all such look the same."""
        return self.https is not None and is_placeholder(self.https.get_secret_value())

    @property
    def key(self) -> str:
        """Its kind and a digest of who it is, which is too short to tell an address from.

        SNS has one subscription of an address to a topic. If its name came from its place in the list, taking out the
        one before would subscribe the address again under that name, which changes nothing, and then unsubscribe it
        under its old one.
        """
        [(kind, who)] = self.model_dump(exclude={"severity"}, exclude_none=True).items()
        text = who.get_secret_value() if isinstance(who, SecretStr) else json.dumps(who, sort_keys=True)
        return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]}"


def _each_once(value: tuple[Subscription, ...]) -> tuple[Subscription, ...]:
    seen: dict[str, int] = {}
    for index, one in enumerate(value):
        if one.hidden:
            continue
        if one.key in seen:
            problem = f"tells the same one twice, in entries {seen[one.key]} and {index}"
            raise wrong(problem, "name everybody once, with one severity, or with none to be told of both", secret=True)
        seen[one.key] = index
    return value


Subscriptions = Annotated[tuple[Subscription, ...], AfterValidator(_each_once)]


def warnings(subscriptions: Sequence[Subscription]) -> list[str]:
    """Of which alerts nobody is told, and who is still to be filled in."""
    told = {severity for one in subscriptions for severity in one.severities}
    untold = " and ".join(severity for severity in Severity if severity not in told)
    unfilled = [
        f"alerts.subscriptions.{index}: {one.email} is still to be filled in"
        for index, one in enumerate(subscriptions)
        if one.email and is_placeholder(one.email)
    ]
    heard = {severity for one in subscriptions if not one.pagerduty for severity in one.severities}
    half = " and ".join(severity for severity in Severity if severity in told - heard)
    by_amp_alone = (
        f"alerts.subscriptions: of {half} alerts only those that AMP evaluates reach PagerDuty; "
        "subscribe somebody else as well, such as the https address of PagerDuty's CloudWatch integration"
    )
    silent = f"alerts.subscriptions: nobody is told of {untold} alerts; subscribe somebody"
    return [*([silent] if untold else []), *([by_amp_alone] if half else []), *unfilled]
