"""The dashboard "Traces": what X-Ray knows of the requests, and whether all of it gets there.

X-Ray bills every trace that a list or an analysis reads, so nothing here asks again by itself.
"""

from typing import Final

from documents.catalogue import ACCEPTED_SPANS, REQUEST_DURATION, SENT_SPANS, Label
from documents.dashboards import application, collector, folder
from documents.dashboards.layout import Line, Row, board, choice, one_from_amp
from documents.dashboards.model import Dashboard
from documents.dashboards.panels import (
    About,
    Column,
    Limits,
    PanelBuilder,
    column,
    graph,
    graph_of_nodes,
    linked,
    sheet,
)
from documents.dashboards.queries import FromXRay, Query, XRayQuery, over_time, top
from documents.dashboards.sources import AMP, XRAY
from documents.observed import Observed

UID: Final = folder.TRACES.uid

_COUNT: Final = f"{REQUEST_DURATION.name}_count"
_SERVICE: Final = 'service("$name")'

_STATUS: Final = Limits(warning=400, bad=500)
"""From 400 on the caller asks wrongly, from 500 on the application fails."""

_AROUND_MILLISECONDS: Final = 10 * 60 * 1000
"""How much time a link from a trace shows, with the trace in its middle."""

_BILLED: Final = "Each look reads the traces anew, and X-Ray bills every trace that is read."


def dashboard(observed: Observed) -> Dashboard:
    """The same dashboard in every stack, for its cluster, region and interval."""
    region, step = observed.region, observed.interval_seconds
    return board(
        UID,
        folder.TRACES.title,
        "The service map, what becomes of requests, and the traces of one application, as X-Ray has them. It does not "
        "refresh by itself, because X-Ray bills what is read.",
        refresh=None,
        variables=(
            one_from_amp("cluster", "Cluster", _COUNT, Label.CLUSTER, observed.cluster),
            one_from_amp(
                "application",
                "Application",
                f'{_COUNT}{{{Label.CLUSTER}="$cluster"}}',
                Label.JOB,
                observed.job(observed.applications[0].name),
            ),
            application.names("name", several=False),
            choice("slower", "Slow from, seconds", ("0.5", "1", "2", "5")),
        ),
        rows=(
            Row(101, "Who calls whom", (Line(14, (_service_map(1, region),)),)),
            Row(102, "What becomes of requests", (Line(8, (_outcomes(2, region), _response_time(3, region))),)),
            Row(103, "How long they take", (Line(8, (application.heatmap(4, step),)),)),
            Row(104, "What fails", (Line(8, (_faults(5, region), _fault_causes(6, region))),)),
            Row(105, "What is slow", (Line(8, (_slow(7, region), _slow_causes(8, region))),)),
            Row(106, "All traces", (Line(10, (_all(9, region),)),)),
            Row(107, "Spans on their way", (Line(8, _spans(10, step)),)),
        ),
    )


def _service_map(number: int, region: str) -> PanelBuilder:
    return graph_of_nodes(
        About(
            number,
            "Service map",
            "Every service that X-Ray saw in the chosen time, and who called whom; the ring around a node is its share "
            "of errors and faults. A service that is missing sends no traces; one that hangs alone loses its context, "
            "because a caller does not pass on the header `traceparent`; check its instrumentation.",
        ),
        [_asked("getServiceMap", region)],
        source=XRAY,
    )


def _outcomes(number: int, region: str) -> PanelBuilder:
    columns = ("OkCount", "ErrorStatistics.TotalCount", "ErrorStatistics.ThrottleCount", "FaultStatistics.TotalCount")
    return graph(
        About(
            number,
            "Requests by outcome",
            "Traced requests of the application in each minute or five: answered well, with 400 to 499 (errors), with "
            "429 (throttled), with 500 and above (faults). Faults that rise with the load: see what fails below.",
        ),
        [_asked("getTimeSeriesServiceStatistics", region, _SERVICE, columns)],
        source=XRAY,
        unit="short",
        decimals=0,
    )


def _response_time(number: int, region: str) -> PanelBuilder:
    return graph(
        About(
            number,
            "Mean response time",
            "Mean over the traced requests of the application. A mean hides the slow ones: the distribution below "
            "shows whether all requests are slower, or a few are very slow; open one of those.",
        ),
        [_asked("getTimeSeriesServiceStatistics", region, _SERVICE, ("Computed.AverageResponseTime",))],
        source=XRAY,
        unit="s",
        decimals=1,
        judgement=application.LATENCY,
    )


