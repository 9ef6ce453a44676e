"""What a stack costs, as Markdown and as tables for a terminal: the same rows in both."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from documents import costs, two_patterns
from documents.costs import ASSUMPTIONS, Bill, Scenario, Spread, Stack
from documents.prices import Price, Prices, shown
from documents.two_patterns import LACKS, Both
from preview.costs import files, reading
from preview.recording import Recording

_POINTS: Final = (1, 2, 5, 10, 20, 50, 100)
AS_IT_IS: Final = "as it is"
"""The row of the stack as its file says."""
_ORDER: Final = ("low", "expected", "high")


@dataclass(frozen=True)
class Sheet:
    """A table: its first columns are text, those from `numbers` on figures."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: range = range(0)

    def markdown(self) -> Iterator[str]:
        """Its lines, without the title."""
        yield f"| {' | '.join(self.columns)} |"
        yield f"|{'|'.join('---:' if at in self.numbers else '---' for at in range(len(self.columns)))}|"
        yield from (f"| {' | '.join(row)} |" for row in self.rows)


def notes(recording: Recording, prices: Prices, bill: Bill, today: datetime.date) -> Iterator[str]:
    """What a reader has to know before the figures, in sentences; what is most surprising first."""
    if not _own(recording, prices):
        yield (
            f"THESE ARE PRICES OF {prices.region}, as you asked; the stack is in {recording.region}, where others "
            f"hold. `make prices REGION={recording.region}` makes a file of them."
        )
    old = [name for name in bill.prices if prices[name].is_old(today)]
    if old:
        since = ", ".join(f"{name} ({prices[name].date or 'nobody wrote down when'})" for name in old)
        again = f"`make prices REGION={prices.region}` reads again what AWS's price list has; docs/costs.md says what."
        yield f"Old, read more than a year ago: {since}. {again}"
    for name in bill.unknown:
        yield f"Not in it: {name}, which the prices of {prices.region} do not have."
    for what in reading.not_priced(recording):
        yield f"Not in it: {what}."


def _own(recording: Recording, prices: Prices) -> bool:
    return prices.region == recording.region


def crowded(stack: Stack, spreads: Mapping[str, Spread]) -> Iterator[str]:
    """Where the spans that are assumed need more collectors than a stack allows, in sentences."""
    for scenario in Scenario:
        tasks = costs.running(stack, costs.in_scenario(spreads, scenario))
        for one in stack.services:
            if one.carries and tasks[one.name] > one.most:
                yield (
                    f"In {scenario}, {tasks[one.name]} tasks of {one.name} carry the spans, and are in the bill; the "
                    f"stack allows {one.most}."
                )


def bill_sheet(bill: Bill, prices: Prices) -> Sheet:
    """Dollars of each line and in all, with where their prices were read and when."""
    rows = [
        (line.part, line.what, *_dollars(line.dollars), _read(prices[name] for name in line.prices))
        for line in bill.lines
    ]
    return Sheet(
        f"Dollars a month, by list prices of {prices.region}",
        ("part", "what", *_ORDER, "prices read"),
        (*rows, ("all", "", *_dollars(bill.total), "")),
        range(2, 5),
    )


def _dollars(spread: Spread) -> tuple[str, str, str]:
    return shown(spread.low), shown(spread.expected), shown(spread.high)


def _read(found: Iterable[Price]) -> str:
    return ", ".join(dict.fromkeys(f"{price.source} {price.date or 'undated'}" for price in found))


def price_sheet(bill: Bill, prices: Prices) -> Sheet:
    """The prices in a bill."""
    rows = [(name, _tiers(prices[name]), prices[name].unit) for name in bill.prices]
    return Sheet("Prices", ("price", "dollars", "for a"), tuple(rows))


def source_sheet(bill: Bill, prices: Prices) -> Sheet:
    """Where the prices in a bill were read and when, and what is said of each."""
    rows = [(name, _from(prices[name])) for name in bill.prices]
    return Sheet("Where prices were read", ("price", "from"), tuple(rows))


def _tiers(price: Price) -> str:
    return ", ".join(
        f"{plain(tier.dollars)}{f' from {plain(tier.begin)} on' if tier.begin else ''}" for tier in price.tiers
    )


def plain(number: Decimal) -> str:
    """A number as a person writes it: no exponent, no zeros at the end."""
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _from(price: Price) -> str:
    doubt = f"; unverified: {price.unverified}" if price.unverified else ""
    return f"{price.reference}, {price.date or 'undated'}{doubt}"


