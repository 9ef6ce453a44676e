"""Back ends that fail when they are told to, and know exactly what they were given."""

import asyncio
import gzip
import json
import math
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from proof import gate, remote_write
from proof.otlp import Delivered
from proof.remote_write import Labels, Sample
from proof.sigv4 import Credentials, Scope
from proof.web import Answer, Request, fetch
from tests.proof.test_sigv4 import CREDENTIALS, KNOWN, signed
from trials.backends import (
    HEALTHY,
    OLDEST_SECONDS,
    AmpBackend,
    Backend,
    Fault,
    OtlpBackend,
    Written,
    XRayBackend,
    busiest,
)

UP = (("__name__", "up"), ("job", "a"))
DOWN = (("__name__", "down"), ("job", "a"))
OTHER = Credentials("ASIAOTHER", "other secret", "other token")
PROTOBUF = {"content-type": "application/x-protobuf"}
GET = Request("GET", "/", {}, b"")


def plain(fault: Fault = HEALTHY) -> Backend:
    async def handler(_: Request) -> Answer:
        return Answer(200, b"handled")

    return Backend(handler, lambda status: Answer(status, b"refused"), fault)


async def statuses(port: int, count: int) -> list[int]:
    return [(await fetch(port, GET)).status for _ in range(count)]


# --- faults ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [503, 429, 400])
def test_a_status_is_answered_while_the_fault_lasts(status: int) -> None:
    async def run() -> tuple[list[int], Backend]:
        backend = plain()
        async with backend.open() as port:
            seen = await statuses(port, 1)
            async with backend.failing(Fault(status=status)):
                assert backend.fault == Fault(status=status)
                seen += await statuses(port, 2)
            seen += await statuses(port, 1)
        return seen, backend

    seen, backend = asyncio.run(run())
    assert seen == [200, status, status, 200]
    assert [arrival.status for arrival in backend.requests] == seen
    assert backend.fault == HEALTHY


def test_what_hangs_is_never_answered_and_never_handled() -> None:
    async def run() -> tuple[int, Backend]:
        backend = plain(Fault(hangs=True))
        async with backend.open() as port:
            hanging = asyncio.create_task(fetch(port, GET))
            while not backend.requests:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.05)
            assert not hanging.done()
            await backend.switch(HEALTHY)
            with pytest.raises(ConnectionResetError):
                await hanging
            return (await fetch(port, GET)).status, backend

    status, backend = asyncio.run(run())
    assert status == 200
    assert [arrival.status for arrival in backend.requests] == [0, 200]


def test_refused_connections_come_back_on_the_same_port() -> None:
    async def run() -> None:
        backend = plain()
        async with backend.open() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await reader.readuntil(b"handled")
            async with backend.failing(Fault(refuses=True)):
                assert await reader.read() == b"", "connections that were open are closed"
                with pytest.raises(ConnectionRefusedError):
                    await fetch(port, GET)
                with socket.socket() as taker, pytest.raises(OSError, match="in use"):
                    taker.bind(("127.0.0.1", port))
            writer.close()
            assert await statuses(port, 1) == [200]
        with pytest.raises(ConnectionRefusedError):
            await fetch(port, GET)
        assert [arrival.status for arrival in backend.requests] == [200, 200]

    asyncio.run(run())


def test_one_fault_may_follow_another() -> None:
    async def run() -> list[int]:
        backend = plain(Fault(refuses=True))
        async with backend.open() as port:
            async with backend.failing(Fault(status=503)):
                seen = await statuses(port, 1)
            with pytest.raises(ConnectionRefusedError):
                await fetch(port, GET)
            await backend.switch(Fault(refuses=True))
            await backend.switch(HEALTHY)
            return seen + await statuses(port, 1)

    assert asyncio.run(run()) == [503, 200]


def test_latency_comes_before_each_answer() -> None:
    async def run() -> float:
        async with plain(Fault(latency=0.1)).open() as port:
            began = asyncio.get_running_loop().time()
            await asyncio.gather(*(fetch(port, GET) for _ in range(20)))
            return asyncio.get_running_loop().time() - began

    assert 0.1 <= asyncio.run(run()) < 1.9, "requests wait at the same time"


def test_requests_are_counted_with_their_bytes() -> None:
    sent = b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"

    async def run() -> Backend:
        backend = plain()
        async with backend.open() as port:
            for _ in range(2):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(sent)
                await reader.read()
                writer.close()
        return backend

    backend = asyncio.run(run())
    assert [arrival.size for arrival in backend.requests] == [len(sent)] * 2
    assert backend.size == 2 * len(sent)


