"""One proof from start to verdicts: start the stack, send load, wait until all of it has arrived, judge."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from documents.catalogue import CPU_RESERVED, REQUEST_DURATION, Label
from documents.rules import PERIOD_ERRORS
from proof import addresses, checks, copies, sampling
from proof.load import Load
from proof.plan import Plan
from proof.processes import ProgramError
from proof.prometheus import Prometheus, QueryError, prometheus
from proof.stack import Programs, Stack, Timing, running
from proof.task import DECISION_SECONDS, INTERVAL_SECONDS
from proof.truth import Truth, Window
from proof.verdicts import Judge, Judgement
from proof.waiting import until

_QUIET_SECONDS: Final = DECISION_SECONDS + 3.0
"""Longer than anything holds a span back: the SDK for a second, a decision, the buffer for a second."""


@dataclass(frozen=True)
class Run:
    """A stack that has been observed and still runs."""

    stack: Stack
    truth: Truth
    server: Prometheus

    async def judge(self) -> Judgement:
        """All verdicts."""
        judge = Judge(self.truth, self.server)
        dashboards = await judge.dashboards()
        others = [
            *await judge.rules(),
            *await checks.counted(self.truth, self.server, time.time()),
            *await checks.scraped(self.truth, self.server, time.time()),
            *await checks.pushed(self.truth, self.server, time.time()),
            *await checks.watched(self.truth, self.server, time.time()),
            *checks.all_of(self.truth),
            *copies.checked(self.truth),
            *addresses.checked(self.truth.plan),
        ]
        return Judgement(dashboards, tuple(others))


@asynccontextmanager
async def observed(
    plan: Plan, programs: Programs, folder: Path, timing: Timing, say: Callable[[str], None] = lambda _: None
) -> AsyncGenerator[Run]:
    """The stack after it was driven; it ends with the context. `say` gets what it is doing, in a few words."""
    say(f"starting {', '.join(f'{service.count} x {service.name}' for service in plan.services)}")
    async with running(plan, programs, folder) as stack, prometheus(stack.prometheus_url) as server:
        say("under load, until every process has been heard of and every rule has recorded")
        load, steady = await stack.drive(timing.steady, lambda: _warm(stack, server, timing.first), say)
        say("waiting for the last of the telemetry")
        sent = len(load.sent)
        await until(lambda: _arrived(stack, server, sent, steady.end), timing.last, stack.check)
        await until(lambda: _copied(stack, load, steady), timing.last, stack.check)
        yield Run(stack, stack.truth(load, steady), server)


async def _warm(stack: Stack, server: Prometheus, patience: float) -> None:
    """Returns when telemetry flows and rules have recorded all they are to. `patience` is in seconds, for each of both.

    Rules are loaded when rates are whole. A counter's first sample is in no rate, and errors come after other answers:
    what adds up rates over days would never forget that it saw fewer errors than there were.
    """
    look_back = stack.plan.rate_intervals * INTERVAL_SECONDS
    await until(lambda: _flowing(stack), patience, stack.check)
    await stack.send_logs()
    await asyncio.sleep(look_back)
    stack.write_rules()
    try:
        await server.reload()
    except QueryError as error:
        raise ProgramError(f"Prometheus does not take the rules: {error}") from error
    # Long windows take rates as seldom as these are wide.
    await until(lambda: recorded(stack.plan, server, stack.ruled), patience + look_back, stack.check)


async def _flowing(stack: Stack) -> bool:
    """Whether every process has written by now, applications also of errors, and the last application has been seen in
    a trace."""
    names = Counter(dict(labels).get("__name__") for labels in stack.writes.writers)
    counted = {
        (one.get(Label.JOB), one.get(Label.INSTANCE), one.get(Label.STATUS, "").startswith("5"))
        for one in map(dict, stack.writes.writers)
        if one.get("__name__") == f"{REQUEST_DURATION.name}_count"
    }
    instances = {(job, instance) for job, instance, _ in counted}
    failed = Counter(job for job, _, error in counted if error)
    applications = [task for task in stack.tasks if task.service in stack.plan.applications]
    sidecars = [task for task in applications if task.service.sidecar is not None]
    first, *others = stack.plan.applications
    last = stack.plan.applications[-1].name
    return (
        len(instances) >= len(applications)
        # Each task of the first application gets every kind of order; which task of the others does is chance.
        and failed[stack.plan.job(first)] >= first.count
        and all(failed[stack.plan.job(one)] for one in others)
        and names[CPU_RESERVED.name] >= len(sidecars)
        and any(segment.name == last for segment in stack.traces.segments)
    )


async def _arrived(stack: Stack, server: Prometheus, sent: int, end: float) -> bool:
    """Whether nothing is under way any more: as far as can be told by counting."""
    if not _traced(stack, sent):
        return False
    try:
        counted = await server.instant(f"sum by ({Label.JOB}) ({REQUEST_DURATION.name}_count)", time.time())
        said = await checks.spans_said(stack.plan, server, time.time())
        otherwise = await _counted_otherwise(stack.plan, server)
    except QueryError:
        return False
    # Their own count is the last to arrive: it is scraped after what it counts.
    if said < len(stack.traces.segments) + stack.traces.twice:
        return False
    jobs = {frame.labels.get(Label.JOB): frame.points[-1][1] for frame in counted}
    return (
        all(jobs.get(stack.plan.job(service), 0) >= sent for service in stack.plan.applications)
        and all(count >= sent * (1 - checks.STATSD_TOLERANCE) for count in otherwise)
        and await _evaluated(server, end)
    )


async def recorded(plan: Plan, server: Prometheus, since: float) -> bool:
    """Whether every group of rules was evaluated after a time, and those that add up have found something to add: on a
    busy machine the first rates come late, and long windows are not looked at again for a while."""
    if not await _evaluated(server, since):
        return False
    try:
        frames = await server.instant(PERIOD_ERRORS.name, time.time())
    except QueryError:
        return False
    promised = {(name, slo) for name, objectives in plan.objectives.items() for slo in objectives.ratios}
    return promised <= {(frame.labels.get(Label.SERVICE), frame.labels.get(Label.SLO)) for frame in frames}


async def _evaluated(server: Prometheus, since: float) -> bool:
    """Whether every group of rules was evaluated after a time, also those that are looked at seldom."""
    try:
        groups = await server.rule_groups()
    except QueryError:
        return False
    return all(_timestamp(group["lastEvaluation"]) > since for group in groups)


async def _counted_otherwise(plan: Plan, server: Prometheus) -> list[float]:
    """The requests that arrived on metrics pages and by StatsD, for each application that has them."""
    asked = [
        (checks.SCRAPED, Label.JOB, {plan.job(one) for one in plan.applications if one.scraped}),
        (checks.PUSHED, "application", {one.name for one in plan.applications if one.statsd}),
    ]
    counted: list[float] = []
    for query, label, wanted in asked:
        frames = await server.instant(f"sum by ({label}) ({query})", time.time()) if wanted else []
        found = {frame.labels.get(label, ""): frame.points[-1][1] for frame in frames}
        counted += [found.get(name, 0.0) for name in wanted]
    return counted


async def _copied(stack: Stack, load: Load, steady: Window) -> bool:
    """Whether partners and CloudWatch have what they are to have."""
    return copies.arrived(stack.truth(load, steady))


def _traced(stack: Stack, sent: int) -> bool:
    """Whether all traces are there; where the stack samples, and nobody can know how many, whether no more come."""
    received = stack.traces
    if {one.id for one in stack.foreign} - {segment.id for segment in received.segments}:
        return False
    if sampling.samples(stack.plan):
        return time.time() - received.last > _QUIET_SECONDS
    served = Counter(segment.name for segment in received.segments if not segment.subsegment)
    return all(served[service.name] >= sent for service in stack.plan.applications)


def _timestamp(text: str) -> float:
    """Seconds since the epoch of a time as Go writes it, with nanoseconds that Python does not read."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text)).timestamp()
