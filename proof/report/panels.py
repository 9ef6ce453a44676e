"""Dashboards laid out as Grafana lays them out, each panel with what was found for it."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from documents.catalogue import Label
from documents.dashboards.sources import AMP, CLOUDWATCH, XRAY
from proof.grafana import Panel, legend
from proof.prometheus import Frame
from proof.report.fields import Axis, Field, Json, axis_of, colour, field
from proof.truth import Truth
from proof.verdict import Kind, Verdict
from proof.verdicts import Answer, DashboardResult, PanelResult

_BACK_ENDS: Final = {CLOUDWATCH: "CloudWatch", XRAY: "X-Ray"}
_CALCULATIONS: Final[Mapping[str, tuple[str, Callable[[Sequence[float]], float]]]] = {
    "lastNotNull": ("Last", lambda values: values[-1]),
    "last": ("Last", lambda values: values[-1]),
    "first": ("First", lambda values: values[0]),
    "max": ("Max", max),
    "min": ("Min", min),
    "mean": ("Mean", lambda values: math.fsum(values) / len(values)),
    "sum": ("Total", math.fsum),
}
_NUMBERS: Final = frozenset({"stat", "gauge", "bargauge", "piechart", "barchart"})
_TIMELINES: Final = frozenset({"state-timeline", "status-history"})


# What a panel shows


@dataclass(frozen=True)
class Number:
    """One value of a stat or gauge; `share` of its bar in percent, `trend` the points of a small line."""

    name: str
    text: str
    colour: str
    share: float | None
    trend: str


@dataclass(frozen=True)
class Numbers:
    """A stat, or (`form` is "bars") a gauge. `filled` says whether the background has the value's colour."""

    values: tuple[Number, ...]
    filled: bool
    form: str = "numbers"


@dataclass(frozen=True)
class Cell:
    """A table's cell. `style` is what of it is coloured."""

    text: str
    colour: str = ""
    style: str = ""
    number: bool = False


@dataclass(frozen=True)
class Table:
    """Rows joined by their labels, with a column for each query; `head` says of each column whether it has numbers."""

    head: tuple[tuple[str, bool], ...]
    body: tuple[tuple[Cell, ...], ...]
    form: str = "table"


@dataclass(frozen=True)
class Stretch:
    """How long a state holds, in percent of the whole. Where nothing is known it has neither text nor colour."""

    width: float
    text: str
    colour: str


@dataclass(frozen=True)
class States:
    """A state timeline: a lane for each series."""

    lanes: tuple[tuple[str, tuple[Stretch, ...]], ...]
    form: str = "states"


@dataclass(frozen=True)
class Chart:
    """What the page's script draws: `data` is JSON, `legend` the table below it."""

    id: str
    data: Json
    head: tuple[str, ...]
    legend: tuple[tuple[str, ...], ...]
    form: str = "chart"


@dataclass(frozen=True)
class Words:
    """A panel of text."""

    text: str
    form: str = "words"


@dataclass(frozen=True)
class Away:
    """No values here: `why`, and the queries that were checked."""

    why: str
    queries: tuple[str, ...]
    form: str = "away"


Body = Numbers | Table | States | Chart | Words | Away


@dataclass(frozen=True)
class Card:
    """One panel on the grid of its row; `line` and `column` count from 1. `kind` is None where nothing is asked."""

    id: str
    title: str
    description: str
    kind: Kind | None
    column: int
    line: int
    width: int
    height: int
    body: Body
    answers: tuple[Answer, ...] = ()
    beside: tuple[Answer, ...] = ()
    """Answers without values in a panel that shows those of others."""


@dataclass(frozen=True)
class Row:
    """A titled row of panels."""

    title: str
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Board:
    """One dashboard."""

    uid: str
    title: str
    description: str
    variables: tuple[Verdict, ...]
    marks: tuple[Verdict, ...]
    """Annotations in all of its graphs."""
    links: tuple[Verdict, ...]
    rows: tuple[Row, ...]
    kind: Kind

    @property
    def charts(self) -> dict[str, Json]:
        """What the script draws, by the id of the element."""
        bodies = (card.body for row in self.rows for card in row.cards)
        return {body.id: body.data for body in bodies if isinstance(body, Chart)}


def boards(results: Sequence[DashboardResult], truth: Truth) -> tuple[Board, ...]:
    """Every dashboard of a run."""
    documents = {str(document["uid"]): document for document in truth.plan.dashboards}
    return tuple(_board(result, documents[result.uid], truth) for result in results)


