"""Every alert made to fire: faults on a running stack with the recovery after each, and what the alerts of the deployed
documents make of the samples that the collectors wrote meanwhile."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from documents.alerting import alerts
from documents.alerting.model import Alert
from proof import alarms, drilled, faults, replay
from proof.drill import Drill
from proof.drilled import BUDGETS, Happened, Recording
from proof.faults import Stop
from proof.figures import series as figures_of
from proof.load import CYCLE
from proof.prometheus import QueryError
from proof.run import Run
from proof.stack import Stack
from proof.task import INTERVAL_SECONDS
from proof.truth import Window
from proof.verdict import Kind
from proof.waiting import until
from sample import behaviour

GOOD: Final = tuple(kind for kind in range(CYCLE) if not behaviour.is_error(kind) and not behaviour.is_slow(kind))
FAILING: Final = tuple(kind for kind in range(CYCLE) if behaviour.is_error(kind))

_PATIENCE_SECONDS: Final[Mapping[str, float]] = {"firing": 90.0, "inactive": 180.0}
"""Of a run, for alerts to get into a state: how fast a queue of 512 MiB fills, and is delivered afterwards, depends on
the machine."""

_UNTIL_RESTART: Final = frozenset({alerts.COLLECTOR_MEMORY.name})
"""The file of a queue that was full is mapped into the memory of its collector, and nobody else wants that memory."""

_SURE_SECONDS: Final = 2 * INTERVAL_SECONDS
"""Beyond the moment when the rules of the run say so, since those of a deployment see other moments."""

_LAST_SECONDS: Final = 10 * INTERVAL_SECONDS
"""Of health, after everything: what is repeated where an alert needs longer to resolve than a run can take."""

_SLOWER: Final = 1.4
"""How much longer than the threshold requests take."""

_START_SECONDS: Final = 5.0
"""How long ECS takes to start what was killed."""

_REQUESTS_PER_SECOND: Final = 5.0
"""As many as an application can answer that is held up most of the time."""


@asynccontextmanager
async def _by_load() -> AsyncGenerator[None]:
    """Nothing more than the orders that are sent."""
    yield


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong, in words, and the alerts that it must make fire."""

    text: str
    alerts: tuple[Alert, ...]
    inject: Callable[[], AbstractAsyncContextManager[None]] = _by_load


class Conductor:
    """Brings faults about in a stack, one act after the other, and notes what happened when."""

    def __init__(self, run: Run, say: Callable[[str], None]) -> None:
        self._run = run
        self._say = say
        self.happened: Final[list[Happened]] = []
        self.stops: Final[list[Stop]] = []

    async def perform(self, least: Callable[[Sequence[Alert]], float]) -> Window:
        """All acts; the last of the health after them. `least` says for how many seconds the faults that some alerts
        are about have to last."""
        for text, kinds, acting in _acts(self._run.stack, self.stops):
            about = [alert for fault in acting for alert in fault.alerts]
            await self.act(text, acting, kinds=kinds, least=least(about))
        return await self.recover()

    async def act(self, text: str, acting: Sequence[Fault], *, kinds: Sequence[int] = (), least: float = 0.0) -> None:
        """Faults that are there at the same time: until all of their alerts fire, and for `least` seconds. `kinds` are
        the orders that are sent meanwhile."""
        names = {alert.name for fault in acting for alert in fault.alerts} - BUDGETS
        async with self._sending(GOOD):
            # What is killed with a full queue comes back with it, and is not heard of before it is delivered.
            await self._until(names | self._had_to_fire - _UNTIL_RESTART, "inactive")
        self._say(text)
        async with self._sending(kinds), AsyncExitStack() as there:
            began = time.time()
            for fault in acting:
                await there.enter_async_context(fault.inject())
            await self._until(names, "firing")
            await asyncio.sleep(max(began + least - time.time(), 0))
        for fault in acting:
            # What burns budgets began with the load of the panels.
            slow = BUDGETS & {alert.name for alert in fault.alerts}
            start = self._run.stack.began if slow else began
            self.happened.append(Happened(fault.text, fault.alerts, Window(start, time.time())))

    async def recover(self) -> Window:
        """Good orders only until all is well; the last of it."""
        self._say("recovering")
        async with self._sending(GOOD):
            await self._until(self._had_to_fire, "inactive")
            began = time.time()
            await asyncio.sleep(_LAST_SECONDS)
        return Window(began, time.time())

    @property
    def _had_to_fire(self) -> set[str]:
        """The alerts of what happened until now, but for those that take hours to resolve."""
        return {alert.name for one in self.happened for alert in one.alerts} - BUDGETS

    async def _until(self, names: Collection[str], state: str) -> None:
        """Waits until the rules of the run say so of all alerts of these names, and some more; not for ever."""

        async def reached() -> bool:
            try:
                groups = await self._run.server.rule_groups()
            except QueryError:
                return False
            states = [rule["state"] for group in groups for rule in group["rules"] if rule["name"] in names]
            return all(one == state for one in states)

        await until(reached, _PATIENCE_SECONDS[state], lambda: None)
        await asyncio.sleep(_SURE_SECONDS)

    @asynccontextmanager
    async def _sending(self, kinds: Sequence[int]) -> AsyncGenerator[None]:
        if not kinds:
            yield
            return
        sending = asyncio.create_task(self._run.stack.load(kinds, _REQUESTS_PER_SECOND).run(lambda: False))
        try:
            yield
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def drills(run: Run, promtool: Path, folder: Path, say: Callable[[str], None]) -> tuple[Drill, ...]:
    """Every alert of a stack, made to fire. `folder` takes what promtool reads.

    Raises ReplayError if promtool refuses a document, ValueError for an alarm that the model does not know.
    """
    stack, rules, known = run.stack, run.stack.plan.rules, alarms.read(run.stack.plan.documents)
    conductor = Conductor(run, say)
    healthy = await conductor.perform(lambda about: alarms.least_seconds(known, about) / stack.factor)
    say("evaluating the rules and alarms of a deployment")
    recording = Recording(stack.began, stack.factor, stack.gate.arrivals, tuple(conductor.happened), healthy)
    found = await drilled.timeline(promtool, rules, recording, folder)
    tasks = [task.truth for task in stack.tasks]
    figures = figures_of(stack.plan, tasks, conductor.stops, recording, found.end)
    of_rules = drilled.drills(rules.values(), found, recording)
    if any(one.verdict.kind is Kind.FAILED and one.alert in BUDGETS for one in of_rules):
        longer, fault = await drilled.outage(promtool, rules, recording, folder)
        of_rules = drilled.in_outage(rules.values(), longer, fault, of_rules)
    return (
        *of_rules,
        *alarms.drills(known, figures, recording, found.end),
    )


