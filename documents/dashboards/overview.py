"""The dashboard "Overview": every application at a glance, and what is wrong.

A row of its table leads to the application. Requests, errors and latency come from AMP in both patterns, CPU and memory
from AMP in the sidecar pattern and from CloudWatch Container Insights in the service pattern.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from documents import objectives, rules
from documents.alerting.alerts import DEAD_MANS_SWITCH
from documents.alerting.model import Severity
from documents.catalogue import ALERTS, REQUEST_DURATION, Label, Pattern, TaskEvent
from documents.dashboards.folder import APPLICATION, ECS_TASKS, OVERVIEW
from documents.dashboards.layout import Line, Row, board, one_from_amp
from documents.dashboards.model import Dashboard
from documents.dashboards.panels import (
    About,
    Column,
    Left,
    Limits,
    PanelBuilder,
    State,
    column,
    graph,
    linked,
    number,
    sheet,
    stated,
    timeline,
)
from documents.dashboards.queries import CloudWatch, fed, least, now, over_time, rows_of, top
from documents.dashboards.sources import AMP
from documents.names import COLLECTOR, SCRAPER
from documents.observed import Observed
from documents.rules import Recorded

HEALTH: Final = (State(0, "Healthy", "green"), State(1, "Warning", "orange"), State(2, "Critical", "red"))

_IN_CLUSTER: Final = f'{Label.CLUSTER}="$cluster"'
_FIRING: Final = f'{_IN_CLUSTER}, {Label.STATE}="firing", {Label.ALERT}!="{DEAD_MANS_SWITCH.name}"'
_OF_APPLICATIONS: Final = f'{_FIRING}, {Label.SERVICE}!~"|{COLLECTOR}|{SCRAPER}"'
"""Without the alerts about nobody in particular, and about our own services."""

_BY_SERVICE: Final = f"by ({Label.SERVICE})"
_SERVICE: Final = f"{{{{{Label.SERVICE}}}}}"

_ANY_ALERT: Final = Limits(warning=1, bad=3)
_ERRORS: Final = Limits(warning=0.01, bad=0.05)
_LATENCY: Final = Limits(warning=0.5, bad=1)
_SATURATION: Final = Limits(warning=80, bad=90)
_BUDGET: Final = Left(scarce=0.25)
"""Less than a quarter: the next incident of the usual size uses it up."""

_WEEKS: Final = f"{objectives.PERIOD_SECONDS // objectives.DAY} days"


def dashboard(observed: Observed) -> Dashboard:
    """The dashboard; panels and columns about budgets only where somebody promised something."""
    panels = _Panels(observed)
    count = f"{REQUEST_DURATION.name}_count"
    budgets = (panels.budgets(),) if panels.slos else ()
    return board(
        OVERVIEW.uid,
        OVERVIEW.title,
        "Every application: its health, traffic, errors, latency, saturation and what is left of its error budget.",
        refresh=observed.interval_seconds,
        variables=(one_from_amp("cluster", "Cluster", count, Label.CLUSTER, observed.cluster),),
        rows=(
            Row(101, "Now", (Line(4, (panels.alerts(), panels.traffic(), panels.failures())),)),
            Row(102, "By application", (Line(9, (panels.applications(),)),)),
            Row(103, "Alerts", (Line(8, (panels.history(), panels.firing())),)),
            Row(
                104,
                "Traffic, errors and latency",
                (Line(8, (panels.requests(), panels.errors())), Line(8, (panels.latency(), *budgets))),
            ),
        ),
    )


@dataclass(frozen=True)
class _Panels:
    observed: Observed

    @property
    def slos(self) -> tuple[str, ...]:
        """The kinds of objectives that some application has."""
        promised = [one.objectives.ratios for one in self.observed.applications if one.objectives]
        return tuple(
            slo for slo in (objectives.AVAILABILITY, objectives.LATENCY) if any(slo in one for one in promised)
        )

    def alerts(self) -> PanelBuilder:
        return number(
            About(
                1,
                "Active alerts",
                "Alerts of AMP that are firing. Any other number than 0: read what they say below, the one about the "
                "most services first, and follow its runbook. CloudWatch's alarms are not in it; they go to the same "
                "topic.",
            ),
            [now(f"count({ALERTS}{{{_FIRING}}}) or 0 * count({self._requests})", step=self._step, legend="Alerts")],
            source=AMP,
            unit="short",
            decimals=0,
            judgement=_ANY_ALERT,
        )

    def traffic(self) -> PanelBuilder:
        return number(
            About(
                2,
                "Requests",
                "Requests a second to all applications together. Far below what is usual at this hour: callers do not "
                "get through, or telemetry does not; compare with the dashboard Collector.",
            ),
            [now(f"sum({self._requests})", step=self._step, legend="Requests")],
            source=AMP,
            unit="reqps",
            decimals=1,
        )

    def failures(self) -> PanelBuilder:
        errors = _of(rules.errors(self.observed))
        return number(
            About(
                3,
                "Errors",
                "Share of all requests that were answered with a status of 500 and above. From 1 % on: look in the "
                "table for the application that is furthest down the call chain and fails, the others only pass it on.",
            ),
            [now(f"sum({errors}) / (sum({self._requests}) > 0)", step=self._step, legend="Errors")],
            source=AMP,
            unit="percentunit",
            decimals=2,
            judgement=_ERRORS,
        )

    def applications(self) -> PanelBuilder:
        asked = {
            "Health": self._health,
            "Requests": f"sum {_BY_SERVICE} ({self._requests})",
            "Errors": _worst(rules.error_ratio(self.observed)),
            "p95": _worst(rules.latency_p95(self.observed)),
            **self._saturation,
            **{slo.capitalize(): _worst(rules.BUDGET_REMAINING, slo) for slo in self.slos},
        }
        insights = self._insights
        return sheet(
            About(
                4,
                "Applications",
                "Each application as it is now, the worst first; click one for its requests, routes and traces, its "
                "CPU or memory for its tasks. Health is the worst of its alerts. CPU and memory are those of the "
                "fullest task, of its reservation; from CloudWatch, of the chosen time's tasks with their latest "
                f"figures. What is left is of the errors of {_WEEKS}: at 0 % the objective is missed, so stop releases "
                "and mend what fails.",
            ),
            [
                *(rows_of(expr, step=self._step, ref=ref) for ref, expr in asked.items()),
                *([insights.performance(_fullest(self._from_cloudwatch))] if insights else []),
            ],
            source=fed(amp=True, container_insights=insights is not None),
            names={
                Label.SERVICE: "Application",
                **{f"Value #{ref}": _TITLES.get(ref, ref) for ref in asked},
                **({TaskEvent.SERVICE: "Application", "cpu": "CPU", "memory": "Memory"} if insights else {}),
            },
            columns=self._columns(),
            sort_by="Health",
        )

    def history(self) -> PanelBuilder:
        severe = " or ".join(
            f'{value} * max by ({Label.ALERT}, {Label.SERVICE}) ({ALERTS}{{{_FIRING}, {Label.SEVERITY}="{severity}"}})'
            for severity, value in _VALUES.items()
        )
        return timeline(
            About(
                5,
                "When alerts fired",
                "A band for each alert and application while it fires. Bands that begin together have one cause: look "
                "at the one that began first. A band in pieces is a threshold at the edge of what is usual: raise it "
                "or mend the cause.",
            ),
            [over_time(top(severe), f"{{{{{Label.ALERT}}}}} {_SERVICE}", step=self._step)],
            source=AMP,
            states=HEALTH[1:],
        )

    def firing(self) -> PanelBuilder:
        kept = f"by ({Label.SEVERITY}, {Label.ALERT}, {Label.SERVICE})"
        since = f"max {kept} ({ALERTS}{{{_FIRING}}})"
        return sheet(
            About(
                6,
                "Alerts that fire",
                "What fires now, by severity; empty is good. Follow the page of that name in docs/runbooks: "
                "it has the first commands to run. An alert without application is about "
                "collectors or the workspace.",
            ),
            [rows_of(since, step=self._step, ref="A")],
            source=AMP,
            names={Label.SEVERITY: "Severity", Label.ALERT: "Alert", Label.SERVICE: "Application"},
            columns=(linked("Application", self._to_application, aside=False),),
            sort_by="Alert",
            hidden=("Value #A", "Value"),
        )

    def requests(self) -> PanelBuilder:
        return graph(
            About(
                7,
                "Requests by application",
                "Requests a second, the ten busiest. A line that falls while the others do not: its callers cannot "
                "reach it; look at its tasks. All fall together: nobody reaches the first of them.",
            ),
            [over_time(top(f"sum {_BY_SERVICE} ({self._requests})"), _SERVICE, step=self._step)],
            source=AMP,
            unit="reqps",
            decimals=2,
        )

    def errors(self) -> PanelBuilder:
        return graph(
            About(
                8,
                "Errors by application",
                "Share of requests answered with a status of 500 and above, the ten worst. Above 1 %: open the "
                "application and the failed traces of its worst route. Several rise together: begin with the one that "
                "the others call.",
            ),
            [over_time(top(_worst(rules.error_ratio(self.observed))), _SERVICE, step=self._step)],
            source=AMP,
            unit="percentunit",
            decimals=2,
            judgement=_ERRORS,
        )

    def latency(self) -> PanelBuilder:
        return graph(
            About(
                9,
                "Latency p95 by application",
                "One request in twenty is slower, the ten slowest. A rise with the traffic: too few tasks, look at "
                "CPU. A rise without it: something that the application calls is slow; open its slow traces.",
            ),
            [over_time(top(_worst(rules.latency_p95(self.observed))), _SERVICE, step=self._step)],
            source=AMP,
            unit="s",
            decimals=1,
            judgement=_LATENCY,
        )

    def budgets(self) -> PanelBuilder:
        remaining = f"min by ({Label.SERVICE}, {Label.SLO}) ({_of(rules.BUDGET_REMAINING)})"
        return graph(
            About(
                10,
                "Error budget left",
                f"What is left of the errors that an objective allows in {_WEEKS}; the ten least. A steep fall: an "
                "incident, an alert has said so. A slow one that reaches 0 % before the period ends: put reliability "
                "before features. Below 0 % the objective is missed.",
            ),
            [over_time(least(remaining), f"{_SERVICE} {{{{{Label.SLO}}}}}", step=self._step)],
            source=AMP,
            unit="percentunit",
            decimals=1,
            judgement=_BUDGET,
        )

    @property
    def _health(self) -> str:
        # No alert has no series: zero times the requests is 0 where there is telemetry and nothing where there is none.
        alerts = (
            f'{value} * {ALERTS}{{{_OF_APPLICATIONS}, {Label.SEVERITY}="{severity}"}}'
            for severity, value in _VALUES.items()
        )
        known = [self._requests, *([_of(rules.CPU_UTILIZATION)] if self.observed.sidecar else [])]
        return f"max {_BY_SERVICE} ({' or '.join((*alerts, *(f'0 * {series}' for series in known)))})"

    @property
    def _requests(self) -> str:
        return _of(rules.requests_rate(self.observed))

    @property
    def _saturation(self) -> Mapping[str, str]:
        if not self.observed.sidecar:
            return {}
        return {"CPU": f"100 * {_worst(rules.CPU_UTILIZATION)}", "Memory": f"100 * {_worst(rules.MEMORY_UTILIZATION)}"}

    @property
    def _from_cloudwatch(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.observed.of(Pattern.SERVICE))

    @property
    def _insights(self) -> CloudWatch | None:
        return CloudWatch(self.observed.region) if self._from_cloudwatch else None

    def _columns(self) -> tuple[Column, ...]:
        application, tasks = self._to_application, self._to_tasks
        return (
            linked("Application", application, aside=False),
            stated("Health", HEALTH),
            column("Requests", "reqps", 2),
            linked("Requests", application, aside=False),
            column("Errors", "percentunit", 2, _ERRORS),
            linked("Errors", application, aside=False),
            column("p95", "s", 1, _LATENCY),
            linked("p95", application, aside=False),
            column("CPU", "percent", 1, _SATURATION),
            linked("CPU", tasks, aside=False),
            column("Memory", "percent", 1, _SATURATION),
            linked("Memory", tasks, aside=False),
            *(column(_TITLES[slo.capitalize()], "percentunit", 1, _BUDGET) for slo in self.slos),
        )

    @property
    def _to_application(self) -> Mapping[str, str]:
        chosen = f"var-application={self.observed.names.project}/{_ROW}"
        return {"The application": f"{APPLICATION.path}?{_KEPT}&{chosen}"}

    @property
    def _to_tasks(self) -> Mapping[str, str]:
        # In a stack with both patterns each back end has a variable of its own, and one of them finds the application.
        both = f"&var-cloudwatch_service={_ROW}" if self.observed.sidecar and self._from_cloudwatch else ""
        return {"Its tasks": f"{ECS_TASKS.path}?{_KEPT}&var-service={_ROW}{both}"}

    @property
    def _step(self) -> int:
        return self.observed.interval_seconds


_TITLES: Final = {"Availability": "Availability left", "Latency": "Latency left"}
_VALUES: Final = {Severity.CRITICAL: 2, Severity.WARNING: 1}
_ROW: Final = "${__data.fields.Application}"
_KEPT: Final = "${cluster:queryparam}&${__url_time_range}"


def _of(recorded: Recorded) -> str:
    return f"{recorded.name}{{{_IN_CLUSTER}}}"


def _worst(recorded: Recorded, slo: str = "") -> str:
    """By application: the highest of its values, or the least that is left of a budget."""
    if slo:
        return f'min {_BY_SERVICE} ({recorded.name}{{{_IN_CLUSTER}, {Label.SLO}="{slo}"}})'
    return f"max {_BY_SERVICE} ({_of(recorded)})"


def _fullest(services: tuple[str, ...]) -> str:
    event = TaskEvent
    named = ", ".join(f'"{service}"' for service in services)
    return "\n".join(
        (
            f'filter {event.TYPE} = "Task" and {event.SERVICE} in [{named}]',
            f"| fields 100 * {event.CPU_UTILIZED} / {event.CPU_RESERVED} as cpu_percent,"
            f" 100 * {event.MEMORY_UTILIZED} / {event.MEMORY_RESERVED} as memory_percent",
            f"| stats latest(cpu_percent) as cpu_of_task, latest(memory_percent) as memory_of_task"
            f" by {event.SERVICE}, {event.TASK}",
            f"| stats max(cpu_of_task) as cpu, max(memory_of_task) as memory by {event.SERVICE}",
        )
    )
