"""Applications before collectors, collectors before the network, and whose series is whose."""

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

import pytest

from documents import catalogue, names
from proof.remote_write import Labels
from tests.trials.bad_days import PATIENCE, Place, places, together
from trials.backends import HEALTHY, Fault, Written
from trials.load import Tally, http, rpc
from trials.rig import SERIES, Lost, Rig, eventually

pytestmark = pytest.mark.slow

PATTERNS = ("sidecar", "service")
SERIES_PER_DASHBOARD = 10
"""Of one task, for the ECS dashboard."""

OWN_SERIES = {
    "sidecar": {names.COLLECTOR: 25},
    "service": {names.COLLECTOR: 18, names.FRONT: 13},
}
"""Of the collectors of one task that takes OTLP by both protocols; what fails adds up to four to each container."""


@dataclass(frozen=True)
class Day:
    """`tallies` has spans and counters of each client."""

    tallies: tuple[Tally, ...]
    lost: Lost
    written: Written


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Day]:
    late, shared = places(tmp_path_factory), places(tmp_path_factory)
    return together(
        {f"late, {pattern}": partial(start_late, late[pattern]) for pattern in PATTERNS}
        | {f"shared, {pattern}": partial(share, shared[pattern]) for pattern in PATTERNS}
    )


async def start_late(place: Place) -> Day:
    """Load first, collectors three seconds later, the network four after that."""
    async with place.running(fault=Fault(refuses=True)) as made, http(made.ports[0]) as transport:
        for name in made.collectors:
            made.kill(name)
        client = made.client(transport)
        running = asyncio.create_task(client.run())
        await asyncio.sleep(3)
        await asyncio.gather(*(made.restart(name) for name in made.collectors))
        await asyncio.sleep(4)
        await made.fail(HEALTHY)
        client.stop()
        await running
        await made.delivered([client], PATIENCE)
        return Day((client.spans.tally, client.counters.tally), made.lost([client]), made.amp.written)


async def share(place: Place) -> Day:
    """Two replicas, each with a process of two applications that keeps to it: one over HTTP, one over gRPC."""
    async with place.running(replicas=2) as made, AsyncExitStack() as connections:
        clients = [
            made.client(await connections.enter_async_context(transport(port)), application)
            for application, (transport, ports) in enumerate([(http, made.ports), (rpc, made.rpc_ports)])
            for port in ports
        ]
        running = asyncio.gather(*(client.run() for client in clients))
        await asyncio.sleep(8)
        for client in clients:
            client.stop()
        await running
        await made.delivered(clients, PATIENCE)
        # What a collector says of the last seconds is in its next look at itself, which may come after all else.
        await eventually(partial(looked_again, made, time.time()), PATIENCE)
        tallies = tuple(load.tally for client in clients for load in (client.spans, client.counters))
        return Day(tallies, made.lost(clients), made.amp.written)


def looked_again(made: Rig, since: float) -> bool:
    """Whether all collectors have looked at themselves twice since a time, in seconds since the epoch: the first look
    has then been written whole."""
    looks = [
        sum(sample.milliseconds / 1000 > since for sample in samples)
        for labels, samples in made.amp.written.samples.items()
        if is_own(labels) and name(labels) == "up"
    ]
    return len(looks) == len(made.tasks) * len(made.collectors) and min(looks) >= 2


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_sdks_hold_is_delivered_when_collector_and_network_come_late(days: dict[str, Day], pattern: str) -> None:
    day = days[f"late, {pattern}"]
    for tally in day.tallies:
        assert (tally.failed, tally.dropped, tally.accepted) == (0, 0, tally.produced)
        assert tally.refused > 0, "it did come late"
    assert day.tallies[0].produced > 1000
    assert day.lost == Lost(0, 0)
    assert (day.written.discarded, day.written.refused) == ({}, {})


@pytest.mark.parametrize("pattern", PATTERNS)
def test_nothing_is_lost_by_either_protocol(days: dict[str, Day], pattern: str) -> None:
    day = days[f"shared, {pattern}"]
    assert [set(tally.answers) for tally in day.tallies] == [{"200"}] * 4 + [{"OK"}] * 4
    assert all(tally.accepted == tally.produced > 0 for tally in day.tallies)
    assert day.lost == Lost(0, 0)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_series_has_two_writers(days: dict[str, Day], pattern: str) -> None:
    day = days[f"shared, {pattern}"]
    assert day.lost == Lost(0, 0)
    assert {labels: len(keys) for labels, keys in day.written.writers.items() if len(keys) != 1} == {}
    assert (day.written.out_of_order, day.written.discarded) == (0, {})
    counters = [keys for labels, keys in day.written.writers.items() if name(labels) == "orders_processed_total"]
    # Each replica has a process of two applications, no two of which share a series, and one that saw it ready.
    assert list(Counter(key for keys in counters for key in keys).values()) == [2 * SERIES + 1] * 2


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_task_has_so_many_series_of_its_own(days: dict[str, Day], pattern: str) -> None:
    written = days[f"shared, {pattern}"].written
    own = Counter(
        (dict(labels)["instance"], dict(labels)["container"])
        for labels in written.samples
        # A front may have met a collector that was not up yet.
        if is_own(labels) and "_failed_" not in name(labels)
    )
    tasks = {instance for instance, _ in own}
    assert len(tasks) == 2
    assert own == {(task, container): count for task in tasks for container, count in OWN_SERIES[pattern].items()}
    of_ecs = Counter(dict(labels)["instance"] for labels in written.samples if name(labels).startswith("ecs_"))
    expected = {"sidecar": dict.fromkeys(tasks, SERIES_PER_DASHBOARD), "service": {}}
    assert of_ecs == expected[pattern], "a collector of its own does not see the tasks of applications"


@pytest.mark.parametrize("pattern", PATTERNS)
def test_nothing_else_is_written(days: dict[str, Day], pattern: str) -> None:
    own = {metric.name for metric in catalogue.COLLECTOR_METRICS} | {"up", "orders_processed_total"}
    found = {name(labels) for labels in days[f"shared, {pattern}"].written.samples}
    assert {one for one in found - own if not one.startswith("ecs_task_")} == set()


def is_own(labels: Labels) -> bool:
    return dict(labels)["job"].endswith(f"/{catalogue.COLLECTOR_SERVICE}")


def name(labels: Labels) -> str:
    return dict(labels)["__name__"]
