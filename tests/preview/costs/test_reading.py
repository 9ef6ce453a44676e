"""What of the recorded stacks is billed."""

import datetime
import re
from decimal import Decimal

import pytest

from documents import costs
from documents.costs import People
from preview.costs import files, page, reading
from preview.costs.reading import FREE, NOT_PRICED, PRICED
from preview.summary import summary
from tests.components.variants import STACKS, recorded

pytestmark = pytest.mark.slow

PRICES = files.load("us-east-1")
SPREADS, _ = costs.assumed(())


def test_no_type_is_two_things() -> None:
    assert not PRICED & FREE
    assert not (PRICED | FREE) & set(NOT_PRICED)


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_is_priced_or_free_or_named(stack: str) -> None:
    recording = recorded(stack)
    types = {one.type for one in recording.resources if one.made}
    assert types <= PRICED | FREE | set(NOT_PRICED)
    assert not [line for line in reading.not_priced(recording) if "nobody here knows" in line]
    bill = costs.bill(reading.read(recording), PRICES, SPREADS)
    assert 0 < bill.total.low <= bill.total.expected <= bill.total.high


def test_a_type_that_nobody_knows_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FREE", FREE - {"aws:sns/topic:Topic"})
    assert "`aws:sns/topic:Topic`, of which nobody here knows what it costs" in reading.not_priced(recorded("dev"))


def test_the_dev_stack_is_counted() -> None:
    stack = reading.read(recorded("dev"))
    assert [(one.name, one.least, one.most, one.cpu, one.memory, one.processor) for one in stack.services] == [
        ("inventory", 1, 1, 256, 1024, "ARM64"),
        ("storefront", 1, 1, 256, 1024, "ARM64"),
    ]
    for one in stack.services:
        # 21 of the sidecar's own and 10 of ECS; a sidecar of 512 MiB with a drain of 32.
        assert (one.series, one.interval, one.ratio, one.log_days) == (31, 60, Decimal(1), 7)
        assert (one.serves, one.public, one.application, one.collectors) == (True, True, True, 1)
        assert one.beside == (64, 544)
        # Two series for each task, 43,800 samples of each.
        assert one.recorded[1] == 87_600
    # One administrator by name, nobody who only looks, and the account by which the program writes dashboards.
    assert (stack.editors, stack.viewers, stack.accounts) == (People(users=1), People(), 1)
    assert (stack.grafana, stack.keys, stack.zones, stack.alarms, stack.metrics) == (1, 1, 1, 14, 3)
    assert (stack.addresses, stack.gateways, stack.endpoints, stack.balancers, stack.insights) == (0, 0, 0, 0, False)
    assert (stack.metric_days, stack.mails, stack.posts) == (30, 0, 0)
    assert stack.evaluations > 0
    assert stack.queries > 0


def test_the_dev_stack_by_hand() -> None:
    spreads, _ = costs.assumed(["requests=0.2"])
    bill = costs.bill(reading.read(recorded("dev")), PRICES, spreads)
    # Two tasks 17.0163; addresses 7.30; traces 2 x 0.2 x 2,628,000 - 100,000 = 951,200 at 5 = 4.756; 14 - 10 alarms
    # 0.40; an administrator and the service account 18; key 1 and zone 0.50; logs 2 x (0.15768 + 0.02) = 0.35536 GB,
    # free to take in and kept for 7 days of 30.41667 at 0.15 x 0.03 = 0.000368. Samples, queries and storage are within
    # what is free.
    assert prices_of(bill.total.expected) == "48.97"


def prices_of(dollars: Decimal) -> str:
    return f"{dollars:.2f}"


def test_the_production_stack_is_counted() -> None:
    stack = reading.read(recorded("prod"))
    assert [(one.name, one.least, one.most) for one in stack.services] == [
        ("collector", 2, 6),
        ("inventory", 2, 6),
        ("storefront", 2, 10),
    ]
    # Five services in three zones.
    assert (stack.endpoints, stack.balancers, stack.insights, stack.mails) == (15, 1, True, 2)
    # An internal load balancer has no public address.
    assert stack.addresses == 0
    assert (stack.editors, stack.viewers, stack.accounts) == (People(groups=1), People(groups=1), 1)


