"""The dashboard "Costs": what a month will cost at this rate, and what to drop if that is too much.

Series and spans are counted by our own rules and collectors, in AMP. What AMP itself counts, which is what it bills,
comes from its usage metrics in CloudWatch.
"""

from dataclasses import dataclass
from typing import Final

from documents import catalogue, prices, rules
from documents.alerting.alarms import NEAR
from documents.catalogue import REQUEST_DURATION, AmpDimension, Label, ServiceMetric
from documents.dashboards.folder import COSTS
from documents.dashboards.layout import Line, Row, board, choice, known_one, one_from_amp
from documents.dashboards.model import WORKSPACE, Dashboard
from documents.dashboards.panels import About, Limits, PanelBuilder, bars, column, graph, number, sheet
from documents.dashboards.queries import CloudWatch, Query, now, over_time, rows_of, top
from documents.dashboards.sources import AMP, CLOUDWATCH
from documents.observed import Observed
from documents.volumes import SECONDS_A_MONTH

_IN_CLUSTER: Final = f'{Label.CLUSTER}="$cluster"'
_SERVICE: Final = f"{{{{{Label.SERVICE}}}}}"
_SERIES: Final = f"{rules.SERIES.name}{{{_IN_CLUSTER}}}"

SPANS_IN_A_TRACE: Final = ("2", "4", "8", "16", "32", "64")
"""X-Ray bills traces and collectors count spans: how many make a trace is for the reader to say. The first is what
`make render` assumes of each task of an application."""

# AMP's figures come once a minute, and CloudWatch charges for every query.
_SLOWEST_REFRESH: Final = 300


def dashboard(observed: Observed) -> Dashboard:
    """The dashboard, for the interval and the workspace's limit of a stack."""
    panels = _Panels(observed)
    return board(
        COSTS.uid,
        COSTS.title,
        "Samples, series and spans by who writes them, and what a month of them costs. Prices are estimates.",
        refresh=max(_SLOWEST_REFRESH, observed.interval_seconds),
        shows="6h",
        variables=(
            one_from_amp("cluster", "Cluster", f"{REQUEST_DURATION.name}_count", Label.CLUSTER, observed.cluster),
            choice("spans_in_a_trace", "Spans in a trace", SPANS_IN_A_TRACE),
            known_one("workspace", "AMP workspace", WORKSPACE),
        ),
        rows=(
            Row(
                101,
                "A month at this rate",
                (
                    Line(4, (panels.month_of_samples(), panels.month_of_amp(), panels.series())),
                    Line(4, (panels.month_of_spans(), panels.month_of_xray(), panels.spans_now())),
                ),
            ),
            Row(
                102,
                "Metrics: what to drop",
                (Line(8, (panels.samples(), panels.series_by_service())), Line(11, (panels.metrics(), panels.table()))),
            ),
            Row(103, "Traces", (Line(8, (panels.spans(),)),)),
            Row(
                104,
                "What AMP itself counts",
                (Line(8, (panels.ingested(), panels.active())), Line(8, (panels.discarded(), panels.queried()))),
            ),
        ),
    )


