"""Generated dashboards as their tests read them: panels, queries, and what real Prometheus answers to these."""

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from documents import rules
from documents.catalogue import Label
from documents.dashboards import Dashboard, dashboards
from documents.observed import Observed


def data(dashboard: Dashboard) -> dict[str, Any]:
    return json.loads(dashboard.json)


def panels(dashboard: Dashboard) -> list[dict[str, Any]]:
    """Every panel that shows data, those of closed rows too."""
    every: list[dict[str, Any]] = []
    for panel in data(dashboard)["panels"]:
        every += panel.get("panels", ()) if panel["type"] == "row" else [panel]
    return every


def board(stack: Observed, uid: str) -> Dashboard:
    (found,) = (one for one in dashboards(stack) if one.uid == uid)
    return found


def panel(stack: Observed, uid: str, title: str) -> dict[str, Any]:
    (found,) = (found for found in panels(board(stack, uid)) if found["title"] == title)
    return found


def target(stack: Observed, uid: str, title: str, ref: str = "A") -> dict[str, Any]:
    (found,) = (found for found in panel(stack, uid, title)["targets"] if found["refId"] == ref)
    return found


def variables(stack: Observed, uid: str) -> dict[str, dict[str, Any]]:
    return {found["name"]: found for found in data(board(stack, uid))["templating"]["list"]}


def overrides(panel: Mapping[str, Any], column: str) -> dict[str, Any]:
    """What is special about a table's column."""
    return {
        held["id"]: held["value"]
        for override in panel["fieldConfig"]["overrides"]
        if override["matcher"] == {"id": "byName", "options": column}
        for held in override["properties"]
    }


def plain(expr: str) -> str:
    """A query as Prometheus takes it: Grafana's variables filled in."""
    values = {"__rate_interval": "4m", "cluster": "cluster-1", "spans_in_a_trace": "2"}
    return re.sub(r"\$([a-z_]\w*)", lambda found: values.get(found[1], ".*"), expr)


def series(name: str, values: str, **labels: str) -> dict[str, str]:
    inside = ",".join(f'{key}="{value}"' for key, value in {Label.CLUSTER: "cluster-1", **labels}.items())
    return {"series": f"{name}{{{inside}}}", "values": values}


def judge(folder: Path, tests: list[dict[str, Any]], stack: Observed) -> subprocess.CompletedProcess[str]:
    promtool = os.environ.get("PROMTOOL") or str(Path(__file__).parents[2] / ".bin" / "promtool")
    if not Path(promtool).exists():
        pytest.skip(f"no promtool at {promtool}")
    (folder / "rules.yaml").write_text(rules.to_yaml(rules.recording_rules(stack)))
    (folder / "tests.yaml").write_text(
        yaml.safe_dump(
            {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "fuzzy_compare": True, "tests": tests}
        )
    )
    return subprocess.run(
        [promtool, "test", "rules", folder / "tests.yaml"], capture_output=True, text=True, check=False
    )


def assert_answers(
    folder: Path,
    stack: Observed,
    uid: str,
    samples: Sequence[Mapping[str, str]],
    expected: Mapping[tuple[str, str], Mapping[str, float]],
) -> None:
    """Prometheus answers these queries, by panel and refId, as expected after 20 minutes of samples each minute."""
    checks = [
        {
            "expr": f"round({plain(target(stack, uid, *key)['expr'])}, 0.0001)",
            "eval_time": "20m",
            "exp_samples": [{"labels": labels, "value": round(value, 4)} for labels, value in found.items()],
        }
        for key, found in expected.items()
    ]
    asked = {"interval": "1m", "input_series": list(samples), "promql_expr_test": checks}
    result = judge(folder, [asked], stack)
    assert result.returncode == 0, result.stdout + result.stderr
