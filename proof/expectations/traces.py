"""What the dashboard "Traces" must show, as far as AMP knows: X-Ray itself cannot run here."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from statistics import mean
from typing import Final

from documents.catalogue import Label
from documents.names import COLLECTOR
from proof.expectations.application import latencies
from proof.expectations.values import Expectation, Expected, Quantity, about, in_order
from proof.segment import Segment
from proof.truth import Truth


def accepted(truth: Truth) -> Expected:
    """Spans a second that collectors took, by the ECS service that these belong to.

    Told by what arrived in X-Ray and not by what a collector says: where no trace is dropped on its way, as many came
    in as went out.
    """
    return _paced(truth, lambda segment: segment.end)


def sent(truth: Truth) -> Expected:
    """Spans a second that X-Ray took, by the ECS service whose collectors sent them.

    They travel for a few seconds, and on a busy machine for longer at the end of a run than at its start.
    """
    return _paced(truth, lambda segment: segment.arrived)


def _paced(truth: Truth, moment: Callable[[Segment], float]) -> Expected:
    moments: dict[str, list[float]] = defaultdict(list)
    for segment, owner in _owned(truth):
        moments[_collector(truth, owner)].append(moment(segment))
    return Expected(
        (Label.SERVICE,),
        {(service,): about(Quantity.RATE, _rate(truth, each), 0.1) for service, each in moments.items()},
    )


def _rate(truth: Truth, moments: Sequence[float]) -> float:
    """The mean of what a panel shows: each of its points looks back over a while."""
    back = truth.looked_back
    counts = [sum(window.start <= moment <= window.end for moment in moments) for window in back]
    return mean(count / window.seconds for count, window in zip(counts, back, strict=True))


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
    ("traces", "Spans from applications", "A"): accepted,
    ("traces", "Spans to X-Ray", "A"): sent,
}

VARIABLES: Final[Mapping[tuple[str, str], Callable[[Truth], tuple[str, ...]]]] = {
    ("traces", "cluster"): lambda truth: (truth.plan.cluster,),
    ("traces", "application"): lambda truth: in_order(truth.plan.job(one) for one in truth.plan.applications),
    ("traces", "name"): lambda truth: (truth.plan.applications[0].name,),
}
