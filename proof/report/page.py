"""The page as a whole."""

import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

import jinja2
from markupsafe import Markup

from preview.comparison import Comparison
from proof.report.drills import timeline
from proof.report.panels import boards
from proof.report.traces import waterfalls
from proof.report.viewer import shelves
from proof.truth import Truth
from proof.verdict import Kind, Verdict
from proof.verdicts import Judgement

MARKS: Final[Mapping[Kind, str]] = {Kind.PROVED: "✓", Kind.CHECKED: "≡", Kind.SEEN: "○", Kind.FAILED: "✗"}
_WORDS: Final[Mapping[Kind, str]] = {
    Kind.PROVED: "proved",
    Kind.CHECKED: "checked",
    Kind.SEEN: "seen",
    Kind.FAILED: "failed",
}


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


def render(judgement: Judgement, truth: Truth, facts: Facts, comparison: Comparison | None = None) -> str:
    """The whole page. Without a comparison it says that there is none."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("proof.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    dashboards = boards(judgement.dashboards, truth)
    charts = {identity: data for board in dashboards for identity, data in board.charts.items()}
    return environment.get_template("page.html.j2").render(
        facts=facts,
        plan=truth.plan,
        marks=MARKS,
        words=_WORDS,
        counts=[(kind, sum(one.kind is kind for one in judgement.verdicts)) for kind in Kind],
        failed=judgement.failed,
        boards=dashboards,
        drills=[timeline(drill) for drill in judgement.drills],
        traces=waterfalls(truth),
        shelves=shelves(truth.plan.documents),
        comparison=comparison,
        others=_grouped(judgement.others),
        verdicts=judgement.verdicts,
        # In a script element nothing but its end tag would be read as markup.
        charts=Markup(json.dumps(charts, separators=(",", ":")).replace("<", "\\u003c")),  # noqa: S704 - no `<`, no tag
        style=_own("style.css"),
        script=_own("page.js"),
        plotly=Markup(files("plotly").joinpath("package_data/plotly.min.js").read_text(encoding="utf-8")),  # noqa: S704 - the library itself
    )


def _own(name: str) -> Markup:
    return Markup(files("proof.report").joinpath("templates", name).read_text(encoding="utf-8"))  # noqa: S704 - our file


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
    "collector": "Collectors",
    "copy": "Partners and CloudWatch",
    "signature": "Signatures",
    "log": "Collector logs",
    "address": "Addresses, which differ here",
}
