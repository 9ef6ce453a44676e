"""A back end that takes OTLP over HTTP, as partners do: verifies headers and keeps what matters of what came."""

import gzip
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from proof.remote_write import Labels, Sample
from proof.web import Answer, Request, serve

PROTOBUF: Final = "application/x-protobuf"


@dataclass(frozen=True)
class Delivered:
    """What a partner got: how often each span id (hexadecimal) came, samples by series as they came, log records.

    The labels of a series are the metric's name and the attributes of resource and point as text; a histogram's value
    is its count. `refused` counts requests by status and reason.
    """

    spans: Mapping[str, int]
    samples: Mapping[Labels, tuple[Sample, ...]]
    logs: int
    refused: Mapping[str, int]


class Otlp:
    """A partner's OTLP/HTTP endpoint that asks for `headers` (names in lower case) and takes protobuf only."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers
        self._spans: Counter[str] = Counter()
        self._samples: dict[Labels, list[Sample]] = {}
        self._logs = 0
        self._refused: Counter[str] = Counter()

    @property
    def delivered(self) -> Delivered:
        """What was taken until now."""
        samples = {labels: tuple(taken) for labels, taken in self._samples.items()}
        return Delivered(dict(self._spans), samples, self._logs, dict(self._refused))

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[int]:
        """Listens on a free loopback port, which is what the context gives, until the context ends."""
        async with serve(self.handle) as port:
            yield port

    async def handle(self, request: Request) -> Answer:
        """What it answers to one request."""
        for name, value in self._headers.items():
            if request.headers.get(name) != value:
                return self._refuse(HTTPStatus.UNAUTHORIZED, f"header {name} is {request.headers.get(name)!r}")
        take = {"/v1/traces": self._traces, "/v1/metrics": self._metrics, "/v1/logs": self._records}.get(request.path)
        if request.method != "POST" or take is None:
            return self._refuse(HTTPStatus.NOT_FOUND, f"{request.method} {request.path} is not OTLP")
        if request.headers.get("content-type") != PROTOBUF:
            return self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, str(request.headers.get("content-type")))
        zipped = request.headers.get("content-encoding") == "gzip"
        try:
            take(gzip.decompress(request.body) if zipped else request.body)
        except (DecodeError, OSError, EOFError) as error:
            return self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        # A response without fields, which says that nothing was rejected, is empty on the wire.
        return Answer(HTTPStatus.OK, b"", PROTOBUF)

    def _refuse(self, status: HTTPStatus, reason: str) -> Answer:
        self._refused[f"{status.value} {reason}"] += 1
        return refusal(status)

    def _traces(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self._spans.update(span.span_id.hex() for span in scope.spans)

    def _metrics(self, body: bytes) -> None:
        request = ExportMetricsServiceRequest.FromString(body)
        for resource in request.resource_metrics:
            shared = _texts(resource.resource.attributes)
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for attributes, sample in _points(metric):
                        labels = {"__name__": metric.name} | shared | attributes
                        self._samples.setdefault(tuple(sorted(labels.items())), []).append(sample)

    def _records(self, body: bytes) -> None:
        request = ExportLogsServiceRequest.FromString(body)
        self._logs += sum(len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs)


def refusal(status: int) -> Answer:
    """The answer with which such an endpoint expresses a status."""
    return Answer(status, b"", PROTOBUF)


def _points(metric: Metric) -> Iterator[tuple[dict[str, str], Sample]]:
    for point in (*metric.sum.data_points, *metric.gauge.data_points):
        value = point.as_int if point.WhichOneof("value") == "as_int" else point.as_double
        yield _texts(point.attributes), Sample(point.time_unix_nano // 1_000_000, float(value))
    for point in (*metric.histogram.data_points, *metric.exponential_histogram.data_points):
        yield _texts(point.attributes), Sample(point.time_unix_nano // 1_000_000, float(point.count))


def _texts(attributes: Iterable[KeyValue]) -> dict[str, str]:
    return {one.key: str(getattr(one.value, one.value.WhichOneof("value") or "string_value")) for one in attributes}
