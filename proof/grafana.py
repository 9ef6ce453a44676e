"""What Grafana does to a dashboard before a data source sees a query: panels, targets, variables, units.

After Grafana 11's Prometheus data source (`grafana-prometheus`, `interpolateQueryExpr` and `calculateRateInterval`) and
its template variables. Times are compressed: a deployment samples once a minute, a proof every two seconds, and what
Grafana derives from the distance of samples shrinks with it. Windows that a query states itself stay what they are.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from documents.dashboards.sources import AMP, CLOUDWATCH, XRAY, Source, source_of
from proof.prometheus import Prometheus, Span
from proof.truth import Window

Json = Mapping[str, Any]

ALL: Final = "$__all"

_DURATION: Final = re.compile(r">?([0-9.]+)(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

_VARIABLE: Final = re.compile(r"\$(\w+)|\[\[(\w+)(?::(\w+))?\]\]|\$\{(\w+)(?:\.\w+)?(?::(\w+))?\}")

_UNITS: Final[Mapping[str, float]] = {
    "percent": 0.01,
    "kbytes": 2**10,
    "mbytes": 2**20,
    "gbytes": 2**30,
    "deckbytes": 1e3,
    "decmbytes": 1e6,
    "decgbytes": 1e9,
    "KBs": 1e3,
    "MBs": 1e6,
    "KiBs": 2**10,
    "MiBs": 2**20,
    "ms": 1e-3,
    "µs": 1e-6,
    "ns": 1e-9,
    "m": 60.0,
    "reqpm": 1 / 60,
}
"""What one of a Grafana unit is in the base unit of its quantity: ratio, byte, second, per second. All others are 1."""


@dataclass(frozen=True)
class Target:
    """One query of a panel. `source` is None where it goes to none of our data sources.

    `unit` is Grafana's, `step` in seconds.
    """

    ref: str
    source: Source | None
    expr: str
    instant: bool
    legend: str
    step: float
    hidden: bool
    unit: str
    raw: Json

    @property
    def scale(self) -> float:
        """The factor from the displayed unit to the base unit."""
        return _UNITS.get(self.unit, 1.0)


@dataclass(frozen=True)
class Grid:
    """Place of a panel on the 24 columns of a dashboard."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Panel:
    """One panel that shows data. `row` is the title of the row above it.

    `renamed` are the names that a table gives to labels and values, in their order; what is in `hidden` it leaves out.
    """

    title: str
    type: str
    description: str
    row: str
    grid: Grid
    targets: tuple[Target, ...]
    renamed: Mapping[str, str]
    hidden: frozenset[str]


@dataclass(frozen=True)
class Variable:
    """One template variable. `fixed` holds its values where nothing is asked for them."""

    name: str
    kind: str
    query: str
    source: Source | None
    several: bool
    all_value: str
    current: tuple[str, ...]
    fixed: tuple[str, ...]
    regex: str


@dataclass(frozen=True)
class Dashboard:
    """One dashboard as a proof needs it."""

    uid: str
    title: str
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...]
    annotations: tuple[Panel, ...] = ()
    """Marks in all graphs, as panels without a place."""


def read(document: Json, scrape_seconds: float) -> Dashboard:
    """A dashboard's JSON. `scrape_seconds` is the data source's own step, for targets that state none."""
    variables: Sequence[Json] = document.get("templating", {}).get("list", ())
    return Dashboard(
        uid=str(document["uid"]),
        title=str(document["title"]),
        panels=tuple(_panels(document.get("panels", ()), scrape_seconds)),
        variables=tuple(_variable(one) for one in variables),
        annotations=tuple(_annotations(document.get("annotations", {}).get("list", ()), scrape_seconds)),
    )


def _panels(documents: Sequence[Json], scrape_seconds: float) -> Iterator[Panel]:
    row = ""
    for document in documents:
        if document.get("type") == "row":
            row = str(document.get("title", ""))
            # A collapsed row holds its panels; an open one is followed by them.
            yield from (_panel(inner, row, scrape_seconds) for inner in document.get("panels") or ())
        elif document.get("targets"):
            yield _panel(document, row, scrape_seconds)


def _annotations(documents: Sequence[Json], scrape_seconds: float) -> Iterator[Panel]:
    """Those that ask a data source; Grafana's own, which people write by hand, have no target."""
    for document in documents:
        if document.get("target", {}).get("expr"):
            title = f"annotation {document['name']}"
            asked = {"type": "annotation", "title": title, "targets": [document["target"]]}
            yield _panel({**asked, "datasource": document.get("datasource")}, "", scrape_seconds)


