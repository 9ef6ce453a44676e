"""A stack's documents as running programs on loopback: its tasks, and stand-ins for what AWS provides."""

import asyncio
import itertools
import math
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from documents import names
from documents.collector import scraping
from proof import compressed, elsewhere, records, senders, sts
from proof.cloud_map import CloudMap
from proof.ecs import Ecs, Listed
from proof.gate import Gate, Writes
from proof.load import CYCLE, Load
from proof.plan import Container, Plan, Service, environment
from proof.processes import Child, Children, Program, ProgramError
from proof.sigv4 import Credentials
from proof.sts import Role, Sts
from proof.task import INTERVAL_SECONDS, Address, Surroundings, Task, base, free_ports
from proof.truth import Truth, Window
from proof.waiting import all_of, answers, listens
from proof.web import LOOPBACK
from proof.wire import balanced
from proof.xray import Received, XRay
from sample.environment import TELEMETRY_DEFAULTS

REQUESTS_PER_SECOND: Final = 10.0

_LOOKBACK_SECONDS: Final = 300.0

_RULES: Final = "rules"

_ROOT: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Programs:
    """The binaries to run, and `promtool` to replay what they wrote."""

    collector: Path
    prometheus: Path
    promtool: Path


@dataclass(frozen=True)
class Timing:
    """How long things take, in seconds: the steady phase, the patience for first and for last telemetry."""

    steady: float = 30.0
    first: float = 30.0
    last: float = 20.0


@dataclass(frozen=True)
class StandIns:
    """What stands for AWS: AMP's entrance in front of Prometheus, X-Ray, ECS, STS. `known` are credentials by access
    key."""

    known: dict[str, Credentials]
    sts: Sts
    gate: Gate
    xray: XRay
    ecs: Ecs
    elsewhere: elsewhere.StandIns
    prometheus_port: int


