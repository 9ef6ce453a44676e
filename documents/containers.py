"""How a container runs on Fargate, beside what it runs: its file systems, user and limits, sessions in it, and whatever
else ECS takes of a container definition.

What Fargate takes is from the Amazon ECS Developer Guide, "Amazon ECS task definition differences for Fargate" and
"Amazon ECS task definition parameters for Fargate"; `tmpfs` on Fargate is of January 2026 ("Amazon ECS now supports
tmpfs mounts on AWS Fargate and ECS Managed Instances").
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, cast

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from documents.faults import wrong
from documents.model import Model, SecretArn, Whole, is_placeholder
from documents.policies import Statement

_MOST_SECONDS: Final = 120
"""The longest that ECS waits for a container to start or to stop."""


Capability = Literal[
    "ALL", "AUDIT_CONTROL", "AUDIT_WRITE", "BLOCK_SUSPEND", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER",
    "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD",
    "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID",
    "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "SYSLOG", "WAKE_ALARM",
]  # fmt: skip
"""A capability of Linux that a container may drop (Amazon ECS API Reference, KernelCapabilities)."""

_USER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?")
_PATH: Final = re.compile(r"(?:/[^/:\s\x00-\x1f\x7f]+)+")
_VOLUME: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")


def _user(value: str) -> str:
    if not _USER.fullmatch(value):
        raise wrong("is not a user", "write it as a name or an id, with or without a group, for example 1000:1000")
    return value


def _path(value: str) -> str:
    if not _PATH.fullmatch(value) or {".", ".."}.intersection(value.split("/")):
        raise wrong("is not a path in a container", "begin it with a slash, for example /var/cache/app")
    return value


def _volume_name(value: str) -> str:
    if not _VOLUME.fullmatch(value):
        raise wrong("is not the name of a volume", "use at most 63 lower-case letters, digits and hyphens")
    return value


def _id_of(prefix: str) -> AfterValidator:
    form = re.compile(rf"{prefix}-[0-9a-f]{{8,40}}")

    def check(value: str) -> str:
        if not is_placeholder(value) and not form.fullmatch(value):
            raise wrong("is not an id of Amazon EFS", f"write it as {prefix}-0123456789abcdef0")
        return value

    return AfterValidator(check)


Path = Annotated[str, AfterValidator(_path)]
MiB = Annotated[Whole, Field(ge=1)]


class Limit(Model):
    """A limit of Linux: the one that holds, and the one to which a process may raise it."""

    soft: Annotated[Whole, Field(ge=1)]
    """The limit that holds."""
    hard: Annotated[Whole, Field(ge=1)]
    """The limit to which a process may raise it."""

    @field_validator("hard")
    @classmethod
    def _above(cls, hard: int, info: ValidationInfo) -> int:
        if hard < info.data.get("soft", 0):
            raise wrong("is below the soft limit", f"give at least {info.data['soft']}")
        return hard


class Ulimits(Model):
    """The limits that Fargate lets a container set: open files, 65,535 where nothing is said."""

    nofile: Limit | None = None
    """Open files; 65,535 where nothing is said."""


class SystemControl(Model):
    """A kernel parameter of the container's network or IPC namespace."""

    namespace: Annotated[str, Field(min_length=1)]
    """Name of the parameter, such as net.core.somaxconn."""
    value: Annotated[str, Field(min_length=1)]
    """Its value."""


class RestartPolicy(Model):
    """Whether ECS restarts the container in its task, unless it ended with one of these exit codes or ran less than
    these seconds."""

    enabled: bool
    """Whether ECS restarts the container in its task."""
    ignored_exit_codes: Annotated[tuple[Whole, ...], Field(max_length=50)] = ()
    """Exit codes after which it does not."""
    restart_attempt_period: Annotated[Whole, Field(ge=60, le=1800)] = 300
    """Seconds that the container has to have run before it is restarted."""


class RepositoryCredentials(Model):
    """The secret with the login to a private registry outside AWS."""

    credentials_parameter: SecretArn
    """ARN of the secret with user name and password."""


_INSTEAD: Final[Mapping[str, str]] = {
    "name": "name",
    "image": "image",
    "command": "command",
    "portMappings": "port",
    "environment": "environment",
    "environmentFiles": "environment and secrets",
    "secrets": "secrets",
    "healthCheck": "healthCheck",
    "cpu": "cpu, the whole task's",
    "memory": "memory, the whole task's",
    "memoryReservation": "memory, the whole task's",
    "mountPoints": "volumes",
    "volumesFrom": "volumes",
    "logConfiguration": "logs, and logs.retentionDays of the stack",
    "dependsOn": "collector.waitFor of the stack; all other containers are ours",
    "essential": "nothing: without the application the task is of no use",
    "entryPoint": "container.entryPoint",
    "workingDirectory": "container.workingDirectory",
    "user": "container.user",
    "stopTimeout": "container.stopTimeout",
    "readonlyRootFilesystem": "container.readOnlyRootFilesystem",
    "ulimits": "container.ulimits",
    "linuxParameters": "container.initProcess, container.dropCapabilities and container.tmpfs",
}
"""What to give instead of a key of a container definition that we write ourselves."""

