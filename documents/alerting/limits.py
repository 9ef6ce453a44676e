"""What AMP refuses in rules and Alertmanager definitions, which it says minutes after the deployment has begun.

The receivers and the fields of theirs that it takes, and the longest time between reminders, are from its User Guide
("Managing and forwarding alerts with alert manager" and the pages below it). The quotas exist by these names ("Amazon
Managed Service for Prometheus service quotas", AMP_quotas.html), and can be raised but for the sizes; their figures
are those of an older copy of that page and were not read again.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from documents.faults import Fault

MOST_BYTES: Final = 1_000_000
"""Of a definition, and of the rules of one namespace: "1 megabyte"."""

MOST_RULES: Final = 2000
MOST_INHIBITIONS: Final = 100
MOST_ROUTES: Final = 100
LEAST_INTERVAL: Final = 30
"""Seconds between two evaluations of a group."""

LONGEST_REPEAT: Final = 5 * 86400
"""Seconds; AMP takes a longer `repeat_interval` for this one."""

_RECEIVERS: Final = frozenset({"name", "sns_configs", "pagerduty_configs"})
_REFUSED_IN_SNS: Final = frozenset({"api_url", "http_config"})
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}

Table = Mapping[str, Any]


def rules_faults(documents: Mapping[str, Table], texts: Mapping[str, str]) -> Iterator[Fault]:
    """What AMP would refuse in rules files, given by namespace as data and as texts."""
    groups = [(namespace, group) for namespace, document in documents.items() for group in document["groups"]]
    yield from _too_many("applications", sum(len(group["rules"]) for _, group in groups), MOST_RULES, "rules")
    for namespace, text in texts.items():
        yield from _too_many("applications", len(text.encode()), MOST_BYTES, f"bytes of rules in {namespace}")
    for namespace, group in groups:
        where = f"rules {namespace}.{group['name']}"
        if "interval" in group and seconds(group["interval"]) < LEAST_INTERVAL:
            yield Fault(
                where,
                f"is evaluated more often than every {LEAST_INTERVAL} seconds, as AMP does at most",
                "give its group a longer interval",
                group["interval"],
            )
        if not group["rules"]:
            yield Fault(where, "has no rules, which AMP refuses", "leave it out")


def definition_faults(configuration: Table, text: str) -> Iterator[Fault]:
    """What AMP would refuse in Alertmanager's own configuration, and in the text of the definition that it is in."""
    yield from _too_many("alerts.subscriptions", len(text.encode()), MOST_BYTES, "bytes of Alertmanager definition")
    if "global" in configuration:
        yield _refused("global", "settings for receivers that AMP does not have")
    routes = list(_routes(configuration["route"]))
    yield from _too_many("alerts.subscriptions", len(routes), MOST_ROUTES, "routes")
    inhibitions = len(configuration.get("inhibit_rules", ()))
    yield from _too_many("applications", inhibitions, MOST_INHIBITIONS, "inhibition rules")
    for route in routes:
        if seconds(route.get("repeat_interval", "0s")) > LONGEST_REPEAT:
            yield Fault(
                "alertmanager route.repeat_interval",
                "is longer than AMP waits",
                "give at most 5d",
                route["repeat_interval"],
            )
    for receiver in configuration["receivers"]:
        yield from _receiver_faults(receiver)


def _receiver_faults(receiver: Table) -> Iterator[Fault]:
    where = f"receivers.{receiver['name']}"
    for other in sorted(set(receiver) - _RECEIVERS):
        yield _refused(f"{where}.{other}", "a receiver; AMP knows SNS and PagerDuty")
    for sns in receiver.get("sns_configs", ()):
        for key in sorted(_REFUSED_IN_SNS.intersection(sns)):
            yield _refused(f"{where}.sns_configs.{key}", "where to send to; AMP decides that")
        if not sns.get("sigv4", {}).get("region"):
            yield Fault(f"alertmanager {where}.sns_configs.sigv4.region", "is missing", "name the region of the topic")


def _refused(key: str, what: str) -> Fault:
    return Fault(f"alertmanager {key}", f"is {what}", "leave it out")


def _too_many(key: str, number: int, most: int, what: str) -> Iterator[Fault]:
    if number > most:
        yield Fault(key, f"makes {number:,} {what}, and AMP takes {most:,}", "spread them over more stacks")


def _routes(route: Table) -> Iterator[Table]:
    yield route
    for inner in cast("Sequence[Table]", route.get("routes", ())):
        yield from _routes(inner)


def seconds(text: str) -> int:
    """Seconds of a time as Prometheus writes it, such as `1d` or `1h30m`."""
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([smhdw])", text))
