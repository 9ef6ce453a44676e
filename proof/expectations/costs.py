"""What the dashboard "Costs" must show: what was written at the gate, and what arrived in X-Ray."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from documents import catalogue, prices
from documents.catalogue import Label
from documents.volumes import SECONDS_A_MONTH
from proof.expectations import traces
from proof.expectations.values import SELDOM, Expectation, Expected, Quantity, between, often
from proof.truth import Truth

_UID: Final = "costs"

_SPANS_IN_A_TRACE: Final = 2
"""What the dashboard takes until somebody chooses."""

_COUNTED_AT_ONCE: Final = 0.7
"""Series are counted seldom: one that begins just before the window is not in the first counts of it."""

_ROUNDING: Final = 1 + 1e-9
"""A price is multiplied in another order by Prometheus than here, which differs in the last digit."""

_NAMES: Final = {name: metric for metric, names in catalogue.SERIES_OF.items() for name in names}
"""The metric of the catalogue that a series belongs to, by the name of the series."""

Told = Callable[[Mapping[str, str], str], tuple[str, ...]]


def _known(truth: Truth) -> Iterator[tuple[Mapping[str, str], str, float]]:
    """Series of the catalogue's metrics: labels, metric, and when the first sample of it arrived."""
    for labels, samples in truth.arrivals.items():
        told = dict(labels)
        if metric := _NAMES.get(told["__name__"]):
            yield told, metric, samples[0].arrived


def _series(by: tuple[str, ...], told: Told, scale: float = 1.0, quantity: Quantity = Quantity.COUNT) -> Expectation:
    """Series that were written at the beginning of the window, and at its end; a few may begin in between."""

    def expected(truth: Truth) -> Expected:
        early: Counter[tuple[str, ...]] = Counter()
        late: Counter[tuple[str, ...]] = Counter()
        for labels, metric, first in _known(truth):
            early[told(labels, metric)] += first < truth.steady.start
            late[told(labels, metric)] += first <= truth.steady.end
        return Expected(
            by,
            {
                key: between(quantity, scale * early[key] * _COUNTED_AT_ONCE, scale * late[key] * _ROUNDING)
                for key in late
                if late[key]
            },
            coverage=SELDOM,
        )

    return expected


def _samples(truth: Truth) -> Expected:
    """Samples a second as a deployment would send them: those that arrived within the window, as much slower as its
    interval is longer."""
    factor = truth.plan.shipped_seconds / truth.interval
    arrived: Counter[tuple[str, ...]] = Counter()
    for labels, samples in truth.arrivals.items():
        told = dict(labels)
        if told["__name__"] in _NAMES:
            arrived[told.get(Label.SERVICE, ""),] += sum(
                truth.steady.start <= sample.at <= truth.steady.end for sample in samples
            )
    rates = {key: count / truth.steady.seconds / factor for key, count in arrived.items()}
    expected = {key: often(truth, Quantity.RATE, rate) for key, rate in rates.items()}
    return Expected((Label.SERVICE,), expected, coverage=SELDOM)


def _month(truth: Truth) -> Expected:
    """One series: the samples of a month."""
    whole = sum(value.centre or 0 for value in _samples(truth).series.values())
    return Expected((), {(): often(truth, Quantity.COUNT, whole * SECONDS_A_MONTH)}, coverage=SELDOM)


def _bill(truth: Truth) -> Expected:
    [month] = _month(truth).series.values()
    dollars = between(Quantity.COUNT, prices.SAMPLES.dollars(month.low), prices.SAMPLES.dollars(month.high))
    return Expected((), {(): dollars}, coverage=SELDOM)


def _all_spans(scale: float, dollars: Callable[[float], float] = lambda amount: amount) -> Expectation:
    """One series: all spans a second, times something, and what that costs."""

    def expected(truth: Truth) -> Expected:
        values = traces.sent(truth).series.values()
        low, high = sum(value.low for value in values), sum(value.high for value in values)
        quantity = Quantity.RATE if scale == 1 else Quantity.COUNT
        return Expected((), {(): between(quantity, dollars(scale * low), dollars(scale * high))})

    return expected


def _service(labels: Mapping[str, str], _: str) -> tuple[str, ...]:
    return (labels.get(Label.SERVICE, ""),)


def _metric(_: Mapping[str, str], metric: str) -> tuple[str, ...]:
    return (metric,)


def _both(labels: Mapping[str, str], metric: str) -> tuple[str, ...]:
    return (labels.get(Label.SERVICE, ""), metric)


_OF_BOTH: Final = (Label.SERVICE, Label.METRIC)


def _costs(truth: Truth, per_sample: float) -> Expected:
    month = SECONDS_A_MONTH / truth.plan.shipped_seconds * per_sample
    return _series(_OF_BOTH, _both, month)(truth)


def _largest(truth: Truth) -> Expected:
    """The metrics with the most series; which of two with equally many is shown does not matter."""
    every = _series((Label.METRIC,), _metric)(truth)
    ranked = sorted(every.series, key=lambda key: every.series[key].high, reverse=True)
    if not ranked:
        return every
    tenth = every.series[ranked[min(len(ranked), _SHOWN) - 1]].high
    shown = {key: value for key, value in every.series.items() if value.high >= tenth}
    tied = {key for key, value in shown.items() if value.high == tenth and len(ranked) > _SHOWN}
    # Counts that begin one after the other change places at first.
    return Expected(every.by, shown, frozenset(tied), coverage=0.1)


_SHOWN: Final = 10


PANELS: Final[Mapping[tuple[str, str, str], Expectation]] = {
    (_UID, "Samples a month", "A"): _month,
    (_UID, "AMP a month (estimate)", "A"): _bill,
    (_UID, "Series", "A"): _series((), lambda _, __: ()),
    (_UID, "Spans a month", "A"): _all_spans(SECONDS_A_MONTH),
    (_UID, "X-Ray a month (estimate)", "A"): _all_spans(SECONDS_A_MONTH / _SPANS_IN_A_TRACE, prices.TRACES.dollars),
    (_UID, "Spans a second", "A"): _all_spans(1),
    (_UID, "Samples a second by application", "A"): _samples,
    (_UID, "Series by application", "A"): _series((Label.SERVICE,), _service),
    (_UID, "Series by metric", "A"): _largest,
    (_UID, "What each metric costs", "A"): _series(_OF_BOTH, _both),
    (_UID, "What each metric costs", "B"): lambda truth: _costs(truth, 1),
    (_UID, "What each metric costs", "C"): lambda truth: _costs(truth, prices.SAMPLES.per_million / 1_000_000),
    (_UID, "Spans a second by sender", "A"): traces.sent,
}

RECORDED: Final[Mapping[str, Expectation]] = {
    # By job as well: an application that is scraped and the collector in its task both write `up`.
    "job_metric:series:count": _series(
        (Label.JOB, *_OF_BOTH), lambda told, of: (told.get(Label.JOB, ""), *_both(told, of))
    )
}

VARIABLES: Final[Mapping[tuple[str, str], Callable[[Truth], tuple[str, ...]]]] = {
    (_UID, "cluster"): lambda truth: (truth.plan.cluster,),
}
