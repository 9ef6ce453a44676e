"""A stack's collectors as ECS would run them, byte for byte as rendered, between load and back ends that fail.

The load plays the applications: their containers are not started.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from documents import names
from proof.plan import Plan, Service, environment
from proof.processes import Child, Children, ProgramError
from proof.sigv4 import Credentials
from proof.task import Surroundings, Task, free_ports
from proof.waiting import all_of
from trials.backends import HEALTHY, OLDEST_SECONDS, AmpBackend, Fault, XRayBackend
from trials.load import CounterLoad, Reply, Signal, SpanLoad, Transport, http
from trials.otlp import points, sdk_resource

SPANS_PER_SECOND: Final = 200.0
SERIES: Final = 50
COLLECTION_SECONDS: Final = 1.0
"""Steady load of one client: spans, and counters with the time between two samples of each."""

_PORTS: Final = free_ports()
"""For all rigs: what one of them is about to use, no other is given."""

_SAMPLING_SECONDS: Final = 0.2
_FIGURE: Final = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')


def collecting(plan: Plan) -> list[Service]:
    """One ECS service for each pattern of the stack: the collector's own, and the first one that has a sidecar."""
    sidecars = [service for service in plan.applications if service.sidecar]
    return [*([plan.collector] if plan.collector else []), *sidecars[:1]]


@dataclass(frozen=True)
class Figures:
    """What a collector says of itself: name, labels and value of each of its series."""

    series: tuple[tuple[str, dict[str, str], float], ...]

    @classmethod
    def of(cls, text: str) -> "Figures":
        """The figures in what a telemetry port answers."""
        lines = _FIGURE.finditer(text)
        return cls(tuple((line[1], dict(_LABEL.findall(line[2] or "")), float(line[3])) for line in lines))

    def total(self, name: str, **labels: str) -> float:
        """The sum of all series of that name that have these labels."""
        return sum(value for one, has, value in self.series if one == name and labels.items() <= has.items())


@dataclass(frozen=True)
class Lost:
    """What was accepted and has not arrived."""

    spans: int
    samples: int


class Client:
    """One process of an application: an SDK with spans and counters."""

    def __init__(self, transport: Transport, resource: dict[str, str]) -> None:
        self.spans: Final = SpanLoad(transport, resource)
        self.counters: Final = CounterLoad(transport, resource, series=SERIES)
        self._stopping = False

    async def run(self) -> None:
        """Produces steadily until it is stopped, and then sends what is left."""
        await asyncio.gather(
            self.spans.run(SPANS_PER_SECOND, lambda: self._stopping),
            self.counters.run(COLLECTION_SECONDS, lambda: self._stopping),
        )

    def stop(self) -> None:
        """Ends `run`."""
        self._stopping = True


