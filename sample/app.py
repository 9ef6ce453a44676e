"""The program: `opentelemetry-instrument uvicorn sample.app:app --host 0.0.0.0 --port 8080`.

A leaf does the work of an order; with DOWNSTREAM_URL it is a caller that asks another instance for it.
Telemetry is configured by the OTEL_* variables alone; the code only makes sure that the last of it is sent.
"""

import asyncio
import hashlib
import itertools
import logging
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Final

import httpx
from fastapi import FastAPI, HTTPException, Path
from opentelemetry.instrumentation.utils import suppress_http_instrumentation
from opentelemetry.metrics import get_meter_provider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import get_tracer_provider

from sample import lines
from sample.behaviour import duration_seconds, is_error
from sample.counts import Counts
from sample.environment import InvalidEnvironmentError, Settings, read
from sample.journal import Journal

_logger = logging.getLogger(__name__)

# About two milliseconds of one core: visible on a CPU panel, too little to delay the answer.
_HASH_ROUNDS: Final = 5_000

# Longer than any order takes, shorter than the time a load balancer waits for an answer.
_CALL_TIMEOUT_SECONDS: Final = 10.0


def _client(base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=base_url,
        transport=transport,
        timeout=_CALL_TIMEOUT_SECONDS,
        # No queue for a connection: waiting for one would be latency that the behaviour table does not know.
        # Idle connections go before uvicorn closes them (5 s), or a call could meet one that is just closing.
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=2.0),
        # Neighbours are called directly, whatever proxy the environment names for other traffic.
        trust_env=False,
    )


class _Leaf:
    """Does the work of an order."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def receipt(self, order_id: int) -> str:
        # The duration includes the work, so that a slow disk does not shift the distribution.
        work = asyncio.to_thread(self._work, order_id)
        receipt, _ = await asyncio.gather(work, asyncio.sleep(duration_seconds(order_id)))
        if is_error(order_id):
            raise HTTPException(500, f"order {order_id} cannot be fulfilled")
        return receipt

    async def close(self) -> None:
        pass

    def _work(self, order_id: int) -> str:
        receipt = hashlib.pbkdf2_hmac("sha256", str(order_id).encode(), b"orders", _HASH_ROUNDS).hex()
        self._journal.append(f"{order_id} {receipt}")
        return receipt


class _Caller:
    """Has the work done downstream and adds none of its own."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def receipt(self, order_id: int) -> str:
        try:
            response = await self._client.get(f"/orders/{order_id}")
        except httpx.HTTPError as error:
            raise HTTPException(502, f"downstream did not answer: {type(error).__name__}") from error
        if not response.is_success:
            raise HTTPException(502, f"downstream answered {response.status_code}")
        return str(response.json()["receipt"])

    async def close(self) -> None:
        await self._client.aclose()


def create_app(settings: Settings, downstream: httpx.AsyncBaseTransport | None = None) -> FastAPI:
    """The application in the role that its settings give it. `downstream` replaces the network below it, for tests."""
    url = settings.downstream_url
    role = _Caller(_client(url, downstream)) if url else _Leaf(Journal(settings.journal))
    counts = Counts(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        traffic = asyncio.create_task(_traffic(settings)) if settings.traffic_per_minute else None
        try:
            yield
        finally:
            if traffic is not None:
                traffic.cancel()
                with suppress(asyncio.CancelledError):
                    await traffic
            await role.close()
            await _send_last_telemetry()

    app = FastAPI(title="sample", lifespan=lifespan)

    @app.get("/orders/{order_id}")
    async def order(order_id: Annotated[int, Path(ge=0)]) -> dict[str, int | str]:  # pyright: ignore[reportUnusedFunction] - FastAPI calls it
        try:
            receipt = await role.receipt(order_id)
        except HTTPException as error:
            counts.count(error.status_code)
            # Without the stack: it is an answer like any other, and the same lines each time.
            _logger.error("order %d: %s", order_id, error.detail)  # noqa: TRY400
            raise
        counts.count(200)
        _logger.info("order %d is fulfilled", order_id)
        return {"order_id": order_id, "receipt": receipt}

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction] - FastAPI calls it
        return {"status": "ok"}

    return app


async def _traffic(settings: Settings) -> None:
    """Calls our own orders at a steady rate, however long each of them takes."""

    answered = False

    async def call(client: httpx.AsyncClient, order_id: int) -> None:
        nonlocal answered
        # Without a client span the request looks as if it came from outside: it starts a trace of its own,
        # and the service map shows no service that calls itself.
        with suppress_http_instrumentation():
            try:
                await client.get(f"/orders/{order_id}")
                answered = True
            except httpx.HTTPError as error:
                # A server that has answered before and now refuses is shutting down; our own turn comes last.
                if not (answered and isinstance(error, httpx.ConnectError)):
                    _logger.warning("own order %d got no answer: %s %s", order_id, type(error).__name__, error)

    interval = 60 / settings.traffic_per_minute
    clock = asyncio.get_running_loop().time
    async with _client(f"http://127.0.0.1:{settings.port}") as client, asyncio.TaskGroup() as calls:
        due = clock()
        for order_id in itertools.count():
            # The first pause also gives the server time to listen, which it does after the lifespan has begun.
            # After a stall the rate goes on from now: catching up would be a burst that nobody asked for.
            due = max(due + interval, clock())
            await asyncio.sleep(due - clock())
            calls.create_task(call(client, order_id))


async def _send_last_telemetry() -> None:
    """uvicorn ends by raising SIGTERM again with the default handler, which skips the SDK's own exit hooks."""
    shutdowns = [
        provider.shutdown
        for provider in (get_tracer_provider(), get_meter_provider())
        if isinstance(provider, (TracerProvider, MeterProvider))
    ]
    # At the same time: with no collector there, each of them tries until its own timeout.
    await asyncio.gather(*(asyncio.to_thread(shutdown) for shutdown in shutdowns))


def _settings_or_exit() -> Settings:
    try:
        return read(os.environ)
    except InvalidEnvironmentError as error:
        sys.stderr.write(f"sample: {error}\n")
        sys.stderr.flush()
        # Not sys.exit: the SDK's exit hooks would first try for seconds to reach a collector, and bury that line.
        os._exit(2)


lines.write()
app = create_app(_settings_or_exit())
