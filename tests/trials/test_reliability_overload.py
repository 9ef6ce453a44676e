"""More than ten times what can be delivered: refusals that clients may retry, memory within its limit, recovery.

It lasts 24 s, which shows what a minute would: the smallest queue is full after some 14 s, and from then on nothing is
left that could grow. What comes in is refused, what is on its way is a batch of each client and consumer, and memory is
as high in the last third as while the queue filled.
"""

import asyncio
from dataclasses import dataclass
from functools import partial
from statistics import fmean

import pytest

from documents import catalogue, names
from proof.metadata import Reading
from proof.plan import Service
from tests.trials.bad_days import PATIENCE, Place, place, together
from trials.backends import HEALTHY, Fault
from trials.load import SpanLoad, Tally, http, rpc
from trials.rig import Figures, Rig, eventually

pytestmark = pytest.mark.slow

# With the least memory and the smallest queue that a user may choose, before an X-Ray that needs a second.
SMALL = {
    "sidecar": ("dev", {"collector": {"memory": 256, "queue": 16}}),
    "service": ("dev", {"pattern": "service", "collector": {"cpu": 512, "memory": 1024, "queue": 16}}),
}
SLOW = Fault(latency=1.0)
SPANS_PER_SECOND = 1250.0
CLIENTS = 2
"""One over HTTP, one over gRPC."""

SECONDS = 24.0
LEVEL = 1.05


@dataclass(frozen=True)
class Overload:
    """`sustained` is how many spans a second arrived meanwhile; figures and memory (bytes) are by container, `readings`
    those of the overload alone."""

    service: Service
    tallies: tuple[Tally, ...]
    sustained: float
    figures: dict[str, Figures]
    memory: dict[str, int]
    readings: list[Reading]
    alive: bool
    arrived: bool
    afterwards: Tally
    in_amp: bool


@pytest.fixture(scope="module")
def overloads(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Overload]:
    small = {pattern: place(tmp_path_factory, stack, config) for pattern, (stack, config) in SMALL.items()}
    return together({pattern: partial(overload, where) for pattern, where in small.items()})


async def overload(where: Place) -> Overload:
    async with where.running(fault=SLOW) as made, http(made.ports[0]) as one, rpc(made.rpc_ports[0]) as other:
        loads = [SpanLoad(transport, made.resource()) for transport in (one, other)]
        made.tasks[0].readings.clear()
        ended = asyncio.Event()
        running = asyncio.gather(*(load.run(SPANS_PER_SECOND, ended.is_set) for load in loads))
        await asyncio.sleep(SECONDS)
        sustained = len(made.xray.spans) / SECONDS
        figures = {name: await made.figures(name) for name in made.collectors}
        readings = [*made.tasks[0].readings]
        ended.set()
        await made.xray.switch(HEALTHY)
        await running
        arrived = await eventually(lambda: all(load.accepted <= made.xray.spans for load in loads), 60.0)
        afterwards = SpanLoad(one, made.resource())
        await afterwards.burst(1)
        return Overload(
            service=where.service,
            tallies=tuple(load.tally for load in loads),
            sustained=sustained,
            figures=figures,
            memory={name: made.memory(name) for name in made.collectors},
            readings=readings,
            alive=all(made.alive(name) for name in made.collectors),
            arrived=arrived,
            afterwards=afterwards.tally,
            in_amp=await eventually(lambda: refused_in_amp(made) >= refused(figures[names.COLLECTOR]), PATIENCE),
        )


def refused(figures: Figures) -> float:
    return figures.total(catalogue.REFUSED_SPANS.scraped, receiver="otlp")


def refused_in_amp(made: Rig) -> float:
    """The collector's own figure where a dashboard would find it."""
    wanted = {
        ("__name__", catalogue.REFUSED_SPANS.name),
        ("container", names.COLLECTOR),
        ("receiver", "otlp"),
    }
    return sum(taken[-1].value for labels, taken in made.amp.written.samples.items() if wanted <= set(labels))


patterns = pytest.mark.parametrize("pattern", list(SMALL))


@patterns
def test_it_was_more_than_ten_times_what_could_be_delivered(overloads: dict[str, Overload], pattern: str) -> None:
    sustained = overloads[pattern].sustained
    assert 20 < sustained < SPANS_PER_SECOND * CLIENTS / 10


@patterns
def test_clients_get_refusals_after_which_they_may_try_again(overloads: dict[str, Overload], pattern: str) -> None:
    over_http, over_grpc = overloads[pattern].tallies
    assert set(over_http.answers) == {"200", "503"}
    assert set(over_grpc.answers) == {"OK", "UNAVAILABLE"}
    assert over_http.refused == over_http.answers["503"]
    assert over_grpc.refused == over_grpc.answers["UNAVAILABLE"]


@patterns
def test_refusals_are_counted(overloads: dict[str, Overload], pattern: str) -> None:
    found = overloads[pattern]
    assert refused(found.figures[names.COLLECTOR]) > 0
    assert found.in_amp
    for name in found.figures.keys() - {names.COLLECTOR}:
        assert refused(found.figures[name]) > 0


@patterns
def test_memory_stays_under_the_hard_limit(overloads: dict[str, Overload], pattern: str) -> None:
    found = overloads[pattern]
    for name, peak in found.memory.items():
        container = found.service.container(name)
        assert container
        assert peak < int(container["memory"]) * 2**20


@patterns
def test_memory_is_level_once_the_queue_is_full(overloads: dict[str, Overload], pattern: str) -> None:
    found = overloads[pattern]
    held, room = (
        found.figures[names.COLLECTOR].total(figure.scraped, exporter="otlp_grpc/xray")
        for figure in (catalogue.QUEUE_SIZE, catalogue.QUEUE_CAPACITY)
    )
    assert held > 0.9 * room
    third = len(found.readings) // 3
    for name in found.memory:
        _, middle, last = (
            fmean(reading.usage[name].memory for reading in found.readings[start : start + third])
            for start in (0, third, 2 * third)
        )
        assert last < LEVEL * middle


@patterns
def test_it_recovers_by_itself(overloads: dict[str, Overload], pattern: str) -> None:
    found = overloads[pattern]
    assert found.alive
    assert found.arrived, "everything that was accepted"
    assert found.afterwards.answers == {"200": 1}
