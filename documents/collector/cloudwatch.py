"""CloudWatch as a destination: metrics in its embedded metric format (EMF), and logs."""

from collections.abc import Mapping
from itertools import chain
from typing import Final

from documents import catalogue, names, ports
from documents.catalogue import Pattern
from documents.collector import labels
from documents.collector.buffer import Destination, Queue, Signal, buffered, queued
from documents.collector.part import Configuration, Part, merged
from documents.origin import Origin

NAME: Final = "cloudwatch"

_STATUS: Final = "http.response.status_code"

_TASK_METRICS: Final = (
    catalogue.CPU_UTILIZED,
    catalogue.CPU_RESERVED,
    catalogue.MEMORY_UTILIZED,
    catalogue.MEMORY_RESERVED,
)

DECLARED: Final[Mapping[tuple[tuple[str, ...], ...], tuple[str, ...]]] = {
    ((catalogue.SERVICE_NAME,), (catalogue.SERVICE_NAME, _STATUS)): (catalogue.REQUEST_DURATION.otel,),
    ((catalogue.SERVICE_NAME,),): tuple(metric.otel for metric in _TASK_METRICS),
}
"""The metrics that go to CloudWatch, by their sets of dimensions. Each combination of values is a custom metric that
CloudWatch bills, so there is none by task, route or method."""

_BATCH: Final = 1000
_LONGEST_SECONDS: Final = 3600

_ATTEMPTS: Final = 10
"""The waits of AWS's SDK between ten attempts are longer than the exporter's 5 s, so they do not run out."""

PROCESSORS: Final = ("filter/cloudwatch", "cumulativetodelta")


def metrics(origin: Origin, pattern: Pattern, queue_mib: int, interval_seconds: int) -> Destination:
    """CloudWatch metrics, through a log group, with the processors that they pass on their way."""
    sent = buffered(
        Signal.METRICS,
        NAME,
        "awsemf",
        {
            "region": "${env:AWS_REGION}",
            "namespace": origin.stack,
            "log_group_name": names.telemetry_log_group(origin.stack, Signal.METRICS),
            "log_stream_name": origin.service,
            "max_retries": _ATTEMPTS,
            "dimension_rollup_option": "NoDimensionRollup",
            "resource_to_telemetry_conversion": {"enabled": True},
            "metric_declarations": [
                {"dimensions": [list(one) for one in sets], "metric_name_selectors": [_exactly(name) for name in named]}
                for sets, named in DECLARED.items()
            ],
        },
        queue=Queue(queue_mib, batch=_BATCH, longest=_LONGEST_SECONDS),
        port=ports.buffer(NAME),
    )
    passed = zip(
        PROCESSORS, (labels.only(chain(*DECLARED.values())), _differences(pattern, interval_seconds)), strict=True
    )
    return Destination(sent.exporter, merged([Part(processors=dict(passed)), sent.part]))


def _differences(pattern: Pattern, interval_seconds: int) -> Configuration:
    """A processor that turns cumulative figures into differences. The clients of a collector service, which come every
    `interval_seconds`, may also go to another one."""
    if pattern is Pattern.SIDECAR:
        return {}
    return {"initial_value": "drop", "max_staleness": f"{interval_seconds * 3 // 2}s"}


def logs(origin: Origin, queue_mib: int) -> Destination:
    """CloudWatch Logs: one JSON document for each record, with its trace and span."""
    return queued(
        "awscloudwatchlogs",
        {
            "region": "${env:AWS_REGION}",
            "log_group_name": names.telemetry_log_group(origin.stack, Signal.LOGS),
            "log_stream_name": origin.service,
            "max_retries": 1,
        },
        Queue(queue_mib, batch=_BATCH, consumers=2, longest=_LONGEST_SECONDS),
    )


def _exactly(name: str) -> str:
    return f"^{name.replace('.', '[.]')}$"
