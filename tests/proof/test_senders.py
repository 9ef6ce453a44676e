"""What a proof sends without OTLP, as the collector's port gets it."""

import asyncio
import json
import socket

import pytest

from proof.senders import SENDERS, Foreign
from proof.task import free_ports
from proof.web import LOOPBACK, Answer, Request, serve


def sent(variable: str, *, status: int) -> tuple[Foreign, list[Request]]:
    """What was sent, and the requests that a port answered with this status."""
    asked: list[Request] = []

    async def handle(request: Request) -> Answer:
        asked.append(request)
        return Answer(status, b"{}")

    async def run() -> Foreign:
        async with serve(handle) as port:
            return await SENDERS[variable](port)

    return asyncio.run(run()), asked


def test_zipkin_gets_a_span_that_failed() -> None:
    one, [request] = sent("ZIPKIN_ENDPOINT", status=202)
    [span] = json.loads(request.body)
    assert (request.method, request.path, one.refused) == ("POST", "/api/v2/spans", ())
    assert one.trace == f"1-{span['traceId'][:8]}-{span['traceId'][8:]}"
    assert (span["id"], span["localEndpoint"]["serviceName"], span["tags"]["error"]) == (one.id, one.name, "true")


def test_x_rays_port_gets_a_datagram_and_the_questions() -> None:
    port = next(free_ports())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind((LOOPBACK, port))
        receiver.settimeout(15)
        # Nobody answers its questions on TCP.
        one = asyncio.run(SENDERS["XRAY_SDK_ENDPOINT"](port))
        header, document = map(json.loads, receiver.recv(65536).split(b"\n"))
    assert header == {"format": "json", "version": 1}
    assert (document["trace_id"], document["id"], document["name"], document["fault"]) == (
        one.trace, one.id, one.name, True,
    )  # fmt: skip
    assert [reason.split()[0] for reason in one.refused] == ["/GetSamplingRules", "/SamplingTargets"]
    answered, asked = sent("XRAY_SDK_ENDPOINT", status=200)
    assert [request.path for request in asked] == ["/GetSamplingRules", "/SamplingTargets"]
    assert answered.refused == ()


@pytest.mark.parametrize("variable", SENDERS)
def test_another_answer_is_a_refusal(variable: str) -> None:
    one, asked = sent(variable, status=403)
    assert one.refused == tuple(f"{request.path} is answered with 403 b'{{}}'" for request in asked)
