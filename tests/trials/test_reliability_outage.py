"""X-Ray and AMP away: applications notice nothing, and everything arrives afterwards."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import pytest

from documents import catalogue
from tests.trials.bad_days import PATIENCE, Place, place, places, together
from trials.backends import HEALTHY, Fault, Written
from trials.load import Tally, http
from trials.otlp import Point, points
from trials.rig import SERIES, SPANS_PER_SECOND, Figures, Lost, eventually
from trials.soak import AROUND_SECONDS, FAULTS, MOST_REQUESTS, Outcome, outage

pytestmark = pytest.mark.slow

SECONDS = 20.0
HANGING_SECONDS = 50.0
"""Longer than any exporter waits for an answer: what it makes of a time-out is seen."""

OLDEST_SECONDS = 8.0
"""The age up to which AMP takes a sample, in place of an hour, in the outage that is longer than that."""

DAYS = [f"{pattern}, {fault}" for pattern, fault in itertools.product(("sidecar", "service"), FAULTS)]


@dataclass(frozen=True)
class TooLong:
    """What an outage did at whose end the oldest samples are too old for AMP. `missing` were accepted and have not
    arrived; `kept` were, from the outage and after it. `ended` is its end in milliseconds since the epoch."""

    tally: Tally
    missing: frozenset[Point]
    kept: frozenset[Point]
    ended: float
    written: Written
    figures: Figures


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome | TooLong]:
    async def run(at: Place, fault: Fault) -> Outcome:
        async with at.running() as made:
            return await outage(made, fault, HANGING_SECONDS if fault.hangs else SECONDS, PATIENCE)

    # Each has a folder of its own; a plan is rendered once.
    wheres = [places(tmp_path_factory) for _ in FAULTS]
    held: dict[str, Callable[[], Awaitable[Outcome | TooLong]]] = {
        f"{pattern}, {name}": partial(run, where[pattern], fault)
        for pattern in ("sidecar", "service")
        for where, (name, fault) in zip(wheres, FAULTS.items(), strict=True)
    }
    return together({**held, "too long": partial(too_long, place(tmp_path_factory, "dev"))})


async def too_long(at: Place) -> TooLong:
    async with at.running(oldest_seconds=OLDEST_SECONDS) as made, http(made.ports[0]) as transport:
        client = made.client(transport)
        running = asyncio.create_task(client.run())
        await asyncio.sleep(AROUND_SECONDS)
        began = time.time() * 1000
        await made.amp.switch(Fault(status=503))
        await asyncio.sleep(2 * OLDEST_SECONDS)
        ended = time.time() * 1000
        await made.amp.switch(HEALTHY)

        def arrived() -> frozenset[Point]:
            return points(made.amp.written.samples)

        await eventually(lambda: any(point.milliseconds > ended for point in arrived()), PATIENCE)
        client.stop()
        await running
        newest = max(point.milliseconds for point in client.counters.accepted)
        await eventually(lambda: any(point.milliseconds == newest for point in arrived()), PATIENCE)
        accepted, there = client.counters.accepted, arrived()
        return TooLong(
            tally=client.counters.tally,
            missing=accepted - there,
            kept=frozenset(point for point in accepted & there if point.milliseconds > began),
            ended=ended,
            written=made.amp.written,
            figures=await made.figures(),
        )


@pytest.fixture(scope="module")
def outcomes(days: dict[str, Outcome | TooLong]) -> dict[str, Outcome]:
    return {day: one for day, one in days.items() if isinstance(one, Outcome)}


@pytest.mark.parametrize("day", DAYS)
def test_the_application_notices_nothing(outcomes: dict[str, Outcome], day: str) -> None:
    for tally in (outcomes[day].spans, outcomes[day].samples):
        assert set(tally.answers) == {"200"}
        assert (tally.failed, tally.dropped, tally.refused) == (0, 0, 0)
        assert tally.accepted == tally.produced


@pytest.mark.parametrize("day", DAYS)
def test_everything_arrives_and_for_amp_in_order(outcomes: dict[str, Outcome], day: str) -> None:
    outcome = outcomes[day]
    assert outcome.spans.accepted > SECONDS * SPANS_PER_SECOND
    assert outcome.samples.accepted > SECONDS * SERIES
    assert outcome.lost == Lost(0, 0)
    assert (outcome.out_of_order, outcome.refused) == (0, {})
    # Nothing that was answered came twice; what a back end had taken without an answer might.
    assert (outcome.spans_twice, outcome.samples_twice) == (0, 0)


@pytest.mark.parametrize("day", DAYS)
def test_a_failing_back_end_is_not_hammered(outcomes: dict[str, Outcome], day: str) -> None:
    outcome = outcomes[day]
    assert max(outcome.busiest) <= MOST_REQUESTS
    # Connections that are refused leave no trace at the back end.
    assert min(outcome.busiest) > 0 or "refusing" in day


@pytest.mark.parametrize("day", DAYS)
def test_the_backlog_is_delivered_at_the_next_attempt(outcomes: dict[str, Outcome], day: str) -> None:
    assert AROUND_SECONDS <= outcomes[day].late < PATIENCE


def test_samples_that_are_too_old_for_amp_are_dropped_and_counted_and_the_newer_ones_delivered(
    days: dict[str, Outcome | TooLong],
) -> None:
    day = days["too long"]
    assert isinstance(day, TooLong)
    assert set(day.tally.answers) == {"200"}, "the application notices nothing"
    assert len(day.missing) >= SERIES
    assert set(day.written.discarded) == {"greater_than_max_sample_age"}
    failed = day.figures.total(catalogue.FAILED_POINTS.scraped, exporter="prometheus_remote_write/application")
    assert failed >= len(day.missing), "it counts every attempt, also those that met the outage"
    dropped, kept = ({point.milliseconds for point in group} for group in (day.missing, day.kept))
    assert max(dropped) < min(kept)
    # Whether anything that waited was young enough depends on when the buffer tried again.
    assert day.ended < max(kept), "what came afterwards"
