"""Queries to AMP, CloudWatch and X-Ray, as Grafana's panels hold them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import cloudwatch, prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import cloudwatch as cloudwatch_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import prometheus as prometheus_model

from documents.catalogue import CloudWatchMetric, Label, ServiceMetric, performance_log_group
from documents.dashboards.sources import AMP, CLOUDWATCH, MIXED, XRAY, Source

MOST_SERIES: Final = 10
"""No graph shows more lines than a reader can tell apart."""

Query = Builder[Dataquery]


def top(expr: str) -> str:
    """The highest series of an expression at each moment, as many as a graph can show."""
    return f"topk({MOST_SERIES}, {expr})"


def least(expr: str) -> str:
    """The lowest series of an expression at each moment, as many as a graph can show."""
    return f"bottomk({MOST_SERIES}, {expr})"


def most(expression: str) -> str:
    """The same in CloudWatch's metric math, of an array of series."""
    return f"SORT({expression}, MAX, DESC, {MOST_SERIES})"


def over_time(expr: str, legend: str, *, step: int, ref: str = "A") -> Query:
    """A range query to AMP. `step` in seconds is its shortest step, from which Grafana makes `$__rate_interval`."""
    return _promql(expr, ref).range().legend_format(legend).interval(f"{step}s")


def now(expr: str, *, step: int, legend: str = "", ref: str = "A") -> Query:
    """An instant query to AMP that gives one number for each series."""
    return _promql(expr, ref).instant().legend_format(legend).interval(f"{step}s")


def rows_of(expr: str, *, step: int, ref: str) -> Query:
    """An instant query to AMP that gives a table: one row for each series, its value in the column `Value #<ref>`."""
    return _promql(expr, ref).instant().format(prometheus_model.PromQueryFormat.TABLE).interval(f"{step}s")


def buckets(expr: str, *, step: int, ref: str = "A") -> Query:
    """A range query to AMP over the buckets of a histogram, which Grafana orders by their bounds."""
    asked = _promql(expr, ref).range().format(prometheus_model.PromQueryFormat.HEATMAP)
    return asked.legend_format(f"{{{{{Label.BOUND}}}}}").interval(f"{step}s")


def _promql(expr: str, ref: str) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .expr(expr)
        .ref_id(ref)
        .datasource(reference(AMP))
        .editor_mode(prometheus_model.QueryEditorMode.CODE)
    )


@dataclass(frozen=True)
class CloudWatch:
    """Queries to CloudWatch in one region."""

    region: str

    def metric(
        self,
        metric: CloudWatchMetric | ServiceMetric,
        dimensions: Mapping[str, str],
        label: str,
        *,
        statistic: str = "",
        expression: str = "",
        ref: str = "CloudWatch",
    ) -> tuple[Query, ...]:
        """A metric, one series for each combination of dimension values.

        `expression` is CloudWatch metric math on it, under the name `raw`; the metric itself is hidden then. Variables
        with several values and `*` make Grafana search, so that `raw` is an array of series.
        """
        statistic = statistic or metric.statistic
        asked = (
            self._query(f"{ref}Raw" if expression else ref, statistic)
            .metric_editor_mode(cloudwatch_model.MetricEditorMode.BUILDER)
            .namespace(metric.namespace)
            .metric_name(metric.name)
            .dimensions(dict(dimensions))
            .match_exact(True)
            .label(label)
        )
        if not expression:
            return (asked,)
        computed = (
            self._query(ref, statistic)
            .metric_editor_mode(cloudwatch_model.MetricEditorMode.CODE)
            .expression(expression)
            .label(label)
        )
        return computed, asked.id("raw").hide(True)

    def logs(self, group: str, expression: str, ref: str = "CloudWatch") -> Query:
        """A CloudWatch Logs Insights query over one log group."""
        return self.lines([group], expression, ref)

    def lines(self, groups: Sequence[str], expression: str, ref: str = "CloudWatch") -> Query:
        """A CloudWatch Logs Insights query over several log groups; Grafana does not put variables into their names."""
        return (
            cloudwatch.CloudWatchLogsQuery()
            .query_mode(cloudwatch_model.CloudWatchQueryMode.LOGS)
            .ref_id(ref)
            .datasource(reference(CLOUDWATCH))
            .region(self.region)
            .log_group_names(list(groups))
            .expression(expression)
        )

    def performance(self, expression: str, ref: str = "CloudWatch") -> Query:
        """A CloudWatch Logs Insights query over the performance log events of the cluster."""
        return self.logs(performance_log_group("$cluster"), expression, ref)

    def _query(self, ref: str, statistic: str) -> cloudwatch.CloudWatchMetricsQuery:
        return (
            cloudwatch.CloudWatchMetricsQuery()
            .query_mode(cloudwatch_model.CloudWatchQueryMode.METRICS)
            .metric_query_type(cloudwatch_model.MetricQueryType.SEARCH)
            .ref_id(ref)
            .datasource(reference(CLOUDWATCH))
            .region(self.region)
            .statistic(statistic)
        )


@dataclass(frozen=True)
class ContainerInsights(CloudWatch):
    """Queries to CloudWatch for the services that the template variable `services` holds, in the cluster `$cluster`."""

    services: str


@dataclass(frozen=True)
class XRayQuery(Dataquery):
    """A query to X-Ray, in the words of Grafana's X-Ray plugin (grafana/x-ray-datasource, `XrayQuery`).

    `kind` is its query type, `expression` a filter expression, `columns` the statistics wanted (none: all of them).
    """

    kind: str
    region: str
    expression: str = ""
    columns: tuple[str, ...] = ()
    ref: str = "A"

    def to_json(self) -> dict[str, object]:
        """As Grafana holds it."""
        return {
            "refId": self.ref,
            "datasource": {"type": XRAY.type, "uid": XRAY.uid},
            "queryMode": "X-Ray",
            "queryType": self.kind,
            "query": self.expression,
            "region": self.region,
            # Every group of an account has an ARN of its own; this one is in all of them.
            "group": {"GroupName": "Default", "GroupARN": "default"},
            **({"columns": list(self.columns)} if self.columns else {}),
        }


@dataclass(frozen=True)
class FromXRay(Builder[Dataquery]):
    """An X-Ray query where a panel wants a builder: grafana-foundation-sdk has none for it."""

    query: XRayQuery

    def build(self) -> Dataquery:
        """The query itself."""
        return self.query


def reference(source: Source) -> model.DataSourceRef:
    """A data source as panels and queries name it."""
    return model.DataSourceRef(type_val=source.type, uid=source.uid)


def fed(*, amp: bool, container_insights: bool) -> Source:
    """The data source of a panel whose queries go to AMP, to CloudWatch or to both."""
    if amp and container_insights:
        return MIXED
    return AMP if amp else CLOUDWATCH
