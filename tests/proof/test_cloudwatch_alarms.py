"""The model of CloudWatch's alarms agrees with AWS's own examples; and what each of our alarms does."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from documents import catalogue, events
from documents.alerting.alarms import Alarm, Comparison, Math, Metric, Missing, Total, alarms
from documents.alerting.alerts import OUT_OF_MEMORY
from proof.cloudwatch_alarms import Change, Series, State, alarmed, changes, computed, data_points, evaluated
from proof.metric_filters import counted, matches
from tests import stacks

MINUTE = 60.0
HOUR = 60 * MINUTE

OK, ALARM, INSUFFICIENT = State.OK, State.ALARM, State.INSUFFICIENT
RETAINED = "retained"

ORDER = (Missing.MISSING, Missing.IGNORE, Missing.BREACHING, Missing.NOT_BREACHING)

EVENT = json.loads("""{
    "detail-type": "ECS Task State Change", "source": "aws.ecs",
    "detail": {"lastStatus": "STOPPED", "group": "service:shop", "stopCode": "EssentialContainerExited",
               "stoppedReason": "Essential container in task exited",
               "containers": [{"name": "collector", "exitCode": 0}, {"name": "shop", "exitCode": 1}]}
}""")


def alarm(**changes: Any) -> Alarm:
    """An alarm on values above 0."""
    metric = Metric("value", "shop", "Faults", {"Service": "shop"}, "Maximum")
    return Alarm(
        **{
            "alert": OUT_OF_MEMORY,
            "subject": "shop",
            "queries": (metric,),
            "comparison": Comparison.ABOVE,
            "threshold": 0,
            "summary": "",
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("of_three", "drawn", "states"),
    [
        (3, "0 - X - X", (OK, OK, OK, OK)),
        (3, "0 - - - -", (OK, OK, OK, OK)),
        (3, "- - - - -", (INSUFFICIENT, RETAINED, ALARM, OK)),
        (3, "0 X X - X", (ALARM, ALARM, ALARM, ALARM)),
        (3, "- - X - -", (ALARM, RETAINED, ALARM, OK)),
        (2, "0 - X - X", (ALARM, ALARM, ALARM, ALARM)),
        (2, "0 0 X 0 X", (ALARM, ALARM, ALARM, ALARM)),
        (2, "0 - X - -", (OK, OK, ALARM, OK)),
        (2, "- - - - 0", (OK, OK, ALARM, OK)),
        (2, "- - - X -", (ALARM, RETAINED, ALARM, OK)),
        # "Avoiding premature transitions to alarm state", for missing data that is treated as missing.
        (3, "- - - - X", (OK, None, None, None)),
        (3, "- - - X -", (OK, None, None, None)),
    ],
)
def test_aws_own_examples(of_three: int, drawn: str, states: tuple[State | str | None, ...]) -> None:
    """Both tables of "Configuring how CloudWatch alarms treat missing data", row by row and column by column."""
    points = tuple({"0": 0.0, "X": 1.0, "-": None}[mark] for mark in drawn.split())
    for missing, expected in zip(ORDER, states, strict=True):
        one = alarm(periods=3, breaching=of_three, missing=missing)
        if expected is RETAINED:
            assert {evaluated(one, points, state) for state in State} == set(State)
        elif expected is not None:
            assert evaluated(one, points, OK) is expected, (drawn, missing)


def series(values: Mapping[int, float], **dimensions: str) -> Series:
    """Samples of `Faults` by minute, each in the middle of its minute."""
    samples = [(minute * MINUTE + 30, value) for minute, value in sorted(values.items())]
    return Series("shop", "Faults", dimensions or {"Service": "shop"}, samples)


def test_a_period_slides_by_a_minute_and_has_a_statistic() -> None:
    known = [series({0: 1, 1: 2, 4: 5})]
    by_statistic = {
        statistic: data_points(
            alarm(period=300, queries=(replace(metric_of(alarm()), statistic=statistic),)), known, 5 * MINUTE
        )[-1]
        for statistic in ("Average", "Maximum", "Minimum", "SampleCount", "Sum")
    }
    assert by_statistic == {"Average": 8 / 3, "Maximum": 5, "Minimum": 1, "SampleCount": 3, "Sum": 8}
    summed = alarm(period=300, queries=(replace(metric_of(alarm()), statistic="Sum"),))
    assert [data_points(summed, known, minute * MINUTE)[-1] for minute in (1, 5, 6, 9, 10)] == [1, 8, 7, 5, None]


def metric_of(one: Alarm) -> Metric:
    query = one.queries[-1]
    assert isinstance(query, Metric)
    return query


def test_only_the_metric_with_exactly_the_dimensions_counts() -> None:
    assert data_points(alarm(), [series({0: 1}, Service="other")], MINUTE)[-1] is None
    assert data_points(alarm(), [series({0: 1}, Service="shop", Task="a")], MINUTE)[-1] is None


def test_a_total_is_over_all_series_of_a_dimension() -> None:
    one = alarm(queries=(Total("total", "shop", "Faults", "Service", "shop"),))
    known = [
        series({0: 1}, Service="shop", Reason="a"),
        series({0: 2}, Service="shop", Reason="b"),
        series({0: 4}, Service="other", Reason="a"),
    ]
    assert data_points(one, known, MINUTE)[-1] == 3


def test_metric_math_lacks_a_point_where_one_of_its_metrics_does() -> None:
    assert computed("a - b", {"a": 3.0, "b": 1.0}) == 2
    assert computed("a - b - b", {"a": 3.0, "b": 1.0}) == 1
    assert computed("a - b", {"a": 3.0, "b": None}) is None
    with pytest.raises(ValueError, match=r"the model has no 'FILL\(a, 0\)'"):
        computed("FILL(a, 0)", {"a": 3.0})


def test_an_alarm_that_warms_up_waits_for_its_data() -> None:
    one = alarm(missing=Missing.BREACHING, warm_up_minutes=10)
    assert changes(one, [], 0, 20 * MINUTE) == [Change(0, INSUFFICIENT), Change(11 * MINUTE, ALARM)]
    sounded = changes(one, [series({2: 0})], 0, 8 * MINUTE)
    assert sounded == [Change(0, INSUFFICIENT), Change(3 * MINUTE, OK)]


def test_from_when_to_when_it_fired() -> None:
    found = changes(alarm(), [series(dict.fromkeys(range(10, 12), 1.0))], 0, 20 * MINUTE)
    assert found == [
        Change(0, INSUFFICIENT),
        Change(MINUTE, OK),
        Change(11 * MINUTE, ALARM),
        Change(15 * MINUTE, OK),
    ], "for two minutes after the last sample CloudWatch looks at it again, as its guide says"
    assert list(alarmed(found, HOUR)) == [(11 * MINUTE, 15 * MINUTE)]
    assert list(alarmed(found[:3], HOUR)) == [(11 * MINUTE, HOUR)]


# What our metric filters count.


def stopped(**detail: Any) -> dict[str, Any]:
    return EVENT | {"detail": EVENT["detail"] | detail}


MEMORY = "OutOfMemoryError: Container killed due to memory usage"


@pytest.mark.parametrize(
    ("event", "metrics"),
    [
        (stopped(), ["TasksFailed"]),
        (stopped(stopCode="TaskFailedToStart", containers=[]), ["TasksFailed"]),
        (
            stopped(stopCode="ServiceSchedulerInitiated", stoppedReason="Scaling activity initiated by (deployment x)"),
            [],
        ),
        (stopped(stopCode="UserInitiated"), []),
        (
            stopped(
                stopCode="ServiceSchedulerInitiated",
                stoppedReason="Task failed container health checks",
                containers=[{"name": "shop", "exitCode": 137}],
            ),
            ["TasksUnhealthy"],
        ),
        (stopped(stopCode="x", stoppedReason="Task failed ELB health checks in (target-group a)"), ["TasksUnhealthy"]),
        (
            stopped(containers=[{"name": "collector"}, {"name": "shop", "exitCode": 137, "reason": MEMORY}]),
            ["TasksFailed", "TasksOutOfMemory"],
        ),
        (stopped(stoppedReason=MEMORY), ["TasksFailed", "TasksOutOfMemory"]),
        # A container that ECS killed, because the application had ended and it did not end in time.
        (stopped(containers=[{"name": "shop", "exitCode": 1}, {"name": "drain", "exitCode": 137}]), ["TasksFailed"]),
    ],
)
def test_what_is_counted_of_a_stopped_task(event: dict[str, Any], metrics: list[str]) -> None:
    found = counted(stacks.observed("dev").names, [(30.0, event)])
    assert [(one.name, one.namespace, one.dimensions, list(one.samples)) for one in found] == [
        (metric, "shop-dev/TaskEvents", {"Group": "service:shop"}, [(30.0, 1.0)]) for metric in metrics
    ]


def test_the_model_says_which_patterns_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="the model does not know"):
        matches("{ $.a IS NULL }", {})


# What our alarms make of it.

OBSERVED = stacks.observed("dev", sidecar=["cart"], service=["shop"], max_series=1000, scheduled=True)
OURS = {(one.alert.name, one.subject): one for one in alarms(OBSERVED, "ws-1")}


def fired(one: Alarm, known: list[Series], end: float = 3 * HOUR) -> list[tuple[float, float]]:
    """From which minute to which it was in ALARM."""
    return [(since / MINUTE, until / MINUTE) for since, until in alarmed(changes(one, known, 0, end), end)]


def stops(*minutes: float, **detail: Any) -> list[Series]:
    return counted(OBSERVED.names, [(minute * MINUTE, stopped(**detail)) for minute in minutes])


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("TaskOutOfMemory", stops(30, stoppedReason=MEMORY), [(30, 47)]),
        ("TaskOutOfMemory", stops(30), []),
        ("TaskRestartLoop", stops(30, 35, 40), [(40, 47)]),
        ("TaskRestartLoop", stops(30, 35), []),
        ("TaskRestartLoop", stops(30, 38, 48), []),
        ("TaskRestartLoop", stops(30, 35, 40, stopCode="ServiceSchedulerInitiated"), []),
        ("TaskFailedHealthCheck", stops(30, stoppedReason="Task failed container health checks"), [(30, 47)]),
        ("TaskFailedHealthCheck", stops(30, stopCode="UserInitiated"), []),
    ],
)
def test_alarms_on_stopped_tasks(name: str, known: list[Series], expected: list[tuple[float, float]]) -> None:
    assert fired(OURS[name, "shop"], known) == expected
    assert fired(OURS[name, "cart"], known) == [], "another service is not meant"


def insights(metric: catalogue.CloudWatchMetric, values: Mapping[int, float]) -> Series:
    dimensions = {"ClusterName": "shop-dev", "ServiceName": "shop"}
    samples = [(minute * MINUTE + 30, value) for minute, value in values.items()]
    return Series("ECS/ContainerInsights", metric.name, dimensions, samples)


def level(low: float, high: float, since: int, until: int, minutes: int = 180) -> dict[int, float]:
    """A value for each minute, a higher one from minute `since` until `until`."""
    return {minute: high if since <= minute < until else low for minute in range(minutes)}


@pytest.mark.parametrize(
    ("name", "metric", "minutes"),
    [("TaskCpuSaturated", catalogue.CPU_UTILIZATION, 15), ("TaskMemorySaturated", catalogue.MEMORY_UTILIZATION, 5)],
)
def test_saturation(name: str, metric: catalogue.CloudWatchMetric, minutes: int) -> None:
    one = OURS[name, "shop"]
    assert fired(one, [insights(metric, level(50, 90, 60, 60 + minutes))]) == [(60 + minutes, 61 + minutes)]
    assert fired(one, [insights(metric, level(50, 91, 60, 59 + minutes))]) == []
    assert fired(one, [insights(metric, level(50, 89, 60, 120))]) == [], "just under the threshold"
    gap = {minute: value for minute, value in level(50, 91, 60, 180).items() if minute != 70}
    assert [since for since, _ in fired(one, [insights(metric, gap)])] == [60 + minutes + (minutes > 10)], (
        "a minute without data is bridged from farther back"
    )
    ends = {minute: value for minute, value in level(50, 91, 60, 180).items() if minute < 100}
    assert fired(one, [insights(metric, ends)])[0][1] < 110, "tasks that are gone are not saturated"


def test_below_desired() -> None:
    one = OURS["TasksBelowDesired", "shop"]
    desired = insights(catalogue.DESIRED_TASKS, level(2, 2, 0, 0))

    def running(values: Mapping[int, float]) -> list[Series]:
        return [desired, insights(catalogue.RUNNING_TASKS, values)]

    assert fired(one, running(level(2, 1, 60, 90))) == [(70, 91)]
    assert fired(one, running(level(2, 1, 60, 69))) == []
    assert fired(one, running(level(2, 3, 60, 90))) == [], "more than desired, as in a deployment"
    gone = dict.fromkeys(range(60), 2.0)
    found = changes(one, running(gone), 0, 2 * HOUR)
    assert found[-1].state is ALARM, "of no task at all there are no figures"


def usage(resource: str, values: Mapping[int, float]) -> Series:
    dimensions = {
        "Type": "Resource",
        "Service": "Prometheus",
        "Class": "None",
        "Resource": resource,
        "ResourceId": "ws-1",
    }
    return Series("AWS/Usage", "ResourceCount", dimensions, [(m * MINUTE + 30, v) for m, v in values.items()])


def test_ingestion_stopped() -> None:
    one = OURS["AmpIngestionStopped", "workspace"]
    assert fired(one, [usage("IngestionRate", level(12, 0, 60, 90))]) == [(70, 91)]
    assert fired(one, [usage("IngestionRate", level(12, 0, 60, 69))]) == []
    stops_at_60 = dict.fromkeys(range(60), 12.0)
    assert fired(one, [usage("IngestionRate", stops_at_60)]) == [(72, 180)], "AMP leaves out what is 0"
    assert fired(one, [usage("IngestionRate", dict.fromkeys(range(40, 180), 12.0))]) == [], "the first deployment"
    assert fired(one, [])[0][0] == 61


def test_series_near_the_limit() -> None:
    one = OURS["AmpSeriesNearLimit", "workspace"]
    assert one.threshold == 800
    assert [since for since, _ in fired(one, [usage("ActiveSeries", level(100, 801, 60, 120))])] == [71]
    assert fired(one, [usage("ActiveSeries", level(100, 800, 60, 120))]) == []
    assert fired(one, []) == []


def dead_letters(values: Mapping[int, float]) -> Series:
    samples = [(minute * MINUTE + 30, value) for minute, value in values.items()]
    return Series("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "shop-dev-dead-letters"}, samples)


def test_a_schedule_that_could_not_run_its_task() -> None:
    one = OURS["ScheduleNotRun", "tasks"]
    [(since, until)] = fired(one, [dead_letters({60: 1.0, 65: 1.0})])
    assert 61 <= since <= 65
    assert until == 180, "a message is still there when the queue has no figures any more"
    [(_, emptied)] = fired(one, [dead_letters({60: 1.0, 100: 0.0})])
    assert 101 <= emptied <= 110
    assert fired(one, [dead_letters({60: 0.0})]) == []
    assert fired(one, []) == []


def amp(name: str, values: Mapping[int, float], **dimensions: str) -> Series:
    samples = [(minute * MINUTE + 30, value) for minute, value in values.items()]
    return Series("AWS/Prometheus", name, {"Workspace": "ws-1", **dimensions}, samples)


@pytest.mark.parametrize(
    ("alert", "metric", "dimensions"),
    [
        (("AmpSamplesRejected", "workspace"), "DiscardedSamples", {"Reason": "sample-too-old"}),
        (("AmpRulesFailing", "failed"), "RuleEvaluationFailures", {"RuleGroup": "alerts;collector"}),
        (("AmpRulesFailing", "late"), "RuleGroupIterationsMissed", {"RuleGroup": "recording;requests"}),
    ],
)
def test_rejected_samples_and_failing_rules(alert: tuple[str, str], metric: str, dimensions: dict[str, str]) -> None:
    one = OURS[alert]
    [(since, until)] = fired(one, [amp(metric, dict.fromkeys(range(60, 80), 4.0), **dimensions)])
    assert 61 <= since <= 70
    assert 80 <= until <= 106
    assert fired(one, [amp(metric, level(0, 0, 0, 0), **dimensions)]) == []
    assert fired(one, []) == []
    once = [amp(metric, {**level(0, 0, 0, 0), 60: 4.0}, **dimensions)]
    assert fired(one, once) == [], "what a collector repeats after it was killed is no fault"


@pytest.mark.parametrize("subject", ["failed", "throttled"])
def test_notifications(subject: str) -> None:
    one = OURS["AmpNotificationsFailing", subject]
    name = f"AlertManagerNotifications{subject.capitalize()}"
    assert [since for since, _ in fired(one, [amp(name, {60: 1.0})])] == [61]
    assert fired(one, [amp(name, level(0, 0, 0, 0))]) == []
    assert fired(one, []) == []


def test_the_dead_mans_switch_is_silent() -> None:
    one = OURS["AlertingSilent", "heartbeat"]

    def heard(minutes: range) -> list[Series]:
        samples = [(minute * MINUTE, 1.0) for minute in minutes]
        return [Series("AWS/SNS", "NumberOfMessagesPublished", {"TopicName": "shop-dev-heartbeat"}, samples)]

    assert fired(one, heard(range(5, 181, 5))) == []
    assert fired(one, heard(range(40, 181, 5))) == [], "the first deployment takes its time"
    [(since, until)] = fired(one, heard(range(5, 100, 5)))
    assert (since, until) == (117, 180)


def test_every_alarm_of_ours_has_a_test_above() -> None:
    tested = {
        "TaskOutOfMemory", "TaskRestartLoop", "TaskFailedHealthCheck", "TaskCpuSaturated", "TaskMemorySaturated",
        "TasksBelowDesired", "AmpIngestionStopped", "AmpSeriesNearLimit", "AmpSamplesRejected", "AmpRulesFailing",
        "AmpNotificationsFailing", "AlertingSilent", "ScheduleNotRun",
    }  # fmt: skip
    assert {name for name, _ in OURS} == tested
    assert {one.metric for one in events.COUNTED} == {
        query.name
        for alarm in OURS.values()
        for query in alarm.queries
        if not isinstance(query, Math) and query.namespace == events.namespace(OBSERVED.names)
    }
