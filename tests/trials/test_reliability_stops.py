"""Collectors that are killed, and tasks that are stopped: what was accepted arrives."""

import asyncio
import math
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial

import pytest

from documents import catalogue, names
from proof.remote_write import Labels
from proof.task import stopping_order
from tests.trials.bad_days import PATIENCE, Place, places, together, without_drain
from trials.backends import HEALTHY, Fault
from trials.load import Limits, Tally, http
from trials.rig import SERIES, Client, GoingOver, Lost, Rig, eventually

pytestmark = pytest.mark.slow

COLLECTORS = {"sidecar": {names.COLLECTOR}, "service": {names.COLLECTOR, names.FRONT}}

EXPORT = Limits().batch + SERIES
"""Spans and samples that one client has on their way at a time."""

ECS_WAITS = 120.0
"""Seconds that ECS lets a container take to stop, at most (`stopTimeout` on Fargate)."""


@dataclass(frozen=True)
class Ending:
    """How a day ended: what was accepted, what of it waited in queues before, what of it never came, how many spans and
    samples came `twice`. `own` are the series of the collectors themselves, before and after a kill."""

    tallies: tuple[Tally, ...]
    waiting: Lost
    lost: Lost
    twice: int
    discarded: Mapping[str, int]
    seconds: float = 0.0
    own: tuple[frozenset[Labels], ...] = ()


@pytest.fixture(scope="module")
def endings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ending]:
    killed, stopped, replaced = (places(tmp_path_factory) for _ in range(3))
    cut = {
        pattern: without_drain(where, tmp_path_factory.mktemp("cut"))
        for pattern, where in places(tmp_path_factory).items()
    }
    return together(
        {
            "killed, sidecar": partial(kill, killed["sidecar"]),
            "killed, service": partial(kill, killed["service"]),
            "stopped, sidecar": partial(stop, stopped["sidecar"]),
            "stopped, service": partial(stop, stopped["service"]),
            "no drain, sidecar": partial(stop, cut["sidecar"]),
            "no drain, service": partial(stop, cut["service"]),
            "replaced, service": partial(replace_one, replaced["service"]),
        }
    )


async def kill(place: Place) -> Ending:
    """Every collector of the task is killed in an outage under load, and ECS's restart policy starts it again."""
    async with place.running() as made, http(made.ports[0]) as transport:
        client = made.client(transport)
        running = asyncio.create_task(client.run())
        await asyncio.sleep(2)
        await made.fail(Fault(status=503))
        await asyncio.sleep(6)
        waiting = made.lost([client])
        for name in made.collectors:
            made.kill(name)
        killed = time.time()
        await asyncio.sleep(1)
        for name in reversed(made.collectors):
            await made.restart(name)
        await asyncio.sleep(3)
        await made.fail(HEALTHY)
        client.stop()
        await running
        await made.delivered([client], PATIENCE)

        def series() -> tuple[frozenset[Labels], frozenset[Labels]]:
            return own(made, 0.0, killed), own(made, killed)

        def known() -> bool:
            # The backlog of the collectors' own figures has a buffer of its own, which may still be waiting.
            before, after = series()
            return {dict(labels)["container"] for labels in before} == {*made.collectors} and before <= after

        await eventually(known, PATIENCE)
        return replace(_ending(made, [client], waiting), own=series())


async def stop(place: Place) -> Ending:
    """The application ends in an outage, the outage ends, and the rest of the task is stopped at once."""
    async with place.running() as made, http(made.ports[0]) as transport:
        client = made.client(transport)
        running = asyncio.create_task(client.run())
        await asyncio.sleep(2)
        await made.fail(Fault(status=503))
        await asyncio.sleep(8)
        client.stop()
        await running
        waiting = made.lost([client])
        await made.fail(HEALTHY)
        seconds = await made.stop()
        return _ending(made, [client], waiting, seconds)


async def replace_one(place: Place) -> Ending:
    """One of two replicas is stopped with a backlog while clients of both go on sending."""
    async with place.running(replicas=2) as made, AsyncExitStack() as open_connections:
        replicas = [await open_connections.enter_async_context(http(port)) for port in made.ports]
        clients = [made.client(GoingOver(order)) for order in (replicas, replicas[::-1])]
        running = asyncio.gather(*(client.run() for client in clients))
        await asyncio.sleep(2)
        await made.fail(Fault(status=503))
        await asyncio.sleep(6)
        waiting = made.lost(clients)
        await made.fail(HEALTHY)
        seconds = await made.stop()
        for client in clients:
            client.stop()
        await running
        await made.delivered(clients, PATIENCE)
        return _ending(made, clients, waiting, seconds)