def test_the_production_stack_by_hand() -> None:
    spreads, _ = costs.assumed(["requests=0.2"])
    bill = costs.bill(reading.read(recorded("prod")), PRICES, spreads)
    # Two collectors (10 tasks send 10 x 0.2 x 2 = 4 spans a second), 4 and 6 tasks of the applications, each 14.4175.
    assert prices_of(bill.part("Fargate").expected) == "173.01"
    # 15 endpoints x 7.30, and 12 tasks x 2 GB x 0.01.
    assert prices_of(bill.part("Network").expected) == "109.74"
    # 2 of a group and the service account x 9, 5 of a group x 5.
    assert prices_of(bill.part("Grafana").expected) == "52.00"


@pytest.mark.parametrize(
    ("stack", "field", "value"),
    [
        ("private-zones", "gateways", 3),
        ("private-zones", "addresses", 3),
        ("closed-with-all", "endpoints", 20),
        ("grafana-off", "grafana", 0),
        ("existing", "insights", False),
        # The workspace of others has a service account of the stack's.
        ("existing", "grafana", 0),
        ("existing", "accounts", 1),
        ("grafana", "editors", People(users=2, groups=1)),
        ("grafana", "viewers", People(users=1, groups=1)),
        # A group, and an identity provider, which may let in anybody.
        ("grafana-closed", "editors", People(groups=2)),
        ("grafana-closed", "viewers", People(groups=1)),
        ("defaults", "editors", People()),
    ],
)
def test_what_others_have(stack: str, field: str, value: object) -> None:
    assert getattr(reading.read(recorded(stack)), field) == value


def test_instances_and_spot() -> None:
    stack = reading.read(recorded("instances"))
    assert [(one.least, one.most, one.kind, one.disk) for one in stack.instances] == [(2, 6, "m7g.large", 50)]
    by_name = {one.name: one for one in stack.services}
    assert not by_name["storefront"].fargate
    assert by_name["payments"].strategy == ((False, 1, 50), (True, 0, 50))


def test_tasks_by_the_clock() -> None:
    recording = recorded("tasks")
    assert reading.read(recording).runs
    assert any(line.startswith("tasks that people run: ") for line in reading.not_priced(recording))


def test_instances_of_others_are_named() -> None:
    assert any(
        line.startswith("instances that are there already")
        for line in reading.not_priced(recorded("existing-instances"))
    )


TODAY = datetime.date(2026, 11, 22)


def test_a_summary_says_what_to_do_where_prices_are_not_known() -> None:
    (line,) = page.section(recorded("dev"), None, TODAY)
    assert line.startswith("Not known: no prices of 'eu-west-1' are known here, only of us-east-1: make a file")


@pytest.mark.parametrize("stack", ["dev", "prod", "balanced", "instances", "tasks", "private"])
def test_a_summary_without_prices_has_no_dollars(stack: str) -> None:
    text = summary(recorded(stack), today=TODAY)
    dollars = re.compile(r"dollars|list prices|\| [\d.,]+\.\d\d (\||to )", re.IGNORECASE)
    assert {line for line in text.splitlines() if dollars.search(line.replace(files.NO_DOLLARS, ""))} == set()
    assert text.count("PRICES=us-east-1") == 1


def test_prices_of_another_region_are_said_first() -> None:
    lines = list(page.section(recorded("dev"), PRICES, TODAY))
    assert lines[0] == (
        "- THESE ARE PRICES OF us-east-1, as you asked; the stack is in eu-west-1, where others hold. "
        "`make prices REGION=eu-west-1` makes a file of them."
    )
    assert lines[1].startswith("- Old, read more than a year ago: xray.recorded (nobody wrote down when), ")
    assert "alarm (2024-07-01)" in lines[1]
    assert "fargate" not in lines[1]
    assert "| Fargate | inventory | 8.51 | 8.51 | 8.51 | list 2026-09-11 |" in lines
    assert "`make cost STACK=dev PRICES=us-east-1` has the assumptions" in lines[-1]


def test_a_year_later_every_price_is_old() -> None:
    later = list(page.section(recorded("dev"), PRICES, datetime.date(2028, 1, 1)))
    assert "fargate.arm.vcpu (2026-09-11)" in later[1]
