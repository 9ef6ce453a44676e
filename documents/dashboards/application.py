"""The dashboard "Application": requests, errors and latency, what it calls, what its processes use, what it logs.

While two revisions of a task definition run, as in every roll-out, both have lines of their own. That costs no series:
each process has its own anyway, and is of one revision for as long as it runs.

Its figures come from the OpenTelemetry SDK of each application through AMP, in both patterns; its logs from CloudWatch.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from documents import rules
from documents.catalogue import (
    CALL_DURATION,
    COLLECTIONS,
    PROCESS_CPU,
    PROCESS_MEMORY,
    REQUEST_DURATION,
    SHARED_BY_TRACE_IDS,
    Label,
    LogField,
    RuntimeMetric,
)
from documents.dashboards import folder
from documents.dashboards.layout import Line, Row, Variable, behind, board, from_amp, one_from_amp, text
from documents.dashboards.model import Dashboard
from documents.dashboards.panels import (
    About,
    Limits,
    PanelBuilder,
    column,
    density,
    graph,
    leading,
    linked,
    log,
    sheet,
)
from documents.dashboards.queries import CloudWatch, XRayQuery, buckets, over_time, rows_of, top
from documents.dashboards.sources import AMP, CLOUDWATCH, XRAY
from documents.names import telemetry_log_group
from documents.observed import Observed
from documents.rules import Recorded

UID: Final = folder.APPLICATION.uid

_COUNT: Final = f"{REQUEST_DURATION.name}_count"
_BUCKET: Final = f"{REQUEST_DURATION.name}_bucket"
_CHOSEN: Final = f'{Label.CLUSTER}="$cluster", {Label.JOB}=~"$application"'
_FAILED: Final = f'{_CHOSEN}, {Label.STATUS}=~"5.."'

_APPLICATION: Final = (Label.JOB,)
_REVISION: Final = (Label.JOB, Label.REVISION)
_ROUTE: Final = (Label.JOB, Label.ROUTE)
_STATUS: Final = (Label.JOB, Label.STATUS)
_PEER: Final = (Label.JOB, Label.PEER)

_NAME: Final = "application"
"""A label that the table makes: the application's name alone, as X-Ray knows it, out of `job`."""

_ERRORS: Final = Limits(warning=0.01, bad=0.05)
"""One request in a hundred is worth a look, one in twenty is an incident."""

LATENCY: Final = Limits(warning=0.5, bad=1)
"""Seconds. Half a second is felt, a second breaks a user's train of thought."""

_WINDOW: Final = "[$__rate_interval]"
_TRACES: Final = {
    "Its traces": (
        f"{folder.TRACES.path}?${{cluster:queryparam}}&var-application=${{__field.labels.{Label.JOB}}}"
        "&${__url_time_range}"
    )
}
"""From a point in a graph to the traces of that application, over the same time."""

_MOST_LINES: Final = 500


def dashboard(observed: Observed) -> Dashboard:
    """The same dashboard in every stack, for its cluster, region and interval."""
    step = observed.interval_seconds
    return board(
        UID,
        folder.APPLICATION.title,
        "Requests, errors and latency of the applications, what they call, what their processes use, and their logs.",
        refresh=step,
        variables=(
            one_from_amp("cluster", "Cluster", _COUNT, Label.CLUSTER, observed.cluster),
            from_amp("application", "Application", _COUNT, Label.JOB, f'{Label.CLUSTER}="$cluster"'),
            names("names", several=True),
            text("trace", "Trace"),
        ),
        rows=(
            Row(101, "By application", _red(1, "by application", _by_application(observed), step)),
            Row(108, "By revision", (Line(8, _revisions(22, step)),)),
            Row(104, "Answers", (Line(8, (_statuses(12, step), heatmap(13, step))),)),
            Row(102, "By route", _red(6, "by route", _by_route(), step)),
            Row(103, "Routes and their traces", (Line(10, (_routes(11, observed),)),)),
            Row(105, "What it calls", (Line(8, _calls(14, step)),)),
            Row(106, "Its processes", (Line(8, _processes(17, step)),)),
            # Each query is billed by what it reads, so it waits until somebody wants to see lines.
            Row(
                107,
                "Logs",
                (Line(10, (_lines_of_trace(20, observed),)), Line(10, (_lines(21, observed),))),
                closed=True,
            ),
        ),
    )


def names(name: str, *, several: bool) -> Variable:
    """The names of the chosen applications alone, as X-Ray and CloudWatch Logs know them."""
    return behind(name, f"label_values({_COUNT}{{{_CHOSEN}}}, {Label.JOB})", r"(?:.*\/)?(.+)", several=several)