async def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition came true in time.

    It is looked at a twentieth of the time at most: back ends answer in the same event loop, and would be slow.
    """
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if condition():
            return True
        if began > deadline:
            return False
        await asyncio.sleep(max(0.2, 20 * (time.monotonic() - began)))


class GoingOver:
    """A transport that stays with one replica until that refuses, and then stays with the next."""

    def __init__(self, transports: Sequence[Transport]) -> None:
        self._transports = transports
        self._current = 0

    async def send(self, signal: Signal, body: bytes, seconds: float) -> Reply:
        """The reply of the replica that it stays with."""
        reply = await self._transports[self._current % len(self._transports)].send(signal, body, seconds)
        if reply.retryable:
            self._current += 1
        return reply


class _Task(Task):
    """A task whose traffic is not counted: through a relay, a refused connection would be one that is closed."""

    async def outbound(self, port: int) -> int:
        return port


class Rig:
    """Running tasks of one ECS service that has collectors. Made by `rig`."""

    def __init__(self, plan: Plan, service: Service, replicas: int, around: Surroundings, clouds: "Clouds") -> None:
        self._applications = plan.applications
        self.tasks: Final = [
            _Task(service, region=plan.region, cluster=plan.cluster, around=around) for _ in range(replicas)
        ]
        self.xray: Final = clouds.xray
        self.amp: Final = clouds.amp
        clouds.known.update({task.credentials.access_key: task.credentials for task in self.tasks})
        self.ports: Final[list[int]] = []
        self.rpc_ports: Final[list[int]] = []

    @property
    def collectors(self) -> list[str]:
        """The names of the containers of a task that run a collector."""
        return [str(container["name"]) for container in self.tasks[0].service.collectors]

    async def start(self) -> None:
        """Starts every task; `ports` then has where each takes OTLP over HTTP, `rpc_ports` where over gRPC. Raises
        ProgramError if one takes nothing."""
        addresses = [await task.start_collectors() for task in self.tasks]
        self.ports.extend(address.http for address in addresses)
        self.rpc_ports.extend(address.grpc for address in addresses)
        await all_of([ready for task in self.tasks for ready in task.conditions])
        # A front is healthy before it has reached the collector behind it, to which each signal has its own connection.
        await asyncio.gather(*map(self._takes, self.ports))

    async def _takes(self, port: int) -> None:
        async with http(port) as transport:
            span = SpanLoad(transport, self.resource())
            counter = CounterLoad(transport, self.resource(), series=1)
            await asyncio.gather(span.burst(1), counter.run(COLLECTION_SECONDS, lambda: True))
        if not (span.accepted and counter.accepted):
            answers = f"{span.tally.answers} to a first span and {counter.tally.answers} to a first sample"
            raise ProgramError(f"port {port} answers {answers}")

    def client(self, transport: Transport, application: int = 0) -> Client:
        """A new process of one of the stack's applications."""
        return Client(transport, self.resource(application))

    def resource(self, application: int = 0) -> dict[str, str]:
        """The resource attributes of a new process of one of the stack's applications."""
        service = self._applications[application]
        container = service.container(service.name)
        return sdk_resource(environment(container)) if container else {}

    def kill(self, name: str, replica: int = 0) -> None:
        """Ends a container with SIGKILL."""
        self.tasks[replica].children[name].kill()

    async def restart(self, name: str, replica: int = 0) -> None:
        """Starts a container once more, in the same task, and waits until it is healthy."""
        task = self.tasks[replica]
        container = task.service.container(name)
        if container is None:
            raise ProgramError(f"no container of {task.identity.family} is named {name}")
        await task.start_collector(container)
        await task.conditions[-1]()

    async def stop(self, replica: int = 0) -> float:
        """Stops a task as ECS would; gives the seconds that it took."""
        began = time.monotonic()
        await self.tasks[replica].stop()
        return time.monotonic() - began

    async def fail(self, fault: Fault) -> None:
        """From now on both back ends behave so."""
        await asyncio.gather(self.xray.switch(fault), self.amp.switch(fault))

    def lost(self, clients: Iterable[Client]) -> Lost:
        """What collectors have accepted from these clients and back ends do not have."""
        spans, samples = self.xray.spans, points(self.amp.written.samples)
        return Lost(
            spans=sum(len(client.spans.accepted - spans) for client in clients),
            samples=sum(len(client.counters.accepted - samples) for client in clients),
        )

    async def delivered(self, clients: Sequence[Client], seconds: float) -> bool:
        """Whether all that these clients had accepted arrives within `seconds`."""

        return await eventually(lambda: self._as_many(clients) and self.lost(clients) == Lost(0, 0), seconds)

    def _as_many(self, clients: Sequence[Client]) -> bool:
        """Whether as much has arrived as these clients had accepted: cheap, while much is still missing."""
        samples = sum(map(len, self.amp.written.samples.values()))
        return len(self.xray.received.segments) >= sum(
            client.spans.tally.accepted for client in clients
        ) and samples >= sum(client.counters.tally.accepted for client in clients)

    async def figures(self, name: str = names.COLLECTOR, replica: int = 0) -> Figures:
        """What a collector says of itself now. Raises httpx.HTTPError if it does not answer."""
        task = self.tasks[replica]
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(task.addresses[f"{task.children[name].name} telemetry"])
        return Figures.of(answer.text)

    def memory(self, name: str = names.COLLECTOR, replica: int = 0) -> int:
        """The most bytes that a container was seen to hold since its last start (resident set, sampled)."""
        return self._collector(name, replica).usage().largest_memory

    def alive(self, name: str = names.COLLECTOR, replica: int = 0) -> bool:
        """Whether a container runs."""
        return self._collector(name, replica).ended is None

    async def sample(self) -> None:
        """Adds to the readings of every task until it is cancelled."""
        while True:
            for task in self.tasks:
                task.readings.append(task.read())
            await asyncio.sleep(_SAMPLING_SECONDS)

    def _collector(self, name: str, replica: int) -> Child:
        return self.tasks[replica].children[name]


@dataclass(frozen=True)
class Clouds:
    """Both back ends, and the credentials of their clients by access key."""

    known: dict[str, Credentials]
    xray: XRayBackend
    amp: AmpBackend


@asynccontextmanager
async def rig(
    plan: Plan,
    service: Service,
    collector: Path,
    folder: Path,
    *,
    replicas: int = 1,
    fault: Fault = HEALTHY,
    oldest_seconds: float = OLDEST_SECONDS,
    elsewhere: Mapping[str, int] | None = None,
) -> AsyncGenerator[Rig]:
    """So many tasks of an ECS service of the plan, started; ended with the context.

    `collector` is the program that they run, `folder` an empty one for logs and queues, `fault` that of both back ends
    at the start, `oldest_seconds` the age up to which AMP takes a sample. `elsewhere` has the loopback ports of other
    back ends, by the variable that moves their address.
    """
    async with AsyncExitStack() as resources:
        children = resources.enter_context(Children(folder))
        known: dict[str, Credentials] = {}
        clouds = Clouds(
            known,
            XRayBackend(known, plan.region, fault),
            AmpBackend(known, plan.region, plan.out_of_order_seconds, oldest_seconds, fault),
        )
        amp, xray = [await resources.enter_async_context(one.open()) for one in (clouds.amp, clouds.xray)]
        around = Surroundings(
            folder, collector, children, resources, _PORTS, amp, xray, elsewhere=dict(elsewhere or {})
        )
        made = Rig(plan, service, replicas, around, clouds)
        await made.start()
        sampling = asyncio.create_task(made.sample())
        try:
            yield made
        finally:
            sampling.cancel()
            await asyncio.gather(sampling, return_exceptions=True)
