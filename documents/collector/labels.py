"""Processors that decide which resource attributes become labels of series, and which metrics are kept."""

from collections.abc import Iterable, Mapping
from typing import Final

from documents.catalogue import ATTRIBUTES, IDENTITY, SERVICE_INSTANCE, SERVICE_NAME, TASK_ID
from documents.collector.part import Configuration

_HIDDEN: Final = "kept."
"""Prefix under which an attribute is hidden from the deletion of all others."""

_ORIGIN: Final = ("cloud.platform", "aws.ecs.launchtype")

_DETECTED: Final = (
    "aws.ecs.cluster.arn",
    "aws.ecs.launchtype",
    "aws.ecs.task.arn",
    "aws.ecs.task.family",
    "aws.ecs.task.id",
    "aws.ecs.task.revision",
    "aws.log.group.arns",
    "aws.log.group.names",
    "aws.log.stream.arns",
    "aws.log.stream.names",
    "cloud.account.id",
    "cloud.availability_zone",
    "cloud.platform",
    "cloud.provider",
    "cloud.region",
)
"""Everything that the detector `ecs` adds (its documentation in opentelemetry-collector-contrib v0.156.0)."""


def allow_list() -> Configuration:
    """A resource processor that leaves the catalogue's attributes and nothing else.

    The processor can only delete what matches, and its regular expressions cannot say "other than": so what stays is
    hidden under a prefix, everything without the prefix is deleted, and the prefix is taken off again.
    """
    kept = [*IDENTITY, *(attribute.key for attribute in ATTRIBUTES)]
    return {
        "attributes": [
            *(insert_from(f"{_HIDDEN}{key}", key) for key in kept),
            {"pattern": "^([^k]|k[^e]|ke[^p]|kep[^t]|kept[^.])", "action": "delete"},
            *(insert_from(key, f"{_HIDDEN}{key}") for key in kept),
            {"pattern": "^kept[.]", "action": "delete"},
        ]
    }


def detected() -> Configuration:
    """A processor that adds what ECS says of the collector's own task: what becomes labels, and what X-Ray takes the
    origin of a segment from, and no more."""
    kept = {*(attribute.key for attribute in ATTRIBUTES), *_ORIGIN}
    return {
        "detectors": ["ecs"],
        "timeout": "5s",
        "override": False,
        "ecs": {"resource_attributes": {key: {"enabled": False} for key in _DETECTED if key not in kept}},
    }


def lean() -> Configuration:
    """A resource processor that takes from traces what describes a program instead of a request, and what the name and
    environment of the service or the id of the task say already."""
    said = "^(telemetry|process|os|host)[.]|^aws[.]ecs[.](cluster[.]name|task[.]family)$"
    return {"attributes": [{"pattern": said, "action": "delete"}]}


def insert_from(key: str, source: str) -> Configuration:
    """The action that gives an attribute another's value where it is missing."""
    return {"key": key, "from_attribute": source, "action": "insert"}


def insert(values: Mapping[str, str]) -> list[Configuration]:
    """The actions that give attributes these values where they are missing."""
    return [{"key": key, "value": value, "action": "insert"} for key, value in values.items()]


def of_task(service: str, attributes: Mapping[str, str]) -> Configuration:
    """A resource processor that gives what has no identity of its own that of the task it is in, which
    `resource_detection` has found out: `service.name` is this `service`, the instance is the task."""
    return {
        "attributes": [
            {"key": SERVICE_NAME, "value": service, "action": "upsert"},
            {"key": SERVICE_INSTANCE, "from_attribute": TASK_ID, "action": "upsert"},
            *insert(attributes),
        ]
    }


def without(names: Iterable[str]) -> Configuration:
    """A filter processor that drops these metrics."""
    return dropping(f'IsMatch(metric.name, "{_any_of(names)}")')


def only(names: Iterable[str]) -> Configuration:
    """A filter processor that drops every metric but these."""
    return dropping(f'not IsMatch(metric.name, "{_any_of(names)}")')


def dropping(condition: str) -> Configuration:
    """A filter processor that drops metrics on a condition in the collector's expression language (OTTL)."""
    return {"error_mode": "ignore", "metric_conditions": [condition]}


def _any_of(names: Iterable[str]) -> str:
    return f"^({'|'.join(name.replace('.', '[.]') for name in names)})$"
