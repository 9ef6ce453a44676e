"""What changes the number of tasks, and what they run on: resources as they are recorded."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from documents.faults import ConfigurationError
from preview.recorder import ProgramError, Recording
from preview.render import documents
from tests.components.test_library import APPLICATION, run
from tests.components.variants import (
    CERTIFICATE,
    INVENTORY,
    SECRET,
    SERVICE,
    STOREFRONT,
    names_of,
    one,
    program,
    recorded,
    service_inputs,
    untagged,
)

pytestmark = pytest.mark.slow

TARGET = "aws:appautoscaling/target:Target"
POLICY = "aws:appautoscaling/policy:Policy"
ACTION = "aws:appautoscaling/scheduledAction:ScheduledAction"
PROVIDERS = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
BALANCED = {"loadBalancer": {"certificateArn": CERTIFICATE}}
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"


@pytest.fixture(scope="module")
def scaled() -> Recording:
    """Of module scope, as all tests but a few are about it."""
    return recorded("scaled")


def of_service(service: str, /, **more: Any) -> dict[str, Any]:
    return {
        "serviceNamespace": "ecs",
        "scalableDimension": "ecs:service:DesiredCount",
        "resourceId": f"service/ecs-observability-dev/{service}",
    } | more


def policy(service: str, name: str, metric: str, value: int, *cooldowns: int) -> dict[str, Any]:
    return of_service(
        service,
        name=name,
        policyType="TargetTrackingScaling",
        targetTrackingScalingPolicyConfiguration={
            "targetValue": value,
            "predefinedMetricSpecification": {"predefinedMetricType": f"ECSServiceAverage{metric}Utilization"},
            "scaleOutCooldown": cooldowns[0],
            "scaleInCooldown": cooldowns[1],
        },
    )


def test_bounds_targets_and_schedules(scaled: Recording) -> None:
    assert {each.name: untagged(each) for each in scaled.of_type(TARGET)} == {
        "storefront-scaling": of_service("storefront", minCapacity=2, maxCapacity=10),
        "inventory-scaling": of_service("inventory", minCapacity=2, maxCapacity=4),
        "collector-scaling": of_service("collector", minCapacity=2, maxCapacity=6),
    }
    assert {each.name: dict(each.inputs) for each in scaled.of_type(POLICY)} == {
        "storefront-scaling-cpu": policy("storefront", "cpu", "CPU", 60, 60, 300),
        "storefront-scaling-memory": policy("storefront", "memory", "Memory", 75, 60, 300),
        "inventory-scaling-cpu": policy("inventory", "cpu", "CPU", 50, 0, 120),
        "collector-scaling-cpu": policy("collector", "cpu", "CPU", 60, 60, 600),
        "collector-scaling-memory": policy("collector", "memory", "Memory", 70, 60, 600),
    }
    assert {each.name: dict(each.inputs) for each in scaled.of_type(ACTION)} == {
        "storefront-scaling-morning": of_service(
            "storefront",
            name="morning",
            schedule="cron(0 7 ? * MON-FRI *)",
            timezone="Europe/Berlin",
            scalableTargetAction={"minCapacity": 4, "maxCapacity": 20},
        ),
        "storefront-scaling-sale": of_service(
            "storefront",
            name="sale",
            schedule="at(2027-11-26T00:00:00)",
            timezone="UTC",
            scalableTargetAction={"minCapacity": 10, "maxCapacity": 40},
        ),
    }


def test_requests_are_counted_at_the_target_group_of_the_application() -> None:
    recording = recorded("scaled-by-requests")
    [found] = recording.of_type(POLICY)
    assert found.inputs["name"] == "requests"
    assert found.inputs["targetTrackingScalingPolicyConfiguration"] == {
        "targetValue": 500,
        "predefinedMetricSpecification": {
            "predefinedMetricType": "ALBRequestCountPerTarget",
            "resourceLabel": "<traffic-balancer.arnSuffix>/<checkout-blue.arnSuffix>",
        },
        "scaleOutCooldown": 60,
        "scaleInCooldown": 300,
    }


def test_policies_and_schedules_wait_for_the_bounds_and_those_for_the_service(scaled: Recording) -> None:
    for each in (*scaled.of_type(POLICY), *scaled.of_type(ACTION)):
        assert names_of(scaled, each.dependencies) == {f"{each.name.partition('-')[0]}-scaling"}
    for each in scaled.of_type(TARGET):
        service = each.name.replace("-scaling", "-service")
        assert names_of(scaled, each.dependencies) == {service, "cluster-cluster"}


def test_the_next_update_leaves_the_number_of_tasks_alone(scaled: Recording) -> None:
    assert {
        each.name: (each.inputs["desiredCount"], each.options.get("ignore_changes")) for each in scaled.of_type(SERVICE)
    } == {
        "storefront-service": (3, ["desiredCount"]),
        "inventory-service": (2, ["desiredCount"]),
        "collector-service": (2, ["desiredCount"]),
    }
    assert not any("ignore_changes" in each.options for each in recorded("cloud-map").of_type(SERVICE))


def test_a_mix_takes_the_place_of_the_launch_type(scaled: Recording) -> None:
    expected = service_inputs(
        "storefront",
        "storefront-tasks",
        "cluster-applications",
        "collector-clients",
        desiredCount=3,
        serviceRegistries={"registryArn": "<storefront-name.arn>"},
        forceNewDeployment=True,
        capacityProviderStrategies=[
            {"capacityProvider": "FARGATE", "weight": 25, "base": 2},
            {"capacityProvider": "FARGATE_SPOT", "weight": 75},
        ],
    )
    del expected["launchType"]
    assert untagged(scaled.named(SERVICE, "storefront-service")) == expected


def test_only_what_asks_for_it_is_on_spot(scaled: Recording) -> None:
    launched = {each.name: each.inputs.get("launchType") for each in scaled.of_type(SERVICE)}
    assert launched == {"storefront-service": None, "inventory-service": "FARGATE", "collector-service": "FARGATE"}


def test_the_cluster_has_the_providers_before_any_service(scaled: Recording) -> None:
    [providers] = scaled.of_type(PROVIDERS)
    assert dict(providers.inputs) == {
        "clusterName": "ecs-observability-dev",
        "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
    }
    assert all(providers.urn in each.dependencies for each in scaled.of_type(SERVICE))
    assert not recorded("cloud-map").of_type(PROVIDERS)


def test_alerts_expect_the_least_that_must_run(scaled: Recording) -> None:
    """Of four collectors at the busiest hour two are enough; the front and the collector behind it count each."""
    expected = {
        (rule["alert"], group["name"]): rule["expr"].rpartition("< ")[2]
        for group in yaml.safe_load(documents(scaled)["rules/alerts.yaml"])["groups"]
        for rule in group["rules"]
        if rule["alert"] in ("TasksBelowDesired", "CollectorDown")
    }
    assert expected == {
        ("TasksBelowDesired", "application-inventory"): "2",
        ("CollectorDown", "collectors-inventory"): "2",
        ("CollectorDown", "collectors-collector"): "4",
    }
    assert "ecs-observability-dev-TasksBelowDesired-storefront" in {
        each.inputs["name"] for each in scaled.of_type(ALARM)
    }


def test_the_summary_says_it(scaled: Recording) -> None:
    summary = documents(scaled)["summary.md"].splitlines()
    begin = summary.index("### storefront (application, service pattern)")
    assert summary[begin + 3 : begin + 7] == [
        "- 2 to 10 tasks by load: cpu at 60, memory at 75",
        "  - from `cron(0 7 ? * MON-FRI *)` (Europe/Berlin) on 4 to 20 tasks",
        "  - from `at(2027-11-26T00:00:00)` (UTC) on 10 to 40 tasks",
        "- the first 2 on FARGATE, others by weight: FARGATE 25, FARGATE_SPOT 75",
    ]


def test_spot_alone_is_warned_of() -> None:
    [warning] = [text for text in recorded("spot").warnings if "Spot" in text]
    assert warning.startswith("applications.0.capacity: no task runs while AWS has no Spot to spare")


def test_a_preview_knows_as_much() -> None:
    assert {each.name for each in recorded("scaled", preview=True).of_type(POLICY)} == {
        each.name for each in recorded("scaled").of_type(POLICY)
    }


@pytest.mark.parametrize(
    ("config", "found"),
    [
        (
            {"pattern": "service", "traces": {"tail": {}}, "collector": {"scaling": {"max": 6}}, **one()},
            "collector.scaling: changes the number of collectors",
        ),
        (
            one(scaling={"max": 4, "requestsPerTarget": 500}),
            "applications.0.scaling: counts requests per target of a load balancer, and this application has none",
        ),
        (
            BALANCED | one(traffic={}, rollout="canary", scaling={"max": 4, "requestsPerTarget": 500}),
            "applications.0.scaling: counts requests of one target group, and the rollout shifts them to another",
        ),
        (
            BALANCED | one(traffic={"drain": 120}, capacity={"spotPercent": 50, "base": 0}),
            "applications.0.capacity: is Spot, which takes a task away after 120 seconds, and traffic.drain is 120",
        ),
        (
            one(desiredCount=2, capacity={"spotPercent": 50}, container={"stopTimeout": 120}),
            "applications.0.container.stopTimeout: leaves the sidecar's queues 0 of the 120 seconds",
        ),
        (
            {"applications": [STOREFRONT, INVENTORY | {"scaling": {"max": 4}, "desiredCount": 9}]},
            "applications.1.scaling: has max 4, and desiredCount is 9",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(config: dict[str, Any], found: str) -> None:
    with pytest.raises(ProgramError) as caught:
        program(config)
    [line] = str(caught.value).splitlines()[1:]
    assert line.startswith(f"  {found}")


MORE = '"scaling": {"min": 3, "max": 9}, "capacity": {"spot_percent": 50, "base": 4},'


def test_the_component_takes_the_same_keys(tmp_path: Path) -> None:
    recording = run(tmp_path, APPLICATION.format(secret=f'"{SECRET}"', more=MORE))
    service = recording.named(SERVICE, "web-service")
    assert service.inputs["capacityProviderStrategies"] == [
        {"capacityProvider": "FARGATE", "weight": 50, "base": 4},
        {"capacityProvider": "FARGATE_SPOT", "weight": 50},
    ]
    assert (service.inputs["desiredCount"], service.options["ignore_changes"]) == (3, ["desiredCount"])
    assert recording.named(TARGET, "web-scaling").inputs["maxCapacity"] == 9


TAIL = """
from documents.scaling import CollectorScaling
from documents.signals import TailSampling, Traces

telemetry = metrics.telemetry(Signals(traces=Traces(tail=TailSampling())))
collector = inputs.Collector(scaling=CollectorScaling(max=4))
CollectorService("collector", {"place": place(), "telemetry": telemetry, "collector": collector})
"""


def test_the_component_refuses_what_stack_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises((ConfigurationError, ProgramError), match="changes the number of collectors"):
        run(tmp_path, TAIL)
