"""Spans as X-Ray's OTLP endpoint takes them, and the segments that it makes of them."""

import time
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from proof.segment import Segment
from proof.web import Request

MOST_SPANS: Final = 10_000
LARGEST: Final = 5 * 1000 * 1000
"""Spans, and bytes before compression, in a request: Amazon CloudWatch User Guide, "OTLP Endpoints"."""

_OF_SERVERS: Final = (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CONSUMER)
_NAMED_BY: Final = ("peer.service", "server.address", "net.peer.name", "http.host")


def segments(request: Request) -> list[Segment]:
    """The segments of a request's spans. Raises ValueError for a request that the endpoint would refuse."""
    if (kind := request.headers.get("content-type", "")) != "application/x-protobuf":
        raise ValueError(f"content type {kind!r} is not protobuf")
    body = _plain(request)
    if len(body) > LARGEST:
        raise ValueError(f"{len(body)} bytes before compression")
    try:
        message = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise ValueError(f"not an OTLP request: {error}") from error
    made = list(_segments(message))
    if len(made) > MOST_SPANS:
        raise ValueError(f"{len(made)} spans")
    return made


def _plain(request: Request) -> bytes:
    match request.headers.get("content-encoding", ""):
        case "":
            return request.body
        case "gzip":
            try:
                # Never more than is judged, whatever the body would become.
                return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(request.body, LARGEST + 1)
            except zlib.error as error:
                raise ValueError(f"not gzip: {error}") from error
        case encoding:
            raise ValueError(f"compression {encoding!r} is not gzip")


def _segments(message: ExportTraceServiceRequest) -> Iterator[Segment]:
    for resource in message.resource_spans:
        service = str(_values(resource.resource.attributes).get("service.name", ""))
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _segment(span, service)


def _segment(span: Span, service: str) -> Segment:
    """A span that serves, and a root, is a segment of its service; any other is a subsegment of what calls."""
    attributes = _values(span.attributes)
    status = int(attributes.get("http.response.status_code") or attributes.get("http.status_code") or 0)
    subsegment = bool(span.parent_span_id) and span.kind not in _OF_SERVERS
    named = next((str(attributes[key]) for key in _NAMED_BY if key in attributes), span.name) if subsegment else service
    failed = span.status.code == Status.STATUS_CODE_ERROR
    digits = span.trace_id.hex()
    return Segment(
        trace=f"1-{digits[:8]}-{digits[8:]}",
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        name=named,
        start=span.start_time_unix_nano / 1e9,
        end=span.end_time_unix_nano / 1e9,
        subsegment=subsegment,
        error=400 <= status < 500,
        fault=status >= 500 or (failed and status < 400),
        status=status,
        arrived=time.time(),
        url=str(attributes.get("url.full") or attributes.get("http.url") or attributes.get("url.path") or ""),
    )


def _values(attributes: Any) -> Mapping[str, str | int | float | bool]:
    return {pair.key: getattr(pair.value, kind) for pair in attributes if (kind := _kind(pair))}


def _kind(pair: KeyValue) -> str | None:
    return pair.value.WhichOneof("value")
