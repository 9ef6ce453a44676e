"""X-Ray's OTLP endpoint, Cloud Map and samplers, as the proof stands in for them and judges them."""

import asyncio
import gzip
import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from proof import addresses, checks, equipment, sampling, spans
from proof.cloud_map import CloudMap
from proof.plan import Plan, Service
from proof.sampling import Bounds, Chance
from proof.sigv4 import Scope
from proof.verdict import Kind
from proof.web import Answer, Request, fetch
from proof.xray import Received, XRay
from tests.proof import made
from tests.proof.test_sigv4 import KNOWN, signed

TRACE = bytes(range(16))


def request(*wanted: dict[str, Any], service: str = "web") -> bytes:
    """An OTLP request with spans of one service; `attributes` are texts or whole numbers."""
    message = ExportTraceServiceRequest()
    resource = message.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    scope = resource.scope_spans.add()
    for fields in wanted:
        attributes, status = fields.pop("attributes", {}), fields.pop("status", Status.STATUS_CODE_UNSET)
        times = {"start_time_unix_nano": 1_500_000_000, "end_time_unix_nano": 2_000_000_000}
        span = scope.spans.add(**{"trace_id": TRACE, "span_id": b"12345678", "name": "x", **times, **fields})
        span.status.code = status
        for key, value in attributes.items():
            kind = "int_value" if isinstance(value, int) else "string_value"
            setattr(span.attributes.add(key=key).value, kind, value)
    return message.SerializeToString()


def put(body: bytes, *, kind: str = "application/x-protobuf", encoding: str = "gzip") -> tuple[int, Received]:
    xray = XRay(KNOWN, "eu-west-1")

    async def run() -> Answer:
        async with xray.open() as port:
            sent = signed(f"http://127.0.0.1:{port}/v1/traces", body, Scope("eu-west-1", "xray"))
            headers = {**sent.headers, "content-encoding": encoding}
            # Signed as `x` by the helper; the type that is judged is not among what is signed.
            return await xray.handle(Request("POST", "/v1/traces", headers | {"content-type": kind}, body))

    return asyncio.run(run()).status, xray.received


