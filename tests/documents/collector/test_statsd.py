"""StatsD: whole, where it belongs, and nowhere else."""

from dataclasses import replace

import pytest

from documents.catalogue import Pattern
from documents.collector import CollectorInputs, configuration, front
from documents.signals import Receiver, Signals
from tests.documents.collector.made import inputs


def taking(pattern: Pattern, interval: int = 60) -> CollectorInputs:
    signals = Signals(receivers=frozenset({Receiver.STATSD}))
    return replace(inputs(pattern), interval_seconds=interval, signals=signals)


@pytest.mark.parametrize(("pattern", "host"), [(Pattern.SIDECAR, "127.0.0.1"), (Pattern.SERVICE, "0.0.0.0")])
def test_statsd_is_added_up_where_it_goes_to_disk(pattern: Pattern, host: str) -> None:
    chosen = taking(pattern)
    made = configuration(chosen)
    summary = {"observer_type": "summary", "summary": {"percentiles": [50, 95, 99]}}
    assert made["receivers"]["statsd"] == {
        "endpoint": f"${{env:STATSD_ENDPOINT:-{host}:8125}}",
        "aggregation_interval": "${env:STATSD_SECONDS:-60}s",
        "ignore_host": True,
        "enable_simple_tags": True,
        "timer_histogram_mapping": [
            {"statsd_type": kind, **summary} for kind in ("timing", "histogram", "distribution")
        ],
    }
    pipelines = made["service"]["pipelines"]
    assert pipelines["metrics/statsd-counters"] == {
        "receivers": ["statsd"],
        "processors": [
            "memory_limiter",
            "filter/statsd-counters",
            "metrics_transform/statsd-name",
            "deltatorate",
            "metrics_transform/statsd-count",
            "resource_detection",
            "resource/statsd",
            "resource/labels",
        ],
        "exporters": pipelines["metrics/application"]["exporters"],
    }
    assert pipelines["metrics/statsd"]["processors"] == [
        "memory_limiter",
        "filter/statsd-values",
        "resource_detection",
        "resource/statsd",
        "resource/labels",
    ]
    if pattern is Pattern.SERVICE:
        assert "statsd" not in front(chosen)["receivers"]


def test_counters_of_statsd_become_one_metric_that_can_be_named() -> None:
    processors = configuration(taking(Pattern.SIDECAR))["processors"]
    assert processors["metrics_transform/statsd-name"] == {
        "transforms": [
            {
                "include": "^(?P<counter>.+)$$",
                "match_type": "regexp",
                "action": "combine",
                "new_name": "statsd.count",
                "aggregation_type": "sum",
            }
        ]
    }
    assert processors["deltatorate"] == {"metrics": ["statsd.count"]}
    [transform] = processors["metrics_transform/statsd-count"]["transforms"]
    assert transform["operations"] == [
        {"action": "experimental_scale_value", "experimental_scale": "${env:STATSD_SECONDS:-60}"}
    ]
    conditions = [processors[f"filter/statsd-{one}"]["metric_conditions"] for one in ("counters", "values")]
    assert conditions == [["metric.type != METRIC_DATA_TYPE_SUM"], ["metric.type == METRIC_DATA_TYPE_SUM"]]


def test_statsd_series_belong_to_the_task_that_adds_up() -> None:
    attributes = configuration(taking(Pattern.SERVICE))["processors"]["resource/statsd"]["attributes"]
    assert attributes[:2] == [
        {"key": "service.name", "value": "orders", "action": "upsert"},
        {"key": "service.instance.id", "from_attribute": "aws.ecs.task.id", "action": "upsert"},
    ]


@pytest.mark.parametrize(("interval", "seconds"), [(10, 10), (300, 60)])
def test_a_crash_loses_a_minute_of_statsd_at_most(interval: int, seconds: int) -> None:
    made = configuration(taking(Pattern.SIDECAR, interval))
    assert made["receivers"]["statsd"]["aggregation_interval"] == f"${{env:STATSD_SECONDS:-{seconds}}}s"
