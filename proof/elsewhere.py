"""Where a stack sends besides AMP and X-Ray: its partners and CloudWatch, as far as its configurations name them."""

import re
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from documents.text import from_yaml
from proof import cloudwatch_logs
from proof.cloudwatch_logs import CloudWatchLogs, Written
from proof.otlp import Delivered, Otlp
from proof.plan import CONFIGURATION, Service, environment, secret_value
from proof.sigv4 import Credentials

_PARTNER: Final = "otlp_http/"
_MOVED: Final = re.compile(r"\$\{env:(DESTINATION_\w+):-.*\}")
_SECRET: Final = re.compile(r"\$\{env:(\w+)\}")
_CLOUDWATCH: Final = ("awsemf", "awscloudwatchlogs")


@dataclass(frozen=True)
class Partner:
    """A destination of partners: the variable that moves its address, the variable of each header by the header's name
    in lower case, and the signals that it is sent."""

    variable: str
    headers: Mapping[str, str]
    signals: frozenset[str]


@dataclass(frozen=True)
class Destinations:
    """All of them: partners by name, log groups in CloudWatch by exporter."""

    partners: Mapping[str, Partner] = field(default_factory=dict[str, Partner])
    log_groups: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def takes_logs(self) -> bool:
        """Whether collectors take logs from applications."""
        return "awscloudwatchlogs" in self.log_groups


@dataclass(frozen=True)
class Elsewhere:
    """What arrived there: by partner, and in CloudWatch."""

    partners: Mapping[str, Delivered] = field(default_factory=dict[str, Delivered])
    cloudwatch: Written = field(default_factory=Written)


def destinations(services: Iterable[Service]) -> Destinations:
    """Where the collectors of these services send."""
    partners: dict[str, Partner] = {}
    groups: dict[str, str] = {}
    for configuration in _configurations(services):
        for name, settings in configuration["exporters"].items():
            if name in _CLOUDWATCH:
                groups[name] = settings["log_group_name"]
            if name.startswith(_PARTNER) and (moved := _MOVED.fullmatch(settings.get("endpoint", ""))):
                headers = {key.lower(): _SECRET.sub(r"\1", value) for key, value in settings["headers"].items()}
                sent = frozenset(_signals(configuration, name))
                partners[name.removeprefix(_PARTNER)] = Partner(moved[1], headers, sent)
    return Destinations(partners, groups)


class StandIns:
    """Stand-ins for all of them. `known` are credentials by access key."""

    def __init__(self, wanted: Destinations, known: Mapping[str, Credentials], region: str) -> None:
        self._variables = {name: partner.variable for name, partner in wanted.partners.items()}
        self._partners = {
            name: Otlp({header: secret_value(variable) for header, variable in partner.headers.items()})
            for name, partner in wanted.partners.items()
        }
        self._cloudwatch = CloudWatchLogs(known, region, frozenset(wanted.log_groups.values()))

    @property
    def received(self) -> Elsewhere:
        """What arrived until now."""
        return Elsewhere(
            {name: partner.delivered for name, partner in self._partners.items()}, self._cloudwatch.written
        )

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[dict[str, int]]:
        """Listens until the context ends, which gives the loopback ports by the variables that move addresses there."""
        async with AsyncExitStack() as resources:
            ports = {cloudwatch_logs.VARIABLE: await resources.enter_async_context(self._cloudwatch.open())}
            for name, partner in self._partners.items():
                ports[self._variables[name]] = await resources.enter_async_context(partner.open())
            yield ports


def _configurations(services: Iterable[Service]) -> Iterator[Mapping[str, Any]]:
    for service in services:
        for container in service.collectors:
            yield from_yaml(environment(container)[CONFIGURATION])


def _signals(configuration: Mapping[str, Any], exporter: str) -> Iterator[str]:
    for name, pipeline in configuration["service"]["pipelines"].items():
        if exporter in pipeline["exporters"]:
            yield name.partition("/")[0]