@dataclass(frozen=True)
class _Red:
    """Queries for the rate, the errors and the duration of requests; `duration` by quantile, in seconds."""

    by: tuple[str, ...]
    rate: str
    errors: str
    duration: Mapping[float, str]


def _by_application(observed: Observed) -> _Red:
    """What rules record is asked of them: a figure here is the one on Overview, and the one that an alert is about."""
    return _Red(
        _APPLICATION,
        rate=_recorded("sum", rules.requests_rate(observed)),
        errors=_recorded("max", rules.error_ratio(observed)),
        duration={
            0.5: _latency(0.5, _APPLICATION),
            0.95: _recorded("max", rules.latency_p95(observed)),
            0.99: _latency(0.99, _APPLICATION),
        },
    )


def _by_route() -> _Red:
    """Nobody records these: routes are many, and looked at seldom."""
    return _Red(
        _ROUTE,
        rate=_rate(_ROUTE),
        errors=_error_ratio(_ROUTE),
        duration={quantile: _latency(quantile, _ROUTE) for quantile in (0.5, 0.95, 0.99)},
    )


def _red(first: int, title: str, asked: _Red, step: int) -> tuple[Line, ...]:
    """Rate, errors, duration; their panels have the ids from `first` on."""
    legend = " ".join(f"{{{{{label}}}}}" for label in asked.by)
    requests = graph(
        About(
            first,
            f"Request rate {title}",
            "Requests a second. A sudden fall: callers cannot reach the application, or it no longer reports; compare "
            "with running tasks on the dashboard ECS tasks. A sudden rise: a retry storm or a new caller.",
        ),
        [over_time(top(asked.rate), legend, step=step)],
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
        [over_time(top(asked.errors), legend, step=step)],
        source=AMP,
        unit="percentunit",
        decimals=2,
        judgement=_ERRORS,
    )
    errors = leading(errors, _TRACES)
    quantiles = (
        (0.5, "p50", "Half of the requests are faster. If this rises, everybody waits: look at CPU and at what all "
                     "requests share, such as a database."),
        (0.95, "p95", "One request in twenty is slower. If only this rises, some requests are slow: open the traces "
                      "of the slow route below."),
        (0.99, "p99", "One request in a hundred is slower. Far above p95: rare waits such as cold caches, locks, "
                      "retries or garbage collection; open the slow traces to see which."),
    )  # fmt: skip
    latency = tuple(
        leading(
            graph(
                About(first + 2 + index, f"Latency {name} {title}", meaning),
                [over_time(top(asked.duration[quantile]), legend, step=step)],
                source=AMP,
                unit="s",
                decimals=1,
                judgement=LATENCY,
            ),
            _TRACES,
        )
        for index, (quantile, name, meaning) in enumerate(quantiles)
    )
    return Line(8, (requests, errors)), Line(8, latency)


def _revisions(first: int, step: int) -> tuple[PanelBuilder, ...]:
    """Both revisions of a task definition while both run; one line for an application that does not say its own."""
    # The number first: of three panels side by side, legends are cut off at the end.
    legend = f"{{{{{Label.REVISION}}}}} {{{{{Label.JOB}}}}}"
    return (
        graph(
            About(
                first,
                "Request rate by revision",
                "Requests a second that each revision of the task definition answered. While a roll-out shifts "
                "traffic, the new line takes over what the old one loses; one that stays at nothing gets no requests: "
                "look at the deployments on the dashboard ECS tasks.",
            ),
            [over_time(top(_rate(_REVISION)), legend, step=step)],
            source=AMP,
            unit="reqps",
            decimals=2,
        ),
        graph(
            About(
                first + 1,
                "Error ratio by revision",
                "Share of requests answered with a status of 500 and above. The new revision above the old one: stop "
                "the roll-out. Compare with the rate on the left first: among few requests one error is a large share.",
            ),
            [over_time(top(_error_ratio(_REVISION)), legend, step=step)],
            source=AMP,
            unit="percentunit",
            decimals=2,
            judgement=_ERRORS,
        ),
        graph(
            About(
                first + 2,
                "Latency p95 by revision",
                "One request in twenty is slower. The new revision above the old one for some minutes: it warms up. "
                "For longer: it is slower; stop the roll-out and compare the traces of both.",
            ),
            [over_time(top(_latency(0.95, _REVISION)), legend, step=step)],
            source=AMP,
            unit="s",
            decimals=1,
            judgement=LATENCY,
        ),
    )


