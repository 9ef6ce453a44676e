"""What charges come to: the bill of a stack by part and scenario, in dollars."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from documents.costs.assumptions import Given, Scenario, Spread, in_scenario
from documents.costs.charging import Charge, charges
from documents.costs.stack import AS_IT_IS, ZERO, Size, Stack
from documents.prices import Prices


@dataclass(frozen=True)
class Line:
    """A line of the bill: dollars of each scenario, and the names of the prices that it multiplies with."""

    part: str
    what: str
    dollars: Spread
    prices: tuple[str, ...]


@dataclass(frozen=True)
class Bill:
    """What a stack costs in a month. `unknown` are prices that the file of its region has not."""

    lines: tuple[Line, ...]
    unknown: tuple[str, ...]

    @property
    def total(self) -> Spread:
        """All lines together."""
        return sum((line.dollars for line in self.lines), Spread(ZERO, ZERO, ZERO))

    def part(self, name: str) -> Spread:
        """The lines of one part together."""
        return sum((line.dollars for line in self.lines if line.part == name), Spread(ZERO, ZERO, ZERO))

    @property
    def prices(self) -> tuple[str, ...]:
        """The names of all prices in it."""
        return tuple(dict.fromkeys(name for line in self.lines for name in line.prices))


def bill(stack: Stack, prices: Prices, spreads: Mapping[str, Spread], size: Size = AS_IT_IS) -> Bill:
    """What a stack costs by these prices and assumptions: lines in the order of `charges`, without those of which no
    scenario has any."""
    dollars: dict[tuple[str, str], dict[Scenario, Decimal]] = {}
    names: dict[tuple[str, str], dict[str, None]] = {}
    unknown: dict[str, None] = {}
    for scenario in Scenario:
        for charge in charges(stack, in_scenario(spreads, scenario), size):
            line = dollars.setdefault((charge.part, charge.what), dict.fromkeys(Scenario, ZERO))
            cost = _dollars(charge, prices, scenario)
            if charge.amount:
                (unknown if cost is None else names.setdefault((charge.part, charge.what), {}))[charge.price] = None
            line[scenario] += cost or ZERO
    lines = (
        Line(*key, Spread(found[Scenario.LOW], found[Scenario.EXPECTED], found[Scenario.HIGH]), tuple(names[key]))
        for key, found in dollars.items()
        if key in names
    )
    return Bill(tuple(lines), tuple(unknown))


def month(stack: Stack, prices: Prices, given: Given, scenario: Scenario, size: Size = AS_IT_IS) -> Decimal:
    """The total of one scenario."""
    return sum((_dollars(charge, prices, scenario) or ZERO for charge in charges(stack, given, size)), ZERO)


def _dollars(charge: Charge, prices: Prices, scenario: Scenario) -> Decimal | None:
    price = prices.get(charge.price)
    if price is None:
        return None
    return price.cost(charge.amount, after=price.free if scenario is Scenario.HIGH else ZERO)
