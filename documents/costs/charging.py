"""What a stack is charged for in a month: how much of it there is, and at which price."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from documents import volumes
from documents.costs.assumptions import Given
from documents.costs.stack import AS_IT_IS, ZERO, Service, Size, Stack, Tasks, shares
from documents.prices import HOURS
from documents.volumes import SECONDS_A_MONTH, Rates

_DAYS: Final = Decimal(HOURS) / 24
_GIGABYTE: Final = Decimal(10**9)
_MEGABYTE: Final = Decimal(10**6)


@dataclass(frozen=True)
class Charge:
    """So much of something at one price, in a line of the bill: `part` and `what`."""

    part: str
    what: str
    amount: Decimal
    price: str


def charges(stack: Stack, given: Given, size: Size = AS_IT_IS) -> Iterator[Charge]:
    """Everything that is billed in a month, also where there is none of it."""
    tasks = running(stack, given, size)
    yield from _compute(stack, given, tasks, size)
    yield from _network(stack, given, tasks)
    yield from _metrics(stack, given, tasks)
    yield from _traces(stack, given, tasks)
    yield from _cloudwatch(stack, given, tasks)
    yield from _rest(stack, given)


def running(stack: Stack, given: Given, size: Size = AS_IT_IS) -> Tasks:
    """How many tasks each service has on average: by load, or what `size` says. Collectors are as many as carry the
    spans of those that have none of their own, and `least` at least."""
    tasks = {one.name: size.tasks.get(one.name, one.tasks(given["load"])) for one in stack.services if not one.carries}
    senders = (one for one in stack.services if not one.carries and not one.collectors)
    spans = sum((tasks[one.name] * _traces_a_second(one, given) for one in senders), ZERO) * given["spans"]
    needed = math.ceil(spans / given["collector_spans"]) if given["collector_spans"] else 0
    return tasks | {one.name: Decimal(max(one.least, needed)) for one in stack.services if one.carries}


def _traces_a_second(one: Service, given: Given) -> Decimal:
    """Of each task."""
    return given["requests"] * one.ratio * given["traced"] if one.serves else ZERO


def _compute(stack: Stack, given: Given, tasks: Tasks, size: Size) -> Iterator[Charge]:
    for one in stack.services:
        cpu, memory = size.sizes.get(one.name, (one.cpu, one.memory))
        for spot, count in shares(one.strategy, tasks[one.name]) if one.fargate else ():
            yield from _fargate(one.name, count * HOURS, cpu, memory, one.processor, spot=spot)
            yield Charge("Fargate", one.name, count * one.disk * HOURS, "fargate.disk")
    for run in stack.runs:
        hours = run.times * given["run_minutes"] / 60
        yield from _fargate(run.name, hours, run.cpu, run.memory, run.processor)
    for group in stack.instances:
        count = group.least + (group.most - group.least) * given["load"]
        yield Charge("EC2", group.kind, count * HOURS, f"instance.{group.kind}")
        yield Charge("EC2", f"disks of {group.kind}", count * group.disk, "volume.gp3")


def _fargate(
    what: str, hours: Decimal, cpu: int, memory: int, processor: str, *, spot: bool = False
) -> Iterator[Charge]:
    name = f"fargate{'-spot' if spot else ''}.{'arm' if processor == 'ARM64' else 'x86'}"
    part = "Fargate Spot" if spot else "Fargate"
    yield Charge(part, what, hours * cpu / 1024, f"{name}.vcpu")
    yield Charge(part, what, hours * memory / 1024, f"{name}.gigabyte")


def _network(stack: Stack, given: Given, tasks: Tasks) -> Iterator[Charge]:
    public = sum((tasks[one.name] for one in stack.services if one.public), ZERO)
    through = sum((tasks[one.name] for one in stack.services if not one.public), ZERO) * given["gigabytes"]
    yield Charge("Network", "public addresses", (public + stack.addresses) * HOURS, "address")
    yield Charge("Network", "NAT gateways", Decimal(stack.gateways * HOURS), "nat.hour")
    yield Charge("Network", "through NAT gateways", through if stack.gateways else ZERO, "nat.gigabyte")
    yield Charge("Network", "endpoints", Decimal(stack.endpoints * HOURS), "endpoint.hour")
    closed = stack.endpoints and not stack.gateways
    yield Charge("Network", "through endpoints", through if closed else ZERO, "endpoint.gigabyte")
    yield Charge("Load balancer", "hours", Decimal(stack.balancers * HOURS), "balancer.hour")
    yield Charge("Load balancer", "capacity units", stack.balancers * given["capacity_units"] * HOURS, "balancer.unit")


def _metrics(stack: Stack, given: Given, tasks: Tasks) -> Iterator[Charge]:
    samples = sum((_samples(one, given, tasks[one.name]) for one in stack.services), ZERO)
    months = stack.metric_days / _DAYS
    read = stack.evaluations * given["rule_samples"]
    seen = stack.queries * given["dashboard_hours"] * given["dashboard_samples"]
    yield Charge("AMP", "samples", samples, "amp.samples")
    yield Charge("AMP", "queries of rules and dashboards", read + seen, "amp.queries")
    yield Charge("AMP", "storage", samples * given["sample_bytes"] * months / _GIGABYTE, "amp.storage")


def _samples(one: Service, given: Given, tasks: Decimal) -> Decimal:
    rates = Rates(combinations=int(given["combinations"]), calls=int(given["calls"]), runtime=int(given["runtime"]))
    application = volumes.application_series(rates) + given["series"] if one.serves else ZERO
    once, each = one.recorded
    return tasks * ((one.series + application) * SECONDS_A_MONTH / one.interval + each) + (once if tasks else 0)


def _traces(stack: Stack, given: Given, tasks: Tasks) -> Iterator[Charge]:
    traces = sum((tasks[one.name] * _traces_a_second(one, given) for one in stack.services), ZERO) * SECONDS_A_MONTH
    yield Charge("X-Ray", "traces recorded", traces, "xray.recorded")
    yield Charge("X-Ray", "traces read", min(given["traces_read"], traces), "xray.read")


def _cloudwatch(stack: Stack, given: Given, tasks: Tasks) -> Iterator[Charge]:
    logged = {one.name: _logged(one, given) * tasks[one.name] for one in stack.services if one.log_days is not None}
    kept = (logged[one.name] * (one.log_days or 0) / _DAYS for one in stack.services if one.name in logged)
    yield Charge("CloudWatch", "logs taken in", sum(logged.values(), ZERO), "logs.ingested")
    yield Charge("CloudWatch", "logs kept", sum(kept, ZERO) * given["compression"], "logs.stored")
    seen = sum(tasks.values(), ZERO) * given["insights_of_a_task"] + len(tasks) * given["insights_of_a_service"]
    yield Charge("CloudWatch", "Container Insights", seen if stack.insights else ZERO, "insights.metric")
    yield Charge("CloudWatch", "alarms", Decimal(stack.alarms), "alarm")
    yield Charge("CloudWatch", "metrics of stopped tasks", stack.metrics * given["stopping"], "metric")


def _logged(one: Service, given: Given) -> Decimal:
    """GB that a task logs in a month."""
    requests = given["requests"] * SECONDS_A_MONTH * given["log_bytes"] if one.application else ZERO
    return (requests + one.collectors * given["collector_log_mb"] * _MEGABYTE) / _GIGABYTE


def _rest(stack: Stack, given: Given) -> Iterator[Charge]:
    came = people(stack, given)
    # AMG bills one editor at least, whoever comes. People in a workspace of others are billed there.
    editors = max(came["editors"], Decimal(1)) if stack.grafana else stack.accounts * given["deployed"]
    yield Charge("Grafana", "editors", editors, "grafana.editor")
    yield Charge("Grafana", "viewers", stack.grafana * came["viewers"], "grafana.viewer")
    yield Charge("Keys and names", "KMS keys", Decimal(stack.keys), "kms.key")
    yield Charge("Keys and names", "private hosted zones", Decimal(stack.zones), "zone")
    yield Charge("Keys and names", "secrets", Decimal(stack.secrets), "secret")
    yield Charge("Keys and names", "advanced parameters", Decimal(stack.parameters), "parameter.advanced")
    yield Charge("Notifications", "by e-mail", stack.mails * given["notifications"], "sns.email")
    yield Charge("Notifications", "by HTTPS", stack.posts * given["notifications"], "sns.https")


def people(stack: Stack, given: Given) -> dict[str, Decimal]:
    """Who enters Grafana in a month, by the names of the assumptions: as many as are stated, or else each user that the
    stack gives a role, some of each group, and its own service accounts."""
    let_in = {
        "editors": stack.editors.users
        + stack.editors.groups * given["group_editors"]
        + stack.accounts * given["deployed"],
        "viewers": stack.viewers.users + stack.viewers.groups * given["group_viewers"],
    }
    return {name: given.get(name, count) for name, count in let_in.items()}