def worst(verdicts: Sequence[Verdict]) -> Kind:
    """What is said of several things together."""
    order = (Kind.FAILED, Kind.CHECKED, Kind.SEEN, Kind.PROVED)
    return next((kind for kind in order if any(verdict.kind is kind for verdict in verdicts)), Kind.FAILED)


def _board(result: DashboardResult, document: Json, truth: Truth) -> Board:
    asked = iter(result.panels)
    rows: list[Row] = []
    number = 0
    for title, panels in _rows(document.get("panels", ())):
        top = min((_place(panel)[1] for panel in panels), default=0)
        cards: list[Card] = []
        for panel in panels:
            card = _card(f"{result.uid}-{number}", panel, next(asked) if panel.get("targets") else None, truth)
            cards.append(replace(card, line=card.line - top))
            number += 1
        rows.append(Row(title, tuple(cards)))
    return Board(
        uid=result.uid,
        title=result.title,
        description=str(document.get("description") or ""),
        variables=result.variables,
        marks=result.annotations,
        links=result.links,
        rows=tuple(rows),
        kind=worst(result.verdicts),
    )


def _rows(panels: Sequence[Json]) -> Iterator[tuple[str, list[Json]]]:
    """Panels by the row that they stand in; those of a collapsed row are inside it."""
    title = ""
    members: list[Json] = []
    for panel in panels:
        if panel.get("type") == "row":
            if members:
                yield title, members
            title, members = str(panel.get("title", "")), [*(panel.get("panels") or ())]
        else:
            members.append(panel)
    if members:
        yield title, members


def _place(panel: Json) -> tuple[int, int, int, int]:
    place: Json = panel.get("gridPos", {})
    return int(place.get("x", 0)), int(place.get("y", 0)), int(place.get("w", 24)), int(place.get("h", 8))


def _card(identity: str, document: Json, result: PanelResult | None, truth: Truth) -> Card:
    x, y, width, height = _place(document)
    answers = result.answers if result else ()
    shown = [answer for answer in answers if answer.frames and not answer.target.hidden]
    return Card(
        id=identity,
        title=str(document.get("title", "")),
        description=str(document.get("description") or ""),
        kind=worst([answer.verdict for answer in answers]) if answers else None,
        column=x + 1,
        line=y + 1,
        width=width,
        height=height,
        body=_shown(identity, document, result.panel, shown, truth) if result and shown else _unseen(document, answers),
        answers=answers,
        beside=tuple(one for one in answers if one.verdict.kind is Kind.CHECKED) if shown else (),
    )


def _unseen(document: Json, answers: Sequence[Answer]) -> Body:
    if document.get("type") == "text":
        return Words(str(document.get("options", {}).get("content") or ""))
    if not answers:
        return Away("Grafana fills this by itself; nothing is asked for it.", ())
    queries = tuple(dict.fromkeys(answer.query for answer in answers if answer.query))
    if any(answer.verdict.kind is Kind.FAILED for answer in answers):
        return Away("No data.", queries)
    asked = {answer.target.source for answer in answers} - {AMP, None}
    ends = {_BACK_ENDS.get(source, "AWS") for source in asked if source}
    if not ends:
        return Away("Asked here, and answered with nothing: in a run that is well there is nothing to see.", queries)
    return Away(f"{' and '.join(sorted(ends))} cannot run here: names checked, no values seen.", queries)


def _shown(identity: str, document: Json, panel: Panel, answers: Sequence[Answer], truth: Truth) -> Body:
    if panel.type in _NUMBERS:
        return _numbers(document, answers)
    if panel.type == "table":
        return _table(document, panel, answers)
    if panel.type in _TIMELINES:
        return _states(document, answers)
    if panel.type == "heatmap":
        return _heatmap(identity, document, answers, truth)
    return _chart(identity, document, answers, truth)


# Numbers


def _numbers(document: Json, answers: Sequence[Answer]) -> Numbers:
    options: Json = document.get("options", {})
    named = [
        (name, values, field(document, answer.target.ref, name))
        for answer in answers
        for frame in answer.frames
        if (values := frame.finite)
        for name in (legend(answer.target.legend, frame.labels),)
    ]
    calculate = _CALCULATIONS.get(next(iter(options.get("reduceOptions", {}).get("calcs") or ()), "lastNotNull"))
    reduced = [(name, calculate[1](values) if calculate else values[-1], values, how) for name, values, how in named]
    largest = max((value for _, value, _, _ in reduced), default=0)
    bars = document.get("type") != "stat"
    if bars:
        # An answer over time has lost the order that a query for one moment asks for.
        reduced.sort(key=lambda one: one[1], reverse=True)
    return Numbers(
        tuple(
            Number(
                name if len(reduced) > 1 else "",
                how.text(value),
                how.colour(value),
                _share(value, how, largest) if bars else None,
                _trend(values) if options.get("graphMode") == "area" else "",
            )
            for name, value, values, how in reduced
        ),
        filled=str(options.get("colorMode", "")).startswith("background"),
        form="bars" if bars else "numbers",
    )


