"""Rows, variables and links: the grid that panels stand on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from documents.dashboards.model import Dashboard
from documents.dashboards.panels import PanelBuilder
from documents.dashboards.queries import reference
from documents.dashboards.sources import AMP

WIDTH: Final = 24


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
