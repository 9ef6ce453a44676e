"""Collector configurations: whole documents, and their structure against what ADOT has."""

import re

import pytest
import yaml

from documents import adot, catalogue, collector
from documents.catalogue import Pattern


def inputs(pattern: Pattern) -> collector.CollectorInputs:
    return collector.CollectorInputs(
        pattern=pattern, namespace="shop", environment="dev", memory=512, interval_seconds=60
    )


REMOTE_WRITE = {
    "endpoint": "${env:AWS_PROMETHEUS_ENDPOINT}",
    "auth": {"authenticator": "sigv4auth"},
    "timeout": "30s",
    "max_batch_request_parallelism": 1,
    "disable_scope_info": True,
    "target_info": {"enabled": False},
    "resource_to_telemetry_conversion": {"enabled": True, "exclude_service_attributes": True},
}

SHARED_PROCESSORS = {
    "memory_limiter": {"check_interval": "1s", "limit_mib": 384, "spike_limit_mib": 102},
    "batch/traces": {
        "timeout": "${env:TRACES_BATCH_TIMEOUT:-1s}",
        "send_batch_size": 50,
        "send_batch_max_size": 50,
    },
    "batch/metrics": {"timeout": "${env:METRICS_BATCH_TIMEOUT:-10s}", "send_batch_size": 1000},
}


def labels(*keys: str) -> dict[str, object]:
    return {
        "attributes": [
            *({"key": f"kept.{key}", "from_attribute": key, "action": "insert"} for key in keys),
            {"pattern": "^([^k]|k[^e]|ke[^p]|kep[^t]|kept[^.])", "action": "delete"},
            *({"key": key, "from_attribute": f"kept.{key}", "action": "insert"} for key in keys),
            {"pattern": "^kept[.]", "action": "delete"},
        ]
    }


SERVICE_KEYS = (
    "service.name",
    "service.namespace",
    "service.instance.id",
    "deployment.environment.name",
    "aws.ecs.cluster.name",
    "aws.ecs.service.name",
    "aws.ecs.task.family",
)
TELEMETRY = {
    "logs": {"encoding": "json"},
    "metrics": {
        "readers": [
            {"pull": {"exporter": {"prometheus": {"host": "127.0.0.1", "port": "${env:TELEMETRY_PORT:-8888}"}}}}
        ]
    },
}


def test_sidecar_configuration_whole() -> None:
    assert collector.configuration(inputs(Pattern.SIDECAR)) == {
        "extensions": {
            "health_check": {"endpoint": "${env:HEALTH_CHECK_ENDPOINT:-127.0.0.1:13133}"},
            "sigv4auth": {"region": "${env:AWS_REGION}", "service": "aps"},
        },
        "receivers": {
            "otlp": {
                "protocols": {
                    "grpc": {"endpoint": "${env:OTLP_GRPC_ENDPOINT:-127.0.0.1:4317}"},
                    "http": {"endpoint": "${env:OTLP_HTTP_ENDPOINT:-127.0.0.1:4318}"},
                }
            },
            "awsecscontainermetrics": {"collection_interval": "${env:ECS_METRICS_INTERVAL:-60s}"},
        },
        "processors": SHARED_PROCESSORS
        | {
            "resource/labels": labels(*SERVICE_KEYS, "aws.ecs.task.revision", "aws.ecs.task.id"),
            "resource_detection": {"detectors": ["ecs"], "timeout": "5s", "override": False},
            "filter/task": {
                "error_mode": "ignore",
                "metric_conditions": [
                    'not IsMatch(metric.name, "^(ecs[.]task[.]cpu[.]utilized|ecs[.]task[.]cpu[.]reserved'
                    "|ecs[.]task[.]cpu[.]usage[.]vcpu|ecs[.]task[.]memory[.]utilized|ecs[.]task[.]memory[.]reserved"
                    "|ecs[.]task[.]memory[.]usage|ecs[.]task[.]network[.]rate[.]rx|ecs[.]task[.]network[.]rate[.]tx"
                    '|ecs[.]task[.]storage[.]read_bytes|ecs[.]task[.]storage[.]write_bytes)$")'
                ],
            },
            "resource/application": {
                "attributes": [{"key": "service.instance.id", "from_attribute": "aws.ecs.task.id", "action": "insert"}]
            },
            "resource/task": {
                "attributes": [
                    {"key": "service.name", "from_attribute": "aws.ecs.service.name", "action": "insert"},
                    {"key": "service.instance.id", "from_attribute": "aws.ecs.task.id", "action": "insert"},
                    {"key": "service.namespace", "value": "shop", "action": "insert"},
                    {"key": "deployment.environment.name", "value": "dev", "action": "insert"},
                ]
            },
        },
        "exporters": {
            "awsxray": {"region": "${env:AWS_REGION}"},
            "prometheus_remote_write/application": REMOTE_WRITE
            | {"translation_strategy": "UnderscoreEscapingWithSuffixes"},
            "prometheus_remote_write/task": REMOTE_WRITE
            | {"translation_strategy": "UnderscoreEscapingWithoutSuffixes"},
        },
        "service": {
            "extensions": ["health_check", "sigv4auth"],
            "telemetry": TELEMETRY,
            "pipelines": {
                "traces": {
                    "receivers": ["otlp"],
                    "processors": ["memory_limiter", "resource_detection", "batch/traces"],
                    "exporters": ["awsxray"],
                },
                "metrics/application": {
                    "receivers": ["otlp"],
                    "processors": [
                        "memory_limiter",
                        "resource_detection",
                        "resource/application",
                        "resource/labels",
                        "batch/metrics",
                    ],
                    "exporters": ["prometheus_remote_write/application"],
                },
                "metrics/task": {
                    "receivers": ["awsecscontainermetrics"],
                    "processors": [
                        "memory_limiter",
                        "filter/task",
                        "resource/task",
                        "resource/labels",
                        "batch/metrics",
                    ],
                    "exporters": ["prometheus_remote_write/task"],
                },
            },
        },
    }


