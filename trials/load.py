"""Load as an application's SDK makes it, with an account of every span and every sample.

Queue, batches, retries and their limits are those of the SDKs, so that what a collector refuses for a while is sent
again, and what it refuses for too long is lost where it would be lost: in the application.
"""

import asyncio
import random
import time
from array import array
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, NamedTuple, Protocol

import grpc
import httpx

from proof.web import LOOPBACK
from trials.otlp import Counters, Point, Spans

_TICK_SECONDS: Final = 0.02


class Signal(NamedTuple):
    """Where OTLP takes one signal: the path over HTTP, the method over gRPC."""

    path: str
    method: str


TRACES: Final = Signal("/v1/traces", "/opentelemetry.proto.collector.trace.v1.TraceService/Export")
METRICS: Final = Signal("/v1/metrics", "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export")


class Reply(NamedTuple):
    """What became of one request: a status, `no connection` or `timeout`. Never both accepted and retryable."""

    status: str
    accepted: bool = False
    retryable: bool = False


class Transport(Protocol):
    """A connection to a collector, kept open between requests."""

    async def send(self, signal: Signal, body: bytes, seconds: float) -> Reply:
        """The reply to one request if it comes within `seconds`. Never raises."""
        ...


@asynccontextmanager
async def http(port: int) -> AsyncGenerator[Transport]:
    """OTLP/HTTP with protobuf to a loopback port."""
    async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}", trust_env=False) as client:
        yield _Http(client)


@asynccontextmanager
async def rpc(port: int) -> AsyncGenerator[Transport]:
    """OTLP/gRPC to a loopback port."""
    channel: Any = grpc.aio.insecure_channel(f"{LOOPBACK}:{port}", options=[("grpc.enable_http_proxy", 0)])
    async with channel:
        yield _Grpc(channel)


class _Http:
    _RETRYABLE: Final = frozenset(
        {
            HTTPStatus.TOO_MANY_REQUESTS,
            HTTPStatus.BAD_GATEWAY,
            HTTPStatus.SERVICE_UNAVAILABLE,
            HTTPStatus.GATEWAY_TIMEOUT,
        }
    )

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def send(self, signal: Signal, body: bytes, seconds: float) -> Reply:
        headers = {"content-type": "application/x-protobuf"}
        try:
            async with asyncio.timeout(seconds):
                answer = await self._client.post(signal.path, content=body, headers=headers, timeout=seconds)
        except (TimeoutError, httpx.TimeoutException):
            return Reply("timeout")
        except httpx.HTTPError:
            return Reply("no connection", retryable=True)
        return Reply(str(answer.status_code), answer.is_success, answer.status_code in self._RETRYABLE)


class _Grpc:
    # OTLP specification, "Failures"; RESOURCE_EXHAUSTED only if the server says when to come again.
    _RETRYABLE: Final = frozenset({"CANCELLED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"})

    def __init__(self, channel: Any) -> None:
        self._channel = channel

    async def send(self, signal: Signal, body: bytes, seconds: float) -> Reply:
        try:
            await self._channel.unary_unary(signal.method)(body, timeout=seconds)
        except grpc.aio.AioRpcError as error:
            status: str = error.code().name
            if status == "DEADLINE_EXCEEDED":
                return Reply("timeout")
            return Reply(status, retryable=status in self._RETRYABLE)
        return Reply("OK", accepted=True)


@dataclass(frozen=True)
class Limits:
    """Of an SDK; the defaults are those of its specification, and of the Python exporters for retries.

    `queue` and `batch` in spans. Seconds: `delay` until a batch is sent that is not full, `timeout` for an export with
    all its attempts, `backoff` before the second of them, doubled before each of the others.
    """

    queue: int = 2048
    batch: int = 512
    delay: float = 5.0
    timeout: float = 10.0
    backoff: float = 1.0
    attempts: int = 6


@dataclass(frozen=True)
class Tally:
    """What became of all spans or samples until now. Those in none of the other counts are still queued or on the way.

    `failed` were given up, `dropped` found the queue full. `answers` counts replies by status, `refused` those of them
    after which an exporter may try again.
    """

    produced: int
    accepted: int
    failed: int
    dropped: int
    refused: int
    answers: Mapping[str, int]


class Exporter:
    """Sends messages of one signal, one after the other."""

    def __init__(self, transport: Transport, signal: Signal, limits: Limits) -> None:
        self._transport = transport
        self._signal = signal
        self._limits = limits
        self._answers: Counter[str] = Counter()
        self._refused = 0

    @property
    def answers(self) -> Mapping[str, int]:
        """Replies by status until now."""
        return dict(self._answers)

    @property
    def refused(self) -> int:
        """Replies until now after which it could try again."""
        return self._refused

    async def export(self, message: bytes) -> bool:
        """Whether the message was accepted, at the first or at a later attempt."""
        deadline = time.monotonic() + self._limits.timeout
        for attempt in range(self._limits.attempts):
            reply = await self._transport.send(self._signal, message, max(deadline - time.monotonic(), 0.0))
            self._answers[reply.status] += 1
            self._refused += reply.retryable
            # Scattered, or all applications would come back at the same moment.
            pause = self._limits.backoff * 2**attempt * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
            if not reply.retryable or time.monotonic() + pause > deadline:
                return reply.accepted
            await asyncio.sleep(pause)
        return False


