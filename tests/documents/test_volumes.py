"""What a stack writes in a month: worked out by hand here."""

from typing import Any

import pytest

from documents import collector, rules
from documents.catalogue import CALL_DURATION, REQUEST_DURATION, Pattern
from documents.objectives import Objectives
from documents.observed import Observed as Stack
from documents.origin import Origin
from documents.volumes import Observed, Rates, Volume, a_month, collector_series, recorded, series
from tests.stacks import application, observed

RATES = Rates(requests=10, spans=3, combinations=5, calls=2, runtime=6)
ORIGIN = Origin(namespace="shop", environment="dev", cluster="shop-dev", service="web", family="shop-dev-web")


def inputs(pattern: Pattern) -> collector.CollectorInputs:
    return collector.CollectorInputs(pattern, ORIGIN, 512, 512, 60)


SIDECAR = collector.configuration(inputs(Pattern.SIDECAR))
SERVICE = (collector.configuration(inputs(Pattern.SERVICE)), collector.front(inputs(Pattern.SERVICE)))


def test_a_histogram_is_its_buckets_its_sum_and_its_count() -> None:
    assert REQUEST_DURATION.series == CALL_DURATION.series == 17


def test_a_collector_writes_of_itself() -> None:
    # up, memory, uptime; accepted and refused of traces, metrics and its own; 4 sent; 4 queues with size and capacity
    assert collector_series(SIDECAR) == 3 + 2 * 3 + 4 + 2 * 4 == 21
    # the same without the queue of task metrics; the front takes and hands on two signals
    assert [collector_series(one) for one in SERVICE] == [3 + 2 * 3 + 3 + 2 * 3, 3 + 2 * 2 + 2] == [18, 9]


def test_the_series_of_a_task() -> None:
    # requests, calls and the process of the application; the task's figures and the collector's own
    assert series(Observed(serves=True, collectors=[SIDECAR]), RATES) == 5 * 17 + 2 * 17 + 6 + 10 + 21 == 156
    assert series(Observed(serves=True, collectors=[]), RATES) == 5 * 17 + 2 * 17 + 6
    assert series(Observed(serves=False, collectors=SERVICE), RATES) == 27


def test_a_month_of_a_task_with_a_sidecar() -> None:
    # 43,800 samples of each series
    assert a_month(Observed(serves=True, collectors=[SIDECAR]), RATES) == Volume(
        samples=156 * 43_800, traces=26_280_000, spans=78_840_000
    )


def test_the_interval_makes_samples_and_the_ratio_makes_traces() -> None:
    task = Observed(serves=True, collectors=[SIDECAR], interval_seconds=30, ratio=0.1)
    assert a_month(task, RATES) == Volume(
        samples=156 * 87_600,
        traces=2_628_000,
        spans=7_884_000,
    )


# What rules record of them

WEB = Observed(serves=True, collectors=[SIDECAR])
ELSEWHERE = Observed(serves=True, collectors=[])
COLLECTORS = Observed(serves=False, collectors=SERVICE)


def groups(stack: Stack) -> Any:
    return rules.recording_rules(stack)["groups"]


def test_what_is_recorded_of_an_application_with_sidecars() -> None:
    # its 2 histograms, 3 figures of its process, 10 of its task, and what its collector says of itself: 3, what it
    # takes and refuses of two signals, what it sends of them, size and capacity of its queues
    metrics = 2 + 3 + 10 + (3 + 4 + 2 + 2)
    found = groups(observed("dev", sidecar=["web", "stock"], service=["far"]))
    # each minute two ratios for each task, and the rates of requests and errors, their ratio, and the latency
    assert recorded(found, "web", WEB, tasks=3) == (3 * 2 + 4) * 43_800 + metrics * 10_950
    assert recorded(found, "far", ELSEWHERE, tasks=3) == 4 * 43_800 + (2 + 3) * 10_950


def test_what_is_recorded_of_collectors() -> None:
    # the collector and its front take the same signals; what failed is nothing while nothing fails
    found = groups(observed("prod", service=["far"]))
    assert recorded(found, "collector", COLLECTORS, tasks=2) == (3 + 4 + 2 + 2) * 10_950


@pytest.mark.parametrize(
    ("promised", "count"),
    [
        ({"availability": 99.9}, 1),
        ({"latency": {"threshold": "300ms", "target": 99}}, 1),
        ({"availability": 99.9, "latency": {"threshold": "300ms", "target": 99}}, 2),
    ],
)
def test_what_is_recorded_of_objectives(promised: dict[str, Any], count: int) -> None:
    one = application("web", Pattern.SERVICE, objectives=Objectives.model_validate(promised))
    found = groups(observed("prod", applications=(one, application("far", Pattern.SERVICE))))
    # the objective, the rate of errors and four windows each minute; two windows and the budget each four minutes
    plain = recorded(found, "far", ELSEWHERE, tasks=1)
    assert recorded(found, "web", ELSEWHERE, tasks=1) - plain == count * (6 * 43_800 + 3 * 10_950)


def test_only_what_is_known_is_counted_among_the_rules_of_a_file() -> None:
    found = [
        {"name": "theirs", "interval": "1m30s", "rules": [{"record": "job:mine:rate5m", "expr": "1"}]},
        {"name": "unknown", "rules": [{"record": "mine", "expr": "1"}, {"alert": "Mine", "expr": "1"}]},
    ]
    assert recorded(found, "web", ELSEWHERE, tasks=1) == 730 * 3600 // 90
    assert recorded([], "web", WEB, tasks=1) == 0


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
