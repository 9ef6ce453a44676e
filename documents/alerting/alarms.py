"""CloudWatch alarms: what CloudWatch knows and AMP does not, and what AMP cannot say about itself.

An alarm looks at the newest data points of one metric or expression, one for each period, in windows that slide by a
minute. Amazon CloudWatch User Guide, "Using Amazon CloudWatch alarms"; limits: API Reference, "PutMetricAlarm".
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast

from documents import catalogue, events
from documents.alerting import alerts
from documents.alerting.inputs import Thresholds
from documents.alerting.model import HEARTBEAT, Alert
from documents.catalogue import AmpDimension, CloudWatchMetric, Dimension, ServiceMetric, StopEvent
from documents.events import Counted
from documents.names import Names
from documents.observed import Observed

NEAR: Final = 0.8
"""The share of the limit of active series at which somebody should look."""

STOP_MINUTES: Final = 15
"""How far back stops of tasks are looked at. Periods are a minute each, and the number of those with a stop is counted:
with one long period CloudWatch would come back to what it had seen already whenever the newest one is empty."""

RESTARTS: Final = 3
"""In how many of these minutes tasks of a service end by themselves before that is called a loop."""

SILENT_MINUTES: Final = 20
"""How long the dead man's switch may be silent; it is heard every five minutes."""

_WARM_UP_MINUTES: Final = 60
"""How long after its creation an alarm on silence waits for the first sound: a first deployment takes a while."""


class Comparison(StrEnum):
    """How a value has to stand to the threshold for its period to count as breaching."""

    ABOVE = "GreaterThanThreshold"
    AT_LEAST = "GreaterThanOrEqualToThreshold"
    BELOW = "LessThanThreshold"
    AT_MOST = "LessThanOrEqualToThreshold"


class Missing(StrEnum):
    """What a period without data counts as."""

    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"
    IGNORE = "ignore"
    MISSING = "missing"


@dataclass(frozen=True)
class Metric:
    """A metric that an alarm reads, under the name `id`; `statistic` over its samples in each period."""

    id: str
    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str


@dataclass(frozen=True)
class Total:
    """The sum of a metric over all of its series in which a dimension has a value, by Metrics Insights; for metrics
    that come one for each reason or group."""

    id: str
    namespace: str
    name: str
    dimension: str
    value: str

    @property
    def text(self) -> str:
        """The query."""
        return f"SELECT SUM({self.name}) FROM \"{self.namespace}\" WHERE {self.dimension} = '{self.value}'"  # noqa: S608 - Metrics Insights, which can only read; no value comes from outside


@dataclass(frozen=True)
class Math:
    """Metric math over the metrics beside it."""

    id: str
    text: str


Query = Metric | Total | Math


@dataclass(frozen=True)
class Alarm:
    """An alarm on the last of its `queries`. Times are in seconds; `breaching` of the newest `periods` periods make it
    fire. `warm_up_minutes` is how long it waits for its first data after it is made or changed, 0 for not at all.
    """

    alert: Alert
    subject: str
    queries: tuple[Query, ...]
    comparison: Comparison
    threshold: float
    summary: str
    period: int = 60
    periods: int = 1
    breaching: int = 1
    missing: Missing = Missing.NOT_BREACHING
    warm_up_minutes: int = 0

    def name(self, names: Names) -> str:
        """Its name in CloudWatch, where all stacks of an account share one list."""
        return f"{names.prefix}-{self.alert.name}-{self.subject}"


def alarms(observed: Observed, workspace_id: str) -> tuple[Alarm, ...]:
    """Every alarm of a stack. `workspace_id` is AMP's; which alarms there are does not depend on it."""
    made = [*_of_workspace(observed, workspace_id)]
    for subject in _subjects(observed):
        of_one = [*_stops(observed, subject), *(_tasks(observed, subject) if subject.in_cloudwatch else ())]
        made += [alarm for alarm in of_one if alarm.alert.name not in subject.disabled]
    if observed.scheduled:
        made.append(_dead_letters(observed))
    return tuple(alarm for alarm in made if alarm.alert.name not in observed.disabled)


@dataclass(frozen=True)
class _Subject:
    """An ECS service; `in_cloudwatch` says whether its task figures are there and not in AMP, `runs` whether
    it is to have any task."""

    service: str
    thresholds: Thresholds
    disabled: frozenset[str]
    in_cloudwatch: bool
    runs: bool = True


def _subjects(observed: Observed) -> list[_Subject]:
    """Every ECS service of the stack: its applications, and what the service pattern runs besides."""
    applications = [
        _Subject(
            one.name, one.thresholds, one.disabled, one.name in observed.cloudwatch_services, one.desired_count > 0
        )
        for one in observed.applications
    ]
    named = {one.service for one in applications}
    others = [name for name in observed.cloudwatch_services if name not in named]
    return [*applications, *(_Subject(name, observed.thresholds, frozenset(), in_cloudwatch=True) for name in others)]


