"""What collectors did in vain, added up for each ECS service; nothing where nothing failed."""

from collections.abc import Iterator
from typing import Final

from documents import catalogue
from documents.catalogue import CollectorMetric, Label
from documents.observed import Observed
from documents.rules.recorded import Group, Recorded, Rule, by, selector, window

_OF_SERVICE: Final = (Label.CLUSTER, Label.SERVICE)

LOSING: Final = "otlp_grpc/.+|otlp_http/.+|awscloudwatchlogs"
"""Exporters with a buffer: what one of them gives up is lost. Those behind them fail only for a while."""

_WITH_BUFFER: Final = f'{Label.EXPORTER}=~"{LOSING}"'
_TO_XRAY: Final = f'{Label.EXPORTER}=~"awsxray|otlp_http/xray"'

_LOST: Final = (
    catalogue.FAILED_SPANS,
    catalogue.FAILED_POINTS,
    catalogue.FAILED_RECORDS,
    catalogue.OVERFLOWN_SPANS,
    catalogue.OVERFLOWN_POINTS,
    catalogue.OVERFLOWN_RECORDS,
)
_REFUSED: Final = (catalogue.REFUSED_SPANS, catalogue.REFUSED_POINTS, catalogue.REFUSED_RECORDS)


def lost(observed: Observed) -> Recorded:
    """Spans, points and records that were given up, or found no room in a queue."""
    return _made("collector_lost", observed)


def refused(observed: Observed) -> Recorded:
    """Spans, points and records that were not taken, so that whoever sent them has to send them again."""
    return _made("collector_refused", observed)


def xray_failed(observed: Observed) -> Recorded:
    """Spans that were sent to X-Ray in vain; each as often as it was tried."""
    return _made("xray_failed", observed)


def _made(what: str, observed: Observed) -> Recorded:
    return Recorded(f"service:{what}:increase{window(observed)}", (*_OF_SERVICE, Label.METRIC))


def group(observed: Observed) -> Group:
    """A rule for each counter: an increase has no name, so that two of the same labels would be one series."""
    return Group(
        "collectors",
        (
            *_grown(observed, lost(observed), _LOST, _WITH_BUFFER),
            *_grown(observed, refused(observed), _REFUSED),
            *_grown(observed, xray_failed(observed), (catalogue.FAILED_SPANS,), _TO_XRAY),
        ),
    )


def _grown(
    observed: Observed, makes: Recorded, counters: tuple[CollectorMetric, ...], matcher: str = ""
) -> Iterator[Rule]:
    job = {Label.JOB: observed.job(catalogue.COLLECTOR_SERVICE)}
    for counter in counters:
        series = selector(counter.name, job, window(observed), matcher)
        # A counter appears with its first failure, and an increase does not see how a series begins: what was not
        # there before counts whole.
        began = f"(last_over_time({series}) unless last_over_time({series} offset {window(observed)}))"
        expr = f"{by(_OF_SERVICE)} ({began} or increase({series})) > 0"
        yield Rule(makes, expr, {Label.METRIC: counter.name})