_NOT_ON_FARGATE: Final = frozenset(
    {
        "disableNetworking", "dnsSearchDomains", "dnsServers", "dockerSecurityOptions", "extraHosts", "hostname",
        "links", "privileged", "resourceRequirements",
    }
)  # fmt: skip


class Extra(Model):
    """The rest of a container definition in ECS's own words: what Fargate takes, and what no other key says."""

    docker_labels: Mapping[str, str] = {}
    """Labels of the container."""
    interactive: bool = False
    """Whether its standard input stays open."""
    pseudo_terminal: bool = False
    """Whether it has a terminal."""
    repository_credentials: RepositoryCredentials | None = None
    """The login to a private registry outside AWS."""
    restart_policy: RestartPolicy | None = None
    """Whether ECS restarts the container in its task."""
    start_timeout: Annotated[Whole, Field(ge=2, le=_MOST_SECONDS)] | None = None
    """Seconds that others wait for the container to be as they depend on it."""
    system_controls: tuple[SystemControl, ...] = ()
    """Kernel parameters of the container's namespaces."""
    version_consistency: Literal["enabled", "disabled"] = "enabled"
    """Whether ECS resolves the image's tag to a digest, once for all tasks of a deployment."""

    @model_validator(mode="before")
    @classmethod
    def _said_elsewhere(cls, values: Any) -> Any:
        given: Mapping[str, Any] = cast(Any, values) if isinstance(values, Mapping) else {}
        remedies = {key: f"give {_INSTEAD[key]}" for key in given if key in _INSTEAD} | {
            key: "leave it out, Fargate has none" for key in given if key in _NOT_ON_FARGATE
        }
        if remedies:
            listed = "; ".join(f"for {key}, {remedy}" for key, remedy in remedies.items())
            raise wrong(f"has {', '.join(remedies)}, which cannot be said here", listed, secret=True)
        return cast(Any, values)


class Efs(Model):
    """A file system of Amazon EFS, or the part of it behind an access point. It is mounted with TLS and by the task's
    role."""

    file_system_id: Annotated[str, _id_of("fs")]
    """A file system that is there already."""
    access_point_id: Annotated[str, _id_of("fsap")] | None = None
    """The access point to mount, and the only one that the task's role may use."""
    root_directory: Path | None = None
    """A directory of the file system; not with an access point, which says its own."""

    @field_validator("root_directory")
    @classmethod
    def _one_root(cls, root: str | None, info: ValidationInfo) -> str | None:
        if root and info.data.get("access_point_id"):
            raise wrong("is said by the access point", "leave it out, or the access point")
        return root


class Volume(Model):
    """What is mounted in a container: a file system of EFS, or empty space."""

    path: Path
    """Where it is mounted in the container."""
    read_only: bool = False
    """Whether it cannot be written to, by the task's role either."""
    efs: Efs | None = None
    """A file system of Amazon EFS; without one the volume is empty and ends with the task."""


VolumeName = Annotated[str, AfterValidator(_volume_name)]
Volumes = Mapping[VolumeName, Volume]
"""Volumes by name."""


class Container(Model):
    """How a container runs."""

    read_only_root_filesystem: bool = False
    """Whether nothing can be written but to volumes and `tmpfs`."""
    user: Annotated[str, AfterValidator(_user)] | None = None
    """Name or id, with or without a group; left out, the image's."""
    init_process: bool | None = None
    """Whether an init process passes signals on and reaps what ended; left out, as `exec` is."""
    ulimits: Ulimits = Ulimits()
    """Limits that Fargate lets a container set."""
    stop_timeout: Annotated[Whole, Field(ge=2, le=_MOST_SECONDS)] = 30
    """Seconds from SIGTERM to SIGKILL."""
    drop_capabilities: tuple[Capability, ...] = ()
    """Capabilities of Linux that it does without."""
    tmpfs: Mapping[Path, MiB] = {}
    """MiB by path, in memory and so out of the task's."""
    working_directory: Path | None = None
    """Where it starts; left out, the image's."""
    entry_point: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """What `command` is given to; left out, the image's."""
    extra: Extra = Extra()
    """The rest of ECS's container definition; docs/containers.md#the-rest-of-the-definition."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """ARNs of the secrets that ECS reads to pull the image."""
        credentials = self.extra.repository_credentials
        return (credentials.credentials_parameter,) if credentials else ()


def check_paths(volumes: Mapping[str, Volume], container: Container) -> None:
    """Raises the error of a validator if two things are mounted at one path."""
    used = [*container.tmpfs, *(volume.path for volume in volumes.values())]
    if twice := sorted({path for path in used if used.count(path) > 1}):
        raise wrong(f"mounts {', '.join(twice)} twice, in container.tmpfs or here", "give each its own path")


def check_memory(container: Container, memory: int) -> None:
    """Raises the error of a validator if what is kept in memory leaves none of the task's `memory`, in MiB."""
    if (kept := sum(container.tmpfs.values())) >= memory:
        raise wrong(f"keeps {kept} MiB in tmpfs, and the task has {memory}", "give the task more memory, or tmpfs less")