def _faults(number: int, region: str) -> PanelBuilder:
    return _list(
        About(
            number,
            "Faults",
            "Traces in which the application answered with 500 and above, at most a thousand. Open one: the first "
            f"segment that is marked names the cause. {_BILLED}",
        ),
        region,
        f"{_SERVICE} {{ fault = true }}",
    )


def _slow(number: int, region: str) -> PanelBuilder:
    return _list(
        About(
            number,
            "Slow traces",
            "Traces in which the application took longer than the seconds chosen above, at most a thousand. Open one: "
            f"the longest segment without children is where the time goes. {_BILLED}",
        ),
        region,
        f"{_SERVICE} {{ responsetime > $slower }}",
    )


def _all(number: int, region: str) -> PanelBuilder:
    return _list(
        About(
            number,
            "Traces",
            "Traces that the application takes part in, at most a thousand. None, though there are requests: its SDK "
            f"does not trace, or sampling keeps too few; see spans on their way. {_BILLED}",
        ),
        region,
        _SERVICE,
    )


def _fault_causes(number: int, region: str) -> PanelBuilder:
    return _causes(
        About(
            number,
            "Causes of faults",
            "The services at which the faults of the application began. One that leads the list is the one to mend, "
            f"whoever else reports errors. {_BILLED}",
        ),
        _asked("getAnalyticsRootCauseFaultService", region, f"{_SERVICE} {{ fault = true }}"),
        "Fault Root Cause",
    )


def _slow_causes(number: int, region: str) -> PanelBuilder:
    return _causes(
        About(
            number,
            "Causes of slowness",
            "The services in which slow requests spend their time. One that leads the list is the one to make faster: "
            f"see its CPU and what it calls. {_BILLED}",
        ),
        _asked("getAnalyticsRootCauseResponseTimeService", region, f"{_SERVICE} {{ responsetime > $slower }}"),
        "Response Time Root Cause",
    )


def _causes(about: About, query: Query, field: str) -> PanelBuilder:
    return sheet(
        about,
        [query],
        source=XRAY,
        names={field: "Cause", "Count": "Traces", "Percent": "Share"},
        columns=(column("Traces", "short", 0), column("Share", "percent", 1)),
        sort_by="Traces",
    )


def _list(about: About, region: str, expression: str) -> PanelBuilder:
    around = f"time=${{__data.fields.Start.numeric}}&time.window={_AROUND_MILLISECONDS}"
    chosen = "${cluster:queryparam}&${application:queryparam}"
    links = {
        "Trace": application.explore(XRayQuery("getTrace", region, "${__data.fields.Id}")),
        "Application at that time, and its logs": (
            f"{folder.APPLICATION.path}?{chosen}&var-trace=${{__data.fields.Id}}&{around}"
        ),
    }
    columns: tuple[Column, ...] = (
        linked("Id", links),
        column("Start", "dateTimeAsIso", 0),
        column("Status", "none", 0, _STATUS),
        column("Duration", "s", 1, application.LATENCY),
    )
    return sheet(
        about,
        [_asked("getTraceSummaries", region, expression)],
        source=XRAY,
        names={
            "Start Time": "Start",
            "Id": "Id",
            "Method": "Method",
            "Response": "Status",
            "Response Time": "Duration",
            "URL": "URL",
        },
        columns=columns,
        sort_by="Start",
        hidden=("Client IP", "Annotations"),
    )


def _asked(kind: str, region: str, expression: str = "", columns: tuple[str, ...] = ()) -> Query:
    return FromXRay(XRayQuery(kind, region, expression, columns))


def _spans(first: int, step: int) -> tuple[PanelBuilder, ...]:
    legend = f"{{{{{Label.SERVICE}}}}}"
    chosen = f'{Label.CLUSTER}="$cluster"'
    accepted = collector.from_applications(ACCEPTED_SPANS, chosen)
    sent = collector.delivered(SENT_SPANS, (Label.SERVICE,), f'{chosen}, {Label.EXPORTER}=~".*xray.*"')
    return (
        graph(
            About(
                first,
                "Spans from applications",
                "Spans a second that collectors take, by the ECS service that they belong to. None, though there are "
                "requests: the SDK does not trace or cannot reach its collector; look into the application's log.",
            ),
            [over_time(top(accepted), legend, step=step)],
            source=AMP,
            unit="cps",
            decimals=1,
        ),
        graph(
            About(
                first + 1,
                "Spans to X-Ray",
                "Spans a second that X-Ray takes. Fewer than come from applications, for longer than a few minutes: "
                "they wait in a buffer or are refused, see the dashboard Collector; or tail sampling drops them, as it "
                "was told to.",
            ),
            [over_time(top(sent), legend, step=step)],
            source=AMP,
            unit="cps",
            decimals=1,
        ),
    )
