"""What a user may ask for: frozen models with every check that can be made before anything is deployed.

Stack files use the camelCase aliases, Python callers may use the field names; both get the same errors.
"""

import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import (
    AfterValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from documents import (
    adot,
    compute,
    containers,
    drain,
    fargate,
    instrumentation,
    names,
    ports,
    rollout,
    scaling,
    travel,
)
from documents.catalogue import Pattern
from documents.compute import Capacity, Compute
from documents.containers import Container, Volume, VolumeName
from documents.faults import UNTOLD, ConfigurationError, Fault, collect, wrong
from documents.grafana import NetworkAccess, Saml, Vpc
from documents.instrumentation import Instrumented
from documents.logs import Logs as ContainerLogs
from documents.logs import WrittenLogs
from documents.model import ImageReference, Model, SecretArn, Whole, holds_secret, is_placeholder
from documents.roles import RoleArn
from documents.rollout import Rollout, WrittenRollout
from documents.scaling import MOST_TASKS, CollectorScaling, Scaling
from documents.service_connect import PROXY_MEMORY, ServiceConnect
from documents.signals import Ratio, Receiver, Scrape
from documents.traffic import Traffic

M = TypeVar("M", bound="Model")


class Architecture(StrEnum):
    """Processor of a task; ARM64 costs about a fifth less on Fargate."""

    ARM64 = "ARM64"
    X86_64 = "X86_64"


class Start(StrEnum):
    """What an application waits for before it starts: the collector's start, or its health check."""

    START = "start"
    HEALTHY = "healthy"


class Discovery(StrEnum):
    """How tasks find a collector that is a service of its own."""

    CLOUD_MAP = "cloudMap"
    SERVICE_CONNECT = "serviceConnect"


LOG_RETENTION_DAYS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""CloudWatch Logs API Reference, PutRetentionPolicy, `retentionInDays`."""

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _log_retention(value: int) -> int:
    if value not in LOG_RETENTION_DAYS:
        raise wrong(
            "is not a retention that CloudWatch Logs has",
            f"choose one of {', '.join(map(str, LOG_RETENTION_DAYS))} days",
        )
    return value


def _permissions_boundary(value: str) -> str:
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy/\S+", value):
        raise wrong("is not the ARN of an IAM policy", "write it as arn:aws:iam::123456789012:policy/name")
    return value


def _iam_path(value: str) -> str:
    # IAM takes wildcards and variables in a path, and reads them as such where a policy names a role below it.
    if not re.fullmatch(r"/(?:[!\"#%-)+->@-~]{1,510}/)?", value):
        raise wrong("is not an IAM path", "begin and end it with a slash, for example /observability/")
    return value


def _identity_id(value: str) -> str:
    if not is_placeholder(value) and not re.fullmatch(r"[A-Za-z0-9-]{1,47}", value):
        raise wrong("is not the id of a user or group of Identity Center", "it is a UUID, with or without a prefix")
    return value


ApplicationName = Annotated[str, AfterValidator(names.application_name)]
LogRetention = Annotated[Whole, AfterValidator(_log_retention)]
PermissionsBoundary = Annotated[str, AfterValidator(_permissions_boundary)]
IamPath = Annotated[str, AfterValidator(_iam_path)]
IdentityId = Annotated[str, AfterValidator(_identity_id)]


class HealthCheck(Model):
    """ECS's health check of a container."""

    command: Annotated[tuple[str, ...], Field(min_length=2)]
    """The command as ECS takes it, `CMD` or `CMD-SHELL` first."""
    interval: Annotated[Whole, Field(ge=5, le=300)] = 30
    """Seconds from one check to the next."""
    timeout: Annotated[Whole, Field(ge=2, le=60)] = 5
    """Seconds until a check has failed."""
    retries: Annotated[Whole, Field(ge=1, le=10)] = 3
    """Failed checks in a row until the container is unhealthy."""
    start_period: Annotated[Whole, Field(ge=0, le=300)] = 10
    """Seconds after the start in which failed checks do not count."""

    @field_validator("command")
    @classmethod
    def _form(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        if command[0] not in ("CMD", "CMD-SHELL"):
            raise wrong("does not begin with CMD or CMD-SHELL", "for example ['CMD', '/healthcheck']")
        return command


class Workload(Model):
    """What the user runs in a task."""

    name: ApplicationName
    """Name on ECS and in DNS, and `service.name` in telemetry. It is the application's identity: another name is
    another application."""
    image: ImageReference
    """`repository:tag` or `repository@sha256:...`."""
    cpu: Whole = 256
    """CPU units of the task (1024 = one vCPU), with the sidecar's share in it."""
    # A default may not go with the cpu that is given.
    memory: Annotated[Whole, Field(validate_default=True)] = 1024
    """MiB of the task, with the sidecar's share in it; with `cpu` a pair that Fargate has."""
    architecture: Architecture = Architecture.ARM64
    """Processor of the task."""
    environment: Mapping[str, str] = {}
    """Variables. What you set wins over what we set; `OTEL_RESOURCE_ATTRIBUTES` is merged."""
    secrets: Mapping[str, SecretArn] = {}
    """Variables whose values are ARNs in Secrets Manager or SSM Parameter Store."""
    command: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """The container's command; left out, the image's."""
    metrics: Scrape | None = None
    """Where it exposes Prometheus metrics, if it is to be scraped; docs/signals.md#prometheus-scraping."""
    ratio: Ratio | None = None
    """Share of the traces that begin here; left out, the stack's. docs/signals.md#which-traces-are-kept."""
    instrumentation: Instrumented | None = None
    """AWS's agent for an image that is not instrumented, by language alone or as a map;
    docs/auto-instrumentation.md."""
    container: Container = Container()
    """How the container runs; docs/containers.md#the-container."""
    volumes: Mapping[VolumeName, Volume] = {}
    """Scratch volumes and file systems of EFS, by name; docs/containers.md#volumes."""
    ephemeral_storage: Annotated[Whole, Field(ge=21, le=200)] | None = None
    """GiB of the task's disk; left out, 20."""
    exec: bool = False
    """Whether people may open sessions in its containers; docs/containers.md#sessions."""
    logs: WrittenLogs = ContainerLogs()
    """Where its lines go: `firelens` for a log router beside it, or a map; docs/logs.md."""
    task_role: RoleArn | None = None
    """ARN of an IAM role to use in place of ours; docs/existing.md#roles-of-tasks."""
    execution_role: RoleArn | None = None
    """ARN of an IAM role to use in place of ours; docs/existing.md#roles-of-tasks."""

    @property
    def listens(self) -> Mapping[str, int]:
        """The ports that it opens, by the key that says so."""
        return {"metrics.port": self.metrics.port} if self.metrics else {}

    @property
    def on_spot(self) -> bool:
        """Whether AWS may take its tasks away."""
        return False

    @property
    def beside(self) -> int:
        """MiB of the task that what it asked for takes beside its own container and the collector."""
        return self.logs.memory

    @field_validator("memory")
    @classmethod
    def _fargate(cls, memory: int, info: ValidationInfo) -> int:
        if "cpu" in info.data and (problem := fargate.size_problem(info.data["cpu"], memory)):
            raise wrong(*problem)
        return memory

    @field_validator("cpu")
    @classmethod
    def _cpu(cls, cpu: int) -> int:
        if cpu not in fargate.SIZES:
            raise wrong(*(fargate.size_problem(cpu, 0) or ("", "")))
        return cpu

    @field_validator("environment", "secrets")
    @classmethod
    def _variables(cls, variables: Mapping[str, str]) -> Mapping[str, str]:
        for name in variables:
            if not _VARIABLE.fullmatch(name):
                raise wrong(f"has the variable name {name!r}", "use letters, digits and underscores", secret=True)
        return variables

    @field_validator("environment")
    @classmethod
    def _no_plain_secret(cls, environment: Mapping[str, str]) -> Mapping[str, str]:
        for name, value in environment.items():
            if holds_secret(name, value):
                raise wrong(
                    f"gives {name} as plain text, which everyone who may read task definitions can see",
                    "move it to `secrets` with the ARN of a Secrets Manager secret or SSM parameter",
                    secret=True,
                )
        return environment

    @field_validator("secrets")
    @classmethod
    def _one_source(cls, secrets: Mapping[str, str], info: ValidationInfo) -> Mapping[str, str]:
        if both := sorted(set(secrets).intersection(info.data.get("environment", ()))):
            raise wrong(f"has {', '.join(both)}, which environment sets as well", "keep one of the two", secret=True)
        return secrets

    @field_validator("container")
    @classmethod
    def _in_memory(cls, container: Container, info: ValidationInfo) -> Container:
        if "memory" in info.data:
            containers.check_memory(container, info.data["memory"])
        return container

    @field_validator("volumes")
    @classmethod
    def _paths(cls, volumes: Mapping[str, Volume], info: ValidationInfo) -> Mapping[str, Volume]:
        containers.check_paths(volumes, info.data.get("container", Container()))
        return volumes

    @field_validator("logs")
    @classmethod
    def _routed(cls, logs: ContainerLogs, info: ValidationInfo) -> ContainerLogs:
        if "memory" in info.data and logs.memory + _SMALLEST_APPLICATION > info.data["memory"]:
            raise wrong(
                f"gives the router {logs.memory} MiB, and the task has {info.data['memory']}",
                f"leave the application at least {_SMALLEST_APPLICATION} MiB",
                secret=True,
            )
        return logs

    @model_validator(mode="after")
    def _fits_a_definition(self) -> Self:
        said, most = travel.size([self.model_dump(mode="json", exclude_unset=True)]), travel.MOST_OF_A_USER
        if said > most:
            raise wrong(
                f"says {said:,} bytes, and {most:,} of a task definition are left to it",
                "put what is large into the image, or where the application reads it when it starts",
                secret=True,
            )
        return self

    @field_validator("exec")
    @classmethod
    def _session(cls, sessions: bool, info: ValidationInfo) -> bool:
        if sessions:
            containers.check_session(info.data.get("container", Container()))
        return sessions


class Application(Workload):
    """One ECS service of the user, which listens on `port`."""

    port: Annotated[Whole, Field(ge=1, le=65535)]
    """The port that it listens on."""
    desired_count: Annotated[Whole, Field(ge=0, le=MOST_TASKS)] = 1
    """Number of tasks; with `scaling`, what the service begins with."""
    health_check: HealthCheck | None = None
    """ECS's health check of the container."""
    traffic: Traffic | None = None
    """Which requests of the load balancer it gets; `{}` for all that no other application wants. docs/traffic.md."""
    rollout: WrittenRollout | None = None
    """How a new version takes over, a strategy alone or a map; docs/rollouts.md."""
    scaling: Scaling | None = None
    """Bounds between which load decides on the number of tasks; docs/scaling.md."""
    capacity: Capacity | None = None
    """A mix of Fargate and Fargate Spot."""
    compute: Compute = Compute.FARGATE
    """Where its tasks run: on Fargate, or on the stack's EC2 instances; docs/compute.md."""
    service_connect: ServiceConnect | None = None
    """Calls between applications through proxies of ECS, `{}` for the defaults; docs/service-connect.md."""

    @field_validator("rollout")
    @classmethod
    def _deliverable(cls, chosen: Rollout | None, info: ValidationInfo) -> Rollout | None:
        if chosen and "traffic" in info.data:
            rollout.check(chosen, info.data["traffic"])
        return chosen

    @field_validator("scaling")
    @classmethod
    def _scalable(cls, chosen: Scaling | None, info: ValidationInfo) -> Scaling | None:
        if chosen and "desired_count" in info.data:
            delivered = info.data.get("rollout")
            scaling.check(
                chosen,
                info.data["desired_count"],
                balanced=bool(info.data.get("traffic")),
                shifted=bool(delivered and delivered.shifts),
            )
        return chosen

    @field_validator("capacity")
    @classmethod
    def _mixed(cls, chosen: Capacity | None, info: ValidationInfo) -> Capacity | None:
        if chosen and "desired_count" in info.data and "scaling" in info.data:
            scaled: Scaling | None = info.data["scaling"]
            traffic = info.data.get("traffic")
            compute.check(
                chosen, scaled.most if scaled else info.data["desired_count"], traffic.drain if traffic else 0
            )
        return chosen

    @field_validator("compute")
    @classmethod
    def _on_instances(cls, chosen: Compute, info: ValidationInfo) -> Compute:
        compute.check_instances(
            chosen, capacity=info.data.get("capacity"), ephemeral_storage=info.data.get("ephemeral_storage")
        )
        return chosen

    @property
    def shares(self) -> str | None:
        """The application of whose requests it gets a share."""
        return self.traffic.split.of if self.traffic and self.traffic.split else None

    @property
    def initial_tasks(self) -> int:
        """How many tasks it has before load decides."""
        return self.scaling.initial(self.desired_count) if self.scaling else self.desired_count

    @property
    def least_tasks(self) -> int:
        """How many tasks must run at any time."""
        return self.scaling.least if self.scaling else self.desired_count

    @property
    def listens(self) -> Mapping[str, int]:
        """Its own port first."""
        return {"port": self.port, **super().listens}

    @property
    def on_spot(self) -> bool:
        """Whether AWS may take its tasks away."""
        return bool(self.capacity and self.capacity.spot_percent)

    @property
    def beside(self) -> int:
        """And the proxy of Service Connect."""
        return super().beside + (PROXY_MEMORY if self.service_connect else 0)


class Collector(Model):
    """The collector of a stack: a sidecar in tasks, or a service of its own."""

    image: ImageReference = adot.IMAGE
    """A release of ADOT whose components are known; a mirror and a digest are fine."""
    drain_image: ImageReference = drain.IMAGE
    """Image of the drain beside it, which holds its stop back until its queues are empty; it needs `sh`, `wget`, `grep`
    and `timeout`."""
    cpu: Annotated[Whole, Field(ge=32, le=16384)] | None = None
    """CPU units: a sidecar's share of its task (left out, 64), or the whole task of the service (512)."""
    memory: Annotated[Whole, Field(ge=256, le=122880)] | None = None
    """MiB, in the same way (512 and 1024). The drain beside a sidecar takes 32 more. As a service at least 1024, and
    with `cpu` a pair that Fargate has."""
    essential: bool = False
    """Sidecar: whether the application stops with its collector; docs/decisions/0003-sidecar-lifecycle.md."""
    restart: bool = True
    """Whether ECS restarts a collector that ended, in its task, unless it ran less than 60 seconds."""
    wait_for: Start = Start.START
    """Sidecar: what of the collector the application waits for before it starts."""
    queue: Annotated[Whole, Field(ge=16, le=4096)] = 512
    """MiB on disk of each buffer; docs/collector.md#bad-days has how many there are."""
    desired_count: Annotated[Whole, Field(ge=2, le=100)] = 2
    """Service: number of collector tasks; with `scaling`, what the service begins with."""
    scaling: CollectorScaling | None = None
    """Service: bounds between which load decides; not with `traces.tail`."""
    compute: Compute = Compute.FARGATE
    """Service: where its tasks and the scraper run; docs/compute.md."""
    discovery: Discovery = Discovery.CLOUD_MAP
    """Service: how it is found; docs/decisions/0002-cloud-map-by-default.md."""

    @field_validator("image")
    @classmethod
    def _known_release(cls, image: str) -> str:
        adot.check_image(image)
        return image

    def size(self, pattern: Pattern) -> tuple[int, int]:
        """CPU units and MiB of the collector in a pattern."""
        cpu, memory = _COLLECTOR_SIZES[pattern]
        return self.cpu or cpu, self.memory or memory

    @property
    def initial_tasks(self) -> int:
        """How many tasks its own service has before load decides."""
        return self.scaling.initial(self.desired_count) if self.scaling else self.desired_count

    @property
    def least_tasks(self) -> int:
        """How many tasks of its own service must run at any time."""
        return self.scaling.min if self.scaling else self.desired_count


_COLLECTOR_SIZES: Final = {Pattern.SIDECAR: (64, 512), Pattern.SERVICE: (512, 1024)}
"""From docs/benchmarks.md: a sidecar takes 25 CPU units at 100 spans a second and 151 at 1,000, and 122 to 153 MiB up
to 5,000; a task of the service 347 units and 255 MiB at 5,000. So 256 MiB is the floor, and 512 MiB leave the memory
limiter room. On Fargate a container may use more than its CPU units as long as others in its task leave some."""


class Metrics(Model):
    """The AMP workspace."""

    retention_days: Annotated[Whole, Field(ge=1, le=1095)] = 90
    """Days for which AMP keeps metrics."""
    interval_seconds: Annotated[Whole, Field(ge=10, le=300)] = 60
    """Seconds between two collections. Samples, and so AMP's price, are proportional to their number."""
    max_series: Annotated[Whole, Field(ge=1)] | None = None
    """Active series above this are refused instead of billed; left out, AMP's own limit."""


class Access(Model):
    """Identity Center users and groups of one Grafana role, by id."""

    users: tuple[IdentityId, ...] = ()
    """Ids of users."""
    groups: tuple[IdentityId, ...] = ()
    """Ids of groups."""

    @property
    def everyone(self) -> tuple[str, ...]:
        """All ids."""
        return (*self.users, *self.groups)


class Grafana(Model):
    """The AMG workspace. Administrators, editors and viewers are of Identity Center; those of `saml` log in beside
    them."""

    enabled: bool = True
    """Whether there is a Grafana workspace."""
    admins: Access = Access()
    """Who may do everything; docs/grafana.md also has how to revoke."""
    editors: Access = Access()
    """Who may change dashboards."""
    viewers: Access = Access()
    """Who may look."""
    saml: Saml | None = None
    """An identity provider beside Identity Center, when the workspace is made;
    docs/grafana.md#saml-beside-identity-center."""
    network_access: NetworkAccess | None = None
    """From where the workspace is reached, by whoever deploys too; left out, from everywhere.
    docs/grafana.md#from-where-it-is-reached."""
    vpc: Vpc | None = None
    """Through which VPC it asks all of its data sources; docs/grafana.md#data-sources-in-a-vpc."""
    dashboards: tuple[str, ...] = ()
    """Paths of dashboard files to import, relative to the project; docs/grafana.md#your-own-dashboards."""


class Identity(Model):
    """Options of every IAM role that is made."""

    path: IamPath = "/"
    """Path of every IAM role."""
    permissions_boundary: PermissionsBoundary | None = None
    """ARN of a policy that bounds every IAM role."""


class Logs(Model):
    """CloudWatch log groups."""

    retention_days: LogRetention = 30
    """Days for which every log group keeps its lines: a number that CloudWatch Logs has, such as 1, 7, 14,
    30, 90, 365."""
    from_applications: bool = False
    """Whether applications send logs by OTLP, which collectors write to CloudWatch Logs;
    docs/destinations.md#logs-from-applications."""


def sidecar_fits(application: Workload, collector: Collector, receivers: Collection[Receiver], key: str) -> list[Fault]:
    """Faults if the collector leaves the application less than a small process needs, or takes its port."""
    cpu, memory = collector.size(Pattern.SIDECAR)
    memory += drain.MEMORY
    besides = f" and {application.beside} MiB of what else it asks for" if application.beside else ""
    left = max(application.memory - memory - application.beside, 0)
    found: list[Fault] = []
    if left < _SMALLEST_APPLICATION:
        found.append(
            Fault(
                f"{key}.memory",
                f"leaves {left} MiB to the application beside a collector of {memory} MiB with its drain{besides}",
                f"give the task at least {memory + application.beside + _SMALLEST_APPLICATION} MiB, "
                "or the collector less",
                application.memory,
            )
        )
    if application.cpu <= cpu:
        found.append(
            Fault(
                f"{key}.cpu",
                f"leaves nothing to the application beside a collector of {cpu} CPU units",
                "give the task more, or the collector less",
                application.cpu,
            )
        )
    found += [
        Fault(
            f"{key}.{name}",
            "is a port of the collector beside the application",
            f"choose another than {ports.described(receivers)}",
            port,
        )
        for name, port in application.listens.items()
        if port in ports.taken(receivers)
    ]
    if application.on_spot:
        found += compute.sidecar_faults(application.container.stop_timeout, key)
    return found


def agent_fits(workload: Workload, key: str) -> list[Fault]:
    """Faults if the agent that instruments the workload would not load, or could not start."""
    return instrumentation.faults(
        workload.instrumentation,
        architecture=workload.architecture,
        secrets=workload.secrets,
        volumes={name: volume.path for name, volume in workload.volumes.items()},
        key=key,
    )


def service_fits(collector: Collector, key: str) -> list[Fault]:
    """Faults if Fargate has no task of the size that the collector's own service asks for, or if it is too small."""
    cpu, memory = collector.size(Pattern.SERVICE)
    problem = fargate.size_problem(cpu, memory)
    if not problem and memory < _SMALLEST_SERVICE:
        problem = "is too little for a collector and its front", f"give at least {_SMALLEST_SERVICE} MiB"
    return [Fault(f"{key}.memory", *problem)] if problem else []


def tags_fit(tags: Mapping[str, str], key: str) -> list[Fault]:
    """Faults in tags that AWS would refuse (AWS General Reference, "Tag naming limits and requirements")."""
    remedy = "use letters, digits, spaces and . : / = + @ _ -, and no prefix aws:"
    found = [
        # Where it is the name, nobody wants to know the value.
        Fault(f"{key}.{name}", problem, remedy, UNTOLD if _tag_problem(name, "") else value)
        for name, value in tags.items()
        if (problem := _tag_problem(name, value))
    ]
    if len(tags) > _MOST_TAGS:
        found.append(Fault(key, f"has {len(tags)} tags", f"give at most {_MOST_TAGS}; AWS takes 50 with our own"))
    return found


def _tag_problem(name: str, value: str) -> str:
    if name.lower().startswith("aws:"):
        return "has a prefix that AWS keeps for itself"
    if not 1 <= len(name) <= _LONGEST_TAG:
        return f"is a name of {len(name)} characters, and AWS takes 1 to {_LONGEST_TAG}"
    if len(value) > _LONGEST_TAG_VALUE:
        return f"has a value of {len(value)} characters, and AWS takes {_LONGEST_TAG_VALUE}"
    return "" if _TAG.fullmatch(name + value) else "has characters that AWS refuses in tags"


_TAG: Final = re.compile(r"[\w \u00a0.:/=+@-]*")
_LONGEST_TAG: Final = 128
_LONGEST_TAG_VALUE: Final = 256
_MOST_TAGS: Final = 47

_SMALLEST_APPLICATION: Final = 128
"""MiB. Less than this runs no language runtime; ECS itself refuses less than 6."""

_SMALLEST_SERVICE: Final = 1024
"""MiB. In Fargate's next smaller task, of 512, the front gets 144: a collector that does nothing holds 139."""


def checked(model: type[M], values: Mapping[str, Any], key: str = "") -> M:
    """The model made of `values`, which stand under `key`. Raises ConfigurationError with every fault."""
    faults: list[Fault] = []
    made = collect(faults, lambda: model.model_validate(dict(values)), model, key)
    if made is None:
        raise ConfigurationError(faults)
    return made
