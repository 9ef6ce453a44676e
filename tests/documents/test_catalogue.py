"""The catalogue has nothing that nobody asks for: each of its series is paid for."""

import re
from collections.abc import Iterator
from pathlib import Path

import promql_parser
import pytest

from documents import catalogue, rules
from documents.alerting.rules import alerting_rules
from documents.catalogue import Label, Pattern
from documents.dashboards import dashboards
from documents.objectives import Objectives
from documents.observed import Observed
from proof import promql
from tests.documents.boards import panels, plain
from tests.stacks import application, observed

ROOT = Path(__file__).resolve().parents[2]

PROMISED = Objectives.model_validate({"availability": 99.9, "latency": {"threshold": "300ms", "target": 99}})
EVERYTHING = observed(
    "dev",
    applications=(
        application("web", Pattern.SIDECAR, objectives=PROMISED),
        application("far", Pattern.SERVICE, objectives=PROMISED),
    ),
    collectors=2,
    logs=True,
)
"""A stack with every panel and every rule there is."""


def asked(stack: Observed) -> Iterator[str]:
    """What dashboards, rules and alerts ask of AMP. That series are counted is no use of them."""
    for dashboard in dashboards(stack):
        yield from (query["expr"] for found in panels(dashboard) for query in found["targets"] if "expr" in query)
    yield from (rule.expr for group in rules.groups(stack) for rule in group.rules if rule.makes != rules.SERIES)
    yield from (rule["expr"] for group in alerting_rules(stack)["groups"] for rule in group["rules"])


def metrics(stack: Observed) -> set[str]:
    return {name for expr in asked(stack) for name in promql.metrics(plain(expr))}


def test_every_query_can_be_read() -> None:
    for expr in asked(EVERYTHING):
        promql_parser.parse(plain(expr))


def test_every_metric_is_of_use() -> None:
    named = metrics(EVERYTHING)
    unused = {metric for metric, series in catalogue.SERIES_OF.items() if not named & {*series}}
    assert unused == {catalogue.MEMORY_USAGE.name}, "which is for AWS's own dashboard alone"


def test_whatever_is_asked_for_is_written_or_recorded() -> None:
    written = {name for names in catalogue.SERIES_OF.values() for name in names}
    recorded = {one.name for one in rules.recorded(EVERYTHING)}
    assert metrics(EVERYTHING) - written - recorded == {catalogue.ALERTS}


@pytest.mark.parametrize("pattern", [*Pattern])
def test_everything_that_is_recorded_is_asked_for(pattern: Pattern) -> None:
    """Each evaluation of a rule reads samples, which AMP bills."""
    stack = observed("dev", applications=(application("web", pattern, objectives=PROMISED),), collectors=2)
    assert {one.name for one in rules.recorded(stack)} - metrics(stack) == set()


GROUPS = (
    Label,
    catalogue.Dimension,
    catalogue.AmpDimension,
    catalogue.TaskEvent,
    catalogue.StopEvent,
    catalogue.DeploymentEvent,
    catalogue.LogField,
)
ROOMS = ("documents", "components", "preview", "proof", "verify", "trials")


@pytest.mark.slow
def test_no_name_is_there_for_nobody() -> None:
    code = "\n".join(path.read_text() for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    names = [name for name in vars(catalogue) if re.fullmatch(r"[A-Z]\w+", name)]
    assert [name for name in names if len(re.findall(rf"\b{name}\b", code)) < 2] == [], "named where it is made only"
    members = {f".{member}" for group in GROUPS for member in vars(group) if member.isupper()}
    assert {member for member in members if not re.search(rf"{re.escape(member)}\b", code)} == set()
