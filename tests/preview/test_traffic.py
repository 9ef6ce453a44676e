"""What the summary says of traffic from outside."""

import pytest

from documents.prices import Prices
from preview import traffic, wiring
from preview.costs import files
from tests.components.balancing import RULE
from tests.components.variants import recorded

# Each test makes whole programs, which takes a second or two.
pytestmark = pytest.mark.slow

PRICES = files.load("us-east-1")


def told(stack: str, prices: Prices | None = PRICES) -> list[str]:
    recording = recorded(stack)
    return list(traffic.lines(recording, wiring.running(recording), prices))


def priority(stack: str, rule: str) -> int:
    return recorded(stack).named(RULE, rule).inputs["priority"]


def test_nothing_comes_in_without_a_load_balancer() -> None:
    assert told("defaults") == []


def test_the_load_balancer_and_its_rules_in_order() -> None:
    first, second = priority("balanced", "storefront-steady"), priority("balanced", "inventory-steady")
    assert told("balanced") == [
        "Load balancer `ecs-observability-dev-b-3fe7772e`: facing the internet, deletion protected, "
        "access logs in `ecs-observability-dev-access-<account>`. It costs 23.73 dollars a month with 2 public "
        "addresses, and 5.84 for each capacity unit that it needs all the time, by list prices of us-east-1 "
        "(docs/traffic.md#what-it-costs).",
        "",
        "| priority | requests | application | how new versions come to them | rolled back by |",
        "|---:|---|---|---|---|",
        f"| {first} | host `shop.example.com`; path `/*` | storefront | task by task | no alarm |",
        f"| {second} | host `*.example.com`; path `/stock/*` or `/stock` | inventory | task by task | 2 alarms |",
    ]


def test_rollouts_in_words() -> None:
    rows = told("rollouts")[4:]
    linear = "20 % more every 3 minutes; waits at PRE_PRODUCTION_TRAFFIC_SHIFT"
    tested, shifted = priority("rollouts", "inventory-tested"), priority("rollouts", "inventory-shifted")
    canary = priority("rollouts", "storefront-shifted")
    stock = "host `stock.example.com`; path `/*`"
    assert sorted(rows) == sorted(
        [
            f"| {tested} | {stock}; header `X-Preview` `*` | inventory | {linear} | 4 alarms |",
            f"| {shifted} | {stock} | inventory | {linear} | 4 alarms |",
            f"| {canary} | host `shop.example.com`; path `/*` | storefront | "
            "25 % for 10 minutes, then all, then 10 minutes with the old ones beside them | 4 alarms |",
        ]
    )


def test_behind_a_load_balancer_of_somebody_else() -> None:
    assert told("balanced-by-another") == [
        "| priority | requests | application | how new versions come to them | rolled back by |",
        "|---:|---|---|---|---|",
        "| 101 | path `/shop/*` | storefront | all at once, then 10 minutes with the old ones beside them | 4 alarms |",
    ]
    assert told("balanced-in-a-zone")[0].endswith(
        ": internal, not deletion protected, no access logs. It costs 16.43 dollars a month, and 5.84 for each "
        "capacity unit that it needs all the time, by list prices of us-east-1 (docs/traffic.md#what-it-costs)."
    )


def test_the_load_balancer_without_prices() -> None:
    assert told("balanced", None)[0].endswith(
        f". It is billed by the hour with 2 public addresses, and by capacity units. {files.NO_DOLLARS}"
    )
    assert told("balanced", None)[1:] == told("balanced")[1:]


def test_a_lasting_split() -> None:
    split, plain = priority("split", "inventory-split"), priority("split", "storefront-steady")
    asked = "host `shop.example.com`; path `/*`"
    assert told("split")[4:] == [
        f"| {split} | {asked} | inventory, 10 % | task by task | 2 alarms |",
        f"| {split} | {asked} | storefront, 90 % | task by task | no alarm |",
        f"| {plain} | {asked} | storefront | task by task | no alarm |",
    ]
