"""`python -m trials.soak STACK`: the collectors of a stack in outages of five minutes, and how fast they catch up."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from documents import names
from documents.faults import ConfigurationError
from preview import render
from preview.exits import Exit
from preview.recorder import ProgramError as RecordingError
from preview.recorder import record
from proof.plan import Plan, PlanError, Service, plan
from proof.processes import ProgramError
from tools.build import MissingProgram, program
from trials.backends import HEALTHY, Backend, Fault, busiest
from trials.load import SpanLoad, Tally, http
from trials.rig import Lost, Rig, collecting, eventually, rig

FAULTS: Final[Mapping[str, Fault]] = {
    "503": Fault(status=503),
    "429": Fault(status=429),
    "hanging": Fault(hangs=True),
    "refusing": Fault(refuses=True),
}
"""How X-Ray and AMP are away, by the word for it."""

AROUND_SECONDS: Final = 3.0
"""Load before and after an outage."""

MOST_REQUESTS: Final = 20
"""To a failing back end within ten seconds, by one collector."""

_OUTAGE_SECONDS: Final = 300.0
_PATIENCE_SECONDS: Final = 600.0
_BACKLOG: Final = 60_000
"""Spans of such an outage, of which the drain rate is measured."""

_LATENCIES: Final = (0.0, 0.03)
_ROOT: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Outcome:
    """What an outage did. `busiest` are the most requests to X-Ray and to AMP that met the fault within ten seconds.

    `late` is how many seconds after its end the last that was accepted had arrived, `memory` the largest resident set
    of each collector in bytes.
    """

    spans: Tally
    samples: Tally
    lost: Lost
    spans_twice: int
    samples_twice: int
    out_of_order: int
    refused: Mapping[str, int]
    busiest: tuple[int, int]
    late: float
    memory: Mapping[str, int]


async def outage(made: Rig, fault: Fault, seconds: float, patience: float) -> Outcome:
    """X-Ray and AMP away for so many seconds under steady load; then everything may take `patience` seconds to come."""
    async with http(made.ports[0]) as transport:
        client = made.client(transport)
        running = asyncio.create_task(client.run())
        await asyncio.sleep(AROUND_SECONDS)
        await made.fail(fault)
        await asyncio.sleep(seconds)
        await made.fail(HEALTHY)
        ended = time.monotonic()
        await asyncio.sleep(AROUND_SECONDS)
        client.stop()
        await running
    await made.delivered([client], patience)
    received, written = made.xray.received, made.amp.written
    return Outcome(
        spans=client.spans.tally,
        samples=client.counters.tally,
        lost=made.lost([client]),
        spans_twice=received.twice,
        samples_twice=written.twice,
        out_of_order=written.out_of_order,
        refused={**received.refused, **written.refused, **written.discarded},
        busiest=(_failed(made.xray), _failed(made.amp)),
        late=time.monotonic() - ended,
        memory={name: made.memory(name) for name in made.collectors},
    )


async def drain_rate(made: Rig, spans: int, latency: float) -> float:
    """Spans a second from a backlog on disk to an X-Ray with that latency.

    The collector starts with the backlog, so no back-off is measured.
    """
    await made.fail(Fault(status=503))
    async with http(made.ports[0]) as transport:
        load = SpanLoad(transport, made.resource())
        await load.burst(spans)
    made.kill(names.COLLECTOR)
    await made.fail(Fault(latency=latency))
    before = len(made.xray.requests)
    await made.restart(names.COLLECTOR)

    def arrived() -> bool:
        # The count first: it costs little while much is still missing.
        return len(made.xray.received.segments) >= load.tally.accepted and load.accepted <= made.xray.spans

    if not await eventually(arrived, _PATIENCE_SECONDS):
        raise ProgramError(f"of {spans} spans, {len(load.accepted - made.xray.spans)} have not arrived")
    return load.tally.accepted / (made.xray.received.last - made.xray.requests[before].at)


def _failed(backend: Backend) -> int:
    return busiest([arrival for arrival in backend.requests if arrival.status != 200], 10.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code is 0 if every outage was held, 1 if one was not, 2 if it could not be tried."""
    parser = argparse.ArgumentParser(prog="python -m trials.soak", description=__doc__)
    parser.add_argument("stack", help="a stack of this project, such as dev")
    asked = parser.parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    try:
        wanted, collector = _planned(asked.stack), program("collector").resolve()
        return asyncio.run(_soak(wanted, collector, console))
    except (ConfigurationError, RecordingError, PlanError, MissingProgram) as error:
        print(f"soak: {error}", file=sys.stderr)  # noqa: T201 - a command
        return Exit.USAGE
    except ProgramError as error:
        print(f"soak: {error}", file=sys.stderr)  # noqa: T201 - a command
        return Exit.FAILED
    except KeyboardInterrupt:
        print("soak: interrupted", file=sys.stderr)  # noqa: T201 - a command
        return Exit.INTERRUPTED