class SpanLoad:
    """The spans of one application instance, through a batch span processor.

    `resource` as of `otlp.sdk_resource`; each trace has `per_trace` spans, all of which end at the same time.
    """

    def __init__(
        self, transport: Transport, resource: Mapping[str, str], *, per_trace: int = 1, limits: Limits | None = None
    ) -> None:
        self._limits = limits or Limits()
        self._exporter = Exporter(transport, TRACES, self._limits)
        self._spans = Spans(resource, per_trace)
        self._per_trace = per_trace
        self._queue: deque[tuple[int, int]] = deque()
        self._awake = asyncio.Event()
        self._produced = self._dropped = self._failed = 0
        self._accepted = array("Q")

    @property
    def tally(self) -> Tally:
        """What became of the spans until now."""
        return Tally(
            produced=self._produced,
            accepted=len(self._accepted),
            failed=self._failed,
            dropped=self._dropped,
            refused=self._exporter.refused,
            answers=self._exporter.answers,
        )

    @property
    def accepted(self) -> frozenset[str]:
        """The ids of the spans that the collector has taken responsibility for, in hexadecimal."""
        return frozenset(self._spans.id(number) for number in self._accepted)

    async def run(self, rate: float, finished: Callable[[], bool]) -> None:
        """Produces `rate` spans a second until `finished` says so, then sends what is queued and returns."""
        async with asyncio.TaskGroup() as group:
            producing = group.create_task(self._produce_evenly(rate / self._per_trace, finished))
            producing.add_done_callback(lambda _: self._awake.set())
            while not producing.done():
                await self._export_batches(at_least_one=not await self._woken())
        await self._export_all()

    async def burst(self, spans: int) -> None:
        """Produces `spans` (whole traces) as fast as they are taken, a batch at a time, and returns after the last."""
        until = self._produced + spans
        while self._produced < until:
            self._produce(max(min(self._limits.batch, until - self._produced) // self._per_trace, 1))
            await self._export_all()

    async def _produce_evenly(self, rate: float, finished: Callable[[], bool]) -> None:
        """`rate` is in traces a second."""
        began, made = time.monotonic(), 0
        # A pause of our own is made up for a batch at a time, or it would fill the queue and look like the collector's.
        most = max(self._limits.batch // self._per_trace, 1)
        while not finished():
            due = min(int((time.monotonic() - began) * rate) - made, most)
            self._produce(due)
            made += due
            await asyncio.sleep(_TICK_SECONDS)

    def _produce(self, traces: int) -> None:
        ended, until = time.time_ns(), self._produced + traces * self._per_trace
        room = self._limits.queue - len(self._queue)
        self._queue.extend((number, ended) for number in range(self._produced, min(until, self._produced + room)))
        self._dropped += max(until - self._produced - room, 0)
        self._produced = until
        if len(self._queue) >= self._limits.batch:
            self._awake.set()

    async def _woken(self) -> bool:
        """Whether a batch came together before the delay was over."""
        try:
            async with asyncio.timeout(self._limits.delay):
                await self._awake.wait()
        except TimeoutError:
            return False
        self._awake.clear()
        return True

    async def _export_batches(self, *, at_least_one: bool) -> None:
        if at_least_one and self._queue:
            await self._export()
        while len(self._queue) >= self._limits.batch:
            await self._export()

    async def _export_all(self) -> None:
        while self._queue:
            await self._export()

    async def _export(self) -> None:
        batch = [self._queue.popleft() for _ in range(min(self._limits.batch, len(self._queue)))]
        if await self._exporter.export(self._spans.message(batch)):
            self._accepted.extend(number for number, _ in batch)
        else:
            self._failed += len(batch)


class CounterLoad:
    """Cumulative counters of one application instance, through a periodic metric reader; `resource` as for spans."""

    def __init__(
        self, transport: Transport, resource: Mapping[str, str], *, series: int, limits: Limits | None = None
    ) -> None:
        self._exporter = Exporter(transport, METRICS, limits or Limits())
        self._counters = Counters(resource, series, _milliseconds())
        self._series = series
        self._produced = self._failed = 0
        self._accepted: list[tuple[int, int]] = []

    @property
    def tally(self) -> Tally:
        """What became of the samples until now. None is ever dropped: nothing is queued."""
        return Tally(
            produced=self._produced * self._series,
            accepted=len(self._accepted) * self._series,
            failed=self._failed * self._series,
            dropped=0,
            refused=self._exporter.refused,
            answers=self._exporter.answers,
        )

    @property
    def accepted(self) -> frozenset[Point]:
        """The samples that the collector has taken responsibility for."""
        return frozenset(point for collection in self._accepted for point in self._counters.points(*collection))

    async def run(self, interval: float, finished: Callable[[], bool]) -> None:
        """Exports every series each `interval` seconds until `finished` says so, and once more at the end."""
        due = time.monotonic()
        while not finished():
            if time.monotonic() >= due:
                await self._export()
                # After a slow export the next follows at once, but only one.
                due = max(due + interval, time.monotonic())
            await asyncio.sleep(_TICK_SECONDS)
        await self._export()

    async def _export(self) -> None:
        collection = (self._produced, _milliseconds())
        self._produced += 1
        if await self._exporter.export(self._counters.message(*collection)):
            self._accepted.append(collection)
        else:
            self._failed += 1


def after(seconds: float) -> Callable[[], bool]:
    """Says from `seconds` from now on that it is finished."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000