def _share(value: float, how: Field, largest: float) -> float:
    low, high = how.number("min", 0), how.number("max", largest)
    return round(min(max(100 * (value - low) / (high - low), 0), 100), 1) if high > low else 0.0


def _trend(values: Sequence[float]) -> str:
    """The points of a line in 100 by 30."""
    low, high = min(values), max(values)
    span, last = (high - low) or 1, max(len(values) - 1, 1)
    return " ".join(f"{100 * at / last:.1f},{28 - 26 * (value - low) / span:.1f}" for at, value in enumerate(values))


# Tables


@dataclass
class _Record:
    """A table's row in the making."""

    labels: dict[str, str]
    values: dict[str, float]

    def takes(self, labels: Mapping[str, str], column: str, joint: Collection[str]) -> bool:
        """Whether what has these labels is said of the same thing."""
        alike = all(self.labels[name] == text for name, text in labels.items() if name in self.labels)
        return column not in self.values and alike and all(self.labels.get(name) == labels.get(name) for name in joint)


def _table(document: Json, panel: Panel, answers: Sequence[Answer]) -> Table:
    """Rows joined by the labels that all queries have, a column for each query: as Grafana's merge does it."""
    found = [
        (
            {name: text for name, text in frame.labels.items() if name not in panel.hidden | {"__name__"}},
            f"Value #{answer.target.ref}",
            frame.finite,
        )
        for answer in answers
        for frame in answer.frames
    ]
    joint = set[str].intersection(*(set(labels) for labels, _, _ in found))
    rows: list[_Record] = []
    for labels, column, values in found:
        row = next((one for one in rows if one.takes(labels, column, joint)), None)
        if row is None:
            rows.append(row := _Record({}, {}))
        row.labels |= labels
        row.values |= {column: values[-1]} if values else {}
    refs = {f"Value #{answer.target.ref}": answer.target.ref for answer in answers}
    names = ({name for row in rows for name in row.labels} | set(refs)) - panel.hidden
    shown = [name for name in (*panel.renamed, *sorted(names - set(panel.renamed))) if name in names]
    how = {name: field(document, ref, panel.renamed.get(name, name), name) for name, ref in refs.items()}
    body = [
        tuple(
            _number(row.values.get(name), how[name]) if name in how else Cell(row.labels.get(name, ""))
            for name in shown
        )
        for row in _sorted(document, panel, rows)
    ]
    return Table(tuple((panel.renamed.get(name, name), name in how) for name in shown), tuple(body))


def _sorted(document: Json, panel: Panel, rows: Sequence[_Record]) -> list[_Record]:
    """The rows in the order that the panel asks for."""
    stated: Sequence[Json] = document.get("options", {}).get("sortBy") or ()
    ordered = list(rows)
    for one in reversed(stated):
        column = next((own for own, name in panel.renamed.items() if name == one["displayName"]), one["displayName"])

        def key(row: _Record, column: str = column) -> tuple[float, str]:
            return row.values.get(column, -math.inf), row.labels.get(column, "")

        ordered.sort(key=key, reverse=bool(one.get("desc")))
    return ordered


def _number(value: float | None, how: Field) -> Cell:
    if value is None:
        return Cell("", number=True)
    return Cell(how.text(value), how.colour(value) if how.cell else "", how.cell.removeprefix("color-"), number=True)


# Over time


@dataclass(frozen=True)
class _Series:
    name: str
    answer: Answer
    frame: Frame
    how: Field


def _series(document: Json, answers: Sequence[Answer]) -> list[_Series]:
    return [
        _Series(name, answer, frame, field(document, answer.target.ref, name))
        for answer in answers
        for frame in answer.frames
        for name in (legend(answer.target.legend, frame.labels) or answer.target.ref,)
    ]


def _largest(found: Sequence[_Series]) -> float:
    return max((abs(value) for one in found for value in one.frame.finite), default=0)


