"""Reports on runs that never happened."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from documents.catalogue import Label
from proof import checks, report
from proof.drill import Drill, Evaluator
from proof.report import Facts
from proof.truth import Truth
from proof.verdict import Kind, Verdict
from proof.verdicts import Judge, Judgement
from tests.proof.made import plan, server, service, truth

FACTS = Facts("dev", "22 November 2026, 10:00 UTC", 61.2, (("Command", "make prove STACK=dev"), ("Load", "10/s")))


def target(ref: str, expr: str = "x", **more: Any) -> dict[str, Any]:
    return {"refId": ref, "expr": expr, "interval": "60s", "legendFormat": f"{{{{{Label.FAMILY}}}}}", **more}


def panel(
    kind: str, title: str, unit: str, *targets: Mapping[str, Any], x: int = 0, y: int = 0, w: int = 12, **more: Any
):
    """A panel of height 8; `more` are keys of its JSON."""
    return {
        "type": kind,
        "title": title,
        "description": "What to do about <it>.",
        "datasource": {"uid": "amp"},
        "gridPos": {"x": x, "y": y, "w": w, "h": 8},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": list(targets) or [target("A")],
    } | more


def limits(*steps: tuple[float | None, str]) -> dict[str, Any]:
    return {"mode": "absolute", "steps": [{"value": value, "color": name} for value, name in steps]}


CLOUDWATCH = {"refId": "A", "datasource": {"uid": "cloudwatch"}, "metricName": "CpuUtilized", "statistic": "Average"}
XRAY = {
    "refId": "A",
    "datasource": {"uid": "xray"},
    "queryMode": "X-Ray",
    "queryType": "getServiceMap",
    "region": "default",
    "group": {"GroupName": "Default"},
}

BOARD = {
    "uid": "ecs-tasks",
    "title": "ECS tasks",
    "description": "What runs.",
    "templating": {"list": []},
    "panels": [
        {"type": "row", "title": "Now"},
        panel("stat", "Running tasks", "short", target("A", "tasks"), y=1, w=8),
        {"type": "row", "title": "By family"},
        panel("timeseries", "CPU of reservation", "percent", y=10),
        panel("timeseries", "Network in", "Bps", target("A", "broken"), x=12, y=10),
        panel("timeseries", "Elsewhere", "short", CLOUDWATCH, y=18),
        panel("heatmap", "Latency", "s", target("A", "buckets", format="heatmap"), x=12, y=18),
        panel("table", "Tasks", "percent", target("A", "table"), target("B", "table"), y=26, w=24),
    ],
}
TRACES = {
    "uid": "traces",
    "title": "Traces",
    "templating": {"list": []},
    "panels": [panel("nodeGraph", "Service map", "short", XRAY, w=24)],
}

DOCUMENTS = {
    "dashboards/ecs-tasks.json": json.dumps(BOARD, indent=2),
    "dashboards/traces.json": json.dumps(TRACES, indent=2),
    "collector/front.yaml": "receivers:\n  otlp: {} # <b>\n",
    "summary.md": "# shop, stack dev\n",
}


def answers(query: str) -> list[tuple[Mapping[str, str], float]]:
    families = [({Label.FAMILY: f"shop-dev-{name}"}, 80.0) for name in ("front", "back")]
    tasks = [({Label.TASK: "</script><b>", Label.FAMILY: "shop-dev-front"}, 80.0)]
    buckets = [({Label.BOUND: bound}, count) for bound, count in (("+Inf", 9.0), ("0.1", 4.0), ("0.5", 9.0))]
    return {"tasks": [({}, 2.0)], "x": families, "broken": [], "table": tasks, "buckets": buckets}[query]


def judged(of: Truth, *drills: Drill) -> Judgement:
    async def run() -> Judgement:
        judge = Judge(of, server(answers))
        return Judgement(await judge.dashboards(), tuple(checks.all_of(of)), drills)

    return asyncio.run(run())


def drill(alert: str = "HighErrorRate", **changes: Any) -> Drill:
    """Half of the requests fail from minute 5 to minute 25; it fires after 8 minutes and resolves after 30."""
    stated = {
        "severity": "critical",
        "subject": "front",
        "evaluator": Evaluator.AMP,
        "fault": "half of the requests fail",
        "began": 300.0,
        "ended": 1500.0,
        "fired": 480.0,
        "resolved": 1800.0,
        "values": tuple((60.0 * minute, 0.5 if 5 < minute < 25 else 0.0) for minute in range(41)),
        "threshold": 0.05,
        "verdict": Verdict(Kind.PROVED, "alert", alert),
    }
    return Drill(alert, **stated | changes)


def made(**documents: str) -> Truth:
    return truth(plan(service("front"), service("back"), documents=DOCUMENTS | documents))


def page(*drills: Drill) -> str:
    of = made()
    return report.render(judged(of, *drills), of, FACTS)
