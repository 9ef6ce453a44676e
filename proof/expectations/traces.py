"""What the dashboard "Traces" must show, as far as AMP knows: X-Ray itself cannot run here."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from documents.catalogue import Label
from documents.names import COLLECTOR
from proof.expectations.application import latencies
from proof.expectations.values import Expectation, Expected, Quantity, Value, about, in_order
from proof.segment import Segment
from proof.truth import Truth


def spans(truth: Truth) -> Expected:
    """Spans a second that arrived in X-Ray, by the ECS service whose collectors sent them.

    What arrived there is counted and not what a collector says; they travel for a few seconds, so the pace is told by
    when they ended. Where no trace is dropped on its way, as many came in as went out.
    """
    ended = Counter(
        _collector(truth, owner)
        for segment, owner in _owned(truth)
        if truth.steady.start <= segment.end <= truth.steady.end
    )
    series: dict[tuple[str, ...], Value] = {
        (service,): about(Quantity.RATE, count / truth.steady.seconds, 0.1) for service, count in ended.items()
    }
    return Expected((Label.SERVICE,), series)


def _owned(truth: Truth) -> list[tuple[Segment, str]]:
    """Each document of the load with the application that it came from: that of the segment which it is below."""
    by_id = {(one.trace, one.id): one for one in truth.of_load}

    def owner(segment: Segment) -> str:
        while segment.subsegment:
            segment = by_id[segment.trace, segment.parent]
        return segment.name

    return [(segment, owner(segment)) for segment in truth.of_load]


def _collector(truth: Truth, application: str) -> str:
    """The ECS service in whose tasks an application's collectors are."""
    service = next(one for one in truth.plan.applications if one.name == application)
    return COLLECTOR if service.sidecar is None else application


PANELS: Final[Mapping[tuple[str, str, str], Expectation]] = {
    ("traces", "Distribution of latency", "A"): latencies(lambda truth: [truth.plan.applications[0].name]),
    ("traces", "Spans from applications", "A"): spans,
    ("traces", "Spans to X-Ray", "A"): spans,
}

VARIABLES: Final[Mapping[tuple[str, str], Callable[[Truth], tuple[str, ...]]]] = {
    ("traces", "cluster"): lambda truth: (truth.plan.cluster,),
    ("traces", "application"): lambda truth: in_order(truth.plan.job(one) for one in truth.plan.applications),
    ("traces", "name"): lambda truth: (truth.plan.applications[0].name,),
}
