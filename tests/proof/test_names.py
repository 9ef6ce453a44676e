"""A contract of names: what dashboards and rules ask for is what collectors write or what rules make of it, and what
the catalogue has is asked for. (Names of CloudWatch and X-Ray: `test_contract.py`.)"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import promql_parser
import pytest
import yaml

from documents import catalogue
from documents.catalogue import Label
from documents.dashboards.sources import AMP
from proof import grafana, promql
from proof.plan import Plan
from tests.proof.live import rendered

pytestmark = pytest.mark.slow

WRITTEN = {name for names in catalogue.SERIES_OF.values() for name in names}
LABELS = {value for name, value in vars(Label).items() if not name.startswith("_")}
OF_ALERTS = {"alertname", "alertstate", "severity"}


def rules(plan: Plan) -> Iterator[Mapping[str, Any]]:
    for text in plan.rules.values():
        for group in yaml.safe_load(text)["groups"]:
            yield from group["rules"]


def asked(plan: Plan) -> set[str]:
    """Every query of dashboards, variables and rules, with any value for each variable."""
    queries = {str(rule["expr"]) for rule in rules(plan)}
    for document in plan.dashboards:
        board = grafana.read(document, plan.scrape_seconds)
        queries |= {target.expr for panel in board.panels for target in panel.targets if target.source is AMP}
    return {_plain(one) for one in queries}


def _plain(query: str) -> str:
    query = re.sub(r"\$\{?__(rate_interval|interval|range)\w*\}?", "5m", query)
    return re.sub(r"\$\{?\w+(:\w+)?\}?", "1", query)


def labels(query: str) -> set[str]:
    """The labels that selectors of a query match."""
    found: set[str] = set()

    def visit(node: Any) -> None:
        for part in ("lhs", "rhs", "expr", "param", "vector_selector", "args"):
            inner = getattr(node, part, None)
            for child in cast("list[Any]", inner) if isinstance(inner, list) else [inner]:
                if child is not None:
                    visit(child)
        if isinstance(node, promql_parser.VectorSelector):
            found.update(one.name for one in node.matchers.matchers)

    visit(promql_parser.parse(query))
    return found


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_every_metric_that_is_asked_for_is_written_or_recorded(stack: str) -> None:
    plan = rendered(stack)
    recorded = {str(rule["record"]) for rule in rules(plan) if "record" in rule}
    unknown = {name for query in asked(plan) for name in promql.metrics(query)} - WRITTEN - recorded
    assert unknown <= {catalogue.ALERTS}


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_every_label_that_is_asked_for_is_in_the_catalogue(stack: str) -> None:
    plan = rendered(stack)
    made = {label for rule in rules(plan) for label in rule.get("labels", {})}
    assert {label for query in asked(plan) for label in labels(query)} - LABELS - OF_ALERTS - made <= {"__name__"}


def test_everything_in_the_catalogue_is_asked_for() -> None:
    named = {name for stack in ("dev", "prod") for query in asked(rendered(stack)) for name in promql.metrics(query)}
    unused = {metric for metric, names in catalogue.SERIES_OF.items() if not named & set(names)}
    assert unused == set()
