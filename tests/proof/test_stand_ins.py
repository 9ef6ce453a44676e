"""Gate, X-Ray, relays and balancer, asked over HTTP as their clients do."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from proof import gate, remote_write
from proof.gate import Gate
from proof.sigv4 import Scope
from proof.web import Answer, Request, fetch, serve
from proof.wire import Traffic, Wire, balanced
from proof.xray import XRay
from tests.proof.test_sigv4 import CREDENTIALS, KNOWN, signed

SERIES = (("__name__", "up"), ("job", "a"))


def write_request(port: int, body: bytes, path: str = gate.PATH) -> Request:
    return signed(f"http://127.0.0.1:{port}{path}", body)


async def through_gate(
    body: bytes, answer: int = 204, tampered: bool = False, path: str = gate.PATH
) -> tuple[int, gate.Writes]:
    received: list[Request] = []

    async def prometheus(request: Request) -> Answer:
        received.append(request)
        return Answer(answer, b'out of bounds: {a="b"} 12.5')

    async with serve(prometheus) as behind:
        made = Gate(behind, KNOWN, "eu-west-1")
        async with made.open() as port:
            request = write_request(port, body, path)
            got = await fetch(port, replace(request, body=body + b"x") if tampered else request)
    assert len(received) == (got.status != 403 and path == gate.PATH and bool(made.writes.samples or answer != 204))
    return got.status, made.writes


def test_a_good_request_is_passed_on_and_its_writer_known() -> None:
    status, writes = asyncio.run(through_gate(remote_write.encode([(SERIES, 1.0, 1000), (SERIES, 2.0, 2000)])))
    assert status == 200
    assert writes.refused == {}
    assert writes.samples == 2
    assert writes.writers == {SERIES: frozenset({CREDENTIALS.access_key})}


def test_a_tampered_request_is_refused_and_counted() -> None:
    status, writes = asyncio.run(through_gate(remote_write.encode([(SERIES, 1.0, 1000)]), tampered=True))
    assert status == 403
    assert list(writes.refused) == ["403 SignatureDoesNotMatch: the signature is not that of this request"]
    assert writes.writers == {}


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ((("__name__", "otelcol.filtered.ratio"),), "sample invalid metric name: 'otelcol.filtered.ratio'"),
        ((("__name__", "up"), ("service.name", "a")), "sample invalid label: 'service.name'"),
    ],
)
def test_names_that_amp_refuses_are_refused(labels: remote_write.Labels, reason: str) -> None:
    status, writes = asyncio.run(through_gate(remote_write.encode([(labels, 1.0, 1000)])))
    assert (status, writes.refused) == (400, {f"400 {reason}": 1})


def test_what_is_no_remote_write_is_refused() -> None:
    status, writes = asyncio.run(through_gate(b"text"))
    assert status == 400
    assert "not a remote-write request" in next(iter(writes.refused))
    status, writes = asyncio.run(through_gate(b"", path="/api/v1/query"))
    assert (status, writes.refused) == (404, {"404 POST /api/v1/query is not remote write": 1})


def test_a_refusal_of_prometheus_reaches_the_writer() -> None:
    status, writes = asyncio.run(through_gate(remote_write.encode([(SERIES, 1.0, 1000)]), answer=400))
    assert (status, writes.refused) == (400, {"400 Prometheus: out of bounds: ... ...": 1})


def document(**changes: Any) -> str:
    made = {"trace_id": f"1-{1:08x}-{2:024x}", "id": f"{3:016x}", "name": "front", "start_time": 1.5, "end_time": 2.0}
    return json.dumps(made | changes)


def put(*documents: str, scope: str = "xray") -> tuple[Mapping[str, Any], XRay]:
    made = XRay(KNOWN, "eu-west-1")

    async def run() -> Answer:
        async with made.open() as port:
            body = json.dumps({"TraceSegmentDocuments": documents}).encode()
            url = f"http://127.0.0.1:{port}/TraceSegments"
            return await fetch(port, signed(url, body, Scope("eu-west-1", scope)))

    answer = asyncio.run(run())
    return json.loads(answer.body) | {"status": answer.status}, made


def test_segments_are_stored() -> None:
    http = {"request": {"url": "http://front/orders/3"}, "response": {"status": 502}}
    answer, made = put(
        document(http=http, fault=True), document(id=f"{4:016x}", parent_id=f"{3:016x}", type="subsegment")
    )
    assert answer == {"UnprocessedTraceSegments": [], "status": 200}
    first, second = made.received.segments
    assert (first.status, first.fault, first.url, first.subsegment) == (502, True, "http://front/orders/3", False)
    assert (second.parent, second.subsegment) == (first.id, True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"trace_id": "a" * 32}, "trace id"),
        ({"id": "short"}, "segment id"),
        ({"end_time": 1.0}, "ends before it starts"),
        ({"name": None}, ""),
    ],
)
def test_documents_that_xray_would_not_process_are_named(change: dict[str, Any], reason: str) -> None:
    if change == {"name": None}:
        broken = json.dumps({key: value for key, value in json.loads(document()).items() if key != "name"})
    else:
        broken = document(**change)
    answer, made = put(broken, document(id=f"{9:016x}"))
    assert len(answer["UnprocessedTraceSegments"]) == 1
    assert reason in next(iter(made.received.refused))
    assert len(made.received.segments) == 1


def test_a_segment_that_comes_again_is_counted() -> None:
    _, made = put(document(), document())
    assert (len(made.received.segments), made.received.twice) == (1, 1)


def test_too_many_documents_and_another_scope_are_refused() -> None:
    answer, made = put(*[document() for _ in range(51)])
    assert answer["status"] == 400
    answer, made = put(document(), scope="aps")
    assert answer["status"] == 403
    assert "signed for aps" in next(iter(made.received.refused))


def test_a_relay_counts_both_directions_from_the_tasks_side() -> None:
    async def echo(request: Request) -> Answer:
        return Answer(200, request.body * 2)

    async def run() -> tuple[Traffic, Traffic]:
        client, host = Wire(), Wire()
        async with serve(echo) as port, host.inbound(port).open() as into, client.outbound(into).open() as out:
            answer = await fetch(out, Request("POST", "/", {}, b"x" * 1000))
            assert answer.body == b"x" * 2000
        return client.traffic, host.traffic

    client, host = asyncio.run(run())
    assert client.sent == host.received > 1000
    assert client.received == host.sent > 2000


def test_a_relay_without_a_server_closes_the_connection() -> None:
    async def run() -> None:
        async with Wire().inbound(1).open() as port:
            with pytest.raises(OSError, match="closed the connection"):
                await fetch(port, Request("GET", "/", {}, b""))

    asyncio.run(run())


def test_the_balancer_takes_requests_in_turn_on_one_connection() -> None:
    async def run() -> list[bytes]:
        async def one(request: Request) -> Answer:
            assert request.headers["traceparent"] == "00-a-b-01"
            return Answer(200, b"one")

        async def two(_: Request) -> Answer:
            return Answer(500, b"two")

        async with serve(one) as first, serve(two) as second, balanced([first, second]) as front:
            reader, writer = await asyncio.open_connection("127.0.0.1", front)
            bodies: list[bytes] = []
            for _ in range(4):
                writer.write(b"GET /orders/1 HTTP/1.1\r\nHost: x\r\ntraceparent: 00-a-b-01\r\n\r\n")
                head = await reader.readuntil(b"\r\n\r\n")
                assert b"Content-Length: 3" in head
                bodies.append(await reader.readexactly(3))
            writer.close()
            return bodies

    assert asyncio.run(run()) == [b"one", b"two", b"one", b"two"]


def test_the_server_reads_chunks_and_survives_nonsense() -> None:
    async def run() -> bytes:
        async def echo(request: Request) -> Answer:
            return Answer(200, request.body)

        async with serve(echo) as port:
            _, nonsense = await asyncio.open_connection("127.0.0.1", port)
            nonsense.write(b"hello\r\n\r\n")
            nonsense.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
            writer.write(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")
            return (await reader.read()).split(b"\r\n\r\n", 1)[1]

    assert asyncio.run(run()) == b"abcde"
