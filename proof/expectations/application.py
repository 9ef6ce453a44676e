"""What the dashboard "Application" must show."""

import bisect
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from documents.catalogue import Label
from proof.expectations.values import Expectation, Expected, Quantity, Value, about, between, in_order
from proof.truth import Truth

ROUTE: Final = "/orders/{order_id}"
"""The sample's only route that is observed."""

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Bucket bounds in seconds: OpenTelemetry semantic conventions, metric `http.server.request.duration`."""


def _requests(truth: Truth, application: str) -> Value:
    """Requests a second that the application answered in the steady window."""
    at = sorted(one.at for one in truth.handled[application] if truth.steady.start <= one.at <= truth.steady.end)
    return about(Quantity.RATE, (len(at) - 1) / (at[-1] - at[0]), 0.06)


def _errors(truth: Truth, application: str) -> Value:
    """Share of the requests that were answered with a status of 500 and above."""
    within = [one for one in truth.handled[application] if truth.steady.start <= one.at <= truth.steady.end]
    return about(Quantity.RATIO, sum(one.status >= 500 for one in within) / len(within), 0.1)


def _latency(quantile: float) -> Callable[[Truth, str], Value]:
    """Seconds, as a histogram with the conventions' buckets gives them.

    At least what the sample's behaviour takes, at most what the client measured: what lies between is overhead.
    """

    def expected(truth: Truth, application: str) -> Value:
        pairs = zip(truth.handled[application], truth.sent, strict=True)
        within = [pair for pair in pairs if truth.steady.start <= pair[0].at <= truth.steady.end]
        least = from_histogram(quantile, [handled.seconds for handled, _ in within])
        most = from_histogram(quantile, [sent.seconds for _, sent in within])
        return between(Quantity.SECONDS, least * 0.92, most * 1.08)

    return expected


def from_histogram(quantile: float, seconds: Sequence[float]) -> float:
    """A quantile as it can be told from buckets: values are taken to be even within each of them."""
    counts = [0] * (len(BOUNDS) + 1)
    for value in seconds:
        counts[bisect.bisect_left(BOUNDS, value)] += 1
    rank, below = quantile * len(seconds), 0
    for index, count in enumerate(counts[:-1]):
        if below + count >= rank and count:
            lower = BOUNDS[index - 1] if index else 0.0
            return lower + (BOUNDS[index] - lower) * (rank - below) / count
        below += count
    return BOUNDS[-1]


def _by_application(quantity: Callable[[Truth, str], Value]) -> Expectation:
    return lambda truth: Expected(
        (Label.JOB,), {(truth.plan.job(one),): quantity(truth, one.name) for one in truth.plan.applications}
    )


def _by_route(quantity: Callable[[Truth, str], Value]) -> Expectation:
    return lambda truth: Expected(
        (Label.JOB, Label.ROUTE),
        {(truth.plan.job(one), ROUTE): quantity(truth, one.name) for one in truth.plan.applications},
    )


def _red(by: str, spread: Callable[[Callable[[Truth, str], Value]], Expectation]) -> dict[str, Expectation]:
    return {
        f"Request rate by {by}": spread(_requests),
        f"Error ratio by {by}": spread(_errors),
        f"Latency p50 by {by}": spread(_latency(0.5)),
        f"Latency p95 by {by}": spread(_latency(0.95)),
        f"Latency p99 by {by}": spread(_latency(0.99)),
    }


PANELS: Final[Mapping[tuple[str, str, str], Expectation]] = {
    **{("application", title, "A"): one for title, one in _red("application", _by_application).items()},
    **{("application", title, "A"): one for title, one in _red("route", _by_route).items()},
    ("application", "Routes", "A"): _by_route(_requests),
    ("application", "Routes", "B"): _by_route(_errors),
    ("application", "Routes", "C"): _by_route(_latency(0.95)),
}

VARIABLES: Final[Mapping[tuple[str, str], Callable[[Truth], tuple[str, ...]]]] = {
    ("application", "cluster"): lambda truth: (truth.plan.cluster,),
    ("application", "application"): lambda truth: in_order(truth.plan.job(one) for one in truth.plan.applications),
}
