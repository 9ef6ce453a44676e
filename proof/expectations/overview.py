"""What the dashboard "Overview" must show, and the recorded series behind it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from documents import objectives
from documents.alerting import alerts
from documents.alerting.inputs import DEFAULTS, Thresholds
from documents.catalogue import Label
from proof.expectations.application import errors, latency, requests
from proof.expectations.ecs_tasks import cpu_share, memory_share
from proof.expectations.missed import missed
from proof.expectations.values import (
    SELDOM,
    Expectation,
    Expected,
    Quantity,
    Value,
    about,
    between,
    exactly,
    observed,
)
from proof.plan import Service
from proof.truth import TaskTruth, Truth

_UID: Final = "overview"

_ON_ERRORS: Final = (alerts.ERROR_RATE, alerts.BURNING_FAST, alerts.BURNING_SLOWLY)
"""The alerts that errors alone make fire; any other one is wrong in an even run."""


def _of_each(quantity: Callable[[Truth, str], Value]) -> Expectation:
    """A series for each application."""
    return lambda truth: Expected(
        (Label.SERVICE,), {(one.name,): quantity(truth, one.name) for one in truth.plan.applications}
    )


def _health(truth: Truth, application: str) -> Value:
    """Critical as soon as its errors have lasted, which may be after the window has begun."""
    return between(Quantity.COUNT, 0.2, 2) if _errs(truth, application) else exactly(0)


def _errs(truth: Truth, application: str) -> bool:
    """Whether an application must not be healthy."""
    return errors(truth, application).low > (_thresholds(truth, application).errors or 0) / 100


def _thresholds(truth: Truth, application: str) -> Thresholds:
    return truth.plan.thresholds.get(application, DEFAULTS)


def _active(truth: Truth) -> Expected:
    failing = [one.name for one in truth.plan.applications if _errs(truth, one.name)]
    most = sum(len(_fire(truth, one)) for one in failing)
    return Expected((), {(): between(Quantity.COUNT, 0.2 * len(failing), most)})


def _fire(truth: Truth, application: str) -> list[alerts.Alert]:
    """The alerts that may fire for an application that fails too often."""
    # On a machine that is busy with something else requests may really be slow.
    slow = latency(0.95)(truth, application).high > (_thresholds(truth, application).latency or 0)
    on_errors = _ON_ERRORS if application in truth.plan.objectives else (alerts.ERROR_RATE,)
    return [*on_errors, *([alerts.LATENCY] if slow else [])]


def _firing(value: Callable[[alerts.Alert], float]) -> Expectation:
    """The alert on errors fires for every application that fails; those on budgets may follow."""

    def expected(truth: Truth) -> Expected:
        failing = [one.name for one in truth.plan.applications if _errs(truth, one.name)]
        series = {(alert.name, one): exactly(value(alert)) for one in failing for alert in _fire(truth, one)}
        optional = frozenset(key for key in series if key[0] != alerts.ERROR_RATE.name)
        return Expected((Label.ALERT, Label.SERVICE), series, optional, coverage=0.0)

    return expected


def _total(quantity: Callable[[Truth, str], Value]) -> Expectation:
    """One series: the sum over the applications."""

    def expected(truth: Truth) -> Expected:
        values = [quantity(truth, one.name) for one in truth.plan.applications]
        low, high = sum(value.low for value in values), sum(value.high for value in values)
        return Expected((), {(): between(values[0].quantity, low, high)})

    return expected


def _all_errors(truth: Truth) -> Expected:
    """Every application answers the same requests, so their mean is that of all."""
    values = [errors(truth, one.name) for one in truth.plan.applications]
    low, high = min(value.low for value in values), max(value.high for value in values)
    return Expected((), {(): between(Quantity.RATIO, low, high)})


def _fullest(quantity: Callable[[Sequence[TaskTruth], Truth], Value]) -> Expectation:
    """The highest of the tasks of each application that has its figures in AMP."""

    def expected(truth: Truth) -> Expected:
        of: dict[tuple[str, ...], list[Value]] = {}
        for task in observed(truth):
            of.setdefault((task.service,), []).append(quantity([task], truth))
        highest = {
            service: between(Quantity.RATIO, max(one.low for one in values), max(one.high for one in values))
            for service, values in of.items()
        }
        return Expected((Label.SERVICE,), highest)

    return expected


# Objectives


def _by_slo(quantity: Callable[[Truth, Service, str], Value]) -> Expectation:
    """A series for each objective."""
    return lambda truth: Expected(
        (Label.SERVICE, Label.SLO),
        {
            (one.name, slo): quantity(truth, one, slo)
            for one in truth.plan.applications
            if one.name in truth.plan.objectives
            for slo in truth.plan.objectives[one.name].ratios
        },
        coverage=SELDOM,
    )


def _promised(truth: Truth, application: Service, slo: str) -> Value:
    return about(Quantity.RATIO, truth.plan.objectives[application.name].ratios[slo], 1e-6)


def _left(truth: Truth, application: Service, slo: str) -> Value:
    allowed = 1 - truth.plan.objectives[application.name].ratios[slo]
    share = missed(truth, application, slo)
    return between(Quantity.RATIO, 1 - share.high / allowed, 1 - share.low / allowed)


def _missed_rate(truth: Truth, application: Service, slo: str) -> Value:
    rate, share = requests(truth, application.name), missed(truth, application, slo)
    return between(Quantity.RATE, rate.low * share.low, rate.high * share.high)


def _of_slo(slo: str, quantity: Callable[[Truth, Service, str], Value]) -> Expectation:
    """A series for each application with that objective."""
    return lambda truth: Expected(
        (Label.SERVICE,),
        {
            (one.name,): quantity(truth, one, slo)
            for one in truth.plan.applications
            if one.name in truth.plan.objectives and slo in truth.plan.objectives[one.name].ratios
        },
        coverage=SELDOM,
    )


def _error_rate(truth: Truth, application: str) -> Value:
    rate, share = requests(truth, application), errors(truth, application)
    return between(Quantity.RATE, rate.low * share.low, rate.high * share.high)


PANELS: Final[Mapping[tuple[str, str, str], Expectation]] = {
    (_UID, "Active alerts", "A"): _active,
    (_UID, "Requests", "A"): _total(requests),
    (_UID, "Errors", "A"): _all_errors,
    (_UID, "Applications", "Health"): _of_each(_health),
    (_UID, "Applications", "Requests"): _of_each(requests),
    (_UID, "Applications", "Errors"): _of_each(errors),
    (_UID, "Applications", "p95"): _of_each(latency(0.95)),
    (_UID, "Applications", "CPU"): _fullest(cpu_share),
    (_UID, "Applications", "Memory"): _fullest(memory_share),
    (_UID, "Applications", "Availability"): _of_slo(objectives.AVAILABILITY, _left),
    (_UID, "Applications", "Latency"): _of_slo(objectives.LATENCY, _left),
    (_UID, "When alerts fired", "A"): _firing(lambda alert: 2 if alert.severity == "critical" else 1),
    (_UID, "Alerts that fire", "A"): _firing(lambda _: 1),
    (_UID, "Requests by application", "A"): _of_each(requests),
    (_UID, "Errors by application", "A"): _of_each(errors),
    (_UID, "Latency p95 by application", "A"): _of_each(latency(0.95)),
    (_UID, "Error budget left", "A"): _by_slo(_left),
}

RECORDED: Final[Mapping[str, Expectation]] = {
    "job:http_requests:rate": _of_each(requests),
    "job:http_errors:rate": _of_each(_error_rate),
    "job:http_errors:ratio": _of_each(errors),
    "job:http_latency_p95:seconds": _of_each(latency(0.95)),
    "slo:objective:ratio": _by_slo(_promised),
    "slo:errors:rate": _by_slo(_missed_rate),
    "slo:errors:ratio": _by_slo(missed),
    "slo:error_budget_remaining:ratio": _by_slo(_left),
}

VARIABLES: Final[Mapping[tuple[str, str], Callable[[Truth], tuple[str, ...]]]] = {
    (_UID, "cluster"): lambda truth: (truth.plan.cluster,),
}
