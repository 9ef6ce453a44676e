"""Real runs for tests: the stack of a configuration, its documents changed on the way, judged as often as one likes."""

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from documents import names
from preview import render
from preview.recorder import record
from proof import equipment
from proof.drill import Drill
from proof.drills import drills
from proof.plan import Plan, plan
from proof.run import Run, observed
from proof.stack import Programs, Timing
from proof.verdict import Verdict
from proof.verdicts import DashboardResult, Judge, Judgement
from tools.build import program

ROOT = Path(__file__).resolve().parents[2]
SHORT = Timing(steady=10.0, first=12.0, last=8.0)
"""Long enough to prove, short enough to wait for something that never comes."""
WHOLE = Timing()
"""That of `make prove`, for tests that judge panels: what begins late weighs too much in a shorter window."""

T = TypeVar("T")
Documents = dict[str, str]
Change = Callable[[Documents], None]


@cache
def rendered(stack: str, config: str = "{}") -> Plan:
    """The plan of a stack with changed configuration (JSON, so that it can be remembered)."""
    recording = record(ROOT, stack, config=json.loads(config))
    return plan(recording, render.documents(recording))


def wanted(stack: str, *, config: Mapping[str, Any] | None = None) -> Plan:
    """The plan of a stack, with some keys of its configuration changed."""
    return rendered(stack, json.dumps(config or {}, sort_keys=True))


def equipped(stack: Plan) -> Plan:
    """The plan; the test is skipped if the collector at hand lacks what it needs."""
    try:
        equipment.check(stack, program("collector"))
    except equipment.LackingError as error:
        pytest.skip(str(error))
    return stack


def with_collector(original: Plan, change: Callable[[dict[str, Any]], None]) -> Plan:
    """The plan with the configuration of every collector that delivers changed, as if it had been rendered so."""

    def changed(text: str) -> str:
        configuration = yaml.safe_load(text)
        change(configuration)
        return yaml.safe_dump(configuration, sort_keys=False)

    def service(one: Any) -> Any:
        definition = json.loads(json.dumps(one.definition))
        for container in definition["containerDefinitions"]:
            for pair in container.get("environment", ()) if container["name"] == names.COLLECTOR else ():
                if pair["name"] == "AOT_CONFIG_CONTENT":
                    pair["value"] = changed(pair["value"])
        return replace(one, definition=definition)

    return replace(
        original,
        applications=tuple(service(one) for one in original.applications),
        collector=service(original.collector) if original.collector else None,
    )


class Live:
    """A run that stays while a test looks at it."""

    def __init__(self, run: Run, loop: asyncio.AbstractEventLoop) -> None:
        self.run = run
        self.truth = run.truth
        self._loop = loop

    def judged(self) -> Judgement:
        """All verdicts."""
        return self._wait(self.run.judge())

    def dashboard(self, document: Mapping[str, Any]) -> DashboardResult:
        """The verdicts on one dashboard, which need not be the stack's."""
        return self._wait(Judge(self.truth, self.run.server).dashboard(document))

    def drilled(self, folder: Path) -> tuple[Drill, ...]:
        """Every alert, made to fire; `folder` takes what promtool reads."""
        work = drills(self.run, program("promtool").resolve(), folder, lambda _: None)
        return self._wait(work, 600)

    def _wait(self, work: Coroutine[Any, Any, T], seconds: float = 120) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)


@contextmanager
def live(stack: Plan, folder: Path, timing: Timing = SHORT) -> Iterator[Live]:
    """The stack, driven and then kept: its loop turns in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    programs = Programs(program("collector"), program("prometheus"), program("promtool"))
    context = observed(stack, programs, folder, timing)
    try:
        run = asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(180)
        try:
            yield Live(run, loop)
        finally:
            asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def beside_dashboards(judgement: Judgement) -> Judgement:
    """Without the dashboards: short runs on a busy machine are too short for the tolerances of panels."""
    return Judgement(others=judgement.others)


def complaints(judgement: Judgement) -> str:
    """Every failure with its reason, a line each."""
    return "\n".join(f"{one.subject}: {one.reason}" for one in judgement.failed)


def named(verdicts: tuple[Verdict, ...], subject: str) -> Verdict:
    """The verdict on one subject."""
    return next(one for one in verdicts if one.subject == subject)
