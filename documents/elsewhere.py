"""Container definitions of a task that is made elsewhere, and what a pattern adds to them: all of it plain values, so
that a program in any language can give and take them."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic.alias_generators import to_camel

from documents import central, drain, policies, ports, signals, task, tracing, travel
from documents.catalogue import Pattern
from documents.collecting import Collecting
from documents.environment import StackCollector
from documents.environment.checks import is_sound
from documents.environment.reading import part
from documents.faults import ConfigurationError, Fault, Kind, faults_of, nearest, wrong
from documents.model import PENDING, Model, Whole, is_placeholder
from documents.names import COLLECTOR, DRAIN, Names
from documents.origin import Origin
from documents.task import Container

_ECS_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_GROUP: Final = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):logs:(?P<region>[a-z0-9-]+):\d{12}:log-group:(?P<name>[\w./#-]+)"
)
_ALL_STREAMS: Final = ":*"
_ADDRESS: Final = re.compile(rf"http://(?P<host>[A-Za-z0-9.-]+):{ports.OTLP_HTTP}")
_SECURITY_GROUP: Final = re.compile(r"sg-[0-9a-f]{8,17}")
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def _ecs_name(value: str) -> str:
    if not is_placeholder(value) and not _ECS_NAME.fullmatch(value):
        raise wrong("is not a name of ECS", "give the name and no ARN: letters, digits, hyphens and underscores")
    return value


def _word(value: str) -> str:
    if not is_placeholder(value) and not _WORD.fullmatch(value):
        # What separates attributes from one another is in none of them.
        raise wrong("is not a name", "use letters, digits, dots, hyphens and underscores")
    return value


def _workspace(value: str) -> str:
    return value if is_placeholder(value) else central.workspace_arn(value)


def _log_group(value: str) -> str:
    arn = value.removesuffix(_ALL_STREAMS)
    if not is_placeholder(value) and not _GROUP.fullmatch(arn):
        raise wrong(
            "is not the ARN of a log group", "write it as arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/orders"
        )
    return arn


def _address(value: str) -> str:
    if not is_placeholder(value) and not _ADDRESS.fullmatch(value):
        raise wrong(
            "is not the address of a collector service",
            f"write it as http://collector.prod.shop.internal:{ports.OTLP_HTTP}, which is its output collectorAddress",
        )
    return value


def _security_group(value: str) -> str:
    if not is_placeholder(value) and not _SECURITY_GROUP.fullmatch(value):
        raise wrong("is not the id of a security group", "write it as sg-0123456789abcdef0")
    return value


EcsName = Annotated[str, AfterValidator(_ecs_name)]
Word = Annotated[str, AfterValidator(_word)]


class ContainerDefinitions(Model):
    """What to observe, and where its telemetry goes."""

    container_definitions: str | tuple[Mapping[str, JsonValue], ...]
    """The container definitions that you have, as JSON or as a list, with the keys of ECS's API (`portMappings`)."""
    container: str
    """Name of the container that is observed."""
    service: EcsName
    """Name of the ECS service, and `service.name` in telemetry."""
    cluster: EcsName
    """Name of the ECS cluster."""
    family: EcsName | None = None
    """Family of the task definition; left out, the name of the service."""
    service_namespace: Word | None = None
    """`service.namespace` in telemetry, by which dashboards choose; left out, the project's name."""
    deployment_environment: Word | None = None
    """`deployment.environment.name` in telemetry, by which dashboards choose; left out, the stack's name."""
    pattern: Pattern = Pattern.SIDECAR
    """How the collector is deployed: in this task, or as a service that is there; docs/choose-a-pattern.md."""
    workspace_arn: Annotated[str, AfterValidator(_workspace)] | None = None
    """Sidecar: ARN of the AMP workspace, an environment's `workspaceArn`."""
    log_group_arn: Annotated[str, AfterValidator(_log_group)] | None = None
    """Sidecar: ARN of the CloudWatch log group for the lines of the collector."""
    collector_address: Annotated[str, AfterValidator(_address)] | None = None
    """Service: address of the collector service, an environment's `collectorAddress`."""
    collector_clients_group_id: Annotated[str, AfterValidator(_security_group)] | None = None
    """Service: id of the security group whose wearers may send, an environment's `collectorClientsGroupId`."""
    collector: StackCollector = StackCollector()
    """The collector: with a service, as that service has it; docs/collector.md."""
    interval_seconds: Annotated[Whole, Field(ge=10, le=300)] = 60
    """Seconds between two collections of metrics."""
    traces: signals.Traces = signals.Traces()
    """Which traces are kept, and how a sidecar sends them; docs/signals.md."""
    destinations: tuple[signals.Destination, ...] = ()
    """Sidecar: back ends of partners that take OTLP as well; docs/destinations.md."""
    metrics: signals.Scrape | None = None
    """Where the container exposes Prometheus metrics, if it is to be scraped; docs/signals.md#prometheus-scraping."""

    def origin(self, names: Names) -> Origin:
        """Who emits the telemetry; `names` are those of the stack that the program makes."""
        return Origin(
            namespace=self.service_namespace or names.project,
            environment=self.deployment_environment or names.stack,
            cluster=self.cluster,
            service=self.service,
            family=self.family or self.service,
        )

    def collecting(self, region: str) -> Collecting:
        """The collectors that are meant."""
        return Collecting(region, self.collector, self.interval_seconds, self.signals)

    @property
    def signals(self) -> signals.Signals:
        """What collectors take, and where it goes."""
        return self.collector.signals(self.traces, self.destinations)

    @property
    def share(self) -> tuple[int, int]:
        """CPU units and MiB of the task that what is added takes."""
        if self.pattern is Pattern.SERVICE:
            return 0, 0
        cpu, memory = self.collector.size(self.pattern)
        return cpu, memory + drain.MEMORY

    @property
    def groups(self) -> tuple[str, ...]:
        """The security groups that tasks have to wear."""
        worn = self.collector_clients_group_id
        return (worn,) if worn and self.pattern is Pattern.SERVICE else ()


