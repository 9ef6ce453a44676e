"""A little traffic, and whether it shows up."""

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest

from proof.prometheus import Frame
from proof.web import Answer, Request, serve
from tests.verify import stack
from verify import traffic
from verify.aws import Workspace
from verify.verdict import Kind


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "_PAUSE_SECONDS", 0.0)


class Counting:
    """A workspace whose count of requests is the next one each time; without a number it has no series."""

    def __init__(self, *counts: float) -> None:
        self._counts: Iterator[float] = iter(counts)

    async def instant(self, query: str, at: float) -> list[Frame]:
        assert query == 'sum(http_server_request_duration_seconds_count{aws_ecs_cluster_name="shop-dev"})'
        count = next(self._counts, 0.0)
        return [Frame({}, ((at, count),))] if count else []


def arrived(*counts: float, before: float, seconds: float) -> Any:
    workspace = cast("Workspace", Counting(*counts))
    return asyncio.run(traffic.arrived(workspace, "shop-dev", before, seconds))


@pytest.mark.parametrize("before", [0.0, 7.0])
def test_a_request_that_shows_up(before: float) -> None:
    verdict = arrived(before, before, before + 20, before=before, seconds=10)
    assert (verdict.kind, verdict.found) == (Kind.DATA, "20 more")


def test_a_request_that_never_shows_up() -> None:
    verdict = arrived(before=0, seconds=0)
    assert (verdict.kind, verdict.found) == (Kind.FAILED, "none in 0 s")


def test_the_sample_is_asked_for_twenty_orders() -> None:
    paths: list[str] = []

    async def sample(request: Request) -> Answer:
        paths.append(request.path)
        return Answer(500 if request.path.endswith("3") else 200)

    async def sent() -> Any:
        async with serve(sample) as port:
            return await traffic.send(f"http://127.0.0.1:{port}/")

    assert asyncio.run(sent()).found == "20 requests: 18 x 200, 2 x 500"
    assert paths == [f"/orders/{order}" for order in range(20)]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "front:8080", "http://[", ""])
def test_an_address_where_nobody_answers(url: str) -> None:
    verdict = asyncio.run(traffic.send(url))
    assert verdict.kind is Kind.FAILED
    assert verdict.cause.startswith("endpoint")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, []), ({"TRAFFIC_PER_MINUTE": "12"}, ["front"]), ({"TRAFFIC_PER_MINUTE": "0"}, [])],
)
def test_who_sends_requests_to_itself(environment: dict[str, str], expected: list[str]) -> None:
    assert traffic.own(stack.recording(**environment)) == expected
