"""Receivers, and the processors that only their telemetry passes."""

from dataclasses import replace

from documents.catalogue import Pattern
from documents.collector import CollectorInputs, configuration, front, sources
from documents.collector.part import Part
from documents.collector.sources import Source
from documents.signals import Receiver, Signals
from tests.documents.collector.made import FILTER_COLLECTOR, FILTER_TASK, inputs, own_figures, telemetry

GRPC = "${env:OTLP_GRPC_ENDPOINT:-%s:4317}"
HTTP = "${env:OTLP_HTTP_ENDPOINT:-%s:4318}"

IDENTITY = {"service.namespace": "shop", "deployment.environment.name": "dev"}
IDENTIFIED = [
    {"key": "service.namespace", "value": "shop", "action": "insert"},
    {"key": "deployment.environment.name", "value": "dev", "action": "insert"},
]


def test_otlp_of_a_sidecar() -> None:
    endpoints = {"grpc": {"endpoint": GRPC % "127.0.0.1"}, "http": {"endpoint": HTTP % "127.0.0.1"}}
    assert sources.otlp(sources.LOOPBACK) == Source(("otlp",), Part(receivers={"otlp": {"protocols": endpoints}}))


def test_otlp_of_a_front_lets_its_clients_spread() -> None:
    age = {"server_parameters": {"max_connection_age": "60s", "max_connection_age_grace": "30s"}}
    endpoints = {
        "grpc": {"endpoint": GRPC % "0.0.0.0", "keepalive": age},
        "http": {"endpoint": HTTP % "0.0.0.0"},
    }
    made = sources.otlp(sources.EVERYWHERE, keepalive=True)
    assert made == Source(("otlp",), Part(receivers={"otlp": {"protocols": endpoints}}))


def test_what_a_front_hands_on_may_be_large() -> None:
    grpc = {"endpoint": "${env:BEHIND_FRONT_ENDPOINT:-127.0.0.1:14300}", "max_recv_msg_size_mib": 64}
    assert sources.behind_front() == Source(("otlp",), Part(receivers={"otlp": {"protocols": {"grpc": grpc}}}))


def test_the_figures_of_the_task() -> None:
    made = sources.task_metrics(30, IDENTITY)
    assert (made.receivers, made.processors) == (("awsecscontainermetrics",), ("filter/task", "resource/task"))
    assert made.part == Part(
        receivers={"awsecscontainermetrics": {"collection_interval": "${env:ECS_METRICS_INTERVAL:-30s}"}},
        processors={
            "filter/task": FILTER_TASK,
            "resource/task": {
                "attributes": [
                    {"key": "service.name", "from_attribute": "aws.ecs.service.name", "action": "insert"},
                    {"key": "service.instance.id", "from_attribute": "aws.ecs.task.id", "action": "insert"},
                    *IDENTIFIED,
                ]
            },
        },
    )


def test_the_figures_of_every_collector_of_a_task() -> None:
    made = sources.own_telemetry(30, IDENTITY, {"collector": "8888", "front": "8889"})
    assert made.receivers == ("prometheus/collector",)
    assert made.processors == ("resource_detection", "filter/collector", "resource/collector")
    assert made.part == Part(
        receivers=own_figures("30s", ("collector", "8888"), ("front", "8889")),
        processors={
            "filter/collector": FILTER_COLLECTOR,
            "resource/collector": {
                "attributes": [
                    {"key": "service.name", "value": "collector", "action": "upsert"},
                    {"key": "service.instance.id", "from_attribute": "aws.ecs.task.id", "action": "upsert"},
                    *IDENTIFIED,
                ]
            },
        },
    )


def test_what_a_collector_says_of_itself() -> None:
    for port, shipped in {
        sources.TELEMETRY_PORT: "${env:TELEMETRY_PORT:-8888}",
        sources.FRONT_TELEMETRY_PORT: "${env:FRONT_TELEMETRY_PORT:-8889}",
    }.items():
        assert port == shipped
        assert sources.telemetry(port) == telemetry(shipped)


def taking_spans(pattern: Pattern) -> CollectorInputs:
    return replace(inputs(pattern), signals=Signals(receivers=frozenset({Receiver.XRAY, Receiver.ZIPKIN})))


XRAY = {
    "endpoint": "${env:XRAY_SDK_ENDPOINT:-127.0.0.1:2000}",
    "proxy_server": {
        "endpoint": "${env:XRAY_SDK_ENDPOINT:-127.0.0.1:2000}",
        "region": "${env:AWS_REGION}",
        "aws_endpoint": "${env:AWS_ENDPOINT_URL_XRAY:-}",
    },
}


def test_traces_in_a_sidecar() -> None:
    made = configuration(taking_spans(Pattern.SIDECAR))
    assert made["receivers"]["awsxray"] == XRAY
    assert made["receivers"]["zipkin"] == {
        "endpoint": "${env:ZIPKIN_ENDPOINT:-127.0.0.1:9411}",
        "parse_string_tags": True,
    }
    assert made["service"]["pipelines"]["traces"]["receivers"] == ["otlp", "awsxray", "zipkin"]


def test_traces_in_the_service_pattern_enter_by_the_front() -> None:
    chosen = taking_spans(Pattern.SERVICE)
    assert not {"awsxray", "zipkin"} & configuration(chosen)["receivers"].keys()
    made = front(chosen)
    assert made["receivers"]["awsxray"]["endpoint"] == "${env:XRAY_SDK_ENDPOINT:-0.0.0.0:2000}"
    assert made["receivers"]["zipkin"]["endpoint"] == "${env:ZIPKIN_ENDPOINT:-0.0.0.0:9411}"
    assert made["service"]["pipelines"]["traces"]["receivers"] == ["otlp", "awsxray", "zipkin"]
    assert made["service"]["pipelines"]["metrics"]["receivers"] == ["otlp"]
