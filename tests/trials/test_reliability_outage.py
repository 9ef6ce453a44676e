"""X-Ray and AMP away: applications notice nothing, and everything arrives afterwards."""

import itertools
from functools import partial

import pytest

from tests.trials.bad_days import PATIENCE, Place, places, together
from trials.backends import Fault
from trials.rig import SERIES, SPANS_PER_SECOND, Lost
from trials.soak import AROUND_SECONDS, FAULTS, MOST_REQUESTS, Outcome, outage

pytestmark = pytest.mark.slow

SECONDS = 20.0
HANGING_SECONDS = 50.0
"""Longer than any exporter waits for an answer: what it makes of a time-out is seen."""

DAYS = [f"{pattern}, {fault}" for pattern, fault in itertools.product(("sidecar", "service"), FAULTS)]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    async def run(at: Place, fault: Fault) -> Outcome:
        async with at.running() as made:
            return await outage(made, fault, HANGING_SECONDS if fault.hangs else SECONDS, PATIENCE)

    # Each has a folder of its own; a plan is rendered once.
    wheres = [places(tmp_path_factory) for _ in FAULTS]
    days = {
        f"{pattern}, {name}": partial(run, where[pattern], fault)
        for pattern in ("sidecar", "service")
        for where, (name, fault) in zip(wheres, FAULTS.items(), strict=True)
    }
    return together(days)


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
