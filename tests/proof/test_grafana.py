"""What Grafana makes of a dashboard: panels, units, variables, its own variables."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from documents.dashboards.sources import AMP, CLOUDWATCH, XRAY
from proof import grafana
from proof.grafana import Choice, Clock, Variable, interpolate
from proof.truth import Window
from tests.proof.made import START, server

WINDOW = Window(START, START + 30)


def variable(name: str, **changes: Any) -> Variable:
    made: dict[str, Any] = {"kind": "query", "query": "", "source": AMP, "several": False, "all_value": ""}
    return Variable(name=name, **(made | {"current": (), "fixed": (), "regex": ""} | changes))


def choice(several: bool, *values: str, all_value: str = "") -> Choice:
    return Choice().adding(variable("job", several=several, all_value=all_value), values)


@pytest.mark.parametrize(
    ("chosen", "text", "expected"),
    [
        (choice(False, "a"), 'up{job="$job"}', 'up{job="a"}'),
        (choice(False, "it's"), 'up{job="$job"}', 'up{job="it\\\\\'s"}'),
        (choice(True, "a"), 'up{job=~"$job"}', 'up{job=~"a"}'),
        (choice(True, "a", "b.c"), 'up{job=~"$job"}', r'up{job=~"(a|b\\.c)"}'),
        (choice(True, "a", "b", all_value=".*"), 'up{job=~"${job}"}', 'up{job=~".*"}'),
        (choice(True, "a", "b"), "[[job]] [[job:csv]]", "(a|b) a,b"),
        (choice(True, "a", "b"), "${job:pipe} ${job:csv} ${job:doublequote}", 'a|b a,b "a","b"'),
        (choice(True, "a.b", "c"), "${job:regex} ${job:raw} ${job:singlequote}", r"(a\.b|c) a.b,c 'a.b','c'"),
        (choice(True, "a"), "$other ${other} ${__data.fields.x}", "$other ${other} ${__data.fields.x}"),
    ],
)
def test_variables_become_what_grafana_writes(chosen: Choice, text: str, expected: str) -> None:
    assert interpolate(text, chosen, {}) == expected


def dashboard(*panels: Mapping[str, Any], variables: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    return {"uid": "u", "title": "T", "panels": list(panels), "templating": {"list": list(variables)}}


def panel(**changes: Any) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": "P",
        "targets": [{"expr": "up", "refId": "A"}],
        "datasource": {"uid": "amp"},
    } | changes


def test_times_shrink_with_the_distance_of_samples() -> None:
    board = grafana.read(dashboard(panel(targets=[{"expr": "x", "interval": "60s"}, {"expr": "y"}])), 15.0)
    stated, unstated = board.panels[0].targets
    clock = Clock(factor=30.0, window=WINDOW)
    assert clock.built_in(stated)["__rate_interval"] == "8000ms"
    assert clock.built_in(stated)["__interval"] == "2000ms"
    assert clock.built_in(stated)["__range"] == "30000ms"
    assert clock.span(stated).step == 2.0
    # A data source that is told nothing makes windows of a minute: too short for a sample a minute, here as there.
    assert clock.built_in(unstated)["__rate_interval"] == "2000ms"
    text = "rate(x[$__rate_interval]) + rate(x[5m])"
    assert interpolate(text, Choice(), clock.built_in(stated)) == "rate(x[8000ms]) + rate(x[5m])"


def test_panels_come_out_of_open_and_collapsed_rows() -> None:
    board = grafana.read(
        dashboard(
            panel(title="above"),
            {"type": "row", "title": "Open", "panels": []},
            panel(title="in open"),
            {"type": "row", "title": "Closed", "collapsed": True, "panels": [panel(title="in closed")]},
            {"type": "text", "title": "words"},
        ),
        60.0,
    )
    assert [(one.row, one.title) for one in board.panels] == [
        ("", "above"),
        ("Open", "in open"),
        ("Closed", "in closed"),
    ]


def test_data_sources_are_found_by_uid_type_and_old_name() -> None:
    def source(reference: Any, of_target: Any = None) -> object:
        target = {"expr": "x"} | ({"datasource": of_target} if of_target else {})
        return grafana.read(dashboard(panel(datasource=reference, targets=[target])), 60.0).panels[0].targets[0].source

    assert source({"uid": "amp"}) is AMP
    assert source("amp") is AMP
    assert source({"type": "prometheus", "uid": "elsewhere"}) is AMP
    assert source({"uid": "-- Mixed --"}, {"uid": "cloudwatch"}) is CLOUDWATCH
    assert source({"type": "grafana-x-ray-datasource"}) is XRAY
    assert source("Prometheus") is None
    assert source(None) is None


def test_units_of_columns_and_queries_go_before_the_panels() -> None:
    table = panel(
        type="table",
        targets=[{"expr": "a", "refId": "A"}, {"expr": "b", "refId": "B"}, {"expr": "c", "refId": "C"}],
        transformations=[
            {
                "id": "organize",
                "options": {"renameByName": {"Value #A": "CPU", "job": "Job"}, "excludeByName": {"Time": True}},
            },
            {"id": "organize", "options": {"indexByName": {"Job": 0, "CPU": 1}}},
        ],
        fieldConfig={
            "defaults": {"unit": "short"},
            "overrides": [
                {"matcher": {"id": "byName", "options": "CPU"}, "properties": [{"id": "unit", "value": "percent"}]},
                {"matcher": {"id": "byFrameRefID", "options": "B"}, "properties": [{"id": "unit", "value": "mbytes"}]},
            ],
        },
    )
    read = grafana.read(dashboard(table), 60.0).panels[0]
    assert [one.unit for one in read.targets] == ["percent", "mbytes", "short"]
    assert [one.scale for one in read.targets] == [0.01, 2**20, 1.0]
    assert list(read.renamed) == ["job", "Value #A"]
    assert read.hidden == {"Time"}


def answers(query: str) -> list[tuple[Mapping[str, str], float]]:
    every = [({"__name__": "up", "job": "a", "pod": "a-1"}, 1.0), ({"__name__": "up", "job": "b", "pod": "b-1"}, 0.0)]
    return [one for one in every if 'job="b"' not in query or one[0]["job"] == "b"]


@pytest.mark.parametrize(
    ("asked", "regex", "expected"),
    [
        ("label_values(job)", "", ["a", "b"]),
        ('label_values(up{job="$job"}, pod)', "", ["b-1"]),
        ('label_values(up{a="1,2",job="b"} , pod )', "", ["b-1"]),
        ("query_result(up)", "", ['up{job="a",pod="a-1"} 1', 'up{job="b",pod="b-1"} 0']),
        ("query_result(up)", '/pod="([^"]+)"/', ["a-1", "b-1"]),
        ("label_values(pod)", "b-.*", ["b-1"]),
    ],
)
def test_variables_offer_what_prometheus_has(asked: str, regex: str, expected: list[str]) -> None:
    made = variable("v", query=asked, regex=regex)
    assert asyncio.run(grafana.options(made, choice(False, "b"), server(answers), WINDOW)) == expected


def test_an_unknown_variable_query_is_an_error() -> None:
    with pytest.raises(ValueError, match="does not know"):
        asyncio.run(grafana.options(variable("v", query="tag_values(job)"), Choice(), server(answers), WINDOW))


def test_variables_are_read_in_every_form() -> None:
    board = grafana.read(
        dashboard(
            variables=[
                {"name": "new", "type": "query", "datasource": {"uid": "amp"}, "query": {"query": "label_values(a)"},
                 "includeAll": True, "allValue": ".*", "current": {"value": ["$__all"]}},
                {"name": "old", "type": "query", "datasource": "amp", "query": "label_values(b)",
                 "current": {"value": "x"}},
                {"name": "fixed", "type": "custom", "query": "a, b", "multi": True},
                {"name": "constant", "type": "constant", "query": "c"},
            ]
        ),
        60.0,
    )  # fmt: skip
    new, old, fixed, constant = board.variables
    assert (new.query, new.several, new.all_value, new.current, new.fixed) == (
        "label_values(a)",
        True,
        ".*",
        ("$__all",),
        (),
    )
    assert (old.query, old.several, old.current) == ("label_values(b)", False, ("x",))
    assert (fixed.fixed, fixed.several, constant.fixed) == (("a", "b"), True, ("c",))


def test_series_are_named_by_the_legend() -> None:
    labels = {"__name__": "up", "job": "a", "le": "0.1"}
    assert grafana.legend("{{job}} below {{ le }}", labels) == "a below 0.1"
    assert grafana.legend("", labels) == 'up{job="a",le="0.1"}'
    assert grafana.legend("__auto", {"__name__": "up"}) == "up"


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60), (">1m", 60), ("500ms", 0.5), ("1h", 3600), ("", 0), ("auto", 0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert grafana.duration(text) == seconds
