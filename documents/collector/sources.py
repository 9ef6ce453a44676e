"""Where telemetry comes from: the receivers of a collector."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from documents import catalogue, ports
from documents.catalogue import SERVICE_INSTANCE, SERVICE_NAME, TASK_ID
from documents.collector import labels
from documents.collector.buffer import LARGE_MESSAGES
from documents.collector.part import Configuration, Part
from documents.signals import Receiver

EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - its security group admits the stack's clients only
LOOPBACK: Final = "127.0.0.1"

TELEMETRY_PORT: Final = f"${{env:TELEMETRY_PORT:-{ports.TELEMETRY}}}"
FRONT_TELEMETRY_PORT: Final = f"${{env:FRONT_TELEMETRY_PORT:-{ports.FRONT_TELEMETRY}}}"
"""Where a collector, and a front, have their own figures."""


_VERSION: Final = "service.version"
"""What a collector calls its version on its telemetry port, on each of its series; Prometheus asks for names as they
are, with dots."""


@dataclass(frozen=True)
class Source:
    """Receivers, and the processors that only their telemetry passes."""

    receivers: tuple[str, ...]
    part: Part
    processors: tuple[str, ...] = ()


def otlp(host: str, *, keepalive: bool = False) -> Source:
    """OTLP over gRPC and HTTP. `keepalive` ends gRPC connections after a minute, so that clients spread."""
    grpc: Configuration = {"endpoint": f"${{env:OTLP_GRPC_ENDPOINT:-{host}:{ports.OTLP_GRPC}}}"}
    if keepalive:
        grpc["keepalive"] = {"server_parameters": {"max_connection_age": "60s", "max_connection_age_grace": "30s"}}
    http = {"endpoint": f"${{env:OTLP_HTTP_ENDPOINT:-{host}:{ports.OTLP_HTTP}}}"}
    return Source(("otlp",), Part(receivers={"otlp": {"protocols": {"grpc": grpc, "http": http}}}))


def _behind_front(host: str) -> str:
    return f"${{env:BEHIND_FRONT_ENDPOINT:-{host}:{ports.BEHIND_FRONT}}}"


BEHIND_FRONT: Final = _behind_front(LOOPBACK)
"""Where a front finds the collector behind it."""


def behind_front(*, shared: bool = False) -> Source:
    """What the front of the service pattern hands on: its own, or, `shared`, those of all replicas."""
    grpc = {"endpoint": _behind_front(EVERYWHERE if shared else LOOPBACK), **LARGE_MESSAGES}
    return Source(("otlp",), Part(receivers={"otlp": {"protocols": {"grpc": grpc}}}))


def spans(receivers: Collection[Receiver], host: str) -> list[Source]:
    """Receivers of traces besides OTLP. They hold nothing: what they take goes on at once."""
    known = {Receiver.XRAY: _xray_sdk, Receiver.ZIPKIN: _zipkin}
    return [make(host) for receiver, make in known.items() if receiver in receivers]


def _xray_sdk(host: str) -> Source:
    endpoint = f"${{env:XRAY_SDK_ENDPOINT:-{host}:{ports.XRAY}}}"
    proxy = {
        "endpoint": endpoint,
        "region": "${env:AWS_REGION}",
        "aws_endpoint": "${env:AWS_ENDPOINT_URL_XRAY:-}",
    }
    return Source(("awsxray",), Part(receivers={"awsxray": {"endpoint": endpoint, "proxy_server": proxy}}))


def _zipkin(host: str) -> Source:
    settings = {"endpoint": f"${{env:ZIPKIN_ENDPOINT:-{host}:{ports.ZIPKIN}}}", "parse_string_tags": True}
    return Source(("zipkin",), Part(receivers={"zipkin": settings}))


def task_metrics(interval_seconds: int, identity: Mapping[str, str]) -> Source:
    """The figures of the collector's own ECS task. `identity` are attributes that the task's metadata does not have."""
    return Source(
        ("awsecscontainermetrics",),
        Part(
            receivers={
                "awsecscontainermetrics": {"collection_interval": f"${{env:ECS_METRICS_INTERVAL:-{interval_seconds}s}}"}
            },
            processors={
                "filter/task": labels.only(metric.otel for metric in catalogue.TASK_METRICS),
                "resource/task": {
                    "attributes": [
                        labels.insert_from(SERVICE_NAME, "aws.ecs.service.name"),
                        labels.insert_from(SERVICE_INSTANCE, TASK_ID),
                        *labels.insert(identity),
                    ]
                },
            },
        ),
        ("filter/task", "resource/task"),
    )


def own_telemetry(interval_seconds: int, identity: Mapping[str, str], telemetry_ports: Mapping[str, str]) -> Source:
    """The figures of the collectors of a task. `telemetry_ports` are their ports by the name of the container,
    `identity` the attributes of the ECS service that they belong to."""
    return Source(
        ("prometheus/collector",),
        Part(
            receivers={
                "prometheus/collector": {
                    "config": {
                        "scrape_configs": [
                            {
                                "job_name": "collector",
                                "scrape_interval": f"${{env:COLLECTOR_METRICS_INTERVAL:-{interval_seconds}s}}",
                                "static_configs": [
                                    {
                                        "targets": [f"{LOOPBACK}:{port}"],
                                        "labels": {catalogue.Label.CONTAINER: container},
                                    }
                                    for container, port in telemetry_ports.items()
                                ],
                                "metric_relabel_configs": [
                                    {"source_labels": ["receiver"], "regex": "otlp/.+", "action": "drop"},
                                    {
                                        "source_labels": ["__name__", "exporter"],
                                        "regex": "otelcol_exporter_sent_.+;otlp_grpc/.+",
                                        "action": "drop",
                                    },
                                    {
                                        "source_labels": ["__name__", _VERSION],
                                        "regex": f"{catalogue.UPTIME.scraped}(?:_total)?;(.+)",
                                        "target_label": catalogue.Label.VERSION,
                                        "replacement": "$$1",
                                    },
                                    {"regex": _VERSION.replace(".", "[.]"), "action": "labeldrop"},
                                ],
                            }
                        ]
                    }
                }
            },
            processors={
                "filter/collector": labels.only(metric.scraped for metric in catalogue.COLLECTOR_METRICS),
                "resource/collector": labels.of_task(catalogue.COLLECTOR_SERVICE, identity),
            },
        ),
        ("resource_detection", "filter/collector", "resource/collector"),
    )


def telemetry(port: str) -> dict[str, Any]:
    """What a collector says of itself: logs as JSON, figures on a port of loopback."""
    exposed = {
        "host": LOOPBACK,
        "port": port,
        "without_scope_info": True,
        "with_resource_constant_labels": {"included": [_VERSION]},
    }
    return {
        "logs": {"encoding": "json"},
        "metrics": {"readers": [{"pull": {"exporter": {"prometheus": exposed}}}]},
    }