def _panel(document: Json, row: str, scrape_seconds: float) -> Panel:
    place: Json = document.get("gridPos", {})
    return Panel(
        title=str(document.get("title", "")),
        type=str(document.get("type", "")),
        description=str(document.get("description", "")),
        row=row,
        grid=Grid(int(place.get("x", 0)), int(place.get("y", 0)), int(place.get("w", 24)), int(place.get("h", 8))),
        targets=tuple(_target(one, document, scrape_seconds) for one in document["targets"]),
        renamed=_renamed(document),
        hidden=frozenset(
            name
            for transformation in document.get("transformations", ())
            for name, excluded in transformation.get("options", {}).get("excludeByName", {}).items()
            if excluded
        ),
    )


def _target(target: Json, panel: Json, scrape_seconds: float) -> Target:
    step = duration(str(target.get("interval") or panel.get("interval") or ""))
    ref = str(target.get("refId", "A"))
    return Target(
        ref=ref,
        source=_source(target.get("datasource") or panel.get("datasource")),
        expr=str(target.get("expr", "")),
        instant=bool(target.get("instant")) and not target.get("range"),
        legend=str(target.get("legendFormat") or ""),
        step=step or scrape_seconds,
        hidden=bool(target.get("hide")),
        unit=_unit(panel, ref),
        raw=target,
    )


def _source(reference: Any) -> Source | None:
    """Our data source for what a panel names: a reference, a uid, or (before Grafana 8.3) a name."""
    if isinstance(reference, str | None):
        return _by_uid(reference or "")
    return _by_uid(str(reference.get("uid", ""))) or source_of(str(reference.get("type", "")))


def _by_uid(uid: str) -> Source | None:
    return next((source for source in (AMP, XRAY, CLOUDWATCH) if source.uid == uid), None)


def _renamed(panel: Json) -> dict[str, str]:
    """What a panel's transformations call its fields, in the order in which they put them."""
    renamed: dict[str, str] = {}
    order: dict[str, int] = {}
    for transformation in panel.get("transformations", ()):
        stated: Json = transformation.get("options", {})
        renamed |= stated.get("renameByName", {})
        order |= stated.get("indexByName", {})
    return dict(sorted(renamed.items(), key=lambda pair: order.get(pair[1], len(order))))


def _unit(panel: Json, ref: str) -> str:
    """The unit of a target's values: that of its column or query where the panel says so, else the panel's."""
    config: Json = panel.get("fieldConfig", {})
    column = _renamed(panel).get(f"Value #{ref}", f"Value #{ref}")
    for override in config.get("overrides", ()):
        matcher: Json = override["matcher"]
        if (matcher["id"], matcher.get("options")) in (("byName", column), ("byFrameRefID", ref)):
            for change in override["properties"]:
                if change["id"] == "unit":
                    return str(change["value"])
    return str(config.get("defaults", {}).get("unit") or "")


def _variable(document: Json) -> Variable:
    asked: Any = document.get("query") or ""
    text = str(cast(Json, asked).get("query", "") if isinstance(asked, Mapping) else asked)
    kind = str(document.get("type", ""))
    current: Any = document.get("current", {}).get("value", [])
    return Variable(
        name=str(document["name"]),
        kind=kind,
        query=text,
        source=_source(document.get("datasource")),
        several=bool(document.get("multi")) or bool(document.get("includeAll")),
        all_value=str(document.get("allValue") or ""),
        current=tuple(map(str, cast("list[Any]", current))) if isinstance(current, list) else (str(current),),
        fixed=() if kind in ("query", "textbox") else tuple(part.strip() for part in text.split(",") if part.strip()),
        regex=str(document.get("regex") or ""),
    )


# Variables


@dataclass(frozen=True)
class Choice:
    """A value of every variable: `values` are the chosen ones, `all_values` the text that stands for "All"."""

    variables: Mapping[str, Variable] = field(default_factory=dict[str, Variable])
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def adding(self, variable: Variable, values: Sequence[str]) -> "Choice":
        """This choice with one variable more."""
        return Choice(
            {**self.variables, variable.name: variable},
            {**self.values, variable.name: tuple(values)},
        )

    def text(self, name: str, form: str) -> str | None:
        """What stands for a variable in a PromQL expression, or None if there is no such variable."""
        if name not in self.values:
            return None
        variable, values = self.variables[name], self.values[name]
        if form in _FORMS:
            return _FORMS[form](values)
        if variable.several and variable.all_value:
            return variable.all_value
        if not variable.several:
            return "".join(values).replace("\\", "\\\\").replace("'", "\\\\'")
        escaped = [_escaped(value) for value in values]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def _escaped(value: str) -> str:
    """A value inside a regular expression inside a PromQL string: its backslashes are escaped once more."""
    return re.sub(r"([$^*{}\[\]'+?.()|])", r"\\\\\1", value.replace("\\", "\\" * 4))


