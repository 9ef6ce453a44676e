"""Requests with a known truth: a steady rate, numbers in sequence, and what became of each of them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from proof.web import Request, fetch

CYCLE: Final = 10
"""The sample's behaviour repeats after so many order numbers, so only whole cycles have exact shares."""

_PATIENCE_SECONDS: Final = 15.0


@dataclass(frozen=True)
class Sent:
    """One request: its order number, when it began and ended (seconds since the epoch), and its HTTP status.

    Status 0 stands for no answer at all.
    """

    order: int
    began: float
    ended: float
    status: int

    @property
    def seconds(self) -> float:
        """Its latency as the client saw it."""
        return self.ended - self.began


class Load:
    """Sends to the tasks of the first application, which listen on `ports`, `rate` requests a second.

    `kinds` are the last digits of the order numbers, in turn: what the sample does goes by them.
    """

    def __init__(self, ports: Sequence[int], rate: float, kinds: Sequence[int] = range(CYCLE)) -> None:
        self._ports = ports
        self._rate = rate
        self.kinds = kinds
        self._sent: list[Sent] = []
        self._next = 0

    @property
    def sent(self) -> tuple[Sent, ...]:
        """Every request that has been answered or given up, in the order of their numbers."""
        return tuple(sorted(self._sent, key=lambda one: one.order))

    async def run(self, finished: Callable[[], bool]) -> None:
        """Sends until `finished` says so, then to the end of the cycle, and waits for the answers."""
        async with asyncio.TaskGroup() as group:
            start, first = time.monotonic(), self._next
            while not finished() or self._next % CYCLE:
                # Each is due at its own time, whatever became of those before it: a slow answer lowers no rate.
                due = start + (self._next - first) / self._rate
                await asyncio.sleep(max(due - time.monotonic(), 0))
                order = self._next // CYCLE * CYCLE + self.kinds[self._next % len(self.kinds)]
                group.create_task(self._send(order))
                self._next += 1

    async def _send(self, order: int) -> None:
        # The turn moves on with every cycle, so that each task gets each kind of order.
        port = self._ports[(order + order // CYCLE) % len(self._ports)]
        began, status = time.time(), 0
        with suppress(OSError, ValueError, TimeoutError):
            # No trace context from here: the first application begins the trace.
            request = Request("GET", f"/orders/{order}", {}, b"")
            status = (await asyncio.wait_for(fetch(port, request), _PATIENCE_SECONDS)).status
        self._sent.append(Sent(order, began, time.time(), status))
