"""Whole configurations, and their structure: against what ADOT has, and against what loses data."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from documents import adot, collector, ports
from documents.catalogue import Pattern
from documents.collector.part import Configuration
from tests.documents.collector.made import (
    FILTER_COLLECTOR,
    FILTER_TASK,
    NAMES,
    configurations,
    inputs,
    own_figures,
    telemetry,
)
from tests.documents.collector.test_labels import KEPT

MEMORY_LIMITER = {"check_interval": "1s", "limit_mib": 384, "spike_limit_mib": 102}
DETECTION = {
    "detectors": ["ecs"],
    "timeout": "5s",
    "override": False,
    "ecs": {
        "resource_attributes": {
            key: {"enabled": False}
            for key in (
                "aws.ecs.cluster.arn",
                "aws.ecs.task.arn",
                "aws.log.group.arns",
                "aws.log.group.names",
                "aws.log.stream.arns",
                "aws.log.stream.names",
                "cloud.account.id",
                "cloud.availability_zone",
                "cloud.provider",
                "cloud.region",
            )
        }
    },
}
LEAN = {
    "attributes": [
        {
            "pattern": "^(telemetry|process|os|host)[.]|^aws[.]ecs[.](cluster[.]name|task[.]family)$",
            "action": "delete",
        }
    ]
}
LABELS = {
    "attributes": [
        *({"key": f"kept.{key}", "from_attribute": key, "action": "insert"} for key in KEPT),
        {"pattern": "^([^k]|k[^e]|ke[^p]|kep[^t]|kept[^.])", "action": "delete"},
        *({"key": key, "from_attribute": f"kept.{key}", "action": "insert"} for key in KEPT),
        {"pattern": "^kept[.]", "action": "delete"},
    ]
}
IDENTITY = [
    {"key": "service.namespace", "value": "shop", "action": "insert"},
    {"key": "deployment.environment.name", "value": "dev", "action": "insert"},
    {"key": "aws.ecs.cluster.name", "value": "shop-dev", "action": "insert"},
    {"key": "aws.ecs.service.name", "value": "orders", "action": "insert"},
    {"key": "aws.ecs.task.family", "value": "shop-dev-orders", "action": "insert"},
]
RESOURCE_COLLECTOR = {
    "attributes": [
        {"key": "service.name", "value": "collector", "action": "upsert"},
        {"key": "service.instance.id", "from_attribute": "aws.ecs.task.id", "action": "upsert"},
        *IDENTITY,
    ]
}

EXTENSIONS = {
    "health_check": {"endpoint": "${env:HEALTH_CHECK_ENDPOINT:-127.0.0.1:13133}"},
    "sigv4auth": {"region": "${env:AWS_REGION}", "service": "aps"},
    "file_storage": {
        "directory": "${env:QUEUE_DIRECTORY:-/home/aoc/queue}",
        "create_directory": True,
        "recreate": True,
    },
}


def buffer_receiver(name: str, port: int) -> dict[str, Any]:
    endpoint = f"${{env:{name.upper()}_BUFFER_ENDPOINT:-127.0.0.1:{port}}}"
    return {f"otlp/{name}": {"protocols": {"grpc": {"endpoint": endpoint, "max_recv_msg_size_mib": 64}}}}


def buffer_exporter(name: str, port: int, consumers: int, at_least: int, at_most: int) -> dict[str, Any]:
    return {
        f"otlp_grpc/{name}": {
            "endpoint": f"${{env:{name.upper()}_BUFFER_ENDPOINT:-127.0.0.1:{port}}}",
            "tls": {"insecure": True},
            "compression": "none",
            "timeout": "40s",
            "retry_on_failure": {"initial_interval": "5s", "max_interval": "30s", "max_elapsed_time": "0s"},
            "sending_queue": {
                "storage": "file_storage",
                "sizer": "bytes",
                "queue_size": 536_870_912,
                "num_consumers": consumers,
                "batch": {"sizer": "items", "flush_timeout": "1s", "min_size": at_least, "max_size": at_most},
            },
        }
    }


def remote_write(name: str, naming: str) -> dict[str, Any]:
    return {
        f"prometheus_remote_write/{name}": {
            "endpoint": "${env:AWS_PROMETHEUS_ENDPOINT}",
            "auth": {"authenticator": "sigv4auth"},
            "timeout": "60s",
            "retry_on_failure": {"enabled": False},
            "remote_write_queue": {"enabled": False},
            "max_batch_request_parallelism": 1,
            "translation_strategy": naming,
            "disable_scope_info": True,
            "target_info": {"enabled": False},
            "resource_to_telemetry_conversion": {"enabled": True, "exclude_service_attributes": True},
        }
    }


OWN = ("collector", "${env:TELEMETRY_PORT:-8888}")
FRONT = ("front", "${env:FRONT_TELEMETRY_PORT:-8889}")

DELIVERING = {
    **buffer_exporter("xray", 14310, consumers=2, at_least=50, at_most=50),
    "awsxray": {"region": "${env:AWS_REGION}", "max_retries": 100},
    **buffer_exporter("application", 14311, consumers=1, at_least=1, at_most=1000),
    **remote_write("application", "UnderscoreEscapingWithSuffixes"),
    **buffer_exporter("collector", 14313, consumers=1, at_least=1, at_most=1000),
    **remote_write("collector", "UnderscoreEscapingWithSuffixes"),
}

OWN_PIPELINE = {
    "receivers": ["prometheus/collector"],
    "processors": ["resource_detection", "filter/collector", "resource/collector", "resource/labels"],
    "exporters": ["otlp_grpc/collector"],
}


def behind(name: str, exporter: str) -> dict[str, Any]:
    return {"receivers": [f"otlp/{name}"], "exporters": [exporter]}


def test_sidecar_configuration_whole() -> None:
    assert collector.configuration(inputs(Pattern.SIDECAR)) == {
        "extensions": EXTENSIONS,
        "receivers": {
            "otlp": {
                "protocols": {
                    "grpc": {"endpoint": "${env:OTLP_GRPC_ENDPOINT:-127.0.0.1:4317}"},
                    "http": {"endpoint": "${env:OTLP_HTTP_ENDPOINT:-127.0.0.1:4318}"},
                }
            },
            **buffer_receiver("xray", 14310),
            **buffer_receiver("application", 14311),
            **own_figures("60s", OWN),
            **buffer_receiver("collector", 14313),
            "awsecscontainermetrics": {"collection_interval": "${env:ECS_METRICS_INTERVAL:-60s}"},
            **buffer_receiver("task", 14312),
        },
        "processors": {
            "memory_limiter": MEMORY_LIMITER,
            "resource_detection": DETECTION,
            "resource/traces": LEAN,
            "resource/labels": LABELS,
            "resource/application": {
                "attributes": [{"key": "service.instance.id", "from_attribute": "aws.ecs.task.id", "action": "insert"}]
            },
            "filter/collector": FILTER_COLLECTOR,
            "resource/collector": RESOURCE_COLLECTOR,
            "filter/task": FILTER_TASK,
            "resource/task": {
                "attributes": [
                    {"key": "service.name", "from_attribute": "aws.ecs.service.name", "action": "insert"},
                    {"key": "service.instance.id", "from_attribute": "aws.ecs.task.id", "action": "insert"},
                    *IDENTITY,
                ]
            },
        },
        "exporters": {
            **DELIVERING,
            **buffer_exporter("task", 14312, consumers=1, at_least=1, at_most=1000),
            **remote_write("task", "UnderscoreEscapingWithoutSuffixes"),
        },
        "service": {
            "extensions": ["health_check", "sigv4auth", "file_storage"],
            "telemetry": telemetry("${env:TELEMETRY_PORT:-8888}"),
            "pipelines": {
                "traces": {
                    "receivers": ["otlp"],
                    "processors": ["memory_limiter", "resource_detection", "resource/traces"],
                    "exporters": ["otlp_grpc/xray"],
                },
                "traces/buffered-xray": behind("xray", "awsxray"),
                "metrics/application": {
                    "receivers": ["otlp"],
                    "processors": ["memory_limiter", "resource_detection", "resource/application", "resource/labels"],
                    "exporters": ["otlp_grpc/application"],
                },
                "metrics/buffered-application": behind("application", "prometheus_remote_write/application"),
                "metrics/collector": OWN_PIPELINE,
                "metrics/buffered-collector": behind("collector", "prometheus_remote_write/collector"),
                "metrics/task": {
                    "receivers": ["awsecscontainermetrics"],
                    "processors": ["memory_limiter", "filter/task", "resource/task", "resource/labels"],
                    "exporters": ["otlp_grpc/task"],
                },
                "metrics/buffered-task": behind("task", "prometheus_remote_write/task"),
            },
        },
    }


def test_service_configuration_whole() -> None:
    assert collector.configuration(inputs(Pattern.SERVICE)) == {
        "extensions": EXTENSIONS,
        "receivers": {
            "otlp": {
                "protocols": {
                    "grpc": {
                        "endpoint": "${env:BEHIND_FRONT_ENDPOINT:-127.0.0.1:14300}",
                        "max_recv_msg_size_mib": 64,
                    }
                }
            },
            **buffer_receiver("xray", 14310),
            **buffer_receiver("application", 14311),
            **own_figures("60s", OWN, FRONT),
            **buffer_receiver("collector", 14313),
        },
        "processors": {
            "memory_limiter": MEMORY_LIMITER,
            "resource_detection": DETECTION,
            "resource/traces": LEAN,
            "resource/labels": LABELS,
            "filter/collector": FILTER_COLLECTOR,
            "resource/collector": RESOURCE_COLLECTOR,
        },
        "exporters": DELIVERING,
        "service": {
            "extensions": ["health_check", "sigv4auth", "file_storage"],
            "telemetry": telemetry("${env:TELEMETRY_PORT:-8888}"),
            "pipelines": {
                "traces": {
                    "receivers": ["otlp"],
                    "processors": ["memory_limiter", "resource/traces"],
                    "exporters": ["otlp_grpc/xray"],
                },
                "traces/buffered-xray": behind("xray", "awsxray"),
                "metrics/application": {
                    "receivers": ["otlp"],
                    "processors": ["memory_limiter", "resource/labels"],
                    "exporters": ["otlp_grpc/application"],
                },
                "metrics/buffered-application": behind("application", "prometheus_remote_write/application"),
                "metrics/collector": OWN_PIPELINE,
                "metrics/buffered-collector": behind("collector", "prometheus_remote_write/collector"),
            },
        },
    }


def test_front_configuration_whole() -> None:
    passed_on = {"receivers": ["otlp"], "processors": ["memory_limiter"], "exporters": ["otlp_grpc"]}
    assert collector.front(inputs(Pattern.SERVICE)) == {
        "extensions": {"health_check": {"endpoint": "${env:FRONT_HEALTH_CHECK_ENDPOINT:-127.0.0.1:13134}"}},
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
        "processors": {"memory_limiter": MEMORY_LIMITER},
        "exporters": {
            "otlp_grpc": {
                "endpoint": "${env:BEHIND_FRONT_ENDPOINT:-127.0.0.1:14300}",
                "tls": {"insecure": True},
                "compression": "none",
                "retry_on_failure": {"enabled": False},
                "sending_queue": {"enabled": False},
            }
        },
        "service": {
            "extensions": ["health_check"],
            "telemetry": telemetry("${env:FRONT_TELEMETRY_PORT:-8889}"),
            "pipelines": {"traces": passed_on, "metrics": passed_on},
        },
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_member_is_defined_and_every_definition_is_used(name: str) -> None:
    document = configurations()[name]
    service = document["service"]
    used = {kind: set[str]() for kind in ("receivers", "processors", "exporters")}
    for pipeline in service["pipelines"].values():
        for kind, members in pipeline.items():
            used[kind] |= set(members)
    used["extensions"] = set(service["extensions"])
    assert used == {kind: set(document[kind]) for kind in used}
    for exporter in document["exporters"].values():
        assert exporter.get("auth", {}).get("authenticator", "health_check") in used["extensions"]
        assert exporter.get("sending_queue", {}).get("storage", "health_check") in used["extensions"]


@pytest.mark.parametrize("name", NAMES)
def test_adot_has_every_component(name: str) -> None:
    assert adot.unknown_components(configurations()[name]) == []


@pytest.mark.parametrize("name", NAMES)
def test_memory_limiter_is_first_where_something_comes_from_outside_and_only_there(name: str) -> None:
    """Behind a buffer it would refuse what is on disk already, which would go round in circles."""
    for key, pipeline in configurations()[name]["service"]["pipelines"].items():
        outside = {
            "otlp", "awsecscontainermetrics", "awsxray", "zipkin", "statsd", "prometheus/application"
        }.intersection(pipeline["receivers"])  # fmt: skip
        processors = pipeline.get("processors", [])
        assert [index for index, one in enumerate(processors) if one == "memory_limiter"] == ([0] if outside else []), (
            key
        )


@pytest.mark.parametrize("name", ["sidecar", "service"])
def test_what_comes_from_outside_is_on_disk_before_it_is_sent(name: str) -> None:
    document = configurations()[name]
    for key, pipeline in document["service"]["pipelines"].items():
        buffers = [
            exporter
            for exporter in pipeline["exporters"]
            if document["exporters"][exporter].get("sending_queue", {}).get("storage") == "file_storage"
        ]
        assert buffers == ([] if "/buffered-" in key else pipeline["exporters"]), key
        if "/buffered-" in key:
            signal, _, buffer = key.partition("/buffered-")
            assert pipeline["receivers"] == [f"otlp/{buffer}"]
            feeding = document["exporters"][f"otlp_grpc/{buffer}"]["endpoint"]
            assert document["receivers"][f"otlp/{buffer}"]["protocols"]["grpc"]["endpoint"] == feeding
            assert len(pipeline["exporters"]) == 1, f"a {signal} batch would be delivered and retried at once"


def test_a_front_holds_nothing() -> None:
    for exporter in collector.front(inputs(Pattern.SERVICE))["exporters"].values():
        assert exporter["sending_queue"] == exporter["retry_on_failure"] == {"enabled": False}


def listening(document: Configuration) -> Iterator[int]:
    """The ports that a collector listens on."""
    for receiver in document["receivers"].values():
        for protocol in receiver.get("protocols", {}).values():
            yield port(protocol["endpoint"])
    yield port(document["extensions"]["health_check"]["endpoint"])
    for reader in document["service"]["telemetry"]["metrics"]["readers"]:
        yield port(reader["pull"]["exporter"]["prometheus"]["port"])


def port(address: str) -> int:
    return int(re.split("[:-]", address.rstrip("}"))[-1])


def test_nothing_in_a_task_shares_a_port() -> None:
    made = configurations()
    sidecar = sorted(listening(made["sidecar"]))
    assert sidecar == [4317, 4318, 8888, 13133, 14310, 14311, 14312, 14313]
    service = sorted([*listening(made["service"]), *listening(made["front"])])
    assert service == [4317, 4318, 8888, 8889, 13133, 13134, 14300, 14310, 14311, 14313]
    assert ports.OWN.issuperset((*sidecar, *service))


def test_one_variable_never_moves_two_addresses() -> None:
    """Only the two ends of one hop share a variable, and so a default."""
    made = configurations()
    for together in ([made["sidecar"]], [made["service"], made["front"]]):
        found = set(re.findall(r"\$\{env:(\w+):-([^}]+)\}", repr(together)))
        variables, defaults = [variable for variable, _ in found], [default for _, default in found]
        assert len(set(variables)) == len(found)
        assert {one for one in defaults if defaults.count(one) > 1} <= {"60s"}


@pytest.mark.parametrize("memory", [256, 512, 4096])
def test_the_limit_leaves_room_below_what_kills(memory: int) -> None:
    limiter = collector.front(replace(inputs(Pattern.SERVICE), memory=memory))["processors"]["memory_limiter"]
    assert limiter == {
        "check_interval": "1s",
        "limit_mib": memory * 3 // 4,
        "spike_limit_mib": memory // 5,
    }


def test_queues_that_could_fill_the_disk_are_refused() -> None:
    made = replace(inputs(Pattern.SIDECAR), queue=4096)
    [fault] = collector.faults(made, adot.IMAGE)
    assert str(fault) == (
        "collector.queue: makes 4 queues of 4096 MiB, and they may fill 12288 MiB of the task's disk (got 4096); "
        "give at most 3072 MiB"
    )
    assert collector.faults(replace(made, queue=3072), adot.IMAGE) == []
