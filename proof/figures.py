"""What AWS would have told CloudWatch of a run, on the time scale of a deployment.

Container Insights' figures of each task come from its processes, ECS's events from the tasks that ended, the rate of
ingestion from what collectors wrote. What nothing here can bring about is told: the figure that AWS documents.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from documents import catalogue
from documents.alerting import alerts
from documents.alerting.alarms import Alarm, Math, Metric, Total
from documents.catalogue import TASK_STOPPED, AmpDimension, Dimension, StopEvent
from documents.names import Names
from proof import metric_filters
from proof.cloudwatch_alarms import MINUTE, Series
from proof.drilled import Recording
from proof.faults import Stop
from proof.metadata import Reading
from proof.plan import Plan, Service
from proof.truth import TaskTruth, Window

_MEBIBYTE: Final = 1024 * 1024
_PERCENT: Final = 100
_TOLD_AFTER: Final = 3600.0
_TOLD_SECONDS: Final = 3600.0
_UNHEALTHY_SECONDS: Final = 120.0
"""How long an application hangs until ECS stops its task, with the usual interval and number of retries."""


@dataclass(frozen=True)
class Telling:
    """A figure that is told because nothing here brings it about: in words, and its values when all is well and when
    it is not; None for no sample."""

    text: str
    well: float | None
    ill: float | None


BEYOND: Final = float("inf")
"""Of a figure: more than the alarm's threshold."""

WORKSPACE: Final = "<metrics-workspace.id>"
"""The id of the workspace in rendered documents."""

TOLD: Final[Mapping[str, Telling]] = {
    alerts.SAMPLES_REJECTED.name: Telling("told, not brought about: AMP counts rejected samples", None, 50.0),
    alerts.RULES_FAILING.name: Telling("told, not brought about: AMP counts failed rules", 0.0, 3.0),
    alerts.NOTIFICATIONS_FAILING.name: Telling("told, not brought about: AMP counts failed notifications", 0.0, 1.0),
    alerts.SERIES_NEAR_LIMIT.name: Telling(
        "told, not brought about: AMP counts as many series as it may have", 1.0, BEYOND
    ),
    alerts.SCHEDULE_NOT_RUN.name: Telling("told, not brought about: SQS counts messages of a schedule", 0.0, 1.0),
    alerts.ALERTING_SILENT.name: Telling("told, not brought about: nothing is published to the topic", 1.0, None),
}


def told_window(recording: Recording) -> Window:
    """When something is told, in seconds of a deployment: well after everything that really happened."""
    start = recording.shipped(recording.healthy).end + _TOLD_AFTER
    return Window(start, start + _TOLD_SECONDS)


def told(alarm: Alarm, window: Window, end: float) -> tuple[Series, ...]:
    """The metrics that an alarm reads until `end`; those of `TOLD` are ill in `window`."""
    telling = TOLD[alarm.alert.name]
    # A limit is reached at a figure that only the alarm knows.
    ill = 1.1 * alarm.threshold if telling.ill is BEYOND else telling.ill
    values = ((at, ill if window.start < at <= window.end else telling.well) for at in _minutes(end))
    samples = [(at, value) for at, value in values if value is not None]
    return tuple(_read(query, samples) for query in alarm.queries if not isinstance(query, Math))


def _read(query: Metric | Total, samples: Sequence[tuple[float, float]]) -> Series:
    dimensions = query.dimensions if isinstance(query, Metric) else {query.dimension: query.value}
    return Series(query.namespace, query.name, dimensions, samples)


def series(
    plan: Plan, tasks: Sequence[TaskTruth], stops: Sequence[Stop], recording: Recording, end: float
) -> tuple[Series, ...]:
    """Every metric that CloudWatch would have of a run; all is well from its last health until `end`."""
    minutes = _minutes(end)
    return (
        *(one for service in plan.services for one in _of_service(plan, service, tasks, recording, minutes)),
        *metric_filters.counted(Names(plan.project, plan.stack), _events(plan, stops, recording)),
        _ingestion(recording, minutes),
    )


