"""When alerts fire and resolve: promtool evaluates rules, unmodified, over given samples.

promtool only compares. So it is asked at every evaluation for nothing at all, and what it found instead is read.
"""

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import promql_parser

from documents.text import from_yaml
from proof import stretched
from proof.remote_write import Labels
from proof.stretched import GRID_SECONDS, Series

EVALUATION_SECONDS: Final = 60
"""AMP's interval for groups that state none."""

_FIRING: Final = 'ALERTS{alertstate="firing"}'
_ASKED: Final = re.compile(r'^    expr: (".*"), time: ([^,]+),$', re.MULTILINE)
_SAMPLE: Final = re.compile(r'(\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\}) ([-+]?(?:[\d.]+E[-+]\d+|Inf)|NaN)')
_LABEL: Final = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*")')
_TEST: Final = "samples.yaml"
_SELDOM: Final = 10
_PART: Final = re.compile(r"([\d.]+)(ms|[hms])")
_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class ReplayError(Exception):
    """promtool could not read the rules or the samples; the text is what it says."""


@dataclass(frozen=True)
class AlertRule:
    """An alert of a rules file. `measured` is the part of its expression that is compared with `threshold`, or all of
    it where it is compared with nothing."""

    name: str
    labels: Mapping[str, str]
    expr: str
    measured: str
    threshold: float | None


Found = Mapping[float, tuple[tuple[Mapping[str, str], float], ...]]
"""Labels and value of each series that a query found, by time in seconds since the first sample."""


@dataclass(frozen=True)
class Timeline:
    """What came of a replay until `end`: the alerts that fired at each evaluation, and what each alert measured."""

    end: float
    firing: Found
    measured: Mapping[str, Found]
    """By what was measured."""


def alerts(rules: Iterable[str]) -> list[AlertRule]:
    """The alerts of rule files, given as their texts."""
    documents: list[Mapping[str, Any]] = [from_yaml(text) or {} for text in rules]
    groups: list[Mapping[str, Any]] = [group for document in documents for group in document.get("groups") or ()]
    return [_alert(rule) for group in groups for rule in group["rules"] if "alert" in rule]


def _alert(rule: Mapping[str, Any]) -> AlertRule:
    expr = str(rule["expr"])
    measured, threshold = _compared(promql_parser.parse(expr))
    return AlertRule(str(rule["alert"]), dict(rule.get("labels") or {}), expr, measured, threshold)


def _compared(node: Any) -> tuple[str, float | None]:
    """What an expression compares with a number first, and that number; all of it and None where it does not."""
    if isinstance(node, promql_parser.ParenExpr):
        return _compared(node.expr)
    if isinstance(node, promql_parser.AggregateExpr) and str(node.op) == "max" and not node.modifier:
        measured, threshold = _compared(node.expr)
        return f"max({measured})", threshold
    if isinstance(node, promql_parser.BinaryExpr):
        operator = str(node.op)
        if operator in ("and", "or"):
            return _compared(node.lhs)
        if operator in (">", ">=", "<", "<=", "==", "!=") and isinstance(node.rhs, promql_parser.NumberLiteral):
            return str(node.lhs), float(node.rhs.val)
    return str(node), None


async def replay(promtool: Path, rules: Mapping[str, str], series: Series, folder: Path, closely: float) -> Timeline:
    """The timeline of the alerts of rule files (text by name), until the last sample; what they measure is asked at
    every evaluation until `closely`, and seldom after that.

    Raises ReplayError if promtool refuses a document.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in rules.items():
        (folder / name).write_text(text)
    measured = sorted({alert.measured for alert in alerts(rules.values())})
    times = range(0, int(max((points[-1].at for points in series.values() if points), default=0)), EVALUATION_SECONDS)
    queries = [(_FIRING, time) for time in times]
    queries += [
        (one, time)
        for one in measured
        for time in times
        if time <= closely or not time % (_SELDOM * EVALUATION_SECONDS)
    ]
    (folder / _TEST).write_text(_document(list(rules), series, queries))
    found = answers(await _output(promtool, folder))
    return Timeline(float(times.stop), found.get(_FIRING, {}), {one: found[one] for one in measured if one in found})


async def _output(promtool: Path, folder: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        *(promtool, "test", "rules", _TEST),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            process.kill()
    # It complains about every answer, so only an output without any answer is a complaint about the documents.
    if process.returncode and not _ASKED.search(said):
        raise ReplayError(said.strip())
    return said


def _document(rules: Sequence[str], series: Series, queries: Iterable[tuple[str, int]]) -> str:
    """A unit test in JSON, which is YAML that is quick to write."""
    return json.dumps(
        {
            "rule_files": rules,
            "evaluation_interval": f"{EVALUATION_SECONDS}s",
            "tests": [
                {
                    "interval": f"{GRID_SECONDS}s",
                    "input_series": [
                        {"series": selector(labels), "values": stretched.notation(points)}
                        for labels, points in series.items()
                        if points
                    ],
                    "promql_expr_test": [{"expr": query, "eval_time": f"{time}s"} for query, time in queries],
                }
            ],
        }
    )


def selector(labels: Labels) -> str:
    """A series as PromQL names it."""
    # JSON's escapes within ASCII are those of PromQL's strings.
    return "{" + ", ".join(f"{name}={json.dumps(value)}" for name, value in labels) + "}"


def answers(said: str) -> Mapping[str, Found]:
    """What promtool found where nothing was expected, by query."""
    found: dict[str, dict[float, tuple[tuple[Mapping[str, str], float], ...]]] = {}
    asked = list(_ASKED.finditer(said))
    for one, following in zip(asked, [*asked[1:], None], strict=True):
        text = said[one.end() : following.start() if following else len(said)]
        samples = tuple(_samples(text.partition("got:")[2]))
        found.setdefault(json.loads(one[1]), {})[_seconds(one[2])] = samples
    return found


def _samples(text: str) -> Iterator[tuple[Mapping[str, str], float]]:
    for labels, value in _SAMPLE.findall(text):
        yield {name: str(json.loads(quoted)) for name, quoted in _LABEL.findall(labels)}, float(value)


def _seconds(duration: str) -> float:
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(duration))
