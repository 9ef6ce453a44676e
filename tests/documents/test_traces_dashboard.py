"""The dashboard "Traces": X-Ray's queries in the words of Grafana's plugin, and the ways into and out of a trace."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.documents.boards import assert_answers, board, data, overrides, panel, panels, series, target, variables
from tests.stacks import observed

SIDECAR = observed("dev", sidecar=["storefront", "stock"])
SERVICE = observed("prod", service=["storefront"])


def test_every_panel_has_its_number_for_good() -> None:
    assert {found["id"]: (found["type"], found["title"]) for found in panels(board(SIDECAR, "traces"))} == {
        1: ("nodeGraph", "Service map"),
        2: ("timeseries", "Requests by outcome"),
        3: ("timeseries", "Mean response time"),
        4: ("heatmap", "Distribution of latency"),
        5: ("table", "Faults"),
        6: ("table", "Causes of faults"),
        7: ("table", "Slow traces"),
        8: ("table", "Causes of slowness"),
        9: ("table", "Traces"),
        10: ("timeseries", "Spans from applications"),
        11: ("timeseries", "Spans to X-Ray"),
    }


def test_nothing_is_asked_of_x_ray_by_itself() -> None:
    assert data(board(SIDECAR, "traces"))["refresh"] == ""
    billed = [
        found for found in panels(board(SIDECAR, "traces")) if "getTraceSummaries" in json.dumps(found["targets"])
    ]
    assert [found["title"] for found in billed] == ["Faults", "Slow traces", "Traces"]
    assert all("X-Ray bills every trace that is read" in found["description"] for found in billed)


def test_what_x_ray_is_asked() -> None:
    asked = {
        found["title"]: (query["queryType"], query["query"], query.get("columns"))
        for found in panels(board(SIDECAR, "traces"))
        for query in found["targets"]
        if query["datasource"]["uid"] == "xray"
    }
    chosen = 'service("$name")'
    outcomes = ["OkCount", "ErrorStatistics.TotalCount", "ErrorStatistics.ThrottleCount", "FaultStatistics.TotalCount"]
    assert asked == {
        "Service map": ("getServiceMap", "", None),
        "Requests by outcome": ("getTimeSeriesServiceStatistics", chosen, outcomes),
        "Mean response time": ("getTimeSeriesServiceStatistics", chosen, ["Computed.AverageResponseTime"]),
        "Faults": ("getTraceSummaries", f"{chosen} {{ fault = true }}", None),
        "Causes of faults": ("getAnalyticsRootCauseFaultService", f"{chosen} {{ fault = true }}", None),
        "Slow traces": ("getTraceSummaries", f"{chosen} {{ responsetime > $slower }}", None),
        "Causes of slowness": (
            "getAnalyticsRootCauseResponseTimeService",
            f"{chosen} {{ responsetime > $slower }}",
            None,
        ),
        "Traces": ("getTraceSummaries", chosen, None),
    }


def test_a_whole_query() -> None:
    assert target(SIDECAR, "traces", "Faults") == {
        "refId": "A",
        "datasource": {"type": "grafana-x-ray-datasource", "uid": "xray"},
        "queryMode": "X-Ray",
        "queryType": "getTraceSummaries",
        "query": 'service("$name") { fault = true }',
        "region": "eu-west-1",
        "group": {"GroupName": "Default", "GroupARN": "default"},
    }


def test_one_application_is_chosen_by_its_job_and_x_ray_is_told_its_name() -> None:
    found = variables(SIDECAR, "traces")
    assert list(found) == ["cluster", "application", "name", "slower"]
    assert not found["application"]["multi"]
    assert found["application"]["current"]["value"] == "shop/storefront"
    assert (found["name"]["hide"], found["name"]["multi"]) == (2, False)
    assert (found["slower"]["query"], found["slower"]["current"]["value"]) == ("0.5,1,2,5", "0.5")


def test_a_trace_leads_to_its_segments_and_to_the_application_around_its_time() -> None:
    for title in ("Faults", "Slow traces", "Traces"):
        trace, application = overrides(panel(SIDECAR, "traces", title), "Id")["links"]
        panes = parse_qs(urlsplit(trace["url"].replace("${__data.fields.Id}", "1-2-3")).query)["panes"]
        [query] = json.loads(panes[0])["traces"]["queries"]
        assert (query["queryType"], query["query"]) == ("getTrace", "1-2-3")
        assert application["url"] == (
            "/d/application?${cluster:queryparam}&${application:queryparam}&var-trace=${__data.fields.Id}"
            "&time=${__data.fields.Start.numeric}&time.window=600000"
        )


def test_links_name_fields_by_the_names_that_the_table_gives_them() -> None:
    """`Id` and `Start`: the plugin's own names have blanks in them."""
    [renaming, *_] = panel(SIDECAR, "traces", "Traces")["transformations"]
    assert renaming["options"]["renameByName"] == {
        "Start Time": "Start",
        "Id": "Id",
        "Method": "Method",
        "Response": "Status",
        "Response Time": "Duration",
        "URL": "URL",
    }


def own(name: str, values: str, service: str, **labels: str) -> dict[str, str]:
    return series(f"otelcol_{name}", values, aws_ecs_service_name=service, **{"container": "collector"} | labels)


@pytest.mark.slow
def test_spans_are_counted_once_on_their_way(tmp_path: Path) -> None:
    """In the service pattern a front takes them, and the collector behind it takes them once more."""
    samples = [
        own("receiver_accepted_spans_total", "0+60x20", "stock", receiver="otlp", transport="http"),
        own("receiver_accepted_spans_total", "0+30x20", "stock", receiver="otlp", transport="grpc"),
        own("receiver_accepted_spans_total", "0+120x20", "collector", receiver="otlp", container="front"),
        own("receiver_accepted_spans_total", "0+120x20", "collector", receiver="otlp"),
        own("exporter_sent_spans_total", "0+90x20", "stock", exporter="awsxray"),
        own("exporter_sent_spans_total", "0+120x20", "collector", exporter="otlp_grpc", container="front"),
        own("exporter_sent_spans_total", "0+60x20", "collector", exporter="awsxray"),
        own("exporter_sent_spans_total", "0+60x20", "collector", exporter="otlp_http/partner"),
    ]
    stock, collector = '{aws_ecs_service_name="stock"}', '{aws_ecs_service_name="collector"}'
    expected = {
        ("Spans from applications", "A"): {stock: 1.5, collector: 2.0},
        ("Spans to X-Ray", "A"): {stock: 1.5, collector: 1.0},
    }
    assert_answers(tmp_path, SERVICE, "traces", samples, expected)
