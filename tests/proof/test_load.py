"""The load keeps its rate, its shares and its turn, whatever becomes of the requests."""

import asyncio
import time
from collections import Counter

from proof.load import CYCLE, Load
from proof.web import Answer, Request, serve


def test_whole_cycles_reach_every_task_evenly() -> None:
    async def run() -> tuple[Load, dict[str, list[int]]]:
        seen: dict[str, list[int]] = {"one": [], "two": []}

        async def one(request: Request) -> Answer:
            assert "traceparent" not in request.headers
            seen["one"].append(int(request.path.rpartition("/")[2]))
            return Answer(200)

        async def two(request: Request) -> Answer:
            seen["two"].append(int(request.path.rpartition("/")[2]))
            return Answer(502)

        async with serve(one) as first, serve(two) as second:
            load = Load([first, second], rate=200.0)
            await load.run(lambda: len(load.sent) >= 33)
        return load, seen

    load, seen = asyncio.run(run())
    orders = [one.order for one in load.sent]
    assert orders == list(range(len(orders)))
    assert len(orders) % CYCLE == 0
    assert len(orders) >= 33
    assert {kind: Counter(order % CYCLE for order in seen[kind]).keys() for kind in seen} == {
        "one": set(range(CYCLE)),
        "two": set(range(CYCLE)),
    }
    assert {one.status for one in load.sent} == {200, 502}


def test_a_slow_answer_lowers_no_rate() -> None:
    async def run() -> tuple[Load, float]:
        arrived, enough = 0, asyncio.Event()

        async def slow(_: Request) -> Answer:
            nonlocal arrived
            arrived += 1
            if arrived == 30:
                enough.set()
            await enough.wait()
            return Answer(200)

        async with serve(slow) as port:
            load = Load([port], rate=100.0)
            began = time.time()
            await load.run(enough.is_set)
        return load, began

    load, began = asyncio.run(run())
    assert len(load.sent) >= 30
    assert {one.status for one in load.sent} == {200}
    # The clock of the event loop may fire a hair early.
    assert all(one.began - began > one.order / 100 - 0.01 for one in load.sent)


def test_no_answer_has_status_zero() -> None:
    async def run() -> Load:
        load = Load([1], rate=1000.0)
        await load.run(lambda: True)
        return load

    load = asyncio.run(run())
    assert load.sent == ()


def test_a_refused_connection_is_recorded() -> None:
    async def run() -> Load:
        load = Load([1], rate=1000.0)
        calls = iter([False, True])
        await load.run(lambda: next(calls, True))
        return load

    assert {one.status for one in asyncio.run(run()).sent} == {0}
