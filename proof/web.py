"""A small HTTP/1.1 server and client on loopback.

The stand-ins and the load run in one event loop, on a machine that they share with what is measured: so they are cheap.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

LOOPBACK: Final = "127.0.0.1"

_LARGEST_LINE: Final = 64 * 1024


@dataclass(frozen=True)
class Request:
    """One request. Header names are in lower case; `path` is the request target as sent, with its query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """One answer; its length is added when it is sent."""

    status: int = HTTPStatus.OK
    body: bytes = b""
    content_type: str = "application/json"


Handler = Callable[[Request], Awaitable[Answer]]


@asynccontextmanager
async def serve(handler: Handler, port: int = 0) -> AsyncGenerator[int]:
    """Serves on a loopback port, which is what the context gives, until the context ends: a free one unless given.

    Whoever gives one may have reserved it with SO_REUSEPORT. Raises OSError if it is taken.
    """
    open_connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            open_connections.add(task)
            task.add_done_callback(open_connections.discard)
        # Ending a connection is normal for a client and for us when the context ends.
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _answer_all(handler, reader, writer)
        writer.close()

    server = await asyncio.start_server(connected, LOOPBACK, port, limit=_LARGEST_LINE, reuse_port=port > 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in set(open_connections):
            task.cancel()
        await asyncio.gather(*open_connections, return_exceptions=True)


async def fetch(port: int, request: Request) -> Answer:
    """The answer of a loopback server to one request, on a connection of its own.

    Raises OSError or ValueError if there is none.
    """
    reader, writer = await asyncio.open_connection(LOOPBACK, port, limit=_LARGEST_LINE)
    try:
        headers = {**request.headers, "host": f"{LOOPBACK}:{port}", "connection": "close"}
        headers["content-length"] = str(len(request.body))
        lines = (f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"{request.method} {request.path} HTTP/1.1\r\n{''.join(lines)}\r\n".encode("latin-1"))
        writer.write(request.body)
        await writer.drain()
        status = (await reader.readline()).split(b" ")[1:2]
        if not status:
            raise ConnectionResetError(f"port {port} closed the connection without an answer")
        answered = await _headers(reader)
        body = await _chunks(reader) if _chunked(answered) else await reader.read()
        return Answer(int(status[0]), body, answered.get("content-type", "text/plain"))
    finally:
        writer.close()


async def _answer_all(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while request := await _read(reader):
        answer = await handler(request)
        writer.write(_head(answer) + answer.body)
        await writer.drain()
        if request.headers.get("connection", "").lower() == "close":
            return


async def _read(reader: asyncio.StreamReader) -> Request | None:
    line = await reader.readline()
    if not line.strip():
        return None
    try:
        method, path, _ = line.decode("latin-1").split(" ", 2)
        headers = await _headers(reader)
        if _chunked(headers):
            body = await _chunks(reader)
        else:
            body = await reader.readexactly(int(headers.get("content-length", "0")))
    except ValueError as error:
        raise ConnectionError(f"not HTTP: {error}") from None
    return Request(method, path, headers, body)


async def _headers(reader: asyncio.StreamReader) -> dict[str, str]:
    headers: dict[str, str] = {}
    while line := (await reader.readline()).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def _chunked(headers: Mapping[str, str]) -> bool:
    return headers.get("transfer-encoding", "").lower() == "chunked"


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await _headers(reader)
    return b"".join(parts)


def _head(answer: Answer) -> bytes:
    reason = HTTPStatus(answer.status).phrase
    return (
        f"HTTP/1.1 {answer.status} {reason}\r\n"
        f"Content-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(answer.body)}\r\n\r\n"
    ).encode("latin-1")