def _stops(observed: Observed, subject: _Subject) -> Iterator[Alarm]:
    """What the events of stopped tasks say, in both patterns. Nothing stopped is nothing counted, so that a period
    without data is a good one."""

    dimensions = {events.DIMENSION: StopEvent.group(subject.service)}

    def stopped(alert: Alert, counted: Counted, summary: str, breaching: int = 1) -> Alarm:
        return Alarm(
            alert=alert,
            subject=subject.service,
            queries=(Metric("stopped", events.namespace(observed.names), counted.metric, dimensions, "Sum"),),
            comparison=Comparison.AT_LEAST,
            threshold=1,
            periods=STOP_MINUTES,
            breaching=breaching,
            summary=summary,
        )

    yield stopped(
        alerts.OUT_OF_MEMORY,
        events.OUT_OF_MEMORY,
        f"A task of {subject.service} was stopped because it had no memory left.",
    )
    yield stopped(
        alerts.RESTART_LOOP,
        events.FAILED,
        f"Tasks of {subject.service} ended by themselves in {RESTARTS} of {STOP_MINUTES} minutes.",
        breaching=RESTARTS,
    )
    yield stopped(
        alerts.FAILED_HEALTH_CHECK,
        events.UNHEALTHY,
        f"A task of {subject.service} was replaced because it failed its health check.",
    )


def _tasks(observed: Observed, subject: _Subject) -> Iterator[Alarm]:
    """What Container Insights says of the tasks of a service, where AMP has no figures of them."""

    def read(name: str, metric: CloudWatchMetric, statistic: str) -> Metric:
        dimensions = {Dimension.CLUSTER: observed.cluster, Dimension.SERVICE: subject.service}
        return Metric(name, catalogue.CONTAINER_INSIGHTS, metric.name, dimensions, statistic)

    cpu, memory = cast("float", subject.thresholds.cpu), cast("float", subject.thresholds.memory)
    yield Alarm(
        alert=alerts.CPU_SATURATED,
        subject=subject.service,
        # Each task is one sample a minute, so that the maximum is the task that has most to do.
        queries=(read("cpu", catalogue.CPU_UTILIZATION, "Maximum"),),
        comparison=Comparison.AT_LEAST,
        threshold=cpu,
        periods=15,
        breaching=15,
        summary=f"A task of {subject.service} has used at least {cpu:g}% of its CPU for 15 minutes.",
    )
    yield Alarm(
        alert=alerts.MEMORY_SATURATED,
        subject=subject.service,
        queries=(read("memory", catalogue.MEMORY_UTILIZATION, "Maximum"),),
        comparison=Comparison.AT_LEAST,
        threshold=memory,
        periods=5,
        breaching=5,
        summary=f"A task of {subject.service} has used at least {memory:g}% of its memory for 5 minutes.",
    )
    if not subject.runs:
        return
    yield Alarm(
        alert=alerts.BELOW_DESIRED,
        subject=subject.service,
        queries=(
            read("desired", catalogue.DESIRED_TASKS, "Maximum"),
            read("running", catalogue.RUNNING_TASKS, "Minimum"),
            Math("lacking", "desired - running"),
        ),
        comparison=Comparison.ABOVE,
        threshold=0,
        periods=10,
        breaching=10,
        # Of a service without any task Container Insights says nothing at all: the worst case has no figures.
        missing=Missing.BREACHING,
        warm_up_minutes=_WARM_UP_MINUTES,
        summary=f"Fewer tasks of {subject.service} have run than should for 10 minutes.",
    )


