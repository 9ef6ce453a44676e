"""The page that a person looks at: every panel as a chart of the data found, traces as waterfalls, every verdict.

One file without references to anything else, so that it can be kept, mailed, or attached to a build.
"""

import json
import math
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

from documents.dashboards.sources import CLOUDWATCH, XRAY
from proof.expectations.values import Quantity
from proof.grafana import Panel, legend
from proof.prometheus import Frame
from proof.truth import Truth
from proof.verdict import Kind, Verdict
from proof.verdicts import Answer, DashboardResult, Judgement, PanelResult
from proof.xray import Segment
from sample import behaviour

_BYTES: Final[Mapping[str, float]] = {"bytes": 1, "kbytes": 2**10, "mbytes": 2**20, "gbytes": 2**30}
_BYTE_RATES: Final = frozenset({"Bps", "binBps", "KBs", "KiBs", "MBs", "MiBs"})
_SAMPLE_TRACES: Final = 3


@dataclass(frozen=True)
class Facts:
    """How a run was made: pairs of what and how, in the order in which they are shown."""

    stack: str
    when: str
    seconds: float
    items: tuple[tuple[str, str], ...]


def write(path: Path, html: str) -> None:
    """Puts the page in place at once: whoever looks sees the old one or the new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(html, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def render(judgement: Judgement, truth: Truth, facts: Facts) -> str:
    """The whole page."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("proof", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    boards = [_board(board, truth) for board in judgement.dashboards]
    charts = {chart["id"]: chart for board in boards for panel in board["panels"] for chart in panel["charts"]}
    return environment.get_template("report.html.j2").render(
        facts=facts,
        plan=truth.plan,
        marks=MARKS,
        counts=[(kind, sum(one.kind is kind for one in judgement.verdicts)) for kind in Kind],
        failed=judgement.failed,
        boards=boards,
        traces=[_waterfall(title, segments) for title, segments in _samples(truth)],
        others=_grouped(judgement.others),
        verdicts=judgement.verdicts,
        # In a script element nothing but its end tag would be read as markup.
        charts=Markup(json.dumps(charts).replace("<", "\\u003c")),  # noqa: S704 - without `<` no tag can end
        plotly=Markup(files("plotly").joinpath("package_data/plotly.min.js").read_text(encoding="utf-8")),  # noqa: S704 - the library itself
    )


MARKS: Final[Mapping[Kind, str]] = {Kind.PROVED: "✓", Kind.CHECKED: "≡", Kind.SEEN: "○", Kind.FAILED: "✗"}


# Dashboards

_BACK_ENDS: Final = {CLOUDWATCH: "CloudWatch", XRAY: "X-Ray"}


def _board(board: DashboardResult, truth: Truth) -> dict[str, Any]:
    panels = [_panel(f"{board.uid}-{index}", panel, truth) for index, panel in enumerate(board.panels)]
    return {"uid": board.uid, "title": board.title, "panels": panels, "variables": board.variables}


def _panel(identity: str, result: PanelResult, truth: Truth) -> dict[str, Any]:
    panel = result.panel
    data = [answer for answer in result.answers if answer.frames]
    drawn = panel.type not in ("stat", "table", "gauge")
    return {
        "title": panel.title,
        "row": panel.row,
        "description": panel.description,
        "grid": panel.grid,
        "type": panel.type,
        "answers": result.answers,
        "elsewhere": sorted(
            {_BACK_ENDS[one.target.source] for one in result.answers if one.target.source in _BACK_ENDS}
        ),
        "kind": _worst([answer.verdict for answer in result.answers]),
        "numbers": [number for answer in data for number in _numbers(answer)]
        if panel.type in ("stat", "gauge")
        else [],
        "table": _table(panel, data) if data and panel.type == "table" else None,
        "charts": [_chart(identity, panel.title, data, truth)] if drawn and data else [],
    }


def _worst(verdicts: Sequence[Verdict]) -> Kind:
    order = (Kind.FAILED, Kind.CHECKED, Kind.SEEN, Kind.PROVED)
    return next((kind for kind in order if any(verdict.kind is kind for verdict in verdicts)), Kind.FAILED)


def _numbers(answer: Answer) -> Iterator[tuple[str, str]]:
    for frame in answer.frames:
        if values := frame.finite:
            yield legend(answer.target.legend, frame.labels), _shown(values[-1], answer.target.unit)


def _table(panel: Panel, answers: Sequence[Answer]) -> dict[str, Any]:
    """Rows joined by their labels, a column for each target: as Grafana's merge does it."""
    rows: dict[tuple[tuple[str, str], ...], dict[str, str]] = defaultdict(dict)
    fields: set[str] = set()
    for answer in answers:
        for frame in answer.frames:
            labels = {name: value for name, value in frame.labels.items() if name != "__name__"}
            fields |= set(labels) - panel.hidden
            if values := frame.finite:
                value = _shown(values[-1], answer.target.unit)
                rows[tuple(sorted(labels.items()))][f"Value #{answer.target.ref}"] = value
    fields |= {f"Value #{answer.target.ref}" for answer in answers}
    order = [*panel.renamed, *sorted(fields - set(panel.renamed))]
    shown = [name for name in order if name in fields]
    return {
        "head": [panel.renamed.get(name, name) for name in shown],
        "body": [[(dict(key) | row).get(name, "") for name in shown] for key, row in rows.items()],
    }


