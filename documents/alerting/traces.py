"""Alerts that Grafana evaluates, since nobody else can ask X-Ray: too many traces with a fault.

Only X-Ray's trace statistics can be alerted on (documentation of the data source plugin, "Alerting"; names of the
columns: its `src/components/QueryEditor/constants.ts`). That Amazon Managed Grafana takes rules, contact point and
policy in this form was not tried.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from documents.alerting.alerts import TRACE_FAULTS
from documents.alerting.rules import SEVERITY
from documents.catalogue import Label
from documents.dashboards.sources import XRAY
from documents.observed import Application, Observed

EVALUATED_SECONDS: Final = 60
LOOKED_BACK_SECONDS: Final = 900
HOLDS: Final = "5m"

FEWEST_TRACES: Final = 10
"""Below this the share says nothing."""

_EXPRESSION: Final = "__expr__"
"""Grafana's own data source of expressions."""


@dataclass(frozen=True)
class Stage:
    """A query or an expression of a rule, under a letter."""

    ref: str
    source: str
    model: dict[str, Any]

    @property
    def json(self) -> str:
        """The model as Grafana's API takes it."""
        return json.dumps({"refId": self.ref, **self.model}, sort_keys=True)


@dataclass(frozen=True)
class TraceRule:
    """An alert rule of Grafana; it fires when the last stage gives something other than 0."""

    name: str
    stages: tuple[Stage, ...]
    labels: dict[str, str]
    annotations: dict[str, str]


def rules(observed: Observed) -> tuple[TraceRule, ...]:
    """A rule for each application that wants it; the threshold is that of its errors."""
    return tuple(
        _rule(observed, one)
        for one in observed.applications
        if TRACE_FAULTS.name not in observed.disabled | one.disabled
    )


def _rule(observed: Observed, application: Application) -> TraceRule:
    errors = application.thresholds.errors or 0.0
    return TraceRule(
        name=f"{TRACE_FAULTS.name} {application.name}",
        stages=(
            _statistics("A", application.name, "FaultStatistics.TotalCount"),
            _statistics("B", application.name, "TotalCount"),
            _sum("C", "A"),
            _sum("D", "B"),
            Stage(
                "E",
                _EXPRESSION,
                {"type": "math", "expression": f"$D >= {FEWEST_TRACES} && $C >= $D * {errors / 100:g}"},
            ),
        ),
        labels={
            SEVERITY: TRACE_FAULTS.severity.value,
            Label.CLUSTER: observed.cluster,
            Label.SERVICE: application.name,
        },
        annotations={
            "summary": f"{application.name}: too many traces have a fault",
            "description": (
                f"At least {errors:g} % of the traces of {application.name} in X-Ray had a fault in the last "
                f"{LOOKED_BACK_SECONDS // 60} minutes ({{{{ $values.C }}}} of {{{{ $values.D }}}})."
            ),
            "runbook_url": TRACE_FAULTS.runbook_url(observed.runbooks),
        },
    )


def _statistics(ref: str, service: str, column: str) -> Stage:
    return Stage(
        ref,
        XRAY.uid,
        {
            "queryMode": "X-Ray",
            "queryType": "getTimeSeriesServiceStatistics",
            "query": f'service("{service}")',
            "columns": [column],
            "resolution": 60,
            "region": "default",
            "group": {"GroupName": "Default", "GroupARN": "default"},
        },
    )


def _sum(ref: str, of: str) -> Stage:
    # Minutes without traces have no point, and count as none.
    settings = {"mode": "replaceNN", "replaceWithValue": 0}
    return Stage(ref, _EXPRESSION, {"type": "reduce", "reducer": "sum", "expression": of, "settings": settings})