class Stack:
    """A running stack. Made by `running`."""

    def __init__(self, plan: Plan, around: Surroundings, stand_ins: StandIns, prometheus: Path) -> None:
        self.plan: Final = plan
        self._around = around
        self._stand_ins = stand_ins
        self._prometheus = prometheus
        self._applications = [self._tasks(service) for service in plan.applications]
        self._collectors = self._tasks(plan.collector) if plan.collector else []
        self._scrapers = self._tasks(plan.scraper) if plan.scraper else []
        self.tasks: Final = [*self._collectors, *self._scrapers, *itertools.chain(*self._applications)]
        stand_ins.known.update({task.credentials.access_key: task.credentials for task in self.tasks})
        self._server: Child | None = None
        self._fronts: list[int] = []
        self._conditions: list[Callable[[], Awaitable[None]]] = []
        self._receivers: list[tuple[Task, int]] = []
        self._log_records: list[str] = []
        self._foreign: list[senders.Foreign] = []
        self.began: Final = time.time()
        self.ruled = math.inf
        self.addresses: dict[str, str] = {}

    @property
    def prometheus_url(self) -> str:
        """Where questions are answered."""
        return f"http://{LOOPBACK}:{self._stand_ins.prometheus_port}"

    @property
    def factor(self) -> float:
        """How many times more often samples come here than in a deployment."""
        return self.plan.shipped_seconds / INTERVAL_SECONDS

    @property
    def gate(self) -> Gate:
        """What stands for AMP's entrance."""
        return self._stand_ins.gate

    @property
    def xray(self) -> XRay:
        """What stands for X-Ray."""
        return self._stand_ins.xray

    @property
    def children(self) -> Children:
        """Every process of the run."""
        return self._around.children

    @property
    def receivers(self) -> tuple[tuple[Task, int], ...]:
        """The tasks of applications with the loopback ports where their collectors take OTLP over HTTP."""
        return tuple(self._receivers)

    def load(self, kinds: Sequence[int] = range(CYCLE), rate: float = REQUESTS_PER_SECOND) -> Load:
        """Requests to the first application; `kinds` and `rate` as of `Load`."""
        return Load(self._fronts, rate, kinds)

    @property
    def writes(self) -> Writes:
        """What the collectors wrote to AMP until now."""
        return self._stand_ins.gate.writes

    @property
    def traces(self) -> Received:
        """What the collectors sent to X-Ray until now."""
        return self._stand_ins.xray.received

    @property
    def foreign(self) -> tuple[senders.Foreign, ...]:
        """The segments that were sent without OTLP until now."""
        return tuple(self._foreign)

    async def start(self) -> None:
        """Starts everything and returns when everything answers. Raises ProgramError if something does not."""
        self._server = self._start_prometheus()
        services = [await self._start_service(task) for task in self._collectors]
        await self._start_applications(services)
        for task in self._scrapers:
            await task.run_collectors()
        await all_of([*self._conditions, *(ready for task in self.tasks for ready in task.conditions)])
        for task in self.tasks:
            self.addresses |= task.addresses
        self.addresses["Prometheus (as AMP)"] = self.prometheus_url
        self._keep_reading()

    async def drive(
        self, seconds: float, warm: Callable[[], Awaitable[None]], say: Callable[[str], None]
    ) -> tuple[Load, Window]:
        """Sends load: until `warm` returns, and then evenly for the seconds of the steady phase."""
        load = self.load()
        steady: list[float] = []
        sending = asyncio.create_task(load.run(lambda: bool(steady) and time.time() >= steady[0] + seconds))
        try:
            await warm()
            say(f"{seconds:g} s of even load, {REQUESTS_PER_SECOND:g} requests a second")
            steady.append(time.time())
            self._read()
            await sending
            self._read()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        window = Window(steady[0], time.time())
        # After the window, whose panels are compared with the load alone.
        await self._send_foreign()
        return load, window

    def write_rules(self) -> None:
        """Gives Prometheus the rules of the stack, which it reads when it is told to."""
        for name, text in self.plan.rules.items():
            # Samples come more often than in a deployment, so what looks back or waits is shorter by as much.
            (self._around.folder / _RULES / name).write_text(compressed.rules(text, self.factor))
        self.ruled = time.time()

    async def send_logs(self) -> None:
        """What the sample's SDK would send; every task sends to the collector that it has."""
        if elsewhere.destinations(self.plan.services).takes_logs:
            for task, port in self._receivers:
                self._log_records += await records.send(port, task.service.name, task.identity.id, time.time())

    async def keep_driving(self) -> None:
        """Sends load until it is cancelled."""
        await self.load().run(lambda: False)

    def truth(self, load: Load, steady: Window) -> Truth:
        """Everything that is known by now."""
        return Truth(
            plan=self.plan,
            interval=INTERVAL_SECONDS,
            began=self.began,
            ruled=self.ruled,
            steady=steady,
            sent=load.sent,
            tasks=tuple(task.truth for task in self.tasks),
            writes=self.writes,
            traces=self.traces,
            elsewhere=self._stand_ins.elsewhere.received,
            log_records=tuple(self._log_records),
            foreign=self.foreign,
            arrivals=self.gate.arrivals,
            assumed=self._stand_ins.sts.assumed,
            logs={
                child.name: child.log.read_text(errors="replace")
                for task in self.tasks
                for name, child in task.children.items()
                if name in (names.COLLECTOR, names.FRONT, names.DRAIN)
            },
            lines={service.name: tuple(self._lines(service)) for service in self.plan.applications},
            prometheus=self.prometheus_url,
        )

    def check(self) -> None:
        """Raises ProgramError if a program has ended by itself."""
        for child in (self._server, *(child for task in self.tasks for child in task.children.values())):
            if child is not None:
                child.check()

    async def end_tasks(self) -> None:
        """Ends applications, then collectors, each task in ECS's order, so that what is held has somewhere to go."""
        for tasks in ([*itertools.chain(*self._applications)], [*self._collectors, *self._scrapers]):
            await asyncio.gather(*(task.stop() for task in tasks))

    async def end(self) -> None:
        """Ends everything."""
        await self.end_tasks()
        if self._server:
            await self._around.children.end([self._server])

    def _lines(self, service: Service) -> Iterator[str]:
        """What the application of a service has written, in all of its tasks."""
        for task in itertools.chain(*self._applications):
            if task.service is service:
                yield from task.children[service.name].log.read_text(errors="replace").splitlines()

    def _tasks(self, service: Service) -> list[Task]:
        plan, around = self.plan, self._around
        return [Task(service, region=plan.region, cluster=plan.cluster, around=around) for _ in range(service.count)]

    def _start_prometheus(self) -> Child:
        (self._around.folder / _RULES).mkdir()
        configuration = {
            # Groups that state no interval of their own follow this one.
            "global": {"evaluation_interval": f"{INTERVAL_SECONDS:g}s"},
            "rule_files": [f"{_RULES}/*"],
            "storage": {"tsdb": {"out_of_order_time_window": f"{self.plan.out_of_order_seconds:g}s"}},
        }
        (self._around.folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
        arguments = [
            str(self._prometheus),
            "--config.file=prometheus.yaml",
            "--storage.tsdb.path=prometheus",
            f"--web.listen-address={LOOPBACK}:{self._stand_ins.prometheus_port}",
            # A series that has ended is seen for so long after its last sample: Prometheus' and AMP's five minutes.
            f"--query.lookback-delta={_LOOKBACK_SECONDS / self.factor:g}s",
            "--web.enable-remote-write-receiver",
            "--web.enable-lifecycle",
            "--log.level=warn",
        ]
        child = self._around.children.start(Program("prometheus", arguments, base(self._around.folder)))
        self._conditions.append(lambda: answers(child, f"{self.prometheus_url}/-/ready"))
        return child

    async def _start_service(self, task: Task) -> Address:
        """A collector that others reach through the network interface of its task."""
        own = await task.start_collectors()
        # UDP goes without a relay: nobody counts the traffic of a collector's own task.
        return Address(await task.inbound(own.grpc), await task.inbound(own.http), own.statsd)

    async def _start_applications(self, services: Sequence[Address]) -> None:
        assigned = itertools.cycle(services)
        downstream = 0
        # From the leaf up, because each needs the address of the next.
        for tasks in reversed(self._applications):
            self._fronts = []
            for task in tasks:
                collector = await self._collector_of(task, assigned)
                port = await self._start_application(task, collector, downstream)
                self._fronts.append(await task.inbound(port))
            downstream = await self._around.resources.enter_async_context(balanced(self._fronts))
        self.addresses[f"{self.plan.applications[0].name} (application)"] = f"http://{LOOPBACK}:{self._fronts[0]}"

    async def _collector_of(self, task: Task, assigned: Iterator[Address]) -> Address:
        """Where a task sends its telemetry."""
        if task.service.sidecar is not None:
            return await task.start_collectors()
        service = next(assigned, None)
        if service is None:
            raise ProgramError(f"{task.service.name} has no collector, neither in its tasks nor as a service")
        return Address(await task.outbound(service.grpc), await task.outbound(service.http), service.statsd)

    async def _start_application(self, task: Task, collector: Address, downstream: int) -> int:
        container = task.service.container(task.service.name)
        if container is None:
            raise ProgramError(f"no container of {task.identity.family} is named {task.service.name}")
        self._receivers.append((task, collector.http))
        port = next(self._around.ports)
        given = dict(TELEMETRY_DEFAULTS) | environment(container)
        variables = (
            given
            | await task.metadata(container)
            | {
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url(given),
                "OTEL_METRIC_EXPORT_INTERVAL": f"{INTERVAL_SECONDS * 1000:g}",
                "OTEL_BSP_SCHEDULE_DELAY": "1000",
                "PORT": str(port),
                "JOURNAL": str(self._around.folder / f"{task.identity.id}.journal"),
                # Only what we send ourselves is known to us.
                "TRAFFIC_PER_MINUTE": "",
                "METRICS_PORT": str(await self._metrics_port(task, container)),
                "STATSD_HOST": LOOPBACK if collector.statsd else "",
                "STATSD_PORT": str(collector.statsd or ""),
                # In a deployment an agent may be told of its own distribution. The sample has only this one.
                "OTEL_PYTHON_DISTRO": "distro",
                "OTEL_PYTHON_CONFIGURATOR": "configurator",
                "DOWNSTREAM_URL": f"http://{LOOPBACK}:{await task.outbound(downstream)}" if downstream else "",
                "PYTHONPATH": str(_ROOT),
                "PYTHONDONTWRITEBYTECODE": "1",
            }
        )
        binaries = Path(sys.executable).parent
        arguments = [
            str(binaries / "opentelemetry-instrument"),
            *(str(binaries / "uvicorn"), "sample.app:app", "--host", LOOPBACK, "--port", str(port)),
            "--no-access-log",
        ]
        child = task.start(container, arguments, variables)
        self._conditions.append(lambda: listens(child, port))
        return port

    async def _metrics_port(self, task: Task, container: Container) -> int:
        """Where an application has to expose metrics so that its sidecar or the scraper finds them; 0 for nowhere."""
        if stated := container.get("dockerLabels", {}).get(scraping.PORT_LABEL):
            port = next(self._around.ports)
            self._stand_ins.ecs.add(Listed(task.identity, {int(stated): await task.inbound(port)}))
            return port
        return task.port(scraping.PORT_VARIABLE) if task.moves(scraping.PORT_VARIABLE) else 0

    async def _send_foreign(self) -> None:
        """To every collector that takes more than OTLP."""
        for task in self.tasks:
            for variable, send in senders.SENDERS.items():
                if task.moves(variable):
                    self._foreign.append(await send(task.port(variable)))

    def _keep_reading(self) -> None:
        async def keep() -> None:
            while True:
                self._read()
                await asyncio.sleep(1)

        reading = asyncio.create_task(keep())
        self._around.resources.callback(reading.cancel)

    def _read(self) -> None:
        for task in self.tasks:
            task.readings.append(task.read())


@asynccontextmanager
async def running(plan: Plan, programs: Programs, folder: Path) -> AsyncGenerator[Stack]:
    """The stack, started; ended with the context. `folder` takes logs and data."""
    async with AsyncExitStack() as resources:
        children = resources.enter_context(Children(folder))
        ports = free_ports()
        port = next(ports)
        known: dict[str, Credentials] = {}
        central = plan.central
        roles = Sts(known, plan.region, Role(central.role, central.external_id) if central else None)
        stand_ins = StandIns(
            known,
            roles,
            # What another account owns lets in only who has assumed its role.
            Gate(port, roles.sessions if central else known, plan.region),
            XRay(roles.sessions if central and central.traces else known, plan.region),
            Ecs(known, plan.region, plan.cluster),
            elsewhere.StandIns(elsewhere.destinations(plan.services), known, plan.region),
            port,
        )
        amp = await resources.enter_async_context(stand_ins.gate.open())
        xray = await resources.enter_async_context(stand_ins.xray.open())
        ecs = await resources.enter_async_context(stand_ins.ecs.open())
        others = await resources.enter_async_context(stand_ins.elsewhere.open())
        others[sts.VARIABLE] = await resources.enter_async_context(stand_ins.sts.open())
        cloud_map = CloudMap(known, plan.region, plan.host_of(names.COLLECTOR), next(ports))
        await resources.enter_async_context(cloud_map.open())
        around = Surroundings(folder, programs.collector, children, resources, ports, amp, xray, ecs, others, cloud_map)
        stack = Stack(plan, around, stand_ins, programs.prometheus)
        try:
            await stack.start()
            yield stack
        finally:
            await stack.end()
