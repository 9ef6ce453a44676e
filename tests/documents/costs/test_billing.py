"""What stacks cost, compared with arithmetic on paper: every figure of the comments was computed by hand."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as some

from documents import costs, prices
from documents.costs import ASSUMPTIONS, Instances, People, Run, Scenario, Service, Spread, Stack
from preview.costs import files

PRICES = files.load("us-east-1")
SPREADS, _ = costs.assumed(())

SIDECAR = Stack(
    services=(
        Service("shop", 2, 2, 256, 1024, "ARM64", serves=True, series=33, public=True, application=True,
                collectors=1, log_days=30),
    ),
    metric_days=30,
    alarms=14,
    grafana=1,
    editors=People(groups=1),
    viewers=People(groups=1),
    keys=1,
    zones=1,
)  # fmt: skip

SERVICE = Stack(
    services=(
        Service("collector", 2, 2, 512, 1024, "ARM64", series=27),
        Service(
            "shop", 2, 6, 512, 1024, "X86_64", serves=True, application=True, strategy=((False, 1, 1), (True, 0, 3))
        ),
    ),
    addresses=3,
    gateways=1,
    balancers=1,
    insights=True,
)

INSTANCES = Stack(
    services=(Service("batch", 2, 2, 512, 1024, "ARM64", fargate=False, application=True),),
    instances=(Instances(2, 4, "m7g.large", 50),),
    runs=(Run("report", Decimal(22), 256, 512, "ARM64"),),
    endpoints=10,
    evaluations=2_000_000,
    metrics=3,
    secrets=3,
    parameters=1,
    mails=2,
    posts=1,
)


def table(stack: Stack, scenario: Scenario) -> dict[str, str]:
    """Dollars of each line that is not nothing, and of all."""
    bill = costs.bill(stack, PRICES, SPREADS)
    assert bill.unknown == ()
    lines = {f"{line.part}, {line.what}": prices.shown(line.dollars.of(scenario)) for line in bill.lines}
    return {name: text for name, text in lines.items() if text != "0.00"} | {
        "all": prices.shown(bill.total.of(scenario))
    }


def test_a_sidecar_stack_as_expected() -> None:
    assert table(SIDECAR, Scenario.EXPECTED) == {
        # 2 x (0.25 x 0.03238 + 1 x 0.00356) x 730 = 2 x 0.011655 x 730
        "Fargate, shop": "17.02",
        # 2 x 730 x 0.005
        "Network, public addresses": "7.30",
        # 2 x 10 x 2,628,000 = 52,560,000, of which 100,000 are free: 52.46 million at 5
        "X-Ray, traces recorded": "262.30",
        # 2 x (10 x 2,628,000 x 300 bytes + 20 MB) = 15.808 GB, 5 free: 10.808 x 0.50
        "CloudWatch, logs taken in": "5.40",
        # 15.808 x 0.15 x 30 days of 30.41667 = 2.33872 GB at 0.03
        "CloudWatch, logs kept": "0.07",
        # 14 - 10
        "CloudWatch, alarms": "0.40",
        "Grafana, editors": "18.00",
        "Grafana, viewers": "25.00",
        "Keys and names, KMS keys": "1.00",
        "Keys and names, private hosted zones": "0.50",
        # Samples: 33 + 5 x 17 + 17 + 6 = 141 series, 2 x 141 x 43,800 = 12.35 million of 40 that are free.
        # 17.0163 + 7.30 + 262.30 + 5.404 + 0.0702 + 0.40 + 43 + 1.50
        "all": "336.99",
    }


def test_a_sidecar_stack_at_least() -> None:
    # X-Ray 2 x 2,628,000 - 100,000 = 5.156 million at 5 = 25.78; logs 2 x (0.2628 + 0.005) = 0.5356 GB are free to take
    # in and 0.0024 to keep; one editor. 17.0163 + 7.30 + 25.78 + 0.0024 + 0.40 + 9 + 1.50
    assert table(SIDECAR, Scenario.LOW)["all"] == "61.00"


def test_a_sidecar_stack_at_most_in_an_account_with_others() -> None:
    found = table(SIDECAR, Scenario.HIGH)
    # 33 + 20 x 17 + 3 x 17 + 24 + 200 = 648 series; 2 x 648 x 43,800 = 56.7648 million at 0.09, none of them free
    assert found["AMP, samples"] == "5.11"
    # 2 x 50 x 2,628,000 = 262.8 million at 5
    assert found["X-Ray, traces recorded"] == "1314.00"
    # 2 x (50 x 2,628,000 x 1,000 bytes + 0.2 GB) = 263.2 GB at 0.50
    assert found["CloudWatch, logs taken in"] == "131.60"
    # 263.2 x 30 / 30.41667 = 259.5945 GB at 0.03
    assert found["CloudWatch, logs kept"] == "7.79"
    # AMP keeps 0.112 GB for 0.0034, traces are read for 1.
    # 17.0163 + 7.30 + 5.1088 + 0.0034 + 1314 + 1 + 131.60 + 7.7878 + 1.40 + 145 + 1.50
    assert found["all"] == "1631.72"


def test_a_service_stack_with_spot_a_gateway_and_a_load_balancer() -> None:
    assert table(SERVICE, Scenario.EXPECTED) == {
        # 2 x (0.5 x 0.03238 + 0.00356) x 730
        "Fargate, collector": "28.84",
        # Half way from 2 to 6: 4 tasks, one first and a quarter of the others:
        # 1.75 x (0.5 x 0.04048 + 0.004445) x 730
        "Fargate, shop": "31.54",
        # 2.25 x (0.5 x 0.01288871 + 0.00141527) x 730
        "Fargate Spot, shop": "12.91",
        "Network, public addresses": "10.95",
        "Network, NAT gateways": "32.85",
        # 6 tasks x 2 GB x 0.045
        "Network, through NAT gateways": "0.54",
        "Load balancer, hours": "16.43",
        "Load balancer, capacity units": "5.84",
        # 4 x 10 x 2,628,000 - 100,000 = 105.02 million at 5
        "X-Ray, traces recorded": "525.10",
        # (6 tasks + 2 services) x 30 x 0.07
        "CloudWatch, Container Insights": "16.80",
        # 28.835 + 31.5351 + 12.9094 + 10.95 + 32.85 + 0.54 + 16.425 + 5.84 + 525.10 + 16.80
        "all": "681.78",
    }


def test_a_stack_on_instances_with_endpoints_and_a_task_by_the_clock() -> None:
    assert table(INSTANCES, Scenario.EXPECTED) == {
        # 22 x 10 minutes = 3.6667 hours x (0.25 x 0.03238 + 0.5 x 0.00356)
        "Fargate, report": "0.04",
        # 3 x 0.0816 x 730
        "EC2, m7g.large": "178.70",
        # 3 x 50 x 0.08
        "EC2, disks of m7g.large": "12.00",
        "Network, endpoints": "73.00",
        # 2 tasks x 2 GB x 0.01
        "Network, through endpoints": "0.04",
        "Keys and names, secrets": "1.20",
        "Keys and names, advanced parameters": "0.05",
        # 0.0362 + 178.704 + 12 + 73 + 0.04 + 1.20 + 0.05
        "all": "265.03",
    }
    found = table(INSTANCES, Scenario.HIGH)
    # 2 million evaluations x 20,000 samples x 0.10 for a billion
    assert found["AMP, queries of rules and dashboards"] == "4.00"
    # 254.272 + 0.2173 + 73 + 0.40 + 1.20 + 0.05 + 2,000 mails 0.04 + 1,000 posts 0.0006 + 3 x 0.1 x 0.30 + 4
    assert found["all"] == "333.27"


def test_a_price_that_the_file_has_not_is_named_and_not_taken_for_nothing() -> None:
    stack = Stack(instances=(Instances(0, 2, "m7i-flex.large", 100),))
    bill = costs.bill(stack, PRICES, SPREADS)
    assert bill.unknown == ("instance.m7i-flex.large",)
    # One on average, 100 GB at 0.08
    assert [(line.what, line.dollars.expected) for line in bill.lines] == [("disks of m7i-flex.large", Decimal("8.00"))]


def test_each_price_with_a_free_part_stands_in_one_charge() -> None:
    """Two charges would both count what is free, which an account has once."""
    for stack in (SIDECAR, SERVICE, INSTANCES):
        used = [charge.price for charge in costs.charges(stack, costs.in_scenario(SPREADS, Scenario.EXPECTED))]
        assert all(used.count(name) == 1 for name in set(used) if PRICES[name].free)


def test_an_empty_stack_costs_nothing() -> None:
    bill = costs.bill(Stack(), PRICES, SPREADS)
    assert bill.lines == ()
    assert bill.total == Spread(Decimal(0), Decimal(0), Decimal(0))


# Collectors that carry more spans are fewer.
@given(
    some.sampled_from([SIDECAR, SERVICE, INSTANCES]), some.sampled_from(sorted({*ASSUMPTIONS} - {"collector_spans"}))
)
def test_more_of_anything_costs_no_less(stack: Stack, name: str) -> None:
    before = costs.bill(stack, PRICES, SPREADS).total
    least, most = (Decimal(0), Decimal(1)) if ASSUMPTIONS[name].share else (Decimal(1), Decimal(1000))
    low, high = (costs.bill(stack, PRICES, SPREADS | {name: Spread(one, one, one)}).total for one in (least, most))
    assert low.expected <= high.expected
    assert before.low <= before.expected <= before.high


def grafana(stack: Stack, *stated: str) -> list[tuple[str, str, str]]:
    """Dollars for editors and for viewers, in each scenario."""
    spreads, faults = costs.assumed(stated)
    assert not faults
    lines = costs.bill(stack, PRICES, spreads).lines
    return [tuple(prices.shown(line.dollars.of(one)) for one in Scenario) for line in lines]  # type: ignore[misc]


def test_people_of_grafana_are_those_whom_a_stack_lets_in() -> None:
    stack = Stack(grafana=1, editors=People(1, 1), viewers=People(2, 0), accounts=1)
    # One by name, 1, 2 or 5 of the group, and the account in a month with a deployment: 2, 4 or 7 at 9. Two at 5.
    assert grafana(stack) == [("18.00", "36.00", "63.00"), ("10.00", "10.00", "10.00")]
    # 4, 5 or 6 in place of 1, 2 or 5, and no deployment.
    assert grafana(stack, "group_editors=3,4,5", "deployed=0")[0] == ("36.00", "45.00", "54.00")
    assert grafana(stack, "editors=3", "viewers=0") == [("27.00", "27.00", "27.00")]
    # Nobody: one editor is billed all the same. A group of viewers: none, 5 or 20.
    assert grafana(Stack(grafana=1)) == [("9.00", "9.00", "9.00")]
    assert grafana(Stack(grafana=1, viewers=People(0, 1)))[1] == ("0.00", "25.00", "100.00")


def test_in_a_workspace_of_others_only_the_account_is_new() -> None:
    assert grafana(Stack(accounts=1), "viewers=5") == [("0.00", "9.00", "9.00")]


def test_collectors_follow_the_spans_of_those_that_have_none_of_their_own() -> None:
    collector = Service("collector", 2, 6, 512, 1024, "ARM64")
    shop = Service("shop", 1, 9, 256, 512, "ARM64", serves=True, application=True, ratio=Decimal("0.5"))
    beside = Service("beside", 100, 100, 256, 512, "ARM64", serves=True, application=True, collectors=1)

    def running(*stated: str) -> dict[str, Decimal]:
        spreads, _ = costs.assumed(["spans=4", "collector_spans=1000", *stated])
        return dict(costs.running(Stack((collector, shop, beside)), costs.in_scenario(spreads, Scenario.EXPECTED)))

    # Half way from 1 to 9: 5 tasks x 200 x 0.5 x 4 = 2,000 spans a second; one more request is one collector more.
    assert running("requests=200") == {"collector": 2, "shop": 5, "beside": 100}
    assert running("requests=201")["collector"] == 3
    assert running("requests=201", "traced=0.5")["collector"] == 2
    # 9 x 200 x 0.5 x 4 = 3,600; beyond `most`, since nothing else carries them: 9 x 400 x 0.5 x 4 = 7,200
    assert running("requests=200", "load=1")["collector"] == 4
    assert running("requests=400", "load=1")["collector"] == 8
    assert running("requests=200", "collector_spans=0")["collector"] == 2


def test_an_application_of_the_same_name_is_no_collector() -> None:
    stack = Stack((Service("collector", 2, 6, 512, 1024, "ARM64", application=True),))
    assert costs.running(stack, costs.in_scenario(SPREADS, Scenario.EXPECTED)) == {"collector": 4}
