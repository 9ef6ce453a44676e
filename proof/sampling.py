"""Which traces of a run may be missing because the stack samples: what is certain, and how many there are of the rest.

Samplers decide by the digits of a trace id, which are random. So of n traces that are kept with probability p, a run
keeps a binomial number: a verdict asks that it lies within so many standard deviations of n times p.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from documents.collector.sampling import TAIL
from documents.text import from_yaml
from documents.tracing import SAMPLER, SAMPLER_ARGUMENT
from proof.load import Sent
from proof.plan import CONFIGURATION, Plan, environment
from sample import behaviour

DEVIATIONS: Final = 5
"""A sound stack leaves them in one run of a million."""

_BY_RATIO: Final = ("parentbased_traceidratio", "traceidratio")


@dataclass(frozen=True)
class Tail:
    """What the collectors keep: errors, traces that took `slow_seconds`, and `ratio` of the others."""

    slow_seconds: float
    ratio: float


@dataclass(frozen=True)
class Chance:
    """How probable it is that a trace is kept; between the two where it is not known how long it took."""

    least: float
    most: float


@dataclass(frozen=True)
class Bounds:
    """How many traces must have arrived."""

    least: int
    most: int

    def __str__(self) -> str:
        return str(self.least) if self.least == self.most else f"{self.least} to {self.most}"


def head(plan: Plan) -> float:
    """The share of traces that their first application begins. An SDK keeps all where it is told nothing; so does the
    sample's where it is told to ask for X-Ray's rules, which it cannot."""
    first = plan.applications[0]
    variables = environment(first.container(first.name) or {})
    return float(variables.get(SAMPLER_ARGUMENT, "1")) if variables.get(SAMPLER) in _BY_RATIO else 1.0


def tail(plan: Plan) -> Tail | None:
    """What the collectors of the stack decide, if they do."""
    for container in plan.collector.collectors if plan.collector else ():
        configuration: Mapping[str, Any] = from_yaml(environment(container)[CONFIGURATION])
        if found := configuration.get("processors", {}).get(TAIL):
            chosen = {policy["type"]: policy[policy["type"]] for policy in found["policies"]}
            slow = chosen["latency"]["threshold_ms"] / 1000
            return Tail(slow, chosen["probabilistic"]["sampling_percentage"] / 100)
    return None


def samples(plan: Plan) -> bool:
    """Whether any trace may be missing."""
    return head(plan) < 1 or tail(plan) is not None


def chances(plan: Plan, sent: Iterable[Sent]) -> list[Chance]:
    """For each request, how probable it is that its trace is kept."""
    begun, decided = head(plan), tail(plan)
    return [_chance(begun, decided, one) for one in sent]


def _chance(begun: float, decided: Tail | None, sent: Sent) -> Chance:
    if decided is None or behaviour.is_error(sent.order):
        return Chance(begun, begun)
    rest = begun * decided.ratio
    surely_slow = behaviour.duration_seconds(sent.order) > decided.slow_seconds
    maybe_slow = sent.seconds >= decided.slow_seconds
    return Chance(begun if surely_slow else rest, begun if surely_slow or maybe_slow else rest)


def bounds(chances: Iterable[Chance]) -> Bounds:
    """How many traces must have arrived."""
    known = list(chances)
    least = _around([one.least for one in known], -DEVIATIONS)
    most = _around([one.most for one in known], DEVIATIONS)
    return Bounds(max(math.ceil(least), 0), min(math.floor(most), len(known)))


def _around(chances: list[float], deviations: float) -> float:
    variance = math.fsum(chance * (1 - chance) for chance in chances)
    return math.fsum(chances) + deviations * math.sqrt(variance)
