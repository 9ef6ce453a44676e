"""Waiting for conditions, never for luck."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import httpx

from proof.processes import Child, ProgramError
from proof.web import LOOPBACK

_START_SECONDS: Final = 40.0


async def all_of(conditions: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Waits for all at once; what one of them raises ends the waiting for the others."""
    waiting = [asyncio.ensure_future(condition()) for condition in conditions]
    try:
        await asyncio.gather(*waiting)
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float, check: Callable[[], None]) -> bool:
    """Whether the condition came true in time. `check` raises if waiting has become pointless."""
    deadline = time.monotonic() + seconds
    while not await condition():
        check()
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.2)
    return True


async def answers(child: Child, url: str) -> None:
    """Waits until a program's URL is answered well. Raises ProgramError if that takes too long or it has ended."""
    async with httpx.AsyncClient(trust_env=False) as client:

        async def good() -> bool:
            try:
                return (await client.get(url)).is_success
            except httpx.HTTPError:
                return False

        if not await until(good, _START_SECONDS, child.check):
            raise ProgramError(f"{child.name} does not get ready:\n{child.last_lines()}")


async def listens(child: Child, port: int) -> None:
    """Waits until a program listens: by connecting only, since telemetry would count a request.

    Raises ProgramError if that takes too long or it has ended.
    """

    async def good() -> bool:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            return False
        writer.close()
        return True

    if not await until(good, _START_SECONDS, child.check):
        raise ProgramError(f"{child.name} does not listen:\n{child.last_lines()}")
