"""The collector: beside an application, and as a service of its own."""

from typing import Any

import pytest
import yaml

from tests.components.variants import (
    DISCOVERY,
    INGRESS,
    SECURITY_GROUP,
    SERVICE,
    TASK,
    containers,
    environment,
    names_of,
    recorded,
    service_inputs,
    untagged,
)


def sidecar(stack: str) -> dict[str, Any]:
    return containers(recorded(stack), "storefront-definition")["collector"]


def waits(stack: str) -> list[dict[str, str]]:
    return containers(recorded(stack), "storefront-definition")["storefront"]["dependsOn"]


def test_a_sidecar_that_ends_does_not_end_the_task() -> None:
    container = sidecar("defaults")
    assert container["essential"] is False
    assert container["restartPolicy"] == {"enabled": True, "restartAttemptPeriod": 60}
    assert container["portMappings"] == []
    assert (container["cpu"], container["memory"]) == (64, 512)
    assert environment(container)["GOMEMLIMIT"] == "409MiB"
    assert environment(container)["AWS_PROMETHEUS_ENDPOINT"] == (
        "<metrics-workspace.prometheusEndpoint>api/v1/remote_write"
    )
    assert waits("defaults") == [
        {"containerName": "collector", "condition": "START"},
        {"containerName": "drain", "condition": "START"},
    ]


def test_an_essential_sidecar_that_ecs_does_not_restart() -> None:
    assert sidecar("essential")["essential"] is True
    assert "restartPolicy" not in sidecar("essential")


def test_waiting_for_a_healthy_sidecar_of_another_size() -> None:
    container = sidecar("wait-for-healthy")
    assert (container["cpu"], container["memory"]) == (128, 768)
    assert environment(container)["GOMEMLIMIT"] == "614MiB"
    assert waits("wait-for-healthy") == [
        {"containerName": "collector", "condition": "HEALTHY"},
        {"containerName": "drain", "condition": "START"},
    ]


def test_the_interval_reaches_collector_and_application() -> None:
    application = containers(recorded("limits"), "storefront-definition")["storefront"]
    assert environment(application)["OTEL_METRIC_EXPORT_INTERVAL"] == "30000"
    configuration = environment(sidecar("limits"))["AOT_CONFIG_CONTENT"]
    assert yaml.safe_load(configuration)["receivers"]["awsecscontainermetrics"]["collection_interval"] == (
        "${env:ECS_METRICS_INTERVAL:-30s}"
    )


def collector_service(**more: Any) -> dict[str, Any]:
    return service_inputs("collector", "collector-tasks", desiredCount=2, **more)


def test_the_collector_service_found_by_cloud_map() -> None:
    recording = recorded("cloud-map")
    service = recording.named(SERVICE, "collector-service")
    assert untagged(service) == collector_service(serviceRegistries={"registryArn": "<collector-name.arn>"})
    assert names_of(recording, service.dependencies) == {
        "cluster-cluster",
        "collector-definition",
        "collector-execution-policy",
        "collector-name",
        "collector-task-policy",
        "collector-tasks",
        "collector-tasks-in-4317",
        "collector-tasks-in-4318",
        "collector-tasks-out",
        "network-public-0",
        "network-public-1",
    }
    assert untagged(recording.named(DISCOVERY, "collector-name"))["name"] == "collector"
    assert recording.outputs["collectorAddress"] == "http://collector.dev.ecs-observability.internal:4318"


def test_the_collector_service_found_by_service_connect() -> None:
    service = recorded("service-connect").named(SERVICE, "collector-service")
    address = "collector.dev.ecs-observability.internal"
    assert untagged(service) == collector_service(
        serviceConnectConfiguration={
            "enabled": True,
            "namespace": "<cluster-namespace.arn>",
            "services": [
                {
                    "portName": "otlp-grpc",
                    "discoveryName": "collector-otlp-grpc",
                    "clientAlias": [{"port": 4317, "dnsName": address}],
                },
                {
                    "portName": "otlp-http",
                    "discoveryName": "collector-otlp-http",
                    "clientAlias": [{"port": 4318, "dnsName": address}],
                },
            ],
        }
    )
    assert recorded("service-connect").outputs["collectorAddress"] == f"http://{address}:4318"


