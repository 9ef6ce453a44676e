"""What the dashboard "Collector" must show."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from documents import names
from documents.catalogue import Label
from documents.rules import LOSING
from documents.text import from_yaml
from proof.expectations import traces
from proof.expectations.values import Expectation, Expected, Quantity, Value, between, exactly, in_order, often
from proof.plan import CONFIGURATION, environment
from proof.records import RECORDS
from proof.truth import TaskTruth, Truth

_MEBIBYTE: Final = 1024 * 1024

_PASSING: Final = 0.001
"""How full a buffer of half a GiB is with the few batches that pass through it."""


@dataclass(frozen=True)
class _Collector:
    """A collector of the run: the task and the container that it is in, the limit of that in MiB, its configuration."""

    task: TaskTruth
    name: str
    limit: int
    configuration: Mapping[str, Any]

    @property
    def buffered(self) -> Iterator[str]:
        """Exporters with a buffer."""
        exporters: Mapping[str, Mapping[str, Any]] = self.configuration["exporters"]
        return (name for name, settings in exporters.items() if "storage" in settings.get("sending_queue", {}))

    def delivers(self, signal: str) -> set[str]:
        """Exporters of a signal that count what they have sent: of a buffer it is the one behind it."""
        pipelines: Mapping[str, Any] = self.configuration["service"]["pipelines"]
        found = {one for name, each in pipelines.items() if name.split("/")[0] == signal for one in each["exporters"]}
        return {one for one in found if not one.startswith("otlp_grpc/")}

    @property
    def memory(self) -> Callable[[Truth], tuple[float, float]]:
        """The least and the most that it held while the load was even, in bytes."""

        def held(truth: Truth) -> tuple[float, float]:
            within = [one for one in self.task.readings if truth.steady.start <= one.at <= truth.steady.end]
            sizes = [one.usage[self.name].memory for one in within if self.name in one.usage]
            return min(sizes), max(sizes)

        return held


def _collectors(truth: Truth) -> list[_Collector]:
    services = {service.name: service for service in truth.plan.services}
    return [
        _Collector(task, container["name"], int(container["memory"]), from_yaml(environment(container)[CONFIGURATION]))
        for task in truth.tasks
        for container in services[task.service].collectors
    ]


def _services(truth: Truth) -> tuple[str, ...]:
    return in_order(one.task.service for one in _collectors(truth))


def _running(truth: Truth) -> Expected:
    return Expected((), {(): exactly(len(_collectors(truth)))})


def _in_total(value: Value) -> Expectation:
    return lambda _: Expected((), {(): value})


# What comes in and goes out


def _points(truth: Truth) -> Mapping[tuple[str, str], float]:
    """Points a second that arrived in AMP, by the ECS service of the collectors and by exporter: every series that was
    written has one in each interval, but of a histogram all series together are one point."""
    writers = {task.key: task.service for task in truth.tasks}
    series: dict[tuple[str, str], set[Any]] = defaultdict(set)
    for labels, keys in truth.writes.writers.items():
        known = dict(labels)
        if not known["__name__"].endswith(("_bucket", "_sum")):
            for key in keys:
                series[writers[key], _exporter(truth, known)].add(labels)
    return {way: len(each) / truth.interval for way, each in series.items()}


def _exporter(truth: Truth, labels: Mapping[str, str]) -> str:
    """Which of our exporters writes a series."""
    if labels["__name__"].startswith("ecs_task_"):
        return "prometheus_remote_write/task"
    own = labels.get(Label.JOB) == truth.plan.collector_job
    return "prometheus_remote_write/collector" if own else "prometheus_remote_write/application"


def _points_taken(truth: Truth) -> Expected:
    """Points from applications. Of what is scraped or comes by StatsD, a part is left out or added up on the way."""
    exact = not any(one.scraped or one.statsd for one in truth.plan.applications)
    series: dict[tuple[str, ...], Value] = {
        (service,): often(truth, Quantity.RATE, rate) if exact else between(Quantity.RATE, rate / 2, rate * 4)
        for (service, exporter), rate in _points(truth).items()
        if exporter.endswith("/application")
    }
    return Expected((Label.SERVICE,), series)


def _points_delivered(truth: Truth) -> Expected:
    points = _points(truth)
    most = sum(points.values())
    series: dict[tuple[str, ...], Value] = {}
    for one in _delivering(truth):
        for exporter in one.delivers("metrics"):
            way = (one.task.service, exporter)
            # Partners and CloudWatch get what they are to get, which is said elsewhere.
            series[way] = often(truth, Quantity.RATE, points[way]) if way in points else between(Quantity.RATE, 0, most)
    return Expected((Label.SERVICE, Label.EXPORTER), series)


def _spans_delivered(truth: Truth) -> Expected:
    sent = traces.sent(truth).series
    series: dict[tuple[str, ...], Value] = {
        (one.task.service, exporter): sent[one.task.service,]
        for one in _delivering(truth)
        for exporter in one.delivers("traces")
        # Where traces go nowhere there is nothing to expect, and other verdicts say so.
        if (one.task.service,) in sent
    }
    return Expected((Label.SERVICE, Label.EXPORTER), series)


def _delivering(truth: Truth) -> list[_Collector]:
    """All but fronts, which hand on."""
    return [one for one in _collectors(truth) if one.name == names.COLLECTOR]


def _records_taken(truth: Truth) -> Expected:
    """They come all at once, shortly before the window."""
    most = between(Quantity.RATE, 0, len(truth.log_records))
    return Expected((Label.SERVICE,), {(service,): most for service in _taking(truth, "logs")})


def _records_delivered(truth: Truth) -> Expected:
    most = between(Quantity.RATE, 0, RECORDS * len(truth.tasks))
    ways = {(one.task.service, exporter) for one in _delivering(truth) for exporter in one.delivers("logs")}
    return Expected((Label.SERVICE, Label.EXPORTER), dict.fromkeys(ways, most))


# What waits and what goes wrong


def _buffers(value: Value) -> Expectation:
    """The same for each buffer of each service."""

    def expected(truth: Truth) -> Expected:
        ways = {(one.task.service, exporter) for one in _collectors(truth) for exporter in one.buffered}
        return Expected((Label.SERVICE, Label.EXPORTER), dict.fromkeys(ways, value))

    return expected


def _taking(truth: Truth, signal: str) -> Collection[str]:
    """Services whose collectors take a signal."""
    return {one.task.service for one in _collectors(truth) if one.delivers(signal)}


def _nothing_lost(signal: str) -> Expectation:
    """Nothing goes wrong in a run, and that is said for each service that takes the signal."""
    zero = exactly(0)
    return lambda truth: Expected((Label.SERVICE,), {(service,): zero for service in _taking(truth, signal)})


def _nothing_fails(signal: str) -> Expectation:
    """The same for each exporter that only tries."""

    def expected(truth: Truth) -> Expected:
        ways = {
            (one.task.service, exporter)
            for one in _collectors(truth)
            for exporter in one.delivers(signal)
            if not re.fullmatch(LOSING, exporter)
        }
        return Expected((Label.SERVICE, Label.EXPORTER), dict.fromkeys(ways, exactly(0)))

    return expected


# The collectors


def _of_limit(truth: Truth) -> Expected:
    """Of each service the collector that holds most, against its limit."""
    shares: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for one in _delivering(truth):
        least, most = one.memory(truth)
        shares[one.task.service].append((least / one.limit / _MEBIBYTE, most / one.limit / _MEBIBYTE))
    series: dict[tuple[str, ...], Value] = {
        (service,): between(
            Quantity.RATIO, 0.95 * max(least for least, _ in each), 1.05 * max(most for _, most in each)
        )
        for service, each in shares.items()
        if service != names.SCRAPER
    }
    return Expected((Label.SERVICE,), series)


def _each(value: Callable[[Truth, _Collector], Value], *, buffered: bool = False) -> Expectation:
    """A row for each collector; `buffered` for each with a buffer."""
    return lambda truth: Expected(
        (Label.SERVICE, Label.TASK, Label.CONTAINER),
        {
            (one.task.service, one.task.id, one.name): value(truth, one)
            for one in _collectors(truth)
            if not buffered or any(one.buffered)
        },
    )


def _running_for(truth: Truth) -> Expected:
    """Seconds since it started, in the middle of the window, and the version that it wrote into its log."""
    middle = truth.steady.start + truth.steady.seconds / 2
    age = between(Quantity.SECONDS, truth.steady.seconds / 2, middle - truth.began)
    return Expected(
        (Label.SERVICE, Label.TASK, Label.CONTAINER, Label.VERSION),
        {
            (one.task.service, one.task.id, one.name, version): age
            for one in _collectors(truth)
            for version in _versions(truth)
        },
    )


def _versions(truth: Truth) -> set[str]:
    """What collectors say of their version when they start; all are the same program."""
    return {found for text in truth.logs.values() for found in re.findall(r'"Version":"([^"]+)"', text)}


def _memory(truth: Truth, one: _Collector) -> Value:
    least, most = one.memory(truth)
    return between(Quantity.BYTES, 0.95 * least, 1.05 * most)


def _passing(_truth: Truth, _one: _Collector) -> Value:
    return _FEW


_FEW: Final = between(Quantity.RATIO, 0, _PASSING)

PANELS: Final[Mapping[tuple[str, str, str], Expectation]] = {
    ("collector", "Collectors running", "A"): _running,
    ("collector", "Fullest buffer", "A"): _in_total(_FEW),
    ("collector", "Lost", "A"): _in_total(exactly(0)),
    ("collector", "Spans from applications", "A"): traces.accepted,
    ("collector", "Points from applications", "A"): _points_taken,
    ("collector", "Records from applications", "A"): _records_taken,
    ("collector", "Spans delivered", "A"): _spans_delivered,
    ("collector", "Points delivered", "A"): _points_delivered,
    ("collector", "Records delivered", "A"): _records_delivered,
    ("collector", "Buffers filled", "A"): _buffers(_FEW),
    ("collector", "Bytes waiting", "A"): _buffers(between(Quantity.BYTES, 0, _MEBIBYTE)),
    **{
        ("collector", title, ref): expectation(signal)
        for ref, signal in (("A", "traces"), ("B", "metrics"), ("C", "logs"))
        for title, expectation in (
            ("Refused", _nothing_lost),
            ("Attempts that fail", _nothing_fails),
            ("Given up", _nothing_lost),
        )
    },
    ("collector", "Memory against its limit", "A"): _of_limit,
    ("collector", "Collectors", "A"): _running_for,
    ("collector", "Collectors", "B"): _each(_memory),
    ("collector", "Collectors", "C"): _each(_passing, buffered=True),
}

RECORDED: Final[Mapping[str, Expectation]] = {
    f"service:{what}:increase": lambda _: Expected((Label.SERVICE, Label.METRIC), {})
    for what in ("collector_lost", "collector_refused", "xray_failed")
}
"""Nothing fails while it is measured, and then there is no series."""

VARIABLES: Final[Mapping[tuple[str, str], Callable[[Truth], tuple[str, ...]]]] = {
    ("collector", "cluster"): lambda truth: (truth.plan.cluster,),
    ("collector", "service"): _services,
}
