"""The load accounts for every span and every sample, whatever the collector answers."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from trials.backends import Fault, OtlpBackend
from trials.load import TRACES, CounterLoad, Exporter, Limits, Reply, Signal, SpanLoad, after, http, rpc
from trials.otlp import points, sdk_resource

RESOURCE = sdk_resource({"OTEL_SERVICE_NAME": "orders"})
QUICK = Limits(queue=100, batch=20, delay=0.05, backoff=0.01, attempts=10)
OK = Reply("200", accepted=True)
BUSY = Reply("503", retryable=True)
BAD = Reply("400")


class Answering:
    """A transport that gives these replies in turn, and then accepts; while it is not free, nothing is answered."""

    def __init__(self, replies: Iterable[Reply] = ()) -> None:
        self._replies = iter(replies)
        self.free = asyncio.Event()
        self.free.set()
        self.messages: list[bytes] = []

    async def send(self, signal: Signal, body: bytes, seconds: float) -> Reply:
        self.messages.append(body)
        await self.free.wait()
        return next(self._replies, OK)

    @property
    def sizes(self) -> list[int]:
        """Spans of each message."""
        requests = (ExportTraceServiceRequest.FromString(one) for one in self.messages)
        return [len(one.resource_spans[0].scope_spans[0].spans) for one in requests]


def until(condition: Callable[[], bool]) -> Callable[[], bool]:
    """The condition, or ten seconds."""
    late = after(10.0)
    return lambda: condition() or late()


# --- an exporter -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("replies", "accepted", "answers", "refused"),
    [
        ([], True, {"200": 1}, 0),
        ([BUSY, BUSY], True, {"503": 2, "200": 1}, 2),
        ([BUSY, BAD], False, {"503": 1, "400": 1}, 1),
        ([Reply("timeout")], False, {"timeout": 1}, 0),
        ([BUSY] * 9, False, {"503": 3}, 3),
    ],
)
def test_an_export_is_tried_again_where_that_can_help(
    replies: list[Reply], accepted: bool, answers: dict[str, int], refused: int
) -> None:
    transport = Answering(replies)
    exporter = Exporter(transport, TRACES, Limits(backoff=0.001, attempts=3))
    assert asyncio.run(exporter.export(b"message")) is accepted
    assert (exporter.answers, exporter.refused) == (answers, refused)
    assert set(transport.messages) == {b"message"}


def test_an_export_that_would_be_too_late_is_given_up() -> None:
    # Three pauses are 0.8 * (0.04 + 0.08 + 0.16) = 0.224 s when all of them are scattered to their shortest.
    exporter = Exporter(Answering([BUSY] * 99), TRACES, Limits(backoff=0.04, timeout=0.22, attempts=99))
    assert asyncio.run(exporter.export(b"")) is False
    assert 1 <= exporter.answers["503"] <= 3


# --- spans -------------------------------------------------------------------------------------------------------


def test_every_accepted_span_arrived_and_no_other() -> None:
    async def run() -> tuple[SpanLoad, OtlpBackend]:
        backend = OtlpBackend({})
        async with backend.open() as port, http(port) as transport:
            load = SpanLoad(transport, RESOURCE, per_trace=3, limits=QUICK)
            await load.run(1000.0, until(lambda: load.tally.accepted >= 200))
        return load, backend

    load, backend = asyncio.run(run())
    tally = load.tally
    assert tally.produced == tally.accepted == len(load.accepted) >= 200
    assert tally.produced % 3 == 0
    assert backend.delivered.spans == dict.fromkeys(load.accepted, 1)
    assert tally.answers == {"200": len(backend.requests)}


def test_a_rate_is_kept_and_a_batch_that_is_not_full_waits_for_its_delay() -> None:
    transport = Answering()
    load = SpanLoad(transport, RESOURCE, limits=Limits(batch=512, delay=0.2))
    began = time.monotonic()
    asyncio.run(load.run(500.0, until(lambda: load.tally.produced >= 200)))
    seconds = time.monotonic() - began
    assert 200 <= load.tally.produced <= 500.0 * seconds
    assert len(transport.messages) <= 1 + seconds / 0.2
    assert sum(transport.sizes) == load.tally.accepted == load.tally.produced


def test_a_burst_goes_out_in_full_batches() -> None:
    transport = Answering()
    load = SpanLoad(transport, RESOURCE, limits=QUICK)
    asyncio.run(load.burst(90))
    assert transport.sizes == [20, 20, 20, 20, 10]
    asyncio.run(load.burst(20))
    assert len(load.accepted) == load.tally.produced == 110


def test_what_is_refused_for_a_while_is_accepted_once() -> None:
    async def run() -> tuple[SpanLoad, OtlpBackend]:
        backend = OtlpBackend({}, Fault(status=503))
        async with backend.open() as port, http(port) as transport:
            load = SpanLoad(transport, RESOURCE, limits=QUICK)
            bursting = asyncio.create_task(load.burst(60))
            while load.tally.refused < 2:
                await asyncio.sleep(0.001)
            await backend.switch(Fault(refuses=True))
            while not load.tally.answers.get("no connection"):
                await asyncio.sleep(0.001)
            await backend.switch(Fault())
            await bursting
        return load, backend

    load, backend = asyncio.run(run())
    tally = load.tally
    assert (tally.produced, tally.accepted, tally.failed, tally.dropped) == (60, 60, 0, 0)
    assert tally.refused == tally.answers["503"] + tally.answers["no connection"]
    assert backend.delivered.spans == dict.fromkeys(load.accepted, 1)


def test_what_is_refused_for_good_has_failed() -> None:
    load = SpanLoad(Answering([OK, BAD]), RESOURCE, limits=QUICK)
    asyncio.run(load.burst(60))
    tally = load.tally
    assert (tally.accepted, tally.failed, tally.refused, tally.answers) == (40, 20, 0, {"200": 2, "400": 1})


def test_what_finds_the_queue_full_is_dropped() -> None:
    async def run() -> tuple[Answering, SpanLoad]:
        transport = Answering()
        transport.free.clear()
        load = SpanLoad(transport, RESOURCE, limits=QUICK)
        running = asyncio.create_task(load.run(10_000.0, until(lambda: load.tally.dropped >= 50)))
        while load.tally.dropped < 50:
            await asyncio.sleep(0.001)
        transport.free.set()
        await running
        return transport, load

    transport, load = asyncio.run(run())
    tally = load.tally
    # One batch was on its way while the queue filled.
    assert tally.accepted == QUICK.queue + QUICK.batch == tally.produced - tally.dropped
    assert (tally.failed, max(transport.sizes)) == (0, QUICK.batch)


def test_a_collector_that_hangs_costs_a_timeout() -> None:
    async def run() -> SpanLoad:
        backend = OtlpBackend({}, Fault(hangs=True))
        async with backend.open() as port, http(port) as transport:
            load = SpanLoad(transport, RESOURCE, limits=Limits(timeout=0.1))
            await load.burst(10)
        return load

    tally = asyncio.run(run()).tally
    assert (tally.accepted, tally.failed, tally.answers) == (0, 10, {"timeout": 1})


def test_what_is_on_the_way_when_a_run_is_cancelled_is_neither() -> None:
    async def run() -> SpanLoad:
        transport = Answering()
        transport.free.clear()
        load = SpanLoad(transport, RESOURCE, limits=QUICK)
        running = asyncio.create_task(load.run(1000.0, lambda: False))
        while not transport.messages:
            await asyncio.sleep(0.001)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return load

    tally = asyncio.run(run()).tally
    assert tally.produced > 0
    assert (tally.accepted, tally.failed) == (0, 0)


# --- gRPC --------------------------------------------------------------------------------------------------------


def test_grpc_tries_again_what_its_codes_allow() -> None:
    codes = [grpc.StatusCode.UNAVAILABLE, None, grpc.StatusCode.INVALID_ARGUMENT, None]
    received: list[bytes] = []

    async def export(body: bytes, context: Any) -> bytes:
        code = codes.pop(0)
        if code is not None:
            await context.abort(code, "as the test wants it")
        received.append(body)
        return b""

    async def run() -> SpanLoad:
        server: Any = grpc.aio.server()
        service, _, name = TRACES.method.strip("/").rpartition("/")
        handlers = {name: grpc.unary_unary_rpc_method_handler(export)}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with rpc(port) as transport:
            load = SpanLoad(transport, RESOURCE, limits=QUICK)
            await load.burst(60)
        await server.stop(None)
        return load

    load = asyncio.run(run())
    tally = load.tally
    assert (tally.accepted, tally.failed, tally.refused) == (40, 20, 1)
    assert tally.answers == {"UNAVAILABLE": 1, "OK": 2, "INVALID_ARGUMENT": 1}
    spans = [ExportTraceServiceRequest.FromString(one).resource_spans[0].scope_spans[0].spans for one in received]
    assert {span.span_id.hex() for batch in spans for span in batch} == load.accepted


def test_grpc_without_a_server_finds_no_connection_and_with_a_silent_one_no_time() -> None:
    async def run() -> list[Reply]:
        async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            await reader.read()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        async with rpc(1) as nobody, rpc(server.sockets[0].getsockname()[1]) as mute:
            replies = [await nobody.send(TRACES, b"", 10.0), await mute.send(TRACES, b"", 0.3)]
        server.close()
        return replies

    assert asyncio.run(run()) == [Reply("UNAVAILABLE", retryable=True), Reply("timeout")]


# --- counters ----------------------------------------------------------------------------------------------------


def test_every_accepted_sample_arrived_and_no_other() -> None:
    async def run() -> tuple[list[CounterLoad], OtlpBackend]:
        backend = OtlpBackend({})
        async with backend.open() as port, http(port) as transport:
            loads = [CounterLoad(transport, RESOURCE, series=5) for _ in range(2)]
            await asyncio.gather(*(one.run(0.05, until(lambda: len(backend.requests) >= 8)) for one in loads))
        return loads, backend

    loads, backend = asyncio.run(run())
    one, other = loads
    assert points(backend.delivered.samples) == one.accepted | other.accepted
    assert not one.accepted & other.accepted
    for load in loads:
        assert load.tally.accepted == load.tally.produced == len(load.accepted) >= 20


def test_a_sample_that_was_refused_for_good_is_not_sent_again() -> None:
    transport = Answering([OK, BAD])
    load = CounterLoad(transport, RESOURCE, series=5, limits=QUICK)
    asyncio.run(load.run(0.01, lambda: len(transport.messages) >= 3))
    tally = load.tally
    assert (tally.produced, tally.accepted, tally.failed, tally.dropped) == (20, 15, 5, 0)
    assert Counter(point.series for point in load.accepted) == {f"kind-{number}": 3 for number in range(5)}


# --- speed -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_five_thousand_spans_a_second_and_a_burst_of_sixty_thousand() -> None:
    async def run() -> tuple[SpanLoad, SpanLoad, OtlpBackend]:
        backend = OtlpBackend({})
        async with backend.open() as port, http(port) as transport:
            even, burst = SpanLoad(transport, RESOURCE), SpanLoad(transport, RESOURCE, per_trace=3)
            await even.run(5000.0, until(lambda: even.tally.produced >= 15_000))
            await burst.burst(60_000)
        return even, burst, backend

    even, burst, backend = asyncio.run(run())
    assert 15_000 <= even.tally.produced <= 15_600
    assert burst.tally.produced == 60_000
    for load in (even, burst):
        tally = load.tally
        assert (tally.accepted, tally.failed, tally.dropped, tally.refused) == (tally.produced, 0, 0, 0)
    assert backend.delivered.spans == dict.fromkeys(even.accepted | burst.accepted, 1)
