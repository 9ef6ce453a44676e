"""Panels, queries and variables in a few readable lines, and the grid that they stand on.

Everything is built with grafana-foundation-sdk for Grafana 11.6's classic schema, which later versions read.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import cloudwatch, common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import cloudwatch as cloudwatch_model
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import prometheus as prometheus_model

from documents.catalogue import CONTAINER_INSIGHTS, CloudWatchMetric, performance_log_group
from documents.dashboards.model import Dashboard
from documents.dashboards.sources import AMP, CLOUDWATCH, MIXED, Source

WIDTH: Final = 24
MOST_SERIES: Final = 10
"""No graph shows more lines than a reader can tell apart."""

Query = Builder[Dataquery]
Column = tuple[str, Sequence[model.DynamicConfigValue]]


PanelBuilder = timeseries.Panel | stat.Panel | table.Panel


def top(expr: str) -> str:
    """The highest series of an expression at each moment, as many as a graph can show."""
    return f"topk({MOST_SERIES}, {expr})"


# Queries


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


# Panels


@dataclass(frozen=True)
class Limits:
    """From `warning` on a value is doubtful, from `bad` on it is bad."""

    warning: float
    bad: float

    @property
    def steps(self) -> list[model.Threshold]:
        """The steps as Grafana has them; None stands for minus infinity."""
        return [
            model.Threshold(value=None, color="green"),
            model.Threshold(value=self.warning, color="yellow"),
            model.Threshold(value=self.bad, color="red"),
        ]


@dataclass(frozen=True)
class AtLeast:
    """Below `least` a value is bad."""

    least: float

    @property
    def steps(self) -> list[model.Threshold]:
        """The steps as Grafana has them."""
        return [model.Threshold(value=None, color="red"), model.Threshold(value=self.least, color="green")]


@dataclass(frozen=True)
class Neutral:
    """No value is better than another."""

    @property
    def steps(self) -> list[model.Threshold]:
        """One colour for all."""
        return [model.Threshold(value=None, color="blue")]


Judgement = Limits | AtLeast | Neutral


@dataclass(frozen=True)
class About:
    """What stands on every panel: its stable id, its title, what its values mean and what to do about bad ones."""

    id: int
    title: str
    description: str


def graph(
    about: About,
    queries: Iterable[Query],
    *,
    source: Source,
    unit: str,
    decimals: int,
    judgement: Judgement = Neutral(),
) -> PanelBuilder:
    """Lines over time, from zero up, with the limits as dashed lines."""
    panel = (
        timeseries.Panel()
        .id(about.id)
        .title(about.title)
        .description(about.description)
        .datasource(reference(source))
        .targets(list(queries))
        .unit(unit)
        .decimals(decimals)
        .min(0)
        .thresholds(grafana.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(judgement.steps))
        .color_scheme(grafana.FieldColor().mode(model.FieldColorModeId.PALETTE_CLASSIC))
        .line_width(1)
        .fill_opacity(10)
        .show_points(common_model.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(common_model.LegendDisplayMode.TABLE)
            .placement(common_model.LegendPlacement.BOTTOM)
            .calcs(["lastNotNull", "max"])
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(common_model.TooltipDisplayMode.MULTI)
            .sort(common_model.SortOrder.DESCENDING)
        )
    )
    if isinstance(judgement, Neutral):
        return panel
    return panel.thresholds_style(
        common.GraphThresholdsStyleConfig().mode(common_model.GraphThresholdsStyleMode.DASHED)
    )


def number(
    about: About,
    queries: Iterable[Query],
    *,
    source: Source,
    unit: str,
    decimals: int,
    judgement: Judgement = Neutral(),
) -> PanelBuilder:
    """One number as it is now; one for each series where a query gives several."""
    return (
        stat.Panel()
        .id(about.id)
        .title(about.title)
        .description(about.description)
        .datasource(reference(source))
        .targets(list(queries))
        .unit(unit)
        .decimals(decimals)
        .thresholds(grafana.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(judgement.steps))
        .color_scheme(grafana.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .color_mode(common_model.BigValueColorMode.VALUE)
        .graph_mode(common_model.BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
    )


def sheet(
    about: About,
    queries: Iterable[Query],
    *,
    source: Source,
    names: Mapping[str, str],
    columns: Sequence[Column],
    sort_by: str,
    hidden: Sequence[str] = (),
) -> PanelBuilder:
    """A table: the rows of all queries joined by the columns that they share.

    `names` renames fields to columns and gives their order, `hidden` are fields left out; `columns` holds what is
    special about a column.
    """
    order = {title: index for index, title in enumerate(dict.fromkeys(names.values()))}
    panel = (
        table.Panel()
        .id(about.id)
        .title(about.title)
        .description(about.description)
        .datasource(reference(source))
        .targets(list(queries))
        .unit("none")
        .thresholds(grafana.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(Neutral().steps))
        .filterable(True)
        .show_header(True)
        .sort_by([common.TableSortByFieldState().display_name(sort_by).desc(True)])
        # Renamed before they are merged: what is called the same in both back ends then is one column.
        .with_transformation(
            model.DataTransformerConfig(
                id_val="organize",
                options={
                    "excludeByName": dict.fromkeys(("Time", *hidden), True),
                    "renameByName": dict(names),
                },
            )
        )
        .with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(model.DataTransformerConfig(id_val="organize", options={"indexByName": order}))
    )
    for name, properties in columns:
        panel = panel.override_by_name(name, list(properties))
    return panel


def column(name: str, unit: str, decimals: int, judgement: Judgement | None = None) -> Column:
    """How the numbers of a table's column look; limits colour the number itself."""
    properties = [model.DynamicConfigValue("unit", unit), model.DynamicConfigValue("decimals", decimals)]
    if judgement is not None:
        properties += [
            model.DynamicConfigValue("thresholds", {"mode": "absolute", "steps": judgement.steps}),
            model.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
        ]
    return name, tuple(properties)


