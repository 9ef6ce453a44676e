"""AWS X-Ray as a store of segments: verifies signatures and documents, and gives the traces back."""

import json
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from proof import sigv4, spans
from proof.segment import Segment
from proof.web import Answer, Request, serve

SPANS: Final = "/v1/traces"
"""The path of its OTLP endpoint."""

_EMPTY: Final[Mapping[str, dict[str, Any]]] = {
    "/TelemetryRecords": {},
    "/GetSamplingRules": {"SamplingRuleRecords": []},
    "/SamplingTargets": {"SamplingTargetDocuments": [], "UnprocessedStatistics": []},
}
"""What is asked beside segments, by SDKs and exporters, and an answer that says nothing."""

MOST_DOCUMENTS: Final = 50
"""Segment documents in a request: AWS X-Ray API Reference, PutTraceSegments."""


@dataclass(frozen=True)
class Received:
    """What arrived. `refused` counts requests and documents by reason; `twice` counts ids that came again."""

    segments: tuple[Segment, ...] = ()
    requests: int = 0
    refused: Mapping[str, int] = field(default_factory=dict[str, int])
    twice: int = 0

    @property
    def last(self) -> float:
        """When the last segment arrived, in seconds since the epoch; 0 if none did."""
        return max((segment.arrived for segment in self.segments), default=0.0)


class XRay:
    """The part of the X-Ray API that an exporter uses."""

    def __init__(self, known: Mapping[str, sigv4.Credentials], region: str) -> None:
        self._known = known
        self._scope = sigv4.Scope(region, "xray")
        self._segments: dict[tuple[str, str], Segment] = {}
        self._requests = 0
        self._twice = 0
        self._refused: Counter[str] = Counter()
        self.refusing: HTTPStatus | None = None
        """What segments are answered with as long as it is set."""

    @property
    def received(self) -> Received:
        """What arrived until now."""
        return Received(tuple(self._segments.values()), self._requests, dict(self._refused), self._twice)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[int]:
        """Listens on a free loopback port, which is what the context gives, until the context ends."""
        async with serve(self.handle) as port:
            yield port

    async def handle(self, request: Request) -> Answer:
        """What X-Ray answers to one request."""
        self._requests += 1
        try:
            sigv4.verify(request, self._known, self._scope)
        except sigv4.RefusedError as error:
            return self._refuse(HTTPStatus.FORBIDDEN, str(error))
        if request.path in _EMPTY:
            return _answer(_EMPTY[request.path])
        if self.refusing:
            return self._refuse(self.refusing, "as a drill wants it")
        if (request.method, request.path) == ("POST", SPANS):
            return self._put_spans(request)
        if (request.method, request.path) != ("POST", "/TraceSegments"):
            return self._refuse(HTTPStatus.NOT_FOUND, f"{request.method} {request.path} is not PutTraceSegments")
        return self._put(json.loads(request.body)["TraceSegmentDocuments"])

    def _put_spans(self, request: Request) -> Answer:
        try:
            made = spans.segments(request)
            for segment in made:
                _check(segment)
        except ValueError as error:
            return self._refuse(HTTPStatus.BAD_REQUEST, f"InvalidRequestException: {error}")
        for segment in made:
            self._store(segment)
        return Answer(HTTPStatus.OK, b"", "application/x-protobuf")

    def _put(self, documents: list[str]) -> Answer:
        if len(documents) > MOST_DOCUMENTS:
            return self._refuse(HTTPStatus.BAD_REQUEST, f"InvalidRequestException: {len(documents)} documents")
        unprocessed: list[dict[str, str]] = []
        for document in documents:
            try:
                segment = _segment(json.loads(document))
            except (KeyError, TypeError, ValueError) as error:
                self._refused[f"document: {error}"] += 1
                unprocessed.append({"ErrorCode": "ParseError", "Message": str(error)})
                continue
            self._store(segment)
        return _answer({"UnprocessedTraceSegments": unprocessed})

    def _store(self, segment: Segment) -> None:
        key = (segment.trace, segment.id)
        self._twice += key in self._segments
        self._segments[key] = segment

    def _refuse(self, status: HTTPStatus, reason: str) -> Answer:
        self._refused[f"{status.value} {reason}"] += 1
        # The name of the error, by which an exporter knows a refusal of X-Ray's own from one of something between.
        kind = {"__type": "InvalidRequestException"} if status == HTTPStatus.BAD_REQUEST else {}
        return Answer(status, json.dumps({**kind, "message": reason}).encode())


def _answer(body: dict[str, Any]) -> Answer:
    return Answer(HTTPStatus.OK, json.dumps(body).encode())


def _segment(document: dict[str, Any]) -> Segment:
    http: dict[str, dict[str, Any]] = document.get("http") or {}
    segment = Segment(
        trace=document["trace_id"],
        id=document["id"],
        parent=document.get("parent_id", ""),
        name=document["name"],
        start=float(document["start_time"]),
        end=float(document["end_time"]),
        subsegment=document.get("type") == "subsegment",
        error=bool(document.get("error")),
        fault=bool(document.get("fault")),
        status=int(http.get("response", {}).get("status") or 0),
        arrived=time.time(),
        url=str(http.get("request", {}).get("url") or ""),
        annotations=document.get("annotations") or {},
    )
    _check(segment)
    return segment


def _check(segment: Segment) -> None:
    if segment.problem:
        raise ValueError(segment.problem)
