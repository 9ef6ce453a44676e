"""`make bench`: what our collectors cost, side by side with plain ones under the same load, in one run.

Ratios are the result; seconds depend on the machine. Every figure is the median of `ROUNDS` rounds, in which the
arrangements take turns, so that a busy minute hits all of them.
"""

import asyncio
import copy
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import jinja2
from rich.console import Console

from documents import names
from documents.catalogue import Pattern
from preview import render
from preview.recorder import record
from proof.plan import CONFIGURATION, Plan, Service, environment, plan
from proof.remote_write import Labels
from proof.waiting import until
from tools.build import program
from trials import plain
from trials.backends import Fault
from trials.load import SpanLoad, after, http
from trials.rig import Rig, rig

ROUNDS: Final = 3
SPANS: Final = 60_000
RATES: Final = (100, 1_000, 5_000)
"""Spans a second."""

_STEADY_SECONDS: Final = 20.0
_LATENCY: Final = Fault(latency=0.01)
"""Each request waits so long for its answer, as one to a service in the same region does."""

_PATIENCE_SECONDS: Final = 120.0
_ROOT: Final = Path(__file__).resolve().parent.parent
_PAGE: Final = _ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Burst:
    """What 60,000 spans as fast as they are accepted cost: seconds of CPU, seconds until the last of them was
    delivered, bytes sent to X-Ray, the most memory (bytes) that the collectors held together, and the series that the
    task had written to AMP by then: none of them is the application's."""

    cpu: float
    delivered: float
    sent: int
    memory: int
    series: int


@dataclass(frozen=True)
class Steady:
    """What an even load costs: CPU in cores, and the most memory (bytes), for all collectors of a task together."""

    rate: int
    cpu: float
    memory: int


def arrangements(sidecar: Service) -> dict[str, Service]:
    """The ECS services to compare: ours as rendered, and the same task with plain configurations in its place."""
    return {
        "ours": sidecar,
        "plain": _with(sidecar, plain.BUILT_IN),
        "floor": _with(sidecar, plain.FLOOR),
    }


def _with(service: Service, configuration: str) -> Service:
    """The service with another configuration, and with nothing of ours around it."""
    definition: dict[str, Any] = copy.deepcopy(dict(service.definition))
    kept = [one for one in definition["containerDefinitions"] if one["name"] != names.DRAIN]
    for container in kept:
        container["dependsOn"] = [
            wait for wait in container.get("dependsOn", ()) if wait["containerName"] != names.DRAIN
        ]
        if container["name"] == names.COLLECTOR:
            container.pop("command", None)
            for pair in container["environment"]:
                if pair["name"] == CONFIGURATION:
                    pair["value"] = configuration
    definition["containerDefinitions"] = kept
    return replace(service, definition=definition)


async def burst(stack: Plan, service: Service) -> Burst:
    """60,000 spans as fast as they are accepted. Raises TimeoutError if not all of them arrive."""
    with tempfile.TemporaryDirectory() as folder:
        async with rig(stack, service, program("collector"), Path(folder), fault=_LATENCY) as running:
            async with http(running.ports[0]) as transport:
                load = SpanLoad(transport, running.resource())
                cpu, sent, began = _cpu(running), running.xray.size, time.time()
                await load.burst(SPANS)
            await _arrived(running, lambda: len(running.xray.spans) >= load.tally.accepted)
            used, memory = _cpu(running) - cpu, _memory(running)
            if "remote_write" in environment(running.tasks[0].service.collectors[0])[CONFIGURATION]:
                await _arrived(running, lambda: any(_is_of_task(one) for one in running.amp.written.samples))
            return Burst(
                cpu=used,
                delivered=running.xray.received.last - began,
                sent=running.xray.size - sent,
                memory=memory,
                series=len(running.amp.written.samples),
            )


async def steady(stack: Plan, service: Service, rate: int) -> Steady:
    """An even load of so many spans a second. Raises TimeoutError if not all of them arrive."""
    with tempfile.TemporaryDirectory() as folder:
        async with rig(stack, service, program("collector"), Path(folder), fault=_LATENCY) as running:
            async with http(running.ports[0]) as transport:
                load = SpanLoad(transport, running.resource())
                cpu, began = _cpu(running), time.monotonic()
                await load.run(rate, after(_STEADY_SECONDS))
            await _arrived(running, lambda: len(running.xray.spans) >= load.tally.accepted)
            seconds = time.monotonic() - began
            return Steady(rate, (_cpu(running) - cpu) / seconds, _memory(running))


async def _arrived(running: Rig, condition: Callable[[], bool]) -> None:
    async def met() -> bool:
        return condition()

    if not await until(met, _PATIENCE_SECONDS, lambda: None):
        raise TimeoutError(f"{len(running.xray.spans)} spans arrived in {_PATIENCE_SECONDS:g} s")


def _is_of_task(labels: Labels) -> bool:
    return dict(labels)["__name__"].startswith("ecs_task_")


def _cpu(running: Rig) -> float:
    used = [running.tasks[0].children[name].usage() for name in running.collectors]
    return sum(one.user + one.system for one in used)


