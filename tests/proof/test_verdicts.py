"""A judge that cannot be fooled: constants, wrong units, missing and extra series, wrong labels."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from documents.catalogue import Label
from proof.expectations.values import Expected, exactly
from proof.prometheus import Frame
from proof.truth import Truth
from proof.verdict import Kind, Verdict
from proof.verdicts import DashboardResult, Judge, compare
from tests.proof.made import Answers, plan, server, service, truth

FRONT = {Label.FAMILY: "shop-dev-front"}
BACK = {Label.FAMILY: "shop-dev-back"}
GOOD = [(FRONT, 80.0), (BACK, 80.0)]


def board(title: str = "CPU of reservation", uid: str = "ecs-tasks", **changes: Any) -> dict[str, Any]:
    target = {"expr": 'cpu{cluster="$cluster"}', "refId": "A", "interval": "60s"}
    panel = {
        "type": "timeseries",
        "title": title,
        "datasource": {"uid": "amp"},
        "fieldConfig": {"defaults": {"unit": "percent"}, "overrides": []},
        "targets": [target],
    }
    return {"uid": uid, "title": "ECS tasks", "panels": [panel | changes], "templating": {"list": []}}


def judged(
    document: Mapping[str, Any], answers: Answers, *, of: Truth | None = None, constant: bool = False
) -> DashboardResult:
    return asyncio.run(Judge(of or truth(), server(answers, constant=constant)).dashboard(document))


def verdict(answers: Sequence[tuple[Mapping[str, str], float]], **changes: Any) -> Verdict:
    [only] = judged(board(**changes), lambda _: answers).verdicts
    return only


def test_values_that_agree_are_proved() -> None:
    found = verdict(GOOD)
    assert (found.kind, found.series, found.reason) == (Kind.PROVED, 2, "")
    assert found.expected == "shop-dev-back: 68 % to 92 %\nshop-dev-front: 68 % to 92 %"
    assert found.found == "shop-dev-back: 80 %\nshop-dev-front: 80 %"


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([], "no series for shop-dev-front; no series for shop-dev-back"),
        ([(FRONT, 80.0)], "no series for shop-dev-back"),
        ([*GOOD, ({Label.FAMILY: "shop-dev-other"}, 80.0)], "series for shop-dev-other is not expected"),
        ([*GOOD, ({**FRONT, Label.TASK: "1"}, 80.0)], "two series for shop-dev-front"),
        ([(FRONT, 0.8), (BACK, 80.0)], "shop-dev-front is 0.8 %, expected 68 % to 92 %"),
        ([(FRONT, 8000.0), (BACK, 80.0)], "shop-dev-front is 8e+03 %"),
        ([({}, 80.0)], "series for (none) is not expected"),
        ([(FRONT, float("nan")), (BACK, 80.0)], "shop-dev-front has 0 of 16 points"),
    ],
)
def test_what_does_not_agree_fails_with_the_reason(answers: list[tuple[Mapping[str, str], float]], reason: str) -> None:
    found = verdict(answers)
    assert found.kind is Kind.FAILED
    assert reason in found.reason


def test_the_panels_unit_counts_and_not_the_queries_number() -> None:
    unit = {"fieldConfig": {"defaults": {"unit": "percentunit"}, "overrides": []}}
    assert verdict([(FRONT, 0.8), (BACK, 0.8)], **unit).kind is Kind.PROVED
    assert verdict(GOOD, **unit).kind is Kind.FAILED


def test_a_metric_that_nobody_wrote_is_named_with_its_nearest() -> None:
    found = verdict([], targets=[{"expr": "sum(rate(ecs_task_cpu_reservd[5m])) / b:c", "refId": "A"}])
    assert found.reason.endswith("; nobody wrote ecs_task_cpu_reservd (but ecs_task_cpu_reserved)")


def test_a_constant_fails_even_if_its_value_is_right() -> None:
    [found] = judged(board(), lambda _: GOOD, constant=True).verdicts
    assert found.kind is Kind.FAILED
    assert found.reason == "shows 2 series from before any telemetry: a constant"


def test_a_series_with_gaps_fails() -> None:
    expected = judged(board(), lambda _: GOOD).panels[0].answers[0].expected
    assert expected is not None
    points = tuple((float(second), 80.0) for second in range(5))
    assert "has 5 of 10 points" in compare(expected, [Frame(FRONT, points), Frame(BACK, points * 2)], 0.01, 10).reason


def test_what_may_be_missing_and_what_begins_late() -> None:
    points = tuple((float(second), 1.0) for second in range(2))
    both = {("a",): exactly(1), ("b",): exactly(1)}
    late = Expected(("x",), both, optional=frozenset({("b",)}), coverage=0.0)
    assert compare(late, [Frame({"x": "a"}, points)], 1.0, 10).reason == ""
    assert compare(late, [Frame({"x": "b"}, points)], 1.0, 10).reason == "no series for a"
    assert compare(late, [Frame({"x": "c"}, points)], 1.0, 10).reason.endswith("series for c is not expected")


def test_marks_in_graphs_are_asked_for() -> None:
    mark = {
        "name": "Deployment",
        "datasource": {"uid": "amp"},
        "target": {"refId": "Annotation", "expr": "new", "interval": "60s"},
    }
    document = board(targets=[]) | {"annotations": {"list": [{"name": "by hand", "builtIn": 1}, mark]}}
    found = judged(document, lambda query: [(FRONT, 1.0), (BACK, 1.0)] if query == "new" else [])
    [verdict] = found.annotations
    assert (verdict.kind, verdict.subject) == (Kind.PROVED, "ECS tasks / annotation Deployment / Annotation")
    assert found.verdicts == (verdict,)
    [missing] = judged(document, lambda _: [(FRONT, 1.0)]).annotations
    assert missing.reason == "no series for shop-dev-back"


def test_a_query_that_prometheus_refuses_fails() -> None:
    found = verdict(GOOD, targets=[{"expr": "refused(", "refId": "A"}])
    assert (found.kind, found.reason) == (Kind.FAILED, "parse error")


def test_a_panel_of_ours_without_expectation_fails_and_an_imported_one_is_only_seen() -> None:
    [ours] = judged(board("New panel"), lambda _: GOOD).verdicts
    assert (ours.kind, ours.reason) == (Kind.FAILED, "no expectation")
    [theirs] = judged(board("New panel", uid="imported"), lambda _: GOOD).verdicts
    assert (theirs.kind, theirs.found) == (Kind.SEEN, "80 to 80")
    [empty] = judged(board("New panel", uid="imported"), lambda _: []).verdicts
    assert (empty.kind, empty.reason) == (Kind.FAILED, "shows nothing; nobody wrote cpu")
    [constant] = judged(board("New panel", uid="imported"), lambda _: GOOD, constant=True).verdicts
    assert constant.kind is Kind.FAILED


def test_a_panel_of_nobodys_data_source_fails() -> None:
    [found] = judged(board(datasource="Prometheus"), lambda _: GOOD).verdicts
    assert (found.kind, found.reason) == (Kind.FAILED, "it goes to a data source that this stack does not have")


CLUSTER = {
    "name": "cluster",
    "type": "query",
    "datasource": {"uid": "amp"},
    "query": f"label_values(cpu, {Label.CLUSTER})",
    "current": {"value": "shop-dev"},
}


@pytest.mark.parametrize(
    ("change", "values", "kind", "reason"),
    [
        ({}, ["shop-dev"], Kind.PROVED, ""),
        ({}, ["shop-dev", "shop-prod"], Kind.FAILED, "instead of shop-dev"),
        ({}, [], Kind.FAILED, "instead of shop-dev"),
        ({"current": {"value": "shop-prod"}}, ["shop-dev"], Kind.FAILED, "is set to shop-prod"),
        ({"name": "zone"}, ["a"], Kind.FAILED, "no expectation"),
        ({"query": "tag_values(x)"}, ["a"], Kind.FAILED, "does not know the variable query"),
        ({"datasource": {"uid": "cloudwatch"}}, ["a"], Kind.FAILED, "cannot be asked here"),
    ],
)
def test_variables_are_judged(change: dict[str, Any], values: list[str], kind: Kind, reason: str) -> None:
    document = board() | {"templating": {"list": [CLUSTER | change]}}
    found = judged(document, lambda _: [({Label.CLUSTER: value}, 1.0) for value in values]).variables[0]
    assert found.kind is kind
    assert reason in found.reason


def test_variables_go_into_queries_and_units_into_tables() -> None:
    asked: list[str] = []

    def answers(query: str) -> list[tuple[Mapping[str, str], float]]:
        asked.append(query)
        return [({Label.CLUSTER: "shop-dev"}, 1.0)]

    judged(board() | {"templating": {"list": [CLUSTER]}}, answers)
    assert asked[-1] == 'cpu{cluster="shop-dev"}'


def test_a_window_that_is_empty_on_aws_fails_although_it_is_full_here() -> None:
    def reason(expr: str, **changes: Any) -> str:
        target = {"expr": expr, "refId": "A"} | changes
        return verdict(GOOD, targets=[target]).reason

    assert reason("rate(x[$__rate_interval])", interval="60s") == ""
    assert reason("rate(x[5m])") == ""
    assert "rate looks back 60 s" in reason("rate(x[1m])")
    # A step of 15 s makes windows of a minute, and so does a data source that is told nothing.
    assert "rate looks back 60 s" in reason("rate(x[$__rate_interval])", interval="15s")


def test_a_rule_that_looks_back_too_little_fails() -> None:
    [found] = rules(RULES.replace("a / b", "rate(a[1m])"), lambda _: recorded(0.8, truth()))
    assert "on AWS there is one every 60 s" in found.reason


def test_an_imported_variable_needs_a_value() -> None:
    document = board(uid="imported") | {"templating": {"list": [CLUSTER | {"name": "x"}]}}
    assert judged(document, lambda _: [({Label.CLUSTER: "a"}, 1.0)]).variables[0].kind is Kind.SEEN
    assert judged(document, lambda _: []).variables[0].reason == "offers no value"


CPU = "task:ecs_task_cpu_utilization:ratio"
RULES = f"groups:\n- name: g\n  rules:\n  - record: {CPU}\n    expr: a / b\n"


def rules(
    text: str, answers: Answers, *, loaded: Mapping[str, str] | None = None, constant: bool = False
) -> list[Verdict]:
    made = truth(plan(service("front"), service("back"), documents={"rules/r.yaml": text}))
    asked = server(answers, constant=constant)
    states = {CPU: "ok"} if loaded is None else loaded
    groups = [
        {
            "name": "g",
            "rules": [{"name": name, "health": health, "state": "inactive"} for name, health in states.items()],
        }
    ]

    async def rule_groups() -> list[dict[str, Any]]:
        return groups

    asked.rule_groups = rule_groups  # type: ignore[method-assign]
    return asyncio.run(Judge(made, asked).rules())


def recorded(value: float, of: Truth) -> list[tuple[Mapping[str, str], float]]:
    return [({Label.TASK: one.id, Label.FAMILY: one.family, Label.SERVICE: one.service}, value) for one in of.tasks]


def test_a_recorded_series_is_held_against_the_truth() -> None:
    of = truth()
    assert [one.kind for one in rules(RULES, lambda _: recorded(0.8, of))] == [Kind.PROVED]
    [wrong] = rules(RULES, lambda _: recorded(80, of))
    assert wrong.kind is Kind.FAILED
    assert "expected 68 % to 92 %" in wrong.reason


@pytest.mark.parametrize(
    ("text", "loaded", "kind", "reason"),
    [
        (RULES, {}, Kind.FAILED, "Prometheus did not load it"),
        (RULES, {CPU: "err"}, Kind.FAILED, "its evaluation: err"),
        (RULES.replace(CPU, "other:name"), {"other:name": "ok"}, Kind.FAILED, "no expectation"),
        (RULES.replace("record", "alert"), {CPU: "ok"}, Kind.PROVED, ""),
    ],
)
def test_rules_that_do_not_work_fail(text: str, loaded: dict[str, str], kind: Kind, reason: str) -> None:
    [found] = rules(text, lambda _: recorded(0.8, truth()), loaded=loaded)
    assert found.kind is kind
    assert reason in found.reason


def test_a_recorded_constant_fails() -> None:
    [found] = rules(RULES, lambda _: recorded(0.8, truth()), constant=True)
    assert (found.kind, found.reason) == (Kind.FAILED, "records a constant")


def test_rules_of_one_name_are_one_verdict_of_which_each_counts() -> None:
    second = "\n  - record: task:ecs_task_cpu_utilization:ratio\n    expr: c / d\n    labels: {one: more}\n"
    twice = RULES.rstrip() + second
    of = truth()
    [half] = rules(twice, lambda _: recorded(0.8, of))
    assert (half.kind, half.reason) == (Kind.FAILED, "Prometheus did not load it")


def test_no_rules_are_no_verdicts() -> None:
    assert rules("groups: []\n", lambda _: []) == []


def test_ours_come_before_imported_dashboards() -> None:
    documents = {
        f"dashboards/{uid}.json": json.dumps(board(uid=uid)) for uid in ("a-imported", "application", "ecs-tasks")
    }
    made = replace(truth(), plan=plan(documents=documents))
    boards = asyncio.run(Judge(made, server(lambda _: GOOD)).dashboards())
    assert [one.uid for one in boards] == ["ecs-tasks", "application", "a-imported"]