class Instrumented(Model):
    """What a pattern adds, to be given to a task definition, its roles and its service."""

    container_definitions: str
    """The container definitions (JSON) with the pattern in them; a secret where those that you gave are one."""
    cpu: int
    """CPU units that a collector takes of the task, 0 where there is none in it."""
    memory: int
    """MiB that a collector and its drain take of the task, 0 where there is none in it."""
    security_group_ids: tuple[str, ...]
    """Security groups that the service has to wear beside its own."""
    task_role_policy: str | None = None
    """Sidecar: policy (JSON) that the task role needs."""
    execution_role_policy: str | None = None
    """Sidecar: policy (JSON) that the execution role needs."""


class _Named(BaseModel):
    """Something in a container definition that has a name; the rest of it is ECS's business."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel)

    name: str


class _Variable(_Named):
    value: str


class _PortMapping(BaseModel):
    model_config = ConfigDict(extra="allow", alias_generator=to_camel)

    container_port: Any = None


class _Container(_Named):
    """What is read of a container definition, and added to."""

    environment: tuple[_Variable, ...] = ()
    secrets: tuple[_Named, ...] = ()
    port_mappings: tuple[_PortMapping, ...] = ()
    docker_labels: Mapping[str, Any] = {}
    mount_points: tuple[Mapping[str, Any], ...] = ()
    depends_on: tuple[Mapping[str, Any], ...] = ()


_DEFINITIONS: Final = "containerDefinitions"


def read(values: Mapping[str, Any], names: Names, region: str) -> ContainerDefinitions:
    """What is asked for in `values`, by the keys of `ContainerDefinitions`; `PENDING` stands for what is not known yet.

    Raises ConfigurationError with every fault.
    """
    faults: list[Fault] = []
    asked = _parts(values, faults)
    faults += _missing(asked, faults)
    if is_sound(faults, "workspaceArn") and asked.workspace_arn and region:
        faults += _workspace_faults(asked.workspace_arn, region)
    if is_sound(faults, "collector", "traces", "destinations", "metrics", "intervalSeconds", "pattern"):
        faults += _collector_faults(asked)
    definitions = parsed(asked.container_definitions, faults) if is_sound(faults, _DEFINITIONS) else []
    if definitions:
        faults += _container_faults(asked, definitions, faults)
    if not faults:
        faults += _size_faults(asked, definitions, names, region)
    if faults:
        raise ConfigurationError(faults)
    return asked


def instrumented(asked: ContainerDefinitions, names: Names, region: str) -> str:
    """The container definitions (JSON) with the pattern in them."""
    return json.dumps(_instrumented(asked, parsed(asked.container_definitions, []), names, region))


def task_role_policy(asked: ContainerDefinitions, region: str) -> str:
    """The policy (JSON) that the task role needs for a sidecar."""
    return _policy(asked.collecting(region).sidecar_writes(asked.workspace_arn or PENDING))


def execution_role_policy(asked: ContainerDefinitions) -> str:
    """The policy (JSON) that the execution role needs for a sidecar."""
    arn = asked.log_group_arn or PENDING
    group = _GROUP.fullmatch(arn)
    images = (asked.collector.image, asked.collector.drain_image)
    return _policy(
        policies.execution(
            repositories=policies.repository_arns(images, group["partition"] if group else "aws"),
            log_group_arn=arn,
            secrets=asked.signals.secrets.values(),
        )
    )


def _policy(statements: Iterable[policies.Statement]) -> str:
    return json.dumps(policies.policy(statements), sort_keys=True)


def _instrumented(
    asked: ContainerDefinitions, definitions: Sequence[Container], names: Names, region: str
) -> list[Container]:
    collecting, origin = asked.collecting(region), asked.origin(names)
    if asked.pattern is Pattern.SERVICE:
        found = _ADDRESS.fullmatch(asked.collector_address or "")
        additions = collecting.client(origin, found["host"] if found else PENDING, asked.metrics)
    else:
        arn = asked.log_group_arn or PENDING
        group = _GROUP.fullmatch(arn)
        log = task.log_configuration(group["name"] if group else arn, group["region"] if group else region, COLLECTOR)
        additions = collecting.sidecar(
            origin, log, central.remote_write_url(asked.workspace_arn or PENDING, region), asked.metrics
        )
    return task.instrument(definitions, asked.container, additions)


def _parts(values: Mapping[str, Any], found: list[Fault]) -> ContainerDefinitions:
    """What is sound of the values; the faults of each, which hide none of another, go to `found`."""
    known = {field.alias or name: (name, field) for name, field in ContainerDefinitions.model_fields.items()}
    found += [Fault(key, "is not a known key", nearest(key, known)) for key in values if key not in known]
    parts: dict[str, Any] = {}
    for alias, (name, field) in known.items():
        if alias in values and alias == _DEFINITIONS:
            parts[name] = values[alias]
        elif alias in values:
            parts[name] = part(field.rebuild_annotation(), values[alias], alias, found)
        elif field.is_required():
            found.append(Fault(alias, "is missing", "give it a value"))
            parts[name] = PENDING
        else:
            parts[name] = field.get_default()
    return ContainerDefinitions.model_construct(**parts)


_NEEDED: Final = {
    Pattern.SIDECAR: {
        "workspace_arn": "to which the collector in the task writes",
        "log_group_arn": "to which the collector in the task writes its lines",
    },
    Pattern.SERVICE: {
        "collector_address": "to which the container sends",
        "collector_clients_group_id": "without which nothing reaches the collectors",
    },
}


def _missing(asked: ContainerDefinitions, found: Sequence[Fault]) -> Iterator[Fault]:
    if not is_sound(found, "pattern"):
        return
    for name, why in _NEEDED[asked.pattern].items():
        key = to_camel(name)
        if getattr(asked, name) is None and is_sound(found, key):
            yield Fault(key, f"is missing, {why}", f"give it, or another pattern than {asked.pattern.value}")


def _workspace_faults(arn: str, region: str) -> Iterator[Fault]:
    there = central.region_of(arn)
    if there and there != region:
        problem = f"is in {there}, and the collector signs for {region}"
        yield Fault("workspaceArn", problem, "give one of the same region", arn)


def _collector_faults(asked: ContainerDefinitions) -> list[Fault]:
    """What would keep a sidecar from starting; a service that is there has been judged where it was made."""
    if asked.pattern is Pattern.SERVICE:
        return tracing.faults(asked.traces, asked.collector.receivers)
    found = asked.collecting("").sidecar_faults(asked.service, asked.metrics)
    if asked.metrics and asked.metrics.port in ports.taken(asked.collector.receivers):
        found.append(_taken("metrics.port", asked.metrics.port, asked))
    return found


def parsed(given: Any, found: list[Fault]) -> list[Container]:
    """The container definitions in what was given, without what is null; none where they are not known yet, or are
    none, which goes to `found`. No value of theirs is told: any may be a secret."""
    if isinstance(given, str):
        if is_placeholder(given):
            return []
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            found.append(Fault(_DEFINITIONS, "is not JSON", "give the JSON of container definitions, or a list"))
            return []
    if not isinstance(given, list | tuple) or not given:
        problem, remedy = "is no list of container definitions", "give them as JSON, or as a list"
        found.append(Fault(_DEFINITIONS, problem, remedy, Kind(given)))
        return []
    whole = [_without_nulls(one) for one in cast("Sequence[Any]", given)]
    faults = [fault for index, one in enumerate(whole) for fault in _shape_faults(one, f"{_DEFINITIONS}.{index}")]
    found += faults
    return [] if faults else whole


def _without_nulls(one: Any) -> Any:
    if not isinstance(one, dict):
        return one
    return {key: value for key, value in cast("dict[str, Any]", one).items() if value is not None}


def _shape_faults(one: Any, key: str) -> list[Fault]:
    try:
        _Container.model_validate(one)
    except ValidationError as error:
        return [Fault(each.key, each.problem, each.remedy) for each in faults_of(error, _Container, key)]
    return []


def _container_faults(
    asked: ContainerDefinitions, definitions: Sequence[Container], found: Sequence[Fault]
) -> Iterator[Fault]:
    present = [str(one["name"]) for one in definitions]
    known = not any(map(is_placeholder, (*present, str(asked.container))))
    if known and is_sound(found, "container") and asked.container not in present:
        problem = f"names no container of the definitions (there are {', '.join(present)})"
        yield Fault("container", problem, "name one of them", asked.container)
    if not is_sound(found, "pattern", "collector") or asked.pattern is Pattern.SERVICE:
        return
    taken = ports.taken(asked.collector.receivers)
    for index, one in enumerate(definitions):
        key = f"{_DEFINITIONS}.{index}"
        if one["name"] in (COLLECTOR, DRAIN):
            problem = "is the name of a container that is added"
            yield Fault(f"{key}.name", problem, "rename it, or do not instrument it twice", one["name"])
        for place, mapping in enumerate(one.get("portMappings", ())):
            if (port := mapping.get("containerPort")) in taken:
                yield _taken(f"{key}.portMappings.{place}.containerPort", port, asked)


def _taken(key: str, port: int, asked: ContainerDefinitions) -> Fault:
    problem = "is a port of the collector beside the application"
    return Fault(key, problem, f"choose another than {ports.described(asked.collector.receivers)}", port)


def _size_faults(
    asked: ContainerDefinitions, definitions: Sequence[Container], names: Names, region: str
) -> Iterator[Fault]:
    """What is added to a definition made elsewhere cannot come from a bucket of the stack: there may be none."""
    if not definitions or is_placeholder(asked.container) or any(is_placeholder(one["name"]) for one in definitions):
        return
    try:
        _instrumented(asked, definitions, names, region)
    except travel.TooLargeError as error:
        problem = f"do not fit: with what is added, {error.problem}"
        yield Fault(_DEFINITIONS, problem, "shorten the environments, or collector.additions")
