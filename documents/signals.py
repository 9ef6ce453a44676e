"""What a collector takes, what becomes of it, and where it goes, as far as a user chooses."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, field_validator

from documents.central import Central
from documents.faults import wrong
from documents.model import Model, SecretArn, Whole


class Receiver(StrEnum):
    """What a collector takes besides OTLP."""

    XRAY = "xray"
    STATSD = "statsd"
    ZIPKIN = "zipkin"


class TraceEndpoint(StrEnum):
    """Which of X-Ray's entrances traces go to: segment documents, or OTLP (which needs Transaction Search)."""

    CLASSIC = "classic"
    OTLP = "otlp"


class Signal(StrEnum):
    """What a destination of a partner is sent."""

    TRACES = "traces"
    METRICS = "metrics"


Ratio = Annotated[float, Field(ge=0, le=1)]


def _path(value: str) -> str:
    if not value.startswith("/") or any(not one.isprintable() or one.isspace() or one in "?#" for one in value):
        raise wrong("is not the path of a URL", "begin it with a slash, without a query, for example /metrics")
    return value


class Scrape(Model):
    """Where an application exposes Prometheus metrics: a port of its container, and the path there."""

    port: Annotated[Whole, Field(ge=1, le=65535)]
    path: Annotated[str, AfterValidator(_path)] = "/metrics"


class TailSampling(Model):
    """Which traces are kept, once `wait_seconds` have passed since their first span: those with an error, those that
    took longer than `slower_than_ms`, and this `ratio` of all others."""

    slower_than_ms: Annotated[Whole, Field(ge=1, le=600_000)] = 1000
    ratio: Ratio = 0.1
    wait_seconds: Annotated[Whole, Field(ge=1, le=60)] = 10


class SamplingRule(Model):
    """A sampling rule of X-Ray, for SDKs that ask for them: `reservoir` traces a second and then this `ratio`."""

    name: Annotated[str, Field(min_length=1, max_length=25)]
    priority: Annotated[Whole, Field(ge=1, le=9999)] = 1000
    ratio: Ratio
    reservoir: Annotated[Whole, Field(ge=0)] = 1
    service: str = "*"
    method: str = "*"
    path: str = "*"


class Traces(Model):
    """What happens to traces. `ratio` is decided where a trace begins, for every application that says nothing else."""

    endpoint: TraceEndpoint = TraceEndpoint.CLASSIC
    indexed_attributes: tuple[str, ...] = ()
    ratio: Ratio = 1.0
    rules: tuple[SamplingRule, ...] = ()
    tail: TailSampling | None = None


_ADDRESS: Final = re.compile(r"https://[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[A-Za-z0-9._~/-]*)?")
_DESTINATION: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,31}")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#%&'*+.^_`|~-]+")
"""A token of RFC 9110, without the dollar sign, by which a collector's configuration names variables."""


def _https(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise wrong(
            "is not an https address",
            "write it as https://otlp.example.com/path, and credentials as the secrets of headers",
            secret=True,
        )
    return value.rstrip("/")


def _destination_name(value: str) -> str:
    if not _DESTINATION.fullmatch(value):
        raise wrong("is not a name", "use at most 32 letters, digits and hyphens, a letter first")
    return value


class Destination(Model):
    """A back end of a partner that takes OTLP over HTTP. `headers` are ARNs of secrets, never values; to `endpoint` the
    exporter adds `/v1/traces` and `/v1/metrics`."""

    name: Annotated[str, AfterValidator(_destination_name)]
    endpoint: Annotated[str, AfterValidator(_https)]
    headers: Mapping[str, SecretArn] = {}
    signals: Annotated[tuple[Signal, ...], Field(min_length=1)] = (Signal.TRACES, Signal.METRICS)

    @field_validator("headers")
    @classmethod
    def _tokens(cls, headers: Mapping[str, str]) -> Mapping[str, str]:
        for name in headers:
            if not _HEADER.fullmatch(name):
                raise wrong(f"has {name!r}, which is not the name of a header", "for example api-key", secret=True)
        return headers

    @property
    def endpoint_variable(self) -> str:
        """The environment variable by which a proof moves the address."""
        return _variable("ENDPOINT", self.name)

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variable that carries the value of each header to the collector, by header."""
        return {header: _variable("HEADER", self.name, header) for header in self.headers}


def _variable(*words: str) -> str:
    return re.sub("[^A-Z0-9]", "_", "_".join(("DESTINATION", *words)).upper())


def _settings(value: object) -> object:
    """A component without settings is written as nothing in YAML."""
    return {} if value is None else value


Component = Annotated[Mapping[str, JsonValue], BeforeValidator(_settings)]
"""The settings of one component of a collector."""


class Pipeline(Model):
    """One pipeline of a collector, or what is appended to one: ids of components."""

    receivers: tuple[str, ...] = ()
    processors: tuple[str, ...] = ()
    exporters: tuple[str, ...] = ()


class Service(Model):
    """What a collector runs."""

    extensions: tuple[str, ...] = ()
    telemetry: Mapping[str, JsonValue] = {}
    pipelines: Mapping[str, Pipeline] = {}


class Additions(Model):
    """A piece of a collector's configuration, in the collector's own words; `$` is the collector's syntax in it."""

    extensions: Mapping[str, Component] = {}
    receivers: Mapping[str, Component] = {}
    processors: Mapping[str, Component] = {}
    exporters: Mapping[str, Component] = {}
    connectors: Mapping[str, Component] = {}
    service: Service = Service()

    @property
    def document(self) -> dict[str, Any]:
        """The piece as it was given, in maps and lists."""
        return self.model_dump(mode="json", exclude_unset=True)


class Signals(Model):
    """All of it for the collectors of one stack. `metrics_to_cloudwatch` and `logs_to_cloudwatch` are off because
    CloudWatch bills them by metric and by volume; `additions` is deep-merged into every collector's configuration;
    `central` is the account where metrics are stored, if that is another."""

    receivers: frozenset[Receiver] = frozenset()
    traces: Traces = Traces()
    destinations: tuple[Destination, ...] = ()
    metrics_to_cloudwatch: bool = False
    logs_to_cloudwatch: bool = False
    additions: Additions = Additions()
    central: Central | None = None

    @property
    def in_log_groups(self) -> tuple[str, ...]:
        """The signals that go to CloudWatch, each through a log group of its own."""
        chosen = {"metrics": self.metrics_to_cloudwatch, "logs": self.logs_to_cloudwatch}
        return tuple(signal for signal, wanted in chosen.items() if wanted)

    @property
    def secrets(self) -> Mapping[str, str]:
        """ARNs of the secrets that collectors read, by environment variable."""
        return {
            variable: destination.headers[header]
            for destination in self.destinations
            for header, variable in destination.variables.items()
        }
