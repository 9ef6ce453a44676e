"""Buffers on disk before exporters: what a back end cannot take now waits there, in order, also through a crash.

An exporter that can have a queue is given one (`queued`). `awsxray`, `prometheus_remote_write` and `awsemf` cannot, so
`buffered` puts an exporter with a queue before them, which hands its batches to a receiver on loopback, one by one, and
counts one as delivered when the exporter behind has delivered it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from documents.collector.part import Configuration, Part, pipeline

STORAGE: Final = "file_storage"
STORAGE_PART: Final = Part(
    extensions={
        STORAGE: {
            "directory": "${env:QUEUE_DIRECTORY:-/home/aoc/queue}",
            "create_directory": True,
            "recreate": True,
        }
    }
)

RETRY_FIRST_SECONDS: Final = 5
RETRY_LAST_SECONDS: Final = 30
"""Between two tries of one consumer: a back end that fails gets a request every few seconds from each buffer."""

LARGE_MESSAGES: Final = {"max_recv_msg_size_mib": 64}
"""gRPC refuses messages above 4 MiB for good, and a batch of large spans is larger."""

_HOP_TIMEOUT_SECONDS: Final = 40
"""Longer than `awsxray` and `awsemf` try, and shorter than `prometheus_remote_write`, whose own time-out loses data."""


class Signal(StrEnum):
    """What a pipeline carries."""

    TRACES = "traces"
    METRICS = "metrics"
    LOGS = "logs"


@dataclass(frozen=True)
class Queue:
    """How a buffer hands on: `consumers` at a time, batches of `batch` spans, data points or records (`at_least` of
    them, unless a second has passed). `size` is MiB on disk. A batch is given up after `longest` seconds, if any."""

    size: int
    batch: int
    at_least: int = 1
    consumers: int = 1
    longest: int = 0


@dataclass(frozen=True)
class Destination:
    """Where a pipeline can send: the `exporter` that it names, and the `part` that carries on from there."""

    exporter: str
    part: Part


def buffered(
    signal: Signal, name: str, exporter: str, settings: Configuration, *, queue: Queue, port: int
) -> Destination:
    """A buffer before an exporter without a queue. `port` is the loopback port between the two."""
    hop = f"otlp_grpc/{name}"
    endpoint = f"${{env:{_variable(name)}:-127.0.0.1:{port}}}"
    entrance = {
        "endpoint": endpoint,
        "tls": {"insecure": True},
        "compression": "none",
        "timeout": f"{_HOP_TIMEOUT_SECONDS}s",
        **_queue_settings(queue),
    }
    part = Part(
        receivers={f"otlp/{name}": {"protocols": {"grpc": {"endpoint": endpoint, **LARGE_MESSAGES}}}},
        exporters={hop: entrance, exporter: settings},
        pipelines={f"{signal}/buffered-{name}": pipeline([f"otlp/{name}"], [], [exporter])},
    )
    return Destination(hop, part)


def queued(exporter: str, settings: Configuration, queue: Queue) -> Destination:
    """A buffer inside an exporter that has a queue."""
    return Destination(exporter, Part(exporters={exporter: {**settings, **_queue_settings(queue)}}))


def _queue_settings(queue: Queue) -> dict[str, Any]:
    return {
        "retry_on_failure": {
            "initial_interval": f"{RETRY_FIRST_SECONDS}s",
            "max_interval": f"{RETRY_LAST_SECONDS}s",
            "max_elapsed_time": f"{queue.longest}s",
        },
        "sending_queue": {
            "storage": STORAGE,
            "sizer": "bytes",
            "queue_size": queue.size * 1024 * 1024,
            "num_consumers": queue.consumers,
            "batch": {
                "sizer": "items",
                "flush_timeout": "1s",
                "min_size": queue.at_least,
                "max_size": queue.batch,
            },
        },
    }


def _variable(name: str) -> str:
    return f"{name.upper().replace('-', '_')}_BUFFER_ENDPOINT"
