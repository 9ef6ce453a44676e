"""How much of its error budget each application has used up, over every window that somebody asks for.

Every window is made of the recorded rates of one window, and not of the histograms again: a day has 1,440 samples for
each objective then, whatever the number of tasks and routes. AMP bills the samples that queries read.
"""

from collections.abc import Iterator
from typing import Final

from documents.catalogue import Label
from documents.objectives import (
    AVAILABILITY,
    DAY,
    FAST,
    LATENCY,
    MINUTE,
    PERIOD_SECONDS,
    SLOW,
    Latency,
    between,
    duration,
)
from documents.observed import Application, Observed
from documents.rules.recorded import (
    EVALUATION_SECONDS,
    OF_JOB,
    Group,
    Recorded,
    Rule,
    by,
    number,
    selector,
    window,
    window_seconds,
)
from documents.rules.requests import BUCKET, COUNT, errors, requests

OF_SLO: Final = (*OF_JOB, Label.SLO)

_MATCHED: Final = f"on ({Label.CLUSTER}, {Label.SERVICE}, {Label.SLO}) group_left ()"

BUDGETS_SECONDS: Final = 4 * MINUTE
"""How often long windows are looked at: seldom, since each look reads thousands of samples, and yet within the five
minutes that an instant query looks back, or their series would have gaps."""

OBJECTIVE: Final = Recorded("slo:objective:ratio", OF_SLO)
"""The share of the requests that has to be good."""

BUDGET_REMAINING: Final = Recorded("slo:error_budget_remaining:ratio", OF_SLO)
"""What is left of the errors that the period may have: 1 is all of it, 0 none, and below the objective is missed."""


def slo_errors(seconds: int) -> Recorded:
    """The share of the requests of a window that were not good; nothing without requests."""
    return Recorded(f"slo:errors:ratio{duration(seconds)}", OF_SLO)


PERIOD_ERRORS: Final = slo_errors(PERIOD_SECONDS)


def slo_failed(observed: Observed) -> Recorded:
    """Requests a second that were not good."""
    return Recorded(f"slo:errors:rate{window(observed)}", OF_SLO)


def windows(observed: Observed) -> tuple[int, ...]:
    """Every window that an alert on a budget looks at, in seconds, the shortest first."""
    least = window_seconds(observed)
    burns = (*FAST, *SLOW)
    return tuple(sorted({burn.seconds for burn in burns} | {burn.short_seconds(least) for burn in burns}))


def events(rate: str, seconds: int, observed: Observed) -> str:
    """How many there were in a window, from a selector of their recorded rate."""
    if seconds <= window_seconds(observed):
        return f"{seconds} * {rate}"
    step = window_seconds(observed) if seconds > DAY else EVALUATION_SECONDS
    return f"{step} * {_added(rate, seconds, observed)}"


def _added(rate: str, seconds: int, observed: Observed) -> str:
    """A recorded rate, added up over a window. Over days it is not taken each minute, but as often as its own window
    is long, which leaves out nothing and reads a fraction of the samples."""
    step = f":{window(observed)}" if seconds > DAY else ""
    return f"sum_over_time({rate}[{duration(seconds)}{step}])"


def chosen(observed: Observed, application: Application, slo: str = "") -> dict[str, str]:
    """The labels of what is recorded of an application, or of one of its objectives."""
    labels = {Label.CLUSTER: observed.cluster, Label.SERVICE: application.name}
    return {**labels, Label.SLO: slo} if slo else labels


def rules(observed: Observed) -> Iterator[Rule]:
    """What alerts that wake somebody ask for. They need the rates of requests and errors of the same moment."""
    for application in observed.applications:
        if application.objectives:
            yield from _promised(observed, application)
    if any(application.objectives for application in observed.applications):
        yield from (_ratio(observed, seconds) for seconds in windows(observed) if seconds <= DAY)


def budgets(observed: Observed) -> tuple[Group, ...]:
    """What is asked of days and weeks."""
    if not any(application.objectives for application in observed.applications):
        return ()
    long = (*(seconds for seconds in windows(observed) if seconds > DAY), PERIOD_SECONDS)
    remaining = Rule(BUDGET_REMAINING, f"1 - {PERIOD_ERRORS.name} / {_MATCHED} (1 - {OBJECTIVE.name})")
    return (Group("error-budgets", (*(_ratio(observed, seconds) for seconds in long), remaining), BUDGETS_SECONDS),)


def slow(observed: Observed, labels: dict[str, str], seconds: float) -> str:
    """Requests a second that took longer than `seconds`, of the applications with these labels."""
    found = between(seconds)
    every = _rate(observed, COUNT, labels)
    lower, upper = (
        _rate(observed, BUCKET, {**labels, Label.BOUND: number(bound)}) for bound in (found.lower, found.upper)
    )
    fast = upper if found.lower == found.upper else f"({lower} + {number(found.share)} * ({upper} - {lower}))"
    # The count is what the buckets are at the same moment: a recorded rate may be one evaluation older.
    return f"clamp_min({every} - {fast}, 0)"


def _rate(observed: Observed, name: str, labels: dict[str, str]) -> str:
    return f"{by(OF_JOB)} (rate({selector(name, labels, window(observed))}))"


def _promised(observed: Observed, application: Application) -> Iterator[Rule]:
    """The objectives of an application as series, and the rates of requests that miss them."""
    objectives = application.objectives
    for slo, ratio in objectives.ratios.items() if objectives else ():
        labels = {**chosen(observed, application, slo), Label.JOB: observed.job(application.name)}
        yield Rule(OBJECTIVE, f"vector({number(ratio)})", labels)
    if objectives and objectives.availability is not None:
        yield _missing(observed, AVAILABILITY, errors(observed).of(chosen(observed, application)))
    if objectives and isinstance(objectives.latency, Latency):
        labels = chosen(observed, application)
        yield _missing(observed, LATENCY, slow(observed, labels, objectives.latency.threshold))


def _missing(observed: Observed, slo: str, rate: str) -> Rule:
    return Rule(slo_failed(observed), rate, {Label.SLO: slo})


def _ratio(observed: Observed, seconds: int) -> Rule:
    every, bad = requests(observed).name, slo_failed(observed).name
    if seconds > window_seconds(observed):
        every, bad = _added(every, seconds, observed), _added(bad, seconds, observed)
    return Rule(slo_errors(seconds), f"{bad} / on ({', '.join(OF_JOB)}) group_left () ({every} > 0)")
