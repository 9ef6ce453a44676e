"""A stack's documents as running programs on loopback: its tasks, and stand-ins for what AWS provides."""

import asyncio
import itertools
import os
import random
import socket
import sys
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
import yaml

from documents import names
from proof import gate
from proof.gate import Gate, Writes
from proof.load import Load
from proof.metadata import Metadata, Reading, TaskIdentity
from proof.plan import Container, Plan, Service, environment
from proof.processes import Child, Children, Program, ProgramError
from proof.sigv4 import Credentials
from proof.truth import LOOK_BACK, TaskTruth, Truth, Window
from proof.web import LOOPBACK
from proof.wire import Wire, balanced
from proof.xray import Received, XRay
from sample.environment import TELEMETRY_DEFAULTS

INTERVAL_SECONDS: Final = 2.0
"""Between two samples of a series. A deployment takes a minute; `grafana.Clock` shrinks a dashboard's times with it."""

REQUESTS_PER_SECOND: Final = 10.0

_OUT_OF_ORDER_WINDOW: Final = "60s"
"""AMP's default (Amazon Managed Service for Prometheus User Guide, workspace configuration)."""

_COLLECTOR_IMAGE: Final = {"RUN_IN_CONTAINER": "True"}
"""What ADOT's image sets (its Dockerfile): without it the program logs to a file of its own."""

_START_SECONDS: Final = 40.0
_ROOT: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Programs:
    """The binaries to run."""

    collector: Path
    prometheus: Path


@dataclass(frozen=True)
class Timing:
    """How long things take, in seconds: the steady phase, the patience for first and for last telemetry."""

    steady: float = 30.0
    first: float = 30.0
    last: float = 20.0


