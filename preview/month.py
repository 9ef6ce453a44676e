"""What a recorded stack writes in a month, as a table for a person."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from documents import tracing, volumes
from documents.text import from_yaml
from documents.volumes import Observed, Rates, Volume
from preview import wiring
from preview.recording import Recording
from preview.wiring import Running

RATES: Final = Rates()

_INTERVAL: Final = re.compile(r"\$\{env:COLLECTOR_METRICS_INTERVAL:-(\d+)s\}")
_MILLISECONDS: Final = "OTEL_METRIC_EXPORT_INTERVAL"


def lines(recording: Recording, runs: Sequence[Running]) -> Iterator[str]:
    """Markdown: a row for each ECS service and one for all, and what was assumed. Nothing where nothing runs."""
    if not runs:
        return
    yield "| service | tasks | samples of each task | recorded by rules | all samples | traces into X-Ray | spans |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for run in runs:
        each, recorded, every = _each(recording, run), _recorded(recording, run), _every(recording, run)
        yield f"| {run.name} | {tasks(run)} | {each.samples:,} | {recorded:,} | {_row(every)} |"
    yield f"| all | | | | {_row(total(recording, runs))} |"
    yield ""
    yield (
        f"Assumed: {RATES.requests:g} requests a second to each task of an application, {RATES.spans:g} spans each, "
        f"{RATES.combinations} combinations of method, route and status, and {RATES.calls} of method, host and status "
        f"of what it calls; {RATES.runtime} series of its process, as the sample's in Python has them; every request "
        "begins a trace; 730 hours; nothing fails. What your code measures besides comes on top, and tail sampling "
        "takes from the traces."
    )


def _row(volume: Volume) -> str:
    return f"{volume.samples:,} | {volume.traces:,} | {volume.spans:,}"


def total(recording: Recording, runs: Iterable[Running]) -> Volume:
    """What all tasks of these services write in a month, and what rules record of them."""
    return sum((_every(recording, run) for run in runs), Volume())


def tasks(run: Running) -> int:
    """How many tasks a service is to have."""
    desired = run.service.inputs.get("desiredCount", 1)
    return int(desired) if isinstance(desired, (int, float)) else 1


def _each(recording: Recording, run: Running) -> Volume:
    return volumes.a_month(observed(recording, run), RATES)


def _recorded(recording: Recording, run: Running) -> int:
    return volumes.recorded(wiring.rule_groups(recording), run.name, observed(recording, run), tasks(run))


def _every(recording: Recording, run: Running) -> Volume:
    return _each(recording, run) * tasks(run) + Volume(samples=_recorded(recording, run))


def observed(recording: Recording, run: Running) -> Observed:
    """What one task of a service writes depends on this."""
    texts = [wiring.configuration(recording, one) for one in wiring.containers(run.task) if wiring.is_collector(one)]
    collectors: list[dict[str, Any]] = [from_yaml(text) for text in texts]
    variables = wiring.environment(run.applications[0]) if run.applications else {}
    return Observed(
        serves=bool(run.applications) and (bool(collectors) or "OTEL_EXPORTER_OTLP_ENDPOINT" in variables),
        collectors=collectors,
        interval_seconds=_interval(variables.get(_MILLISECONDS), texts),
        ratio=_ratio(variables.get(tracing.SAMPLER_ARGUMENT)),
    )


def _interval(milliseconds: str | None, configurations: Iterable[str]) -> int:
    if milliseconds and milliseconds.isdigit():
        return max(int(milliseconds) // 1000, 1)
    stated = (found for text in configurations if (found := _INTERVAL.search(text)))
    return next((int(found[1]) for found in stated), 60)


def _ratio(argument: str | None) -> float:
    # With X-Ray's rules the argument is the address to ask, and how much they let through is not known.
    return float(argument) if argument and re.fullmatch(r"[01](\.\d+)?", argument) else 1.0
