"""The ECS task-metadata endpoint, version 4, for one task: what ECS would say, with figures of the real processes.

Form of the answers: Amazon ECS Developer Guide, "Task metadata endpoint version 4", for tasks on Fargate and on EC2
instances. Statistics are Docker's, with `network_rate_stats` added by the ECS agent.
"""

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from proof.web import LOOPBACK, Answer, Request, serve
from proof.wire import Traffic

ACCOUNT: Final = "123456789012"
REVISION: Final = "1"

_MEBIBYTE: Final = 1024 * 1024
_CPU_UNITS: Final = 1024
_SHORTEST_SPAN: Final = 0.5
"""Seconds. A question that comes sooner after another one gets the same answer, as ECS's own cache gives."""


@dataclass(frozen=True)
class Usage:
    """What the processes of one container used since they started: seconds of CPU, bytes of memory and of disk."""

    user: float
    system: float
    memory: int
    largest_memory: int
    read: int
    written: int


@dataclass(frozen=True)
class Reading:
    """The figures of one task at a time (seconds since the epoch). `usage` has containers that run, by name."""

    at: float
    usage: Mapping[str, Usage]
    traffic: Traffic


@dataclass(frozen=True)
class TaskIdentity:
    """Who a task is. `definition` is its task definition as it is registered."""

    region: str
    cluster: str
    service: str
    id: str
    started: datetime
    definition: Mapping[str, Any]

    @property
    def family(self) -> str:
        """The family of its task definition."""
        return str(self.definition["family"])

    @property
    def containers(self) -> Sequence[Mapping[str, Any]]:
        """Its container definitions."""
        return self.definition["containerDefinitions"]

    @property
    def vcpu(self) -> float:
        """Reserved for the task, in vCPU."""
        return int(self.definition["cpu"]) / _CPU_UNITS

    @property
    def memory(self) -> int:
        """Reserved for the task, in MiB."""
        return int(self.definition["memory"])

    @property
    def on_instances(self) -> bool:
        """Whether it is on an EC2 instance."""
        return "EC2" in self.definition.get("requiresCompatibilities", ())

    def container_id(self, name: str) -> str:
        """The runtime id of a container: Fargate's are the task id and a number, Docker's are 64 digits."""
        names = [container["name"] for container in self.containers]
        number = 1_000_000_000 + names.index(name)
        return f"{self.id.replace('-', '')}{number:032x}" if self.on_instances else f"{self.id}-{number}"


class Metadata:
    """The endpoint of one task; `read` gives its figures of this moment."""

    def __init__(self, task: TaskIdentity, read: Callable[[], Reading]) -> None:
        self._task = task
        self._read = read
        self._before = self._now = read()

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[str]:
        """Listens until the context ends; gives the URL that the id of a container is added to."""
        async with serve(self._handle) as port:
            yield f"http://{LOOPBACK}:{port}/v4"

    async def _handle(self, request: Request) -> Answer:
        _, version, container_id, *rest = f"{request.path}//".split("/")
        what = "/".join(part for part in rest if part)
        names = {self._task.container_id(container["name"]): container for container in self._task.containers}
        if version != "v4" or container_id not in names:
            return Answer(HTTPStatus.NOT_FOUND)
        questions: dict[str, Callable[[], Any]] = {
            "": lambda: _container(self._task, names[container_id]),
            "task": lambda: _task(self._task),
            "stats": lambda: self._statistics()[container_id],
            "task/stats": self._statistics,
        }
        if what not in questions:
            return Answer(HTTPStatus.NOT_FOUND)
        return Answer(HTTPStatus.OK, json.dumps(questions[what]()).encode())

    def _statistics(self) -> dict[str, Any]:
        """Docker's statistics by container id, over the time since the previous question.

        ECS's own cover one second. Here the questions come so often that the answers of a run, put together, leave no
        time out: their mean is the truth even though the collector's own work comes in bursts.
        """
        now = self._read()
        if now.at - self._now.at >= _SHORTEST_SPAN:
            self._before, self._now = self._now, now
        return {
            self._task.container_id(container["name"]): _docker(self._task, container, self._before, self._now)
            for container in self._task.containers
        }


def _task(task: TaskIdentity) -> dict[str, Any]:
    return {
        # On Fargate the cluster is an ARN here, on an instance what its agent was told.
        "Cluster": task.cluster if task.on_instances else f"arn:aws:ecs:{task.region}:{ACCOUNT}:cluster/{task.cluster}",
        "TaskARN": _task_arn(task),
        "Family": task.family,
        "Revision": REVISION,
        "ServiceName": task.service,
        "DesiredStatus": "RUNNING",
        "KnownStatus": "RUNNING",
        "Limits": {"CPU": task.vcpu, "Memory": task.memory},
        "PullStartedAt": _time(task.started.timestamp()),
        "PullStoppedAt": _time(task.started.timestamp()),
        "AvailabilityZone": f"{task.region}a",
        "Containers": [_container(task, container) for container in task.containers],
        **({"LaunchType": "EC2"} if task.on_instances else _of_fargate()),
    }


