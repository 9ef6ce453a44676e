"""Dashboards that users bring along: every data source becomes ours, everything else stays."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from documents.dashboards.imported import DashboardError, imported
from documents.dashboards.sources import AMP, CLOUDWATCH, XRAY

OURS_AMP = {"type": "grafana-amazonprometheus-datasource", "uid": "amp"}
OURS_XRAY = {"type": "grafana-x-ray-datasource", "uid": "xray"}
OURS_CLOUDWATCH = {"type": "cloudwatch", "uid": "cloudwatch"}


def prometheus_input(name: str = "DS_WORKSPACE-1", plugin: str = "prometheus") -> dict[str, str]:
    return {"name": name, "label": name, "type": "datasource", "pluginId": plugin, "pluginName": plugin}


def old(**changes: Any) -> dict[str, Any]:
    """A dashboard of Grafana 7: `graph` panels, data sources as text, one input."""
    source = "${DS_WORKSPACE-1}"
    return {
        "__inputs": [prometheus_input()],
        "__requires": [{"type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0"}],
        "annotations": {"list": [{"builtIn": 1, "datasource": "-- Grafana --", "name": "Annotations & Alerts"}]},
        "id": 12,
        "iteration": 1600000000000,
        "panels": [
            {
                "id": 7,
                "type": "stat",
                "title": "Tasks",
                "datasource": source,
                "targets": [{"expr": "up", "refId": "A"}],
            },
            {"id": 8, "type": "graph", "title": "CPU", "datasource": source, "targets": [{"expr": "up", "refId": "A"}]},
        ],
        "schemaVersion": 27,
        "templating": {"list": []},
        "title": "Old dashboard",
        "uid": "elsewhere",
        "version": 3,
        **changes,
    }


def bring(document: object, name: str = "Old Dashboard.json", **options: Any) -> dict[str, Any]:
    made = imported(name, json.dumps(document), **options)
    result = json.loads(made.json)
    assert (made.uid, made.title) == (result["uid"], result["title"])
    return result


def with_panel(**panel: Any) -> dict[str, Any]:
    return {"title": "One", "panels": [{"id": 1, "type": "timeseries", **panel}]}


def source_of_panel(document: dict[str, Any]) -> Any:
    return bring(document)["panels"][0].get("datasource")


def test_whole_old_dashboard() -> None:
    assert bring(old()) == {
        "annotations": {"list": [{"builtIn": 1, "datasource": "-- Grafana --", "name": "Annotations & Alerts"}]},
        "panels": [
            {
                "id": 7,
                "type": "stat",
                "title": "Tasks",
                "datasource": OURS_AMP,
                "targets": [{"expr": "up", "refId": "A"}],
            },
            {
                "id": 8,
                "type": "graph",
                "title": "CPU",
                "datasource": OURS_AMP,
                "targets": [{"expr": "up", "refId": "A"}],
            },
        ],
        "schemaVersion": 27,
        "templating": {"list": []},
        "title": "Old dashboard",
        "uid": "old-dashboard",
    }


def test_bytes_are_stable() -> None:
    text = json.dumps(old())
    made = imported("a.json", text)
    assert made == imported("a.json", text)
    assert made.json == json.dumps(json.loads(made.json), sort_keys=True, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize(
    ("plugin", "ours"),
    [
        ("prometheus", OURS_AMP),
        ("grafana-amazonprometheus-datasource", OURS_AMP),
        ("grafana-x-ray-datasource", OURS_XRAY),
        ("cloudwatch", OURS_CLOUDWATCH),
    ],
)
def test_an_input_becomes_our_source_of_its_plugin(plugin: str, ours: dict[str, str]) -> None:
    document = with_panel(datasource="${DS_IN}", targets=[{"refId": "A"}])
    assert source_of_panel({**document, "__inputs": [prometheus_input("DS_IN", plugin)]}) == ours
    as_object = with_panel(datasource={"type": plugin, "uid": "${DS_IN}"}, targets=[{"refId": "A"}])
    assert source_of_panel({**as_object, "__inputs": [prometheus_input("DS_IN", plugin)]}) == ours


@pytest.mark.parametrize(
    ("named", "ours"),
    [
        ("Prometheus", OURS_AMP),
        ("Production Prometheus", OURS_AMP),
        ("AWS X-Ray", OURS_XRAY),
        ("CloudWatch", OURS_CLOUDWATCH),
        ("amp", OURS_AMP),
        ("xray", OURS_XRAY),
        ({"type": "prometheus", "uid": "P1809F7CD0C75ACF3"}, OURS_AMP),
        ({"type": "grafana-x-ray-datasource", "uid": "abc"}, OURS_XRAY),
        ({"type": "cloudwatch"}, OURS_CLOUDWATCH),
        ({"uid": "cloudwatch"}, OURS_CLOUDWATCH),
        ({"type": "prometheus", "uid": "$gone"}, OURS_AMP),
        (None, OURS_AMP),
        ("default", OURS_AMP),
        ("-- Grafana --", "-- Grafana --"),
        ("-- Mixed --", "-- Mixed --"),
        ({"type": "datasource", "uid": "-- Mixed --"}, {"type": "datasource", "uid": "-- Mixed --"}),
        ({"type": "__expr__", "uid": "__expr__"}, {"type": "__expr__", "uid": "__expr__"}),
        ({"type": "grafana", "uid": "-- Grafana --"}, {"type": "grafana", "uid": "-- Grafana --"}),
    ],
    ids=str,
)
def test_names_and_objects(named: Any, ours: Any) -> None:
    assert source_of_panel(with_panel(datasource=named, targets=[{"refId": "A"}])) == ours


def test_a_name_that_says_nothing_is_told_by_its_queries() -> None:
    asks = [{"refId": "A", "expr": "up"}]
    assert source_of_panel(with_panel(datasource="Thanos EU", targets=asks)) == OURS_AMP


def test_a_name_that_says_nothing_is_told_by_the_only_kind_required() -> None:
    document = with_panel(datasource="Production", targets=[{"refId": "A"}])
    required = [{"type": "datasource", "id": "cloudwatch", "name": "CloudWatch"}]
    assert source_of_panel({**document, "__requires": required}) == OURS_CLOUDWATCH


def test_what_asks_nothing_needs_no_source() -> None:
    text = {"id": 1, "type": "text", "datasource": None, "options": {}}
    row = {"id": 2, "type": "row", "title": "Row", "panels": []}
    assert bring({"title": "T", "panels": [text, row]})["panels"] == [text, row]


def test_a_panel_without_a_source_uses_the_default() -> None:
    assert source_of_panel(with_panel(targets=[{"refId": "A", "expr": "up"}])) == OURS_AMP


def test_a_query_without_a_source_uses_its_panels() -> None:
    found = bring(with_panel(datasource="CloudWatch", targets=[{"refId": "A"}]))["panels"][0]
    assert found["targets"] == [{"refId": "A"}]


def test_a_panel_leaves_its_source_to_its_queries() -> None:
    targets = [{"refId": "A", "datasource": {"type": "cloudwatch", "uid": "x"}}]
    found = bring(with_panel(targets=targets))["panels"][0]
    assert "datasource" not in found
    assert found["targets"] == [{"refId": "A", "datasource": OURS_CLOUDWATCH}]


def test_everywhere_in_the_document() -> None:
    named = {"type": "prometheus", "uid": "x"}
    inner = {"id": 3, "type": "table", "datasource": named, "targets": [{"refId": "A", "datasource": named}]}
    document = {
        "title": "T",
        "panels": [{"id": 1, "type": "row", "collapsed": True, "panels": [inner]}],
        "annotations": {"list": [{"name": "Deployments", "datasource": named, "expr": "up"}]},
        "templating": {
            "list": [
                {"name": "pod", "type": "query", "datasource": named, "query": "label_values(up, pod)"},
                {"name": "node", "type": "query", "query": "label_values(up, node)"},
            ]
        },
    }
    result = bring(document)
    assert result["panels"][0]["panels"][0]["datasource"] == OURS_AMP
    assert result["panels"][0]["panels"][0]["targets"][0]["datasource"] == OURS_AMP
    assert result["annotations"]["list"][0]["datasource"] == OURS_AMP
    assert [variable["datasource"] for variable in result["templating"]["list"]] == [OURS_AMP, OURS_AMP]


@pytest.mark.parametrize(
    "reference", ["$source", "${source}", "[[source]]", {"type": "prometheus", "uid": "${source}"}]
)
def test_a_variable_of_type_data_source(reference: Any) -> None:
    variable = {"name": "source", "type": "datasource", "query": "prometheus", "current": {"value": "Prometheus"}}
    document = with_panel(datasource=reference, targets=[{"refId": "A", "expr": "up"}])
    result = bring({**document, "templating": {"list": [variable]}})
    assert result["panels"][0]["datasource"] == OURS_AMP
    chosen = {"selected": True, "text": "amp", "value": "amp"}
    assert result["templating"]["list"] == [
        {"name": "source", "type": "constant", "hide": 2, "query": "amp", "current": chosen, "options": [chosen]}
    ]


def test_constant_inputs_are_put_in() -> None:
    document = with_panel(datasource="Prometheus", title="${VAR_TITLE}", targets=[{"refId": "A", "expr": "up"}])
    constant = {"name": "VAR_TITLE", "type": "constant", "label": "Title", "value": "Tasks"}
    assert bring({**document, "__inputs": [constant]})["panels"][0]["title"] == "Tasks"


def test_library_panels_are_put_in() -> None:
    placed = {"id": 4, "gridPos": {"h": 1, "w": 2, "x": 3, "y": 4}, "libraryPanel": {"uid": "lib", "name": "L"}}
    model = {"type": "stat", "title": "L", "datasource": {"type": "prometheus", "uid": "x"}, "targets": []}
    result = bring({"title": "T", "panels": [placed], "__elements": {"lib": {"model": model}}})
    assert result["panels"] == [
        {"id": 4, "gridPos": placed["gridPos"], "type": "stat", "title": "L", "datasource": OURS_AMP, "targets": []}
    ]
    assert "__elements" not in result


def test_the_answer_of_grafanas_api() -> None:
    assert bring({"meta": {}, "dashboard": old()})["title"] == "Old dashboard"


@pytest.mark.parametrize(
    ("name", "uid"),
    [
        ("AMP_ECS_Task_Monitoring.json", "amp-ecs-task-monitoring"),
        ("folder/My Board (2).json", "my-board-2"),
        ("folder\\plain", "plain"),
        ("x" * 33 + ".json", "x" * 33),
    ],
)
def test_uid(name: str, uid: str) -> None:
    assert bring(old(), name)["uid"] == uid


def test_long_names_stay_apart() -> None:
    one, other = (bring(old(), "a-very-long-name-" * 4 + end)["uid"] for end in ("one", "two"))
    assert one != other
    assert max(len(one), len(other)) <= 33


def test_without_a_title_the_uid_is_shown() -> None:
    assert bring({"panels": []}, "Costs.json")["title"] == "costs"


KINDS = "grafana-amazonprometheus-datasource, prometheus, grafana-x-ray-datasource, xray, cloudwatch"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "the file is not JSON (got Expecting property name enclosed in double quotes: line 1 column 2 (char 1)); "
              "export the dashboard from Grafana as JSON"),
        ("[1]", "the file is not a dashboard (got [1]); use a JSON object with `panels`"),
        ('{"name": "x", "on": 1}', "the file is not a dashboard (got name, on); use a JSON object with `panels`"),
        ('{"apiVersion": "dashboard.grafana.app/v1beta1", "kind": "Dashboard", "spec": {}}',
         "the dashboard is a Kubernetes-style resource (got dashboard.grafana.app/v1beta1); "
         "export it with the classic JSON model"),
        (json.dumps(old(__inputs=[prometheus_input(plugin="loki")])),
         f"a data source is of a kind that is not here (got loki); use one of {KINDS}"),
        (json.dumps(with_panel(datasource={"type": "loki", "uid": "x"})),
         f"a data source is of a kind that is not here (got loki); use one of {KINDS}"),
        (json.dumps(with_panel(datasource="Production", targets=[{"refId": "A"}])),
         f"a data source is known by its name alone (got Production); name it as one of {KINDS}"),
        (json.dumps(old(__inputs=[])),
         "an input has no data source (got ${DS_WORKSPACE-1}); declare it in `__inputs` with its plugin"),
        (json.dumps({"title": "Shows ${DS_OTHER}", "panels": []}),
         "an input has no data source (got ${DS_OTHER}); declare it in `__inputs` with its plugin"),
        (json.dumps({"title": "T", "panels": [{"id": 1, "libraryPanel": {"uid": "lib"}}]}),
         "a library panel is not in the file (got lib); export the dashboard for sharing externally"),
    ],
    ids=["no-json", "list", "no-dashboard", "kubernetes", "loki-input", "loki", "name", "no-input", "rest", "library"],
)  # fmt: skip
def test_errors(text: str, message: str) -> None:
    with pytest.raises(DashboardError) as error:
        imported("x.json", text)
    assert str(error.value) == message


def test_only_sources_at_hand() -> None:
    document = with_panel(datasource={"type": "cloudwatch", "uid": "x"})
    with pytest.raises(DashboardError, match=r"of a kind that is not here \(got cloudwatch\); use one of "):
        bring(document, sources=(AMP, XRAY))
    with pytest.raises(DashboardError, match="uses the default data source"):
        bring(with_panel(targets=[{"refId": "A"}]), sources=(CLOUDWATCH,))


def test_a_name_without_letters() -> None:
    with pytest.raises(DashboardError, match=r"the file's name makes no uid \(got \?\?\.json\)"):
        bring(old(), "??.json")


def test_awss_own_dashboard() -> None:
    path = os.environ.get("AWS_ECS_DASHBOARD")
    if not path:
        pytest.skip("AWS_ECS_DASHBOARD does not name AWS's AMP_ECS_Task_Monitoring.json")
    given = json.loads(Path(path).read_text("utf-8"))
    result = bring(given, Path(path).name)
    assert [panel["datasource"] for panel in result["panels"]] == [OURS_AMP] * 7
    for before, after in zip(given["panels"], result["panels"], strict=True):
        assert {**before, "datasource": OURS_AMP} == after
    assert not {"__inputs", "__requires", "id", "version"} & result.keys()
    assert "${DS_" not in json.dumps(result)
