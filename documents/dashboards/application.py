"""The dashboard "Application": requests, errors and latency, by application and by route.

Its figures come from the OpenTelemetry SDK of each application through AMP, in both patterns.
"""

import json
import re
from typing import Final
from urllib.parse import quote, unquote

from documents.catalogue import REQUEST_DURATION, Label
from documents.dashboards import ecs_tasks
from documents.dashboards.layout import Line, Row, board, from_amp, one_from_amp
from documents.dashboards.model import Dashboard
from documents.dashboards.panels import About, Limits, PanelBuilder, column, graph, linked, sheet
from documents.dashboards.queries import over_time, rows_of, top
from documents.dashboards.sources import AMP, XRAY
from documents.observed import Observed

UID: Final = "application"

_COUNT: Final = f"{REQUEST_DURATION.name}_count"
_BUCKET: Final = f"{REQUEST_DURATION.name}_bucket"
_CHOSEN: Final = f'{Label.CLUSTER}="$cluster", {Label.JOB}=~"$application"'
_FAILED: Final = f'{_CHOSEN}, {Label.STATUS}=~"5.."'

_APPLICATION: Final = (Label.JOB,)
_ROUTE: Final = (Label.JOB, Label.ROUTE)

_NAME: Final = "application"
"""A label that the table makes: the application's name alone, as X-Ray knows it, out of `job`."""

_ERRORS: Final = Limits(warning=0.01, bad=0.05)
"""One request in a hundred is worth a look, one in twenty is an incident."""

_LATENCY: Final = Limits(warning=0.5, bad=1)
"""Seconds. Half a second is felt, a second breaks a user's train of thought."""


def dashboard(observed: Observed) -> Dashboard:
    """The same dashboard in every stack, for its cluster, region and interval."""
    step = observed.interval_seconds
    return board(
        UID,
        "Application",
        "Requests, errors and latency of the applications, by application and by route.",
        refresh=step,
        variables=(
            one_from_amp("cluster", "Cluster", _COUNT, Label.CLUSTER, observed.cluster),
            from_amp("application", "Application", _COUNT, Label.JOB, f'{Label.CLUSTER}="$cluster"'),
        ),
        others={ecs_tasks.UID: ecs_tasks.TITLE},
        rows=(
            Row(101, "By application", _red(1, _APPLICATION, "by application", step)),
            Row(102, "By route", _red(6, _ROUTE, "by route", step)),
            Row(103, "Routes and their traces", (Line(10, (_routes(11, observed),)),)),
        ),
    )


def _red(first: int, by: tuple[str, ...], title: str, step: int) -> tuple[Line, ...]:
    """Rate, errors, duration; their panels have the ids from `first` on."""
    legend = " ".join(f"{{{{{label}}}}}" for label in by)
    requests = graph(
        About(
            first,
            f"Request rate {title}",
            "Requests a second. A sudden fall: callers cannot reach the application, or it no longer reports; compare "
            "with running tasks on the dashboard ECS tasks. A sudden rise: a retry storm or a new caller.",
        ),
        [over_time(top(_rate(by)), legend, step=step)],
        source=AMP,
        unit="reqps",
        decimals=2,
    )
    errors = graph(
        About(
            first + 1,
            f"Error ratio {title}",
            "Share of requests answered with a status of 500 and above; 0 % without errors, no line without requests. "
            "Above 1 %: open the failed traces of the route in the table below, the first failing segment names the "
            "cause.",
        ),
        [over_time(top(_error_ratio(by)), legend, step=step)],
        source=AMP,
        unit="percentunit",
        decimals=2,
        judgement=_ERRORS,
    )
    quantiles = (
        (0.5, "p50", "Half of the requests are faster. If this rises, everybody waits: look at CPU and at what all "
                     "requests share, such as a database."),
        (0.95, "p95", "One request in twenty is slower. If only this rises, some requests are slow: open the traces "
                      "of the slow route below."),
        (0.99, "p99", "One request in a hundred is slower. Far above p95: rare waits such as cold caches, locks, "
                      "retries or garbage collection."),
    )  # fmt: skip
    latency = tuple(
        graph(
            About(first + 2 + index, f"Latency {name} {title}", meaning),
            [over_time(top(_latency(quantile, by)), legend, step=step)],
            source=AMP,
            unit="s",
            decimals=3,
            judgement=_LATENCY,
        )
        for index, (quantile, name, meaning) in enumerate(quantiles)
    )
    return Line(8, (requests, errors)), Line(8, latency)


