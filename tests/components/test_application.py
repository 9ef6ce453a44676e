"""Applications: their ECS services, task definitions, roles and groups, and what the pattern changes of them."""

from typing import Any

import pytest

from tests.components.variants import (
    BOUNDARY,
    DISCOVERY,
    INGRESS,
    PARAMETER,
    REGISTRY,
    ROLE,
    ROLE_POLICY,
    SECRET,
    SECURITY_GROUP,
    SERVICE,
    TASK,
    containers,
    environment,
    names_of,
    recorded,
    service_inputs,
    statements,
    untagged,
)

# Each test makes whole documents or programs, which takes a second or two.
pytestmark = pytest.mark.slow

WRITE_LOGS = {
    "Sid": "WriteLogs",
    "Effect": "Allow",
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "<storefront-logs.arn>:*",
}
LOG_IN = {"Sid": "LogInToRegistry", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
WRITE_TELEMETRY = [
    {"Sid": "WriteMetrics", "Effect": "Allow", "Action": "aps:RemoteWrite", "Resource": "<metrics-workspace.arn>"},
    {
        "Sid": "WriteTraces",
        "Effect": "Allow",
        "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
        "Resource": "*",
    },
]


def pull(*repositories: str) -> dict[str, Any]:
    return {
        "Sid": "PullImages",
        "Effect": "Allow",
        "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "Resource": list(repositories),
    }


def storefront_service(*groups: str, **more: Any) -> dict[str, Any]:
    return service_inputs(
        "storefront",
        "storefront-tasks",
        "cluster-applications",
        *groups,
        serviceRegistries={"registryArn": "<storefront-name.arn>"},
        **more,
    )


def test_the_ecs_service_of_a_sidecar_application() -> None:
    service = recorded("defaults").named(SERVICE, "storefront-service")
    assert untagged(service) == storefront_service()
    assert names_of(recorded("defaults"), service.dependencies) == {
        "cluster-applications",
        "cluster-cluster",
        "network-public-0",
        "network-public-1",
        "storefront-definition",
        # Without its policies a task would start with a role that may do nothing yet.
        "storefront-execution-policy",
        "storefront-name",
        "storefront-task-policy",
        "storefront-tasks",
        "storefront-tasks-in-8080",
        "storefront-tasks-out",
    }


def test_in_the_service_pattern_it_wears_the_clients_group_and_follows_the_collector() -> None:
    recording = recorded("cloud-map")
    service = recording.named(SERVICE, "storefront-service")
    assert untagged(service) == storefront_service("collector-clients")
    assert names_of(recording, service.dependencies) == {
        "cluster-applications",
        "cluster-cluster",
        "collector-clients",
        "collector-service",
        "network-public-0",
        "network-public-1",
        "storefront-definition",
        "storefront-execution-policy",
        "storefront-name",
        "storefront-tasks",
        "storefront-tasks-in-8080",
        "storefront-tasks-out",
    }


@pytest.mark.parametrize("stack", ["defaults", "cloud-map", "service-connect"])
def test_a_service_waits_for_the_way_out(stack: str) -> None:
    """A task that starts before there is a route and a rule for it cannot pull its image."""
    recording = recorded(stack)
    for service in recording.of_type(SERVICE):
        kinds = [recording.by_urn(urn).type.rpartition(":")[2] for urn in service.dependencies]
        assert kinds.count("RouteTableAssociation") == 2, service.name
        assert kinds.count("SecurityGroupEgressRule") == 1, service.name


def test_with_service_connect_it_joins_the_namespace_as_a_client() -> None:
    service = recorded("service-connect").named(SERVICE, "storefront-service")
    assert untagged(service) == storefront_service(
        "collector-clients",
        serviceConnectConfiguration={"enabled": True, "namespace": "<cluster-namespace.arn>"},
    )
    assert "collector-service" in names_of(recorded("service-connect"), service.dependencies)


def test_two_applications_with_different_patterns() -> None:
    recording = recorded("mixed-service-connect")
    sidecar, service = (recording.named(SERVICE, f"{name}-service") for name in ("storefront", "inventory"))
    assert "serviceConnectConfiguration" not in sidecar.inputs
    assert "collector-service" not in names_of(recording, sidecar.dependencies)
    assert sidecar.inputs["networkConfiguration"]["securityGroups"] == [
        "<storefront-tasks.id>",
        "<cluster-applications.id>",
    ]
    assert service.inputs["serviceConnectConfiguration"] == {"enabled": True, "namespace": "<cluster-namespace.arn>"}
    assert "collector-service" in names_of(recording, service.dependencies)
    assert list(containers(recording, "storefront-definition")) == ["storefront", "drain", "collector"]
    assert list(containers(recording, "inventory-definition")) == ["inventory"]
    endpoints = {
        name: environment(containers(recording, f"{name}-definition")[name])["OTEL_EXPORTER_OTLP_ENDPOINT"]
        for name in ("storefront", "inventory")
    }
    assert endpoints == {
        "storefront": "http://localhost:4318",
        "inventory": "http://collector.dev.ecs-observability.internal:4318",
    }
    written = {policy.name for policy in recording.of_type(ROLE_POLICY)}
    assert {"storefront-task-policy", "collector-task-policy"} <= written
    assert "inventory-task-policy" not in written, "in the service pattern an application writes nothing itself"


def test_the_task_definition() -> None:
    recording = recorded("x86")
    task = recording.named(TASK, "storefront-definition")
    assert {key: value for key, value in untagged(task).items() if key != "containerDefinitions"} == {
        "family": "ecs-observability-dev-storefront",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "1024",
        "memory": "3072",
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "taskRoleArn": "<storefront-task.arn>",
        "executionRoleArn": "<storefront-execution.arn>",
    }
    assert recording.named(SERVICE, "storefront-service").inputs["desiredCount"] == 3
    application = containers(recording, "storefront-definition")["storefront"]
    assert application["command"] == ["serve", "--fast"]
    assert application["image"] == "shop/storefront:1.4.2"


def test_what_the_user_sets_reaches_the_container() -> None:
    application = containers(recorded("secrets"), "storefront-definition")["storefront"]
    assert application["healthCheck"] == {
        "command": ["CMD-SHELL", "true"],
        "interval": 7,
        "timeout": 3,
        "retries": 2,
        "startPeriod": 1,
    }
    variables = environment(application)
    assert variables["LEVEL"] == "info"
    assert variables["OTEL_SERVICE_NAME"] == "shopfront", "what the user sets wins"
    assert variables["OTEL_RESOURCE_ATTRIBUTES"] == (
        "service.namespace=ecs-observability,deployment.environment.name=dev,"
        "aws.ecs.cluster.name=ecs-observability-dev,aws.ecs.service.name=storefront,"
        "aws.ecs.task.family=ecs-observability-dev-storefront,team=web"
    )


def test_arns_of_secrets_reach_the_definition_and_the_execution_policy_and_nothing_else() -> None:
    recording = recorded("secrets")
    assert containers(recording, "storefront-definition")["storefront"]["secrets"] == [
        {"name": "DB_PASSWORD", "valueFrom": f"{SECRET}:password::"},
        {"name": "DB_USER", "valueFrom": f"{SECRET}:user::"},
        {"name": "DSN", "valueFrom": PARAMETER},
    ]
    assert statements(recording, "storefront-execution-policy") == [
        WRITE_LOGS,
        {"Sid": "ReadSecrets", "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": [SECRET]},
        {"Sid": "ReadParameters", "Effect": "Allow", "Action": "ssm:GetParameters", "Resource": [PARAMETER]},
    ]
    holders = {
        resource.name
        for resource in recording.resources
        if SECRET in repr(resource.inputs) or PARAMETER in repr(resource.inputs)
    }
    assert holders == {"storefront-definition", "storefront-execution-policy"}
    assert SECRET not in repr(recording.outputs)


def test_a_public_image_needs_no_permission() -> None:
    assert statements(recorded("defaults"), "storefront-execution-policy") == [WRITE_LOGS]


def test_private_images_by_tag_and_by_digest_and_those_of_the_sidecar() -> None:
    recording = recorded("ecr")
    repository = "arn:aws:ecr:eu-central-1:123456789012:repository"
    assert statements(recording, "storefront-execution-policy") == [
        WRITE_LOGS,
        LOG_IN,
        pull(f"{repository}/mirror/adot", f"{repository}/mirror/busybox", f"{repository}/team/shop"),
    ]
    assert statements(recording, "inventory-execution-policy")[1:] == [LOG_IN, pull(f"{repository}/team/stock")]
    assert statements(recording, "collector-execution-policy")[1:] == [
        LOG_IN,
        pull(f"{repository}/mirror/adot", f"{repository}/mirror/busybox"),
    ]
    for task in ("storefront-definition", "collector-definition"):
        assert containers(recording, task)["collector"]["image"].startswith(f"{REGISTRY}/mirror/adot:")
        assert containers(recording, task)["drain"]["image"] == f"{REGISTRY}/mirror/busybox:1.37.0"


def test_a_built_image_is_pulled_from_its_own_repository() -> None:
    recording = recorded("dev")
    assert statements(recording, "storefront-execution-policy") == [
        WRITE_LOGS,
        LOG_IN,
        pull("<storefront-repository.arn>"),
    ]
    assert containers(recording, "storefront-definition")["storefront"]["image"] == "<storefront-image.ref>"


def test_what_a_task_may_do() -> None:
    assert statements(recorded("defaults"), "storefront-task-policy") == WRITE_TELEMETRY
    assert statements(recorded("cloud-map"), "collector-task-policy") == WRITE_TELEMETRY


@pytest.mark.parametrize("name", ["storefront-task", "storefront-execution", "inventory-task", "collector-execution"])
def test_path_and_boundary_of_every_role(name: str) -> None:
    governed = recorded("governed").named(ROLE, name).inputs
    assert governed["path"] == "/observability/"
    assert governed["permissionsBoundary"] == BOUNDARY
    plain = recorded("mixed").named(ROLE, name).inputs
    assert plain["path"] == "/"
    assert "permissionsBoundary" not in plain


def test_every_role_has_them() -> None:
    roles = recorded("governed").of_type(ROLE)
    assert {role.name for role in roles} == {
        "collector-execution",
        "collector-task",
        "grafana-role",
        "inventory-execution",
        "inventory-task",
        "storefront-execution",
        "storefront-task",
    }
    for role in roles:
        assert role.inputs["permissionsBoundary"] == BOUNDARY


def test_who_may_call_an_application() -> None:
    recording = recorded("defaults")
    assert untagged(recording.named(INGRESS, "storefront-tasks-in-8080")) == {
        "securityGroupId": "<storefront-tasks.id>",
        "referencedSecurityGroupId": "<cluster-applications.id>",
        "ipProtocol": "tcp",
        "fromPort": 8080,
        "toPort": 8080,
    }
    assert untagged(recording.named(SECURITY_GROUP, "storefront-tasks")) == {
        "namePrefix": "ecs-observability-dev-storefront-",
        "description": "Tasks of storefront",
        "vpcId": "<network-vpc.id>",
    }
    assert untagged(recording.named(SECURITY_GROUP, "cluster-applications")) == {
        "namePrefix": "ecs-observability-dev-applications-",
        "description": "Worn by every application: who wears it may call the others",
        "vpcId": "<network-vpc.id>",
    }
    assert len(recording.of_type(INGRESS)) == 1


def test_the_private_name() -> None:
    assert untagged(recorded("defaults").named(DISCOVERY, "storefront-name")) == {
        "name": "storefront",
        "dnsConfig": {
            "namespaceId": "<cluster-namespace.id>",
            "dnsRecords": [{"type": "A", "ttl": 10}],
            "routingPolicy": "MULTIVALUE",
        },
        "forceDestroy": True,
        "healthCheckCustomConfig": {"failureThreshold": 1},
    }


def test_the_image_that_is_built() -> None:
    recording = recorded("x86")
    image = recording.named("docker-build:index:Image", "inventory-image")
    inputs = {key: value for key, value in image.inputs.items() if key not in ("registries", "network")}
    assert inputs == {
        "context": {"location": "./sample"},
        "platforms": ["linux/amd64"],
        "tags": ["<inventory-repository.repositoryUrl>:dev"],
        "push": True,
        "buildOnPreview": False,
    }
    assert recording.named(TASK, "inventory-definition").inputs["runtimePlatform"]["cpuArchitecture"] == "X86_64"
    repository = recording.named("aws:ecr/repository:Repository", "inventory-repository")
    assert untagged(repository) == {
        "name": "ecs-observability-dev/inventory",
        "imageScanningConfiguration": {"scanOnPush": True},
        "forceDelete": True,
    }
    assert recorded("dev").named("docker-build:index:Image", "storefront-image").inputs["platforms"] == ["linux/arm64"]


def test_logs_are_kept_as_long_as_asked() -> None:
    groups = recorded("limits").of_type("aws:cloudwatch/logGroup:LogGroup")
    assert {group.inputs["name"]: group.inputs["retentionInDays"] for group in groups} == {
        "/ecs/ecs-observability-dev/storefront": 3653,
        "/ecs/ecs-observability-dev/collector": 3653,
        "/aws/vendedlogs/prometheus/ecs-observability-dev": 3653,
        "/aws/events/ecs-observability-dev/ecs": 3653,
    }
