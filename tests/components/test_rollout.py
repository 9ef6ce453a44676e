"""Roll-outs: what ECS may shift, and with what; what stays as ECS left it; what takes a version back."""

import json
from typing import Any

import pytest

from preview.recorder import Recording
from proof import alarms
from tests.components.balancing import RULE, TARGET_GROUP
from tests.components.test_load_balancer import every
from tests.components.variants import CERTIFICATE, ROLE, SERVICE, one, program, recorded, statements, untagged

# Each test makes whole programs, which takes a second or two.
pytestmark = pytest.mark.slow

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"


def deployed(recording: Recording, name: str) -> dict[str, Any]:
    """What a service's inputs say of its deployments."""
    inputs = recording.named(SERVICE, f"{name}-service").inputs
    keys = ("deploymentConfiguration", "loadBalancers", "alarms", "sigintRollback", "healthCheckGracePeriodSeconds")
    return {key: inputs[key] for key in keys if key in inputs}


def rollback(*colours: str, name: str = "storefront") -> dict[str, Any]:
    return {
        "alarmNames": [
            f"ecs-observability-dev-{what}-{name}-{colour}"
            for colour in colours
            for what in ("RolloutErrors", "RolloutUnhealthy")
        ],
        "enable": True,
        "rollback": True,
    }


def test_a_canary() -> None:
    assert deployed(recorded("rollouts"), "storefront") == {
        "deploymentConfiguration": {
            "strategy": "CANARY",
            "bakeTimeInMinutes": "10",
            "canaryConfiguration": {"canaryPercent": 25, "canaryBakeTimeInMinutes": "10"},
        },
        "loadBalancers": [
            {
                "containerName": "storefront",
                "containerPort": 8080,
                "targetGroupArn": "<storefront-blue.arn>",
                "advancedConfiguration": {
                    "alternateTargetGroupArn": "<storefront-green.arn>",
                    "productionListenerRule": "<storefront-shifted.arn>",
                    "roleArn": "<storefront-rollout.arn>",
                },
            }
        ],
        "alarms": rollback("blue", "green"),
        "sigintRollback": True,
        "healthCheckGracePeriodSeconds": 60,
    }


def test_linear_steps_with_testers_and_a_person_who_lets_them_go_on() -> None:
    found = deployed(recorded("rollouts"), "inventory")
    assert found["deploymentConfiguration"] == {
        "strategy": "LINEAR",
        "bakeTimeInMinutes": "0",
        "linearConfiguration": {"stepPercent": 20, "stepBakeTimeInMinutes": "3"},
        "lifecycleHooks": [
            {
                "targetType": "PAUSE",
                "lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"],
                "timeoutConfiguration": {"timeoutInMinutes": "45", "action": "ROLLBACK"},
            }
        ],
    }
    assert found["loadBalancers"][0]["advancedConfiguration"]["testListenerRule"] == "<inventory-tested.arn>"
    assert every(recorded("rollouts"), RULE)["inventory-tested"]["conditions"] == [
        {"hostHeader": {"values": ["stock.example.com"]}},
        {"pathPattern": {"values": ["/*"]}},
        {"httpHeader": {"httpHeaderName": "X-Preview", "values": ["*"]}},
    ]


