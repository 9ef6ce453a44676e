"""Queries to AMP and CloudWatch, as Grafana's panels hold them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import cloudwatch, prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import cloudwatch as cloudwatch_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import prometheus as prometheus_model

from documents.catalogue import CONTAINER_INSIGHTS, CloudWatchMetric, performance_log_group
from documents.dashboards.sources import AMP, CLOUDWATCH, MIXED, Source

MOST_SERIES: Final = 10
"""No graph shows more lines than a reader can tell apart."""

Query = Builder[Dataquery]


def top(expr: str) -> str:
    """The highest series of an expression at each moment, as many as a graph can show."""
    return f"topk({MOST_SERIES}, {expr})"


def over_time(expr: str, legend: str, *, step: int, ref: str = "A") -> Query:
    """A range query to AMP. `step` in seconds is its shortest step, from which Grafana makes `$__rate_interval`."""
    return _promql(expr, ref).range().legend_format(legend).interval(f"{step}s")


def now(expr: str, *, step: int, legend: str = "", ref: str = "A") -> Query:
    """An instant query to AMP that gives one number for each series."""
    return _promql(expr, ref).instant().legend_format(legend).interval(f"{step}s")


def rows_of(expr: str, *, step: int, ref: str) -> Query:
    """An instant query to AMP that gives a table: one row for each series, its value in the column `Value #<ref>`."""
    return _promql(expr, ref).instant().format(prometheus_model.PromQueryFormat.TABLE).interval(f"{step}s")


def _promql(expr: str, ref: str) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .expr(expr)
        .ref_id(ref)
        .datasource(reference(AMP))
        .editor_mode(prometheus_model.QueryEditorMode.CODE)
    )


@dataclass(frozen=True)
class ContainerInsights:
    """Queries to CloudWatch for the services that the template variable `services` holds, in the cluster `$cluster`."""

    region: str
    services: str

    def metric(
        self,
        metric: CloudWatchMetric,
        dimensions: Mapping[str, str],
        label: str,
        *,
        statistic: str = "",
        expression: str = "",
    ) -> tuple[Query, ...]:
        """A metric, one series for each combination of dimension values.

        `expression` is CloudWatch metric math on it, under the name `raw`; the metric itself is hidden then. Variables
        with several values and `*` make Grafana search, so that `raw` is an array of series.
        """
        statistic = statistic or metric.statistic
        asked = (
            self._query("CloudWatchRaw" if expression else "CloudWatch", statistic)
            .metric_editor_mode(cloudwatch_model.MetricEditorMode.BUILDER)
            .namespace(CONTAINER_INSIGHTS)
            .metric_name(metric.name)
            .dimensions(dict(dimensions))
            .match_exact(True)
            .label(label)
        )
        if not expression:
            return (asked,)
        computed = (
            self._query("CloudWatch", statistic)
            .metric_editor_mode(cloudwatch_model.MetricEditorMode.CODE)
            .expression(expression)
            .label(label)
        )
        return computed, asked.id("raw").hide(True)

    def logs(self, expression: str) -> Query:
        """A CloudWatch Logs Insights query over the performance log events of the cluster."""
        return (
            cloudwatch.CloudWatchLogsQuery()
            .query_mode(cloudwatch_model.CloudWatchQueryMode.LOGS)
            .ref_id("CloudWatch")
            .datasource(reference(CLOUDWATCH))
            .region(self.region)
            .log_group_names([performance_log_group("$cluster")])
            .expression(expression)
        )

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


def reference(source: Source) -> model.DataSourceRef:
    """A data source as panels and queries name it."""
    return model.DataSourceRef(type_val=source.type, uid=source.uid)


def fed(*, amp: bool, container_insights: bool) -> Source:
    """The data source of a panel whose queries go to AMP, to CloudWatch or to both."""
    if amp and container_insights:
        return MIXED
    return AMP if amp else CLOUDWATCH