def _statuses(number: int, step: int) -> PanelBuilder:
    return graph(
        About(
            number,
            "Answers by status",
            "Answers a second by their HTTP status. Many of 500 and above: the application fails, open its traces. "
            "Many of 400 to 499: callers ask wrongly or are not let in; find out which by the route below.",
        ),
        [over_time(top(_rate(_STATUS)), f"{{{{{Label.JOB}}}}} {{{{{Label.STATUS}}}}}", step=step)],
        source=AMP,
        unit="reqps",
        decimals=2,
    )


def heatmap(number: int, step: int) -> PanelBuilder:
    """How long the answers of the chosen applications took: requests a second in each bucket of the histogram."""
    return density(
        About(
            number,
            "Distribution of latency",
            "Requests a second by how long they took. Two bands that stay apart are two kinds of requests; a band that "
            "climbs is a resource that fills up. A few far above the rest: open the slow traces of that time.",
        ),
        [buckets(f"sum by ({Label.BOUND}) (rate({_BUCKET}{{{_CHOSEN}}}{_WINDOW}))", step=step)],
        source=AMP,
        unit="s",
        decimals=1,
    )


def _calls(first: int, step: int) -> tuple[PanelBuilder, ...]:
    legend = f"{{{{{Label.JOB}}}}} to {{{{{Label.PEER}}}}}"
    calls, slow = f"{CALL_DURATION.name}_count", f"{CALL_DURATION.name}_bucket"
    # A call without an answer has no status, and a label without a value matches nothing or the empty text.
    failed = f'{_CHOSEN}, {Label.STATUS}=~"5..|"'
    return (
        graph(
            About(
                first,
                "Calls to other hosts",
                "HTTP calls a second that an application makes, by the host it calls. Many more calls than requests: "
                "retries, or a loop that asks one by one; open a trace. None: it does not get as far as calling.",
            ),
            [over_time(top(_rate(_PEER, metric=calls)), legend, step=step)],
            source=AMP,
            unit="reqps",
            decimals=2,
        ),
        graph(
            About(
                first + 1,
                "Failed calls to other hosts",
                "Share of the calls that were answered with a status of 500 and above, or not at all. Above 1 %: what "
                "is called fails or cannot be reached; look at its own dashboard, then at DNS and security groups.",
            ),
            [over_time(top(_error_ratio(_PEER, calls, failed)), legend, step=step)],
            source=AMP,
            unit="percentunit",
            decimals=2,
            judgement=_ERRORS,
        ),
        graph(
            About(
                first + 2,
                "Latency p95 of calls",
                "One call in twenty takes longer, seen by the caller. As high as the latency of the application's own "
                "answers: the time is lost there and not here, so look at the host that is called.",
            ),
            [over_time(top(_latency(0.95, _PEER, slow)), legend, step=step)],
            source=AMP,
            unit="s",
            decimals=1,
            judgement=LATENCY,
        ),
    )


def _processes(first: int, step: int) -> tuple[PanelBuilder, ...]:
    legend = f"{{{{{Label.JOB}}}}}"
    return (
        graph(
            About(
                first,
                "CPU of the busiest process",
                "Processor time of the process that uses most, where 100 % is one core. A Python or Node.js process "
                "near 100 % is full, however many cores its task has: add tasks, or worker processes.",
            ),
            [over_time(top(_busiest(PROCESS_CPU, f"rate({{}}{_WINDOW})")), legend, step=step)],
            source=AMP,
            unit="percentunit",
            decimals=1,
        ),
        graph(
            About(
                first + 1,
                "Memory of the largest process",
                "Resident memory, or what a JVM uses of its pools, of the process that holds most. A line that only "
                "climbs is a leak: look into a heap dump before the task's memory ends.",
            ),
            [over_time(top(_busiest(PROCESS_MEMORY, "{}")), legend, step=step)],
            source=AMP,
            unit="bytes",
            decimals=1,
        ),
        graph(
            About(
                first + 2,
                "Garbage collections",
                "Collections a second of all processes, by what their runtime reports. A steep rise with the same load "
                "is memory pressure: give the process more memory, or look for what it allocates.",
            ),
            [
                over_time(
                    top(f"sum by ({Label.JOB}) ({_any_of(COLLECTIONS, f'rate({{}}{_WINDOW})')})"), legend, step=step
                )
            ],
            source=AMP,
            unit="ops",
            decimals=2,
        ),
    )


