"""CloudWatch Logs as exporters use it: verifies signatures, knows the groups of the stack, and keeps every event."""

import json
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from proof import sigv4
from proof.web import Answer, Request, serve

VARIABLE: Final = "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"
"""By it AWS's SDKs find another address than AWS's."""

_TARGET: Final = "Logs_20140328."
_JSON: Final = "application/x-amz-json-1.1"


@dataclass(frozen=True)
class Written:
    """What arrived: events by log group, each a JSON document. `refused` counts requests by reason."""

    events: Mapping[str, tuple[Mapping[str, Any], ...]] = field(
        default_factory=dict[str, tuple[Mapping[str, Any], ...]]
    )
    refused: Mapping[str, int] = field(default_factory=dict[str, int])


class CloudWatchLogs:
    """The part of the API that exporters use; `groups` are those that exist. A stream has to be created first, which
    exporters find out by being refused."""

    def __init__(self, known: Mapping[str, sigv4.Credentials], region: str, groups: Collection[str]) -> None:
        self._known = known
        self._scope = sigv4.Scope(region, "logs")
        self._groups = groups
        self._streams: set[tuple[str, str]] = set()
        self._events: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        self._refused: Counter[str] = Counter()

    @property
    def written(self) -> Written:
        """What arrived until now."""
        return Written({group: tuple(events) for group, events in self._events.items()}, dict(self._refused))

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[int]:
        """Listens on a free loopback port, which is what the context gives, until the context ends."""
        async with serve(self.handle) as port:
            yield port

    async def handle(self, request: Request) -> Answer:
        """What CloudWatch Logs answers to one request."""
        try:
            sigv4.verify(request, self._known, self._scope)
        except sigv4.RefusedError as error:
            return self._refuse(HTTPStatus.FORBIDDEN, "AccessDeniedException", str(error))
        action = request.headers.get("x-amz-target", "").removeprefix(_TARGET)
        asked: Mapping[str, Any] = json.loads(request.body)
        group, stream = asked.get("logGroupName", ""), asked.get("logStreamName", "")
        match action:
            case "CreateLogStream" if group in self._groups:
                self._streams.add((group, stream))
            case "PutLogEvents" if (group, stream) in self._streams:
                self._events[group] += (json.loads(event["message"]) for event in asked["logEvents"])
            case "PutLogEvents" if group in self._groups:
                return _answer(HTTPStatus.BAD_REQUEST, {"__type": "ResourceNotFoundException", "message": stream})
            case _:
                return self._refuse(HTTPStatus.BAD_REQUEST, "InvalidParameterException", f"{action} of {group}")
        # AWS ignores the token and still gives one. Without it, exporters take an answer for no answer and send again.
        return _answer(HTTPStatus.OK, {"nextSequenceToken": str(len(self._events[group]))})

    def _refuse(self, status: HTTPStatus, kind: str, reason: str) -> Answer:
        self._refused[f"{status.value} {reason}"] += 1
        return _answer(status, {"__type": kind, "message": reason})


def _answer(status: HTTPStatus, body: Mapping[str, Any]) -> Answer:
    return Answer(status, json.dumps(body).encode(), _JSON)
