"""What a stack writes in a month: worked out by hand here."""

from typing import Any

import pytest

from documents import collector
from documents.catalogue import REQUEST_DURATION, Pattern
from documents.origin import Origin
from documents.volumes import Observed, Rates, Volume, a_month, collector_series, series

RATES = Rates(requests=10, spans=3, combinations=5)
ORIGIN = Origin(namespace="shop", environment="dev", cluster="shop-dev", service="web", family="shop-dev-web")


def inputs(pattern: Pattern) -> collector.CollectorInputs:
    return collector.CollectorInputs(pattern, ORIGIN, 512, 512, 60)


SIDECAR = collector.configuration(inputs(Pattern.SIDECAR))
SERVICE = (collector.configuration(inputs(Pattern.SERVICE)), collector.front(inputs(Pattern.SERVICE)))


def test_a_histogram_is_its_buckets_its_sum_and_its_count() -> None:
    assert REQUEST_DURATION.series == 17


def test_a_collector_writes_of_itself() -> None:
    # up, memory, uptime; accepted and refused of traces, metrics and its own; 4 sent; 4 queues with size and capacity
    assert collector_series(SIDECAR) == 3 + 2 * 3 + 4 + 2 * 4 == 21
    # the same without the queue of task metrics; the front takes and hands on two signals
    assert [collector_series(one) for one in SERVICE] == [3 + 2 * 3 + 3 + 2 * 3, 3 + 2 * 2 + 2] == [18, 9]


def test_the_series_of_a_task() -> None:
    assert series(Observed(serves=True, collectors=[SIDECAR]), RATES) == 5 * 17 + 10 + 21
    assert series(Observed(serves=True, collectors=[]), RATES) == 5 * 17
    assert series(Observed(serves=False, collectors=SERVICE), RATES) == 27


def test_a_month_of_a_task_with_a_sidecar() -> None:
    # 116 series and 2 that rules record, 43,800 samples of each
    assert a_month(Observed(serves=True, collectors=[SIDECAR]), RATES) == Volume(
        samples=118 * 43_800, traces=26_280_000, spans=78_840_000
    )


def test_the_interval_makes_samples_and_the_ratio_makes_traces() -> None:
    task = Observed(serves=True, collectors=[SIDECAR], interval_seconds=30, ratio=0.1)
    assert a_month(task, RATES) == Volume(
        # rules are evaluated once a minute all the same
        samples=116 * 87_600 + 2 * 43_800,
        traces=2_628_000,
        spans=7_884_000,
    )


def test_collectors_of_a_service_write_only_of_themselves() -> None:
    assert a_month(Observed(serves=False, collectors=SERVICE), RATES) == Volume(samples=27 * 43_800)


def test_nothing_is_written_where_nothing_is_observed() -> None:
    assert a_month(Observed(serves=False, collectors=[]), RATES) == Volume()


def test_volumes_add_up() -> None:
    each = Volume(samples=1, traces=2, spans=3)
    assert each * 3 + each == Volume(samples=4, traces=8, spans=12)


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ({}, 3),
        ({"exporters": {"otlp_http/x": None}, "service": {"pipelines": {"traces": {"exporters": ["otlp_http/x"]}}}}, 4),
        (
            {
                "exporters": {"otlp_http/x": {"sending_queue": {}}, "awsxray": {"sending_queue": {"enabled": False}}},
                "service": {"pipelines": {"traces": {"exporters": ["otlp_http/x", "awsxray"]}, "logs": {}}},
            },
            3 + 2 + 2,
        ),
    ],
)
def test_what_a_user_adds_is_counted(configuration: dict[str, Any], expected: int) -> None:
    assert collector_series(configuration) == expected
