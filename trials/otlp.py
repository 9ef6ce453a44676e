"""Telemetry of one application as OTLP messages, cheap enough to make 5,000 spans a second beside what is measured.

Every span id and every value follows from a number, so what was sent can be said again without having been kept.
"""

import secrets
import struct
import uuid
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from proof.remote_write import Labels, Sample

COUNTER: Final = "orders.processed"
_SERIES: Final = "order.kind"
_SERIES_NAMES: Final = frozenset({_SERIES, _SERIES.replace(".", "_")})
"""The attribute that tells the series of one application apart, as OTLP and as Prometheus write it."""

_NANOSECONDS: Final = 1_000_000_000
_VARIETY: Final = 100
"""Kinds of requests; the last of them fails."""

_SPREAD: Final = 0x9E37_79B9_7F4A_7C15
"""Odd, so that multiplying by it permutes the numbers of 64 bits: ids look random and never meet."""

_SPAN_TAG: Final = b"\x12"
_GROUP_TAG: Final = b"\x0a"
_SCOPE: Final = InstrumentationScope(name="opentelemetry.instrumentation.fastapi", version="0.66b2")


class Point(NamedTuple):
    """One sample of one of our counters: the kind of order, milliseconds since the epoch, the value."""

    series: str
    milliseconds: int
    value: float


def sdk_resource(environment: Mapping[str, str]) -> dict[str, str]:
    """The resource attributes that an SDK makes of a container's variables, with an instance id of its own."""
    given = environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    pairs = (pair.split("=", 1) for pair in given.split(",") if pair)
    return {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "1.45.2",
        "service.name": environment.get("OTEL_SERVICE_NAME", "unknown_service"),
        "service.instance.id": str(uuid.uuid4()),
    } | {name: unquote(value) for name, value in pairs}


def points(samples: Mapping[Labels, Iterable[Sample]]) -> frozenset[Point]:
    """The samples of our counters among those of any series."""
    return frozenset(
        Point(value, *sample)
        for labels, taken in samples.items()
        for name, value in labels
        if name in _SERIES_NAMES
        for sample in taken
    )