def test_applications_do_not_notice_how_the_collector_is_found() -> None:
    by_name, connected = (
        containers(recorded(stack), "storefront-definition") for stack in ("cloud-map", "service-connect")
    )
    assert by_name == connected
    assert list(by_name) == ["storefront"]
    assert by_name["storefront"]["dependsOn"] == []


def test_the_collector_task() -> None:
    recording = recorded("sized-collector")
    task = recording.named(TASK, "collector-definition")
    assert {key: value for key, value in untagged(task).items() if key != "containerDefinitions"} == {
        "family": "ecs-observability-dev-collector",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "1024",
        "memory": "4096",
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        "taskRoleArn": "<collector-task.arn>",
        "executionRoleArn": "<collector-execution.arn>",
    }
    front, drain, collector = containers(recording, "collector-definition").values()
    assert [front["name"], drain["name"], collector["name"]] == ["front", "drain", "collector"]
    for container in (front, collector):
        assert container["essential"] is True
        assert container["restartPolicy"] == {"enabled": True, "restartAttemptPeriod": 60}
    assert [(one["cpu"], one["memory"]) for one in (front, drain, collector)] == [(341, 1219), (0, 32), (683, 2845)]
    assert front["portMappings"] == [
        {"name": "otlp-grpc", "containerPort": 4317, "hostPort": 4317, "protocol": "tcp", "appProtocol": "grpc"},
        {"name": "otlp-http", "containerPort": 4318, "hostPort": 4318, "protocol": "tcp", "appProtocol": "http"},
    ]
    assert collector["portMappings"] == []
    assert front["dependsOn"] == [{"containerName": "drain", "condition": "START"}]
    assert drain["dependsOn"] == [{"containerName": "collector", "condition": "START"}]
    assert recording.named(SERVICE, "collector-service").inputs["desiredCount"] == 4


def test_only_clients_reach_the_collector() -> None:
    recording = recorded("cloud-map")
    assert untagged(recording.named(SECURITY_GROUP, "collector-tasks")) == {
        "namePrefix": "ecs-observability-dev-collector-",
        "description": "Tasks of collector",
        "vpcId": "<network-vpc.id>",
    }
    rules = [rule for rule in recording.of_type(INGRESS) if rule.name.startswith("collector-")]
    assert [untagged(rule) for rule in rules] == [
        {
            "securityGroupId": "<collector-tasks.id>",
            "referencedSecurityGroupId": "<collector-clients.id>",
            "ipProtocol": "tcp",
            "fromPort": port,
            "toPort": port,
        }
        for port in (4317, 4318)
    ]
    assert {group.name for group in recording.of_type(SECURITY_GROUP)} == {
        "cluster-applications",
        "collector-clients",
        "collector-tasks",
        "storefront-tasks",
    }


def test_the_collector_is_the_same_whoever_its_clients_are() -> None:
    """So that it is updated independently of them."""

    def own(stack: str) -> dict[str, dict[str, Any]]:
        recording = recorded(stack)
        [component] = recording.of_type("ecs-observability:index:CollectorService")
        return {
            resource.urn: dict(resource.inputs) for resource in recording.resources if resource.parent == component.urn
        }

    assert own("cloud-map") == own("mixed")


@pytest.mark.parametrize(
    ("stack", "insights"),
    [("defaults", "disabled"), ("cloud-map", "enhanced"), ("mixed", "enhanced"), ("mixed-service-connect", "enhanced")],
)
def test_container_insights_follow_the_pattern(stack: str, insights: str) -> None:
    cluster = recorded(stack).named("aws:ecs/cluster:Cluster", "cluster-cluster")
    assert cluster.inputs["settings"] == [{"name": "containerInsights", "value": insights}]