def _chart(identity: str, document: Json, answers: Sequence[Answer], truth: Truth) -> Chart:
    found = _series(document, answers)
    units = list(dict.fromkeys(one.how.unit for one in found))[:2]
    axes = [axis_of(unit, _largest([one for one in found if one.how.unit == unit])) for unit in units]
    sides = [units.index(one.how.unit) if one.how.unit in units else 0 for one in found]
    stated: Sequence[str] = document.get("options", {}).get("legend", {}).get("calcs") or ()
    calculations = [_CALCULATIONS[name] for name in stated if name in _CALCULATIONS]
    data = {
        "type": "lines",
        "axes": [
            {"suffix": axis.suffix, "limits": _limits(found, unit, axis)}
            for unit, axis in zip(units, axes, strict=True)
        ],
        "lines": [_line(one, side, axes[side], truth) for one, side in zip(found, sides, strict=True)],
    }
    return Chart(
        identity,
        data,
        head=tuple(title for title, _ in calculations),
        legend=tuple(
            (one.name, *(one.how.text(of(values)) if (values := one.frame.finite) else "" for _, of in calculations))
            for one in found
        ),
    )


def _line(one: _Series, side: int, axis: Axis, truth: Truth) -> Json:
    fixed = one.how.part("color")
    return {
        "name": one.name,
        "axis": side,
        "x": [round(time - truth.steady.start, 3) for time, _ in one.frame.points],
        "y": [value * axis.factor if math.isfinite(value) else None for _, value in one.frame.points],
        "band": _band(one.answer, one.frame, axis.factor),
        "fill": one.how.number("custom.fillOpacity", 0) / 100,
        "stacked": one.how.part("custom.stacking").get("mode") in ("normal", "percent"),
        "bars": one.how.options.get("custom.drawStyle") == "bars",
        "colour": colour(str(fixed.get("fixedColor"))) if fixed.get("mode") == "fixed" else "",
    }


def _limits(found: Sequence[_Series], unit: str, axis: Axis) -> list[Json]:
    """The thresholds that the panel draws, on the chart's axis."""
    how = next(one.how for one in found if one.how.unit == unit)
    if how.part("custom.thresholdsStyle").get("mode", "off") == "off" or how.relative:
        return []
    return [{"y": least * axis.factor, "colour": colour(named)} for least, named in how.steps if math.isfinite(least)]


def _band(answer: Answer, frame: Frame, factor: float) -> list[float] | None:
    """Between which values the series was expected, on the chart's axis."""
    if answer.expected is None:
        return None
    key = tuple(frame.labels.get(label, "") for label in answer.expected.by)
    value = answer.expected.series.get(key)
    if value is None or not math.isfinite(value.high):
        return None
    return [bound / answer.target.scale * factor for bound in (value.low, value.high)]


def _heatmap(identity: str, document: Json, answers: Sequence[Answer], truth: Truth) -> Chart:
    """Buckets over time: Prometheus counts everything below a bound, a heatmap shows what is between two."""
    frames = sorted((frame for answer in answers for frame in answer.frames), key=_bound)
    unit = str(document.get("options", {}).get("yAxis", {}).get("unit") or answers[0].target.unit)
    how = Field({"unit": unit})
    times = sorted({time for frame in frames for time, _ in frame.points})
    below = [dict(frame.points) for frame in frames]
    counts = [
        [round(max(now.get(time, 0) - (below[index - 1].get(time, 0) if index else 0), 0), 4) for time in times]
        for index, now in enumerate(below)
    ]
    names = [how.text(bound) if math.isfinite(bound := _bound(frame)) else "more" for frame in frames]
    data = {"type": "heatmap", "x": [round(time - truth.steady.start, 3) for time in times], "y": names, "z": counts}
    return Chart(identity, data, (), ())


def _bound(frame: Frame) -> float:
    try:
        return float(frame.labels[Label.BOUND])
    except (KeyError, ValueError):
        return math.inf


def _states(document: Json, answers: Sequence[Answer]) -> States:
    found = _series(document, answers)
    times = sorted({time for one in found for time, _ in one.frame.points})
    return States(tuple((one.name, tuple(_stretches(one, times))) for one in found))


def _stretches(one: _Series, times: Sequence[float]) -> Iterator[Stretch]:
    values = dict(one.frame.points)
    for value, held in groupby(values.get(time) for time in times):
        width = 100 * len(list(held)) / len(times)
        yield Stretch(width, "", "") if value is None else Stretch(width, one.how.text(value), one.how.colour(value))