@dataclass(frozen=True)
class _Panels:
    observed: Observed

    def month_of_samples(self) -> PanelBuilder:
        return number(
            About(
                1,
                "Samples a month",
                "If the present series kept their pace for 730 hours. It counts the metrics that this product knows; "
                "what your code measures besides, and what rules record, is in AMP's own figure below. Too many: drop "
                "what the table below puts first, or raise metrics.intervalSeconds.",
            ),
            [now(self._month_of_samples, step=self._step, legend="Samples")],
            source=AMP,
            unit="short",
            decimals=2,
        )

    def month_of_amp(self) -> PanelBuilder:
        return number(
            About(
                2,
                "AMP a month (estimate)",
                "Those samples at the list price of us-east-1: 40 million free, then 0.90 dollars for 10 million. "
                "Storage, queries and your region's price are not in it; the bill is what counts. Above what you "
                "planned: look below for who writes most.",
            ),
            [now(prices.SAMPLES.promql(self._month_of_samples), step=self._step, legend="AMP")],
            source=AMP,
            unit="currencyUSD",
            decimals=2,
        )

    def series(self) -> PanelBuilder:
        return number(
            About(
                3,
                "Series",
                "Series of the metrics that this product knows, in all applications. A jump without more tasks: a "
                "label has taken many values, such as a route with an id in it; find it in the table below and name "
                "the route in the application.",
            ),
            [now(f"sum({_SERIES})", step=self._step, legend="Series")],
            source=AMP,
            unit="short",
            decimals=0,
            judgement=self._series_limit,
        )

    def month_of_spans(self) -> PanelBuilder:
        return number(
            About(
                4,
                "Spans a month",
                "If collectors kept sending to X-Ray at this pace for 730 hours, by their own count after sampling. "
                "Too many: sample fewer requests (tracing in the stack's configuration).",
            ),
            [now(f"{SECONDS_A_MONTH} * {self._spans_in_all}", step=self._step, legend="Spans")],
            source=AMP,
            unit="short",
            decimals=2,
        )

    def month_of_xray(self) -> PanelBuilder:
        traces = f"{SECONDS_A_MONTH} * {self._spans_in_all} / $spans_in_a_trace"
        return number(
            About(
                5,
                "X-Ray a month (estimate)",
                "X-Ray bills traces and collectors count spans: choose above how many spans a trace of yours has, as "
                "the dashboard Traces shows them. Price: 100,000 traces free, then 5 dollars a million; reading traces "
                "is extra. Above what you planned: sample fewer requests.",
            ),
            [now(prices.TRACES.promql(traces), step=self._step, legend="X-Ray")],
            source=AMP,
            unit="currencyUSD",
            decimals=2,
        )

    def spans_now(self) -> PanelBuilder:
        return number(
            About(
                6,
                "Spans a second",
                "What collectors send to X-Ray at this moment. Far above the request rate: an application makes a span "
                "for each small step; turn off the instrumentation that nobody reads.",
            ),
            [now(self._spans_in_all, step=self._step, legend="Spans")],
            source=AMP,
            unit="cps",
            decimals=1,
        )

    def samples(self) -> PanelBuilder:
        rate = f"sum by ({Label.SERVICE}) ({_SERIES}) / {self._step}"
        return graph(
            About(
                7,
                "Samples a second by application",
                "Active series by the interval at which they are shipped, the ten that write most. One that climbs "
                "with every deployment or hour: a label without limit; look for it in the table below. Steps with the "
                "number of tasks are as they should be.",
            ),
            [over_time(top(rate), _SERVICE, step=self._step)],
            source=AMP,
            unit="cps",
            decimals=2,
        )

    def series_by_service(self) -> PanelBuilder:
        return graph(
            About(
                8,
                "Series by application",
                "Active series, the ten applications with the most; `collector` is what collectors of the service "
                "pattern say of themselves. A line that only climbs: a label without limit; find its metric on the "
                "right and cut the label in the application.",
            ),
            [over_time(top(f"sum by ({Label.SERVICE}) ({_SERIES})"), _SERVICE, step=self._step)],
            source=AMP,
            unit="short",
            decimals=0,
        )

    def metrics(self) -> PanelBuilder:
        return bars(
            About(
                9,
                "Series by metric",
                "The ten metrics with the most series, of all applications. The histogram of requests is the first "
                "as a rule, with 17 series for each route, method and status of a task. Another one first: ask who "
                "reads it, and drop it if nobody does.",
            ),
            [now(top(f"sum by ({Label.METRIC}) ({_SERIES})"), step=self._step, legend=f"{{{{{Label.METRIC}}}}}")],
            source=AMP,
            unit="short",
            decimals=0,
        )

    def table(self) -> PanelBuilder:
        series = f"sum by ({Label.SERVICE}, {Label.METRIC}) ({_SERIES})"
        month = f"{series} * {SECONDS_A_MONTH} / {self._step}"
        return sheet(
            About(
                10,
                "What each metric costs",
                "Each metric of each application, the dearest first: its series, their samples in a month, and what "
                "these cost beyond the free 40 million. Begin at the top: a metric that no panel and no alert of yours "
                "asks for can go (collector.additions in the stack's configuration can drop it).",
            ),
            [
                rows_of(series, step=self._step, ref="A"),
                rows_of(month, step=self._step, ref="B"),
                rows_of(f"{month} * {prices.SAMPLES.per_million:g} / 1000000", step=self._step, ref="C"),
            ],
            source=AMP,
            names={
                Label.SERVICE: "Application",
                Label.METRIC: "Metric",
                "Value #A": "Series",
                "Value #B": "Samples a month",
                "Value #C": "A month",
            },
            columns=(
                column("Series", "short", 0),
                column("Samples a month", "short", 2),
                column("A month", "currencyUSD", 3),
            ),
            sort_by="Series",
        )

    def spans(self) -> PanelBuilder:
        return graph(
            About(
                11,
                "Spans a second by sender",
                "What collectors send to X-Ray after sampling, the ten that send most; in the service pattern all of "
                "it is sent by `collector`. A jump without more requests: new instrumentation, or sampling was turned "
                "off; compare with the request rate on the dashboard Application.",
            ),
            [over_time(top(f"sum by ({Label.SERVICE}) ({_SENT})"), _SERVICE, step=self._step)],
            source=AMP,
            unit="cps",
            decimals=2,
        )

    def ingested(self) -> PanelBuilder:
        return graph(
            About(
                12,
                "Samples a second, as AMP counts",
                "What the workspace takes in, and what it bills. Much more than the applications above together: "
                "somebody else writes here, or your code measures what this product does not know; ask AMP for its "
                "largest metrics. Nothing: ingestion has stopped, look at the dashboard Collector.",
            ),
            self._usage(catalogue.AMP_INGESTION_RATE, "Ingested"),
            source=CLOUDWATCH,
            unit="cps",
            decimals=1,
        )

    def active(self) -> PanelBuilder:
        return graph(
            About(
                13,
                "Active series, as AMP counts",
                "Series that had a sample in the last two hours, against the workspace's limit. At the limit AMP "
                "refuses new series: raise metrics.maxSeries, ask AWS for a larger quota, or drop what the table above "
                "puts first.",
            ),
            self._usage(catalogue.AMP_ACTIVE_SERIES, "Active"),
            source=CLOUDWATCH,
            unit="short",
            decimals=0,
            judgement=self._series_limit,
        )

    def discarded(self) -> PanelBuilder:
        dimensions = {AmpDimension.WORKSPACE: "$workspace", AmpDimension.REASON: "*"}
        reason = f"${{PROP('Dim.{AmpDimension.REASON}')}}"
        return graph(
            About(
                14,
                "Samples rejected, by reason",
                "Samples that AMP threw away in each period; no line is good. per_user_series_limit: the limit of "
                "series is reached. sample-out-of-order or new-value-for-timestamp: two writers share an identity; "
                "look at the dashboard Collector. rate_limited: too much at once, ask AWS for a larger quota.",
            ),
            self._cloudwatch.metric(catalogue.AMP_DISCARDED_SAMPLES, dimensions, reason),
            source=CLOUDWATCH,
            unit="short",
            decimals=0,
            judgement=Limits(warning=1, bad=1000),
        )

    def queried(self) -> PanelBuilder:
        dimensions = {AmpDimension.WORKSPACE: "$workspace"}
        return graph(
            About(
                15,
                "Samples read by queries",
                "What rules and dashboards read in each period; AMP bills it beyond a free amount. A rise without new "
                "rules: a dashboard over a long time that refreshes often; refresh it less, or record what it asks.",
            ),
            self._cloudwatch.metric(catalogue.AMP_QUERY_SAMPLES, dimensions, "Read"),
            source=CLOUDWATCH,
            unit="short",
            decimals=1,
        )

    def _usage(self, metric: ServiceMetric, label: str) -> tuple[Query, ...]:
        return self._cloudwatch.metric(
            metric, {**dict(metric.dimensions), AmpDimension.RESOURCE_ID: "$workspace"}, label
        )

    @property
    def _cloudwatch(self) -> CloudWatch:
        return CloudWatch(self.observed.region)

    @property
    def _series_limit(self) -> Limits:
        """Yellow where the alarm on the limit stands."""
        most = self.observed.max_series or catalogue.AMP_MOST_SERIES
        return Limits(warning=NEAR * most, bad=most)

    @property
    def _month_of_samples(self) -> str:
        return f"sum({_SERIES}) * {SECONDS_A_MONTH} / {self._step}"

    @property
    def _spans_in_all(self) -> str:
        return f"sum({_SENT})"

    @property
    def _step(self) -> int:
        return self.observed.interval_seconds


_SENT: Final = f'rate({catalogue.SENT_SPANS.name}{{{_IN_CLUSTER}, {Label.EXPORTER}=~".*xray.*"}}[$__rate_interval])'
