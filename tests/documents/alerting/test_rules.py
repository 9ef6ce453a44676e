"""The alerts that AMP evaluates, judged by promtool over what collectors and applications would write."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from documents import rules
from documents.alerting.alerts import ALERTS
from documents.alerting.inputs import Thresholds
from documents.alerting.rules import alerting_rules
from documents.catalogue import Pattern
from documents.observed import Application, Observed
from tests.documents.alerting.cases import KINDS, OBJECTIVES, SUITES, Suite
from tests.documents.alerting.promtool import judge, needed, run
from tests.stacks import application, observed

ALL = [
    pytest.param(name, suite, id=f"{name}-{suite.about}{suite.slo and '-'}{suite.slo}")
    for name, suites in SUITES.items()
    for suite in suites
]
every = pytest.mark.parametrize(("name", "suite"), ALL)

EVERYTHING = observed(
    "dev",
    applications=(
        application("web", Pattern.SIDECAR, objectives=OBJECTIVES, desired_count=2),
        application("api", Pattern.SERVICE, objectives=OBJECTIVES),
    ),
    collectors=2,
    scraped=True,
)


def all_rules(stack: Observed) -> list[dict[str, Any]]:
    return [rule for group in alerting_rules(stack)["groups"] for rule in group["rules"]]


def names(stack: Observed, about: str) -> set[str]:
    """The alerts on an ECS service."""
    return {rule["alert"] for rule in all_rules(stack) if rule["labels"].get("aws_ecs_service_name", "") == about}


def found(stack: Observed, name: str, suite: Suite) -> dict[str, Any]:
    """The one rule of a suite."""
    wanted = {"aws_ecs_service_name": suite.about, "slo": suite.slo}
    [rule] = [
        rule
        for rule in all_rules(stack)
        if rule["alert"] == name and {key: rule["labels"].get(key, "") for key in wanted} == wanted
    ]
    return rule


def verdict(folder: Path, name: str, suite: Suite, changed: str = "") -> str:
    """What promtool says of the alert and its cases; its expression may be `changed`."""
    rule = found(suite.stack, name, suite)
    alone = {"groups": [{"name": "alone", "rules": [{**rule, "expr": changed or rule["expr"]}]}]}
    tests = [case.test(name, rule["labels"], rule["annotations"]) for case in suite.cases]
    return judge(folder, [needed(suite.stack, rule["expr"]), alone], tests)


# What they do


@pytest.mark.slow
@every
def test_fires_and_stays_silent(name: str, suite: Suite, tmp_path: Path) -> None:
    assert verdict(tmp_path, name, suite) == ""


QUICK = [param for param in ALL if not str(param.id).startswith(("ErrorBudgetBurningFast", "DeadMansSwitch"))]


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.9, 1.1])
@pytest.mark.parametrize(("name", "suite"), [*QUICK, pytest.param("ErrorBudgetBurningFast", SUITES[
    "ErrorBudgetBurningFast"][1], id="ErrorBudgetBurningFast-latency")])  # fmt: skip
def test_another_threshold_is_noticed(name: str, suite: Suite, factor: float, tmp_path: Path) -> None:
    expr = found(suite.stack, name, suite)["expr"]
    changed = moved(expr, factor)
    assert changed == expr or verdict(tmp_path, name, suite, changed)


def moved(expr: str, factor: float) -> str:
    """An expression with other thresholds: ratios and seconds so many times larger, counts one more or one less.

    What only asks whether there is anything is left alone, and so is the least number of failures, which tests of low
    traffic are for.
    """

    def other(match: re.Match[str]) -> str:
        value = float(match[2])
        if match[1] == "<":
            return f"< {value + (1 if factor > 1 else -1):g}"
        return match[0] if value in (0, 2.8) else f"{match[1]} {value * factor:.9g}"

    return re.sub(r"(>=|>|<) ([\d.]+)", other, expr)


def test_a_changed_threshold_is_another_expression() -> None:
    assert moved("max(a >= 0.05 and 300 * b > 2.8)", 2) == "max(a >= 0.1 and 300 * b > 2.8)"
    assert moved("(count(a) or vector(0)) < 2", 0.9) == "(count(a) or vector(0)) < 1"


# That there is a case for each


def test_every_alert_of_amp_has_its_cases() -> None:
    assert {rule["alert"] for rule in all_rules(EVERYTHING)} == set(SUITES)


def test_every_alert_is_evaluated_by_amp_or_known_to_be_evaluated_elsewhere() -> None:
    assert {alert.name for alert in ALERTS} - set(SUITES) == {
        "TaskOutOfMemory",
        "TaskRestartLoop",
        "TaskFailedHealthCheck",
        "AmpSamplesRejected",
        "AmpIngestionStopped",
        "AmpRulesFailing",
        "AmpNotificationsFailing",
        "AmpSeriesNearLimit",
        "ScheduleNotRun",
        "TraceFaults",
        "AlertingSilent",
    }


@pytest.mark.parametrize("name", [name for name in SUITES if name != "DeadMansSwitch"])
def test_the_cases_are_of_every_kind(name: str) -> None:
    kinds = [case.kind for suite in SUITES[name] for case in suite.cases]
    assert [kind for kind in KINDS if not any(each.startswith(kind) for each in kinds)] == []
    assert any(case.says for suite in SUITES[name] for case in suite.cases)


# What they are


STACKS = {
    "everything": EVERYTHING,
    "sidecar": observed("dev", sidecar=["web", "api"]),
    "service": observed("prod", service=["web"]),
    **{f"every {seconds} s": replace(EVERYTHING, interval_seconds=seconds) for seconds in (10, 75, 100, 300)},
}
stacks = pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)


@pytest.mark.slow
@stacks
def test_promtool_takes_every_file(stack: Observed, tmp_path: Path) -> None:
    documents = {"recording": rules.recording_rules(stack), "alerts": alerting_rules(stack)}
    files = [tmp_path / f"{name}.yaml" for name in documents]
    for file, document in zip(files, documents.values(), strict=True):
        file.write_text(rules.to_yaml(document))
    assert run("check", "rules", *map(str, files)) == ""


@stacks
def test_every_rule_says_what_a_reader_needs(stack: Observed) -> None:
    for rule in all_rules(stack):
        assert list(rule) == ["alert", "expr", "for", "labels", "annotations"]
        assert list(rule["annotations"]) == ["summary", "description", "runbook_url"]
        assert "{{ $value" in rule["annotations"]["description"]
        known = {alert.name: alert for alert in ALERTS}[rule["alert"]]
        assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{known.runbook}.md"
        labels = {"severity", "aws_ecs_cluster_name", "aws_ecs_service_name", "slo"}
        if known.name == "DeadMansSwitch":
            labels -= {"aws_ecs_service_name"}
        if not known.name.startswith("ErrorBudget"):
            labels -= {"slo"}
        assert set(rule["labels"]) == labels
        assert rule["labels"]["severity"] == known.severity


def test_the_address_of_the_runbooks() -> None:
    [rule] = [
        rule
        for rule in all_rules(replace(EVERYTHING, runbooks="https://wiki/runbooks/"))
        if rule["expr"] == "vector(1)"
    ]
    assert rule["annotations"]["runbook_url"] == "https://wiki/runbooks/dead-mans-switch.md"


def test_the_same_bytes_and_what_they_say() -> None:
    text = rules.to_yaml(alerting_rules(EVERYTHING))
    assert text == rules.to_yaml(alerting_rules(EVERYTHING))
    assert yaml.safe_load(text) == alerting_rules(EVERYTHING)


# Which there are


REQUESTS = {"HighErrorRate", "HighLatency", "ApplicationSilent"}
BUDGETS = {"ErrorBudgetBurningFast", "ErrorBudgetBurningSlowly"}
TASKS = {"TaskCpuSaturated", "TaskMemorySaturated", "TasksBelowDesired"}
COLLECTORS = {name for name in SUITES if name.startswith("Collector")} | {"XRayFailing"}


def test_alerts_by_pattern() -> None:
    assert names(EVERYTHING, "web") == REQUESTS | BUDGETS | TASKS | COLLECTORS
    assert names(EVERYTHING, "api") == REQUESTS | BUDGETS
    assert names(EVERYTHING, "collector") == COLLECTORS
    assert names(EVERYTHING, "scraper") == COLLECTORS - {"XRayFailing", "CollectorMemoryHigh"}
    assert names(EVERYTHING, "") == {"DeadMansSwitch"}


def stack(one: Application, **changes: Any) -> Observed:
    return observed("dev", applications=(one,), **changes)


def test_without_objectives_there_are_no_budgets() -> None:
    assert names(stack(application("web", Pattern.SERVICE)), "web") == REQUESTS


def test_of_no_tasks_nothing_is_expected() -> None:
    none = stack(application("web", Pattern.SIDECAR, desired_count=0))
    assert names(none, "web") == {"HighErrorRate", "HighLatency", "TaskCpuSaturated", "TaskMemorySaturated"}


@pytest.mark.parametrize("name", [name for name in SUITES if name != "DeadMansSwitch"])
def test_an_alert_that_an_application_does_not_want(name: str) -> None:
    unwanted = application("web", Pattern.SIDECAR, objectives=OBJECTIVES, disabled=frozenset({name}))
    other = application("api", Pattern.SIDECAR, objectives=OBJECTIVES)
    both = observed("dev", applications=(unwanted, other))
    assert names(both, "api") - names(both, "web") == {name}


@pytest.mark.parametrize("name", SUITES)
def test_an_alert_that_nobody_wants(name: str) -> None:
    unwanted = frozenset({name})
    applications = tuple(replace(one, disabled=unwanted) for one in EVERYTHING.applications)
    without = replace(EVERYTHING, disabled=unwanted, applications=applications)
    assert {rule["alert"] for rule in all_rules(without)} == set(SUITES) - unwanted
    assert all(group["rules"] for group in alerting_rules(without)["groups"])


def test_thresholds_of_an_application_and_of_the_stack() -> None:
    own = Thresholds(errors=0.1, latency="10s", cpu=100, memory=12.5, queue=33)  # pyright: ignore[reportArgumentType]
    made = stack(application("web", Pattern.SIDECAR, thresholds=own))
    asked = {rule["alert"]: rule["expr"] for rule in all_rules(made)}
    assert re.findall(r">= ([\d.]+)", asked["HighErrorRate"]) == ["0.001"]
    assert re.findall(r">= ([\d.]+)", asked["HighLatency"]) == ["10"]
    assert re.findall(r">= ([\d.]+)", asked["TaskCpuSaturated"]) == ["1"]
    assert re.findall(r">= ([\d.]+)", asked["TaskMemorySaturated"]) == ["0.125"]
    assert re.findall(r">= ([\d.]+)", asked["CollectorMemoryHigh"]) == ["0.125"]
    assert re.findall(r">= ([\d.]+)", asked["CollectorQueueFilling"]) == ["0.33"]
    service = stack(application("web", Pattern.SERVICE), collectors=2, thresholds=own)
    [queue] = [rule["expr"] for rule in all_rules(service) if rule["alert"] == "CollectorQueueFilling"]
    assert queue.endswith(">= 0.33")


def test_incomplete_thresholds_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="threshold is missing"):
        alerting_rules(stack(application("web", Pattern.SERVICE, thresholds=Thresholds())))
