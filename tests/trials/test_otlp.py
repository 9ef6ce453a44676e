"""Messages that are made by hand for speed say what the protocol's own classes read."""

import time

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from documents.task import Origin, telemetry_environment
from proof.remote_write import Sample
from trials.otlp import COUNTER, Counters, Point, Spans, points, sdk_resource

ORIGIN = Origin(namespace="shop", environment="dev", cluster="shop-dev", service="orders", family="shop-dev-orders")
ENVIRONMENT = telemetry_environment(ORIGIN, "http://127.0.0.1:4318", 60)
RESOURCE = sdk_resource(ENVIRONMENT)
ENDED = time.time_ns()


def read(made: Spans, numbers: range) -> list[Span]:
    message = made.message((number, ENDED) for number in numbers)
    request = ExportTraceServiceRequest.FromString(message)
    (resource,) = request.resource_spans
    (scope,) = resource.scope_spans
    assert {one.key: one.value.string_value for one in resource.resource.attributes} == RESOURCE
    assert scope.scope.name
    request.DiscardUnknownFields()
    assert request.ByteSize() == len(message)
    return list(scope.spans)


def test_the_resource_is_that_of_an_application_of_ours() -> None:
    assert RESOURCE.items() >= ORIGIN.attributes.items()
    assert RESOURCE["service.name"] == "orders"
    assert RESOURCE["service.instance.id"] != sdk_resource(ENVIRONMENT)["service.instance.id"]
    assert sdk_resource({})["service.name"] == "unknown_service"
    given = {"OTEL_RESOURCE_ATTRIBUTES": "a=b%2Cc,service.instance.id=mine"}
    assert sdk_resource(given).items() >= {"a": "b,c", "service.instance.id": "mine"}.items()


def test_server_spans_with_one_error_in_a_hundred() -> None:
    made = Spans(RESOURCE, per_trace=1)
    spans = read(made, range(300))
    assert [span.span_id.hex() for span in spans] == [made.id(number) for number in range(300)]
    assert len({span.span_id for span in spans}) == len({span.trace_id for span in spans}) == 300
    assert {span.kind for span in spans} == {Span.SPAN_KIND_SERVER}
    assert {span.parent_span_id for span in spans} == {b""}
    assert [n for n, span in enumerate(spans) if span.status.code == Status.STATUS_CODE_ERROR] == [99, 199, 299]
    assert all(ENDED - 120_000_000 < span.start_time_unix_nano < span.end_time_unix_nano == ENDED for span in spans)
    codes = [one.value.int_value for span in spans for one in span.attributes if one.key == "http.response.status_code"]
    assert (codes.count(200), codes.count(500)) == (297, 3)


def test_ids_have_the_lengths_and_the_time_that_xray_wants() -> None:
    for span in read(Spans(RESOURCE, per_trace=1), range(5)):
        assert (len(span.trace_id), len(span.span_id)) == (16, 8)
        assert int.from_bytes(span.trace_id[:4], "big") == ENDED // 1_000_000_000


def test_a_trace_of_several_spans_has_one_root_around_the_others() -> None:
    spans = read(Spans(RESOURCE, per_trace=3), range(600))
    for first in range(0, 600, 3):
        root, *others = spans[first : first + 3]
        assert (root.kind, root.parent_span_id) == (Span.SPAN_KIND_SERVER, b"")
        for other in others:
            assert other.kind == Span.SPAN_KIND_CLIENT
            assert (other.trace_id, other.parent_span_id) == (root.trace_id, root.span_id)
            assert root.start_time_unix_nano < other.start_time_unix_nano
            assert other.start_time_unix_nano < other.end_time_unix_nano < root.end_time_unix_nano
    assert len({span.trace_id for span in spans}) == 200


def test_two_applications_share_no_id() -> None:
    one, other = Spans(RESOURCE, per_trace=1), Spans(RESOURCE, per_trace=1)
    assert not {one.id(number) for number in range(1000)} & {other.id(number) for number in range(1000)}


def test_counters_are_cumulative_and_known_afterwards() -> None:
    made = Counters(RESOURCE, 3, started=1000)
    values: list[list[int]] = []
    for collection, milliseconds in enumerate((2000, 3000)):
        request = ExportMetricsServiceRequest.FromString(made.message(collection, milliseconds))
        metric = request.resource_metrics[0].scope_metrics[0].metrics[0]
        assert (metric.name, metric.sum.is_monotonic) == (COUNTER, True)
        assert metric.sum.aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE
        assert {point.start_time_unix_nano for point in metric.sum.data_points} == {1_000_000_000}
        said = {
            Point(point.attributes[0].value.string_value, point.time_unix_nano // 1_000_000, float(point.as_int))
            for point in metric.sum.data_points
        }
        assert said == set(made.points(collection, milliseconds))
        values.append([point.as_int for point in metric.sum.data_points])
    assert [later - earlier for earlier, later in zip(*values, strict=True)] == [1, 2, 3]


def test_counters_are_found_again_under_either_name() -> None:
    taken = (Sample(5, 1.0), Sample(6, 2.0))
    found = points(
        {
            (("__name__", "orders_processed_total"), ("order_kind", "kind-0")): taken,
            (("__name__", COUNTER), ("order.kind", "kind-1")): taken[:1],
            (("__name__", "up"), ("job", "orders")): taken,
        }
    )
    assert found == {Point("kind-0", 5, 1.0), Point("kind-0", 6, 2.0), Point("kind-1", 5, 1.0)}
