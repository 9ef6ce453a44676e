"""Timelines of alerts."""

import math
import re

import pytest

from proof.report.drills import HEIGHT, WIDTH, spoken, timeline
from tests.proof.pages import drill


def test_a_drill_is_drawn_on_its_own_scale() -> None:
    shown = timeline(drill())
    assert shown.fault == (WIDTH * 300 / 2400, WIDTH * 1200 / 2400)
    assert [(mark.name, mark.at, mark.x) for mark in shown.marks] == [
        ("fired", "8 min", 128.0),
        ("resolved", "30 min", 480.0),
    ]
    assert shown.threshold == round(HEIGHT * (1 - 0.05 / 0.575), 1)
    assert (shown.top, shown.bottom, shown.end) == ("0.575", "0", "40 min")
    assert (shown.firing, shown.resolving) == ("3 min", "5 min")
    points = re.findall(r"[ML]([\d.]+) ([\d.]+)", shown.line)
    assert len(points) == 41
    assert all(0 <= float(x) <= WIDTH and 0 <= float(y) <= HEIGHT for x, y in points)


def test_what_did_not_happen_has_no_mark() -> None:
    shown = timeline(drill(fired=None, resolved=None, threshold=None))
    assert (shown.marks, shown.threshold, shown.firing) == ((), None, None)
    assert shown.told == "never fired"
    assert timeline(drill(resolved=None)).told == "fired 3 min after it began"


@pytest.mark.parametrize("values", [(), ((0.0, 0.0),), ((0.0, math.nan), (60.0, math.inf)), ((0.0, -4.0), (60.0, 3.0))])
def test_any_values_can_be_drawn(values: tuple[tuple[float, float], ...]) -> None:
    shown = timeline(drill(values=values, threshold=None))
    assert "nan" not in shown.line
    assert "inf" not in shown.line


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (45, "45 s"), (60, "1 min"), (90, "1 min 30 s"), (876, "15 min"), (4211, "1 h 10 min"), (3600, "1 h")],
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert spoken(seconds) == text