class Task:
    """One running task: its identity, its network interface, its containers as processes."""

    def __init__(self, service: Service, plan: Plan) -> None:
        self.service: Final = service
        self.identity: Final = TaskIdentity(
            region=plan.region,
            cluster=plan.cluster,
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
        self.readings: Final[list[Reading]] = []
        self.metadata = ""

    def read(self) -> Reading:
        """Its figures of this moment."""
        usage = {name: child.usage() for name, child in self.children.items()}
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


@dataclass(frozen=True)
class Address:
    """Where a collector takes OTLP, by loopback port."""

    grpc: int
    http: int

    def url(self, variables: Mapping[str, str]) -> str:
        """The endpoint for an SDK with these variables."""
        protocol = variables.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        return f"http://{LOOPBACK}:{self.grpc if protocol == 'grpc' else self.http}"


class Stack:
    """A running stack. Made by `running`."""

    def __init__(self, plan: Plan, programs: Programs, folder: Path, resources: AsyncExitStack) -> None:
        self.plan: Final = plan
        self._programs = programs
        self._folder = folder
        self._resources = resources
        self._children = resources.enter_context(Children(folder))
        self._applications = [[Task(one, plan) for _ in range(one.count)] for one in plan.applications]
        collector = plan.collector
        self._collectors = [Task(collector, plan) for _ in range(collector.count)] if collector else []
        self.tasks: Final = [*self._collectors, *itertools.chain(*self._applications)]
        known = {task.credentials.access_key: task.credentials for task in self.tasks}
        self._ports = free_ports()
        self._prometheus_port = next(self._ports)
        self._gate = Gate(self._prometheus_port, known, plan.region)
        self._xray = XRay(known, plan.region)
        self._gate_port = self._xray_port = 0
        self._server: Child | None = None
        self._fronts: list[int] = []
        self._conditions: list[Callable[[], Awaitable[None]]] = []
        self.began: Final = time.time()
        self.addresses: Final[dict[str, str]] = {}

    @property
    def prometheus_url(self) -> str:
        """Where questions are answered."""
        return f"http://{LOOPBACK}:{self._prometheus_port}"

    @property
    def writes(self) -> Writes:
        """What the collectors wrote to AMP until now."""
        return self._gate.writes

    @property
    def traces(self) -> Received:
        """What the collectors sent to X-Ray until now."""
        return self._xray.received

    async def start(self) -> None:
        """Starts everything and returns when everything answers. Raises ProgramError if something does not."""
        self._gate_port = await self._resources.enter_async_context(self._gate.open())
        self._xray_port = await self._resources.enter_async_context(self._xray.open())
        self._server = self._start_prometheus()
        services = [await self._start_service(task) for task in self._collectors]
        await self._start_applications(services)
        await _all(self._conditions)
        self.addresses["Prometheus (as AMP)"] = self.prometheus_url
        self._keep_reading()

    async def drive(
        self, timing: Timing, flowing: Callable[[], Awaitable[bool]], say: Callable[[str], None]
    ) -> tuple[Load, Window]:
        """Sends load: until telemetry flows (or patience ends), and then evenly for the steady phase."""
        say("under load, until every process has been heard of")
        load = Load(self._fronts, REQUESTS_PER_SECOND)
        steady: list[float] = []
        sending = asyncio.create_task(load.run(lambda: bool(steady) and time.time() >= steady[0] + timing.steady))
        try:
            await until(flowing, timing.first, self.check)
            await asyncio.sleep(LOOK_BACK * INTERVAL_SECONDS)
            say(f"{timing.steady:g} s of even load, {REQUESTS_PER_SECOND:g} requests a second")
            steady.append(time.time())
            self._read()
            await sending
            self._read()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return load, Window(steady[0], time.time())

    async def keep_driving(self) -> None:
        """Sends load until it is cancelled."""
        await Load(self._fronts, REQUESTS_PER_SECOND).run(lambda: False)

    def truth(self, load: Load, steady: Window) -> Truth:
        """Everything that is known by now."""
        return Truth(
            plan=self.plan,
            interval=INTERVAL_SECONDS,
            began=self.began,
            steady=steady,
            sent=load.sent,
            tasks=tuple(task.truth for task in self.tasks),
            writes=self.writes,
            traces=self.traces,
            logs={
                child.name: child.log.read_text(errors="replace")
                for task in self.tasks
                for name, child in task.children.items()
                if name == names.COLLECTOR
            },
            prometheus=self.prometheus_url,
        )

    def check(self) -> None:
        """Raises ProgramError if a program has ended by itself."""
        for child in (self._server, *(child for task in self.tasks for child in task.children.values())):
            if child is not None:
                child.check()

    async def end_tasks(self) -> None:
        """Ends applications, then collectors, so that what they still hold has somewhere to go."""
        collectors = [task.children[names.COLLECTOR] for task in self.tasks if names.COLLECTOR in task.children]
        everyone = [child for task in self.tasks for child in task.children.values()]
        await self._children.end([child for child in everyone if child not in collectors])
        await self._children.end(collectors)

    async def end(self) -> None:
        """Ends everything."""
        await self.end_tasks()
        if self._server:
            await self._children.end([self._server])

    def _start_prometheus(self) -> Child:
        rules: list[str] = []
        for name, text in self.plan.rules.items():
            (self._folder / name).write_text(text)
            rules.append(name)
        configuration = {
            # Only groups that state no interval of their own follow this one.
            "global": {"evaluation_interval": f"{INTERVAL_SECONDS:g}s"},
            "rule_files": rules,
            "storage": {"tsdb": {"out_of_order_time_window": _OUT_OF_ORDER_WINDOW}},
        }
        (self._folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
        arguments = [
            str(self._programs.prometheus),
            "--config.file=prometheus.yaml",
            "--storage.tsdb.path=prometheus",
            f"--web.listen-address={LOOPBACK}:{self._prometheus_port}",
            "--web.enable-remote-write-receiver",
            "--log.level=warn",
        ]
        child = self._children.start(Program("prometheus", arguments, _base(self._folder)))
        self._conditions.append(lambda: _answers(child, f"{self.prometheus_url}/-/ready"))
        return child

    async def _start_service(self, task: Task) -> Address:
        """A collector that others reach through the network interface of its task."""
        container = task.service.sidecar
        if container is None:
            raise ProgramError(f"no container of {task.identity.family} is named {names.COLLECTOR}")
        own = await self._start_collector(task, container)
        grpc = await self._resources.enter_async_context(task.wire.inbound(own.grpc).open())
        http = await self._resources.enter_async_context(task.wire.inbound(own.http).open())
        return Address(grpc, http)

    async def _start_collector(self, task: Task, container: Container) -> Address:
        grpc, http, health, telemetry = itertools.islice(self._ports, 4)
        gate_relay = await self._resources.enter_async_context(task.wire.outbound(self._gate_port).open())
        xray_relay = await self._resources.enter_async_context(task.wire.outbound(self._xray_port).open())
        variables = (
            _base(self._folder)
            | _COLLECTOR_IMAGE
            | environment(container)
            | await self._metadata(task, container)
            | {
                "AWS_PROMETHEUS_ENDPOINT": f"http://{LOOPBACK}:{gate_relay}{gate.PATH}",
                "AWS_XRAY_ENDPOINT": f"http://{LOOPBACK}:{xray_relay}",
                "AWS_ENDPOINT_URL_XRAY": f"http://{LOOPBACK}:{xray_relay}",
                "AWS_ACCESS_KEY_ID": task.credentials.access_key,
                "AWS_SECRET_ACCESS_KEY": task.credentials.secret_key,
                "AWS_SESSION_TOKEN": task.credentials.session_token,
                "OTLP_GRPC_ENDPOINT": f"{LOOPBACK}:{grpc}",
                "OTLP_HTTP_ENDPOINT": f"{LOOPBACK}:{http}",
                "HEALTH_CHECK_ENDPOINT": f"{LOOPBACK}:{health}",
                "TELEMETRY_PORT": str(telemetry),
                "ECS_METRICS_INTERVAL": f"{INTERVAL_SECONDS:g}s",
                "METRICS_BATCH_TIMEOUT": f"{INTERVAL_SECONDS / 2:g}s",
                "TRACES_BATCH_TIMEOUT": f"{INTERVAL_SECONDS / 2:g}s",
            }
        )
        role = names.COLLECTOR if task.service is self.plan.collector else f"{task.service.name}-{names.COLLECTOR}"
        name = f"{role}-{task.identity.id[:4]}"
        arguments = [str(self._programs.collector), *container.get("command", ())]
        child = self._children.start(Program(name, arguments, variables))
        task.children[container["name"]] = child
        self.addresses[f"{name} health"] = f"http://{LOOPBACK}:{health}"
        self.addresses[f"{name} telemetry"] = f"http://{LOOPBACK}:{telemetry}/metrics"
        self._conditions.append(lambda: _answers(child, f"http://{LOOPBACK}:{health}/"))
        return Address(grpc, http)

    async def _start_applications(self, services: Sequence[Address]) -> None:
        assigned = itertools.cycle(services)
        downstream = 0
        # From the leaf up, because each needs the address of the next.
        for tasks in reversed(self._applications):
            self._fronts = []
            for task in tasks:
                collector = await self._collector_of(task, assigned)
                port = await self._start_application(task, collector, downstream)
                self._fronts.append(await self._resources.enter_async_context(task.wire.inbound(port).open()))
            downstream = await self._resources.enter_async_context(balanced(self._fronts))
        self.addresses[f"{self.plan.applications[0].name} (application)"] = f"http://{LOOPBACK}:{self._fronts[0]}"

    async def _collector_of(self, task: Task, assigned: Iterator[Address]) -> Address:
        """Where a task sends its telemetry."""
        if (container := task.service.sidecar) is not None:
            return await self._start_collector(task, container)
        service = next(assigned, None)
        if service is None:
            raise ProgramError(f"{task.service.name} has no collector, neither in its tasks nor as a service")
        grpc = await self._resources.enter_async_context(task.wire.outbound(service.grpc).open())
        http = await self._resources.enter_async_context(task.wire.outbound(service.http).open())
        return Address(grpc, http)

    async def _start_application(self, task: Task, collector: Address, downstream: int) -> int:
        container = task.service.container(task.service.name)
        if container is None:
            raise ProgramError(f"no container of {task.identity.family} is named {task.service.name}")
        port = next(self._ports)
        given = dict(TELEMETRY_DEFAULTS) | environment(container)
        variables = (
            _base(self._folder)
            | given
            | await self._metadata(task, container)
            | {
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url(given),
                "OTEL_METRIC_EXPORT_INTERVAL": f"{INTERVAL_SECONDS * 1000:g}",
                "OTEL_BSP_SCHEDULE_DELAY": "1000",
                "PORT": str(port),
                "JOURNAL": str(self._folder / f"{task.identity.id}.journal"),
                # Only what we send ourselves is known to us.
                "TRAFFIC_PER_MINUTE": "",
                "DOWNSTREAM_URL": "",
                "PYTHONPATH": str(_ROOT),
                "PYTHONDONTWRITEBYTECODE": "1",
            }
        )
        if downstream:
            relay = await self._resources.enter_async_context(task.wire.outbound(downstream).open())
            variables["DOWNSTREAM_URL"] = f"http://{LOOPBACK}:{relay}"
        binaries = Path(sys.executable).parent
        arguments = [
            str(binaries / "opentelemetry-instrument"),
            *(str(binaries / "uvicorn"), "sample.app:app", "--host", LOOPBACK, "--port", str(port)),
            "--no-access-log",
        ]
        child = self._children.start(Program(f"{task.service.name}-{task.identity.id[:4]}", arguments, variables))
        task.children[container["name"]] = child
        self._conditions.append(lambda: _listens(child, port))
        return port

    async def _metadata(self, task: Task, container: Container) -> dict[str, str]:
        if not task.metadata:
            task.metadata = await self._resources.enter_async_context(Metadata(task.identity, task.read).open())
        return {"ECS_CONTAINER_METADATA_URI_V4": f"{task.metadata}/{task.identity.container_id(container['name'])}"}

    def _keep_reading(self) -> None:
        async def keep() -> None:
            while True:
                self._read()
                await asyncio.sleep(1)

        reading = asyncio.create_task(keep())
        self._resources.callback(reading.cancel)

    def _read(self) -> None:
        for task in self.tasks:
            task.readings.append(task.read())


@asynccontextmanager
async def running(plan: Plan, programs: Programs, folder: Path) -> AsyncGenerator[Stack]:
    """The stack, started; ended with the context. `folder` takes logs and data."""
    async with AsyncExitStack() as resources:
        stack = Stack(plan, programs, folder, resources)
        try:
            await stack.start()
            yield stack
        finally:
            await stack.end()


async def _all(conditions: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Waits for all at once; what one of them raises ends the waiting for the others."""
    waiting = [asyncio.ensure_future(condition()) for condition in conditions]
    try:
        await asyncio.gather(*waiting)
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float, check: Callable[[], None]) -> bool:
    """Whether the condition came true in time. `check` raises if waiting has become pointless."""
    deadline = time.monotonic() + seconds
    while not await condition():
        check()
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.2)
    return True


async def _answers(child: Child, url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:

        async def good() -> bool:
            try:
                return (await client.get(url)).is_success
            except httpx.HTTPError:
                return False

        if not await until(good, _START_SECONDS, child.check):
            raise ProgramError(f"{child.name} does not get ready:\n{child.last_lines()}")


async def _listens(child: Child, port: int) -> None:
    """By connecting only: a request would be counted by the telemetry that is to be judged."""

    async def good() -> bool:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            return False
        writer.close()
        return True

    if not await until(good, _START_SECONDS, child.check):
        raise ProgramError(f"{child.name} does not listen:\n{child.last_lines()}")


def free_ports() -> Iterator[int]:
    """Loopback ports that nobody has now, each once, below those that the kernel gives to outgoing connections."""
    candidates = list(range(10_000, 32_000))
    random.shuffle(candidates)
    for port in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
        yield port


def _base(folder: Path) -> dict[str, str]:
    """What every program gets: nothing of our own environment that could change what it does."""
    return {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8"}