def test_blue_green() -> None:
    found = deployed(recorded("balanced-by-another"), "storefront")
    assert found["deploymentConfiguration"] == {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": "10"}


def test_rolling_has_one_target_group_and_alarms_as_well() -> None:
    recording = recorded("balanced")
    assert deployed(recording, "inventory") == {
        "deploymentConfiguration": {"strategy": "ROLLING"},
        "loadBalancers": [
            {"containerName": "inventory", "containerPort": 9090, "targetGroupArn": "<inventory-blue.arn>"}
        ],
        "alarms": rollback("blue", name="inventory"),
        "healthCheckGracePeriodSeconds": 120,
    }
    assert "inventory-green" not in every(recording, TARGET_GROUP)
    assert deployed(program(one(rollout="rolling")), "storefront") == {
        "deploymentConfiguration": {"strategy": "ROLLING"}
    }


def test_without_a_word_of_it_ecs_is_told_nothing() -> None:
    assert deployed(recorded("defaults"), "storefront") == {}
    assert set(deployed(recorded("balanced"), "storefront")) == {"loadBalancers", "healthCheckGracePeriodSeconds"}


def test_what_ecs_shifts_is_left_as_it_is() -> None:
    """An update that put the first weights back would send requests to tasks that are no more."""
    for rule in recorded("rollouts").of_type(RULE):
        assert rule.options["ignore_changes"] == ["actions"]
        colours = ("blue", "green")
        name = rule.name.partition("-")[0]
        groups = [{"arn": f"<{name}-{colour}.arn>", "weight": 100 * (colour == "blue")} for colour in colours]
        assert rule.inputs["actions"] == [{"type": "forward", "forward": {"targetGroups": groups}}]


def test_a_change_of_strategy_makes_a_new_rule_beside_the_old_one() -> None:
    """So that the actions of the old one, which are ECS's, are neither kept nor put back."""
    traffic = {"hosts": ["stock.example.com"]}
    balancer = {"certificateArn": CERTIFICATE}
    rules = {
        rollout: every(program({"loadBalancer": balancer, **one(traffic=traffic, rollout=rollout)}), RULE)
        for rollout in ("canary", "rolling")
    }
    (shifted,), (steady,) = rules["canary"].values(), rules["rolling"].values()
    assert set(rules["canary"]).isdisjoint(rules["rolling"])
    assert shifted["priority"] + 1 == steady["priority"]
    assert shifted["conditions"] == steady["conditions"]


def test_an_update_may_take_as_long_as_its_waits() -> None:
    recording = recorded("rollouts")
    assert recording.named(SERVICE, "storefront-service").options["custom_timeouts"] == {
        "create": "50m",
        "update": "50m",
    }
    # Five steps of three minutes, six waits for a person.
    assert recording.named(SERVICE, "inventory-service").options["custom_timeouts"]["update"] == "315m"
    assert "custom_timeouts" not in recorded("balanced").named(SERVICE, "inventory-service").options


def test_ecs_may_shift_this_application_and_no_other() -> None:
    recording = recorded("rollouts")
    assert statements(recording, "inventory-rollout-policy") == [
        {
            "Sid": "SeeTraffic",
            "Effect": "Allow",
            "Action": [
                "elasticloadbalancing:DescribeListeners",
                "elasticloadbalancing:DescribeRules",
                "elasticloadbalancing:DescribeTargetGroups",
                "elasticloadbalancing:DescribeTargetHealth",
            ],
            "Resource": "*",
        },
        {
            "Sid": "MoveTasks",
            "Effect": "Allow",
            "Action": ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"],
            "Resource": ["<inventory-blue.arn>", "<inventory-green.arn>"],
        },
        {
            "Sid": "ShiftTraffic",
            "Effect": "Allow",
            "Action": "elasticloadbalancing:ModifyRule",
            "Resource": ["<inventory-shifted.arn>", "<inventory-tested.arn>"],
        },
    ]
    role = recording.named(ROLE, "inventory-rollout")
    assert json.loads(role.inputs["assumeRolePolicy"])["Statement"] == [
        {"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
    waits = {recording.by_urn(urn).name for urn in recording.named(SERVICE, "inventory-service").dependencies}
    assert {"inventory-rollout-policy", "inventory-shifted", "inventory-tested"} <= waits


def test_each_target_group_has_alarms_of_its_own() -> None:
    recording = recorded("rollouts")
    mine = {resource.name for resource in recording.of_type(ALARM) if "Rollout" in resource.inputs["name"]}
    assert mine == {
        f"{name}-{colour}-{what}"
        for name in ("storefront", "inventory")
        for colour in ("blue", "green")
        for what in ("errors", "unhealthy")
    }
    dimensions = {"LoadBalancer": "<traffic-balancer.arnSuffix>", "TargetGroup": "<inventory-green.arnSuffix>"}

    def read(query: str, metric: str) -> dict[str, Any]:
        asked = {"namespace": "AWS/ApplicationELB", "metricName": metric, "dimensions": dimensions}
        return {"id": query, "returnData": False, "metric": {**asked, "period": 60, "stat": "Sum"}}

    assert untagged(recording.named(ALARM, "inventory-green-errors")) == {
        "name": "ecs-observability-dev-RolloutErrors-inventory-green",
        "alarmDescription": "More than 1.5% of the requests to inventory failed in two of three minutes. "
        "ECS rolls a deployment back that makes it fire.",
        "metricQueries": [
            read("failed", "HTTPCode_Target_5XX_Count"),
            read("requests", "RequestCount"),
            {"id": "share", "expression": "100 * failed / requests", "returnData": True},
        ],
        "evaluationPeriods": 3,
        "datapointsToAlarm": 2,
        "threshold": 1.5,
        "comparisonOperator": "GreaterThanThreshold",
        "treatMissingData": "notBreaching",
    }


def test_a_proof_of_alerts_leaves_them_alone() -> None:
    documents = {
        "alarms/ecs-observability-dev-RolloutErrors-web-blue.json": "not read",
        "alarms/ecs-observability-dev-RolloutUnhealthy-web-blue.json": "not read",
    }
    assert alarms.read(documents) == ()
