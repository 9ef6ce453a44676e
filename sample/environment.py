"""What the application reads from its environment, checked before it starts. Standard library only."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

# What the image sets for the OpenTelemetry distribution; the platform's own OTEL_* variables go on top.
# A test holds the Dockerfile to this table, and whoever starts the program without the image merges it in.
TELEMETRY_DEFAULTS: Final[Mapping[str, str]] = {
    # The distribution's own default is gRPC, whose exporter is not installed.
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    # The distribution's own default sends logs over OTLP too; here they go to standard error for the log driver.
    "OTEL_LOGS_EXPORTER": "none",
    # Says which revision of its task definition it is of, wherever ECS's metadata endpoint is there to be asked. In the
    # service pattern nobody else can.
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "aws_ecs",
    # A health check every few seconds would be most of the traffic of a quiet service.
    "OTEL_PYTHON_EXCLUDED_URLS": "/healthz",
    # Leaves process.cpu.time, process.memory.usage and cpython.gc.collections: six series. The rest describes the host
    # rather than the task, or repeats those under deprecated names, or is asked for by nobody.
    "OTEL_PYTHON_SYSTEM_METRICS_EXCLUDED_METRICS": (
        "system.*,process.runtime.*,cpython.gc.collected_objects,cpython.gc.uncollectable_objects,"
        "process.context_switches,process.cpu.utilization,process.disk.io,"
        "process.memory.virtual,process.open_file_descriptor.count,process.thread.count"
    ),
}

MAX_TRAFFIC_PER_MINUTE: Final = 6000


class InvalidEnvironmentError(ValueError):
    """Everything that is wrong, on one line."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A valid environment; without any variable, a leaf."""

    downstream_url: str = ""
    traffic_per_minute: int = 0
    port: int = 8080
    journal: Path = Path("/tmp/orders.journal")  # noqa: S108 - writable for every user of every base image
    name: str = ""
    metrics_port: int = 0
    statsd_host: str = ""
    statsd_port: int = 8125


def read(environ: Mapping[str, str]) -> Settings:
    """An empty variable counts as unset: a container definition often cannot leave one out."""
    problems: list[str] = []
    default = Settings()

    def whole(name: str, fallback: int, low: int, high: int) -> int:
        text = environ.get(name, "") or str(fallback)
        # int() alone would also take "1_000", " 5 " and digits of other scripts.
        if text.isascii() and text.isdigit() and len(text) <= len(str(high)) and low <= int(text) <= high:
            return int(text)
        problems.append(f"{name} must be a whole number from {low} to {high}, not {text!r}")
        return fallback

    downstream_url = environ.get("DOWNSTREAM_URL", "")
    if downstream_url and not _is_base_url(downstream_url):
        problems.append(f"DOWNSTREAM_URL must look like http://orders:8080, not {downstream_url!r}")
    traffic_per_minute = whole("TRAFFIC_PER_MINUTE", default.traffic_per_minute, 0, MAX_TRAFFIC_PER_MINUTE)
    port = whole("PORT", default.port, 1, 65535)
    metrics_port = whole("METRICS_PORT", default.metrics_port, 0, 65535)
    statsd_port = whole("STATSD_PORT", default.statsd_port, 1, 65535)
    journal = Path(environ.get("JOURNAL", "") or default.journal)
    if not _is_writable_file(journal):
        problems.append(f"JOURNAL must name a file that can be written, not {str(journal)!r}")

    if problems:
        raise InvalidEnvironmentError("; ".join(problems))
    return Settings(
        downstream_url=downstream_url.rstrip("/"),
        traffic_per_minute=traffic_per_minute,
        port=port,
        journal=journal,
        name=environ.get("OTEL_SERVICE_NAME", ""),
        metrics_port=metrics_port,
        statsd_host=environ.get("STATSD_HOST", ""),
        statsd_port=statsd_port,
    )


def _is_base_url(text: str) -> bool:
    if not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        url = urlsplit(text)
        port = url.port  # raises for a port that is no number or out of range
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.hostname) and port != 0 and not url.query and not url.fragment


def _is_writable_file(path: Path) -> bool:
    if "\0" in str(path):
        return False
    if path.exists():
        return path.is_file() and os.access(path, os.W_OK)
    return path.parent.is_dir() and os.access(path.parent, os.W_OK | os.X_OK)