def test_spans_become_the_segments_that_the_classic_exporter_would_send() -> None:
    body = request(
        {"kind": Span.SPAN_KIND_SERVER, "attributes": {"http.response.status_code": 502, "url.path": "/orders/3"}},
        {
            "kind": Span.SPAN_KIND_CLIENT,
            "span_id": b"abcdefgh",
            "parent_span_id": b"12345678",
            "attributes": {"server.address": "inventory", "http.status_code": 404},
        },
        {"span_id": b"ABCDEFGH", "parent_span_id": b"12345678", "status": Status.STATUS_CODE_ERROR},
    )
    root, call, inner = spans.segments(Request("POST", "/v1/traces", {"content-type": "application/x-protobuf"}, body))
    assert root.trace == "1-00010203-0405060708090a0b0c0d0e0f"
    assert (root.id, root.parent, root.name, root.start, root.end) == (b"12345678".hex(), "", "web", 1.5, 2.0)
    assert (root.status, root.fault, root.error, root.subsegment, root.url) == (502, True, False, False, "/orders/3")
    assert (call.parent, call.name, call.subsegment, call.error, call.fault) == (
        root.id, "inventory", True, True, False,
    )  # fmt: skip
    assert (inner.name, inner.subsegment, inner.fault, inner.status) == ("x", True, True, 0)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"text", "not gzip"),
        (gzip.compress(b"text"), "not an OTLP request"),
        (gzip.compress(bytes(spans.LARGEST + 1)), "5000001 bytes before compression"),
        (gzip.compress(request({"span_id": b"short"})), "segment id"),
        (gzip.compress(request({"end_time_unix_nano": 1})), "ends before it starts"),
    ],
    # Compressed bytes tell the time, and every worker must find the same tests.
    ids=["text", "gzip of text", "too large", "short id", "ends early"],
)
def test_what_the_endpoint_refuses_is_refused_whole(body: bytes, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proof.sigv4.verify", lambda *_: None)
    status, received = put(body)
    assert (status, received.segments) == (400, ())
    assert reason in next(iter(received.refused))


def test_more_spans_than_the_endpoint_takes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proof.sigv4.verify", lambda *_: None)
    monkeypatch.setattr(spans, "MOST_SPANS", 1)
    status, received = put(gzip.compress(request({}, {"span_id": b"abcdefgh"})))
    assert (status, received.refused) == (400, {"400 InvalidRequestException: 2 spans": 1})


def test_other_types_and_compressions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proof.sigv4.verify", lambda *_: None)
    assert put(request({}), encoding="zstd")[0] == 400
    assert put(request({}), kind="text/plain", encoding="")[0] == 400
    status, received = put(gzip.compress(request({})))
    assert (status, len(received.segments), received.refused) == (200, 1, {})
    assert put(request({}), encoding="")[0] == 200


def test_an_unsigned_request_is_refused() -> None:
    async def run() -> int:
        xray = XRay(KNOWN, "eu-west-1")
        async with xray.open() as port:
            return (await fetch(port, Request("POST", "/v1/traces", {}, request({})))).status

    assert asyncio.run(run()) == 403


# Cloud Map


def discovered(name: str = "collector.dev.shop.internal", scope: str = "servicediscovery") -> tuple[int, Any]:
    """What two registered tasks and one that was stopped look like to a front."""
    cloud_map = CloudMap(KNOWN, "eu-west-1", name, 14300)
    addresses = [cloud_map.register() for _ in range(3)]
    cloud_map.deregister(addresses[1])
    body = json.dumps({"NamespaceName": "dev.shop.internal", "ServiceName": "collector"}).encode()

    async def run() -> Answer:
        async with cloud_map.open():
            port = int(cloud_map.environment["HTTP_PROXY"].rpartition(":")[2])
            sent = signed("http://data-cloud-map/", body, Scope("eu-west-1", scope))
            headers = {**sent.headers, "x-amz-target": "Route53AutoNaming_v20170314.DiscoverInstances"}
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
            head = f"POST http://data-cloud-map/ HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n"
            writer.write(f"{head}connection: close\r\n\r\n".encode() + body)
            answer = (await reader.read()).decode()
            writer.close()
            return Answer(int(answer.split()[1]), answer.partition("\r\n\r\n")[2].encode())

    answer = asyncio.run(run())
    return answer.status, json.loads(answer.body)


def test_cloud_map_tells_the_tasks_that_there_are() -> None:
    status, said = discovered()
    assert status == 200
    assert [one["Attributes"] for one in said["Instances"]] == [
        {"AWS_INSTANCE_IPV4": "127.0.1.1"},
        {"AWS_INSTANCE_IPV4": "127.0.3.1"},
    ]


def test_cloud_map_refuses_what_aws_would() -> None:
    assert discovered(scope="xray")[0] == 403
    assert discovered(name="collector.prod.shop.internal")[1]["__type"] == "ServiceNotFound"


# Samplers


def sampled(ratio: str) -> Plan:
    """A stack whose first application begins a share of its traces."""
    front = made.service("front")
    pairs = [
        {"name": "OTEL_TRACES_SAMPLER", "value": "parentbased_traceidratio"},
        {"name": "OTEL_TRACES_SAMPLER_ARG", "value": ratio},
    ]
    front.definition["containerDefinitions"][0]["environment"].extend(pairs)
    return made.plan(front, made.service("back"))


def tailed() -> Plan:
    policies = [
        {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}},
        {"name": "slow", "type": "latency", "latency": {"threshold_ms": 400}},
        {"name": "rest", "type": "probabilistic", "probabilistic": {"sampling_percentage": 25.0}},
    ]
    text = yaml.safe_dump({"processors": {"tail_sampling": {"policies": policies}}})
    container = {
        "name": "collector",
        "environment": [
            {"name": "AOT_CONFIG_CONTENT", "value": text},
            {"name": "AWS_PROMETHEUS_ENDPOINT", "value": "x"},
        ],
    }
    return made.plan(collector=Service("collector", 2, {"family": "c", "containerDefinitions": [container]}))


def test_without_samplers_every_trace_is_certain() -> None:
    assert not sampling.samples(made.plan())
    chances = sampling.chances(made.plan(), [made.sent(order) for order in range(400)])
    assert sampling.bounds(chances) == Bounds(400, 400)


def test_a_share_lies_around_its_mean() -> None:
    chances = sampling.chances(sampled("0.25"), [made.sent(order) for order in range(400)])
    # 400 times 0.25, and five times the root of 400 times 0.25 times 0.75.
    assert sampling.bounds(chances) == Bounds(57, 143)
    assert sampling.bounds([Chance(0, 0)] * 10) == Bounds(0, 0)


def test_errors_and_slow_traces_are_certain_and_the_rest_a_share() -> None:
    chances = sampling.chances(tailed(), [made.sent(order) for order in range(10)])
    kept = [(one.least, one.most) for one in chances]
    assert kept == [(1, 1) if order in (3, 7) else (0.25, 0.25) for order in range(10)]
    slower = replace(made.sent(0), ended=made.sent(0).began + 1)
    assert sampling.chances(tailed(), [slower]) == [Chance(0.25, 1)], "nobody knows where the time went"


