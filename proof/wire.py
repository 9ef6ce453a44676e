"""Relays that stand for the network interface of a task, so that its traffic can be counted.

On ECS a task's interface sees what other machines send to it and get from it; what its containers say to each other on
localhost never passes it. Here every machine is this one, so what would pass the interface passes a relay.
"""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from proof.web import LOOPBACK, Answer, Request, fetch, serve

_CHUNK: Final = 64 * 1024

# Between two hops; what describes one connection or its framing is not passed on.
_HOP_BY_HOP: Final = frozenset({"connection", "content-length", "host", "keep-alive", "te", "transfer-encoding"})


@dataclass(frozen=True)
class Traffic:
    """What passed an interface since its start, in bytes and in packets (here: the pieces that were forwarded)."""

    received: int = 0
    sent: int = 0
    received_packets: int = 0
    sent_packets: int = 0


class Wire:
    """The network interface of one task."""

    def __init__(self) -> None:
        self._received = 0
        self._sent = 0
        self._received_packets = 0
        self._sent_packets = 0

    @property
    def traffic(self) -> Traffic:
        """What passed until now."""
        return Traffic(self._received, self._sent, self._received_packets, self._sent_packets)

    def inbound(self, port: int) -> "Relay":
        """A relay towards a server of this task, which listens on `port`."""
        return Relay(port, self._count_received, self._count_sent)

    def outbound(self, port: int) -> "Relay":
        """A relay from this task towards another machine, whose server listens on `port`."""
        return Relay(port, self._count_sent, self._count_received)

    def _count_received(self, size: int) -> None:
        self._received += size
        self._received_packets += 1

    def _count_sent(self, size: int) -> None:
        self._sent += size
        self._sent_packets += 1


class Relay:
    """Forwards TCP connections to a loopback port and reports the size of every piece, by direction."""

    def __init__(self, target: int, forward: Callable[[int], None], backward: Callable[[int], None]) -> None:
        self._target = target
        self._forward = forward
        self._backward = backward
        self._connections: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[int]:
        """Listens on a free loopback port, which is what the context gives, until the context ends."""
        server = await asyncio.start_server(self._connected, LOOPBACK, 0)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for task in set(self._connections):
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        with suppress(OSError, asyncio.CancelledError):
            onward_reader, onward_writer = await asyncio.open_connection(LOOPBACK, self._target)
            try:
                await asyncio.gather(
                    _pump(reader, onward_writer, self._forward), _pump(onward_reader, writer, self._backward)
                )
            finally:
                onward_writer.close()
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: Callable[[int], None]) -> None:
    while data := await reader.read(_CHUNK):
        count(len(data))
        writer.write(data)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()


@asynccontextmanager
async def balanced(ports: Sequence[int]) -> AsyncGenerator[int]:
    """One port for several servers of HTTP, which get the requests in turn, as they would behind Service Connect.

    In turn by request and not by connection: a client that keeps its connection would only ever reach one of them.
    """
    if len(ports) == 1:
        yield ports[0]
        return
    turn = itertools.cycle(ports)

    async def forward(request: Request) -> Answer:
        headers = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
        try:
            return await fetch(next(turn), replace(request, headers=headers))
        except (OSError, ValueError):
            return Answer(HTTPStatus.BAD_GATEWAY)

    async with serve(forward) as port:
        yield port