def test_service_configuration_whole() -> None:
    assert collector.configuration(inputs(Pattern.SERVICE)) == {
        "extensions": {
            "health_check": {"endpoint": "${env:HEALTH_CHECK_ENDPOINT:-127.0.0.1:13133}"},
            "sigv4auth": {"region": "${env:AWS_REGION}", "service": "aps"},
        },
        "receivers": {
            "otlp": {
                "protocols": {
                    "grpc": {
                        "endpoint": "${env:OTLP_GRPC_ENDPOINT:-0.0.0.0:4317}",
                        "keepalive": {
                            "server_parameters": {"max_connection_age": "60s", "max_connection_age_grace": "30s"}
                        },
                    },
                    "http": {"endpoint": "${env:OTLP_HTTP_ENDPOINT:-0.0.0.0:4318}"},
                }
            }
        },
        "processors": SHARED_PROCESSORS | {"resource/labels": labels(*SERVICE_KEYS)},
        "exporters": {
            "awsxray": {"region": "${env:AWS_REGION}"},
            "prometheus_remote_write/application": REMOTE_WRITE
            | {"translation_strategy": "UnderscoreEscapingWithSuffixes"},
        },
        "service": {
            "extensions": ["health_check", "sigv4auth"],
            "telemetry": TELEMETRY,
            "pipelines": {
                "traces": {
                    "receivers": ["otlp"],
                    "processors": ["memory_limiter", "batch/traces"],
                    "exporters": ["awsxray"],
                },
                "metrics/application": {
                    "receivers": ["otlp"],
                    "processors": ["memory_limiter", "resource/labels", "batch/metrics"],
                    "exporters": ["prometheus_remote_write/application"],
                },
            },
        },
    }


@pytest.mark.parametrize("pattern", list(Pattern))
def test_every_member_is_defined_and_every_definition_is_used(pattern: Pattern) -> None:
    document = collector.configuration(inputs(pattern))
    service = document["service"]
    used = {kind: set[str]() for kind in ("receivers", "processors", "exporters")}
    for pipeline in service["pipelines"].values():
        for kind, members in pipeline.items():
            used[kind] |= set(members)
    used["extensions"] = set(service["extensions"])
    assert used == {kind: set(document[kind]) for kind in used}
    assert document["exporters"]["prometheus_remote_write/application"]["auth"]["authenticator"] in used["extensions"]


@pytest.mark.parametrize("pattern", list(Pattern))
def test_adot_has_every_component(pattern: Pattern) -> None:
    assert adot.unknown_components(collector.configuration(inputs(pattern))) == []


def test_a_component_that_adot_lacks_is_named() -> None:
    document = collector.configuration(inputs(Pattern.SIDECAR))
    document["processors"]["transform/x"] = {}
    document["connectors"] = {"spanmetrics": None}
    assert adot.unknown_components(document) == ["processors.transform/x", "connectors.spanmetrics"]


@pytest.mark.parametrize("pattern", list(Pattern))
def test_memory_limiter_is_first_in_every_pipeline(pattern: Pattern) -> None:
    pipelines = collector.configuration(inputs(pattern))["service"]["pipelines"]
    assert {pipeline["processors"][0] for pipeline in pipelines.values()} == {"memory_limiter"}


@pytest.mark.parametrize("pattern", list(Pattern))
def test_text_is_the_document_and_stable(pattern: Pattern) -> None:
    document = collector.configuration(inputs(pattern))
    text = collector.to_yaml(document)
    assert yaml.safe_load(text) == document
    assert collector.to_yaml(collector.configuration(inputs(pattern))) == text
    assert "&id" not in text


def test_an_unescaped_dollar_never_reaches_the_collector() -> None:
    text = collector.to_yaml(collector.configuration(inputs(Pattern.SIDECAR)))
    assert re.findall(r"\$(?!\{env:[A-Z_]+(?::-[^}]+)?\})[^\")]", text) == []


def test_deletion_pattern_spares_only_the_hidden_attributes() -> None:
    [deletion] = [
        action["pattern"]
        for action in collector.configuration(inputs(Pattern.SERVICE))["processors"]["resource/labels"]["attributes"]
        if action.get("pattern", "").startswith("^(")
    ]
    for key in ("service.name", "host.name", "kafka.topic", "kept_alive", "keptx", "k8s.pod", "process.pid"):
        assert re.search(deletion, key), key
    for key in catalogue.IDENTITY:
        assert not re.search(deletion, f"kept.{key}")
