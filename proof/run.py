"""One proof from start to verdicts: start the stack, send load, wait until all of it has arrived, judge."""

import re
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from documents.catalogue import CPU_RESERVED, REQUEST_DURATION, Label
from proof import addresses, checks
from proof.plan import Plan
from proof.prometheus import Prometheus, QueryError, prometheus
from proof.stack import Programs, Stack, Timing, running, until
from proof.truth import Truth
from proof.verdicts import Judge, Judgement


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
            *checks.all_of(self.truth),
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
        load, steady = await stack.drive(timing, lambda: _flowing(stack), say)
        say("waiting for the last of the telemetry")
        sent = len(load.sent)
        await until(lambda: _arrived(stack, server, sent, steady.end), timing.last, stack.check)
        yield Run(stack, stack.truth(load, steady), server)


async def _flowing(stack: Stack) -> bool:
    """Whether every process has written by now, and the last application has been seen in a trace."""
    names = Counter(dict(labels).get("__name__") for labels in stack.writes.writers)
    instances = {
        (one.get(Label.JOB), one.get(Label.INSTANCE))
        for one in map(dict, stack.writes.writers)
        if one.get("__name__") == f"{REQUEST_DURATION.name}_count"
    }
    applications = [task for task in stack.tasks if task.service is not stack.plan.collector]
    sidecars = [task for task in applications if task.service.sidecar is not None]
    last = stack.plan.applications[-1].name
    return (
        len(instances) >= len(applications)
        and names[CPU_RESERVED.name] >= len(sidecars)
        and any(segment.name == last for segment in stack.traces.segments)
    )


async def _arrived(stack: Stack, server: Prometheus, sent: int, end: float) -> bool:
    """Whether nothing is under way any more: as far as can be told by counting."""
    served = Counter(segment.name for segment in stack.traces.segments if not segment.subsegment)
    if any(served[service.name] < sent for service in stack.plan.applications):
        return False
    try:
        counted = await server.instant(f"sum by ({Label.JOB}) ({REQUEST_DURATION.name}_count)", time.time())
        groups = await server.rule_groups()
    except QueryError:
        return False
    jobs = {frame.labels.get(Label.JOB): frame.points[-1][1] for frame in counted}
    return all(jobs.get(stack.plan.job(service), 0) >= sent for service in stack.plan.applications) and all(
        _timestamp(group["lastEvaluation"]) > end for group in groups
    )


def _timestamp(text: str) -> float:
    """Seconds since the epoch of a time as Go writes it, with nanoseconds that Python does not read."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text)).timestamp()
