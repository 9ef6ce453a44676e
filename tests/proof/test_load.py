"""The load keeps its rate, its shares and its turn, whatever becomes of the requests."""

import asyncio
from collections import Counter

import pytest

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
    async def run() -> Load:
        async def slow(_: Request) -> Answer:
            await asyncio.sleep(0.3)
            return Answer(200)

        async with serve(slow) as port:
            load = Load([port], rate=100.0)
            began = asyncio.get_running_loop().time()
            await load.run(lambda: asyncio.get_running_loop().time() > began + 0.3)
        return load

    load = asyncio.run(run())
    assert 30 <= len(load.sent) <= 60
    assert min(one.seconds for one in load.sent) >= 0.3
    began = [one.began for one in load.sent]
    assert began[-1] - began[0] == pytest.approx((len(began) - 1) / 100, abs=0.1)


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