def _routes(number: int, observed: Observed) -> PanelBuilder:
    step = observed.interval_seconds
    name = f"${{__data.fields.{_COLUMNS[_NAME]}}}"
    return sheet(
        About(
            number,
            "Routes",
            "Every route that had requests in the last minutes. Click an application for its traces in X-Ray, an "
            "error ratio for its failed ones, over the same time. A route without a name stands for requests that no "
            "route of the application matched.",
        ),
        [
            rows_of(_named(f"{_rate(_ROUTE)} > 0"), step=step, ref="A"),
            rows_of(_named(_error_ratio(_ROUTE)), step=step, ref="B"),
            rows_of(_named(_latency(0.95, _ROUTE)), step=step, ref="C"),
        ],
        source=AMP,
        names=_COLUMNS,
        columns=(
            linked("Application", {"Traces in X-Ray": traces_url(f'service("{name}")', observed.region)}),
            column("Requests", "reqps", 2),
            column("Errors", "percentunit", 2, _ERRORS),
            linked("Errors", {"Failed traces": traces_url(f'service("{name}") {{ fault = true }}', observed.region)}),
            column("p95", "s", 3, _LATENCY),
        ),
        sort_by="Requests",
        hidden=(Label.JOB,),
    )


_COLUMNS: Final = {
    _NAME: "Application",
    Label.ROUTE: "Route",
    "Value #A": "Requests",
    "Value #B": "Errors",
    "Value #C": "p95",
}


def _rate(by: tuple[str, ...], chosen: str = _CHOSEN) -> str:
    return f"sum by ({', '.join(by)}) (rate({_COUNT}{{{chosen}}}[$__rate_interval]))"


def _error_ratio(by: tuple[str, ...]) -> str:
    # Until the first error there is no series of errors: nothing, not zero. Zero times the requests is zero where there
    # are requests and nothing where there is no telemetry.
    return f"({_rate(by, _FAILED)} or 0 * {_rate(by)}) / ({_rate(by)} > 0)"


def _latency(quantile: float, by: tuple[str, ...]) -> str:
    counted = f"sum by ({', '.join((*by, Label.BOUND))}) (rate({_BUCKET}{{{_CHOSEN}}}[$__rate_interval]))"
    # A quantile of no requests is not a number, and no number passes this comparison.
    return f"histogram_quantile({quantile}, {counted}) >= 0"


def _named(expr: str) -> str:
    return f'label_replace({expr}, "{_NAME}", "$1", "{Label.JOB}", "(?:.*/)?(.+)")'


def traces_url(expression: str, region: str) -> str:
    """Where Grafana's Explore shows the traces that an X-Ray filter expression finds, over the dashboard's time.

    `expression` may hold variables of Grafana's data links, `${...}`, which stay readable to Grafana.
    """
    query = {
        "refId": "A",
        "datasource": {"type": XRAY.type, "uid": XRAY.uid},
        "queryMode": "X-Ray",
        "queryType": "getTraceSummaries",
        "query": expression,
        "region": region,
        "group": {"GroupName": "Default", "GroupARN": "default"},
    }
    pane = {"datasource": XRAY.uid, "queries": [query], "range": {"from": "${__from}", "to": "${__to}"}}
    panes = quote(json.dumps({"traces": pane}, sort_keys=True, separators=(",", ":")), safe="")
    return f"/explore?schemaVersion=1&panes={_VARIABLE.sub(lambda found: unquote(found[0]), panes)}"


_VARIABLE: Final = re.compile(r"%24%7B[A-Za-z0-9_.]+%7D")
