"""What a dashboard of ours has to keep to, read from its JSON alone: readable, explained, cheap to ask, never stale."""

import itertools
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from documents.catalogue import Label
from documents.dashboards.folder import FOLDER
from documents.dashboards.queries import MOST_SERIES
from documents.dashboards.sources import MIXED, SOURCES
from proof import promql

Json = Mapping[str, Any]

COLUMNS: Final = 24
NARROWEST: Final = 8
"""Columns: a third of 1280 px, below which legends and tables cannot be read."""

WIDEST_TABLE: Final = 12
"""Columns of a table over the whole width; one of half the width has half as many."""

SHORTEST_DESCRIPTION: Final = 80

_NUMBERS: Final = frozenset({"timeseries", "stat", "bargauge", "heatmap", "state-timeline"})
_LINES: Final = frozenset({"timeseries", "bargauge", "state-timeline"})
_WITH_UNIT: Final = _NUMBERS | {"table"}

_FEW: Final = frozenset({"", Label.BOUND, Label.SLO, Label.SEVERITY, Label.STATE})
"""Labels with so few values that no top-k is needed."""

_ACTS: Final = re.compile(
    r"\b(add|ask|begin|check|choose|click|compare|cut|drop|find|follow|give|look|mend|open|put|raise|read|refresh|sample"
    r"|see|send|stop|turn|type|widen)\b",
    re.IGNORECASE,
)
"""A word that tells a reader what to do."""

_BUILT_IN: Final = re.compile(r"__\w+")
_VARIABLE: Final = re.compile(r"\$(\w+)|\$\{(\w+)(?:[.:]\w+)*\}")
_RANGE: Final = re.compile(r"\[([^\]:]+)(?::[^\]]*)?\]")
_MATCH_ALL: Final = re.compile(r'\{\s*__name__\s*=~\s*"\.[+*]"\s*\}|\{\s*\}')
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


@dataclass(frozen=True)
class Finding:
    """What is wrong with a panel, or with the dashboard where `panel` is empty. `rule` is the name of the rule."""

    panel: str
    rule: str
    text: str


def findings(document: Json) -> list[Finding]:
    """Everything that is wrong with a dashboard, given as its JSON."""
    found = [*_grid(document), *_unique(document), *_variables(document), *_links(document)]
    for panel in _panels(document):
        for rule, check in _RULES.items():
            found += [Finding(str(panel.get("title", "")), rule, text) for text in check(panel)]
    return found


def _panels(document: Json) -> list[Json]:
    """Every panel that shows data, those of closed rows too."""
    every: list[Json] = []
    for panel in document.get("panels", ()):
        every += (panel.get("panels") or ()) if panel.get("type") == "row" else [panel]
    return every


# The dashboard


def _grid(document: Json) -> Iterator[Finding]:
    panels: Sequence[Json] = document.get("panels", ())
    yield from _placed(panels)
    for row in panels:
        yield from _placed(row.get("panels") or ())


def _placed(panels: Sequence[Json]) -> Iterator[Finding]:
    """Panels that are shown together stand side by side without overlap, and leave no hole between them."""
    taken: dict[tuple[int, int], str] = {}
    for panel in panels:
        title, place = str(panel.get("title", "")), panel["gridPos"]
        if place["x"] < 0 or place["x"] + place["w"] > COLUMNS:
            yield Finding(title, "grid", f"does not fit into {COLUMNS} columns")
        if panel.get("type") != "row" and place["w"] < NARROWEST:
            yield Finding(title, "grid", f"is {place['w']} columns wide, and cannot be read below {NARROWEST}")
        for cell in itertools.product(
            range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        ):
            other = taken.setdefault(cell, title)
            if other != title:
                yield Finding(title, "grid", f"overlaps with {other!r}")
                break
    lines = {y for _, y in taken}
    if lines and len(taken) < COLUMNS * (max(lines) - min(lines) + 1):
        yield Finding("", "grid", "leaves a hole between panels")


def _unique(document: Json) -> Iterator[Finding]:
    rows: Sequence[Json] = [one for one in document.get("panels", ()) if one.get("type") == "row"]
    for key in ("id", "title"):
        seen: set[Any] = set()
        for panel in (*rows, *_panels(document)):
            value = panel.get(key)
            if value in seen or value in (None, ""):
                yield Finding(str(panel.get("title", "")), "unique", f"has the {key} {value!r}, which another has too")
            seen.add(value)


