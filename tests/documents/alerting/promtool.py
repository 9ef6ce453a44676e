"""Unit tests of Prometheus rules, made from Python and run by promtool."""

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from documents import rules
from documents.observed import Observed
from documents.rules import Rule
from tools.build import MissingProgram, program

RESET = "reset"
"""In a counter: the process starts anew, and counts from zero."""

GONE = None
"""In a counter or gauge: so long there is no sample."""

Rate = float | None


def counter(*parts: tuple[int, Rate] | str) -> str:
    """A counter with a sample each minute: for so many minutes it grows by so much a minute."""
    made: list[str] = ["0"]
    value = 0.0
    for part in parts:
        if isinstance(part, str):
            value = 0.0
            continue
        minutes, rate = part
        for _ in range(minutes):
            value += rate or 0
            made.append("_" if rate is None else f"{value:.12g}")
    return " ".join(made)


def gauge(*parts: tuple[int, Rate]) -> str:
    """A gauge with a sample each minute: for so many minutes it has a value."""
    return " ".join("_" if value is None else f"{value:.12g}" for minutes, value in parts for _ in range(minutes))


@dataclass(frozen=True)
class Case:
    """What is written, and at which minutes an alert fires and at which it does not. `says` is its description at the
    first of the minutes at which it fires, where the case looks at that."""

    kind: str
    written: Mapping[str, str]
    fires: tuple[int, ...] = ()
    silent: tuple[int, ...] = ()
    says: str = ""

    def test(self, alert: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> dict[str, Any]:
        """The test as promtool wants it."""
        firing = f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})'
        expected = [(minute, [{"labels": "{}", "value": 1}]) for minute in self.fires]
        expected += [(minute, []) for minute in self.silent]
        told = {"exp_labels": dict(labels), "exp_annotations": {**annotations, "description": self.says}}
        return {
            "name": f"{alert}: {self.kind}",
            "interval": "1m",
            "input_series": [{"series": series, "values": values} for series, values in self.written.items()],
            "promql_expr_test": [
                {"expr": firing, "eval_time": f"{minute}m", "exp_samples": samples} for minute, samples in expected
            ],
            "alert_rule_test": [{"eval_time": f"{self.fires[0]}m", "alertname": alert, "exp_alerts": [told]}]
            if self.says
            else [],
        }


def judge(folder: Path, rules: Iterable[Mapping[str, Any]], tests: list[dict[str, Any]]) -> str:
    """What promtool has to say against the rules; nothing if every test holds."""
    files = {f"rules{index}.yaml": document for index, document in enumerate(rules)}
    for name, document in files.items():
        (folder / name).write_text(yaml.safe_dump(dict(document)))
    suite = {"rule_files": [*files], "evaluation_interval": "1m", "fuzzy_compare": True, "tests": tests}
    (folder / "tests.yaml").write_text(yaml.safe_dump(suite))
    return run("test", "rules", str(folder / "tests.yaml"))


def needed(stack: Observed, *exprs: str) -> dict[str, Any]:
    """The recording rules that expressions need, in their groups: without the others promtool is much faster."""
    wanted, groups = {*exprs}, list[dict[str, Any]]()
    for group in reversed(rules.groups(stack)):
        kept = list[Rule]()
        for rule in reversed(group.rules):
            if any(rule.makes.name in other for other in wanted):
                wanted.add(rule.expr)
                kept.insert(0, rule)
        if kept:
            groups.insert(0, replace(group, rules=tuple(kept)).document)
    return {"groups": groups}


def run(*arguments: str) -> str:
    """What promtool prints if it fails; nothing if it does not."""
    try:
        promtool = program("promtool")
    except MissingProgram as error:
        pytest.skip(str(error))
    result = subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False)
    return "" if result.returncode == 0 else result.stdout + result.stderr
