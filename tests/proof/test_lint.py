"""The linter finds what it is for, one rule at a time, and nothing in any dashboard of ours."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from documents.catalogue import Pattern
from documents.dashboards import Dashboard, dashboards
from documents.dashboards.folder import FOLDER, OVERVIEW
from documents.objectives import Objectives
from proof.lint import Finding, findings
from tests.stacks import application, observed

PROMISED = Objectives.model_validate({"availability": 99.9, "latency": {"threshold": "300ms", "target": 99}})

STACKS = {
    "sidecar": observed("dev", sidecar=["storefront", "inventory"]),
    "service": observed("prod", service=["storefront", "inventory"]),
    "mixed": observed("both", sidecar=["inventory"], service=["storefront"], interval=30, scraped=True),
    "promised": observed(
        "promised",
        applications=(
            application("storefront", Pattern.SIDECAR, objectives=PROMISED),
            application("inventory", Pattern.SERVICE),
        ),
        interval=120,
        max_series=5000,
    ),
    "many": observed("many", service=[f"application-{index}" for index in range(12)]),
}

EVERY = [
    pytest.param(dashboard, id=f"{name}-{dashboard.uid}")
    for name, stack in STACKS.items()
    for dashboard in dashboards(stack)
]


@pytest.mark.parametrize("dashboard", EVERY)
def test_nothing_is_wrong_with_ours(dashboard: Dashboard) -> None:
    assert findings(json.loads(dashboard.json)) == []


def good() -> dict[str, Any]:
    """A dashboard without fault: a row with a graph and a table, an hour wide each."""
    amp = {"type": "grafana-amazonprometheus-datasource", "uid": "amp"}
    described = "Requests a second, the ten busiest. A sudden fall: callers do not get through; look at the tasks."
    steps = [{"value": None, "color": "green"}, {"value": 1, "color": "yellow"}, {"value": 5, "color": "red"}]
    graph = {
        "id": 1,
        "type": "timeseries",
        "title": "Requests",
        "description": described,
        "datasource": amp,
        "gridPos": {"x": 0, "y": 1, "w": 12, "h": 8},
        "fieldConfig": {"defaults": {"unit": "reqps", "decimals": 2, "thresholds": {"steps": steps}}},
        "options": {"legend": {"showLegend": True}},
        "targets": [
            {
                "refId": "A",
                "datasource": amp,
                "expr": 'topk(10, sum by (job) (rate(requests_total{cluster="$cluster"}[$__rate_interval])))',
                "legendFormat": "{{job}}",
                "interval": "60s",
            }
        ],
    }
    table = {
        **copy.deepcopy(graph),
        "id": 2,
        "type": "table",
        "title": "Applications",
        "gridPos": {"x": 12, "y": 1, "w": 12, "h": 8},
        "transformations": [{"id": "organize", "options": {"renameByName": {"job": "Application", "Value": "Rate"}}}],
    }
    table["fieldConfig"]["overrides"] = [
        {
            "matcher": {"id": "byName", "options": "Rate"},
            "properties": [{"id": "unit", "value": "reqps"}, {"id": "decimals", "value": 1}],
        }
    ]
    return {
        "uid": OVERVIEW.uid,
        "panels": [
            {"id": 101, "type": "row", "title": "Now", "gridPos": {"x": 0, "y": 0, "w": 24, "h": 1}},
            graph,
            table,
        ],
        "templating": {"list": [{"name": "cluster", "query": {"query": "label_values(up, cluster)"}}]},
        "annotations": {"list": []},
        "links": [
            {"url": entry.path, "keepTime": True, "includeVars": True} for entry in FOLDER if entry is not OVERVIEW
        ],
    }


def test_the_example_is_good() -> None:
    assert findings(good()) == []


CLOUDWATCH = {"type": "cloudwatch", "uid": "cloudwatch"}
SEARCH = {"refId": "R", "datasource": CLOUDWATCH, "id": "raw", "hide": True, "dimensions": {"TaskId": "*"}}
MATH = {"refId": "M", "datasource": CLOUDWATCH, "expression": "RATE(raw)"}


def defaults(panel: dict[str, Any]) -> dict[str, Any]:
    return panel["fieldConfig"]["defaults"]


def asks(expr: str) -> Callable[[dict[str, Any]], None]:
    return lambda panel: panel["targets"][0].update(expr=expr)


def asks_cloudwatch(panel: dict[str, Any]) -> None:
    panel.update(datasource=CLOUDWATCH, targets=[SEARCH, MATH])


OF_THE_GRAPH: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("unit", lambda panel: defaults(panel).pop("unit"), "has no unit"),
    ("decimals", lambda panel: defaults(panel).pop("decimals"), "does not say how many decimals"),
    ("description", lambda panel: panel.update(description="Requests. A second."), "is not described: what it shows"),
    (
        "description",
        lambda panel: panel.update(
            description="Requests a second, of the ten busiest applications of all. A fall is bad, and a rise is good."
        ),
        "does not say what to do",
    ),
    ("thresholds", lambda panel: defaults(panel).pop("thresholds"), "has no thresholds that begin at minus infinity"),
    (
        "thresholds",
        lambda panel: defaults(panel)["thresholds"]["steps"].reverse(),
        "has no thresholds that begin at minus infinity",
    ),
    (
        "thresholds",
        lambda panel: defaults(panel)["thresholds"]["steps"].append({"value": 2, "color": "red"}),
        "has thresholds out of order",
    ),
    (
        "thresholds",
        lambda panel: defaults(panel).update(thresholds={"steps": [{"value": None, "color": "green"}]}),
        "calls every value good or bad",
    ),
    ("legend", lambda panel: panel["options"]["legend"].update(showLegend=False), "has no legend"),
    ("legend", lambda panel: panel["targets"][0].pop("legendFormat"), "does not name the lines of A"),
    ("queries", lambda panel: panel.update(targets=[]), "asks nothing"),
    ("queries", lambda panel: panel["targets"].append(panel["targets"][0]), "has two queries of one name"),
    ("few series", asks('sum by (job) (up{cluster="$cluster"})'), "may show more than 10 series of A"),
    ("few series", asks('topk(20, sum by (job) (up{cluster="$cluster"}))'), "may show more than 10 series of A"),
    ("few series", asks('up{cluster="$cluster"}'), "may show more than 10 series of A"),
    ("few series", asks_cloudwatch, "may show more than 10 series of CloudWatch"),
    ("windows", asks('sum(rate(up{cluster="$cluster"}[3m]))'), "looks back 3m in A, and four samples take 240s"),
    ("windows", asks('sum(sum_over_time(up{cluster="$cluster"}[1m:30s]))'), "looks back 1m in A"),
    ("windows", lambda panel: panel["targets"][0].pop("interval"), "does not state the shortest step of A"),
    ("selectors", asks('count({__name__=~".+"}) + count(up{cluster="$cluster"})'), "selects every series in A"),
    ("selectors", asks('count({}) + count(up{cluster="$cluster"})'), "selects every series in A"),
    (
        "data sources",
        lambda panel: panel["targets"][0].update(datasource={"type": "prometheus", "uid": "mine"}),
        "asks 'mine' in A, which is none of our data sources",
    ),
    ("data sources", lambda panel: panel.update(datasource=CLOUDWATCH), "names the data source 'cloudwatch'"),
    ("grid", lambda panel: panel["gridPos"].update(w=13), "overlaps"),
    ("grid", lambda panel: panel["gridPos"].update(w=4), "is 4 columns wide, and cannot be read below 8"),
    ("grid", lambda panel: panel["gridPos"].update(w=11), "leaves a hole between panels"),
    ("grid", lambda panel: panel["gridPos"].update(x=-1), "does not fit into 24 columns"),
    ("unique", lambda panel: panel.update(id=2), "has the id 2, which another has too"),
    ("unique", lambda panel: panel.update(title="Now"), "has the title 'Now', which another has too"),
    ("variables", asks('sum(up{cluster="$clutter"})'), "$clutter is used and not defined"),
]


@pytest.mark.parametrize(("rule", "breaks", "text"), OF_THE_GRAPH)
def test_what_breaks_a_rule_is_found(rule: str, breaks: Callable[[dict[str, Any]], Any], text: str) -> None:
    document = good()
    breaks(document["panels"][1])
    found = findings(document)
    assert any(one.rule == rule and text in one.text for one in found), found


OF_THE_TABLE: list[tuple[Callable[[dict[str, Any]], Any], Finding]] = [
    (
        lambda panel: panel["fieldConfig"]["overrides"][0]["properties"].pop(),
        Finding("Applications", "decimals", "does not say how many decimals the column Rate has"),
    ),
    (
        lambda panel: panel["fieldConfig"]["overrides"][0]["matcher"].update(options="Ratio"),
        Finding("Applications", "table", "says how the column Ratio looks, and has none"),
    ),
    (
        lambda panel: panel["transformations"][0]["options"]["renameByName"].update(
            {f"label_{index}": f"Column {index}" for index in range(5)}
        ),
        Finding("Applications", "table", "has 7 columns, and 6 can be read in its width"),
    ),
]


@pytest.mark.parametrize(("breaks", "finding"), OF_THE_TABLE)
def test_what_breaks_a_table_is_found(breaks: Callable[[dict[str, Any]], Any], finding: Finding) -> None:
    document = good()
    breaks(document["panels"][2])
    assert findings(document) == [finding]


OF_THE_DASHBOARD: list[tuple[Callable[[dict[str, Any]], Any], Finding]] = [
    (
        lambda document: document["templating"]["list"].append({"name": "region", "query": "a,b"}),
        Finding("", "variables", "$region is defined and not used"),
    ),
    (
        lambda document: document["templating"]["list"].insert(
            0, {"name": "service", "query": 'label_values(up{cluster="$cluster", service="$service"}, service)'}
        ),
        Finding("", "variables", "$service needs $cluster, which is chosen after it"),
    ),
    (
        lambda document: document["links"].pop(),
        Finding("", "links", "does not lead to /d/costs"),
    ),
    (
        lambda document: document["links"][0].update(keepTime=False),
        Finding("", "links", "leads to a dashboard without its time or its variables"),
    ),
    (
        lambda document: document["panels"][1].update(links=[{"url": "/d/gone?x"}]),
        Finding("", "links", "leads to /d/gone, which is none of the folder"),
    ),
]


@pytest.mark.parametrize(("breaks", "finding"), OF_THE_DASHBOARD)
def test_what_breaks_a_dashboard_is_found(breaks: Callable[[dict[str, Any]], Any], finding: Finding) -> None:
    document = good()
    breaks(document)
    assert findings(document) == [finding]


def test_panels_of_closed_rows_are_read() -> None:
    document = good()
    row, graph, table = document["panels"]
    del graph["fieldConfig"]["defaults"]["unit"]
    document["panels"] = [{**row, "panels": [graph, table]}]
    assert findings(document) == [Finding("Requests", "unit", "has no unit")]


@pytest.mark.parametrize(
    "expr",
    [
        'bottomk(10, up{cluster="$cluster"})',
        'sum(up{cluster="$cluster"})',
        'min by (slo) (up{cluster="$cluster"})',
        'histogram_quantile(0.95, sum by (le) (rate(up_bucket{cluster="$cluster"}[$__rate_interval])))',
        'sum(rate(up{cluster="$cluster"}[4m]))',
    ],
)
def test_what_is_few_by_itself_needs_no_top(expr: str) -> None:
    document = good()
    asks(expr)(document["panels"][1])
    assert findings(document) == []


@pytest.mark.parametrize("expression", ["SUM(raw)", "SORT(RATE(raw), MAX, DESC, 10)"])
def test_cloudwatch_searches_are_summed_or_limited(expression: str) -> None:
    document = good()
    document["panels"][1].update(datasource=CLOUDWATCH, targets=[SEARCH, {**MATH, "expression": expression}])
    assert findings(document) == []