def _acts(stack: Stack, stops: list[Stop]) -> Iterator[tuple[str, Sequence[int], Sequence[Fault]]]:
    """What is said of each act, the orders that are sent in it, and its faults."""
    applications = [task for task in stack.tasks if task.service in stack.plan.applications]
    last = [task for task in applications if task.service is stack.plan.applications[-1]]
    seconds = _SLOWER * _latency(stack.plan.rules)
    yield (
        "drill: requests fail and are slow, tasks use all of their CPU and memory, X-Ray refuses segments",
        FAILING,
        (
            Fault("every request fails", (alerts.ERROR_RATE,)),
            Fault("one in ten requests fails or is slow, then all", (alerts.BURNING_FAST, alerts.BURNING_SLOWLY)),
            Fault(
                f"the last application is held up for {seconds:g} s again and again",
                (alerts.LATENCY,),
                lambda: faults.slowed(last, seconds),
            ),
            Fault(
                "a process uses all CPU of the task", (alerts.CPU_SATURATED,), lambda: faults.busy(stack, stack.tasks)
            ),
            Fault(
                "a process holds 97 % of the task's memory with the others",
                (alerts.MEMORY_SATURATED,),
                lambda: faults.bloated(stack, stack.tasks),
            ),
            Fault(
                "X-Ray answers 400",
                (alerts.COLLECTOR_DROPPING, alerts.XRAY_FAILING),
                lambda: faults.xray_refusing(stack, HTTPStatus.BAD_REQUEST),
            ),
        ),
    )
    yield (
        "drill: applications hang",
        (),
        (
            Fault("the application hangs", (alerts.SILENT,), lambda: faults.silenced(applications)),
            Fault("told while applications hang: ECS replaces tasks as unhealthy", (alerts.FAILED_HEALTH_CHECK,)),
        ),
    )
    yield (
        "drill: X-Ray is down, and collectors are flooded",
        (),
        (
            Fault(
                "X-Ray answers 503, and spans of 16 MiB come in",
                (alerts.COLLECTOR_QUEUE, alerts.COLLECTOR_REFUSING, alerts.COLLECTOR_MEMORY),
                lambda: faults.overwhelmed(stack),
            ),
        ),
    )
    yield (
        "drill: tasks are killed, and again at each start",
        (),
        (
            Fault(
                "all tasks are killed, and again at each start",
                (
                    alerts.COLLECTOR_DOWN,
                    alerts.BELOW_DESIRED,
                    alerts.RESTART_LOOP,
                    alerts.INGESTION_STOPPED,
                ),
                lambda: faults.killed(stack.tasks, _START_SECONDS, stops),
            ),
            Fault("all tasks are killed, and told is that they had no memory left", (alerts.OUT_OF_MEMORY,)),
        ),
    )


def _latency(rules: Mapping[str, str]) -> float:
    stated = [one.threshold for one in replay.alerts(rules.values()) if one.name == alerts.LATENCY.name]
    return max((threshold for threshold in stated if threshold), default=1.0)