def _variables(document: Json) -> Iterator[Finding]:
    defined: Sequence[Json] = document.get("templating", {}).get("list", ())
    names = [str(one["name"]) for one in defined]
    asked = {
        "": _used(document.get("panels", ())) | _used(document.get("annotations", {})),
        **{str(one["name"]): _used(one.get("query", "")) | _used(one.get("regex", "")) for one in defined},
    }
    used = set[str]().union(*asked.values())
    for name in sorted(used - set(names)):
        yield Finding("", "variables", f"${name} is used and not defined")
    for name in names:
        if name not in used:
            yield Finding("", "variables", f"${name} is defined and not used")
    for index, name in enumerate(names):
        for later in sorted(asked[name] & set(names[index + 1 :])):
            yield Finding("", "variables", f"${name} needs ${later}, which is chosen after it")


def _used(part: Any) -> set[str]:
    """The dashboard's own variables in a part of its JSON; Grafana's begin with two underscores."""
    # CloudWatch's own ${PROP(...)} and $__period_auto are no variables of Grafana's.
    text = re.sub(r"\$\{(?:PROP|LABEL)\([^}]*\}", "", json.dumps(part, ensure_ascii=False))
    names = (found[1] or found[2] for found in _VARIABLE.finditer(text))
    return {name for name in names if not _BUILT_IN.fullmatch(name) and not name.isdigit()}


def _links(document: Json) -> Iterator[Finding]:
    paths = {entry.path for entry in FOLDER}
    links: Sequence[Json] = document.get("links", ())
    missing = paths - {f"/d/{document.get('uid')}"} - {str(link.get("url")) for link in links}
    if missing:
        yield Finding("", "links", f"does not lead to {', '.join(sorted(missing))}")
    if not all(link.get("keepTime") and link.get("includeVars") for link in links):
        yield Finding("", "links", "leads to a dashboard without its time or its variables")
    for path in sorted(set(re.findall(r'"(/d/[\w-]+)', json.dumps(document)))):
        if path not in paths:
            yield Finding("", "links", f"leads to {path}, which is none of the folder")


# Panels


def _unit(panel: Json) -> Iterator[str]:
    if panel.get("type") in _WITH_UNIT and not _defaults(panel).get("unit"):
        yield "has no unit"


def _decimals(panel: Json) -> Iterator[str]:
    if panel.get("type") in _NUMBERS and "decimals" not in _defaults(panel) and not _of_heatmap(panel):
        yield "does not say how many decimals"
    for title, properties in _columns(panel):
        if "unit" in properties and "decimals" not in properties:
            yield f"does not say how many decimals the column {title} has"


def _of_heatmap(panel: Json) -> bool:
    axis: Json = panel.get("options", {}).get("yAxis", {})
    return panel.get("type") == "heatmap" and "decimals" in axis


def _description(panel: Json) -> Iterator[str]:
    text = str(panel.get("description") or "")
    if len(text) < SHORTEST_DESCRIPTION or text.count(".") < 2:
        yield "is not described: what it shows, what a bad value means"
    elif not _ACTS.search(text):
        yield "does not say what to do"


def _thresholds(panel: Json) -> Iterator[str]:
    if panel.get("type") not in _WITH_UNIT - {"heatmap"}:
        return
    steps: Sequence[Json] = _defaults(panel).get("thresholds", {}).get("steps", ())
    values: list[Any] = [step.get("value") for step in steps]
    if not values or values[0] is not None or None in values[1:]:
        yield "has no thresholds that begin at minus infinity"
    elif values[1:] != sorted(values[1:]):
        yield "has thresholds out of order"
    elif len(steps) == 1 and steps[0].get("color") in ("green", "red"):
        yield "calls every value good or bad: one colour that judges is no threshold"


def _legend(panel: Json) -> Iterator[str]:
    if panel.get("type") == "timeseries" and not panel.get("options", {}).get("legend", {}).get("showLegend"):
        yield "has no legend"
    if panel.get("type") in _LINES:
        for target in _targets(panel):
            if "expr" in target and not target.get("legendFormat"):
                yield f"does not name the lines of {target['refId']}"


def _queries(panel: Json) -> Iterator[str]:
    refs = [str(target.get("refId")) for target in panel.get("targets", ())]
    if not refs:
        yield "asks nothing"
    if len(refs) != len(set(refs)):
        yield "has two queries of one name"


