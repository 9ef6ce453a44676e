"""A run that never happened, and a Prometheus that says what a test wants: for judging the judges."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from documents.catalogue import Label
from proof.gate import Writes
from proof.load import Sent
from proof.metadata import Reading, Usage
from proof.plan import Plan, Service
from proof.prometheus import Frame, Prometheus, QueryError, Span
from proof.truth import TaskTruth, Truth, Window
from proof.wire import Traffic
from proof.xray import Received, Segment
from sample import behaviour

START = 1_000_000.0
CLUSTER = "shop-dev"
MEBIBYTE = 1024 * 1024


def service(name: str, *, sidecar: bool = True, count: int = 1) -> Service:
    containers: list[dict[str, Any]] = [
        {
            "name": name,
            "image": "app:1",
            "cpu": 0,
            "environment": [{"name": "OTEL_METRIC_EXPORT_INTERVAL", "value": "60000"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": f"/ecs/{CLUSTER}/{name}"}},
        }
    ]
    if sidecar:
        containers.append({"name": "collector", "image": "adot:1", "cpu": 64, "memory": 512, "environment": []})
    definition = {"family": f"{CLUSTER}-{name}", "cpu": "256", "memory": "1024", "containerDefinitions": containers}
    return Service(name, count, definition)


def plan(*applications: Service, documents: Mapping[str, str] | None = None, **changes: Any) -> Plan:
    made = Plan(
        project="shop",
        stack="dev",
        region="eu-west-1",
        cluster=CLUSTER,
        applications=applications or (service("front"), service("back")),
        collector=None,
        documents=documents or {},
        scrape_seconds=60.0,
        container_insights="disabled",
    )
    return replace(made, **changes)


def reading(second: float) -> Reading:
    """Each container uses a tenth of a vCPU and 80 MiB; 1,000 B/s come in, 2,000 B/s go out, 4 KiB/s are written."""
    used = Usage(0.08 * second, 0.02 * second, 80 * MEBIBYTE, 80 * MEBIBYTE, 0, int(4096 * second))
    return Reading(START + second, {"app": used, "collector": used}, Traffic(int(1000 * second), int(2000 * second)))


def task(one: Service, number: int) -> TaskTruth:
    return TaskTruth(
        service=one.name,
        family=one.family,
        id=f"{number:032x}",
        vcpu=0.25,
        memory=1024,
        sidecar=one.sidecar is not None,
        key=f"ASIA{number}",
        readings=tuple(reading(second) for second in range(61)),
    )


def sent(order: int) -> Sent:
    began = START + order / 10
    failed = 502 if behaviour.is_error(order) else 200
    return Sent(order, began, began + behaviour.duration_seconds(order) + 0.005, failed)


def segments(order: int, names: Sequence[str]) -> list[Segment]:
    """A trace through all applications: a segment of each, and between two of them the call as a subsegment."""
    made: list[Segment] = []
    parent, began, fault = "", START + order / 10, behaviour.is_error(order)
    trace = f"1-{order:08x}-{order:024x}"

    def add(name: str, subsegment: bool, status: int) -> str:
        identity = f"{order * 100 + len(made) + 1:016x}"
        end = began + behaviour.duration_seconds(order)
        made.append(Segment(trace, identity, parent, name, began, end, subsegment, False, fault, status, end + 1))
        return identity

    for index, name in enumerate(names):
        last = index == len(names) - 1
        status = 200 if not fault else 500 if last else 502
        parent = add(name, False, status)
        if not last:
            parent = add("GET", True, status)
    return made


def line(order: int) -> str:
    """What the sample writes when it has answered an order."""
    return json.dumps({"message": f"order {order}", "trace_id": f"{order:08x}{order:024x}"})


def labels(one: TaskTruth, wanted: Plan, name: str, **more: str) -> tuple[tuple[str, str], ...]:
    found = {
        "__name__": name,
        Label.ENVIRONMENT: "dev",
        Label.CLUSTER: wanted.cluster,
        Label.SERVICE: one.service,
        Label.FAMILY: one.family,
        Label.JOB: f"{wanted.project}/{one.service}",
        Label.INSTANCE: f"instance of {one.id}",
    }
    if one.sidecar:
        found |= {Label.REVISION: "1", Label.TASK: one.id}
    return tuple(sorted((found | more).items()))


def truth(wanted: Plan | None = None, **changes: Any) -> Truth:
    """Thirty even seconds of ten requests a second, all of it arrived."""
    wanted = wanted or plan()
    number = iter(range(1, 1000))
    tasks = tuple(task(one, next(number)) for one in wanted.applications for _ in range(one.count))
    orders = [sent(order) for order in range(400)]
    names = [one.name for one in wanted.applications]
    written = [
        (labels(one, wanted, name), one)
        for one in tasks
        for name in ("http_server_request_duration_seconds_count", "ecs_task_cpu_reserved")
    ]
    made = Truth(
        plan=wanted,
        interval=2.0,
        began=START,
        ruled=START + 8,
        steady=Window(START + 10, START + 40),
        sent=tuple(orders),
        tasks=tasks,
        writes=Writes(10, 100, 1000, {}, {series: frozenset({one.key}) for series, one in written}),
        traces=Received(tuple(one for order in orders for one in segments(order.order, names)), 40),
        logs={"front-collector": '{"level":"info","msg":"Everything is ready.","Version":"0.156.0"}\n'},
        lines={name: tuple(line(order.order) for order in orders) for name in names},
        prometheus="",
    )
    return replace(made, **changes)


Answers = Callable[[str], Sequence[tuple[Mapping[str, str], float]]]


class FakePrometheus:
    """Answers every query with the series that `answers` gives for its text, at any time from START on."""

    def __init__(self, answers: Answers, *, constant: bool = False) -> None:
        self._answers = answers
        self._constant = constant

    async def range(self, query: str, span: Span) -> list[Frame]:
        if "refused" in query:
            raise QueryError("parse error")
        if span.start < START and not self._constant:
            return []
        times = [span.start + index * span.step for index in range(int((span.end - span.start) / span.step) + 1)]
        return [Frame(found, tuple((time, value) for time in times)) for found, value in self._answers(query)]

    async def instant(self, query: str, at: float) -> list[Frame]:
        if at < START and not self._constant:
            return []
        return [Frame(found, ((at, value),)) for found, value in self._answers(query)]

    async def label_values(self, label: str, matches: Sequence[str], start: float, end: float) -> list[str]:
        if start < START and not self._constant:
            return []
        return sorted({found[label] for found, _ in self._answers(" ".join(matches)) if label in found})

    async def rule_groups(self) -> list[dict[str, Any]]:
        return []


def server(answers: Answers, *, constant: bool = False) -> Prometheus:
    return cast("Prometheus", FakePrometheus(answers, constant=constant))
