"""What a stack writes in a month: samples into AMP, traces and their spans into X-Ray."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from documents.catalogue import REQUEST_DURATION, TASK_METRICS
from documents.rules import RECORDED

SECONDS_A_MONTH: Final = 730 * 3600
"""AWS's price lists count 730 hours a month."""

RULES_INTERVAL_SECONDS: Final = 60
"""How often AMP evaluates rules that state no interval of their own."""

_TASK_RECEIVER: Final = "awsecscontainermetrics"
_COUNTED: Final = ("traces", "metrics")
_ALWAYS: Final = ("up", "otelcol_process_memory_rss", "otelcol_process_uptime")


@dataclass(frozen=True)
class Rates:
    """What one task of an application is taken to do: `requests` a second with so many `spans` each, in so many
    `combinations` of method, route and status as occur at all."""

    requests: float = 10.0
    spans: float = 2.0
    combinations: int = 5


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
    recorded = _recorded(task) * SECONDS_A_MONTH / RULES_INTERVAL_SECONDS
    return Volume(round(samples + recorded), round(requests), round(requests * rates.spans))


def series(task: Observed, rates: Rates) -> int:
    """Series that one task keeps writing, without those that rules make of them."""
    own = sum(collector_series(configuration) for configuration in task.collectors)
    application = rates.combinations * REQUEST_DURATION.series if task.serves else 0
    return application + own + (len(TASK_METRICS) if _sees_its_task(task) else 0)


def collector_series(configuration: Mapping[str, Any]) -> int:
    """Series of what one collector says of itself while nothing fails; the first failure of a kind adds one.

    A receiver counts what it accepts and refuses, of each signal and transport (we count one transport), and an
    exporter what it sends. Of a buffer, the outer end counts the queue and the inner one what is sent.
    """
    queues = {name for name, settings in configuration.get("exporters", {}).items() if _has_queue(settings)}
    received = {use for use in _uses(configuration, "receivers") if _is_counted(*use, inner="otlp/")}
    sent = {use for use in _uses(configuration, "exporters") if _is_counted(*use, inner="otlp_grpc/")}
    queued = {use for use in _uses(configuration, "exporters") if use[1] in queues}
    return len(_ALWAYS) + 2 * len(received) + len(sent) + 2 * len(queued)


def _uses(configuration: Mapping[str, Any], kind: str) -> Iterator[tuple[str, str]]:
    """Signal and component, for every pipeline."""
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


def _recorded(task: Observed) -> int:
    return len(RECORDED) if _sees_its_task(task) else 0
