"""The alerts that AMP evaluates: Prometheus alerting rules over what collectors and applications write.

Labels of a rule name whom it is about, so that an alert has them also where there is no series left to take them from.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from documents import catalogue, rules
from documents.alerting import alerts
from documents.alerting.inputs import Thresholds
from documents.alerting.model import Alert
from documents.catalogue import Label, Pattern
from documents.names import COLLECTOR, FRONT, SCRAPER
from documents.objectives import A_FEW, FAST, SLOW, BurnRate, duration
from documents.observed import Application, Observed

SEVERITY: Final = "severity"

_AT_ONCE: Final = "0m"
_BRIEFLY: Final = "2m"
"""Longer than one evaluation that went wrong."""
_FIVE_MINUTES: Final = "5m"
_TEN_MINUTES: Final = "10m"
"""A start or a deployment may take so long."""
_A_QUARTER: Final = "15m"

_NOT_ITS_OWN: Final = f".*:.*|ALERTS.*|ecs_task_.+|{catalogue.UP.name}"


@dataclass(frozen=True)
class AlertRule:
    """An alerting rule: it fires for each series of `expr` that was there for the time `holds`. `labels` say whom it is
    about; `summary` and `description` are for people, and Prometheus fills in `{{ $value }}`."""

    alert: Alert
    expr: str
    holds: str
    summary: str
    description: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    def document(self, runbooks: str) -> dict[str, Any]:
        """The rule as a rules file has it."""
        return {
            "alert": self.alert.name,
            "expr": self.expr,
            "for": self.holds,
            "labels": {SEVERITY: self.alert.severity.value, **self.labels},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": self.alert.runbook_url(runbooks),
            },
        }


@dataclass(frozen=True)
class _Collectors:
    """The collectors in the tasks of one ECS service: so many `tasks`, with these `containers` in each. `memory` is the
    hard limit in MiB of the one that delivers, where it is known."""

    service: str
    tasks: int
    containers: tuple[str, ...]
    memory: int | None
    thresholds: Thresholds
    disabled: frozenset[str]


def alerting_rules(observed: Observed) -> dict[str, Any]:
    """The data of a Prometheus rules file: a group for each application and for each service with collectors."""
    groups = {
        **{f"application-{one.name}": [*_of_application(observed, one)] for one in observed.applications},
        **{f"collectors-{one.service}": [*_of_collectors(observed, one)] for one in _collectors(observed)},
        "stack": [*_wanted([_dead_mans_switch(observed)], observed.disabled)],
    }
    return {
        "groups": [
            {"name": name, "rules": [rule.document(observed.runbooks) for rule in made]}
            for name, made in groups.items()
            # AMP refuses a group without rules.
            if made
        ]
    }


def _wanted(made: Iterable[AlertRule], disabled: frozenset[str]) -> Iterator[AlertRule]:
    return (rule for rule in made if rule.alert.name not in disabled)


# Applications


def _of_application(observed: Observed, application: Application) -> Iterator[AlertRule]:
    made = [
        _error_rate(observed, application),
        _latency(observed, application),
        *_budgets(observed, application),
        # Of no tasks there is nothing to hear.
        *([_silent(observed, application)] if application.desired_count else []),
    ]
    if application.pattern is Pattern.SIDECAR:
        made += [
            _saturated(
                observed,
                application,
                alerts.CPU_SATURATED,
                what="CPU",
                used=rules.CPU_UTILIZATION,
                threshold=application.thresholds.cpu,
                holds=_A_QUARTER,
            ),
            _saturated(
                observed,
                application,
                alerts.MEMORY_SATURATED,
                what="memory",
                used=rules.MEMORY_UTILIZATION,
                threshold=application.thresholds.memory,
                holds=_FIVE_MINUTES,
            ),
            *([_below_desired(observed, application)] if application.desired_count else []),
        ]
    return _wanted(made, application.disabled)


def _error_rate(observed: Observed, application: Application) -> AlertRule:
    chosen = _subject(observed, application.name)
    failed = rules.events(rules.errors(observed).of(chosen), rules.window_seconds(observed), observed)
    limit = _ratio(application.thresholds.errors)
    return AlertRule(
        alerts.ERROR_RATE,
        _once(f"{rules.error_ratio(observed).of(chosen)} >= {limit} and {failed} > {A_FEW}"),
        _FIVE_MINUTES,
        f"{application.name}: requests fail",
        f"{{{{ $value | humanizePercentage }}}} of the requests to {application.name} were answered with a status of "
        f"500 or above in the last {rules.window(observed)}; the threshold is "
        f"{_percent(application.thresholds.errors)}.",
        chosen,
    )


def _latency(observed: Observed, application: Application) -> AlertRule:
    chosen = _subject(observed, application.name)
    limit = _known(application.thresholds.latency)
    slow = rules.events(f"({rules.slow(observed, chosen, limit)})", rules.window_seconds(observed), observed)
    return AlertRule(
        alerts.LATENCY,
        _once(f"{rules.latency_p95(observed).of(chosen)} >= {rules.number(limit)} and {slow} > {A_FEW}"),
        _FIVE_MINUTES,
        f"{application.name}: requests are slow",
        f"One request in twenty to {application.name} took longer than {{{{ $value | humanizeDuration }}}} in the last "
        f"{rules.window(observed)}; the threshold is {limit:g}s.",
        chosen,
    )


def _budgets(observed: Observed, application: Application) -> Iterator[AlertRule]:
    objectives = application.objectives.ratios if application.objectives else {}
    for slo, objective in objectives.items():
        for alert, burns, holds in ((alerts.BURNING_FAST, FAST, _BRIEFLY), (alerts.BURNING_SLOWLY, SLOW, _A_QUARTER)):
            yield from _burning(observed, application, alert, slo=slo, objective=objective, burns=burns, holds=holds)


def _burning(
    observed: Observed,
    application: Application,
    alert: Alert,
    *,
    slo: str,
    objective: float,
    burns: tuple[BurnRate, ...],
    holds: str,
) -> Iterator[AlertRule]:
    """Nothing where the objective is so low that no ratio of errors uses up its budget as fast."""
    chosen = rules.chosen(observed, application, slo)
    reached = [(burn, errors) for burn in burns if (errors := burn.errors(objective)) is not None]
    if not reached:
        return
    conditions = (_burns(observed, chosen, burn, errors) for burn, errors in reached)
    shares = " or ".join(f"{100 * burn.share:g} % of it within {duration(burn.seconds)}" for burn, _ in reached)
    yield AlertRule(
        alert,
        _once(" or ".join(conditions)),
        holds,
        f"{application.name}: the error budget of its {slo} is burning",
        f"{{{{ $value | humanizePercentage }}}} of the requests to {application.name} missed the objective of {slo}, "
        f"{_percent(100 * objective)} over 28 days. That uses up the budget too fast: {shares}.",
        chosen,
    )


def _burns(observed: Observed, chosen: Mapping[str, str], burn: BurnRate, errors: float) -> str:
    long, short = burn.seconds, burn.short_seconds(rules.window_seconds(observed))
    failed = rules.events(rules.slo_failed(observed).of(chosen), long, observed)
    above = (f"{rules.slo_errors(seconds).of(chosen)} > {rules.number(errors)}" for seconds in (long, short))
    return f"({' and '.join(above)} and {failed} > {A_FEW})"


def _silent(observed: Observed, application: Application) -> AlertRule:
    chosen = _subject(observed, application.name)
    window = rules.window(observed)
    # Whatever its SDK calls its metrics. What the collector beside it, ECS or a scrape says of it is not its own word,
    # nor is what rules make.
    own = rules.selector(
        "", chosen, matcher=f'{Label.JOB}!="{observed.job(catalogue.COLLECTOR_SERVICE)}", __name__!~"{_NOT_ITS_OWN}"'
    )
    heard = f"count({rules.newest(own, observed)})"
    runs = f"count({rules.newest(rules.selector(catalogue.CPU_RESERVED.name, chosen), observed)}) > 0"
    beside = application.pattern is Pattern.SIDECAR
    return AlertRule(
        alerts.SILENT,
        f"{runs} unless {heard}" if beside else f"vector({application.desired_count}) unless {heard}",
        _TEN_MINUTES,
        f"{application.name}: no metrics",
        f"{{{{ $value }}}} tasks of {application.name} {'run' if beside else 'should run'}, and none of them has sent "
        f"a metric of its own for {window}.",
        chosen,
    )


def _saturated(
    observed: Observed,
    application: Application,
    alert: Alert,
    *,
    what: str,
    used: rules.Recorded,
    threshold: float | None,
    holds: str,
) -> AlertRule:
    chosen = _subject(observed, application.name)
    return AlertRule(
        alert,
        f"max({used.of(chosen)}) >= {_ratio(threshold)}",
        holds,
        f"{application.name}: a task uses almost all of its {what}",
        f"A task of {application.name} uses {{{{ $value | humanizePercentage }}}} of the {what} that it reserves; the "
        f"threshold is {_percent(threshold)}.",
        chosen,
    )


def _below_desired(observed: Observed, application: Application) -> AlertRule:
    chosen = _subject(observed, application.name)
    seen = rules.newest(rules.selector(catalogue.CPU_RESERVED.name, chosen), observed)
    return AlertRule(
        alerts.BELOW_DESIRED,
        # A task that has two series, because a label of it changed, is still one task.
        f"(count(count by ({Label.TASK}) ({seen})) or vector(0)) < {application.desired_count}",
        _FIVE_MINUTES,
        f"{application.name}: fewer tasks run than should",
        f"{{{{ $value }}}} of {application.desired_count} tasks of {application.name} report.",
        chosen,
    )


# Collectors


def _collectors(observed: Observed) -> Iterator[_Collectors]:
    memory = observed.collector_memory
    for one in observed.of(Pattern.SIDECAR):
        if one.desired_count:
            yield _Collectors(
                one.name,
                one.desired_count,
                (COLLECTOR,),
                memory.get(Pattern.SIDECAR),
                one.thresholds,
                one.disabled,
            )
    shared = observed.thresholds, observed.disabled
    if observed.collectors:
        yield _Collectors(COLLECTOR, observed.collectors, (COLLECTOR, FRONT), memory.get(Pattern.SERVICE), *shared)
    if observed.scraped:
        yield _Collectors(SCRAPER, 1, (COLLECTOR,), None, *shared)


def _of_collectors(observed: Observed, collectors: _Collectors) -> Iterator[AlertRule]:
    made = [
        _down(observed, collectors),
        _dropping(observed, collectors),
        _refusing(observed, collectors),
        _queue_filling(observed, collectors),
        *([_memory_high(observed, collectors, collectors.memory)] if collectors.memory else []),
        *([_xray_failing(observed, collectors)] if collectors.service != SCRAPER else []),
    ]
    return _wanted(made, collectors.disabled)


def _down(observed: Observed, collectors: _Collectors) -> AlertRule:
    expected = collectors.tasks * len(collectors.containers)
    up = rules.newest(rules.selector(catalogue.UP.name, _own(observed, collectors)), observed)
    return AlertRule(
        alerts.COLLECTOR_DOWN,
        f"(count({up} == 1) or vector(0)) < {expected}",
        _FIVE_MINUTES,
        f"{collectors.service}: a collector is down",
        f"{{{{ $value }}}} of {expected} collectors of {collectors.service} were heard of in the last "
        f"{rules.window(observed)}.",
        _subject(observed, collectors.service),
    )


def _dropping(observed: Observed, collectors: _Collectors) -> AlertRule:
    return _in_vain(
        observed,
        collectors,
        alerts.COLLECTOR_DROPPING,
        counted=rules.lost(observed),
        holds=_AT_ONCE,
        what="telemetry is lost",
        happened="spans, points and records were given up, or found no room in a queue,",
    )


def _refusing(observed: Observed, collectors: _Collectors) -> AlertRule:
    return _in_vain(
        observed,
        collectors,
        alerts.COLLECTOR_REFUSING,
        counted=rules.refused(observed),
        holds=_FIVE_MINUTES,
        what="a collector refuses telemetry",
        happened="spans, points and records were refused",
    )


def _xray_failing(observed: Observed, collectors: _Collectors) -> AlertRule:
    return _in_vain(
        observed,
        collectors,
        alerts.XRAY_FAILING,
        counted=rules.xray_failed(observed),
        holds=_FIVE_MINUTES,
        what="X-Ray does not take traces",
        happened="spans were sent to X-Ray in vain",
    )


def _in_vain(
    observed: Observed,
    collectors: _Collectors,
    alert: Alert,
    *,
    counted: rules.Recorded,
    holds: str,
    what: str,
    happened: str,
) -> AlertRule:
    chosen = _subject(observed, collectors.service)
    return AlertRule(
        alert,
        f"sum({counted.of(chosen)}) > 0",
        holds,
        f"{collectors.service}: {what}",
        f'{{{{ $value | printf "%.0f" }}}} {happened} in the last {rules.window(observed)}.',
        chosen,
    )


def _queue_filling(observed: Observed, collectors: _Collectors) -> AlertRule:
    size, room = (
        rules.newest(rules.selector(metric.name, _own(observed, collectors)), observed)
        for metric in (catalogue.QUEUE_SIZE, catalogue.QUEUE_CAPACITY)
    )
    threshold = collectors.thresholds.queue
    return AlertRule(
        alerts.COLLECTOR_QUEUE,
        f"max({size} / ({room} > 0)) >= {_ratio(threshold)}",
        _FIVE_MINUTES,
        f"{collectors.service}: telemetry waits",
        f"A queue of a collector of {collectors.service} is {{{{ $value | humanizePercentage }}}} full; the threshold "
        f"is {_percent(threshold)}. A full queue refuses new telemetry.",
        _subject(observed, collectors.service),
    )


def _memory_high(observed: Observed, collectors: _Collectors, memory: int) -> AlertRule:
    chosen = {**_own(observed, collectors), Label.CONTAINER: COLLECTOR}
    held = rules.newest(rules.selector(catalogue.MEMORY.name, chosen), observed)
    threshold = collectors.thresholds.memory
    return AlertRule(
        alerts.COLLECTOR_MEMORY,
        f"max({held}) / {memory * catalogue.MEBIBYTE} >= {_ratio(threshold)}",
        _FIVE_MINUTES,
        f"{collectors.service}: a collector is near its memory limit",
        f"A collector of {collectors.service} holds {{{{ $value | humanizePercentage }}}} of its {memory} MiB; the "
        f"threshold is {_percent(threshold)}. At 100 % it is killed.",
        _subject(observed, collectors.service),
    )


def _dead_mans_switch(observed: Observed) -> AlertRule:
    return AlertRule(
        alerts.DEAD_MANS_SWITCH,
        "vector(1)",
        _AT_ONCE,
        "Alerts are evaluated and delivered",
        f"This alert of {observed.cluster} always fires (its value is {{{{ $value }}}}). If it is no longer heard, no "
        "other one will be.",
        {Label.CLUSTER: observed.cluster},
    )


# Parts of expressions


def _subject(observed: Observed, service: str) -> dict[str, str]:
    return {Label.CLUSTER: observed.cluster, Label.SERVICE: service}


def _own(observed: Observed, collectors: _Collectors) -> dict[str, str]:
    """The labels of what the collectors of a service say of themselves."""
    return {**_subject(observed, collectors.service), Label.JOB: observed.job(catalogue.COLLECTOR_SERVICE)}


def _once(expr: str) -> str:
    """One alert for an ECS service, also where two programs in its tasks write."""
    return f"max({expr})"


def _known(value: float | None) -> float:
    """A threshold; those of what is observed are complete."""
    if value is None:
        raise ValueError("a threshold is missing")
    return value


def _ratio(percent: float | None) -> str:
    return rules.number(_known(percent) / 100)


def _percent(percent: float | None) -> str:
    return f"{_known(percent):g} %"
