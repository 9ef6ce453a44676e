"""What clients send that do not speak OTLP: a segment as X-Ray's SDKs do, a span as Zipkin's do. The sample speaks OTLP
only, so a proof sends some itself."""

import asyncio
import json
import secrets
import socket
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

from proof.web import LOOPBACK, Request, fetch

STATUS: Final = 500
"""Of everything that is sent: what failed is kept by every tail sampler."""

_PATIENCE_SECONDS: Final = 5.0
_HEADER: Final = b'{"format":"json","version":1}\n'
_QUESTIONS: Final = ("/GetSamplingRules", "/SamplingTargets")
"""What X-Ray's SDKs ask, which the collector passes on and signs."""


class Sender(StrEnum):
    """Whose way of sending it is; the value is the receiver that a configuration names for it."""

    XRAY = "awsxray"
    ZIPKIN = "zipkin"


@dataclass(frozen=True)
class Foreign:
    """A segment that came in without OTLP. `refused` says which requests were not answered as they should be."""

    sender: Sender
    trace: str
    id: str
    name: str
    refused: tuple[str, ...]


async def _xray_sdk(port: int) -> Foreign:
    now, trace, made = _new()
    document: dict[str, Any] = {
        "trace_id": trace,
        "id": made,
        "name": "sent-by-xray-sdk",
        "start_time": now - 0.1,
        "end_time": now,
        "fault": True,
        "http": {"request": {"method": "GET", "url": "http://legacy/"}, "response": {"status": STATUS}},
    }
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(_HEADER + json.dumps(document).encode(), (LOOPBACK, port))
    refused = [await _post(port, question, {}, HTTPStatus.OK) for question in _QUESTIONS]
    return Foreign(Sender.XRAY, trace, made, document["name"], tuple(filter(None, refused)))


async def _zipkin(port: int) -> Foreign:
    now, trace, made = _new()
    span = {
        "traceId": trace.removeprefix("1-").replace("-", ""),
        "id": made,
        "name": "get /",
        "kind": "SERVER",
        "timestamp": int(now * 1e6) - 1000,
        "duration": 1000,
        "localEndpoint": {"serviceName": "sent-by-zipkin"},
        "tags": {"http.method": "GET", "http.status_code": str(STATUS), "error": "true"},
    }
    refused = await _post(port, "/api/v2/spans", [span], HTTPStatus.ACCEPTED)
    return Foreign(Sender.ZIPKIN, trace, made, "sent-by-zipkin", tuple(filter(None, [refused])))


SENDERS: Final[Mapping[str, Callable[[int], Coroutine[Any, Any, Foreign]]]] = {
    "XRAY_SDK_ENDPOINT": _xray_sdk,
    "ZIPKIN_ENDPOINT": _zipkin,
}
"""Each sends one segment to a loopback port; by the variable that moves the receiver there."""


def _new() -> tuple[float, str, str]:
    """The time in seconds since the epoch, and ids of a trace and of a segment as X-Ray writes them."""
    now = time.time()
    return now, f"1-{int(now):08x}-{secrets.token_hex(12)}", secrets.token_hex(8)


async def _post(port: int, path: str, body: Any, wanted: HTTPStatus) -> str:
    """What is wrong with the answer; nothing if it is the wanted one."""
    request = Request("POST", path, {"content-type": "application/json"}, json.dumps(body).encode())
    try:
        answer = await asyncio.wait_for(fetch(port, request), _PATIENCE_SECONDS)
    except (OSError, ValueError, TimeoutError) as error:
        return f"{path} is not answered: {error!r}"
    return "" if answer.status == wanted else f"{path} is answered with {answer.status} {answer.body[:200]!r}"
