"""How a container runs: what of it stands in a definition, in the task and in its role, and what is refused."""

from typing import Any

import botocore.session
import pytest

from documents import containers, task
from documents.containers import Container, Extra, Volume
from documents.faults import ConfigurationError
from documents.inputs import Application, Workload, checked
from tests import judges

WEB = {"name": "web", "image": "shop/web:1", "port": 8080}
LOG = {"logDriver": "awslogs"}
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:registry-AbCdEf"
FILES = {"fileSystemId": "fs-0123456789abcdef0"}


def application(**values: Any) -> Application:
    return checked(Application, WEB | values, "web")


def faults(**values: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        application(**values)
    return [str(fault) for fault in caught.value.faults]


def definition(**values: Any) -> dict[str, Any]:
    """What the definition has beyond that of an application which says nothing."""
    plain = task.application_container(application(), LOG)
    whole = task.application_container(application(**values), LOG)
    assert judges.request("ecs", "RegisterTaskDefinition", {"family": "web", "containerDefinitions": [whole]}) == []
    return {key: value for key, value in whole.items() if plain.get(key) != value}


def test_nothing_said_is_nothing_written() -> None:
    assert containers.definition(Container(), {}, sessions=False) == {"stopTimeout": 30}


def test_every_key_of_a_container() -> None:
    said = {
        "readOnlyRootFilesystem": True,
        "user": "1000:1000",
        "initProcess": True,
        "ulimits": {"nofile": {"soft": 65535, "hard": 1048576}},
        "stopTimeout": 90,
        "dropCapabilities": ["ALL"],
        "tmpfs": {"/tmp": 64, "/run": 8},
        "workingDirectory": "/srv/app",
        "entryPoint": ["/bin/app"],
    }
    assert definition(container=said) == {
        "readonlyRootFilesystem": True,
        "user": "1000:1000",
        "linuxParameters": {
            "initProcessEnabled": True,
            "capabilities": {"drop": ["ALL"]},
            "tmpfs": [{"containerPath": "/run", "size": 8}, {"containerPath": "/tmp", "size": 64}],
        },
        "ulimits": [{"name": "nofile", "softLimit": 65535, "hardLimit": 1048576}],
        "stopTimeout": 90,
        "workingDirectory": "/srv/app",
        "entryPoint": ["/bin/app"],
    }


def test_the_rest_is_passed_on_as_it_was_given() -> None:
    extra = {
        "dockerLabels": {"team": "shop"},
        "interactive": True,
        "pseudoTerminal": True,
        "repositoryCredentials": {"credentialsParameter": SECRET},
        "restartPolicy": {"enabled": True, "ignoredExitCodes": [0, 143]},
        "startTimeout": 60,
        "systemControls": [{"namespace": "net.core.somaxconn", "value": "1024"}],
        "versionConsistency": "disabled",
    }
    assert definition(container={"extra": extra}) == extra


def test_every_key_of_ecs_is_taken_or_said_elsewhere_or_not_on_fargate() -> None:
    """So that a key that ECS gets is noticed here, and none is refused as if it were misspelt."""
    shape: Any = botocore.session.Session().get_service_model("ecs").shape_for("ContainerDefinition")
    ours = {field.alias for field in Extra.model_fields.values()}
    known = [ours, set(containers._INSTEAD), set(containers._NOT_ON_FARGATE)]  # pyright: ignore[reportPrivateUsage]
    assert sum(map(len, known)) == len(set.union(*known))
    # Of Windows, and of routers of logs.
    assert set(shape.members) - set.union(*known) == {"credentialSpecs", "firelensConfiguration"}


def test_what_stands_elsewhere_is_told_all_at_once() -> None:
    extra = {"image": "x:1", "portMappings": [], "privileged": True, "startTimeout": 5}
    assert faults(container={"extra": extra}) == [
        "web.container.extra: has image, portMappings, privileged, which cannot be said here; "
        "for image, give image; for portMappings, give port; for privileged, leave it out, Fargate has none"
    ]


@pytest.mark.parametrize(
    ("container", "text"),
    [
        ({"readonlyRootFilesystem": True}, "readonlyRootFilesystem: is not a known key; did you mean"),
        ({"user": "no body"}, "user: is not a user (got 'no body'); write it as a name or an id, with or without"),
        ({"stopTimeout": 121}, "stopTimeout: is too large (got 121); give at most 120"),
        ({"stopTimeout": 1}, "stopTimeout: is too small (got 1); give at least 2"),
        ({"dropCapabilities": ["FLY"]}, "dropCapabilities.0: is not one of the choices (got 'FLY'); choose 'ALL', "),
        ({"tmpfs": {"tmp": 64}}, "is not a path in a container"),
        ({"tmpfs": {"/tmp": 0}}, "tmpfs./tmp: is too small (got 0); give at least 1"),
        ({"workingDirectory": "/srv/../etc"}, "workingDirectory: is not a path in a container (got '/srv/../etc');"),
        ({"ulimits": {"nproc": {"soft": 1, "hard": 2}}}, "ulimits.nproc: is not a known key; known: nofile"),
        ({"ulimits": {"nofile": {"soft": 9, "hard": 8}}}, "ulimits.nofile.hard: is below the soft limit (got 8); give"),
        ({"extra": {"dockerLabel": {}}}, "extra.dockerLabel: is not a known key; did you mean 'dockerLabels'?"),
        ({"extra": {"startTimeout": 121}}, "extra.startTimeout: is too large (got 121); give at most 120"),
        (
            {"extra": {"restartPolicy": {"enabled": True, "restartAttemptPeriod": 10}}},
            "extra.restartPolicy.restartAttemptPeriod: is too small (got 10); give at least 60",
        ),
        (
            {"extra": {"repositoryCredentials": {"credentialsParameter": "hunter2"}}},
            "extra.repositoryCredentials.credentialsParameter: is not the ARN of a secret; store it",
        ),
    ],
)
def test_faults_of_a_container(container: dict[str, Any], text: str) -> None:
    (fault,) = faults(container=container)
    assert text in fault
    assert "hunter2" not in fault


def test_a_session_needs_an_init_process_and_a_file_system_to_write_to() -> None:
    assert definition(exec=True) == {"linuxParameters": {"initProcessEnabled": True}}
    assert definition(exec=True, container={"initProcess": False}) == {}
    assert faults(exec=True, container={"readOnlyRootFilesystem": True}) == [
        "web.exec: is not to be had with a read-only root file system, to which its agent has to write (got True); "
        "turn one of the two off"
    ]


def test_volumes_in_the_container_and_in_the_task() -> None:
    said = {
        "scratch": {"path": "/var/cache/web"},
        "media": {"path": "/media", "readOnly": True, "efs": FILES | {"rootDirectory": "/shop"}},
        "data": {"path": "/data", "efs": FILES | {"accessPointId": "fsap-0123456789abcdef0"}},
    }
    assert definition(volumes=said) == {
        "mountPoints": [
            {"sourceVolume": "data", "containerPath": "/data", "readOnly": False},
            {"sourceVolume": "media", "containerPath": "/media", "readOnly": True},
            {"sourceVolume": "scratch", "containerPath": "/var/cache/web", "readOnly": False},
        ]
    }
    assert containers.task_volumes(application(volumes=said).volumes) == [
        {
            "name": "data",
            "efs_volume_configuration": {
                "file_system_id": "fs-0123456789abcdef0",
                "transit_encryption": "ENABLED",
                "authorization_config": {"iam": "ENABLED", "access_point_id": "fsap-0123456789abcdef0"},
            },
        },
        {
            "name": "media",
            "efs_volume_configuration": {
                "file_system_id": "fs-0123456789abcdef0",
                "root_directory": "/shop",
                "transit_encryption": "ENABLED",
                "authorization_config": {"iam": "ENABLED"},
            },
        },
        {"name": "scratch"},
    ]


def test_a_role_mounts_what_its_task_mounts_and_writes_where_it_may() -> None:
    volumes = {
        "a": Volume.model_validate({"path": "/a", "efs": FILES | {"accessPointId": "fsap-0123456789abcdef0"}}),
        "b": Volume.model_validate({"path": "/b", "readOnly": True, "efs": FILES}),
        "c": Volume(path="/c"),
    }
    statements = containers.mounts(volumes, partition="aws", region="eu-west-1", account="123456789012")
    files = "arn:aws:elasticfilesystem:eu-west-1:123456789012"
    assert statements == [
        {
            "Sid": "MountVolume0",
            "Effect": "Allow",
            "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
            "Resource": f"{files}:file-system/fs-0123456789abcdef0",
            "Condition": {
                "ArnEquals": {"elasticfilesystem:AccessPointArn": f"{files}:access-point/fsap-0123456789abcdef0"}
            },
        },
        {
            "Sid": "MountVolume1",
            "Effect": "Allow",
            "Action": ["elasticfilesystem:ClientMount"],
            "Resource": f"{files}:file-system/fs-0123456789abcdef0",
        },
    ]


@pytest.mark.parametrize(
    ("volumes", "text"),
    [
        ({"Data": {"path": "/data"}}, "is not the name of a volume"),
        ({"data": {"path": "data"}}, "web.volumes.data.path: is not a path in a container (got 'data'); begin it"),
        ({"data": {}}, "web.volumes.data.path: is missing; give it a value"),
        (
            {"data": {"path": "/d", "efs": {"fileSystemId": "efs-1"}}},
            "web.volumes.data.efs.fileSystemId: is not an id of Amazon EFS (got 'efs-1'); write it as fs-0123",
        ),
        (
            {"data": {"path": "/d", "efs": FILES | {"accessPointId": "fsap-01234567", "rootDirectory": "/x"}}},
            "web.volumes.data.efs.rootDirectory: is said by the access point (got '/x'); leave it out, or the access",
        ),
        (
            {"a": {"path": "/d"}, "b": {"path": "/d"}},
            "web.volumes: mounts /d twice, in container.tmpfs or here (got a map); give each its own path",
        ),
    ],
)
def test_faults_of_volumes(volumes: dict[str, Any], text: str) -> None:
    (fault,) = faults(volumes=volumes)
    assert text in fault


def test_what_is_kept_in_memory_leaves_some() -> None:
    assert application(memory=1024, container={"tmpfs": {"/tmp": 1000, "/run": 23}}).memory == 1024
    assert faults(memory=1024, container={"tmpfs": {"/tmp": 1000, "/run": 24}}) == [
        "web.container: keeps 1024 MiB in tmpfs, and the task has 1024 (got a map); "
        "give the task more memory, or tmpfs less"
    ]


def test_a_path_is_a_volume_or_memory() -> None:
    (fault,) = faults(container={"tmpfs": {"/tmp": 8}}, volumes={"tmp": {"path": "/tmp"}})
    assert fault == "web.volumes: mounts /tmp twice, in container.tmpfs or here (got a map); give each its own path"


def test_a_file_system_may_not_be_known_yet() -> None:
    said = application(volumes={"data": {"path": "/d", "efs": {"fileSystemId": "<files.id>"}}})
    assert said.volumes["data"].efs is not None


@pytest.mark.parametrize(("size", "fits"), [(20, False), (21, True), (200, True), (201, False)])
def test_ephemeral_storage_is_what_fargate_has(size: int, fits: bool) -> None:
    if fits:
        assert application(ephemeralStorage=size).ephemeral_storage == size
    else:
        assert "x" not in faults(ephemeralStorage=size)


def test_a_container_that_serves_nobody_has_no_ports() -> None:
    job = checked(Workload, {"name": "job", "image": "shop/job:1"}, "job")
    assert task.application_container(job, LOG)["portMappings"] == []
    assert job.listens == {}
