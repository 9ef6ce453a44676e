"""What of the recorded stacks is billed."""

import datetime
from decimal import Decimal

import pytest

from documents import costs
from preview.costs import files, page, reading
from preview.costs.reading import FREE, NOT_PRICED, PRICED
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
    assert (stack.grafana, stack.keys, stack.zones, stack.alarms, stack.metrics) == (1, 1, 1, 14, 3)
    assert (stack.addresses, stack.gateways, stack.endpoints, stack.balancers, stack.insights) == (0, 0, 0, 0, False)
    assert (stack.metric_days, stack.mails, stack.posts) == (30, 0, 0)
    assert stack.evaluations > 0
    assert stack.queries > 0


def test_the_dev_stack_by_hand() -> None:
    spreads, _ = costs.assumed(["requests=0.2", "viewers=0", "editors=1"])
    bill = costs.bill(reading.read(recorded("dev")), PRICES, spreads)
    # Two tasks 17.0163; addresses 7.30; traces 2 x 0.2 x 2,628,000 - 100,000 = 951,200 at 5 = 4.756; 14 - 10 alarms
    # 0.40; one editor 9; key 1 and zone 0.50; logs 2 x (0.15768 + 0.02) = 0.35536 GB, free to take in and kept for 7
    # days of 30.41667 at 0.15 x 0.03 = 0.000368. Samples, queries and storage are within what is free.
    assert prices_of(bill.total.expected) == "39.97"


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


@pytest.mark.parametrize(
    ("stack", "field", "value"),
    [
        ("private-zones", "gateways", 3),
        ("private-zones", "addresses", 3),
        ("closed-with-all", "endpoints", 20),
        ("grafana-off", "grafana", 0),
        ("existing", "insights", False),
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
    (line,) = page.section(recorded("dev"), "eu-west-1", TODAY)
    assert line.startswith("Not known: no prices of 'eu-west-1' are known here, only of us-east-1: make a file")


def test_prices_of_another_region_are_said_first() -> None:
    lines = list(page.section(recorded("dev"), "us-east-1", TODAY))
    assert lines[0] == (
        "- THESE ARE PRICES OF us-east-1, as you asked; the stack is in eu-west-1, where others hold. "
        "`make prices REGION=eu-west-1` makes a file of them."
    )
    assert lines[1].startswith("- Old, read more than a year ago: xray.recorded (nobody wrote down when), ")
    assert "alarm (2024-07-01)" in lines[1]
    assert "fargate" not in lines[1]
    assert "| Fargate | inventory | 8.51 | 8.51 | 8.51 | list 2026-09-11 |" in lines


def test_a_year_later_every_price_is_old() -> None:
    later = list(page.section(recorded("dev"), "us-east-1", datetime.date(2028, 1, 1)))
    assert "fargate.arm.vcpu (2026-09-11)" in later[1]