def own(made: Rig, since: float, until: float = math.inf) -> frozenset[Labels]:
    """The series of the collectors themselves that have samples of that time, in seconds since the epoch.

    Without those of what failed, which are there only after a failure.
    """
    return frozenset(
        labels
        for labels, samples in made.amp.written.samples.items()
        if dict(labels)["job"].endswith(f"/{catalogue.COLLECTOR_SERVICE}")
        and "_failed_" not in dict(labels)["__name__"]
        and any(since <= sample.milliseconds / 1000 < until for sample in samples)
    )


def _ending(made: Rig, clients: list[Client], waiting: Lost, seconds: float = 0.0) -> Ending:
    written = made.amp.written
    return Ending(
        tallies=tuple(load.tally for client in clients for load in (client.spans, client.counters)),
        waiting=waiting,
        lost=made.lost(clients),
        twice=made.xray.received.twice + written.twice,
        discarded={**written.discarded, **written.refused, **made.xray.received.refused},
        seconds=seconds,
    )


def check_backlog(ending: Ending) -> None:
    assert ending.waiting.spans > 500
    assert ending.waiting.samples > 100


@pytest.mark.parametrize("pattern", ["sidecar", "service"])
def test_what_a_killed_collector_had_accepted_arrives_after_its_restart(
    endings: dict[str, Ending], pattern: str
) -> None:
    ending = endings[f"killed, {pattern}"]
    check_backlog(ending)
    assert ending.lost == Lost(0, 0)
    assert ending.discarded == {}, "what comes out of order is within AMP's window"
    assert [tally.failed + tally.dropped for tally in ending.tallies] == [0, 0], "its clients sent again meanwhile"
    assert ending.twice <= EXPORT, "what was on its way when the collector died"


@pytest.mark.parametrize("pattern", ["sidecar", "service"])
def test_the_series_of_a_killed_collector_are_the_same_after_its_restart(
    endings: dict[str, Ending], pattern: str
) -> None:
    before, after = endings[f"killed, {pattern}"].own
    assert {dict(labels)["container"] for labels in before} == COLLECTORS[pattern]
    # What had sent nothing yet may have begun to.
    assert before <= after
    assert _identities(after) == _identities(before)


def _identities(series: frozenset[Labels]) -> set[tuple[str, str, str]]:
    return {(one["job"], one["instance"], one["container"]) for one in map(dict, series)}


@pytest.mark.parametrize("pattern", ["sidecar", "service"])
def test_a_task_that_stops_delivers_its_backlog(endings: dict[str, Ending], pattern: str) -> None:
    ending = endings[f"stopped, {pattern}"]
    check_backlog(ending)
    assert ending.lost == Lost(0, 0)
    assert ending.discarded == {}
    assert ending.seconds < ECS_WAITS
    assert ending.twice == 0


@pytest.mark.parametrize("pattern", ["sidecar", "service"])
def test_without_its_drain_the_backlog_of_a_task_is_lost(endings: dict[str, Ending], pattern: str) -> None:
    ending = endings[f"no drain, {pattern}"]
    check_backlog(ending)
    # Which of its buffers sends something in the seconds of its end is a matter of when each last tried.
    assert ending.lost.spans + ending.lost.samples > 600


def test_clients_of_a_replica_that_stops_go_over_to_another(endings: dict[str, Ending]) -> None:
    ending = endings["replaced, service"]
    check_backlog(ending)
    assert ending.lost == Lost(0, 0)
    assert ending.discarded == {}
    assert [tally.failed + tally.dropped for tally in ending.tallies] == [0, 0, 0, 0]
    assert any(tally.refused for tally in ending.tallies), "one replica did stop under load"
    assert ending.twice <= 2 * EXPORT, "what was on its way when the replica stopped"
    assert ending.seconds < ECS_WAITS


def test_the_order_in_which_containers_stop(tmp_path_factory: pytest.TempPathFactory) -> None:
    order = {
        pattern: [
            sorted(one["name"] for one in ending)
            for ending in stopping_order(where.service.definition["containerDefinitions"])
        ]
        for pattern, where in places(tmp_path_factory).items()
    }
    assert order == {
        "sidecar": [["storefront"], [names.DRAIN], [names.COLLECTOR]],
        "service": [[names.FRONT], [names.DRAIN], [names.COLLECTOR]],
    }
