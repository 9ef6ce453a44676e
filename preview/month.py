"""What a recorded stack writes in a month, as a table for a person."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import yaml

from documents import tracing, volumes
from documents.volumes import Observed, Rates, Volume
from preview import wiring
from preview.recording import Recording
from preview.wiring import Running

RATES: Final = Rates()

_INTERVAL: Final = re.compile(r"\$\{env:COLLECTOR_METRICS_INTERVAL:-(\d+)s\}")
_MILLISECONDS: Final = "OTEL_METRIC_EXPORT_INTERVAL"


def lines(recording: Recording, runs: Iterable[Running]) -> Iterator[str]:
    """Markdown: a row for each ECS service and one for all, and what was assumed. Nothing where nothing runs."""
    rows = [(run.name, _count(run), volumes.a_month(_observed(recording, run), RATES)) for run in runs]
    if not rows:
        return
    yield "| service | tasks | samples into AMP, each task | all tasks | traces into X-Ray, all tasks | their spans |"
    yield "|---|---:|---:|---:|---:|---:|"
    total = Volume()
    for name, count, each in rows:
        every = each * count
        total += every
        yield f"| {name} | {count} | {each.samples:,} | {every.samples:,} | {every.traces:,} | {every.spans:,} |"
    yield f"| all | | | {total.samples:,} | {total.traces:,} | {total.spans:,} |"
    yield ""
    yield (
        f"Assumed: {RATES.requests:g} requests a second to each task of an application, {RATES.spans:g} spans each, "
        f"{RATES.combinations} combinations of method, route and status; every request begins a trace; 730 hours; "
        "nothing fails. What your code measures besides `http.server.request.duration` comes on top, and tail sampling "
        "takes from the traces."
    )


def _count(run: Running) -> int:
    desired = run.service.inputs.get("desiredCount", 1)
    return int(desired) if isinstance(desired, (int, float)) else 1


def _observed(recording: Recording, run: Running) -> Observed:
    texts = [wiring.configuration(recording, one) for one in wiring.containers(run.task) if wiring.is_collector(one)]
    collectors: list[dict[str, Any]] = [yaml.safe_load(text) for text in texts]
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
