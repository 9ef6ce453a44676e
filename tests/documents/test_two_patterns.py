"""Where the two patterns cost the same, by hand."""

from dataclasses import replace
from decimal import Decimal

from documents import costs, two_patterns
from documents.costs import Scenario, Service, Stack
from documents.two_patterns import LACKS, Both, Crossing, sentence
from preview.costs import files

PRICES = files.load("us-east-1")
# Nothing but Fargate: no requests, no series, no people.
SPREADS, _ = costs.assumed(
    [f"{name}=0" for name in costs.ASSUMPTIONS if name not in ("collector_spans", "spans", "traced")]
)


def stack(*services: Service) -> Stack:
    return Stack(services=services)


SHOP = Service("shop", 1, 1, 1024, 4096, "ARM64", application=True, beside=(64, 544))
COLLECTOR = Service("collector", 2, 2, 512, 1024, "ARM64")
SMALL = Service("shop", 1, 1, 256, 1024, "ARM64", application=True, beside=(64, 512))

BOTH = Both(stack(SMALL), stack(SMALL, COLLECTOR), PRICES, SPREADS)


def test_a_smaller_task_pays_for_collectors_from_some_number_on() -> None:
    # A task of 0.25 vCPU and 1 GB without 512 MiB: 0.5 x 0.00356 x 730 = 1.2994 less. Two collectors: 28.835.
    # 28.835 / 1.2994 = 22.19, so 23 tasks.
    assert BOTH.smaller_sizes == {"shop": (256, 512)}
    same, smaller = BOTH.crossings()
    assert same == (Crossing(1, cheaper=False),)
    assert smaller == (Crossing(1, cheaper=False), Crossing(23, cheaper=True))
    before, after = BOTH.costs(22), BOTH.costs(23)
    assert before.smaller > before.sidecar
    assert after.smaller < after.sidecar
    assert after.service - after.sidecar == Decimal("28.835")


def test_a_share_that_fargate_does_not_sell_saves_nothing() -> None:
    both = Both(stack(SHOP), stack(SHOP, COLLECTOR), PRICES, SPREADS)
    # 960 CPU units and 3,552 MiB: the least that Fargate has for them is what there was.
    assert both.smaller_sizes == {"shop": (1024, 4096)}
    assert both.costs(5).smaller == both.costs(5).service


def test_what_the_share_of_a_sidecar_is_worth() -> None:
    # (64 / 1024 x 0.03238 + 544 / 1024 x 0.00356) x 730 = (0.00202375 + 0.00189125) x 730
    assert Both(stack(SHOP), stack(SHOP, COLLECTOR), PRICES, SPREADS).shares() == {"shop": Decimal("2.857950")}


def test_collectors_grow_with_what_applications_send() -> None:
    spreads, _ = costs.assumed(["requests=100", "spans=10", "collector_spans=1000"])
    shop = Service("shop", 1, 1, 256, 1024, "ARM64", application=True, serves=True)
    both = Both(stack(shop), stack(shop, COLLECTOR), PRICES, spreads)
    # 1,000 spans a second from each task: two collectors carry two tasks, five five; each is 14.4175.
    assert both.costs(2).service - both.costs(2).sidecar == Decimal("28.835")
    assert both.costs(5).service - both.costs(5).sidecar == Decimal("72.0875")


def test_a_stack_as_it_is_costs_what_its_bill_says() -> None:
    spreads, _ = costs.assumed(["requests=100", "spans=10", "collector_spans=1000"])
    shop = Service("shop", 2, 4, 256, 1024, "ARM64", application=True, serves=True)
    both = Both(stack(shop), stack(shop, replace(COLLECTOR, most=6)), PRICES, spreads)
    for scenario in Scenario:
        assert both.costs(scenario=scenario).sidecar == costs.bill(both.sidecar, PRICES, spreads).total.of(scenario)
        assert both.costs(scenario=scenario).service == costs.bill(both.service, PRICES, spreads).total.of(scenario)
    # Half way from 2 to 4 are 3 tasks, whose 3,000 spans a second three collectors carry.
    assert both.tasks() == {"shop": 3, "collector": 3}
    assert both.costs() == both.costs(3)


def test_what_each_pattern_lacks_is_of_the_catalogue() -> None:
    assert any("`aws_ecs_task_revision` or `aws_ecs_task_id`" in line for lines in LACKS.values() for line in lines)
    assert all(lines for lines in LACKS.values())


def test_crossings_in_words() -> None:
    assert sentence((Crossing(1, cheaper=False),), 1) == (
        f"With 1 to {two_patterns.MOST} tasks of the application, the sidecar is cheaper."
    )
    assert sentence((Crossing(1, cheaper=False), Crossing(23, cheaper=True)), 2) == (
        "With few tasks the sidecar is cheaper, from 23 tasks of each application (46 in all) on the service pattern."
    )