def assumption_sheet(spreads: Mapping[str, Spread]) -> Sheet:
    """Everything that was assumed."""
    rows = [
        (name, *(plain(one) for one in _figures(spreads[name])), one.what)
        for name, one in ASSUMPTIONS.items()
        if name in spreads
    ]
    return Sheet("Assumed", ("name", *_ORDER, "what"), tuple(rows), range(1, 4))


def settled(stack: Stack, spreads: Mapping[str, Spread]) -> dict[str, Spread]:
    """All assumptions, with what follows from the stack."""
    people = [costs.people(stack, costs.in_scenario(spreads, one)) for one in Scenario]
    return {**spreads, **{name: Spread(*(each[name] for each in people)) for name in people[0]}}


def _figures(spread: Spread) -> tuple[Decimal, Decimal, Decimal]:
    return spread.low, spread.expected, spread.high


def patterns_sheet(both: Both) -> Sheet:
    """Expected dollars as the stack is, and by tasks of each application, in both patterns."""
    rows: list[tuple[str, ...]] = []
    for tasks in (None, *_POINTS):
        now = both.costs(tasks)
        rows.append((str(tasks or AS_IT_IS), shown(now.sidecar), shown(now.service), shown(now.smaller)))
    return Sheet(
        "The two patterns, expected dollars a month",
        ("tasks of each application", "sidecar", "service", "service, smaller tasks"),
        tuple(rows),
        range(4),
    )


def dollars_notes(both: Both) -> Iterator[str]:
    """How many tasks there are, where the two patterns cross, and what one more task costs, in sentences."""
    count = len(both.applications)
    tasks = ", ".join(f"{name} {plain(number)}" for name, number in both.tasks().items())
    yield (
        f"{AS_IT_IS.capitalize()}: the tasks of the bill, in the service pattern {tasks}. In every row, as in the "
        "bill, collectors are as many as the spans need, and no fewer than the stack's least."
    )
    same, smaller = both.crossings()
    yield f"Tasks as they are: {two_patterns.sentence(same, count)}"
    sizes = ", ".join(f"{name} {cpu} and {memory}" for name, (cpu, memory) in both.smaller_sizes.items())
    if sizes:
        yield (
            f"Smaller tasks, CPU units and MiB that Fargate has for what is left without a sidecar ({sizes}): "
            f"{two_patterns.sentence(smaller, count)}"
        )
    one, two = both.costs(10), both.costs(11)
    yield (
        f"One more task of each application, beyond ten, costs {shown(two.sidecar - one.sidecar)} with a sidecar, "
        f"{shown(two.service - one.service)} in the service pattern, and there {shown(two.smaller - one.smaller)} if "
        "smaller."
    )
    alike: dict[str, list[str]] = defaultdict(list)
    for name, dollars in both.shares().items():
        alike[shown(dollars)].append(name)
    if alike:
        worth = ", ".join(f"{dollars} ({', '.join(names)})" for dollars, names in alike.items())
        yield f"What a sidecar takes of a task is worth {worth}; Fargate sells tasks in steps."


def lacks_notes() -> Iterator[str]:
    """What each pattern does without, in sentences."""
    for pattern, lacks in LACKS.items():
        yield from (f"{pattern}: {what}" for what in lacks)


FREE_TIERS: Final = (
    "What is free is free to an account, once: low and expected count it for this stack alone, high takes it as used "
    "up by others."
)


def section(recording: Recording, prices: Prices | None, today: datetime.date) -> Iterator[str]:
    """Markdown for the summary: the bill by these prices; without any, what to do. Nothing where nothing is billed."""
    stack = reading.read(recording)
    if stack == Stack():
        return
    if prices is None:
        yield f"Not known: {files.missing(recording.region)}."
        return
    spreads, _ = costs.assumed(())
    bill = costs.bill(stack, prices, spreads)
    yield from (f"- {note}" for note in (*notes(recording, prices, bill, today), *crowded(stack, spreads)))
    yield ""
    yield from bill_sheet(bill, prices).markdown()
    yield ""
    command = f"make cost STACK={recording.stack}" + ("" if _own(recording, prices) else f" PRICES={prices.region}")
    yield f"{FREE_TIERS} `{command}` has the assumptions, the prices and the two patterns."


def sheets(bill: Bill, prices: Prices, spreads: Mapping[str, Spread]) -> Sequence[Sheet]:
    """All tables about one stack."""
    return bill_sheet(bill, prices), price_sheet(bill, prices), source_sheet(bill, prices), assumption_sheet(spreads)
