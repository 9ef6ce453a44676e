"""The mathematics of objectives: burn rates, windows, and where a time lies in a histogram."""

from dataclasses import FrozenInstanceError
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from documents.catalogue import REQUEST_DURATION
from documents.objectives import (
    A_FEW,
    DAY,
    FAST,
    HOUR,
    MINUTE,
    PERIOD_SECONDS,
    SLOW,
    Between,
    Latency,
    Objectives,
    between,
    between_bounds,
    duration,
    is_bound,
)

BURNS = (*FAST, *SLOW)
BOUNDS = REQUEST_DURATION.bounds


def test_the_workbook_in_28_days() -> None:
    assert PERIOD_SECONDS == 28 * DAY
    assert [(burn.share, burn.seconds) for burn in FAST] == [(0.02, HOUR), (0.05, 6 * HOUR)]
    assert [(burn.share, burn.seconds) for burn in SLOW] == [(0.10, 3 * DAY)]
    assert [burn.factor for burn in BURNS] == pytest.approx([13.44, 5.6, 28 / 30])
    assert [burn.short_seconds(5 * MINUTE) for burn in BURNS] == [5 * MINUTE, 30 * MINUTE, 6 * HOUR]


def test_for_30_days_the_same_shares_give_the_factors_of_the_workbook() -> None:
    assert [burn.share * 30 * DAY / burn.seconds for burn in BURNS] == pytest.approx([14.4, 6, 1])


def test_no_short_window_is_below_the_least() -> None:
    assert [burn.short_seconds(20 * MINUTE) for burn in BURNS] == [20 * MINUTE, 30 * MINUTE, 6 * HOUR]


@pytest.mark.parametrize(
    ("objective", "errors"),
    [
        (0.999, [0.01344, 0.0056, 0.000933333]),
        (0.99, [0.1344, 0.056, 0.009333333]),
        (0.95, [0.672, 0.28, 0.046666667]),
        (0.925, [None, 0.42, 0.07]),
        (0.8, [None, None, 0.186666667]),
    ],
)
def test_ratios_of_errors_at_which_alerts_fire(objective: float, errors: list[float | None]) -> None:
    assert [burn.errors(objective) for burn in BURNS] == errors


@given(st.floats(0.0001, 0.9999, exclude_min=True, exclude_max=True))
def test_an_alert_can_always_fire_and_never_on_nothing(objective: float) -> None:
    for burn in BURNS:
        errors = burn.errors(objective)
        assert errors is None or 0 < errors < 1
        # An outage uses up the share in the window, or the alert is left out.
        assert (errors is None) == (burn.factor * (1 - objective) >= 1 - 5e-10)


@given(st.floats(0.9, 0.9999))
def test_faster_burns_need_more_errors(objective: float) -> None:
    ratios = [burn.errors(objective) for burn in BURNS]
    known = [ratio for ratio in ratios if ratio is not None]
    assert known == sorted(known, reverse=True)


def test_few_failures() -> None:
    """What a rate makes of failures between samples that lie a quarter of its window apart, and a fifth."""
    assert max(2 * Fraction(4, 3), 2 * Fraction(5, 4)) < A_FEW < 4 * Fraction(4, 5)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(60, "1m"), (300, "5m"), (304, "304s"), (400, "400s"), (1800, "30m"), (3600, "1h"), (86400, "1d"), (259200, "3d")],
)
def test_durations(seconds: int, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "found"),
    [
        (0.005, Between(0.005, 0.005, 1.0)),
        (0.25, Between(0.25, 0.25, 1.0)),
        (0.3, Between(0.25, 0.5, 0.2)),
        (1.0, Between(1, 1, 1.0)),
        (9.999, Between(7.5, 10, 0.9996)),
        (10.0, Between(10, 10, 1.0)),
    ],
)
def test_where_a_time_lies(seconds: float, found: Between) -> None:
    assert between(seconds) == found
    assert is_bound(seconds) == (found.lower == found.upper)


@given(st.floats(BOUNDS[0], BOUNDS[-1]))
def test_where_any_time_lies(seconds: float) -> None:
    found = between(seconds)
    assert found.lower in BOUNDS
    assert found.upper in BOUNDS
    assert found.lower + found.share * (found.upper - found.lower) == pytest.approx(seconds, abs=1e-8)
    assert not [bound for bound in BOUNDS if found.lower < bound < found.upper]


def test_what_to_know_of_a_time_between_bounds() -> None:
    assert between_bounds("alerts.thresholds.latency", 0.3) == (
        "alerts.thresholds.latency: no bound of the histogram of request durations (got 0.3s); requests between 0.25s "
        "and 0.5s are taken as spread evenly, and only at these two are they counted exactly"
    )


def test_objectives_by_name() -> None:
    both = Objectives.model_validate({"availability": 99.9, "latency": {"threshold": "300ms", "target": 99}})
    assert both.ratios == {"availability": 0.999, "latency": 0.99}
    assert both.latency == Latency(threshold="300ms", target=99)  # pyright: ignore[reportArgumentType]
    assert Objectives.model_validate({"availability": 95}).ratios == {"availability": 0.95}


def test_nothing_is_promised_by_accident() -> None:
    with pytest.raises(ValidationError, match="has no objective"):
        Objectives.model_validate({})
    with pytest.raises(FrozenInstanceError):
        FAST[0].share = 1.0  # pyright: ignore[reportAttributeAccessIssue]