def linked(name: str, links: Mapping[str, str]) -> Column:
    """A table's column whose cells lead elsewhere: title and URL of each link."""
    value = [{"title": title, "url": url, "targetBlank": True} for title, url in links.items()]
    return name, (model.DynamicConfigValue("links", value),)


# Layout


@dataclass(frozen=True)
class Line:
    """Panels side by side, of one height, sharing the width evenly."""

    height: int
    panels: tuple[PanelBuilder, ...]


@dataclass(frozen=True)
class Row:
    """A titled row with its lines of panels. `id` shares its numbers with the panels."""

    id: int
    title: str
    lines: tuple[Line, ...]


Variable = Builder[model.VariableModel]


def from_amp(name: str, label: str, metric: str, value_of: str, matchers: str) -> Variable:
    """A variable with several values: those of the label `value_of` on one metric."""
    query = f"label_values({metric}{{{matchers}}}, {value_of})"
    return (
        grafana.QueryVariable(name)
        .label(label)
        .datasource(reference(AMP))
        .query({"query": query, "refId": name})
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(_ALL)
    )


def one_from_amp(name: str, label: str, metric: str, value_of: str, current: str) -> Variable:
    """A variable with one value out of those of the label `value_of` on one metric."""
    return (
        grafana.QueryVariable(name)
        .label(label)
        .datasource(reference(AMP))
        .query({"query": f"label_values({metric}, {value_of})", "refId": name})
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .current(model.VariableOption(selected=True, text=current, value=current))
    )


def known(name: str, label: str, values: Sequence[str]) -> Variable:
    """A variable with several values out of those known when the dashboard is made; nothing is asked for them."""
    return (
        grafana.CustomVariable(name).label(label).values(",".join(values)).multi(True).include_all(True).current(_ALL)
    )


def known_one(name: str, label: str, value: str) -> Variable:
    """A variable with the one value that there is."""
    current = model.VariableOption(selected=True, text=value, value=value)
    return grafana.CustomVariable(name).label(label).values(value).current(current)


_ALL: Final = model.VariableOption(selected=True, text=["All"], value=["$__all"])


def board(
    uid: str,
    title: str,
    description: str,
    *,
    refresh: int,
    variables: Sequence[Variable],
    others: Mapping[str, str],
    rows: Sequence[Row],
) -> Dashboard:
    """The dashboard with its rows from top to bottom.

    `refresh` in seconds is how often Grafana asks again; `others` are uid and title of the dashboards that it links to.
    """
    made = (
        grafana.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["ecs-observability"])
        .readonly()
        .timezone("browser")
        .time("now-1h", "now")
        .refresh(_duration(refresh))
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .annotations([])
        .variables(list(variables))
        .links(
            [
                grafana.DashboardLink(other_title)
                .type(model.DashboardLinkType.LINK)
                .url(f"/d/{other}")
                .icon("dashboard")
                .keep_time(True)
                .include_vars(True)
                for other, other_title in others.items()
            ]
        )
    )
    y = 0
    for row in rows:
        made = made.with_row(grafana.Row(row.title).id(row.id).grid_pos(model.GridPos(h=1, w=WIDTH, x=0, y=y)))
        y += 1
        for line in row.lines:
            width = WIDTH // len(line.panels)
            for index, panel in enumerate(line.panels):
                made = made.with_panel(panel.grid_pos(model.GridPos(h=line.height, w=width, x=index * width, y=y)))
            y += line.height
    data: dict[str, Any] = json.loads(JSONEncoder().encode(made.build()))
    for panel in data["panels"]:
        if panel.get("options", ...) is None:
            del panel["options"]
    return Dashboard(uid, title, canonical(data))


def canonical(document: Mapping[str, Any]) -> str:
    """A dashboard's text: the same bytes for the same dashboard."""
    return json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def _duration(seconds: int) -> str:
    return f"{seconds // 60}m" if seconds % 60 == 0 else f"{seconds}s"
