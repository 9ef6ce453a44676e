"""How applications' containers run: task definitions, roles and services."""

from typing import Any

import pytest

from tests.components.variants import (
    ROLE_POLICY,
    SERVICE,
    TASK,
    containers,
    names_of,
    recorded,
    statements,
    untagged,
)

# Each test makes a whole program, which takes a second or two.
pytestmark = pytest.mark.slow

FILES = "arn:aws:elasticfilesystem:eu-west-1:<account>"


def test_volumes_and_storage_of_the_task() -> None:
    task = untagged(recorded("containers").named(TASK, "storefront-definition"))
    assert task["ephemeralStorage"] == {"sizeInGib": 50}
    assert task["volumes"] == [
        {
            "name": "data",
            "efsVolumeConfiguration": {
                "fileSystemId": "fs-0123456789abcdef0",
                "transitEncryption": "ENABLED",
                "authorizationConfig": {"iam": "ENABLED", "accessPointId": "fsap-0123456789abcdef0"},
            },
        },
        {
            "name": "media",
            "efsVolumeConfiguration": {
                "fileSystemId": "fs-0123456789abcdef1",
                "rootDirectory": "/shop",
                "transitEncryption": "ENABLED",
                "authorizationConfig": {"iam": "ENABLED"},
            },
        },
        {"name": "scratch"},
    ]


def test_only_the_application_has_what_was_said_of_it() -> None:
    """The collector beside it and its drain stay as they are in a stack that says nothing."""
    said, plain = (containers(recorded(stack), "storefront-definition") for stack in ("containers", "defaults"))
    for ours in ("collector", "drain"):
        assert _unversioned(said[ours]) == _unversioned(plain[ours])
    assert {key: said["storefront"][key] for key in said["storefront"] if key not in plain["storefront"]} == {
        "entryPoint": ["/bin/app"],
        "workingDirectory": "/srv",
        "user": "1000:1000",
        "readonlyRootFilesystem": True,
        "linuxParameters": {"capabilities": {"drop": ["ALL"]}, "tmpfs": [{"containerPath": "/tmp", "size": 64}]},
        "ulimits": [{"name": "nofile", "softLimit": 65535, "hardLimit": 1048576}],
        "mountPoints": [
            {"sourceVolume": "data", "containerPath": "/data", "readOnly": False},
            {"sourceVolume": "media", "containerPath": "/media", "readOnly": True},
            {"sourceVolume": "scratch", "containerPath": "/var/cache/app", "readOnly": False},
        ],
        "dockerLabels": {"team": "shop"},
        "repositoryCredentials": {
            "credentialsParameter": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"
        },
        "restartPolicy": {"enabled": True, "ignoredExitCodes": [0]},
        "systemControls": [{"namespace": "net.core.somaxconn", "value": "1024"}],
    }
    assert (said["storefront"]["stopTimeout"], plain["storefront"]["stopTimeout"]) == (90, 30)


def _unversioned(container: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in container.items() if key != "environment"}


def test_the_task_may_mount_its_file_systems_and_its_registry_may_be_logged_in_to() -> None:
    recording = recorded("containers")
    granted = {one["Sid"]: one for one in statements(recording, "storefront-task-policy")}
    assert [granted["MountVolume0"], granted["MountVolume1"]] == [
        {
            "Sid": "MountVolume0",
            "Effect": "Allow",
            "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
            "Resource": f"{FILES}:file-system/fs-0123456789abcdef0",
            "Condition": {
                "ArnEquals": {"elasticfilesystem:AccessPointArn": f"{FILES}:access-point/fsap-0123456789abcdef0"}
            },
        },
        {
            "Sid": "MountVolume1",
            "Effect": "Allow",
            "Action": ["elasticfilesystem:ClientMount"],
            "Resource": f"{FILES}:file-system/fs-0123456789abcdef1",
        },
    ]
    assert "HoldSessions" not in granted
    assert statements(recording, "storefront-execution-policy")[-1] == {
        "Sid": "ReadSecrets",
        "Effect": "Allow",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"],
    }


def test_sessions_are_for_the_application_that_wants_them() -> None:
    recording = recorded("containers")
    services = {service.name: service.inputs for service in recording.of_type(SERVICE)}
    assert [name for name, inputs in services.items() if "enableExecuteCommand" in inputs] == ["inventory-service"]
    assert services["inventory-service"]["enableExecuteCommand"] is True
    assert containers(recording, "inventory-definition")["inventory"]["linuxParameters"] == {"initProcessEnabled": True}
    assert statements(recording, "inventory-task-policy") == [
        {
            "Sid": "HoldSessions",
            "Effect": "Allow",
            "Action": [
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ],
            "Resource": "*",
        },
        {"Sid": "FindSessionLogs", "Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": "*"},
        {
            "Sid": "WriteSessionLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "Resource": "<inventory-logs.arn>:*",
        },
    ]
    # The service waits for the policy, or its first task has an agent without permission.
    service = recording.named(SERVICE, "inventory-service")
    assert "inventory-task-policy" in names_of(recording, service.dependencies)


def test_without_sessions_and_file_systems_the_service_pattern_grants_nothing() -> None:
    assert not [one for one in recorded("cloud-map").of_type(ROLE_POLICY) if one.name == "storefront-task-policy"]