def _planned(stack: str) -> Plan:
    recording = record(_ROOT, stack)
    return plan(recording, render.documents(recording))


async def _soak(wanted: Plan, collector: Path, console: Console) -> int:
    held = True
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
        for service in collecting(wanted):
            folder = Path(temporary) / service.name
            console.print(f"[dim]{service.name}: X-Ray and AMP away for {_OUTAGE_SECONDS:g} s, in {len(FAULTS)} ways")
            outcomes = await asyncio.gather(
                *(_one(wanted, service, collector, folder / name, fault) for name, fault in FAULTS.items())
            )
            console.print(_table(service.name, dict(zip(FAULTS, outcomes, strict=True))))
            held = held and all(_held(outcome) for outcome in outcomes)
            for latency in _LATENCIES:
                rate = await _rate(wanted, service, collector, folder / f"backlog-{latency:g}", latency)
                console.print(f"{rate:,.0f} spans a second from a backlog, X-Ray answering after {latency:g} s")
    return 0 if held else 1


async def _one(wanted: Plan, service: Service, collector: Path, folder: Path, fault: Fault) -> Outcome:
    folder.mkdir(parents=True)
    async with rig(wanted, service, collector, folder) as made:
        return await outage(made, fault, _OUTAGE_SECONDS, _PATIENCE_SECONDS)


async def _rate(wanted: Plan, service: Service, collector: Path, folder: Path, latency: float) -> float:
    folder.mkdir(parents=True)
    async with rig(wanted, service, collector, folder) as made:
        return await drain_rate(made, _BACKLOG, latency)


def _held(outcome: Outcome) -> bool:
    """Whether the application noticed nothing, everything arrived, in order for AMP, and no back end was hammered."""
    noticed = any(tally.accepted != tally.produced for tally in (outcome.spans, outcome.samples))
    arrived = outcome.lost == Lost(0, 0) and not outcome.refused and not outcome.out_of_order
    return arrived and not noticed and max(outcome.busiest) <= MOST_REQUESTS


def _table(service: str, outcomes: Mapping[str, Outcome]) -> Table:
    table = Table(title=service, box=None, pad_edge=False, header_style="dim", title_justify="left")
    for title in ("X-Ray and AMP", "signal"):
        table.add_column(title)
    for title in ("sent", "arrived", "twice", "out of order", "busiest 10 s", "last after", "memory peak"):
        table.add_column(title, justify="right")
    for name, outcome in outcomes.items():
        for row in _rows(outcome):
            table.add_row(name, *row)
    return table


def _rows(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    memory = ", ".join(f"{name} {size / 2**20:.0f} MiB" for name, size in outcome.memory.items())
    spans, samples = outcome.spans, outcome.samples
    to_xray, to_amp = map(str, outcome.busiest)
    arrived = spans.accepted - outcome.lost.spans
    late = f"{outcome.late:.1f} s"
    yield "spans", f"{spans.produced:,}", f"{arrived:,}", f"{outcome.spans_twice:,}", "", to_xray, late, memory
    arrived, out_of_order = samples.accepted - outcome.lost.samples, f"{outcome.out_of_order:,}"
    twice = f"{outcome.samples_twice:,}"
    yield "samples", f"{samples.produced:,}", f"{arrived:,}", twice, out_of_order, to_amp, "", ""


if __name__ == "__main__":
    sys.exit(main())