def judged(plan: Plan, keep: Callable[[int], bool]) -> list[Kind]:
    whole = made.truth(plan)
    names = [one.name for one in plan.applications]
    kept = tuple(part for one in whole.sent if keep(one.order) for part in made.segments(one.order, names))
    truth = replace(whole, traces=Received(kept, 40))
    return [judge(truth).kind for judge in (checks.traces_counted, checks.traces_complete, checks.traces_outcomes)]


PROVED = [Kind.PROVED] * 3


def test_a_share_of_traces_is_proved_and_another_one_is_not() -> None:
    assert judged(sampled("0.25"), lambda order: order % 4 == 0) == PROVED
    assert judged(sampled("0.25"), lambda order: order % 2 == 0)[0] is Kind.FAILED
    assert judged(sampled("0.25"), lambda order: order % 40 == 0)[0] is Kind.FAILED
    assert judged(sampled("0"), lambda order: False) == PROVED
    assert judged(made.plan(), lambda order: order > 0)[0] is Kind.FAILED


def test_an_error_that_tail_sampling_lost_is_not_proved() -> None:
    assert judged(tailed(), lambda order: order % 10 in (3, 7) or order % 4 == 0) == PROVED
    assert judged(tailed(), lambda order: (order % 10 in (3, 7) or order % 4 == 0) and order != 3)[2] is Kind.FAILED


# Equipment


def program(folder: Path, text: str) -> Path:
    made = folder / "collector"
    made.write_text(f"#!/bin/sh\n{text}\n")
    made.chmod(made.stat().st_mode | stat.S_IXUSR)
    return made


def test_a_collector_without_a_component_is_named_in_one_line(tmp_path: Path) -> None:
    collector = program(tmp_path, "printf 'receivers:\\n    - name: otlp\\nprocessors:\\n    - name: batch\\n'")
    with pytest.raises(equipment.LackingError) as caught:
        equipment.check(tailed(), collector)
    assert str(caught.value) == (
        f"the collector at {collector} has no tail_sampling, which is in ADOT only: "
        "COLLECTOR=/path/to/aws-otel-collector make prove STACK=dev"
    )


def test_a_newer_name_with_underscores_is_the_same_component(tmp_path: Path) -> None:
    equipment.check(tailed(), program(tmp_path, "printf 'processors:\\n    - name: tailsampling\\n'"))


def test_a_collector_that_does_not_say_is_believed(tmp_path: Path) -> None:
    equipment.check(tailed(), program(tmp_path, "echo 'no URIs' >&2; exit 1"))


def test_where_a_collector_reads_its_configuration_from(tmp_path: Path) -> None:
    listed = program(tmp_path, "printf 'providers:\\n    - scheme: env\\n    - scheme: yaml\\n'")
    assert equipment.reads(listed, "yaml")
    assert not equipment.reads(listed, "s3")
    assert equipment.reads(program(tmp_path, "exit 1"), "s3"), "one that does not say is believed"


# Addresses that a proof replaces


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("https://xray.${env:AWS_REGION}.amazonaws.com/v1/traces", Kind.CHECKED),
        ("https://xray.us-east-1.amazonaws.com/v1/traces", Kind.FAILED),
        ("https://xray.${env:AWS_REGION}.amazonaws.com/traces", Kind.FAILED),
    ],
)
def test_traces_go_to_x_ray_of_the_region(address: str, kind: Kind) -> None:
    front = made.service("front")
    front.definition["containerDefinitions"][1]["environment"] = [
        {"name": "AWS_REGION", "value": "eu-west-1"},
        {"name": "AOT_CONFIG_CONTENT", "value": f"traces_endpoint: ${{env:XRAY_TRACES_ENDPOINT:-{address}}}\n"},
    ]
    [verdict] = [one for one in addresses.checked(made.plan(front)) if one.subject == "traces of front"]
    assert verdict.kind is kind


@pytest.mark.parametrize(("port", "kind"), [(2000, Kind.CHECKED), (2001, Kind.FAILED)])
def test_somebody_answers_where_sdks_ask_for_rules(port: int, kind: Kind) -> None:
    front = made.service("front")
    asked = {"name": "OTEL_TRACES_SAMPLER_ARG", "value": f"endpoint=http://collector.shop.internal:{port}"}
    front.definition["containerDefinitions"][0]["environment"].append(asked)
    known = frozenset({"collector.shop.internal:2000"})
    plan = made.plan(front, domains=frozenset({"shop.internal"}), listeners=known)
    [verdict] = [one for one in addresses.checked(plan) if one.subject.startswith("OTEL_TRACES_SAMPLER_ARG")]
    assert verdict.kind is kind