def _minutes(end: float) -> list[float]:
    return [float(MINUTE * minute) for minute in range(1, int(end // MINUTE) + 1)]


# Container Insights


def _of_service(
    plan: Plan, service: Service, tasks: Sequence[TaskTruth], recording: Recording, minutes: Sequence[float]
) -> Iterator[Series]:
    dimensions = {Dimension.CLUSTER: plan.cluster, Dimension.SERVICE: service.name}
    of_service = [task for task in tasks if task.service == service.name]
    cpu: list[tuple[float, float]] = []
    memory: list[tuple[float, float]] = []
    running: list[tuple[float, float]] = []
    for at, seen in zip(minutes, recording.moments(minutes), strict=True):
        spans = [_span(task, seen, recording) for task in of_service]
        alive = [(task, span) for task, span in zip(of_service, spans, strict=True) if span]
        cpu += [(at, value) for task, span in alive if (value := _cpu(task, span)) is not None]
        memory += [(at, _memory(task, span[-1])) for task, span in alive]
        running.append((at, float(len(alive))))
    desired = [(at, float(len(of_service))) for at in minutes]
    for metric, samples in (
        (catalogue.CPU_UTILIZATION, cpu),
        (catalogue.MEMORY_UTILIZATION, memory),
        (catalogue.RUNNING_TASKS, running),
        (catalogue.DESIRED_TASKS, desired),
    ):
        yield Series(metric.namespace, metric.name, dimensions, samples)


def _span(task: TaskTruth, seen: float, recording: Recording) -> Sequence[Reading]:
    """The readings of the minute before a moment of the run, if all containers of the task were running at its end."""
    start = seen - MINUTE / recording.factor
    within = [one for one in task.readings if start - 1 <= one.at <= seen]
    whole = max((len(one.usage) for one in task.readings), default=0)
    return within if within and len(within[-1].usage) == whole else ()


def _cpu(task: TaskTruth, span: Sequence[Reading]) -> float | None:
    """Percent of what is reserved; nothing where containers began or ended in between."""
    first, last = span[0], span[-1]
    if first.at == last.at or first.usage.keys() != last.usage.keys():
        return None
    used = [sum(one.user + one.system for one in reading.usage.values()) for reading in (first, last)]
    return max(_PERCENT * (used[1] - used[0]) / (last.at - first.at) / task.vcpu, 0.0)


def _memory(task: TaskTruth, reading: Reading) -> float:
    """Percent of what is reserved."""
    return _PERCENT * sum(one.memory for one in reading.usage.values()) / (task.memory * _MEBIBYTE)


# Events


def _events(plan: Plan, stops: Sequence[Stop], recording: Recording) -> Iterator[tuple[float, Mapping[str, Any]]]:
    """ECS's events, in order of time: for every task that ended, and for one of each service again and again while the
    applications hung, since what takes the place of a task hangs as well."""
    hung = recording.of(alerts.FAILED_HEALTH_CHECK.name)
    events = [(recording.shipped_at(stop.at), _killed(stop)) for stop in stops]
    if hung is not None:
        window = recording.shipped(hung.window)
        times = range(1, int(window.seconds // _UNHEALTHY_SECONDS) + 1)
        events += [
            (window.start + turn * _UNHEALTHY_SECONDS, _unhealthy(service.name))
            for turn in times
            for service in plan.services
        ]
    yield from sorted(events, key=lambda event: event[0])


def _killed(stop: Stop) -> Mapping[str, Any]:
    reason = "OutOfMemoryError: Container killed due to memory usage"
    return _event(stop.service, "EssentialContainerExited", "Essential container in task exited", reason)


def _unhealthy(service: str) -> Mapping[str, Any]:
    return _event(service, "ServiceSchedulerInitiated", "Task failed container health checks", "")


def _event(service: str, code: str, stopped: str, reason: str) -> Mapping[str, Any]:
    """As Amazon ECS Developer Guide, "Amazon ECS task state change events", has it, as far as filters look."""
    container = {"name": service, "lastStatus": "STOPPED", "exitCode": 137} | ({"reason": reason} if reason else {})
    return {
        "source": "aws.ecs",
        "detail-type": TASK_STOPPED,
        "detail": {
            "group": StopEvent.group(service),
            "lastStatus": "STOPPED",
            "stopCode": code,
            "stoppedReason": stopped,
            "containers": [container],
        },
    }


# AMP


def _ingestion(recording: Recording, minutes: Sequence[float]) -> Series:
    """Samples a second, a figure for each minute in which there were any."""
    arrived: Counter[float] = Counter()
    for samples in recording.arrivals.values():
        arrived.update(MINUTE * (1 + recording.shipped_at(one.arrived) // MINUTE) for one in samples)
    last = max(arrived, default=0.0)
    values = [(at, arrived[min(at, last - MINUTE)] / MINUTE) for at in minutes]
    metric = catalogue.AMP_INGESTION_RATE
    dimensions = {**dict(metric.dimensions), AmpDimension.RESOURCE_ID: WORKSPACE}
    return Series(metric.namespace, metric.name, dimensions, [(at, value) for at, value in values if value])