class Spans:
    """The spans of one application: number `n` belongs to trace `n // per_trace`, whose first span is its root.

    A root is a server span, the others are client spans below it; one span in a hundred is an error.
    """

    def __init__(self, resource: Mapping[str, str], per_trace: int) -> None:
        self._per_trace = per_trace
        self._first_span, self._first_trace = secrets.randbits(64), secrets.randbits(64)
        self._process = secrets.token_bytes(4)
        self._resource = ResourceSpans(resource=Resource(attributes=_attributes(resource))).SerializeToString()
        self._scope = ScopeSpans(scope=_SCOPE).SerializeToString()
        self._server = [_server_span(kind).SerializeToString() for kind in range(_VARIETY)]
        self._client = [_client_span(kind).SerializeToString() for kind in range(_VARIETY)]

    def id(self, number: int) -> str:
        """The id of a span, in hexadecimal."""
        return self._id(number).hex()

    def message(self, spans: Iterable[tuple[int, int]]) -> bytes:
        """An ExportTraceServiceRequest of spans, each given by its number and its end in ns since the epoch."""
        scope = b"".join((self._scope, *(_field(_SPAN_TAG, self._span(number, ended)) for number, ended in spans)))
        return _field(_GROUP_TAG, self._resource + _field(_SPAN_TAG, scope))

    def _id(self, number: int) -> bytes:
        return _spread(self._first_span + number)

    def _span(self, number: int, ended: int) -> bytes:
        # Protobuf takes fields in any order: those that differ come first, the prepared rest follows.
        trace, position = divmod(number, self._per_trace)
        nested = position * 1_000_000
        started = ended - _duration(trace) + nested
        return b"".join(
            (
                # The first four bytes are seconds, which X-Ray wants of ids that it made itself.
                b"\x0a\x10" + (ended // _NANOSECONDS).to_bytes(4, "big") + self._process,
                _spread(self._first_trace + trace),
                b"\x12\x08" + self._id(number),
                b"\x22\x08" + self._id(number - position) if position else b"",
                _fixed(0x39, started),
                _fixed(0x41, ended - nested),
                (self._client if position else self._server)[number % _VARIETY],
            )
        )


class Counters:
    """Cumulative counters of one application, one for each of `series` kinds of orders."""

    def __init__(self, resource: Mapping[str, str], series: int, started: int) -> None:
        """`started` is in milliseconds since the epoch."""
        self._message = ExportMetricsServiceRequest()
        group = self._message.resource_metrics.add(resource=Resource(attributes=_attributes(resource)))
        metric = group.scope_metrics.add(scope=_SCOPE).metrics.add(name=COUNTER, unit="{order}")
        metric.sum.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
        metric.sum.is_monotonic = True
        self._kinds = [f"kind-{number}" for number in range(series)]
        # Two applications never count alike, so a value tells whose it is; a float holds it exactly.
        self._before = secrets.randbits(48)
        for kind in self._kinds:
            attributes = _attributes({_SERIES: kind})
            metric.sum.data_points.add(attributes=attributes, start_time_unix_nano=started * 1_000_000)
        self._points = metric.sum.data_points

    def message(self, collection: int, milliseconds: int) -> bytes:
        """An ExportMetricsServiceRequest with one point of every series."""
        for number, point in enumerate(self._points):
            point.time_unix_nano = milliseconds * 1_000_000
            point.as_int = self._value(collection, number)
        return self._message.SerializeToString()

    def points(self, collection: int, milliseconds: int) -> Iterable[Point]:
        """What the message of this collection says."""
        for number, kind in enumerate(self._kinds):
            yield Point(kind, milliseconds, float(self._value(collection, number)))

    def _value(self, collection: int, number: int) -> int:
        return self._before + collection * (number + 1)


def _server_span(kind: int) -> Span:
    route, status = f"/orders/{kind % 5}/{{order_id}}", 500 if _fails(kind) else 200
    attributes = {
        "http.request.method": "GET",
        "http.route": route,
        "http.response.status_code": status,
        "url.scheme": "http",
        "url.path": route.replace("{order_id}", str(kind)),
        "server.address": "10.0.12.34",
        "server.port": 8080,
        "client.address": f"10.0.7.{kind}",
        "network.protocol.version": "1.1",
        "user_agent.original": "python-httpx/0.28.1",
    }
    return _span(Span.SPAN_KIND_SERVER, f"GET {route}", attributes, _fails(kind))


def _client_span(kind: int) -> Span:
    attributes = {
        "http.request.method": "GET",
        "http.response.status_code": 500 if _fails(kind) else 200,
        "url.full": f"http://stock:8080/items/{kind}",
        "server.address": "stock",
        "server.port": 8080,
        "network.protocol.version": "1.1",
    }
    return _span(Span.SPAN_KIND_CLIENT, "GET", attributes, _fails(kind))


def _span(kind: Span.SpanKind.ValueType, name: str, attributes: Mapping[str, str | int], fails: bool) -> Span:
    status = Status(code=Status.STATUS_CODE_ERROR if fails else Status.STATUS_CODE_UNSET)
    return Span(kind=kind, name=name, attributes=_attributes(attributes), status=status, flags=0x101)


def _fails(kind: int) -> bool:
    return kind == _VARIETY - 1


def _duration(trace: int) -> int:
    """Between 20 and 119 ms, in ns."""
    return (20 + trace % 100) * 1_000_000


def _attributes(values: Mapping[str, str | int]) -> list[KeyValue]:
    made: list[KeyValue] = []
    for key, value in values.items():
        attribute = KeyValue(key=key)
        if isinstance(value, int):
            attribute.value.int_value = value
        else:
            attribute.value.string_value = value
        made.append(attribute)
    return made


def _spread(number: int) -> bytes:
    return (number * _SPREAD & 0xFFFF_FFFF_FFFF_FFFF).to_bytes(8, "big")


_fixed: Final = struct.Struct("<BQ").pack
"""A field of the type fixed64 from its tag and its value."""


def _field(tag: bytes, content: bytes) -> bytes:
    """A field of a type that has a length."""
    rest, length = len(content), bytearray()
    while rest > 0x7F:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    length.append(rest)
    return b"".join((tag, length, content))
