"""Values as Grafana shows them."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from proof.report.fields import axis_of, colour, field
from tests.proof.pages import limits


@pytest.mark.parametrize(
    ("unit", "largest", "factor", "suffix"),
    [
        ("percentunit", 0.5, 100, " %"),
        ("percent", 50, 1, " %"),
        ("mbytes", 300, 1, " MiB"),
        ("mbytes", 3000, 1 / 1024, " GiB"),
        ("Bps", 2048, 1 / 1024, " KiB/s"),
        ("KiBs", 2048, 1 / 1024, " MiB/s"),
        ("bytes", 0, 1, " B"),
        ("s", 0.2, 1000, " ms"),
        ("s", 2, 1, " s"),
        ("s", 7200, 1 / 3600, " h"),
        ("ms", 1500, 1 / 1000, " s"),
        ("reqps", 10, 1, " req/s"),
        ("cps", 12_000, 1 / 1000, " K c/s"),
        ("suffix: vCPU", 1, 1, " vCPU"),
        ("short", 1, 1, ""),
        ("short", 10_336_800, 1e-6, " Mil"),
        ("none", 10_336_800, 1, ""),
    ],
)
def test_axes_follow_the_unit(unit: str, largest: float, factor: float, suffix: str) -> None:
    axis = axis_of(unit, largest)
    assert (axis.factor, axis.suffix) == (pytest.approx(factor), suffix)


def panel(*overrides: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    return {"fieldConfig": {"defaults": defaults, "overrides": list(overrides)}}


def override(matcher: str, options: str, **properties: Any) -> dict[str, Any]:
    changes = [{"id": name, "value": value} for name, value in properties.items()]
    return {"matcher": {"id": matcher, "options": options}, "properties": changes}


@pytest.mark.parametrize(
    ("unit", "decimals", "value", "text"),
    [
        ("percent", 1, 41.26, "41.3 %"),
        ("s", None, 0.1834, "183.4 ms"),
        ("mbytes", 0, 349.2, "349 MiB"),
        ("short", None, 2, "2"),
        ("none", None, 10_336_800, "10,336,800"),
        ("currencyUSD", 2, 423.258, "$423.26"),
        ("percent", None, math.nan, "no value"),
    ],
)
def test_values_have_the_panels_unit_and_decimals(unit: str, decimals: int | None, value: float, text: str) -> None:
    stated = {"unit": unit} if decimals is None else {"unit": unit, "decimals": decimals}
    assert field(panel(**stated), "A").text(value) == text


def test_the_last_override_that_fits_holds() -> None:
    stated = panel(
        override("byName", "CPU", unit="percent"),
        override("byFrameRefID", "B", unit="bytes", decimals=0),
        override("byRegexp", "/^Lat/", unit="s"),
        unit="short",
    )
    assert field(stated, "A", "CPU").unit == "percent"
    assert field(stated, "B", "CPU").unit == "bytes"
    assert field(stated, "B", "Latency").unit == "s"
    assert field(stated, "A", "Other").unit == "short"


def test_a_value_has_the_colour_of_the_threshold_that_it_reached() -> None:
    how = field(panel(thresholds=limits((None, "green"), (80, "semi-dark-yellow"), (90, "#ff0000"))), "A")
    assert [how.colour(value) for value in (-5, 79.9, 80, 95)] == [
        "var(--green)", "var(--green)", "var(--yellow)", "#ff0000",
    ]  # fmt: skip
    relative = field(panel(min=0, max=200, thresholds=limits((0, "red"), (50, "green")) | {"mode": "percentage"}), "A")
    assert [relative.colour(value) for value in (99, 100)] == ["var(--red)", "var(--green)"]
    assert field(panel(), "A").colour(1) == "var(--ink)"


def test_a_mapped_value_is_called_and_coloured_by_its_mapping() -> None:
    mappings = [
        {"type": "value", "options": {"1": {"text": "firing", "color": "red"}}},
        {"type": "range", "options": {"from": 2, "to": None, "result": {"text": "many"}}},
        {"type": "special", "options": {"match": "null+nan", "result": {"text": "silent"}}},
    ]
    how = field(panel(mappings=mappings), "A")
    assert [how.text(value) for value in (0, 1, 2, 7, math.nan)] == ["0", "firing", "many", "many", "silent"]
    assert how.colour(1) == "var(--red)"


@given(some.text())
def test_no_text_of_a_dashboard_gets_into_a_style(name: str) -> None:
    assert not set(colour(name)) & set("\"'<>;:{}")


@given(
    some.sampled_from(["percent", "percentunit", "s", "ms", "bytes", "Bps", "short", "reqps", "none", "unheard of"]),
    some.floats(min_value=0, allow_infinity=False, allow_nan=False),
)
def test_every_value_can_be_shown(unit: str, value: float) -> None:
    assert field(panel(unit=unit), "A").text(value)
