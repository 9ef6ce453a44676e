"""What nobody knows before a stack runs: what is assumed of it in each scenario, and what a person assumes instead."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Final

from documents.faults import Fault, nearest


class Scenario(StrEnum):
    """How much is assumed. In `high`, what is free to an account is used up by others in it."""

    LOW = "low"
    EXPECTED = "expected"
    HIGH = "high"


@dataclass(frozen=True)
class Spread:
    """A figure of each scenario."""

    low: Decimal
    expected: Decimal
    high: Decimal

    def of(self, scenario: Scenario) -> Decimal:
        """The figure of one scenario."""
        return {Scenario.LOW: self.low, Scenario.EXPECTED: self.expected, Scenario.HIGH: self.high}[scenario]

    def __add__(self, other: "Spread") -> "Spread":
        """Both together, scenario by scenario."""
        return Spread(self.low + other.low, self.expected + other.expected, self.high + other.high)


@dataclass(frozen=True)
class Assumption:
    """What nobody knows before a stack runs: `spread` is taken, `what` it says. `whole` numbers have no fraction, a
    `share` is at most 1. Where there is no `spread`, the stack itself says what is taken."""

    what: str
    spread: Spread | None
    whole: bool = False
    share: bool = False


def _assume(what: str, *figures: str, whole: bool = False, share: bool = False) -> Assumption:
    return Assumption(what, Spread(*map(Decimal, figures)) if figures else None, whole, share)


ASSUMPTIONS: Final[Mapping[str, Assumption]] = {
    "requests": _assume("requests a second to each task of an application", "1", "10", "50"),
    "traced": _assume("share of them that begins a trace, after the stack's own ratio", "1", "1", "1", share=True),
    "spans": _assume("spans of each request", "2", "2", "4"),
    "combinations": _assume("combinations of method, route and status of each task", "3", "5", "20", whole=True),
    "calls": _assume("combinations of method, host and status of what a task calls", "1", "1", "3", whole=True),
    "runtime": _assume("series of a task's processes", "6", "6", "24", whole=True),
    "series": _assume("series of your own code, of each task", "0", "0", "200", whole=True),
    "load": _assume("where between min and max a scaled application stands on average", "0", "0.5", "1", share=True),
    "run_minutes": _assume("minutes of each run of a task by the clock", "1", "10", "60"),
    "sample_bytes": _assume("bytes of a stored sample", "1", "1.5", "2"),
    "rule_samples": _assume("samples that one evaluation of a rule reads", "100", "1000", "20000"),
    "dashboard_hours": _assume("hours in which somebody has a dashboard open", "20", "100", "500"),
    "dashboard_samples": _assume("samples that one query of a panel reads", "1000", "20000", "500000"),
    "traces_read": _assume("traces that somebody looks at or searches through", "10000", "200000", "2000000"),
    "log_bytes": _assume("bytes logged for each request", "100", "300", "1000"),
    "collector_log_mb": _assume("MB logged by each collector", "5", "20", "200"),
    "compression": _assume("share of its bytes that a stored log takes", "0.15", "0.15", "1", share=True),
    "insights_of_a_task": _assume("metrics of Container Insights for each task", "20", "30", "60", whole=True),
    "insights_of_a_service": _assume("metrics of Container Insights for each service", "20", "30", "60", whole=True),
    "stopping": _assume("share of the month in which stopped tasks are counted", "0", "0.01", "0.1", share=True),
    "group_editors": _assume("editors and administrators of each group who enter Grafana", "1", "2", "5", whole=True),
    "group_viewers": _assume("viewers of each group who enter Grafana", "0", "5", "20", whole=True),
    "deployed": _assume("share of months in which Grafana's service account deploys", "0", "1", "1", share=True),
    "editors": _assume("editors and administrators who enter Grafana, service accounts too", whole=True),
    "viewers": _assume("viewers who enter Grafana", whole=True),
    "capacity_units": _assume("capacity units that each load balancer needs all the time", "0.1", "1", "5"),
    "gigabytes": _assume("GB that each task sends through a NAT gateway or endpoints", "0.5", "2", "20"),
    "notifications": _assume("notifications to each subscriber", "0", "50", "1000"),
    "collector_spans": _assume("spans a second that a task of the collectors' service carries", "5000", "2500", "1000"),
}  # fmt: skip
"""By name. Requests, spans and series begin with what `make render` assumes; what collectors carry, from
docs/benchmarks.md; the others are round numbers of nobody in particular. Who enters Grafana follows from whom the
stack lets in (`people`)."""


def assumed(given: Iterable[str]) -> tuple[dict[str, Spread], list[Fault]]:
    """Every assumption that does not follow from the stack, with those that `given` states as `requests=50` or, by
    scenario, `requests=5,50,200`; and what is wrong with those."""
    spreads = {name: one.spread for name, one in ASSUMPTIONS.items() if one.spread}
    faults: list[Fault] = []
    for text in given:
        name, equals, value = text.partition("=")
        if name not in ASSUMPTIONS:
            faults.append(Fault(name or text, "is no assumption", nearest(name, ASSUMPTIONS)))
            continue
        figures = [_figure(part) for part in value.split(",")]
        if not equals or len(figures) not in (1, 3) or None in figures:
            remedy = f"write {name}=50, or {name}=5,50,200 for low, expected and high"
            faults.append(Fault(name, "is not one number, nor three", remedy, value))
            continue
        known = [one for one in figures if one is not None]
        low, expected, high = known if len(known) == 3 else known * 3
        faults += _limits(name, ASSUMPTIONS[name], (low, expected, high))
        spreads[name] = Spread(low, expected, high)
    return spreads, faults


def _figure(text: str) -> Decimal | None:
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _limits(name: str, assumption: Assumption, figures: Sequence[Decimal]) -> Iterator[Fault]:
    for figure in dict.fromkeys(figures):
        if not 0 <= figure <= 10**12:
            yield Fault(name, "is out of bounds", "give a number from 0 to 1,000,000,000,000", str(figure))
        elif assumption.share and figure > 1:
            yield Fault(name, "is no share", "give a number from 0 to 1", str(figure))
        elif assumption.whole and figure != int(figure):
            yield Fault(name, "is no whole number", "give one without a fraction", str(figure))
    if list(figures) != sorted(figures):
        yield Fault(name, "does not ascend", "give low, expected and high in this order", ",".join(map(str, figures)))


Given = Mapping[str, Decimal]
"""The assumptions of one scenario, by name."""


def in_scenario(spreads: Mapping[str, Spread], scenario: Scenario) -> dict[str, Decimal]:
    """The assumptions of one scenario."""
    return {name: spread.of(scenario) for name, spread in spreads.items()}
