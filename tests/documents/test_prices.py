"""What a file of prices must say, and how much so many of something cost."""

import datetime
import json
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from documents import prices
from documents.faults import ConfigurationError
from documents.prices import REQUIRED, SAMPLES, TRACES, Price, parsed
from preview.costs import files

FILE = json.loads((files.FOLDER / "us-east-1.json").read_text("utf-8"))
PRICES = parsed(FILE)


def price(*tiers: tuple[str, str]) -> Price:
    stated = [{"begin": begin, "dollars": dollars} for begin, dollars in tiers]
    return Price.model_validate({"unit": "hour", "tiers": stated, "source": "list", "reference": "made"})


TIERED = price(("0", "0"), ("100", "2"), ("1000", "1"))


@pytest.mark.parametrize(
    ("amount", "dollars"), [("0", "0"), ("100", "0"), ("100.5", "1"), ("1000", "1800"), ("1500", "2300")]
)
def test_tiers_are_paid_one_after_the_other(amount: str, dollars: str) -> None:
    assert TIERED.cost(Decimal(amount)) == Decimal(dollars)


def test_what_was_used_before_takes_the_first_tiers() -> None:
    assert TIERED.free == 100
    assert TIERED.first == 2
    # 900 at 2, 100 at 1
    assert TIERED.cost(Decimal(1000), after=Decimal(100)) == 1900
    assert price(("0", "3")).free == 0
    assert price(("0", "3")).cost(Decimal("1.5"), after=Decimal(7)) == Decimal("4.5")


amounts = some.decimals(min_value=0, max_value=10**12, places=3)


@given(amounts, amounts)
def test_amounts_may_be_paid_in_two(first: Decimal, second: Decimal) -> None:
    whole = TIERED.cost(first + second)
    assert whole == TIERED.cost(first) + TIERED.cost(second, after=first)
    assert 0 <= TIERED.cost(first) <= whole


def test_half_a_cent_is_rounded_up() -> None:
    assert prices.shown(Decimal("16.425")) == "16.43"
    assert prices.shown(Decimal("1234.5")) == "1234.50"


def test_an_old_price_is_known_by_the_day() -> None:
    then = PRICES["fargate.arm.vcpu"]
    assert then.date == datetime.date(2026, 9, 11)
    assert not then.is_old(datetime.date(2027, 9, 12))
    assert then.is_old(datetime.date(2027, 9, 13))
    assert PRICES["kms.key"].is_old(datetime.date(2026, 9, 12)), "nobody knows since when"


def test_the_dashboard_estimates_with_the_first_tiers_of_the_file() -> None:
    for estimate, name in ((SAMPLES, "amp.samples"), (TRACES, "xray.recorded")):
        assert estimate.free == PRICES[name].free
        assert Decimal(str(estimate.per_million)) == PRICES[name].first * 1_000_000


def test_every_price_of_the_file_says_where_it_is_from() -> None:
    assert set(REQUIRED) <= set(PRICES.prices)
    for name, found in PRICES.prices.items():
        assert found.reference
        assert found.date or found.unverified or found.source == "page", name


def broken(path: tuple[str | int, ...], value: Any) -> list[str]:
    document = deepcopy(FILE)
    place: Any = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    with pytest.raises(ConfigurationError) as caught:
        parsed(document)
    return str(caught.value).splitlines()


AT = ("prices", "alarm")


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (
            (*AT, "tiers", 1, "dollars"),
            0.1,
            'prices.alarm.tiers.1.dollars: is no decimal number in quotes (got 0.1); write it as "0.04048"',
        ),
        (
            (*AT, "tiers", 1, "dollars"),
            "1e-3",
            "prices.alarm.tiers.1.dollars: is no decimal number in quotes (got '1e-3'); write it as \"0.04048\"",
        ),
        (
            (*AT, "tiers", 1, "dollars"),
            "-1",
            "prices.alarm.tiers.1.dollars: is no decimal number in quotes (got '-1'); write it as \"0.04048\"",
        ),
        ((*AT, "date"), "2026-13-01", "prices.alarm.date: is no date (got '2026-13-01'); write it as \"2026-09-11\""),
        ((*AT, "sauce"), "x", "prices.alarm.sauce: is not a known key; did you mean 'source'?"),
        (("prices",), [], "prices: has the wrong type (got a list); give a map of keys and values"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_of_its_key(path: tuple[str | int, ...], value: Any, line: str) -> None:
    assert broken(path, value) == [f"  {line}"]


@pytest.mark.parametrize(
    ("path", "value", "part"),
    [
        ((*AT, "tiers", 0, "begin"), "5", "has tiers that do not ascend from 0"),
        ((*AT, "tiers"), [], "has tiers that do not ascend from 0"),
        (("currency",), "CNY", "is in CNY"),
        (("prices", "alarms"), FILE["prices"]["alarm"], "has alarms, which nothing asks for"),
        ((*AT, "unit"), "hour", "has alarm by hour"),
        (("prices",), {"alarm": FILE["prices"]["alarm"]}, "lacks address, amp.queries, amp.samples"),
    ],
)
def test_what_does_not_go_together_is_refused(path: tuple[str | int, ...], value: Any, part: str) -> None:
    (line,) = broken(path, value)
    assert part in line
