"""What goes wrong in a drill. Each fault lasts as long as its context; no program needs to know that it is in one."""

import asyncio
import gzip
import os
import time
from collections.abc import AsyncGenerator, Coroutine, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from proof import ballast
from proof.otlp import PROTOBUF
from proof.stack import Stack
from proof.task import Task
from proof.web import LOOPBACK

GO_ON_SECONDS: Final = 0.1
"""How long what is held up may go on between two holds: less than any order takes."""

_HELD_OF_MEMORY: Final = 0.97
_ALL_CPU: Final = 1.3
"""More than all, since this machine may not let a process have what it wants."""
_MEBIBYTE: Final = 1024 * 1024

_SPAN_BYTES: Final = 16 * _MEBIBYTE
"""Of one span; a collector takes messages of 20 MiB. Compressed it is a few kilobytes."""
_FLOODING: Final = 3
_PAUSE_SECONDS: Final = 0.3


@dataclass(frozen=True)
class Stop:
    """A task that ended by itself, at a time in seconds since the epoch."""

    at: float
    service: str
    task: str


@asynccontextmanager
async def _meanwhile(work: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Runs work until the context ends."""
    running = asyncio.create_task(work)
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


# Applications


@asynccontextmanager
async def slowed(tasks: Sequence[Task], seconds: float) -> AsyncGenerator[None]:
    """Everything that the applications of these tasks do takes so many seconds at least: they are held up in turns."""

    async def hold_up() -> None:
        while True:
            with _paused(tasks):
                await asyncio.sleep(seconds)
            await asyncio.sleep(GO_ON_SECONDS)

    async with _meanwhile(hold_up()):
        yield


@asynccontextmanager
async def silenced(tasks: Sequence[Task]) -> AsyncGenerator[None]:
    """The applications of these tasks do nothing, and have not ended."""
    with _paused(tasks):
        yield


@contextmanager
def _paused(tasks: Sequence[Task]) -> Generator[None]:
    children = [task.children[task.service.name] for task in tasks]
    for child in children:
        child.pause()
    try:
        yield
    finally:
        for child in children:
            child.resume()


@asynccontextmanager
async def busy(stack: Stack, tasks: Sequence[Task]) -> AsyncGenerator[None]:
    """These tasks use all of the CPU that they have reserved."""
    for task in tasks:
        name = f"busy-{task.identity.id[:4]}"
        task.ballasts.append(ballast.of_cpu(stack.children, name, _ALL_CPU * task.identity.vcpu))
    async with _relieved(stack, tasks):
        yield


@asynccontextmanager
async def bloated(stack: Stack, tasks: Sequence[Task]) -> AsyncGenerator[None]:
    """These tasks hold almost all of the memory that they have reserved."""
    for task in tasks:
        name = f"bloated-{task.identity.id[:4]}"
        held = sum(usage.memory for usage in task.read().usage.values())
        missing = int(task.identity.memory * _MEBIBYTE * _HELD_OF_MEMORY) - held
        if missing > 0:
            task.ballasts.append(ballast.of_memory(stack.children, name, missing))
    async with _relieved(stack, tasks):
        yield


@asynccontextmanager
async def _relieved(stack: Stack, tasks: Sequence[Task]) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        await stack.children.end([one.child for task in tasks for one in task.ballasts if one.child.ended is None])


@asynccontextmanager
async def killed(tasks: Sequence[Task], every: float, stops: list[Stop]) -> AsyncGenerator[None]:
    """Everything in these tasks is killed. ECS starts it again `every` so many seconds, and it is killed at once; after
    the fault it may live. `stops` gets every task that ended."""

    def kill() -> None:
        for task in tasks:
            for child in task.children.values():
                child.kill()
            stops.append(Stop(time.time(), task.service.name, task.identity.id))

    async def try_again() -> None:
        while True:
            await asyncio.sleep(every)
            for task in tasks:
                task.restart(next(iter(task.children)))
            kill()

    kill()
    try:
        async with _meanwhile(try_again()):
            yield
    finally:
        for task in tasks:
            for name in task.children:
                task.restart(name)


# What collectors meet


@asynccontextmanager
async def xray_refusing(stack: Stack, status: HTTPStatus) -> AsyncGenerator[None]:
    """X-Ray answers every segment with this status."""
    stack.xray.refusing = status
    try:
        yield
    finally:
        stack.xray.refusing = None


@asynccontextmanager
async def overwhelmed(stack: Stack) -> AsyncGenerator[None]:
    """X-Ray is down, so that what floods the collectors stays with them."""
    async with xray_refusing(stack, HTTPStatus.SERVICE_UNAVAILABLE), flooded(stack):
        yield


@asynccontextmanager
async def flooded(stack: Stack) -> AsyncGenerator[None]:
    """Every collector that takes OTLP gets spans of many megabytes each, faster than it can pass them on."""
    body = await asyncio.to_thread(_large_trace)
    ports = sorted({port for _, port in stack.receivers})
    async with httpx.AsyncClient(trust_env=False, timeout=30.0) as client, AsyncExitStack() as flood:
        for port in [*ports] * _FLOODING:
            await flood.enter_async_context(_meanwhile(_flood(client, port, body)))
        yield


async def _flood(client: httpx.AsyncClient, port: int, body: bytes) -> None:
    headers = {"content-type": PROTOBUF, "content-encoding": "gzip"}
    while True:
        with suppress(httpx.HTTPError):
            await client.post(f"http://{LOOPBACK}:{port}/v1/traces", content=body, headers=headers)
        await asyncio.sleep(_PAUSE_SECONDS)


def _large_trace() -> bytes:
    """A trace of one span with one very long attribute, compressed."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    now = time.time_ns()
    # X-Ray wants the time in the first four bytes of a trace id.
    span.trace_id = (now // 10**9).to_bytes(4, "big") + os.urandom(12)
    span.span_id, span.name, span.kind = os.urandom(8), "flood", span.SPAN_KIND_SERVER
    span.start_time_unix_nano, span.end_time_unix_nano = now - 1_000_000, now
    attribute = span.attributes.add()
    attribute.key, attribute.value.string_value = "flood", "x" * _SPAN_BYTES
    return gzip.compress(request.SerializeToString(), compresslevel=1)
