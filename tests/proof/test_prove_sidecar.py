"""The sidecar pattern for real: everything is proved, and nothing that is broken is."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from documents.dashboards.folder import FOLDER
from documents.dashboards.sources import AMP
from proof import report
from proof.report import Facts
from proof.verdict import Kind
from proof.verdicts import Judgement
from tests.proof import browser
from tests.proof.live import ROOT, WHOLE, Live, complaints, live, named, wanted

pytestmark = pytest.mark.slow

IMPORTED = Path("tests/proof/imported.json")
CONFIG = {"grafana": {"dashboards": [str(IMPORTED)]}}
FACTS = Facts("dev", "now", 1.0, ())

Json = dict[str, Any]


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(wanted("dev", config=CONFIG), tmp_path_factory.mktemp("dev"), WHOLE) as run:
        yield run


@pytest.fixture(scope="module")
def judgement(dev: Live) -> Judgement:
    return dev.judged()


def test_everything_is_proved(judgement: Judgement) -> None:
    assert complaints(judgement) == ""
    ours = [one for board in judgement.dashboards[:-1] for panel in board.panels for one in panel.answers]
    assert [board.uid for board in judgement.dashboards[:-1]] == [entry.uid for entry in FOLDER]
    assert {one.verdict.kind for one in ours if one.target.source is AMP} == {Kind.PROVED}
    assert {one.verdict.kind for one in ours if one.target.source is not AMP} == {Kind.CHECKED}
    assert {one.area for one in judgement.others if one.kind is not Kind.PROVED} == {"address", "rule"}


def test_an_imported_dashboard_shows_data_and_is_not_called_proved(judgement: Judgement) -> None:
    imported = judgement.dashboards[-1]
    assert {one.verdict.kind for panel in imported.panels for one in panel.answers} == {Kind.SEEN}


def test_all_requests_have_arrived_and_everyone_signed(dev: Live, judgement: Judgement) -> None:
    assert len(dev.truth.sent) >= 100
    assert named(judgement.others, "a trace for each request").found == str(len(dev.truth.sent))
    assert dev.truth.traces.twice == 0
    assert dev.truth.writes.refused == {}
    assert {key for writers in dev.truth.writes.writers.values() for key in writers} == {
        task.key for task in dev.truth.tasks
    }


def ecs_tasks() -> Json:
    return json.loads(wanted("dev", config=CONFIG).documents["dashboards/ecs-tasks.json"])


def panel(dashboard: Json, title: str) -> Json:
    return next(one for one in dashboard["panels"] if one.get("title") == title)


def misspelt(dashboard: Json) -> None:
    target = panel(dashboard, "vCPU in use")["targets"][0]
    target["expr"] = target["expr"].replace("ecs_task_cpu_usage_vcpu", "ecs_task_cpu_usage_vCPU")


def suffixed(dashboard: Json) -> None:
    target = panel(dashboard, "Memory in use")["targets"][0]
    target["expr"] = target["expr"].replace("ecs_task_memory_utilized", "ecs_task_memory_utilized_MiB")


def or_zero(dashboard: Json) -> None:
    panel(dashboard, "Running tasks")["targets"][0]["expr"] += " or vector(0)"


def right_by_accident(dashboard: Json) -> None:
    panel(dashboard, "Running tasks")["targets"][0]["expr"] = "vector(2)"


def a_hundred_times(dashboard: Json) -> None:
    panel(dashboard, "CPU of reservation")["fieldConfig"]["defaults"]["unit"] = "percentunit"


def without_a_task(dashboard: Json) -> None:
    target = panel(dashboard, "Network out")["targets"][0]
    target["expr"] = target["expr"].replace("topk(10,", "topk(1,")


def by_another_label(dashboard: Json) -> None:
    target = panel(dashboard, "Network in")["targets"][0]
    target["expr"] = target["expr"].replace("by (aws_ecs_task_family)", "by (aws_ecs_cluster_name)")


def received_for_sent(dashboard: Json) -> None:
    target = panel(dashboard, "Network out")["targets"][0]
    target["expr"] = target["expr"].replace("rate_tx", "rate_rx")


def no_promql(dashboard: Json) -> None:
    panel(dashboard, "Storage read")["targets"][0]["expr"] += " by"


def another_cluster(dashboard: Json) -> None:
    dashboard["templating"]["list"][0]["current"] = {"text": "other", "value": "other"}


@pytest.mark.parametrize(
    ("broken", "subject", "reason"),
    [
        (misspelt, "vCPU in use / A", "nobody wrote ecs_task_cpu_usage_vCPU (but ecs_task_cpu_usage_vcpu"),
        (suffixed, "Memory in use / A", "(but ecs_task_memory_utilized"),
        (or_zero, "Running tasks / A", "a constant"),
        (right_by_accident, "Running tasks / A", "a constant"),
        (a_hundred_times, "CPU of reservation / A", "expected"),
        (without_a_task, "Network out / A", "no series for"),
        (by_another_label, "Network in / A", "series for (none) is not expected"),
        (received_for_sent, "Network out / A", "expected"),
        (no_promql, "Storage read / A", "parse error"),
        (another_cluster, "$cluster", "is set to other"),
    ],
)
def test_a_broken_dashboard_fails_with_the_reason(
    dev: Live, broken: Callable[[Json], None], subject: str, reason: str
) -> None:
    dashboard = ecs_tasks()
    broken(dashboard)
    failed = [one for one in dev.dashboard(dashboard).verdicts if one.kind is Kind.FAILED]
    assert [one.subject for one in failed] == [f"ECS tasks / {subject}"]
    assert reason in failed[0].reason


def test_a_new_panel_needs_an_expectation(dev: Live) -> None:
    dashboard = ecs_tasks()
    panel(dashboard, "vCPU in use")["title"] = "Another title"
    failed = [one for one in dev.dashboard(dashboard).verdicts if one.kind is Kind.FAILED]
    assert [(one.subject, one.reason) for one in failed] == [("ECS tasks / Another title / A", "no expectation")]


@browser.needed
def test_the_report_of_a_real_run_is_drawn(dev: Live, judgement: Judgement, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    report.write(page, report.render(judgement, dev.truth, FACTS))
    for width in (1280, 360):
        seen = browser.look(page, tmp_path / f"profile-{width}", width=width)
        assert seen.console == ()
        assert len(seen.charts) >= 16
        assert tuple(one for drawn in seen.boards.values() for one in drawn) == seen.charts
        assert seen.widths == {width}
        assert seen.faint == frozenset()
        assert seen.nameless == seen.unreachable == seen.twice == ()


def test_the_times_are_short(dev: Live) -> None:
    assert dev.truth.steady.seconds == pytest.approx(WHOLE.steady, abs=2)
    assert (ROOT / IMPORTED).is_file()