def _of_fargate() -> dict[str, Any]:
    return {
        "LaunchType": "FARGATE",
        "ClockDrift": {
            "ClockErrorBound": 0.5,
            "ReferenceTimestamp": _time(datetime.now(UTC).timestamp()),
            "ClockSynchronizationStatus": "SYNCHRONIZED",
        },
        "EphemeralStorageMetrics": {"Utilized": 261, "Reserved": 20496},
    }


def _container(task: TaskIdentity, container: Mapping[str, Any]) -> dict[str, Any]:
    name = container["name"]
    described: dict[str, Any] = {
        "DockerId": task.container_id(name),
        "Name": name,
        "DockerName": name,
        "Image": container["image"],
        "ImageID": f"sha256:{0:064x}",
        "Labels": {
            "com.amazonaws.ecs.cluster": f"arn:aws:ecs:{task.region}:{ACCOUNT}:cluster/{task.cluster}",
            "com.amazonaws.ecs.container-name": name,
            "com.amazonaws.ecs.task-arn": _task_arn(task),
            "com.amazonaws.ecs.task-definition-family": task.family,
            "com.amazonaws.ecs.task-definition-version": REVISION,
        },
        "DesiredStatus": "RUNNING",
        "KnownStatus": "RUNNING",
        "Limits": _limits(container),
        "CreatedAt": _time(task.started.timestamp()),
        "StartedAt": _time(task.started.timestamp()),
        "Type": "NORMAL",
        "ContainerARN": f"arn:aws:ecs:{task.region}:{ACCOUNT}:container/{task.cluster}/{task.id}/{name}",
        "Networks": [{"AttachmentIndex": 0, "NetworkMode": "awsvpc", "IPv4Addresses": ["10.0.0.10"]}],
        "Snapshotter": "overlayfs",
    }
    if log := container.get("logConfiguration"):
        options: Mapping[str, str] = log.get("options", {})
        described["LogDriver"] = log["logDriver"]
        described["LogOptions"] = {
            "awslogs-group": options.get("awslogs-group", ""),
            "awslogs-region": options.get("awslogs-region", ""),
            "awslogs-stream": f"{options.get('awslogs-stream-prefix', '')}/{name}/{task.id}",
        }
    return described


def _limits(container: Mapping[str, Any]) -> dict[str, int]:
    """A container without a share of its own has 2 CPU units, which is the least that Linux knows."""
    limits = {"CPU": int(container.get("cpu") or 2)}
    if container.get("memory"):
        limits["Memory"] = int(container["memory"])
    return limits


def _docker(task: TaskIdentity, container: Mapping[str, Any], before: Reading, now: Reading) -> dict[str, Any] | None:
    name = container["name"]
    if name not in now.usage or name not in before.usage:
        return None
    used = now.usage[name]
    seconds = max(now.at - before.at, 1e-3)
    # The agent gives every container of an awsvpc task an equal share, so that their sum is the task's.
    share = len(task.containers)
    received, sent = now.traffic.received, now.traffic.sent
    return {
        "read": _time(now.at),
        "preread": _time(before.at),
        "name": name,
        "id": task.container_id(name),
        "num_procs": 0,
        "pids_stats": {"current": 1},
        "blkio_stats": {"io_service_bytes_recursive": _disk(used)},
        "storage_stats": {},
        "cpu_stats": _cpu(used, now.at),
        "precpu_stats": _cpu(before.usage[name], before.at),
        "memory_stats": {
            "usage": used.memory,
            "max_usage": used.largest_memory,
            "stats": {"cache": 0},
            "limit": int(container.get("memory") or task.memory) * _MEBIBYTE,
        },
        "networks": {
            "eth1": {
                "rx_bytes": received // share,
                "rx_packets": now.traffic.received_packets // share,
                "rx_errors": 0,
                "rx_dropped": 0,
                "tx_bytes": sent // share,
                "tx_packets": now.traffic.sent_packets // share,
                "tx_errors": 0,
                "tx_dropped": 0,
            }
        },
        "network_rate_stats": {
            "rx_bytes_per_sec": (received - before.traffic.received) / seconds / share,
            "tx_bytes_per_sec": (sent - before.traffic.sent) / seconds / share,
        },
    }


def _cpu(used: Usage, at: float) -> dict[str, Any]:
    total = _nanoseconds(used.user + used.system)
    return {
        "cpu_usage": {
            "total_usage": total,
            "percpu_usage": [total],
            "usage_in_kernelmode": _nanoseconds(used.system),
            "usage_in_usermode": _nanoseconds(used.user),
        },
        "system_cpu_usage": _nanoseconds(at),
        "online_cpus": 1,
        "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
    }


def _disk(used: Usage) -> list[dict[str, Any]]:
    values = {"Read": used.read, "Write": used.written, "Total": used.read + used.written}
    return [{"major": 259, "minor": 0, "op": operation, "value": value} for operation, value in values.items()]


def _task_arn(task: TaskIdentity) -> str:
    return f"arn:aws:ecs:{task.region}:{ACCOUNT}:task/{task.cluster}/{task.id}"


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
