"""The configuration of the OpenTelemetry Collector for each pattern.

Environment variables carry what differs between a deployment and a proof of it (addresses, region, intervals); the
default beside each is what is shipped.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from documents import catalogue
from documents.catalogue import (
    ATTRIBUTES,
    IDENTITY,
    SERVICE_INSTANCE,
    SERVICE_NAME,
    SERVICE_NAMESPACE,
    TASK_ID,
    Pattern,
)

Configuration = dict[str, Any]

OTLP_GRPC_PORT: Final = 4317
OTLP_HTTP_PORT: Final = 4318
_HEALTH_PORT: Final = 13133
_TELEMETRY_PORT: Final = 8888
OWN_PORTS: Final = frozenset({OTLP_GRPC_PORT, OTLP_HTTP_PORT, _HEALTH_PORT, _TELEMETRY_PORT})
"""Every port that a collector listens on; the containers of a task share one network."""

_KEPT: Final = "kept."
"""Prefix under which an attribute is hidden from the deletion of all others."""


@dataclass(frozen=True)
class CollectorInputs:
    """What one configuration depends on. `memory` is the container's hard limit in MiB.

    `namespace` and `environment` become `service.namespace` and `deployment.environment.name` of ECS task metrics, so
    that they carry the same `job` as the application's own.
    """

    pattern: Pattern
    namespace: str
    environment: str
    memory: int
    interval_seconds: int


def configuration(inputs: CollectorInputs) -> Configuration:
    """The whole configuration as data."""
    sidecar = inputs.pattern is Pattern.SIDECAR
    detection = ["resource_detection"] if sidecar else []
    identity = ["resource/application"] if sidecar else []
    pipelines: Configuration = {
        "traces": {
            "receivers": ["otlp"],
            "processors": ["memory_limiter", *detection, "batch/traces"],
            "exporters": ["awsxray"],
        },
        "metrics/application": {
            "receivers": ["otlp"],
            "processors": ["memory_limiter", *detection, *identity, "resource/labels", "batch/metrics"],
            "exporters": ["prometheus_remote_write/application"],
        },
    }
    if sidecar:
        pipelines["metrics/task"] = {
            "receivers": ["awsecscontainermetrics"],
            "processors": ["memory_limiter", "filter/task", "resource/task", "resource/labels", "batch/metrics"],
            "exporters": ["prometheus_remote_write/task"],
        }
    return {
        "extensions": {
            "health_check": {"endpoint": f"${{env:HEALTH_CHECK_ENDPOINT:-127.0.0.1:{_HEALTH_PORT}}}"},
            # Without the service name the signer guesses it from the host name, which a VPC endpoint hides.
            "sigv4auth": {"region": "${env:AWS_REGION}", "service": "aps"},
        },
        "receivers": _receivers(inputs),
        "processors": _processors(inputs),
        "exporters": _exporters(sidecar),
        "service": {
            "extensions": ["health_check", "sigv4auth"],
            "telemetry": _TELEMETRY,
            "pipelines": pipelines,
        },
    }


def to_yaml(document: Configuration) -> str:
    """The text that a container gets; the same document always gives the same bytes."""
    return yaml.safe_dump(document, sort_keys=False, default_flow_style=None, width=1000)


def _receivers(inputs: CollectorInputs) -> Configuration:
    if inputs.pattern is Pattern.SIDECAR:
        return {
            "otlp": {"protocols": _otlp("127.0.0.1")},
            "awsecscontainermetrics": {
                "collection_interval": f"${{env:ECS_METRICS_INTERVAL:-{inputs.interval_seconds}s}}"
            },
        }
    protocols = _otlp("0.0.0.0")  # noqa: S104 - its security group admits the stack's clients only
    # A gRPC connection lives as long as both ends: without an age limit, a replica that is added gets no clients.
    protocols["grpc"]["keepalive"] = {
        "server_parameters": {"max_connection_age": "60s", "max_connection_age_grace": "30s"}
    }
    return {"otlp": {"protocols": protocols}}


def _otlp(host: str) -> Configuration:
    return {
        "grpc": {"endpoint": f"${{env:OTLP_GRPC_ENDPOINT:-{host}:{OTLP_GRPC_PORT}}}"},
        "http": {"endpoint": f"${{env:OTLP_HTTP_ENDPOINT:-{host}:{OTLP_HTTP_PORT}}}"},
    }


def _processors(inputs: CollectorInputs) -> Configuration:
    processors: Configuration = {
        # Refuses data (the SDK retries) before the hard limit of the container kills the process.
        "memory_limiter": {
            "check_interval": "1s",
            "limit_mib": inputs.memory * 75 // 100,
            "spike_limit_mib": inputs.memory * 20 // 100,
        },
        # X-Ray takes at most 50 segments in a request.
        "batch/traces": {
            "timeout": "${env:TRACES_BATCH_TIMEOUT:-1s}",
            "send_batch_size": 50,
            "send_batch_max_size": 50,
        },
        "batch/metrics": {"timeout": "${env:METRICS_BATCH_TIMEOUT:-10s}", "send_batch_size": 1000},
        "resource/labels": {"attributes": _allow_list(inputs.pattern)},
    }
    if inputs.pattern is Pattern.SERVICE:
        # Detecting the resource here would stamp the collector's own task on every application's data.
        return processors
    return processors | {
        "resource_detection": {"detectors": ["ecs"], "timeout": "5s", "override": False},
        "filter/task": {"error_mode": "ignore", "metric_conditions": [_not_in_catalogue()]},
        # Inserted, never overwritten: two processes of one task that name themselves must stay two series.
        "resource/application": {"attributes": [_insert_from(SERVICE_INSTANCE, TASK_ID)]},
        "resource/task": {
            "attributes": [
                _insert_from(SERVICE_NAME, "aws.ecs.service.name"),
                _insert_from(SERVICE_INSTANCE, TASK_ID),
                {"key": SERVICE_NAMESPACE, "value": inputs.namespace, "action": "insert"},
                {"key": "deployment.environment.name", "value": inputs.environment, "action": "insert"},
            ]
        },
    }


def _exporters(sidecar: bool) -> Configuration:
    exporters: Configuration = {
        "awsxray": {"region": "${env:AWS_REGION}"},
        "prometheus_remote_write/application": _remote_write("UnderscoreEscapingWithSuffixes"),
    }
    if sidecar:
        # The receiver's units are no units of OpenTelemetry's: with suffixes the names end in `_None` and `_MiB`.
        exporters["prometheus_remote_write/task"] = _remote_write("UnderscoreEscapingWithoutSuffixes")
    return exporters


def _remote_write(naming: str) -> Configuration:
    return {
        "endpoint": "${env:AWS_PROMETHEUS_ENDPOINT}",
        "auth": {"authenticator": "sigv4auth"},
        # Retries happen within it: at the default of 5 s, an outage of 5 s loses data.
        "timeout": "30s",
        # AMP wants the samples of a series in order; parallel requests of one batch would race.
        "max_batch_request_parallelism": 1,
        "translation_strategy": naming,
        "disable_scope_info": True,
        "target_info": {"enabled": False},
        # Without it ECS metrics have no labels at all, and every task writes the same series.
        "resource_to_telemetry_conversion": {"enabled": True, "exclude_service_attributes": True},
    }


def _allow_list(pattern: Pattern) -> list[Configuration]:
    """Actions of a resource processor that leave the catalogue's attributes and nothing else.

    The processor can only delete what matches, and its regular expressions cannot say "other than": so what stays is
    hidden under a prefix, everything without the prefix is deleted, and the prefix is taken off again.
    """
    kept = [*IDENTITY, *(attribute.key for attribute in ATTRIBUTES if pattern in attribute.patterns)]
    return [
        *(_insert_from(f"{_KEPT}{key}", key) for key in kept),
        {"pattern": "^([^k]|k[^e]|ke[^p]|kep[^t]|kept[^.])", "action": "delete"},
        *(_insert_from(key, f"{_KEPT}{key}") for key in kept),
        {"pattern": "^kept[.]", "action": "delete"},
    ]


def _insert_from(key: str, source: str) -> Configuration:
    return {"key": key, "from_attribute": source, "action": "insert"}


def _not_in_catalogue() -> str:
    """The OTTL condition for dropping: true for every metric that no dashboard or rule asks for."""
    return f'not IsMatch(metric.name, "^({_alternatives(metric.otel for metric in catalogue.TASK_METRICS)})$")'


def _alternatives(names: Iterable[str]) -> str:
    return "|".join(name.replace(".", "[.]") for name in names)


_TELEMETRY: Final[Mapping[str, Any]] = {
    "logs": {"encoding": "json"},
    "metrics": {
        "readers": [
            {
                "pull": {
                    "exporter": {
                        "prometheus": {"host": "127.0.0.1", "port": f"${{env:TELEMETRY_PORT:-{_TELEMETRY_PORT}}}"}
                    }
                }
            }
        ]
    },
}