def _any_of(metrics: tuple[RuntimeMetric, ...], form: str) -> str:
    """What a process says by whichever of these names its language has; `form` takes the selector of one."""
    return " or ".join(form.format(f"{metric.name}{{{_CHOSEN}}}") for metric in metrics)


def _busiest(metrics: tuple[RuntimeMetric, ...], form: str) -> str:
    each = f"sum by ({Label.JOB}, {Label.INSTANCE}) ({_any_of(metrics, form)})"
    return f"max by ({Label.JOB}) ({each})"


def _lines_of_trace(number: int, observed: Observed) -> PanelBuilder:
    # The end of the id is the same in both of its forms. Before it stand as many characters that no id has: without a
    # trace nothing is found, where the end of an empty text would be an error.
    ending = f'substr(concat("{"-" * SHARED_BY_TRACE_IDS}", "$trace"), strlen("$trace"))'
    return _log(
        About(
            number,
            "Lines of the trace",
            "What all applications of the stack wrote during the trace whose id stands above; a link in the dashboard "
            "Traces fills it in. Nothing, though there is a trace: the application does not write trace ids into its "
            "lines, see its documentation on log correlation.",
        ),
        f"filter strcontains({LogField.MESSAGE}, {ending}) = 1",
        observed,
    )


def _lines(number: int, observed: Observed) -> PanelBuilder:
    return _log(
        About(
            number,
            "Latest lines",
            "What the chosen applications wrote last, without their collectors. Nothing: the application writes to a "
            "file instead of its standard output, or its task may not write to CloudWatch Logs; check its log driver.",
        ),
        rf"filter {LogField.STREAM} like /^(${{names:pipe}})(\/|$)/",
        observed,
    )


def _log(about: About, condition: str, observed: Observed) -> PanelBuilder:
    asked = (
        f"fields {LogField.TIME}, {LogField.STREAM}, {LogField.MESSAGE}",
        f"| {condition}",
        f"| sort {LogField.TIME} desc",
        f"| limit {_MOST_LINES}",
    )
    groups = [*observed.log_groups]
    if observed.logs:
        groups.append(telemetry_log_group(observed.names.prefix, "logs"))
    return log(about, [CloudWatch(observed.region).lines(groups, "\n".join(asked))], source=CLOUDWATCH)


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
            column("p95", "s", 1, LATENCY),
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


def _recorded(operation: str, recorded: Recorded) -> str:
    return f"{operation} by ({', '.join(_APPLICATION)}) ({recorded.name}{{{_CHOSEN}}})"


def _rate(by: tuple[str, ...], chosen: str = _CHOSEN, metric: str = _COUNT) -> str:
    return f"sum by ({', '.join(by)}) (rate({metric}{{{chosen}}}{_WINDOW}))"


def _error_ratio(by: tuple[str, ...], metric: str = _COUNT, failed: str = _FAILED) -> str:
    # Until the first error there is no series of errors: nothing, not zero. Zero times the requests is zero where there
    # are requests and nothing where there is no telemetry.
    every = _rate(by, metric=metric)
    return f"({_rate(by, failed, metric)} or 0 * {every}) / ({every} > 0)"


def _latency(quantile: float, by: tuple[str, ...], metric: str = _BUCKET) -> str:
    counted = _rate((*by, Label.BOUND), metric=metric)
    # A quantile of no requests is not a number, and no number passes this comparison.
    return f"histogram_quantile({quantile}, {counted}) >= 0"


def _named(expr: str) -> str:
    return f'label_replace({expr}, "{_NAME}", "$1", "{Label.JOB}", "(?:.*/)?(.+)")'


def traces_url(expression: str, region: str) -> str:
    """Where Grafana's Explore shows the traces that an X-Ray filter expression finds, over the dashboard's time.

    `expression` may hold variables of Grafana's data links, `${...}`, which stay readable to Grafana.
    """
    return explore(XRayQuery("getTraceSummaries", region, expression))


def explore(query: XRayQuery) -> str:
    """Where Grafana's Explore shows the answer to a query, over the dashboard's time."""
    pane = {"datasource": XRAY.uid, "queries": [query.to_json()], "range": {"from": "${__from}", "to": "${__to}"}}
    panes = quote(json.dumps({"traces": pane}, sort_keys=True, separators=(",", ":")), safe="")
    return f"/explore?schemaVersion=1&panes={_VARIABLE.sub(lambda found: unquote(found[0]), panes)}"


_VARIABLE: Final = re.compile(r"%24%7B[A-Za-z0-9_.]+%7D")
