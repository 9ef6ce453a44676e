"""Buffers: what stands before an exporter, whole."""

from typing import Any

from documents import ports
from documents.collector import destinations
from documents.collector.buffer import Destination, Queue, Signal, buffered, queued
from documents.collector.part import Part
from documents.signals import Traces

RETRY = {"initial_interval": "5s", "max_interval": "30s", "max_elapsed_time": "0s"}


def sending_queue(consumers: int, at_least: int, batch: int) -> dict[str, Any]:
    return {
        "storage": "file_storage",
        "sizer": "bytes",
        "queue_size": 100 * 1024 * 1024,
        "num_consumers": consumers,
        "batch": {"sizer": "items", "flush_timeout": "1s", "min_size": at_least, "max_size": batch},
    }


def test_an_exporter_without_a_queue_gets_one_before_it() -> None:
    made = buffered(Signal.TRACES, "x-ray", "awsxray", {"a": 1}, queue=Queue(100, 50, 20, 4), port=14310)
    endpoint = "${env:X_RAY_BUFFER_ENDPOINT:-127.0.0.1:14310}"
    assert made == Destination(
        "otlp_grpc/x-ray",
        Part(
            receivers={"otlp/x-ray": {"protocols": {"grpc": {"endpoint": endpoint, "max_recv_msg_size_mib": 64}}}},
            exporters={
                "otlp_grpc/x-ray": {
                    "endpoint": endpoint,
                    "tls": {"insecure": True},
                    "compression": "none",
                    "timeout": "40s",
                    "retry_on_failure": RETRY,
                    "sending_queue": sending_queue(4, 20, 50),
                },
                "awsxray": {"a": 1},
            },
            pipelines={"traces/buffered-x-ray": {"receivers": ["otlp/x-ray"], "exporters": ["awsxray"]}},
        ),
    )


def test_an_exporter_with_a_queue_keeps_its_own() -> None:
    settings = {"endpoint": "https://otlp.example.com"}
    assert queued("otlp_http/example", settings, Queue(100, 1000)) == Destination(
        "otlp_http/example",
        Part(
            exporters={
                "otlp_http/example": {
                    "endpoint": "https://otlp.example.com",
                    "retry_on_failure": RETRY,
                    "sending_queue": sending_queue(1, 1, 1000),
                }
            }
        ),
    )
    assert settings == {"endpoint": "https://otlp.example.com"}, "the settings were changed"


def test_a_buffer_for_amp_gives_up_before_the_exporter_behind_it() -> None:
    """That exporter calls its own time-out permanent: the buffer, which tries again, must be the first to see it."""
    part = destinations.amp("application", destinations.WITH_SUFFIXES, 512).part
    timeouts = {name: exporter["timeout"] for name, exporter in part.exporters.items()}
    assert timeouts == {"otlp_grpc/application": "40s", "prometheus_remote_write/application": "60s"}


def test_no_two_buffers_share_a_port() -> None:
    made = [
        destinations.xray(512, Traces()),
        *(destinations.amp(name, destinations.WITH_SUFFIXES, 512) for name in ("application", "task", "collector")),
    ]
    given = [
        int(receiver["protocols"]["grpc"]["endpoint"].rstrip("}").rpartition(":")[2])
        for one in made
        for receiver in one.part.receivers.values()
    ]
    assert given == [14310, 14311, 14312, 14313]
    assert ports.OWN.issuperset(given)
