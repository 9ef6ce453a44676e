"""Panels in a few readable lines, each with its meaning.

Everything is built with grafana-foundation-sdk for Grafana 11.6's classic schema, which later versions read.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    heatmap,
    logs,
    nodegraph,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model

from documents.dashboards.queries import Query, reference
from documents.dashboards.sources import Source

Column = tuple[str, Sequence[model.DynamicConfigValue]]

PanelBuilder = (
    timeseries.Panel
    | stat.Panel
    | table.Panel
    | bargauge.Panel
    | statetimeline.Panel
    | heatmap.Panel
    | nodegraph.Panel
    | logs.Panel
)

Drawn = TypeVar("Drawn", bound=PanelBuilder)


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
class Left:
    """Of what is used up: below `scarce` it has to last, at 0 it is gone."""

    scarce: float

    @property
    def steps(self) -> list[model.Threshold]:
        """The steps as Grafana has them."""
        return [
            model.Threshold(value=None, color="red"),
            model.Threshold(value=0, color="yellow"),
            model.Threshold(value=self.scarce, color="green"),
        ]


@dataclass(frozen=True)
class Neutral:
    """No value is better than another."""

    @property
    def steps(self) -> list[model.Threshold]:
        """One colour for all."""
        return [model.Threshold(value=None, color="blue")]


Judgement = Limits | AtLeast | Left | Neutral


@dataclass(frozen=True)
class State:
    """What a value stands for, in words and in colour."""

    value: int
    text: str
    color: str


@dataclass(frozen=True)
class About:
    """What stands on every panel: its stable id, its title, what its values mean and what to do about bad ones."""

    id: int
    title: str
    description: str


def _about(panel: Drawn, about: About, queries: Iterable[Query], source: Source) -> Drawn:
    """The panel with what each has, whatever draws it."""
    return (
        panel.id(about.id)
        .title(about.title)
        .description(about.description)
        .datasource(reference(source))
        .targets(list(queries))
    )


def _steps(judgement: Judgement) -> grafana.ThresholdsConfig:
    return grafana.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(judgement.steps)


Now = TypeVar("Now", stat.Panel, bargauge.Panel)


def _as_now(panel: Now, judgement: Judgement) -> Now:
    """The panel with the last value of each series, in the colour that the value deserves."""
    return (
        panel.thresholds(_steps(judgement))
        .color_scheme(grafana.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(False))
    )


def graph(
    about: About,
    queries: Iterable[Query],
    *,
    source: Source,
    unit: str,
    decimals: int,
    judgement: Judgement = Neutral(),
) -> PanelBuilder:
    """Lines over time, from zero up (below it only for what can be overdrawn), with the limits as dashed lines."""
    panel = (
        _about(timeseries.Panel(), about, queries, source)
        .unit(unit)
        .decimals(decimals)
        .thresholds(_steps(judgement))
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
    panel = panel.axis_soft_min(0) if isinstance(judgement, Left) else panel.min(0)
    if isinstance(judgement, Neutral):
        return panel
    return panel.thresholds_style(
        common.GraphThresholdsStyleConfig().mode(common_model.GraphThresholdsStyleMode.DASHED)
    )


def leading(panel: PanelBuilder, links: Mapping[str, str]) -> PanelBuilder:
    """A panel whose values lead elsewhere: title and URL of each link."""
    return panel.data_links([grafana.DashboardLink(title).url(url) for title, url in links.items()])


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
        _as_now(_about(stat.Panel(), about, queries, source), judgement)
        .unit(unit)
        .decimals(decimals)
        .color_mode(common_model.BigValueColorMode.VALUE)
        .graph_mode(common_model.BigValueGraphMode.NONE)
    )


def bars(
    about: About,
    queries: Iterable[Query],
    *,
    source: Source,
    unit: str,
    decimals: int,
    judgement: Judgement = Neutral(),
) -> PanelBuilder:
    """A bar for each series as it is now, the longest first where the query sorts them."""
    return (
        _as_now(_about(bargauge.Panel(), about, queries, source), judgement)
        .unit(unit)
        .decimals(decimals)
        .min(0)
        .orientation(common_model.VizOrientation.HORIZONTAL)
        .display_mode(common_model.BarGaugeDisplayMode.BASIC)
    )


def timeline(about: About, queries: Iterable[Query], *, source: Source, states: Sequence[State]) -> PanelBuilder:
    """A band for each series, coloured by its state; nothing where it has none."""
    return (
        _about(statetimeline.Panel(), about, queries, source)
        .unit("none")
        .decimals(0)
        .mappings([model.ValueMap(options=_options(states))])
        .thresholds(_steps(Neutral()))
        .merge_values(True)
        .show_value(common_model.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(common_model.LegendDisplayMode.LIST)
            .placement(common_model.LegendPlacement.BOTTOM)
        )
    )


def _options(states: Sequence[State]) -> dict[str, model.ValueMappingResult]:
    return {
        str(state.value): model.ValueMappingResult(text=state.text, color=state.color, index=index)
        for index, state in enumerate(states)
    }


def density(about: About, queries: Iterable[Query], *, source: Source, unit: str, decimals: int) -> PanelBuilder:
    """A heatmap of buckets: how many values in each, over time. `unit` is that of the bounds."""
    return (
        _about(heatmap.Panel(), about, queries, source)
        .unit(unit)
        .decimals(decimals)
        .thresholds(_steps(Neutral()))
        # The buckets have been counted already: Grafana shall not count again.
        .calculate(False)
        .y_axis(heatmap.YAxisConfig().unit(unit).decimals(decimals))
        .color(heatmap.HeatmapColorOptions().scheme("Blues").exponent(0.5).steps(64))
        .cell_gap(1)
    )


def graph_of_nodes(about: About, queries: Iterable[Query], *, source: Source) -> PanelBuilder:
    """Nodes and the edges between them, as the data source gives them."""
    return _about(nodegraph.Panel(), about, queries, source)


def log(about: About, queries: Iterable[Query], *, source: Source) -> PanelBuilder:
    """Log lines, the newest first, with their fields a click away."""
    return (
        _about(logs.Panel(), about, queries, source)
        .show_time(True)
        .wrap_log_message(True)
        .enable_log_details(True)
        .sort_order(common_model.LogsSortOrder.DESCENDING)
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
        _about(table.Panel(), about, queries, source)
        .unit("none")
        .thresholds(_steps(Neutral()))
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


def stated(name: str, states: Sequence[State]) -> Column:
    """A table's column whose numbers stand for states: their words, on their colours."""
    mapping = {"type": "value", "options": {key: option.to_json() for key, option in _options(states).items()}}
    return name, (
        model.DynamicConfigValue("mappings", [mapping]),
        model.DynamicConfigValue("custom.cellOptions", {"type": "color-background"}),
        model.DynamicConfigValue("custom.width", 110),
    )


def linked(name: str, links: Mapping[str, str], *, aside: bool = True) -> Column:
    """A table's column whose cells lead elsewhere: title and URL of each link, `aside` in a tab of its own."""
    value = [{"title": title, "url": url, "targetBlank": aside} for title, url in links.items()]
    return name, (model.DynamicConfigValue("links", value),)
