"""Panels on Grafana's grid, each as its type shows data."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from documents.catalogue import Label
from proof.grafana import read
from proof.prometheus import Frame
from proof.report.panels import Away, Body, Chart, Numbers, States, Table, Words, boards
from proof.truth import Truth
from proof.verdict import Kind, Verdict
from proof.verdicts import Answer, DashboardResult, PanelResult
from tests.proof.made import START, plan, truth
from tests.proof.pages import limits, panel, target

Found = Mapping[str, Sequence[tuple[Mapping[str, str], Sequence[float]]]]


def result(document: Mapping[str, Any], found: Found) -> tuple[DashboardResult, Truth]:
    """What was found for each query, by its expression: labels and values of each series."""
    board = read(document, 60.0)
    panels: list[PanelResult] = []
    for one in board.panels:
        answers: list[Answer] = []
        for asked in one.targets:
            frames = tuple(
                Frame(labels, tuple((START + 10 + 2 * at, value) for at, value in enumerate(values)))
                for labels, values in found.get(asked.expr, ())
            )
            kind = Kind.PROVED if frames else Kind.CHECKED
            answers.append(
                Answer(asked, asked.expr, frames, Verdict(kind, "panel", one.title, asked.expr, len(frames)))
            )
        panels.append(PanelResult(one, tuple(answers)))
    made = truth(plan(documents={"dashboards/made.json": json.dumps(document)}))
    return DashboardResult(board.uid, board.title, tuple(panels)), made


def board(*panels: Mapping[str, Any]) -> dict[str, Any]:
    return {"uid": "made", "title": "Made", "panels": list(panels)}


def body(document: Mapping[str, Any], found: Found) -> Body:
    shown, of = result(board(document), found)
    [row] = boards([shown], of)[0].rows
    return row.cards[0].body


def test_rows_and_panels_stand_where_grafana_puts_them() -> None:
    folded = {"type": "row", "title": "Folded", "collapsed": True, "panels": [panel("stat", "Inner", "short", y=40)]}
    document = board(
        panel("stat", "First", "short", y=0, w=24),
        {"type": "row", "title": "Row"},
        panel("stat", "Left", "short", y=9, w=8),
        panel("stat", "Right", "short", x=8, y=13, w=16),
        folded,
    )
    shown, of = result(document, {"x": [({}, [1.0])]})
    places = [
        (row.title, [(card.title, card.column, card.line, card.width, card.height) for card in row.cards])
        for row in boards([shown], of)[0].rows
    ]
    assert places == [
        ("", [("First", 1, 1, 24, 8)]),
        ("Row", [("Left", 1, 1, 8, 8), ("Right", 9, 5, 16, 8)]),
        ("Folded", [("Inner", 1, 1, 12, 8)]),
    ]


def test_panels_without_queries_stand_in_their_places_too() -> None:
    text = {
        "type": "text",
        "title": "Read me",
        "options": {"content": "words"},
        "gridPos": {"x": 0, "y": 0, "w": 6, "h": 4},
    }
    alerts = {"type": "alertlist", "title": "Firing", "gridPos": {"x": 6, "y": 0, "w": 18, "h": 4}}
    shown, of = result(board(text, alerts, panel("stat", "Tasks", "short", y=4)), {"x": [({}, [1.0])]})
    [row] = boards([shown], of)[0].rows
    assert [card.kind for card in row.cards] == [None, None, Kind.PROVED]
    assert row.cards[0].body == Words("words")
    assert row.cards[1].body == Away("Grafana fills this by itself; nothing is asked for it.", ())


def test_a_query_that_rightly_finds_nothing_is_not_called_one_of_aws() -> None:
    shown = body(panel("stat", "Alerts that fire", "short"), {})
    assert shown == Away(
        "Asked here, and answered with nothing: in a run that is well there is nothing to see.", ("x",)
    )


def test_a_stat_shows_what_it_reduces_to_in_the_colour_of_its_threshold() -> None:
    options = {"reduceOptions": {"calcs": ["max"]}, "graphMode": "area", "colorMode": "background"}
    config = {"defaults": {"unit": "percent", "thresholds": limits((None, "green"), (80, "red"))}, "overrides": []}
    shown = body(
        panel("stat", "CPU", "percent", options=options, fieldConfig=config),
        {"x": [({Label.FAMILY: "a"}, [10, 90, 40]), ({Label.FAMILY: "b"}, [1, 2, 3])]},
    )
    assert isinstance(shown, Numbers)
    assert [(one.name, one.text, one.colour) for one in shown.values] == [
        ("a", "90 %", "var(--red)"), ("b", "3 %", "var(--green)"),
    ]  # fmt: skip
    assert shown.filled
    assert shown.values[1].trend == "0.0,28.0 50.0,15.0 100.0,2.0"


@pytest.mark.parametrize(("highest", "shares"), [(None, [100.0, 50.0]), (80, [50.0, 25.0])])
def test_bars_are_shares_of_the_largest_or_of_what_the_panel_says(highest: int | None, shares: list[float]) -> None:
    config = {"defaults": {} if highest is None else {"max": highest}, "overrides": []}
    found: Found = {"x": [({Label.FAMILY: "a"}, [20]), ({Label.FAMILY: "b"}, [40])]}
    shown = body(panel("bargauge", "Series", "short", fieldConfig=config), found)
    assert isinstance(shown, Numbers)
    assert [one.share for one in shown.values] == shares


def test_a_table_joins_its_queries_colours_its_cells_and_is_sorted() -> None:
    renamed = {Label.TASK: "Task", "Value #A": "CPU", "Value #B": "Memory"}
    hot = {"id": "thresholds", "value": limits((None, "green"), (80, "red"))}
    config = {
        "defaults": {"unit": "percent"},
        "overrides": [
            {
                "matcher": {"id": "byName", "options": "CPU"},
                "properties": [hot, {"id": "custom.cellOptions", "value": {"type": "color-background"}}],
            }
        ],
    }
    document = panel(
        "table", "Tasks", "percent", target("A", "cpu"), target("B", "memory"),
        fieldConfig=config,
        options={"sortBy": [{"displayName": "CPU", "desc": True}]},
        transformations=[
            {"id": "organize", "options": {"excludeByName": {"Time": True, "job": True}, "renameByName": renamed}},
        ],
    )  # fmt: skip
    found: Found = {
        "cpu": [({Label.TASK: "one", "job": "x"}, [10.0]), ({Label.TASK: "two", "job": "x"}, [90.0])],
        "memory": [({Label.TASK: "one", "job": "y"}, [30.0])],
    }
    shown = body(document, found)
    assert isinstance(shown, Table)
    assert shown.head == (("Task", False), ("CPU", True), ("Memory", True))
    assert [[cell.text for cell in row] for row in shown.body] == [["two", "90 %", ""], ["one", "10 %", "30 %"]]
    assert [(row[1].colour, row[1].style) for row in shown.body] == [
        ("var(--red)", "background"), ("var(--green)", "background"),
    ]  # fmt: skip


def test_a_label_that_only_some_queries_have_joins_no_other_rows() -> None:
    found: Found = {
        "memory": [({Label.TASK: "one"}, [1.0]), ({Label.TASK: "two"}, [2.0])],
        "version": [({Label.TASK: "one", "version": "a"}, [3.0]), ({Label.TASK: "two", "version": "b"}, [4.0])],
    }
    document = panel("table", "Tasks", "short", target("A", "memory"), target("B", "version"))
    shown = body(document, found)
    assert isinstance(shown, Table)
    assert [name for name, _ in shown.head] == ["Value #A", "Value #B", Label.TASK, "version"]
    assert [[cell.text for cell in row] for row in shown.body] == [["1", "3", "one", "a"], ["2", "4", "two", "b"]]


def test_a_chart_has_thresholds_a_legend_and_an_axis_for_each_of_two_units() -> None:
    config = {
        "defaults": {
            "unit": "percent",
            "thresholds": limits((None, "green"), (80, "red")),
            "custom": {"thresholdsStyle": {"mode": "dashed"}, "stacking": {"mode": "none"}},
        },
        "overrides": [
            {"matcher": {"id": "byFrameRefID", "options": "B"}, "properties": [{"id": "unit", "value": "bytes"}]}
        ],
    }
    document = panel(
        "timeseries", "Both", "percent", target("A", "share"), target("B", "size"),
        fieldConfig=config, options={"legend": {"calcs": ["lastNotNull", "max"]}},
    )  # fmt: skip
    found: Found = {"share": [({Label.FAMILY: "a"}, [90.0, 70.0])], "size": [({Label.FAMILY: "b"}, [2048.0])]}
    shown = body(document, found)
    assert isinstance(shown, Chart)
    assert (shown.head, shown.legend) == (("Last", "Max"), (("a", "70 %", "90 %"), ("b", "2 KiB", "2 KiB")))
    red = {"y": 80.0, "colour": "var(--red)"}
    assert [axis["suffix"] for axis in shown.data["axes"]] == [" %", " KiB"]
    assert shown.data["axes"][0]["limits"] == [red]
    assert [(line["axis"], line["x"], line["y"]) for line in shown.data["lines"]] == [
        (0, [0.0, 2.0], [90.0, 70.0]), (1, [0.0], [2.0]),
    ]  # fmt: skip


def test_a_heatmap_shows_what_is_new_in_each_bucket() -> None:
    found: Found = {
        "x": [({"le": "+Inf"}, [9.0, 20.0]), ({"le": "0.1"}, [4.0, 5.0]), ({"le": "2.5"}, [9.0, 18.0])],
    }
    shown = body(panel("heatmap", "Latency", "s"), found)
    assert isinstance(shown, Chart)
    assert shown.data == {
        "type": "heatmap", "x": [0.0, 2.0], "y": ["100 ms", "2.5 s", "more"], "z": [[4, 5], [5, 13], [0, 2]],
    }  # fmt: skip


def test_a_state_timeline_shows_how_long_each_state_held() -> None:
    mappings = [
        {"type": "value", "options": {"0": {"text": "down", "color": "red"}, "1": {"text": "up", "color": "green"}}}
    ]
    config = {"defaults": {"mappings": mappings}, "overrides": []}
    found: Found = {"x": [({Label.FAMILY: "a"}, [1, 1, 1, 0]), ({Label.FAMILY: "b"}, [0])]}
    shown = body(panel("state-timeline", "Up", "short", fieldConfig=config), found)
    assert isinstance(shown, States)
    [(name, stretches), (_, short)] = shown.lanes
    assert name == "a"
    assert [(one.width, one.text) for one in short] == [(25, "down"), (75, "")]
    assert [(one.width, one.text, one.colour) for one in stretches] == [
        (75, "up", "var(--green)"), (25, "down", "var(--red)"),
    ]  # fmt: skip


def test_a_panel_of_two_back_ends_says_which_part_has_no_values() -> None:
    away = {"refId": "B", "datasource": {"uid": "cloudwatch"}, "expr": "away"}
    shown, of = result(board(panel("timeseries", "Both", "short", target("A", "here"), away)), {"here": [({}, [1.0])]})
    [card] = boards([shown], of)[0].rows[0].cards
    assert card.kind is Kind.CHECKED
    assert isinstance(card.body, Chart)
    assert [answer.query for answer in card.beside] == ["away"]


def test_hidden_queries_are_not_drawn() -> None:
    document = panel("timeseries", "One", "short", target("A", "here"), target("B", "helper", hide=True))
    shown = body(document, {"here": [({Label.FAMILY: "a"}, [1.0])], "helper": [({Label.FAMILY: "b"}, [1.0])]})
    assert isinstance(shown, Chart)
    assert [line["name"] for line in shown.data["lines"]] == ["a"]
