"""StatsD: what its clients count and measure, added up in the collector and made into what AMP takes."""

from collections.abc import Mapping
from typing import Any, Final

from documents import ports
from documents.catalogue import STATSD_COUNT, STATSD_COUNTER
from documents.collector import labels
from documents.collector.part import Part
from documents.collector.sources import Source

_LONGEST_SECONDS: Final = 60
"""A collector that is killed loses what StatsD clients have counted since the last sample, so that is no longer."""

_QUANTILES: Final = (50, 95, 99)
_SUMMARY: Final = {"observer_type": "summary", "summary": {"percentiles": list(_QUANTILES)}}


def seconds_of(interval_seconds: int) -> int:
    """The time that metrics are added up for, between two samples of a series."""
    return min(interval_seconds, _LONGEST_SECONDS)


def counters(host: str, interval_seconds: int, identity: Mapping[str, Any]) -> Source:
    """Counters of StatsD clients, which no back end of ours takes as they are: sums of each interval (delta), whose
    names nobody knows. So all of them become one metric with a label for the name, which can be named to the processor
    that makes a gauge of it: a rate, and times the seconds of the interval the count again."""
    receiver, seconds = _receiver(host, interval_seconds)
    processors = {
        "filter/statsd-counters": labels.dropping("metric.type != METRIC_DATA_TYPE_SUM"),
        "metrics_transform/statsd-name": _transformed(
            include=f"^(?P<{STATSD_COUNTER}>.+)$$",
            match_type="regexp",
            action="combine",
            new_name=STATSD_COUNT,
            aggregation_type="sum",
        ),
        "deltatorate": {"metrics": [STATSD_COUNT]},
        "metrics_transform/statsd-count": _transformed(
            include=STATSD_COUNT,
            action="update",
            operations=[{"action": "experimental_scale_value", "experimental_scale": seconds}],
        ),
    }
    return _local(receiver, processors, identity)


def values(host: str, interval_seconds: int, identity: Mapping[str, Any]) -> Source:
    """Gauges of StatsD clients, and their timers and histograms as quantiles of each interval."""
    receiver, _ = _receiver(host, interval_seconds)
    processors = {"filter/statsd-values": labels.dropping("metric.type == METRIC_DATA_TYPE_SUM")}
    return _local(receiver, processors, identity)


def _receiver(host: str, interval_seconds: int) -> tuple[dict[str, Any], str]:
    """The receiver, and the seconds of its interval as its configuration has them."""
    seconds = f"${{env:STATSD_SECONDS:-{seconds_of(interval_seconds)}}}"
    return {
        "endpoint": f"${{env:STATSD_ENDPOINT:-{host}:{ports.STATSD}}}",
        "aggregation_interval": f"{seconds}s",
        "ignore_host": True,
        "enable_simple_tags": True,
        "timer_histogram_mapping": [
            {"statsd_type": kind, **_SUMMARY} for kind in ("timing", "histogram", "distribution")
        ],
    }, seconds


def _transformed(**transform: Any) -> dict[str, Any]:
    return {"transforms": [transform]}


def _local(receiver: Mapping[str, Any], processors: Mapping[str, Any], identity: Mapping[str, Any]) -> Source:
    """A source that belongs to the task of the collector."""
    own = {**processors, "resource/statsd": identity}
    return Source(
        ("statsd",),
        Part(receivers={"statsd": receiver}, processors=own),
        (*processors, "resource_detection", "resource/statsd"),
    )
