"""What the dashboard "Application" must show."""

import bisect
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from documents.catalogue import Label
from proof.expectations.values import Expectation, Expected, Quantity, Value, about, between, even, in_order
from proof.metadata import REVISION, Usage
from proof.truth import TaskTruth, Truth, Window
from proof.web import LOOPBACK

ROUTE: Final = "/orders/{order_id}"
"""The sample's only route that is observed."""

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Bucket bounds in seconds: OpenTelemetry semantic conventions, metric `http.server.request.duration`."""


def requests(truth: Truth, application: str) -> Value:
    """Requests a second that the application answered."""
    answered = sorted(one.at for one in truth.handled[application])

    def rate(window: Window) -> float:
        within = [at for at in answered if window.start <= at <= window.end]
        return (len(within) - 1) / (within[-1] - within[0])

    return even(Quantity.RATE, truth, rate, 0.06, 0.0)


def errors(truth: Truth, application: str) -> Value:
    """Share of the requests that were answered with a status of 500 and above."""

    def share(window: Window) -> float:
        within = [one for one in truth.handled[application] if window.start <= one.at <= window.end]
        return sum(one.status >= 500 for one in within) / len(within)

    return even(Quantity.RATIO, truth, share, 0.1, 0.0)


def latency(quantile: float) -> Callable[[Truth, str], Value]:
    """Seconds, as a histogram with the conventions' buckets gives them.

    At least what the sample's behaviour takes, at most what the client measured: what lies between is overhead.
    """

    def expected(truth: Truth, application: str) -> Value:
        pairs = list(zip(truth.handled[application], truth.sent, strict=True))
        least: list[float] = []
        most: list[float] = []
        for window in (truth.steady, *truth.looked_back):
            within = [pair for pair in pairs if window.start <= pair[0].at <= window.end]
            least.append(from_histogram(quantile, [handled.seconds for handled, _ in within]))
            most.append(from_histogram(quantile, [sent.seconds for _, sent in within]))
        return between(Quantity.SECONDS, min(least) * 0.92, max(most) * 1.08)

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


def _by_revision(quantity: Callable[[Truth, str], Value]) -> Expectation:
    """Each application runs one revision. Its sidecar says which, or the sample's SDK, which asks ECS itself."""
    return lambda truth: Expected(
        (Label.JOB, Label.REVISION),
        {(truth.plan.job(one), REVISION): quantity(truth, one.name) for one in truth.plan.applications},
    )


def _red(by: str, spread: Callable[[Callable[[Truth, str], Value]], Expectation]) -> dict[str, Expectation]:
    return {
        f"Request rate by {by}": spread(requests),
        f"Error ratio by {by}": spread(errors),
        f"Latency p50 by {by}": spread(latency(0.5)),
        f"Latency p95 by {by}": spread(latency(0.95)),
        f"Latency p99 by {by}": spread(latency(0.99)),
    }


def _by_status(truth: Truth) -> Expected:
    """Answers a second by status. A window of a rate holds a few errors only, and one more or less of them shows."""
    series: dict[tuple[str, ...], Value] = {}
    for one in truth.plan.applications:
        within = [each for each in truth.handled[one.name] if truth.steady.start <= each.at <= truth.steady.end]
        for status, count in Counter(each.status for each in within).items():
            rate = count / truth.steady.seconds
            series[truth.plan.job(one), str(status)] = about(Quantity.RATE, rate, 0.06, 5 / truth.steady.seconds)
    return Expected((Label.JOB, Label.STATUS), series)


def latencies(names: Callable[[Truth], Sequence[str]]) -> Expectation:
    """A heatmap: requests a second that took no longer than each bound, of the applications with these names.

    At least those that the client saw to be so fast, at most those that the sample was to answer so fast.
    """

    def expected(truth: Truth) -> Expected:
        pairs = [
            (handled.seconds, sent.seconds)
            for name in names(truth)
            for handled, sent in zip(truth.handled[name], truth.sent, strict=True)
            if truth.steady.start <= handled.at <= truth.steady.end
        ]
        series = {
            (f"{bound:g}",): between(
                Quantity.RATE,
                0.9 * sum(seen <= bound for _, seen in pairs) / truth.steady.seconds,
                1.1 * sum(least <= bound for least, _ in pairs) / truth.steady.seconds,
            )
            for bound in BOUNDS
        }
        return Expected(
            (Label.BOUND,), series | {("+Inf",): about(Quantity.RATE, len(pairs) / truth.steady.seconds, 0.06)}
        )

    return expected