def _chart(identity: str, title: str, answers: Sequence[Answer], truth: Truth) -> dict[str, Any]:
    unit = answers[0].target.unit
    largest = max((abs(value) for answer in answers for frame in answer.frames for value in frame.finite), default=0)
    axis = axis_of(unit, largest)
    lines: list[dict[str, Any]] = []
    for answer in answers:
        lines += [
            {
                "name": legend(answer.target.legend, frame.labels),
                "x": [round(time - truth.steady.start, 3) for time, _ in frame.points],
                "y": [value * axis.factor if math.isfinite(value) else None for _, value in frame.points],
                "band": _band(answer, frame, axis.factor),
            }
            for frame in answer.frames
        ]
    return {"id": identity, "title": title, "suffix": axis.suffix, "lines": lines}


def _band(answer: Answer, frame: Frame, factor: float) -> list[float] | None:
    """Between which values the series was expected, on the chart's axis."""
    if answer.expected is None:
        return None
    key = tuple(frame.labels.get(label, "") for label in answer.expected.by)
    value = answer.expected.series.get(key)
    if value is None:
        return None
    return [bound / answer.target.scale * factor for bound in (value.low, value.high)]


@dataclass(frozen=True)
class Axis:
    """How a panel's unit is drawn: values times `factor`, with `suffix` behind them."""

    factor: float
    suffix: str


def axis_of(unit: str, largest: float) -> Axis:
    """The axis for a Grafana unit, given the largest value that it has to show."""
    if unit in _BYTES or unit in _BYTE_RATES:
        base = _BYTES.get(unit, 1)
        power = min(max(int(math.log(largest * base, 1024)), 0), 4) if largest > 0 else 0
        rate = "/s" if unit in _BYTE_RATES else ""
        return Axis(base / 1024**power, f" {('', 'Ki', 'Mi', 'Gi', 'Ti')[power]}B{rate}")
    match unit:
        case "percent":
            return Axis(1, " %")
        case "percentunit":
            return Axis(100, " %")
        case "s":
            return Axis(1000, " ms") if largest < 1 else Axis(1, " s")
        case "reqps":
            return Axis(1, " req/s")
        case _:
            return Axis(1, f" {unit.removeprefix('suffix:').strip()}" if unit.startswith("suffix:") else "")


def _shown(value: float, unit: str) -> str:
    axis = axis_of(unit, abs(value))
    return f"{value * axis.factor:.4g}{axis.suffix}"


# Traces


def _samples(truth: Truth) -> Iterator[tuple[str, list[Segment]]]:
    """An ordinary trace, a slow one and one with an error, as far as they can be found."""
    traces: dict[str, list[Segment]] = defaultdict(list)
    for segment in truth.of_load:
        traces[segment.trace].append(segment)
    slow = (behaviour.NORMAL_SECONDS + behaviour.SLOW_SECONDS) / 2
    wanted = ["An ordinary request", "A slow request", "A failed request"]
    for segments in sorted(traces.values(), key=lambda trace: min(one.start for one in trace), reverse=True):
        roots = [segment for segment in segments if not segment.parent]
        if len(roots) != 1 or len(wanted) == 0:
            continue
        [root] = roots
        kind = 2 if root.fault else 1 if root.end - root.start > slow else 0
        title = ("An ordinary request", "A slow request", "A failed request")[kind]
        if title in wanted:
            wanted.remove(title)
            yield title, segments


def _waterfall(title: str, segments: Sequence[Segment]) -> dict[str, Any]:
    start = min(segment.start for segment in segments)
    whole = max(max(segment.end for segment in segments) - start, 1e-6)
    children: dict[str, list[Segment]] = defaultdict(list)
    for segment in sorted(segments, key=lambda one: one.start):
        children[segment.parent].append(segment)
    bars: list[dict[str, Any]] = []

    def below(parent: str, depth: int) -> None:
        for segment in children[parent]:
            bars.append(
                asdict(segment)
                | {
                    "depth": depth,
                    "left": 100 * (segment.start - start) / whole,
                    "width": max(100 * (segment.end - segment.start) / whole, 0.3),
                    "took": Quantity.SECONDS.show(segment.end - segment.start),
                }
            )
            below(segment.id, depth + 1)

    below("", 0)
    return {"title": title, "trace": segments[0].trace, "took": Quantity.SECONDS.show(whole), "bars": bars}


def _grouped(verdicts: Sequence[Verdict]) -> list[tuple[str, list[Verdict]]]:
    groups: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        groups[verdict.area].append(verdict)
    return [(_AREAS.get(area, area), found) for area, found in groups.items()]


_AREAS: Final = {
    "rule": "Recording rules",
    "load": "Load",
    "count": "Every request counted once",
    "trace": "Traces",
    "receiver": "X-Ray's SDK and Zipkin",
    "label": "Labels",
    "writer": "Writers",
    "copy": "Partners and CloudWatch",
    "signature": "Signatures",
    "log": "Collector logs",
    "address": "Addresses, which differ here",
}
