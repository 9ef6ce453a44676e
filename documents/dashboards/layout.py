"""Rows, variables and links: the grid that panels stand on."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from documents.dashboards import folder
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
    closed: bool = False
    """Its panels ask nothing until somebody opens it."""


@dataclass(frozen=True)
class Annotation:
    """Marks in every graph wherever a query to AMP has a value. `text` may name labels as `{{label}}`, `step` in
    seconds lies between two points."""

    name: str
    expr: str
    text: str
    step: int

    @property
    def json(self) -> dict[str, Any]:
        """As Grafana's Prometheus data source reads it; grafana-foundation-sdk has no builder for its target."""
        return {
            "name": self.name,
            "datasource": {"type": AMP.type, "uid": AMP.uid},
            "enable": True,
            "iconColor": "blue",
            "target": {"refId": "Annotation", "expr": self.expr, "interval": f"{self.step}s"},
            "titleFormat": self.name,
            "textFormat": self.text,
        }


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


def behind(name: str, query: str, regex: str, *, several: bool) -> Variable:
    """A variable that nobody sees: what `regex` takes out of the answers to a query, which names other variables."""
    made = (
        grafana.QueryVariable(name)
        .hide(model.VariableHide.HIDE_VARIABLE)
        .datasource(reference(AMP))
        .query({"query": query, "refId": name})
        .regex(f"/{regex}/")
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
    )
    # Without a text of its own for "All" it stands for the values that there are, which others have narrowed.
    return made.multi(True).include_all(True).current(_ALL) if several else made


def text(name: str, label: str) -> Variable:
    """A variable that somebody types, or a link sets; empty at first."""
    empty = model.VariableOption(selected=True, text="", value="")
    return grafana.TextBoxVariable(name).label(label).default_value("").current(empty)


def choice(name: str, label: str, values: Sequence[str]) -> Variable:
    """A variable with one value out of a few, the first of them at first."""
    first = model.VariableOption(selected=True, text=values[0], value=values[0])
    return grafana.CustomVariable(name).label(label).values(",".join(values)).current(first)


def known(name: str, label: str, values: Sequence[str]) -> Variable:
    """A variable with several values out of those known when the dashboard is made; nothing is asked for them."""
    return (
        grafana.CustomVariable(name).label(label).values(",".join(values)).multi(True).include_all(True).current(_ALL)
    )


def known_one(name: str, label: str, value: str) -> Variable:
    """A variable with the one value that there is."""
    return choice(name, label, [value])


_ALL: Final = model.VariableOption(selected=True, text=["All"], value=["$__all"])


def board(
    uid: str,
    title: str,
    description: str,
    *,
    refresh: int | None,
    variables: Sequence[Variable],
    rows: Sequence[Row],
    annotations: Sequence[Annotation] = (),
    shows: str = "1h",
) -> Dashboard:
    """The dashboard with its rows from top to bottom, and links to all others of the folder.

    `refresh` in seconds is how often Grafana asks again, None where it waits to be told; `shows` is the time up to now
    that it opens with.
    """
    made = (
        grafana.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["ecs-observability"])
        .readonly()
        .timezone("browser")
        .time(f"now-{shows}", "now")
        .refresh(_duration(refresh) if refresh else "")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .annotations([])
        .variables(list(variables))
        .links(
            [
                grafana.DashboardLink(other.title)
                .type(model.DashboardLinkType.LINK)
                .url(other.path)
                .icon("dashboard")
                .keep_time(True)
                .include_vars(True)
                for other in folder.others(uid)
            ]
        )
    )
    y = 0
    for row in rows:
        head = grafana.Row(row.title).id(row.id).grid_pos(model.GridPos(h=1, w=WIDTH, x=0, y=y))
        y += 1
        placed = list(_placed(row, y))
        if row.closed:
            for panel in placed:
                head = head.with_panel(panel)
            made = made.with_row(head)
            continue
        made = made.with_row(head)
        for panel in placed:
            made = made.with_panel(panel)
        y += sum(line.height for line in row.lines)
    data: dict[str, Any] = json.loads(JSONEncoder().encode(made.build()))
    data["annotations"] = {"list": [annotation.json for annotation in annotations]}
    for panel in (inner for outer in data["panels"] for inner in (outer, *outer.get("panels", ()))):
        if panel.get("options", ...) is None:
            del panel["options"]
    return Dashboard(uid, title, canonical(data))


def _placed(row: Row, y: int) -> Iterator[PanelBuilder]:
    """The panels of a row, the first of them `y` units from the top."""
    for line in row.lines:
        width = WIDTH // len(line.panels)
        for index, panel in enumerate(line.panels):
            yield panel.grid_pos(model.GridPos(h=line.height, w=width, x=index * width, y=y))
        y += line.height


def canonical(document: Mapping[str, Any]) -> str:
    """A dashboard's text: the same bytes for the same dashboard."""
    return json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def _duration(seconds: int) -> str:
    return f"{seconds // 60}m" if seconds % 60 == 0 else f"{seconds}s"