def _calls(quantity: Callable[[Truth, str], Value]) -> Expectation:
    """Each application calls the next one, at an address of this machine: `quantity` is of the one that is called."""

    def expected(truth: Truth) -> Expected:
        pairs = pairwise(truth.plan.applications)
        series = {(truth.plan.job(caller), LOOPBACK): quantity(truth, called.name) for caller, called in pairs}
        return Expected((Label.JOB, Label.PEER), series)

    return expected


def _of_process(task: TaskTruth, figure: Callable[[Usage], float], window: Window) -> list[tuple[float, float]]:
    """A figure of the application's process whenever it was looked at, with the time."""
    within = [reading for reading in task.readings if window.start <= reading.at <= window.end]
    return [(reading.at, figure(reading.usage[task.service])) for reading in within if task.service in reading.usage]


def _cpu(task: TaskTruth, window: Window) -> float:
    """Cores that the application's process used."""
    (start, before), *_, (end, after) = _of_process(task, lambda usage: usage.user + usage.system, window)
    return (after - before) / (end - start)


def _busiest(truth: Truth, application: str) -> Value:
    """Cores. Which process is the busiest may change from moment to moment."""
    tasks = [task for task in truth.tasks if task.service == application]
    return even(Quantity.RATIO, truth, lambda window: max(_cpu(task, window) for task in tasks), 0.25, 0.02)


def _largest(truth: Truth, application: str) -> Value:
    """Bytes of the application's process that held most."""
    tasks = [task for task in truth.tasks if task.service == application]
    held = [[size for _, size in _of_process(task, lambda usage: usage.memory, truth.steady)] for task in tasks]
    return between(Quantity.BYTES, 0.97 * max(map(min, held)), 1.03 * max(map(max, held)))


def _collections(truth: Truth, application: str) -> Value:
    """Nobody but the process itself knows; each request leaves a little to be collected, so there are some, and fewer
    than a dozen for each request."""
    return between(Quantity.RATE, 0.01, 12 * requests(truth, application).high)


PANELS: Final[Mapping[tuple[str, str, str], Expectation]] = {
    **{("application", title, "A"): one for title, one in _red("application", _by_application).items()},
    **{("application", title, "A"): one for title, one in _red("route", _by_route).items()},
    ("application", "Request rate by revision", "A"): _by_revision(requests),
    ("application", "Error ratio by revision", "A"): _by_revision(errors),
    ("application", "Latency p95 by revision", "A"): _by_revision(latency(0.95)),
    ("application", "Routes", "A"): _by_route(requests),
    ("application", "Routes", "B"): _by_route(errors),
    ("application", "Routes", "C"): _by_route(latency(0.95)),
    ("application", "Answers by status", "A"): _by_status,
    ("application", "Distribution of latency", "A"): latencies(
        lambda truth: [one.name for one in truth.plan.applications]
    ),
    ("application", "Calls to other hosts", "A"): _calls(requests),
    ("application", "Failed calls to other hosts", "A"): _calls(errors),
    ("application", "Latency p95 of calls", "A"): _calls(latency(0.95)),
    ("application", "CPU of the busiest process", "A"): _by_application(_busiest),
    ("application", "Memory of the largest process", "A"): _by_application(_largest),
    ("application", "Garbage collections", "A"): _by_application(_collections),
}

VARIABLES: Final[Mapping[tuple[str, str], Callable[[Truth], tuple[str, ...]]]] = {
    ("application", "cluster"): lambda truth: (truth.plan.cluster,),
    ("application", "application"): lambda truth: in_order(truth.plan.job(one) for one in truth.plan.applications),
    ("application", "names"): lambda truth: in_order(one.name for one in truth.plan.applications),
}