def _memory(running: Rig) -> int:
    return sum(running.memory(name) for name in running.collectors)


def median(bursts: Sequence[Burst]) -> Burst:
    """Each figure's median."""
    return Burst(
        cpu=statistics.median(one.cpu for one in bursts),
        delivered=statistics.median(one.delivered for one in bursts),
        sent=round(statistics.median(one.sent for one in bursts)),
        memory=round(statistics.median(one.memory for one in bursts)),
        series=round(statistics.median(one.series for one in bursts)),
    )


async def measured(stacks: dict[Pattern, Plan], console: Console) -> dict[str, Any]:
    """Everything that the page shows."""
    stack = stacks[Pattern.SIDECAR]
    services = arrangements(stack.applications[0])
    bursts: dict[str, list[Burst]] = {name: [] for name in services}
    for number in range(ROUNDS):
        for name, service in services.items():
            console.print(f"round {number + 1} of {ROUNDS}: {SPANS:,} spans, {name}")
            bursts[name].append(await burst(stack, service))
    growth: dict[str, list[Steady]] = {}
    for pattern, one in stacks.items():
        service = one.collector or one.applications[0]
        for rate in RATES:
            console.print(f"{pattern}: {rate:,} spans a second")
            growth.setdefault(pattern, []).append(await steady(one, service, rate))
    return {"bursts": {name: median(found) for name, found in bursts.items()}, "growth": growth}


def growth_rows(growth: Mapping[str, Sequence[Steady]]) -> list[list[str]]:
    """Pattern, rate, CPU units, CPU units for each 1,000 spans a second more than at the lowest rate, MiB."""
    rows: list[list[str]] = []
    for pattern, found in growth.items():
        idle = found[0]
        for one in found:
            more = (one.cpu - idle.cpu) * 1024 * 1000 / (one.rate - idle.rate) if one.rate > idle.rate else None
            per = "" if more is None else f"{more:.0f}"
            rows.append([pattern, f"{one.rate:,}", f"{one.cpu * 1024:.0f}", per, f"{one.memory / 1024**2:.0f}"])
    return rows


def page(figures: dict[str, Any], collector: str) -> str:
    """The text of docs/benchmarks.md."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    templates = jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - it is Markdown
    return templates.get_template("benchmarks.md.j2").render(
        collector=collector,
        commit=_printed("git", "rev-parse", "--short", "HEAD"),
        machine=f"{platform.system()} on {platform.machine()}",
        cores=os.cpu_count(),
        rounds=ROUNDS,
        spans=SPANS,
        seconds=_STEADY_SECONDS,
        latency=_LATENCY.latency,
        rows=[row.cells(figures["bursts"]) for row in ROWS],
        growth=growth_rows(figures["growth"]),
    )


@dataclass(frozen=True)
class Row:
    """A line of the comparison: the figure of each arrangement in `form`, and the share of plain's that is our goal."""

    title: str
    figure: Callable[[Burst], float]
    form: str
    goal: float | None = None

    def cells(self, bursts: Mapping[str, Burst]) -> list[str]:
        """The figures, our share of plain's, and whether that is what we want."""
        values = [self.figure(bursts[name]) for name in ("ours", "plain", "floor")]
        share = values[0] / values[1]
        verdict = "" if self.goal is None else f"{self.goal:g}: {'met' if share <= self.goal else 'missed'}"
        return [self.title, *(self.form % value for value in values), f"{share:.2f}", verdict]


ROWS: Final = (
    Row("CPU, seconds", lambda one: one.cpu, "%.2f", 0.7),
    Row("until the last span is delivered, seconds", lambda one: one.delivered, "%.1f"),
    Row("bytes to X-Ray for each span", lambda one: one.sent / SPANS, "%.0f", 0.4),
    Row("peak memory, MiB", lambda one: one.memory / 1024**2, "%.0f", 1.1),
    Row("series of the task in AMP", lambda one: one.series, "%.0f"),
)


def _adot_release(collector: Path) -> str | None:
    """The release of an ADOT collector, which says it at each start; None for another collector."""
    said = subprocess.run([str(collector), "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"ADOT Collector version: (\S+)", said.stdout + said.stderr)
    return found[1] if found else None


def _printed(*arguments: str) -> str:
    return subprocess.run(arguments, cwd=_ROOT, capture_output=True, text=True, check=True).stdout.strip()


def main() -> int:
    """Measures, prints the page, and writes it if the collector is ADOT's."""
    console = Console(stderr=True)
    stacks: dict[Pattern, Plan] = {}
    for pattern, name in ((Pattern.SIDECAR, "dev"), (Pattern.SERVICE, "prod")):
        recording = record(_ROOT, name)
        stacks[pattern] = plan(recording, render.documents(recording))
    release = _adot_release(program("collector"))
    text = page(asyncio.run(measured(stacks, console)), f"ADOT {release}" if release else "the registries' collector")
    sys.stdout.write(text)
    if not release:
        console.print("not written to docs: the X-Ray exporter of this collector stands in for ADOT's (COLLECTOR=...)")
        return 0
    _PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
