"""The share of the requests that miss an objective, as rules tell it that look back over a run."""

import bisect
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from documents import objectives
from proof.expectations.application import BOUNDS
from proof.expectations.values import Quantity, Value, between
from proof.plan import Service
from proof.truth import Truth

_FAULT: Final = 500
"""From this HTTP status on an answer is a fault of the application."""

Weigh = Callable[[float], float]
"""How often what happened at a time (seconds since the epoch) counts."""


def missed(truth: Truth, application: Service, slo: str) -> Value:
    """The least and the most that any rule can find while the run is steady."""
    shares = [share for weigh in _weights(truth) for share in _shares(truth, application, slo, weigh)]
    return between(Quantity.RATIO, 0.8 * min(shares), 1.2 * max(shares))


def _weights(truth: Truth) -> Iterator[Weigh]:
    """What rules look back over: a rate over its own window, and sums of such rates since rules are recorded."""
    back = truth.plan.rate_intervals * truth.interval
    for second in range(math.ceil(truth.steady.seconds) + 1):
        end = truth.steady.start + second
        yield _rate(end - back, end)
        yield _recorded(truth.ruled, end, back)
        # Over days rates are taken as often as they are wide, the first and the last of them within a width.
        for first, last in itertools.product((truth.ruled - back, truth.ruled), (end - back, end)):
            if last - first >= back:
                yield _rate(first, last)


def _rate(start: float, end: float) -> Weigh:
    return lambda at: float(start <= at <= end)


def _recorded(first: float, end: float, back: float) -> Weigh:
    """Rates that were recorded at every moment since `first`, added up: each looked `back`, so a request counts as
    often as it was looked back at."""
    return lambda at: max(min(end, at + back) - max(first, at), 0.0)


def _shares(truth: Truth, application: Service, slo: str, weigh: Weigh) -> Iterator[float]:
    """The share as the sample behaves; for latencies also as the client measured them."""
    pairs = list(zip(truth.handled[application.name], truth.sent, strict=True))
    weights = [weigh(handled.at) for handled, _ in pairs]
    promised = truth.plan.objectives[application.name].latency
    if slo == objectives.AVAILABILITY or promised is None:
        failed = (weight for weight, (handled, _) in zip(weights, pairs, strict=True) if handled.status >= _FAULT)
        yield math.fsum(failed) / math.fsum(weights)
    else:
        yield beyond(promised.threshold, [handled.seconds for handled, _ in pairs], weights)
        yield beyond(promised.threshold, [sent.seconds for _, sent in pairs], weights)


def beyond(threshold: float, seconds: Sequence[float], weights: Sequence[float]) -> float:
    """The share of the values above a threshold as it can be told from buckets, whose values are taken to be even.
    Each value counts by its weight."""
    index = bisect.bisect_left(BOUNDS, threshold)
    lower, upper = BOUNDS[index - 1] if index else 0.0, BOUNDS[index]
    weighed = list(zip(seconds, weights, strict=True))
    above = math.fsum(weight for value, weight in weighed if value > upper)
    inside = math.fsum(weight for value, weight in weighed if lower < value <= upper)
    return (above + inside * (upper - threshold) / (upper - lower)) / math.fsum(weights)
