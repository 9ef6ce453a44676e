"""CloudWatch as a destination: whole exporters, and which telemetry goes there."""

from dataclasses import replace
from typing import Any

import pytest

from documents.catalogue import Pattern
from documents.collector import CollectorInputs, configuration, faults, front
from documents.signals import Signals
from tests.documents.collector.made import ORIGIN

RETRIED = {"initial_interval": "5s", "max_interval": "30s", "max_elapsed_time": "3600s"}


def inputs(pattern: Pattern, **signals: Any) -> CollectorInputs:
    return CollectorInputs(
        pattern=pattern, origin=ORIGIN, memory=512, queue=16, interval_seconds=60, signals=Signals(**signals)
    )


@pytest.mark.parametrize("pattern", Pattern)
def test_metrics(pattern: Pattern) -> None:
    without = configuration(inputs(pattern))["service"]["pipelines"]
    made = configuration(inputs(pattern, metrics_to_cloudwatch=True))
    assert made["exporters"]["awsemf"] == {
        "region": "${env:AWS_REGION}",
        "namespace": "shop-dev",
        "log_group_name": "/ecs/shop-dev/telemetry/metrics",
        "log_stream_name": "orders",
        "max_retries": 10,
        "dimension_rollup_option": "NoDimensionRollup",
        "resource_to_telemetry_conversion": {"enabled": True},
        "metric_declarations": [
            {
                "dimensions": [["service.name"], ["service.name", "http.response.status_code"]],
                "metric_name_selectors": ["^http[.]server[.]request[.]duration$"],
            },
            {
                "dimensions": [["service.name"]],
                "metric_name_selectors": [
                    "^ecs[.]task[.]cpu[.]utilized$",
                    "^ecs[.]task[.]cpu[.]reserved$",
                    "^ecs[.]task[.]memory[.]utilized$",
                    "^ecs[.]task[.]memory[.]reserved$",
                ],
            },
        ],
    }
    assert made["exporters"]["otlp_grpc/cloudwatch"]["retry_on_failure"] == RETRIED
    assert made["processors"]["cumulativetodelta"] == (
        {} if pattern is Pattern.SIDECAR else {"initial_value": "drop", "max_staleness": "90s"}
    )
    pipelines = made["service"]["pipelines"]
    names = ["application", *(["task"] if pattern is Pattern.SIDECAR else [])]
    assert {name: pipelines[name] for name in pipelines if name not in without} == {
        **{
            f"metrics/{name}-cloudwatch": {
                "receivers": without[f"metrics/{name}"]["receivers"],
                "processors": [
                    *without[f"metrics/{name}"]["processors"], "filter/cloudwatch", "cumulativetodelta", "batch"
                ],
                "exporters": ["otlp_grpc/cloudwatch"],
            }
            for name in names
        },
        "metrics/buffered-cloudwatch": {"receivers": ["otlp/cloudwatch"], "exporters": ["awsemf"]},
    }  # fmt: skip
    assert {name: pipelines[name] for name in without} == without


@pytest.mark.parametrize(("interval", "stale"), [(10, "15s"), (300, "450s")])
def test_a_sample_is_no_initial_one_while_the_next_is_awaited(interval: int, stale: str) -> None:
    wanted = replace(inputs(Pattern.SERVICE, metrics_to_cloudwatch=True), interval_seconds=interval)
    assert configuration(wanted)["processors"]["cumulativetodelta"]["max_staleness"] == stale


@pytest.mark.parametrize("pattern", Pattern)
def test_logs(pattern: Pattern) -> None:
    made = configuration(inputs(pattern, logs_to_cloudwatch=True))
    assert made["exporters"]["awscloudwatchlogs"] == {
        "region": "${env:AWS_REGION}",
        "log_group_name": "/ecs/shop-dev/telemetry/logs",
        "log_stream_name": "orders",
        "max_retries": 1,
        "retry_on_failure": RETRIED,
        "sending_queue": {
            "storage": "file_storage",
            "sizer": "bytes",
            "queue_size": 16 * 1024 * 1024,
            "num_consumers": 2,
            "batch": {"sizer": "items", "flush_timeout": "1s", "min_size": 1, "max_size": 1000},
        },
    }
    detected = ["resource_detection"] if pattern is Pattern.SIDECAR else []
    assert made["service"]["pipelines"]["logs"] == {
        "receivers": ["otlp"],
        "processors": ["memory_limiter", *detected],
        "exporters": ["awscloudwatchlogs"],
    }


def test_a_front_passes_logs_on_where_they_are_taken() -> None:
    logs = {"receivers": ["otlp"], "processors": ["memory_limiter"], "exporters": ["otlp_grpc"]}
    assert front(inputs(Pattern.SERVICE, logs_to_cloudwatch=True))["service"]["pipelines"]["logs"] == logs
    assert "logs" not in front(inputs(Pattern.SERVICE))["service"]["pipelines"]


@pytest.mark.parametrize("pattern", Pattern)
def test_adot_has_all_of_it(pattern: Pattern) -> None:
    assert faults(inputs(pattern, metrics_to_cloudwatch=True, logs_to_cloudwatch=True), "adot:v0.49.0") == []
