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
    tasks = {one.name: size.tasks.get(one.name, one.tasks(given["load"])) for one in stack.services}
    yield from _compute(stack, given, tasks, size)
    yield from _network(stack, given, tasks)
    yield from _metrics(stack, given, tasks)
    yield from _traces(stack, given, tasks)
    yield from _cloudwatch(stack, given, tasks)
    yield from _rest(stack, given)


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
    traces = sum(
        tasks[one.name] * given["requests"] * SECONDS_A_MONTH * one.ratio * given["traced"]
        for one in stack.services
        if one.serves
    )
    yield Charge("X-Ray", "traces recorded", Decimal(traces), "xray.recorded")
    yield Charge("X-Ray", "traces read", min(given["traces_read"], Decimal(traces)), "xray.read")


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
    # AMG bills one editor at least, whoever comes.
    yield Charge("Grafana", "editors", stack.grafana * max(given["editors"], Decimal(1)), "grafana.editor")
    yield Charge("Grafana", "viewers", stack.grafana * given["viewers"], "grafana.viewer")
    yield Charge("Keys and names", "KMS keys", Decimal(stack.keys), "kms.key")
    yield Charge("Keys and names", "private hosted zones", Decimal(stack.zones), "zone")
    yield Charge("Keys and names", "secrets", Decimal(stack.secrets), "secret")
    yield Charge("Keys and names", "advanced parameters", Decimal(stack.parameters), "parameter.advanced")
    yield Charge("Notifications", "by e-mail", stack.mails * given["notifications"], "sns.email")
    yield Charge("Notifications", "by HTTPS", stack.posts * given["notifications"], "sns.https")


def collectors_for(spans: Decimal, least: int, given: Given) -> Decimal:
    """How many tasks of the collectors' service carry so many spans a second."""
    return max(Decimal(least), Decimal(math.ceil(spans / given["collector_spans"]) if given["collector_spans"] else 0))
