"""One ECS task as processes on loopback, started and stopped as ECS would."""

import os
import random
import re
import socket
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from documents import drain, names
from proof import gate, shell
from proof.ballast import Ballast
from proof.cloud_map import CloudMap
from proof.metadata import Metadata, Reading, TaskIdentity
from proof.plan import CONFIGURATION, Container, Service, environment
from proof.processes import Child, Children, Program, ProgramError
from proof.sigv4 import Credentials
from proof.truth import TaskTruth
from proof.waiting import answers
from proof.web import LOOPBACK
from proof.wire import Wire
from proof.xray import SPANS

INTERVAL_SECONDS: Final = 2.0
"""Between two samples of a series. A deployment takes a minute; `grafana.Clock` shrinks a dashboard's times with it."""

DECISION_SECONDS: Final = 2.0
"""How long a trace waits for the decision whether it is kept."""

_COLLECTOR_IMAGE: Final = {"RUN_IN_CONTAINER": "True"}
"""What ADOT's image sets (its Dockerfile): without it the program logs to a file of its own."""

_STATSD: Final = "STATSD_ENDPOINT"
_BEHIND_FRONT: Final = "BEHIND_FRONT_PORT"

_ADDRESS: Final = re.compile(r"\$\{env:(\w+):-(?:[\d.]+:)?(\d+)\}")
"""An address or a port in a configuration that a proof moves: its variable, and the port of a deployment."""


@dataclass(frozen=True)
class Surroundings:
    """What a task finds around it: where its processes live, and the loopback ports of AMP, X-Ray and ECS."""

    folder: Path
    collector: Path
    children: Children
    resources: AsyncExitStack
    ports: Iterator[int]
    amp: int
    xray: int
    ecs: int = 0
    elsewhere: Mapping[str, int] = field(default_factory=dict[str, int])
    """Loopback ports of what else collectors send to, by the variable that moves its address."""
    cloud_map: CloudMap | None = None


@dataclass(frozen=True)
class Address:
    """Where a collector takes OTLP, by loopback port; `statsd` over UDP, 0 where it does not."""

    grpc: int
    http: int
    statsd: int = 0

    def url(self, variables: Mapping[str, str]) -> str:
        """The endpoint for an SDK with these variables."""
        protocol = variables.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        return f"http://{LOOPBACK}:{self.grpc if protocol == 'grpc' else self.http}"


