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
    """Where an application exposes Prometheus metrics."""

    port: Annotated[Whole, Field(ge=1, le=65535)]
    """Port of the container."""
    path: Annotated[str, AfterValidator(_path)] = "/metrics"
    """Path of the metrics there."""


class TailSampling(Model):
    """Which traces are kept, when they are complete: those with an error, those that took long, and a share of the
    others."""

    slower_than_ms: Annotated[Whole, Field(ge=1, le=600_000)] = 1000
    """Milliseconds; a trace that took longer is kept."""
    ratio: Ratio = 0.1
    """Share of the others that is kept. Traces with an error are kept in any case."""
    wait_seconds: Annotated[Whole, Field(ge=1, le=60)] = 10
    """Seconds from the first span of a trace until the decision."""


class SamplingRule(Model):
    """A sampling rule of X-Ray, for SDKs that ask for them."""

    name: Annotated[str, Field(min_length=1, max_length=25)]
    """Name of the rule in X-Ray, without the stack's."""
    priority: Annotated[Whole, Field(ge=1, le=9999)] = 1000
    """The rule with the smallest number that fits decides."""
    ratio: Ratio
    """Share of the traces beyond the reservoir that is kept."""
    reservoir: Annotated[Whole, Field(ge=0)] = 1
    """Traces a second that are kept in any case."""
    service: Annotated[str, Field(max_length=64)] = "*"
    """Name of the service, with wildcards `*` and `?`."""
    method: Annotated[str, Field(max_length=10)] = "*"
    """Method of the request, with the same wildcards."""
    path: Annotated[str, Field(max_length=128)] = "*"
    """Path of the request, with the same wildcards."""


class Traces(Model):
    """What happens to traces."""

    endpoint: TraceEndpoint = TraceEndpoint.CLASSIC
    """How traces reach X-Ray; `otlp` needs a setting of the whole account. docs/signals.md#x-rays-otlp-endpoint."""
    indexed_attributes: tuple[str, ...] = ()
    """Attributes of spans by which X-Ray can be searched; docs/signals.md#indexed-attributes."""
    ratio: Ratio = 1.0
    """Share of the traces that SDKs begin; docs/signals.md#which-traces-are-kept."""
    rules: tuple[SamplingRule, ...] = ()
    """Sampling rules in X-Ray, for SDKs that ask for them."""
    tail: TailSampling | None = None
    """What collectors keep of complete traces, `{}` for the defaults; service pattern only."""


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
    """A back end of a partner that takes OTLP over HTTP."""

    name: Annotated[str, AfterValidator(_destination_name)]
    """At most 32 letters, digits and hyphens, a letter first; not `xray`, `application`, `task`, `collector` or
    `cloudwatch`, which are names of ours."""
    endpoint: Annotated[str, AfterValidator(_https)]
    """An https address, to which the collector adds `/v1/traces` and `/v1/metrics`."""
    headers: Mapping[str, SecretArn] = {}
    """ARNs of secrets in Secrets Manager or SSM Parameter Store, by name of a header."""
    signals: Annotated[tuple[Signal, ...], Field(min_length=1)] = (Signal.TRACES, Signal.METRICS)
    """What is sent."""

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
    """Ids of receivers."""
    processors: tuple[str, ...] = ()
    """Ids of processors."""
    exporters: tuple[str, ...] = ()
    """Ids of exporters."""


class Service(Model):
    """What a collector runs."""

    extensions: tuple[str, ...] = ()
    """Ids of extensions that are started."""
    telemetry: Mapping[str, JsonValue] = {}
    """The collector's settings of its own telemetry."""
    pipelines: Mapping[str, Pipeline] = {}
    """Pipelines by id."""


class Additions(Model):
    """A piece of a collector's configuration, in the collector's own words; `$` is the collector's syntax in it."""

    extensions: Mapping[str, Component] = {}
    """Extensions by id."""
    receivers: Mapping[str, Component] = {}
    """Receivers by id."""
    processors: Mapping[str, Component] = {}
    """Processors by id."""
    exporters: Mapping[str, Component] = {}
    """Exporters by id."""
    connectors: Mapping[str, Component] = {}
    """Connectors by id."""
    service: Service = Service()
    """What of them is run, and in which pipelines."""

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
