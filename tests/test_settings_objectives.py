"""Objectives, thresholds and names of alerts in a stack file: every fault at once, each by its key."""

from typing import Any

import pytest
import yaml

from documents.alerting.inputs import DEFAULTS
from documents.environment import observed, rules_of, warnings
from documents.names import Names
from documents.objectives import Objectives
from tests.test_settings import APPLICATION, application, faults, loaded

NAMES = Names("ecs-observability", "dev")
OBJECTIVES = {"availability": 99.9, "latency": {"threshold": "300ms", "target": 99}}


def test_what_holds_where_nobody_says_anything() -> None:
    stack = observed(loaded(), NAMES, "eu-west-1")
    [web] = stack.applications
    assert (web.thresholds, web.objectives, web.disabled) == (DEFAULTS, None, frozenset())
    assert (stack.thresholds, stack.runbooks, stack.disabled) == (DEFAULTS, "docs/runbooks", frozenset())


def test_an_application_s_own_word_counts_more_than_the_stack_s() -> None:
    alerts = {
        "thresholds": {"errors": 2, "latency": "500ms"},
        "disabled": ["HighLatency"],
        "runbooks": "https://wiki.example.com/runbooks",
    }
    own = {"thresholds": {"errors": 0.5, "queue": 80}, "disabled": ["TaskCpuSaturated"]}
    found = loaded(alerts=alerts, applications=[APPLICATION | {"alerts": own, "objectives": OBJECTIVES}])
    stack = observed(found, NAMES, "eu-west-1")
    [web] = stack.applications
    assert web.thresholds.model_dump() == {"errors": 0.5, "latency": 0.5, "cpu": 90, "memory": 90, "queue": 80}
    assert stack.thresholds.model_dump() == {"errors": 2, "latency": 0.5, "cpu": 90, "memory": 90, "queue": 50}
    assert (web.disabled, stack.disabled) == ({"HighLatency", "TaskCpuSaturated"}, {"HighLatency"})
    assert web.objectives == Objectives.model_validate(OBJECTIVES)
    assert stack.runbooks == "https://wiki.example.com/runbooks"


def test_everything_that_is_wrong_comes_at_once() -> None:
    web = APPLICATION | {
        "objectives": {"availability": 100, "latency": {"threshold": "20s", "targt": 99}},
        "alerts": {
            "thresholds": {"errors": 0, "cpu": 101, "latency": 0.3, "memroy": 80},
            "disabled": ["HighErrorRat", "DeadMansSwitch"],
        },
    }
    api = APPLICATION | {"name": "api", "objectives": {}}
    alerts = {
        "disabled": ["highLatency"],
        "runbooks": "http://wiki/runbooks",
        "thresholds": {"queue": "half", "latency": "1 s"},
    }
    assert faults(applications=[web, api], alerts=alerts) == [
        "applications.0.objectives.availability: is no target: an objective leaves a budget for errors (got 100); "
        "give percent above 0 and below 100, such as 99.9",
        "applications.0.objectives.latency.threshold: is a time that the histogram of request durations cannot tell "
        "(got '20s'); choose from 0.005s to 10s",
        "applications.0.objectives.latency.target: is missing; give it a value",
        "applications.0.objectives.latency.targt: is not a known key; did you mean 'target'?",
        "applications.0.alerts.thresholds.errors: is too small (got 0); give more than 0",
        "applications.0.alerts.thresholds.latency: is not a time (got 0.3); write it as 300ms or 1.5s",
        "applications.0.alerts.thresholds.cpu: is too large (got 101); give at most 100.0",
        "applications.0.alerts.thresholds.memroy: is not a known key; did you mean 'memory'?",
        "applications.0.alerts.disabled.0: is not the name of an alert (got 'HighErrorRat'); "
        "did you mean 'HighErrorRate'?",
        "applications.0.alerts.disabled.1: is not about an application (got 'DeadMansSwitch'); "
        "turn it off for the whole stack, under alerts.disabled",
        "applications.1.objectives: has no objective (got a map); give availability, latency or both, or leave it out",
        "alerts.thresholds.latency: is not a time (got '1 s'); write it as 300ms or 1.5s",
        "alerts.thresholds.queue: has the wrong type (got 'half'); give a number",
        "alerts.disabled.0: is not the name of an alert (got 'highLatency'); did you mean 'HighLatency'?",
        "alerts.runbooks: is not the address of a folder (got 'http://wiki/runbooks'); give an https address, to which "
        "/<page>.md can be added",
    ]


@pytest.mark.parametrize("target", [0, 100, -1, 100.5])
def test_a_target_leaves_a_budget(target: float) -> None:
    [fault] = faults(**application(objectives={"availability": target}))
    assert fault.startswith("applications.0.objectives.availability: is no target")


@pytest.mark.parametrize("target", [float("nan"), float("inf")])
def test_a_target_is_a_number(target: float) -> None:
    assert len(faults(**application(objectives={"availability": target}))) == 1


@pytest.mark.parametrize(
    ("values", "keys"),
    [
        (application(objectives=OBJECTIVES), ["applications.0.objectives.latency.threshold"]),
        (application(objectives={"latency": {"threshold": "250ms", "target": 99}}), []),
        (application(alerts={"thresholds": {"latency": "1.5s"}}), ["applications.0.alerts.thresholds.latency"]),
        ({"alerts": {"thresholds": {"latency": "2s"}}}, ["alerts.thresholds.latency"]),
        ({"alerts": {"thresholds": {"latency": "2.5s"}}}, []),
    ],
)
def test_times_between_bounds_are_warned_of(values: dict[str, Any], keys: list[str]) -> None:
    found = [text for text in warnings(loaded(**values)) if "no bound of the histogram" in text]
    assert [text.partition(": ")[0] for text in found] == keys


@pytest.mark.parametrize("pattern", ["sidecar", "service"])
def test_every_stack_has_both_namespaces(pattern: str) -> None:
    made = rules_of(loaded(pattern=pattern, **application(objectives=OBJECTIVES)), NAMES, "eu-west-1")
    assert list(made) == ["recording", "alerts"]
    recorded, alerting = (yaml.safe_load(text)["groups"] for text in made.values())
    assert all("record" in rule for group in recorded for rule in group["rules"])
    assert all("alert" in rule for group in alerting for rule in group["rules"])
