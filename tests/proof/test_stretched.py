"""Samples of a run on the time scale of a deployment."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from proof.gate import Arrival
from proof.stretched import GRID_SECONDS, LATE_SECONDS, Point, followed, notation, prolonged, stretched, until
from proof.truth import Window

COUNTER = (("__name__", "requests_total"),)
GAUGE = (("__name__", "memory"),)
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


def test_times_are_stretched_from_the_origin_and_values_stay() -> None:
    arrivals = {GAUGE: [Arrival(104.0, 2.0, 104.5), Arrival(102.0, 1.0, 105.0)]}
    assert stretched(arrivals, 30, 100.0) == {GAUGE: [Point(60.0, 1.0), Point(120.0, 2.0)]}


def test_what_came_late_or_is_from_before_is_left_out() -> None:
    late = Arrival(102.0, 1.0, 102.1 + LATE_SECONDS)
    assert stretched({GAUGE: [Arrival(99.0, 1.0, 99.0), late]}, 30, 100.0) == {GAUGE: []}


def test_health_is_repeated_and_counters_go_on() -> None:
    points = [Point(60.0 * minute, 10.0 * minute) for minute in range(5)]
    longer = prolonged({COUNTER: points, GAUGE: points}, Window(120.0, 240.0), 360.0)
    assert longer[COUNTER][5:] == [Point(300.0, 50.0), Point(360.0, 60.0)]
    assert longer[GAUGE][5:] == [Point(300.0, 30.0), Point(360.0, 40.0)]


def test_what_has_ended_is_not_repeated() -> None:
    before = [Point(60.0, 1.0)]
    ended = [Point(60.0, 1.0), Point(180.0, STALE)]
    assert prolonged({COUNTER: before, GAUGE: ended}, Window(120.0, 240.0), 900.0) == {COUNTER: before, GAUGE: ended}


def test_what_is_cut_off_is_followed_by_another_stretch() -> None:
    points = [Point(60.0 * minute, float(minute)) for minute in range(6)]
    cut = until({GAUGE: points}, 120.0)
    assert cut == {GAUGE: points[:3]}
    assert followed(cut, {GAUGE: points, COUNTER: points}, Window(180.0, 300.0), 600.0) == {
        GAUGE: [*points[:3], Point(660.0, 4.0), Point(720.0, 5.0)],
        COUNTER: [Point(660.0, 4.0), Point(720.0, 5.0)],
    }


def test_promtools_notation() -> None:
    points = [Point(0, 1.0), Point(16, 2.5), Point(61, float("inf")), Point(120, STALE)]
    # Each at the step after it, if not on one: nothing is known before it happens.
    assert notation(points) == "1.0 _x1 2.5 _x2 inf _x2 stale"


@given(st.lists(st.tuples(st.integers(0, 400), st.floats(allow_nan=False)), min_size=1, unique_by=lambda one: one[0]))
def test_the_notation_has_a_value_for_each_step_of_the_grid(samples: list[tuple[int, float]]) -> None:
    words = notation(Point(float(slot * GRID_SECONDS), value) for slot, value in samples).split()
    slots: list[float | None] = []
    for word in words:
        slots += [None] * int(word[2:]) if word.startswith("_x") else [float(word)]
    assert {index: value for index, value in enumerate(slots) if value is not None} == dict(samples)