@pytest.mark.parametrize(("seconds", "most"), [(0.5, 1), (1.0, 1), (1.1, 2), (2.1, 3), (100.0, 5)], ids=str)
def test_the_busiest_window(monkeypatch: pytest.MonkeyPatch, seconds: float, most: int) -> None:
    times = iter([0.0, 10.0, 11.0, 12.0, 20.0])
    monkeypatch.setattr("trials.backends.time.time", lambda: next(times))

    async def run() -> Backend:
        backend = plain()
        async with backend.open() as port:
            await statuses(port, 5)
        return backend

    assert busiest(asyncio.run(run()).requests, seconds) == most
    assert busiest((), seconds) == 0


# --- X-Ray -------------------------------------------------------------------------------------------------------


def put(port: int, *ids: int) -> Request:
    made = [
        {"trace_id": f"1-{1:08x}-{2:024x}", "id": f"{one:016x}", "name": "a", "start_time": 1.5, "end_time": 2.0}
        for one in ids
    ]
    body = json.dumps({"TraceSegmentDocuments": [json.dumps(one) for one in made]}).encode()
    return signed(f"http://127.0.0.1:{port}/TraceSegments", body, Scope("eu-west-1", "xray"))


def test_xray_takes_segments_when_it_is_healthy() -> None:
    async def run() -> XRayBackend:
        backend = XRayBackend(KNOWN, "eu-west-1")
        async with backend.open() as port:
            assert backend.received.last == 0.0
            await fetch(port, put(port, 1, 2))
            async with backend.failing(Fault(status=429)):
                answer = await fetch(port, put(port, 3))
                assert answer.status == 429
                assert json.loads(answer.body)["__type"] == "ThrottledException"
            await fetch(port, put(port, 2))
        return backend

    backend = asyncio.run(run())
    assert backend.spans == {f"{1:016x}", f"{2:016x}"}
    assert (backend.received.requests, backend.received.twice) == (2, 1)
    assert backend.requests[1].at < backend.received.last
    assert [arrival.status for arrival in backend.requests] == [200, 429, 200]


# --- AMP ---------------------------------------------------------------------------------------------------------


def written(
    *requests: Sequence[tuple[Labels, float, int]],
    out_of_order: float = 60.0,
    oldest: float = math.inf,
    by: Sequence[Credentials] = (),
) -> tuple[list[int], Written]:
    """The answers to requests of (labels, value, seconds), signed by each of `by` in turn, and what AMP then holds."""

    async def run() -> tuple[list[int], Written]:
        backend = AmpBackend(KNOWN | {OTHER.access_key: OTHER}, "eu-west-1", out_of_order, oldest)
        answers: list[int] = []
        async with backend.open() as port:
            for number, request in enumerate(requests):
                body = remote_write.encode((labels, value, seconds * 1000) for labels, value, seconds in request)
                writer = by[number] if by else CREDENTIALS
                sent = signed(f"http://127.0.0.1:{port}{gate.PATH}", body, by=writer)
                answers.append((await fetch(port, sent)).status)
        return answers, backend.written

    return asyncio.run(run())


def test_samples_are_kept_in_order_of_arrival() -> None:
    answers, amp = written([(UP, 1.0, 10), (DOWN, 5.0, 10)], [(UP, 2.0, 30)], [(UP, 3.0, 20)])
    assert answers == [200, 200, 200]
    assert amp.samples == {
        UP: (Sample(10_000, 1.0), Sample(30_000, 2.0), Sample(20_000, 3.0)),
        DOWN: (Sample(10_000, 5.0),),
    }
    assert (amp.out_of_order, amp.twice, amp.discarded, amp.refused) == (1, 0, {}, {})


def test_what_is_too_old_is_discarded_and_the_rest_of_its_request_kept() -> None:
    answers, amp = written([(UP, 1.0, 100)], [(UP, 2.0, 39), (UP, 3.0, 40), (DOWN, 4.0, 1)])
    assert answers == [200, 400]
    assert amp.samples == {UP: (Sample(100_000, 1.0), Sample(40_000, 3.0)), DOWN: (Sample(1_000, 4.0),)}
    assert (amp.out_of_order, amp.discarded) == (1, {"sample-too-old": 1})


def test_the_window_is_the_workspaces() -> None:
    answers, amp = written([(UP, 1.0, 1000)], [(UP, 2.0, 400)], [(UP, 2.0, 399)], out_of_order=600.0)
    assert answers == [200, 200, 400]
    assert (amp.out_of_order, amp.discarded) == (1, {"sample-too-old": 1})


def test_what_is_older_than_an_hour_is_discarded_and_the_rest_of_its_request_kept() -> None:
    now = int(time.time())
    answers, amp = written([(UP, 1.0, now - 3700), (UP, 2.0, now - 3500), (DOWN, 3.0, now)], oldest=OLDEST_SECONDS)
    assert answers == [400]
    assert amp.samples == {UP: (Sample((now - 3500) * 1000, 2.0),), DOWN: (Sample(now * 1000, 3.0),)}
    assert amp.discarded == {"greater_than_max_sample_age": 1}