def _few_series(panel: Json) -> Iterator[str]:
    if panel.get("type") not in _LINES:
        return
    for target in _targets(panel):
        if "expr" in target and _most(str(target["expr"])) > MOST_SERIES:
            yield f"may show more than {MOST_SERIES} series of {target['refId']}: take the top ones"
    hidden = [target for target in panel.get("targets", ()) if target.get("hide") and _searches(target)]
    shown = [str(target.get("expression") or "") for target in _targets(panel)]
    if hidden and not any(re.match(r"SUM\(|SORT\(", expression) for expression in shown):
        yield f"may show more than {MOST_SERIES} series of CloudWatch: SORT and limit them"


def _most(expr: str) -> float:
    """Upper bound of the series of an expression; infinite where it cannot be read."""
    try:
        return promql.most_series(_VARIABLE.sub("1", re.sub(r"\[\$\w+", "[5m", expr)), _FEW)
    except ValueError:
        return math.inf


def _searches(target: Json) -> bool:
    return "*" in target.get("dimensions", {}).values()


def _windows(panel: Json) -> Iterator[str]:
    for target in _targets(panel):
        step = _duration(str(target.get("interval") or ""))
        for window in _RANGE.findall(str(target.get("expr", ""))):
            if window != "$__rate_interval" and _duration(window) < 4 * step:
                yield f"looks back {window} in {target['refId']}, and four samples take {4 * step:g}s"
        if "expr" in target and not step:
            yield f"does not state the shortest step of {target['refId']}"


def _selectors(panel: Json) -> Iterator[str]:
    for target in _targets(panel):
        if _MATCH_ALL.search(str(target.get("expr", ""))):
            yield f"selects every series in {target['refId']}, which AMP was seen to refuse"


def _sources(panel: Json) -> Iterator[str]:
    known = {source.uid: source.type for source in SOURCES}
    for target in panel.get("targets", ()):
        source: Json = target.get("datasource") or {}
        if known.get(str(source.get("uid"))) != source.get("type"):
            yield f"asks {source.get('uid')!r} in {target.get('refId')}, which is none of our data sources"
    uid = _uid(panel)
    of_targets = {_uid(target) for target in panel.get("targets", ())}
    if uid != (MIXED.uid if len(of_targets) > 1 else next(iter(of_targets), uid)):
        yield f"names the data source {uid!r}, and its queries go to {', '.join(sorted(of_targets))}"


def _uid(asking: Json) -> str:
    """The data source of a panel or of a query."""
    source: Json = asking.get("datasource") or {}
    return str(source.get("uid"))


def _table(panel: Json) -> Iterator[str]:
    if panel.get("type") != "table":
        return
    shown = _shown(panel)
    most = WIDEST_TABLE * panel["gridPos"]["w"] // COLUMNS
    if len(shown) > most:
        yield f"has {len(shown)} columns, and {most} can be read in its width"
    for title, _ in _columns(panel):
        if shown and title not in shown:
            yield f"says how the column {title} looks, and has none"


def _shown(panel: Json) -> set[str]:
    """The titles of a table's columns, as far as its transformations say them."""
    titles: set[str] = set()
    for transformation in panel.get("transformations", ()):
        titles |= set(transformation.get("options", {}).get("renameByName", {}).values())
    return titles


def _columns(panel: Json) -> Iterator[tuple[str, set[str]]]:
    for override in panel.get("fieldConfig", {}).get("overrides", ()):
        if override["matcher"]["id"] == "byName":
            yield str(override["matcher"]["options"]), {str(one["id"]) for one in override["properties"]}


def _defaults(panel: Json) -> Json:
    return panel.get("fieldConfig", {}).get("defaults", {})


def _targets(panel: Json) -> list[Json]:
    return [target for target in panel.get("targets", ()) if not target.get("hide")]


def _duration(text: str) -> float:
    """Seconds of a duration such as `5m`; 0 if it is none."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)", text)
    return float(found[1]) * _SECONDS[found[2]] if found else 0.0


_RULES: Final[Mapping[str, Callable[[Json], Iterator[str]]]] = {
    "unit": _unit,
    "decimals": _decimals,
    "description": _description,
    "thresholds": _thresholds,
    "legend": _legend,
    "queries": _queries,
    "few series": _few_series,
    "windows": _windows,
    "selectors": _selectors,
    "data sources": _sources,
    "table": _table,
}