def _of_workspace(observed: Observed, workspace_id: str) -> Iterator[Alarm]:
    """What AMP tells CloudWatch of itself, and whether its alerts still arrive."""

    def of_workspace(metric: ServiceMetric) -> Metric:
        return _read(metric, {AmpDimension.WORKSPACE: workspace_id})

    def usage(metric: ServiceMetric) -> Metric:
        return _read(metric, {AmpDimension.RESOURCE_ID: workspace_id})

    def total(metric: ServiceMetric) -> Total:
        return Total("total", metric.namespace, metric.name, AmpDimension.WORKSPACE, workspace_id)

    yield Alarm(
        alert=alerts.SAMPLES_REJECTED,
        subject="workspace",
        queries=(total(catalogue.AMP_DISCARDED_SAMPLES),),
        comparison=Comparison.ABOVE,
        threshold=0,
        period=300,
        # A collector that was killed sends some samples twice when it is back, and those are rejected rightly.
        periods=3,
        breaching=2,
        summary="The workspace rejects samples.",
    )
    yield Alarm(
        alert=alerts.INGESTION_STOPPED,
        subject="workspace",
        queries=(usage(catalogue.AMP_INGESTION_RATE),),
        comparison=Comparison.AT_MOST,
        threshold=0,
        periods=10,
        breaching=10,
        missing=Missing.BREACHING,
        warm_up_minutes=_WARM_UP_MINUTES,
        summary="No sample has arrived in the workspace for 10 minutes.",
    )
    for subject, what, metric in (
        ("failed", "cannot be evaluated: alerts may be missing", catalogue.AMP_RULE_FAILURES),
        ("late", "take longer than their interval, and evaluations are left out", catalogue.AMP_RULES_MISSED),
    ):
        yield Alarm(
            alert=alerts.RULES_FAILING,
            subject=subject,
            queries=(total(metric),),
            comparison=Comparison.ABOVE,
            threshold=0,
            period=300,
            periods=3,
            breaching=2,
            summary=f"Rules of the workspace {what}.",
        )
    for subject, what, metric in (
        ("failed", "were not delivered", catalogue.AMP_NOTIFICATIONS_FAILED),
        ("throttled", "were throttled", catalogue.AMP_NOTIFICATIONS_THROTTLED),
    ):
        yield Alarm(
            alert=alerts.NOTIFICATIONS_FAILING,
            subject=subject,
            queries=(of_workspace(metric),),
            comparison=Comparison.ABOVE,
            threshold=0,
            period=300,
            summary=f"Notifications of the workspace's Alertmanager {what}.",
        )
    limit = observed.max_series or catalogue.AMP_MOST_SERIES
    yield Alarm(
        alert=alerts.SERIES_NEAR_LIMIT,
        subject="workspace",
        queries=(usage(catalogue.AMP_ACTIVE_SERIES),),
        comparison=Comparison.ABOVE,
        threshold=NEAR * limit,
        period=300,
        periods=3,
        breaching=3,
        summary=f"The workspace has more than {NEAR:.0%} of its {limit:,} active series.",
    )
    if alerts.DEAD_MANS_SWITCH.name in observed.disabled:
        return
    yield Alarm(
        alert=alerts.ALERTING_SILENT,
        subject="heartbeat",
        queries=(_read(catalogue.SNS_PUBLISHED, {catalogue.SNS_TOPIC: observed.names.topic(HEARTBEAT)}),),
        comparison=Comparison.BELOW,
        threshold=1,
        periods=SILENT_MINUTES,
        breaching=SILENT_MINUTES,
        missing=Missing.BREACHING,
        warm_up_minutes=_WARM_UP_MINUTES,
        summary=f"The dead man's switch has been silent for {SILENT_MINUTES} minutes: no alert of AMP may arrive.",
    )


def _dead_letters(observed: Observed) -> Alarm:
    """What EventBridge Scheduler could not run."""
    return Alarm(
        alert=alerts.SCHEDULE_NOT_RUN,
        subject="tasks",
        queries=(_read(catalogue.SQS_VISIBLE, {catalogue.SQS_QUEUE: observed.names.dead_letters}),),
        comparison=Comparison.ABOVE,
        threshold=0,
        period=300,
        # A queue that nobody touches has no figures after six hours, and its messages are still there.
        missing=Missing.IGNORE,
        summary=f"A task was not run by its schedule; the queue {observed.names.dead_letters} says which and why.",
    )


def _read(metric: ServiceMetric, dimensions: Mapping[str, str]) -> Metric:
    return Metric("value", metric.namespace, metric.name, {**dict(metric.dimensions), **dimensions}, metric.statistic)


def put_metric_alarm(alarm: Alarm, observed: Observed, topics: Iterable[str]) -> dict[str, Any]:
    """The request of CloudWatch's PutMetricAlarm. `topics` are the ARNs of those that are told, both when it fires and
    when it is over."""
    told = list(topics)
    request: dict[str, Any] = {
        "AlarmName": alarm.name(observed.names),
        "AlarmDescription": f"{alarm.summary} Runbook: {alarm.alert.runbook_url(observed.runbooks)}",
        "AlarmActions": told,
        "OKActions": told,
        "Metrics": [_query(query, alarm) for query in alarm.queries],
        "EvaluationPeriods": alarm.periods,
        "DatapointsToAlarm": alarm.breaching,
        "Threshold": alarm.threshold,
        "ComparisonOperator": alarm.comparison.value,
        "TreatMissingData": alarm.missing.value,
    }
    if alarm.warm_up_minutes:
        request["WarmUpConfiguration"] = {"WarmUpPeriodDurationInMinutes": alarm.warm_up_minutes}
    return request


def _query(query: Query, alarm: Alarm) -> dict[str, Any]:
    watched = query is alarm.queries[-1]
    if isinstance(query, Math):
        return {"Id": query.id, "Expression": query.text, "ReturnData": watched}
    if isinstance(query, Total):
        return {"Id": query.id, "Expression": query.text, "Period": alarm.period, "ReturnData": watched}
    dimensions = [{"Name": name, "Value": value} for name, value in sorted(query.dimensions.items())]
    return {
        "Id": query.id,
        "MetricStat": {
            "Metric": {"Namespace": query.namespace, "MetricName": query.name, "Dimensions": dimensions},
            "Period": alarm.period,
            "Stat": query.statistic,
        },
        "ReturnData": watched,
    }
