"""Roll-outs: the words and maps that say them, what ECS is told, and when a new version is taken back."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from documents import catalogue
from documents.alerting.alarms import Comparison, Math, Metric
from documents.faults import faults_of
from documents.inputs import Application
from documents.names import Names
from documents.rollout import BLUE, RollbackAlarm, Rollout, WrittenRollout, alarms, is_alarm

NAMES = Names("ecs-observability", "dev")


def rollout(value: Any) -> Rollout:
    return TypeAdapter[Rollout](WrittenRollout).validate_python(value)


def application_faults(**values: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Application.model_validate({"name": "web", "image": "shop/web:1", "port": 8080, **values})
    return [str(fault) for fault in faults_of(caught.value, Application)]


@pytest.mark.parametrize(
    ("written", "configuration", "minutes"),
    [
        ("rolling", {"strategy": "ROLLING"}, None),
        ("blueGreen", {"strategy": "BLUE_GREEN", "bake_time_in_minutes": "10"}, 40),
        (
            "canary",
            {
                "strategy": "CANARY",
                "bake_time_in_minutes": "10",
                "canary_configuration": {"canary_percent": 25, "canary_bake_time_in_minutes": "10"},
            },
            50,
        ),
        (
            "linear",
            {
                "strategy": "LINEAR",
                "bake_time_in_minutes": "10",
                "linear_configuration": {"step_percent": 25, "step_bake_time_in_minutes": "10"},
            },
            80,
        ),
        (
            {"strategy": "canary", "percent": 0.5, "stepMinutes": 60, "bakeMinutes": 0},
            {
                "strategy": "CANARY",
                "bake_time_in_minutes": "0",
                "canary_configuration": {"canary_percent": 0.5, "canary_bake_time_in_minutes": "60"},
            },
            90,
        ),
        (
            {"strategy": "linear", "percent": 30, "stepMinutes": 5, "pause": {"at": "beforeShift", "minutes": 20}},
            {
                "strategy": "LINEAR",
                "bake_time_in_minutes": "10",
                "linear_configuration": {"step_percent": 30, "step_bake_time_in_minutes": "5"},
                "lifecycle_hooks": [
                    {
                        "target_type": "PAUSE",
                        "lifecycle_stages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"],
                        "timeout_configuration": {"timeout_in_minutes": "20", "action": "ROLLBACK"},
                    }
                ],
            },
            # Four steps, five waits for a person.
            4 * 5 + 10 + 5 * 20 + 30,
        ),
    ],
)
def test_what_ecs_is_told(written: Any, configuration: Mapping[str, Any], minutes: int | None) -> None:
    found = rollout(written)
    assert found.deployment_configuration == configuration
    assert found.most_minutes == minutes
    assert found.shifts is (written != "rolling")


@pytest.mark.parametrize(
    ("at", "stage"),
    [
        ("scaledUp", "POST_SCALE_UP"),
        ("tested", "POST_TEST_TRAFFIC_SHIFT"),
        ("shifted", "POST_PRODUCTION_TRAFFIC_SHIFT"),
    ],
)
def test_where_a_deployment_may_wait(at: str, stage: str) -> None:
    found = rollout({"strategy": "blueGreen", "testHeader": "X-Preview", "pause": {"at": at}})
    (hook,) = found.deployment_configuration["lifecycle_hooks"]
    assert hook["lifecycle_stages"] == [stage]
    assert hook["timeout_configuration"] == {"timeout_in_minutes": "60", "action": "ROLLBACK"}


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        (
            "bluegreen",
            "rollout.strategy: is not one of the choices (got 'bluegreen'); "
            "choose 'rolling', 'canary', 'linear' or 'blueGreen'",
        ),
        (
            {"strategy": "rolling", "percent": 5, "testHeader": "X-A"},
            "rollout: has percent, testHeader, which rolling does not know (got a map); "
            "leave it out, or choose another strategy",
        ),
        (
            {"strategy": "blueGreen", "stepMinutes": 5},
            "rollout: has stepMinutes, which blueGreen does not know (got a map); "
            "leave it out, or choose another strategy",
        ),
        ({"strategy": "linear", "percent": 1}, "rollout: has steps of 1 percent (got a map); give at least 3"),
        ({"strategy": "canary", "percent": 0}, "rollout.percent: is too small (got 0); give at least 0.1"),
        (
            {"strategy": "canary", "testHeader": "X Preview"},
            "rollout.testHeader: is not the name of a header (got 'X Preview'); for example X-Preview",
        ),
        (
            {"strategy": "canary", "pause": {"at": "tested"}},
            "rollout: waits at a test that nobody can make (got a map); give testHeader, or wait at scaledUp",
        ),
    ],
)
def test_what_a_rollout_cannot_be(written: Any, fault: str) -> None:
    assert application_faults(traffic={}, rollout=written) == [fault]


def test_only_a_rolling_one_does_without_traffic() -> None:
    assert application_faults(rollout="canary") == [
        "rollout: is canary of no traffic (got 'canary'); give the application traffic, or let it be rolling"
    ]
    assert application_faults(rollout={"strategy": "rolling", "errors": 3}) == [
        "rollout: counts errors of no traffic (got a map); give the application traffic, or leave errors out"
    ]
    made = Application.model_validate({"name": "web", "image": "shop/web:1", "port": 8080, "rollout": "rolling"})
    assert made.rollout == rollout("rolling")


def test_a_fixed_share_is_not_shifted() -> None:
    assert application_faults(traffic={"split": {"of": "till", "percent": 10}}, rollout="canary") == [
        "rollout: shifts a share that traffic.split fixes (got 'canary'); let it be rolling, or leave split out"
    ]


def test_the_header_of_testers_needs_a_place_in_the_rule() -> None:
    traffic = {"hosts": [f"{name}.example.com" for name in "abcd"]}
    (fault,) = application_faults(traffic=traffic, rollout={"strategy": "canary", "testHeader": "X-Preview"})
    assert fault == (
        "rollout: has a testHeader beside 5 hosts and paths, and a rule takes 5 of all (got a map); "
        "take one host or path away, or testHeader"
    )


def test_what_takes_a_version_back() -> None:
    dimensions = {"LoadBalancer": "app/balancer/1", "TargetGroup": "targetgroup/web-blue/2"}
    found = alarms(NAMES, "web", BLUE, errors=2.5, balancer="app/balancer/1", group="targetgroup/web-blue/2")
    assert found == (
        RollbackAlarm(
            about="errors",
            name="ecs-observability-dev-RolloutErrors-web-blue",
            queries=(
                Metric("failed", "AWS/ApplicationELB", catalogue.TARGET_ERRORS.name, dimensions, "Sum"),
                Metric("requests", "AWS/ApplicationELB", catalogue.TARGET_REQUESTS.name, dimensions, "Sum"),
                Math("share", "100 * failed / requests"),
            ),
            comparison=Comparison.ABOVE,
            threshold=2.5,
            periods=3,
            breaching=2,
            summary="More than 2.5% of the requests to web failed in two of three minutes.",
        ),
        RollbackAlarm(
            about="unhealthy",
            name="ecs-observability-dev-RolloutUnhealthy-web-blue",
            queries=(
                Metric("unhealthy", "AWS/ApplicationELB", catalogue.UNHEALTHY_TARGETS.name, dimensions, "Maximum"),
            ),
            comparison=Comparison.AT_LEAST,
            threshold=1,
            periods=3,
            breaching=3,
            summary="A task of web failed the load balancer's health check for three minutes.",
        ),
    )
    assert all(is_alarm(one.name) for one in found)
    assert not is_alarm("ecs-observability-dev-RestartLoop-rollout-errors")