class Task:
    """One running task: its identity, its network interface, its containers as processes."""

    def __init__(self, service: Service, *, region: str, cluster: str, around: Surroundings) -> None:
        self.service: Final = service
        self.around: Final = around
        self.identity: Final = TaskIdentity(
            region=region,
            cluster=cluster,
            service=service.name,
            id=uuid.uuid4().hex,
            started=datetime.now(UTC),
            definition=service.definition,
        )
        # A task role gives temporary keys; each task has its own, so that a signature tells who wrote.
        unique = uuid.uuid4().hex.upper()
        self.credentials: Final = Credentials(f"ASIA{unique[:16]}", uuid.uuid4().hex, f"token-{unique}")
        self.wire: Final = Wire()
        self.children: Final[dict[str, Child]] = {}
        self.ballasts: Final[list[Ballast]] = []
        self._programs: Final[dict[str, Program]] = {}
        self.readings: Final[list[Reading]] = []
        self.conditions: Final[list[Callable[[], Awaitable[None]]]] = []
        self.addresses: Final[dict[str, str]] = {}
        self._moved: dict[str, str] = {}
        self._metadata = ""
        self._address = ""

    def read(self) -> Reading:
        """Its figures of this moment."""
        usage = {name: child.usage() for name, child in self.children.items() if child.ended is None}
        # Beside the first of them, whatever its name is.
        for name in [*usage][:1]:
            for ballast in self.ballasts:
                usage[name] = ballast.added_to(usage[name])
        return Reading(time.time(), usage, self.wire.traffic)

    @property
    def truth(self) -> TaskTruth:
        """What is known of it by now."""
        return TaskTruth(
            service=self.service.name,
            family=self.identity.family,
            id=self.identity.id,
            vcpu=self.identity.vcpu,
            memory=self.identity.memory,
            sidecar=self.service.sidecar is not None,
            key=self.credentials.access_key,
            readings=tuple(self.readings),
        )

    async def start_collectors(self) -> Address:
        """Starts its collectors as `run_collectors` does, and gives where they take what is sent."""
        await self.run_collectors()
        statsd = self.port(_STATSD) if self.moves(_STATSD) else 0
        return Address(self.port("OTLP_GRPC_ENDPOINT"), self.port("OTLP_HTTP_ENDPOINT"), statsd)

    async def run_collectors(self) -> None:
        """Starts its collectors and what stands beside them.

        `conditions` says when they are ready. Raises ProgramError if there is no collector.
        """
        if self.service.sidecar is None:
            raise ProgramError(f"no container of {self.identity.family} is named {names.COLLECTOR}")
        self._move_ports()
        around = self.around
        xray = f"http://{LOOPBACK}:{await self.outbound(around.xray)}"
        self._moved |= {
            "AWS_PROMETHEUS_ENDPOINT": f"http://{LOOPBACK}:{await self.outbound(around.amp)}{gate.PATH}",
            "AWS_ENDPOINT_URL_XRAY": xray,
            **dict.fromkeys(
                ("AWS_ENDPOINT_URL_ECS", "AWS_ENDPOINT_URL_EC2"),
                f"http://{LOOPBACK}:{await self.outbound(around.ecs)}",
            ),
            "TARGETS_FILE": str(around.folder / f"{self.identity.id}.targets.yaml"),
            "XRAY_TRACES_ENDPOINT": f"{xray}{SPANS}",
        }
        for variable, port in around.elsewhere.items():
            self._moved[variable] = f"http://{LOOPBACK}:{await self.outbound(port)}"
        for container in self.service.collectors:
            await self.start_collector(container)
        if drain := self.service.container(names.DRAIN):
            arguments = shell.program(around.folder, drain["command"])
            self.start(drain, arguments, self._moved | shell.environment(around.folder))

    async def start_collector(self, container: Container) -> Child:
        """Starts one of its collectors, also once more after it has ended: its ports and its disk stay the same."""
        credentials = {
            "AWS_ACCESS_KEY_ID": self.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_key,
            "AWS_SESSION_TOKEN": self.credentials.session_token,
        }
        arguments = [str(self.around.collector), *container.get("command", ())]
        variables = _COLLECTOR_IMAGE | self._moved | await self.metadata(container) | credentials
        child = self.start(container, arguments, variables)
        prefix = "FRONT_" if container["name"] == names.FRONT else ""
        health = f"http://{LOOPBACK}:{self.port(f'{prefix}HEALTH_CHECK_ENDPOINT')}/"
        self.addresses[f"{child.name} health"] = health
        self.addresses[f"{child.name} telemetry"] = (
            f"http://{LOOPBACK}:{self._moved[f'{prefix}TELEMETRY_PORT']}/metrics"
        )
        self.conditions.append(lambda: answers(child, health))
        return child

    def start(self, container: Container, arguments: Sequence[str], variables: Mapping[str, str]) -> Child:
        """Starts one of its containers; `variables` win over those of its definition."""
        own = "" if container["name"] == self.service.name else f"-{container['name']}"
        everything = base(self.around.folder) | environment(container) | dict(variables)
        name = str(container["name"])
        self._programs[name] = Program(f"{self.service.name}{own}-{self.identity.id[:4]}", arguments, everything)
        return self.restart(name)

    def restart(self, container: str) -> Child:
        """Starts a container once more after it has ended, as it was started before."""
        self.children[container] = self.around.children.start(self._programs[container])
        return self.children[container]

    async def outbound(self, port: int) -> int:
        """The port by which the task reaches a loopback port through its network interface."""
        return await self.around.resources.enter_async_context(self.wire.outbound(port).open())

    async def inbound(self, port: int) -> int:
        """The port by which others reach one of the task's."""
        return await self.around.resources.enter_async_context(self.wire.inbound(port).open())

    async def metadata(self, container: Container) -> dict[str, str]:
        """The variable by which a container finds ECS's metadata endpoint."""
        if not self._metadata:
            endpoint = Metadata(self.identity, self.read)
            self._metadata = await self.around.resources.enter_async_context(endpoint.open())
        return {"ECS_CONTAINER_METADATA_URI_V4": f"{self._metadata}/{self.identity.container_id(container['name'])}"}

    async def stop(self) -> None:
        """Ends its containers in the order of ECS: what depends on another one ends before that one."""
        if self._address and self.around.cloud_map:
            self.around.cloud_map.deregister(self._address)
            self._address = ""
        for ending in stopping_order(self.identity.containers):
            seconds = max(float(container.get("stopTimeout", 30)) for container in ending)
            running = [self.children[one["name"]] for one in ending if one["name"] in self.children]
            await self.around.children.end(running, seconds)

    def _move_ports(self) -> None:
        """One machine has several tasks, so every port that a configuration names is moved to a free one."""
        for container in self.service.collectors:
            for variable, _ in _ADDRESS.findall(environment(container)[CONFIGURATION]):
                port = next(self.around.ports)
                whole = f"{LOOPBACK}:{port}" if variable.endswith("_ENDPOINT") else str(port)
                self._moved.setdefault(variable, whole)
        self._moved |= {
            "QUEUE_DIRECTORY": str(self.around.folder / f"{self.identity.id}.queue"),
            "ECS_METRICS_INTERVAL": f"{INTERVAL_SECONDS:g}s",
            "COLLECTOR_METRICS_INTERVAL": f"{INTERVAL_SECONDS:g}s",
            "SCRAPE_INTERVAL": f"{INTERVAL_SECONDS:g}s",
            "STATSD_SECONDS": f"{INTERVAL_SECONDS:g}",
            "DISCOVERY_INTERVAL": "1s",
            "TRACE_DECISION_WAIT": f"{DECISION_SECONDS:g}s",
            drain.HOLD: f"{2 * DECISION_SECONDS:g}",
        }
        if _BEHIND_FRONT in self._moved and self.around.cloud_map:
            self._register(self.around.cloud_map)

    def _register(self, cloud_map: CloudMap) -> None:
        """Makes it one of the tasks whose fronts send to each other's collectors."""
        self._address = cloud_map.register()
        self._moved |= cloud_map.environment
        self._moved |= {
            _BEHIND_FRONT: str(cloud_map.port),
            "BEHIND_FRONT_ENDPOINT": f"{self._address}:{cloud_map.port}",
        }

    def moves(self, variable: str) -> bool:
        """Whether a configuration of its collectors names a port by this variable."""
        return variable in self._moved

    def port(self, variable: str) -> int:
        """Where a port that a configuration names has been moved to. Raises KeyError if none names it."""
        return int(self._moved[variable].rpartition(":")[2])


def stopping_order(containers: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Which containers ECS stops together, and in which order: the reverse of their dependencies."""
    left = list(containers)
    while left:
        needed = {wait["containerName"] for container in left for wait in container.get("dependsOn", ())}
        ending = [container for container in left if container["name"] not in needed]
        yield ending
        left = [container for container in left if container["name"] in needed]


def free_ports() -> Iterator[int]:
    """Loopback ports that nobody has now, each once, below those that the kernel gives to outgoing connections."""
    # Two processes that look at the same moment would find the same port free: each keeps to an eighth of them.
    candidates = list(range(10_000 + os.getpid() % 8, 32_000, 8))
    random.shuffle(candidates)
    for port in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
        yield port


def base(folder: Path) -> dict[str, str]:
    """What every program gets: nothing of our own environment that could change what it does."""
    return {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8"}
