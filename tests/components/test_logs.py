"""Where the lines of applications go: routers, log groups that exist, roles, endpoints and dashboards."""

import json
from typing import Any

import pytest

from preview.recorder import Recording
from tests.components.variants import ROLE_POLICY, SECRET, containers, names_of, recorded, statements

# Each test makes a whole program, which takes a second or two.
pytestmark = pytest.mark.slow

GROUP = "aws:cloudwatch/logGroup:LogGroup"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
DASHBOARD = "grafana:oss/dashboard:Dashboard"
FOREIGN = "arn:aws:logs:eu-west-1:<account>:log-group:/shop/stock"


def granted(name: str) -> list[dict[str, Any]]:
    return statements(recorded("routed-logs"), name)


def groups(recording: Recording, name: str) -> dict[str, str]:
    """The log groups to which the containers of a task write by awslogs."""
    found = containers(recording, f"{name}-definition")
    return {
        one: container["logConfiguration"]["options"]["awslogs-group"]
        for one, container in found.items()
        if container["logConfiguration"]["logDriver"] == "awslogs"
    }


def test_only_the_application_is_routed() -> None:
    """A collector whose lines pass a router would be silent when the router is what is wrong."""
    found = containers(recorded("routed-logs"), "storefront-definition")
    assert {name: one["logConfiguration"]["logDriver"] for name, one in found.items()} == {
        "storefront": "awsfirelens",
        "log-router": "awslogs",
        "drain": "awslogs",
        "collector": "awslogs",
    }
    assert found["storefront"]["dependsOn"][0] == {"containerName": "log-router", "condition": "START"}
    assert found["storefront"]["logConfiguration"]["options"]["log_group_name"] == (
        "/ecs/ecs-observability-dev/storefront"
    )
    assert (found["log-router"]["memory"], found["log-router"]["essential"]) == (128, True)


def test_the_router_may_write_to_the_log_group_of_its_application() -> None:
    [route] = [one for one in granted("storefront-task-policy") if one["Sid"].startswith("RouteLogs")]
    assert route == {
        "Sid": "RouteLogs",
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": "<storefront-logs.arn>:*",
    }


def test_an_output_of_the_users_own_has_the_users_permissions_and_secrets() -> None:
    routes = [one["Sid"] for one in granted("payments-task-policy") if one["Sid"].startswith("RouteLogs")]
    assert routes == ["RouteLogs0"]
    assert granted("payments-execution-policy")[-1] == {
        "Sid": "ReadSecrets",
        "Effect": "Allow",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": [SECRET],
    }
    assert any("applications.2.logs.firelens" in warning for warning in recorded("routed-logs").warnings)


def test_a_log_group_that_exists_is_written_to_and_never_made() -> None:
    recording = recorded("routed-logs")
    assert [one for one in recording.of_type(GROUP) if one.inputs["name"] == "/shop/stock"] == []
    assert {one.name for one in recording.of_type(GROUP)} >= {"storefront-logs", "payments-logs"}
    assert "inventory-logs" not in {one.name for one in recording.of_type(GROUP)}
    assert groups(recording, "inventory") == {"auto-instrumentation": "/shop/stock", "log-router": "/shop/stock"}
    assert containers(recording, "inventory-definition")["inventory"]["logConfiguration"]["options"] == {
        "Name": "cloudwatch_logs",
        "region": "eu-west-1",
        "log_group_name": "/shop/stock",
        "auto_create_group": "false",
        "log_stream_prefix": "inventory/",
        "log_key": "log",
        "Retry_Limit": "5",
        "log-driver-buffer-limit": "2097152",
    }


def test_roles_are_limited_to_the_log_group_that_exists() -> None:
    found = {
        one["Sid"]: one["Resource"]
        for name in ("inventory-task-policy", "inventory-execution-policy")
        for one in granted(name)
        if str(one["Action"]).find("logs:") >= 0 and one["Resource"] != "*"
    }
    assert found == {
        "WriteSessionLogs": f"{FOREIGN}:*",
        "RouteLogs": f"{FOREIGN}:*",
        "WriteLogs": f"{FOREIGN}:*",
    }
    pulled = next(one for one in granted("inventory-execution-policy") if one["Sid"] == "PullImages")
    assert pulled["Resource"] == ["arn:aws:ecr:eu-central-1:123456789012:repository/team/router"]


def test_the_service_waits_until_the_router_may_write() -> None:
    recording = recorded("routed-logs")
    service = recording.named("aws:ecs/service:Service", "storefront-service")
    assert "storefront-task-policy" in names_of(recording, service.dependencies)


def test_grafana_reads_the_log_group_that_exists() -> None:
    recording = recorded("routed-logs")
    [policy] = [one for one in recording.of_type(ROLE_POLICY) if one.name.startswith("grafana")]
    read = next(one for one in json.loads(policy.inputs["policy"])["Statement"] if one["Sid"] == "ReadLogs")
    assert f"{FOREIGN}:*" in read["Resource"]
    asked = "".join(board.inputs["configJson"] for board in recording.of_type(DASHBOARD))
    assert '"/shop/stock"' in asked
    assert '"/ecs/ecs-observability-dev/inventory"' not in asked


def test_a_closed_network_lets_the_router_out() -> None:
    recording = recorded("closed-routed-logs")
    policies = {
        one.inputs["serviceName"].rpartition(".")[2]: {
            each.get("Sid"): each for each in json.loads(one.inputs["policy"])["Statement"]
        }
        for one in recording.of_type(ENDPOINT)
    }
    assert policies["kinesis-firehose"]["RouteLogs0"]["Action"] == ["firehose:PutRecordBatch"]
    written = policies["logs"]["WriteLogsOfOthers"]
    assert written["Resource"] == ["arn:aws:logs:eu-central-1:<account>:log-group:/shop/storefront:*"]
    assert written["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
