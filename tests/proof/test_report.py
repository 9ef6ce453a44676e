"""The page: complete, self-contained, drawn without a complaint, on a desk and on a phone."""

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from documents.catalogue import Label
from proof import checks, report
from proof.report import Facts, axis_of
from proof.truth import Truth
from proof.verdicts import Judge, Judgement
from tests.proof import browser
from tests.proof.made import plan, server, service, truth

FACTS = Facts("dev", "22 November 2026, 10:00 UTC", 61.2, (("Command", "make prove STACK=dev"), ("Load", "10/s")))


def target(ref: str, expr: str = "x") -> dict[str, Any]:
    return {"refId": ref, "expr": expr, "interval": "60s", "legendFormat": f"{{{{{Label.FAMILY}}}}}"}


def panel(kind: str, title: str, unit: str, *targets: Mapping[str, Any], y: int = 0, w: int = 12) -> dict[str, Any]:
    return {
        "type": kind,
        "title": title,
        "description": "What to do about <it>.",
        "datasource": {"uid": "amp"},
        "gridPos": {"x": 0, "y": y, "w": w, "h": 8},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": list(targets) or [target("A")],
    }


BOARD = {
    "uid": "ecs-tasks",
    "title": "ECS tasks",
    "templating": {"list": []},
    "panels": [
        {"type": "row", "title": "Now"},
        panel("stat", "Running tasks", "short", target("A", "tasks"), y=1, w=8),
        {"type": "row", "title": "By family"},
        panel("timeseries", "CPU of reservation", "percent", y=2),
        panel("timeseries", "Network in", "Bps", target("A", "broken"), y=2),
        panel("timeseries", "Elsewhere", "short", {"refId": "A", "datasource": {"uid": "cloudwatch"}}, y=3),
        panel("table", "Tasks", "percent", target("A", "table"), target("B", "table"), y=4, w=24),
    ],
}


def answers(query: str) -> list[tuple[Mapping[str, str], float]]:
    families = [({Label.FAMILY: f"shop-dev-{name}"}, 80.0) for name in ("front", "back")]
    tasks = [({Label.TASK: "</script><b>", Label.FAMILY: "shop-dev-front"}, 80.0)]
    return {"tasks": [({}, 2.0)], "x": families, "broken": [], "table": tasks}[query]


def judged(of: Truth) -> Judgement:
    async def run() -> Judgement:
        judge = Judge(of, server(answers))
        return Judgement(await judge.dashboards(), tuple(checks.all_of(of)))

    return asyncio.run(run())


@pytest.fixture(scope="module")
def page() -> str:
    made = truth(plan(service("front"), service("back"), documents={"dashboards/ecs-tasks.json": json.dumps(BOARD)}))
    return report.render(judged(made), made, FACTS)


def body(page: str) -> str:
    return page[: page.index('<script type="application/json"')]


def test_every_panel_stands_with_its_verdict(page: str) -> None:
    for text in ("Running tasks", "CPU of reservation", "Network in", "Elsewhere", "<th>aws_ecs_task_id</th>"):
        assert text in body(page)
    assert "<b>2</b>" in body(page)
    assert "no series for shop-dev-front" in body(page)
    assert "cannot run here" not in body(page)  # Elsewhere failed: this cluster has no Container Insights.
    assert "What to do about &lt;it&gt;." in body(page)
    assert "make prove STACK=dev" in body(page)
    assert "4 of 15 verdicts failed" in re.sub(r"\s+", " ", body(page))


def test_text_from_telemetry_is_never_markup(page: str) -> None:
    assert "</script><b>" not in page
    assert "&lt;/script&gt;&lt;b&gt;" in body(page)


def test_the_page_refers_to_nothing_else(page: str) -> None:
    assert not re.search(r"""<(?:script|img|link|iframe)[^>]*(?:src|href)=["'](?!data:|#)""", body(page))
    assert page.count("<script>") == 2


def test_charts_have_the_data_and_what_was_expected(page: str) -> None:
    charts = json.loads(re.findall(r'<script type="application/json" id="charts">(.*?)</script>', page, re.DOTALL)[0])
    [chart] = charts.values()
    assert (chart["title"], chart["suffix"]) == ("CPU of reservation", " %")
    assert [line["name"] for line in chart["lines"]] == ["shop-dev-front", "shop-dev-back"]
    assert chart["lines"][0]["x"][:2] == [0.0, 2.0]
    assert chart["lines"][0]["y"][0] == 80.0
    assert chart["lines"][0]["band"] == [pytest.approx(68), pytest.approx(92)]


def test_traces_are_drawn_as_waterfalls(page: str) -> None:
    assert body(page).count('class="card trace"') == 3
    for title in ("An ordinary request, 150 ms", "A slow request, 600 ms", "A failed request, 150 ms"):
        assert title in body(page)


def test_without_dashboards_and_traces_the_page_says_so() -> None:
    made = truth(traces=truth().traces.__class__())
    text = report.render(judged(made), made, FACTS)
    assert "its Grafana is turned off" in text
    assert "No complete trace arrived." in text


@pytest.mark.parametrize(
    ("unit", "largest", "factor", "suffix"),
    [
        ("percentunit", 0.5, 100, " %"),
        ("percent", 50, 1, " %"),
        ("mbytes", 300, 1, " MiB"),
        ("mbytes", 3000, 1 / 1024, " GiB"),
        ("Bps", 2048, 1 / 1024, " KiB/s"),
        ("bytes", 0, 1, " B"),
        ("s", 0.2, 1000, " ms"),
        ("s", 2, 1, " s"),
        ("reqps", 10, 1, " req/s"),
        ("suffix: vCPU", 1, 1, " vCPU"),
        ("short", 1, 1, ""),
    ],
)
def test_axes_follow_the_unit(unit: str, largest: float, factor: float, suffix: str) -> None:
    axis = axis_of(unit, largest)
    assert (axis.factor, axis.suffix) == (pytest.approx(factor), suffix)


def test_the_page_is_put_in_place_at_once(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    report.write(path, "old")
    with pytest.raises(UnicodeEncodeError):
        report.write(path, "half \ud800")
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == "old"


@pytest.mark.slow
@browser.needed
@pytest.mark.parametrize(
    ("width", "dark", "background"), [(1280, False, "rgb(246, 247, 249)"), (390, True, "rgb(17, 20, 24)")]
)
def test_a_browser_draws_every_chart_without_a_complaint(
    page: str, tmp_path: Path, width: int, dark: bool, background: str
) -> None:
    path = tmp_path / "report.html"
    report.write(path, page)
    seen = browser.look(path, tmp_path / "profile", width=width, dark=dark)
    assert seen.console == ()
    assert seen.drawn == seen.charts == ("ecs-tasks-1",)
    assert seen.width == width
    assert seen.background == background