def check_session(container: Container) -> None:
    """Raises the error of a validator if no session can be had in the container (Amazon ECS Developer Guide, ECS Exec
    "Considerations": its agent makes directories and files there)."""
    if container.read_only_root_filesystem:
        raise wrong(
            "is not to be had with a read-only root file system, to which its agent has to write",
            "turn one of the two off",
        )


def definition(container: Container, volumes: Mapping[str, Volume], *, sessions: bool) -> dict[str, Any]:
    """The part of a container definition that all this makes, without what is as ECS has it anyway."""
    limit = container.ulimits.nofile
    chosen: dict[str, Any] = {
        "entryPoint": list(container.entry_point or ()),
        "workingDirectory": container.working_directory,
        "user": container.user,
        "readonlyRootFilesystem": container.read_only_root_filesystem,
        "linuxParameters": _linux_parameters(container, sessions),
        "ulimits": [{"name": "nofile", "softLimit": limit.soft, "hardLimit": limit.hard}] if limit else [],
        "mountPoints": [
            {"sourceVolume": name, "containerPath": volume.path, "readOnly": volume.read_only}
            for name, volume in sorted(volumes.items())
        ],
        **container.extra.model_dump(mode="json", by_alias=True, exclude_unset=True),
    }
    return {"stopTimeout": container.stop_timeout} | {key: value for key, value in chosen.items() if value}


def _linux_parameters(container: Container, sessions: bool) -> dict[str, Any]:
    # A session's agent leaves processes behind that nobody reaps but an init process.
    init = sessions if container.init_process is None else container.init_process
    chosen = {
        "initProcessEnabled": init,
        "capabilities": {"drop": list(container.drop_capabilities)} if container.drop_capabilities else {},
        "tmpfs": [{"containerPath": path, "size": size} for path, size in sorted(container.tmpfs.items())],
    }
    return {key: value for key, value in chosen.items() if value}


def task_volumes(volumes: Mapping[str, Volume]) -> list[dict[str, Any]]:
    """The volumes of a task definition, in Pulumi's words."""
    return [
        {"name": name} | ({"efs_volume_configuration": _efs(volume.efs)} if volume.efs else {})
        for name, volume in sorted(volumes.items())
    ]


def _efs(efs: Efs) -> dict[str, Any]:
    point = {"access_point_id": efs.access_point_id} if efs.access_point_id else {}
    root = {"root_directory": efs.root_directory} if efs.root_directory else {}
    return {
        "file_system_id": efs.file_system_id,
        **root,
        "transit_encryption": "ENABLED",
        "authorization_config": {"iam": "ENABLED", **point},
    }


def mounts(volumes: Mapping[str, Volume], *, partition: str, region: str, account: str) -> list[Statement]:
    """What the task's role does to mount its file systems of EFS (Amazon EFS User Guide, "Using IAM to control file
    system data access"); root in the container is nobody special there."""
    begin = f"arn:{partition}:elasticfilesystem:{region}:{account}"
    mounted = [(volume, volume.efs) for _, volume in sorted(volumes.items()) if volume.efs]
    statements: list[Statement] = []
    for index, (volume, efs) in enumerate(mounted):
        write = [] if volume.read_only else ["elasticfilesystem:ClientWrite"]
        point = f"{begin}:access-point/{efs.access_point_id}"
        only = {"ArnEquals": {"elasticfilesystem:AccessPointArn": point}} if efs.access_point_id else {}
        statements.append(
            {
                "Sid": f"MountVolume{index}",
                "Effect": "Allow",
                "Action": ["elasticfilesystem:ClientMount", *write],
                "Resource": f"{begin}:file-system/{efs.file_system_id}",
            }
            | ({"Condition": only} if only else {})
        )
    return statements


def sessions(log_group_arn: str) -> list[Statement]:
    """What the agent of ECS Exec does in a task: hold its channels, and write what was said into the log group
    (Amazon ECS Developer Guide, "Monitor Amazon ECS containers with ECS Exec"). The channels are no resources to IAM,
    and to describe log groups knows none narrower than all."""
    return [
        {
            "Sid": "HoldSessions",
            "Effect": "Allow",
            "Action": [
                "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
            ],
            "Resource": "*",
        },
        {"Sid": "FindSessionLogs", "Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": "*"},
        {
            "Sid": "WriteSessionLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "Resource": f"{log_group_arn}:*",
        },
    ]  # fmt: skip
