"""Tail sampling, and the front that sends all spans of a trace to one collector."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from documents import adot, collector
from documents.catalogue import Pattern
from documents.collector import destinations, sampling
from documents.signals import Receiver, Signals, TailSampling, TraceEndpoint, Traces
from tests.documents.collector.made import inputs

TAIL = TailSampling(slower_than_ms=400, ratio=0.07, wait_seconds=20)


def documents(traces: Traces, pattern: Pattern = Pattern.SERVICE) -> tuple[dict[str, Any], dict[str, Any]]:
    made = replace(inputs(pattern), signals=Signals(traces=traces))
    return collector.front(made), collector.configuration(made)


def test_the_collector_keeps_errors_slow_traces_and_a_ratio_of_the_rest() -> None:
    _, behind = documents(Traces(tail=TAIL))
    assert behind["processors"]["tail_sampling"] == {
        "decision_wait": "${env:TRACE_DECISION_WAIT:-20s}",
        "num_traces": 5461,
        "policies": [
            {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}},
            {"name": "slow", "type": "latency", "latency": {"threshold_ms": 400}},
            {"name": "rest", "type": "probabilistic", "probabilistic": {"sampling_percentage": 7.0}},
        ],
    }


def test_it_decides_ahead_of_the_buffer() -> None:
    _, behind = documents(Traces(tail=TAIL))
    pipeline = behind["service"]["pipelines"]["traces"]
    assert pipeline["processors"][0] == "memory_limiter"
    assert pipeline["processors"][-1] == "tail_sampling"
    assert pipeline["exporters"] == ["otlp_grpc/xray"]
    assert "tail_sampling" not in str([behind["service"]["pipelines"][name] for name in ("traces/buffered-xray",)])


def test_the_front_routes_traces_and_nothing_else() -> None:
    front, behind = documents(Traces(tail=TAIL))
    assert front["exporters"]["load_balancing"] == {
        "routing_key": "traceID",
        "protocol": {
            "otlp": {
                "timeout": "5s",
                "tls": {"insecure": True},
                "sending_queue": {"enabled": False},
                "retry_on_failure": {"enabled": False},
            }
        },
        "resolver": {
            "aws_cloud_map": {
                "namespace": "dev.shop.internal",
                "service_name": "orders",
                "health_status": "HEALTHY",
                "interval": "5s",
                "timeout": "5s",
                "port": "${env:BEHIND_FRONT_PORT:-14300}",
            }
        },
        "retry_on_failure": {
            "enabled": True,
            "initial_interval": "1s",
            "max_interval": "2s",
            "max_elapsed_time": "8s",
        },
    }
    assert front["service"]["pipelines"]["traces"]["exporters"] == ["load_balancing"]
    assert front["service"]["pipelines"]["metrics"]["exporters"] == ["otlp_grpc"]
    listens = behind["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"]
    assert listens == "${env:BEHIND_FRONT_ENDPOINT:-0.0.0.0:14300}"


def test_without_it_nobody_but_the_own_front_reaches_a_collector() -> None:
    front, behind = documents(Traces())
    assert front["service"]["pipelines"]["traces"]["exporters"] == ["otlp_grpc"]
    assert "load_balancing" not in front["exporters"]
    assert "tail_sampling" not in behind["processors"]
    assert behind["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"].endswith("127.0.0.1:14300}")


def test_adot_has_all_of_it() -> None:
    for traces in (Traces(tail=TAIL), Traces(endpoint=TraceEndpoint.OTLP)):
        for document in documents(traces):
            assert adot.unknown_components(document) == []


@given(some.integers(128, 122880))
def test_what_waits_fits_into_a_third_of_the_memory(memory: int) -> None:
    assert 0 <= memory * 1024 / 3 - sampling.most_traces(memory) * 32 < 33


@pytest.mark.parametrize("seconds", [1, 60])
def test_a_stop_waits_for_decisions_and_for_fronts_that_still_send(seconds: int) -> None:
    held = sampling.hold_seconds(Traces(tail=TailSampling(wait_seconds=seconds)))
    assert held == seconds + 10
    assert held < 120, "ECS ends it sooner"
    assert sampling.hold_seconds(Traces()) == 0


def test_indexed_attributes_are_listed() -> None:
    _, sidecar = documents(Traces(indexed_attributes=("shop.order", "shop.customer")), Pattern.SIDECAR)
    assert sidecar["exporters"]["awsxray"] == {
        "region": "${env:AWS_REGION}",
        "max_retries": 100,
        "indexed_attributes": ["shop.order", "shop.customer"],
    }


def test_the_otlp_endpoint_has_a_queue_and_a_signer_of_its_own() -> None:
    made = destinations.xray(64, Traces(endpoint=TraceEndpoint.OTLP))
    assert made.exporter == "otlp_http/xray"
    assert made.part.extensions == {"sigv4auth/xray": {"region": "${env:AWS_REGION}", "service": "xray"}}
    assert made.part.receivers == {}
    exporter = made.part.exporters["otlp_http/xray"]
    queue = exporter.pop("sending_queue")
    assert exporter == {
        "traces_endpoint": "${env:XRAY_TRACES_ENDPOINT:-https://xray.${env:AWS_REGION}.amazonaws.com/v1/traces}",
        "auth": {"authenticator": "sigv4auth/xray"},
        "compression": "gzip",
        "retry_on_failure": {"initial_interval": "5s", "max_interval": "30s", "max_elapsed_time": "0s"},
    }
    assert (queue["storage"], queue["queue_size"], queue["num_consumers"]) == ("file_storage", 64 * 1024 * 1024, 2)
    assert (queue["batch"]["min_size"], queue["batch"]["max_size"]) == (500, 500)


def test_receivers_are_routed_like_otlp() -> None:
    signals = Signals(traces=Traces(tail=TAIL), receivers=frozenset({Receiver.ZIPKIN}))
    front = collector.front(replace(inputs(Pattern.SERVICE), signals=signals))
    pipeline = front["service"]["pipelines"]["traces"]
    assert (len(pipeline["receivers"]), pipeline["exporters"]) == (2, ["load_balancing"])
