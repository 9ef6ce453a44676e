"""What the dashboards of collectors and of traces must show, out of the truth of a run alone."""

from dataclasses import replace
from typing import Any, Final

import pytest
import yaml

from documents.catalogue import Label
from proof.expectations import PANELS
from proof.expectations.values import Expected, Value, exactly
from proof.plan import CONFIGURATION, Service
from proof.truth import Truth
from tests.proof.made import START, plan, service, truth

BUFFERED: Final[dict[str, Any]] = {"sending_queue": {"storage": "file_storage"}}
CONFIGURED: Final[dict[str, Any]] = {
    "exporters": {
        "otlp_grpc/xray": BUFFERED,
        "awsxray": {},
        "otlp_grpc/application": BUFFERED,
        "prometheus_remote_write/application": {},
    },
    "service": {
        "pipelines": {
            "traces": {"exporters": ["otlp_grpc/xray"]},
            "traces/buffered-xray": {"exporters": ["awsxray"]},
            "metrics/application": {"exporters": ["otlp_grpc/application"]},
            "metrics/buffered-application": {"exporters": ["prometheus_remote_write/application"]},
        }
    },
}


def sidecar(name: str) -> Service:
    made = service(name)
    made.definition["containerDefinitions"][1]["environment"] = [
        {"name": CONFIGURATION, "value": yaml.safe_dump(CONFIGURED)}
    ]
    return made


RUN: Final = truth(plan(sidecar("front"), sidecar("back")))


def expected(uid: str, title: str, ref: str = "A", run: Truth = RUN) -> Expected:
    return PANELS[uid, title, ref](run)


def near(value: Value, wanted: float) -> bool:
    """Whether this is expected, and nothing that is half or double of it."""
    return value.holds(wanted) and not value.holds(wanted / 2) and not value.holds(wanted * 2)


@pytest.mark.parametrize(
    ("uid", "title"),
    [("traces", "Spans from applications"), ("traces", "Spans to X-Ray"), ("collector", "Spans from applications")],
)
def test_spans_are_those_that_arrived_in_x_ray(uid: str, title: str) -> None:
    """A call is a subsegment below the segment of who calls."""
    spans = expected(uid, title)
    assert spans.by == (Label.SERVICE,)
    assert set(spans.series) == {("front",), ("back",)}
    assert near(spans.series["front",], 20)
    assert near(spans.series["back",], 10)


def test_spans_that_arrive_ever_later_came_in_faster_than_they_went_out() -> None:
    late = [replace(one, arrived=START + 1.5 * (one.end - START)) for one in RUN.traces.segments]
    slow = replace(RUN, traces=replace(RUN.traces, segments=tuple(late)))
    assert near(expected("traces", "Spans from applications", run=slow).series["front",], 20)
    assert near(expected("traces", "Spans to X-Ray", run=slow).series["front",], 20 / 1.5)
    assert near(expected("collector", "Spans delivered", run=slow).series["front", "awsxray"], 20 / 1.5)


def test_spans_of_a_service_pattern_are_those_of_its_collectors() -> None:
    run = truth(plan(service("front", sidecar=False), service("back", sidecar=False)))
    spans = expected("traces", "Spans to X-Ray", run=run)
    assert set(spans.series) == {("collector",)}
    assert near(spans.series["collector",], 30)


def test_points_are_the_series_that_arrived_in_amp() -> None:
    """One series of each application comes every two seconds; a bucket is no point of its own."""
    points = expected("collector", "Points delivered").series
    assert set(points) == {
        ("front", "prometheus_remote_write/application"),
        ("back", "prometheus_remote_write/application"),
    }
    assert all(near(value, 0.5) for value in points.values())
    bucket = {
        tuple(sorted({**dict(series), "__name__": "http_server_request_duration_seconds_bucket"}.items())): keys
        for series, keys in RUN.writes.writers.items()
    }
    more = replace(RUN, writes=replace(RUN.writes, writers={**RUN.writes.writers, **bucket}))
    assert expected("collector", "Points delivered", run=more).series == points


def test_nothing_fails_and_that_is_said_for_each_way() -> None:
    assert expected("collector", "Lost").series == {(): exactly(0)}
    assert expected("collector", "Refused", "A").series == {("front",): exactly(0), ("back",): exactly(0)}
    assert expected("collector", "Attempts that fail", "A").series == {
        ("front", "awsxray"): exactly(0),
        ("back", "awsxray"): exactly(0),
    }
    assert expected("collector", "Refused", "C").series == {}, "this stack takes no logs"


def test_each_buffer_is_named() -> None:
    ways = {(name, f"otlp_grpc/{buffer}") for name in ("front", "back") for buffer in ("xray", "application")}
    assert set(expected("collector", "Buffers filled").series) == ways


def test_collectors_run_a_version_and_hold_memory() -> None:
    assert expected("collector", "Collectors running").series == {(): exactly(2)}
    rows = expected("collector", "Collectors")
    assert rows.by == (Label.SERVICE, Label.TASK, Label.CONTAINER, Label.VERSION)
    assert {key[-1] for key in rows.series} == {"0.156.0"}
