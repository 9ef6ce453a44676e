"""What a stack writes in a month: samples into AMP, traces and their spans into X-Ray."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from documents import rules
from documents.catalogue import (
    CALL_DURATION,
    COLLECTIONS,
    HISTOGRAMS,
    PROCESS_CPU,
    PROCESS_MEMORY,
    REQUEST_DURATION,
    TASK_METRICS,
    Label,
)
from documents.rules.recorded import EVALUATION_SECONDS

SECONDS_A_MONTH: Final = 730 * 3600
"""AWS's price lists count 730 hours a month."""

_TASK_RECEIVER: Final = "awsecscontainermetrics"
_COUNTED: Final = ("traces", "metrics")
_Use = tuple[str, str]
"""A signal and a component of a pipeline of it."""

_ALWAYS: Final = ("up", "otelcol_process_memory_rss", "otelcol_process_uptime")
_OF_APPLICATION: Final = (*HISTOGRAMS, PROCESS_CPU, PROCESS_MEMORY, COLLECTIONS)
"""The metrics of an application: each process emits one of each kind."""

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}


@dataclass(frozen=True)
class Rates:
    """What one task of an application is taken to do: `requests` a second with so many `spans` each, in so many
    `combinations` of method, route and status as occur at all, and calls in so many `calls` of method, host and status.

    `runtime` is how many series its processes write of themselves: those of one process in Python, whose processor time
    has two kinds and whose garbage collection three generations.
    """

    requests: float = 10.0
    spans: float = 2.0
    combinations: int = 5
    calls: int = 1
    runtime: int = 6


@dataclass(frozen=True)
class Observed:
    """One task. `serves` says whether an application in it answers requests, `collectors` are the configurations of the
    collectors in it, `interval_seconds` lies between two samples of a series, and `ratio` of the requests is traced."""

    serves: bool
    collectors: Sequence[Mapping[str, Any]]
    interval_seconds: int = 60
    ratio: float = 1.0


@dataclass(frozen=True)
class Volume:
    """Samples, traces and spans in a month."""

    samples: int = 0
    traces: int = 0
    spans: int = 0

    def __add__(self, other: "Volume") -> "Volume":
        """Both together."""
        return Volume(self.samples + other.samples, self.traces + other.traces, self.spans + other.spans)

    def __mul__(self, tasks: int) -> "Volume":
        """That of so many tasks."""
        return Volume(self.samples * tasks, self.traces * tasks, self.spans * tasks)


def a_month(task: Observed, rates: Rates) -> Volume:
    """What one task writes."""
    requests = rates.requests * SECONDS_A_MONTH * task.ratio if task.serves else 0
    samples = series(task, rates) * SECONDS_A_MONTH / task.interval_seconds
    return Volume(round(samples), round(requests), round(requests * rates.spans))


def series(task: Observed, rates: Rates) -> int:
    """Series that one task keeps writing, without those that rules make of them."""
    return standing_series(task) + (application_series(rates) if task.serves else 0)


def standing_series(task: Observed) -> int:
    """Series of a task that are there whatever its application does: what collectors say of themselves and of it."""
    own = sum(collector_series(configuration) for configuration in task.collectors)
    return own + (len(TASK_METRICS) if _sees_its_task(task) else 0)


def application_series(rates: Rates) -> int:
    """Series that an application writes in one task."""
    return rates.combinations * REQUEST_DURATION.series + rates.calls * CALL_DURATION.series + rates.runtime


def recorded(groups: Iterable[Mapping[str, Any]], service: str, task: Observed, tasks: int) -> int:
    """Samples that groups of a rules file record of an ECS service in a month; `task` is one of its `tasks`.

    The level that a recorded name begins with says how many series it has. Those of level `service` count failures, and
    have none while nothing fails.
    """
    known = list(groups)
    every = {rule["record"]: seconds(group) for group in known for rule in group["rules"] if "record" in rule}
    promised = [
        rule
        for group in known
        for rule in group["rules"]
        if rule.get("record") == rules.OBJECTIVE.name and rule["labels"][Label.SERVICE] == service
    ]
    series_of = {
        "task": tasks if _sees_its_task(task) else 0,
        "job": int(task.serves),
        "slo": len(promised),
        "job_metric": _metrics(task),
    }
    each = (series_of.get(name.split(":")[0], 0) / seconds for name, seconds in every.items())
    return round(SECONDS_A_MONTH * sum(each))


def seconds(group: Mapping[str, Any]) -> float:
    """How often a group is evaluated."""
    parts = re.findall(r"(\d+)(ms|[smhdwy])", str(group.get("interval", "")))
    return sum(int(count) * _UNITS[unit] for count, unit in parts) or EVALUATION_SECONDS


def collector_series(configuration: Mapping[str, Any]) -> int:
    """Series of what one collector says of itself while nothing fails; the first failure of a kind adds one.

    A receiver counts what it accepts and refuses, of each signal and transport (we count one transport), and an
    exporter what it sends. Of a buffer, the outer end counts the queue and the inner one what is sent.
    """
    received, sent, queued = _counted(configuration)
    return len(_ALWAYS) + 2 * len(received) + len(sent) + 2 * len(queued)


def _metrics(task: Observed) -> int:
    """Metrics that a task writes, whatever the number of their series."""
    own = set[str]().union(*map(_own_metrics, task.collectors))
    application = len(_OF_APPLICATION) if task.serves else 0
    return application + len(own) + (len(TASK_METRICS) if _sees_its_task(task) else 0)


def _own_metrics(configuration: Mapping[str, Any]) -> set[str]:
    received, sent, queued = _counted(configuration)
    return {
        *_ALWAYS,
        *(f"{what} {signal}" for signal, _ in received for what in ("accepted", "refused")),
        *(f"sent {signal}" for signal, _ in sent),
        *(f"queue {what}" for what in ("size", "capacity") if queued),
    }


def _counted(configuration: Mapping[str, Any]) -> tuple[set[_Use], set[_Use], set[_Use]]:
    """What receivers and exporters count, and exporters with a queue."""
    queues = {name for name, settings in configuration.get("exporters", {}).items() if _has_queue(settings)}
    received = {use for use in _uses(configuration, "receivers") if _is_counted(*use, inner="otlp/")}
    sent = {use for use in _uses(configuration, "exporters") if _is_counted(*use, inner="otlp_grpc/")}
    queued = {use for use in _uses(configuration, "exporters") if use[1] in queues}
    return received, sent, queued


def _uses(configuration: Mapping[str, Any], kind: str) -> Iterator[_Use]:
    for name, pipeline in configuration.get("service", {}).get("pipelines", {}).items():
        yield from ((name.split("/")[0], component) for component in pipeline.get(kind, ()))


def _is_counted(signal: str, component: str, *, inner: str) -> bool:
    # The receiver of the task's figures does not count what it makes itself.
    return signal in _COUNTED and not component.startswith((inner, _TASK_RECEIVER))


def _has_queue(settings: Mapping[str, Any] | None) -> bool:
    queue: Mapping[str, Any] | None = (settings or {}).get("sending_queue")
    return queue is not None and bool(queue.get("enabled", True))


def _sees_its_task(task: Observed) -> bool:
    return any(_TASK_RECEIVER in configuration.get("receivers", {}) for configuration in task.collectors)