@pytest.mark.parametrize("value", [1.0, float("nan")])
def test_what_comes_again_is_counted_and_what_contradicts_is_discarded(value: float) -> None:
    answers, amp = written([(UP, value, 10)], [(UP, value, 10)], [(UP, 2.0, 10)])
    assert answers == [200, 200, 400]
    assert (len(amp.samples[UP]), amp.twice, amp.discarded) == (1, 1, {"new-value-for-timestamp": 1})
    assert amp.out_of_order == 0


def test_the_writers_of_a_series_are_known() -> None:
    _, amp = written([(UP, 1.0, 10), (DOWN, 1.0, 10)], [(UP, 2.0, 20)], by=[CREDENTIALS, OTHER])
    assert amp.writers == {
        UP: frozenset({CREDENTIALS.access_key, OTHER.access_key}),
        DOWN: frozenset({CREDENTIALS.access_key}),
    }


def test_amp_refuses_whom_it_does_not_know() -> None:
    stranger = Credentials("ASIASTRANGER", "guess", "guess")
    answers, amp = written([(UP, 1.0, 10)], by=[stranger])
    assert answers == [403]
    assert amp.refused == {"403 UnrecognizedClientException: access key ASIASTRANGER is not known": 1}
    assert amp.samples == {}


def test_amp_with_a_fault_takes_nothing() -> None:
    async def run() -> AmpBackend:
        backend = AmpBackend(KNOWN, "eu-west-1", fault=Fault(status=503))
        async with backend.open() as port:
            request = signed(f"http://127.0.0.1:{port}{gate.PATH}", remote_write.encode([(UP, 1.0, 1)]))
            assert (await fetch(port, request)).status == 503
        return backend

    assert asyncio.run(run()).written.samples == {}


# --- a partner ---------------------------------------------------------------------------------------------------


def exported(send: Callable[[int], Awaitable[Answer]]) -> tuple[Answer, Delivered]:
    async def run() -> tuple[Answer, Delivered]:
        backend = OtlpBackend({"api-key": "secret"})
        async with backend.open() as port:
            answer = await send(port)
        return answer, backend.delivered

    return asyncio.run(run())


def post(path: str, body: bytes, **headers: str) -> Callable[[int], Awaitable[Answer]]:
    given = PROTOBUF | {"api-key": "secret"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda port: fetch(port, Request("POST", path, given, body))


def test_a_partner_records_spans_zipped_or_not() -> None:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number in (1, 2, 1):
        spans.add(span_id=number.to_bytes(8, "big"))
    for send in (
        post("/v1/traces", request.SerializeToString()),
        post("/v1/traces", gzip.compress(request.SerializeToString()), content_encoding="gzip"),
    ):
        answer, delivered = exported(send)
        assert (answer.status, answer.body, answer.content_type) == (200, b"", "application/x-protobuf")
        assert delivered.spans == {f"{1:016x}": 2, f"{2:016x}": 1}


def test_a_partner_records_points() -> None:
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    group.resource.attributes.add(key="service.name").value.string_value = "orders"
    metrics = group.scope_metrics.add().metrics
    counted = metrics.add(name="orders").sum.data_points.add(as_int=7, time_unix_nano=5_000_000)
    counted.attributes.add(key="port").value.int_value = 8080
    metrics.add(name="load").gauge.data_points.add(as_double=0.5, time_unix_nano=6_999_999)
    metrics.add(name="latency").histogram.data_points.add(count=3, time_unix_nano=7_000_000)
    _, delivered = exported(post("/v1/metrics", request.SerializeToString()))
    assert delivered.samples == {
        (("__name__", "orders"), ("port", "8080"), ("service.name", "orders")): (Sample(5, 7.0),),
        (("__name__", "load"), ("service.name", "orders")): (Sample(6, 0.5),),
        (("__name__", "latency"), ("service.name", "orders")): (Sample(7, 3.0),),
    }


def test_a_partner_counts_log_records() -> None:
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    records.add(severity_text="INFO")
    records.add(severity_text="ERROR")
    assert exported(post("/v1/logs", request.SerializeToString()))[1].logs == 2


@pytest.mark.parametrize(
    ("send", "status"),
    [
        (post("/v1/traces", b"", api_key="guess"), HTTPStatus.UNAUTHORIZED),
        (post("/v1/profiles", b""), HTTPStatus.NOT_FOUND),
        (post("/v1/traces", b"{}", content_type="application/json"), HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
        (post("/v1/traces", b"text"), HTTPStatus.BAD_REQUEST),
        (post("/v1/traces", b"text", content_encoding="gzip"), HTTPStatus.BAD_REQUEST),
    ],
    ids=lambda value: value.phrase if isinstance(value, HTTPStatus) else "",
)
def test_a_partner_refuses_what_is_not_for_it(send: Callable[[int], Awaitable[Answer]], status: HTTPStatus) -> None:
    answer, delivered = exported(send)
    assert answer.status == status
    assert next(iter(delivered.refused)).startswith(str(status.value))
    assert delivered.spans == {}