_FORMS: Final[Mapping[str, Callable[[Sequence[str]], str]]] = {
    "raw": ",".join,
    "csv": ",".join,
    "text": " + ".join,
    "pipe": "|".join,
    "regex": lambda values: f"({'|'.join(map(re.escape, values))})" if len(values) > 1 else re.escape("".join(values)),
    "doublequote": lambda values: ",".join(f'"{value}"' for value in values),
    "singlequote": lambda values: ",".join(f"'{value}'" for value in values),
}


async def options(variable: Variable, choice: Choice, server: Prometheus, window: Window) -> list[str]:
    """The values that Grafana would offer for a variable of the Prometheus data source.

    Raises ValueError for a kind of query that the data source does not have.
    """
    query = interpolate(variable.query, choice, {})
    values = await _asked(query, server, window)
    if variable.regex:
        pattern = re.compile(variable.regex.strip("/"))
        found = [(pattern.search(value), value) for value in values]
        values = [match[1] if match.groups() else value for match, value in found if match]
    return sorted(set(values))


async def _asked(query: str, server: Prometheus, window: Window) -> list[str]:
    if labels := re.fullmatch(r"\s*label_values\((?:(?P<match>.+),)?\s*(?P<label>\w+)\s*\)\s*", query, re.DOTALL):
        matches = [labels["match"].strip()] if labels["match"] else []
        return await server.label_values(labels["label"], matches, window.start, window.end)
    if metrics := re.fullmatch(r"\s*metrics\((?P<pattern>.*)\)\s*", query):
        every = await server.label_values("__name__", [], window.start, window.end)
        return [name for name in every if re.search(metrics["pattern"], name)]
    if result := re.fullmatch(r"\s*query_result\((?P<query>.+)\)\s*", query, re.DOTALL):
        frames = await server.instant(result["query"], window.end)
        return [
            f"{frame.labels.get('__name__', '')}{{{_pairs(frame.labels)}}} {frame.points[-1][1]:g}" for frame in frames
        ]
    raise ValueError(f"Grafana's Prometheus data source does not know the variable query {query!r}")


def _pairs(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{value}"' for name, value in labels.items() if name != "__name__")


# Time


@dataclass(frozen=True)
class Clock:
    """How a time of a deployment becomes one of a proof: divided by `factor`."""

    factor: float
    window: Window

    def span(self, target: Target) -> Span:
        """The points that Grafana would ask for over the window: never closer than the target's shortest step."""
        return Span(self.window.start, self.window.end, target.step / self.factor)

    def built_in(self, target: Target) -> dict[str, str]:
        """Grafana's own variables for one target.

        The step is the shortest one, as it is for any range up to half a day on a screen.
        """
        rate = max(target.step + target.step, 4 * target.step)
        return {
            "__interval": _text(target.step / self.factor),
            "__interval_ms": f"{1000 * target.step / self.factor:.0f}",
            "__rate_interval": _text(rate / self.factor),
            "__rate_interval_ms": f"{1000 * rate / self.factor:.0f}",
            "__range": _text(self.window.seconds),
            "__range_s": f"{self.window.seconds:.0f}",
            "__range_ms": f"{1000 * self.window.seconds:.0f}",
            "__from": f"{1000 * self.window.start:.0f}",
            "__to": f"{1000 * self.window.end:.0f}",
        }


def interpolate(text: str, choice: Choice, built_in: Mapping[str, str], form: str = "") -> str:
    """The text with every variable that is known replaced; what is not known stays, as Grafana leaves it.

    `form` is how variables are written that state no form themselves; without it, as in PromQL.
    """

    def replaced(found: re.Match[str]) -> str:
        name = found[1] or found[2] or found[4]
        value = built_in.get(name) or choice.text(name, found[3] or found[5] or form)
        return found[0] if value is None else value

    return _VARIABLE.sub(replaced, text)


def legend(form: str, labels: Mapping[str, str]) -> str:
    """The name of a series: the target's format, or all its labels."""
    if form and form != "__auto":
        return re.sub(r"\{\{\s*(.+?)\s*\}\}", lambda found: labels.get(found[1], ""), form)
    name = labels.get("__name__", "")
    return f"{name}{{{_pairs(labels)}}}" if _pairs(labels) else name


def duration(text: str) -> float:
    """Seconds of a Grafana duration such as `60s` or `>1m`; 0 if it is none."""
    found = _DURATION.fullmatch(text.strip())
    return float(found[1]) * _SECONDS[found[2]] if found else 0.0


def _text(seconds: float) -> str:
    """As Prometheus takes it: whole milliseconds."""
    return f"{max(round(seconds * 1000), 1)}ms"
