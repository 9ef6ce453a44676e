"""What a user runs in a task: its task definition, log group and roles, observed by a pattern."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NotRequired, TypedDict, TypeVar

import pulumi
import pulumi_aws as aws
from pydantic import TypeAdapter

from components import fargate
from components.fargate import Place
from components.identity import TaskRoles, task_roles
from components.known import known_now
from components.patterns.instrumentation import Instrumentation, Pattern
from components.refusal import refuse
from components.site import Site
from documents import containers, inputs, logs, names, policies, task, travel
from documents.compute import Compute
from documents.containers import Container, Volume
from documents.faults import ConfigurationError
from documents.logs import Logs
from documents.policies import Statement
from documents.signals import Scrape

W = TypeVar("W", bound=inputs.Workload)


class WorkloadArgs(TypedDict):
    """What applications and tasks need alike: the keys of `documents.inputs.Workload`, and `repository_arn`, the
    private ECR repository of the image, where its reference does not tell it."""

    place: Place
    repository_arn: NotRequired[pulumi.Input[str] | None]
    name: str
    image: pulumi.Input[str]
    cpu: NotRequired[int]
    memory: NotRequired[int]
    architecture: NotRequired[str]
    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    secrets: NotRequired[Mapping[str, pulumi.Input[str]]]
    command: NotRequired[Sequence[str] | None]
    metrics: NotRequired[Scrape | None]
    ratio: NotRequired[float | None]
    container: NotRequired[Container]
    volumes: NotRequired[Mapping[str, Volume]]
    ephemeral_storage: NotRequired[int | None]
    exec: NotRequired[bool]
    logs: NotRequired[Logs]
    task_role: NotRequired[pulumi.Input[str] | None]
    execution_role: NotRequired[pulumi.Input[str] | None]


@dataclass(frozen=True)
class Wanted:
    """What the user asked for: `values` by the keys of a model of `documents.inputs`, some of which other resources
    give, and `repository_arn`, the private ECR repository of the image where its reference does not tell it."""

    values: Mapping[str, Any]
    repository_arn: pulumi.Input[str] | None = None

    @property
    def key(self) -> str:
        """Under which faults are told."""
        return str(self.values["name"])

    def now(self, model: type[W], site: Site, pattern: Pattern) -> W:
        """All of it, as far as it is known before anything is deployed. Raises ConfigurationError with every fault."""
        workload = inputs.checked(model, known_now(self.values), self.key)
        if faults := [
            *site.names.application_faults(workload.name, self.key),
            *inputs.agent_fits(workload, self.key),
            *pattern.faults(workload, self.key),
        ]:
            raise ConfigurationError(faults)
        return workload

    @property
    def roles(self) -> Mapping[str, pulumi.Input[str]]:
        """The ARNs of existing roles, by their use."""
        return {use: arn for use in ("task", "execution") if (arn := self.values.get(f"{use}_role")) is not None}

    @property
    def volumes(self) -> pulumi.Output[containers.Volumes]:
        """The volumes once their file systems are known."""
        return pulumi.Output.from_input(self.values.get("volumes") or {}).apply(
            TypeAdapter[containers.Volumes](containers.Volumes).validate_python
        )

    @property
    def secrets(self) -> pulumi.Output[list[str]]:
        """The secrets that ECS reads to start it."""
        keys = ("secrets", "container", "logs")
        given = pulumi.Output.all(*(self.values.get(key) or dict[str, Any]() for key in keys))
        return given.apply(
            lambda known: [
                *known[0].values(),
                *containers.Container.model_validate(known[1]).secrets,
                *TypeAdapter[logs.Logs](logs.WrittenLogs).validate_python(known[2]).secrets,
            ]
        )


@dataclass(frozen=True)
class ObservedTask:
    """A task definition with its roles, and what the pattern needs beside it. `log_group` is a name."""

    definition: aws.ecs.TaskDefinition
    roles: TaskRoles
    instrumentation: Instrumentation
    log_group: str


def observed_task(
    name: str,
    place: Place,
    pattern: Pattern,
    *,
    workload: inputs.Workload,
    wanted: Wanted,
    compute: Compute = Compute.FARGATE,
    opts: pulumi.ResourceOptions,
) -> ObservedTask:
    """The task of `workload`, which is `wanted` as far as it is known."""
    site = place.site
    group = workload.logs.group or site.names.log_group(workload.name)
    log = partial(task.log_configuration, group, site.region)
    instrumentation = pattern.instrument(
        site.origin(workload.name),
        log(names.COLLECTOR),
        travel.size(_containers(workload, log)),
        workload.metrics,
    )
    log_group_arn = _log_group_arn(name, place, workload, opts)
    roles = task_roles(
        name,
        site=site,
        service=workload.name,
        does=_does(site, workload, wanted, instrumentation, log_group_arn),
        starts=_starts(site, workload, wanted, instrumentation, log_group_arn),
        existing=wanted.roles,
        opts=opts,
    )

    def definitions(known: Sequence[Any]) -> str:
        # What could not be judged before is judged here.
        whole = inputs.checked(type(workload), known[0], wanted.key)
        return json.dumps(task.instrument(_containers(whole, log), whole.name, known[1]))

    definition = fargate.task_definition(
        f"{name}-definition",
        place,
        service=workload.name,
        size=(workload.cpu, workload.memory),
        architecture=workload.architecture,
        roles=roles,
        container_definitions=pulumi.Output.all(wanted.values, instrumentation.additions).apply(definitions),
        volumes=_volumes(workload, wanted),
        ephemeral_storage=workload.ephemeral_storage,
        compute=compute,
        opts=opts,
    )
    return ObservedTask(definition, roles, instrumentation, group)


def _log_group_arn(
    name: str, place: Place, workload: inputs.Workload, opts: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """The log group of one workload: made, or found, in which case nothing of it is changed."""
    if workload.logs.group is None:
        return fargate.log_group(f"{name}-logs", place, workload.name, opts).arn
    found = aws.cloudwatch.get_log_group_output(
        name=workload.logs.group, opts=pulumi.InvokeOutputOptions(parent=opts.parent)
    )

    def fit(known: Sequence[Any]) -> str:
        arn, group_class, group = known
        refuse(logs.group_faults({"name": group, "log_group_class": group_class}, workload.name))
        return str(arn)

    return pulumi.Output.all(found.arn, found.log_group_class, found.name).apply(fit)


Log = Callable[[str], task.Container]
"""The log configuration of a container, by the beginning of its streams."""


def _containers(workload: inputs.Workload, log: Log) -> list[task.Container]:
    """The workload's containers before it is observed."""
    made = [task.application_container(workload, _lines(workload, log))]
    for additions in _asked_for(workload, log):
        made = task.instrument(made, workload.name, additions)
    return made


def _lines(workload: inputs.Workload, log: Log) -> task.Container:
    """Where the workload's own container writes."""
    plain, router = log(workload.name), workload.logs.firelens
    if router is None:
        return plain
    options = plain["options"]
    return logs.routed(
        router, group=options["awslogs-group"], region=options["awslogs-region"], container=workload.name
    )


def _asked_for(workload: inputs.Workload, log: Log) -> Iterator[task.Additions]:
    """What the user wants beside the workload's own container."""
    if workload.instrumentation:
        yield task.agent_additions(workload.instrumentation, workload.architecture, log(names.AGENT))
    if workload.logs.firelens:
        yield task.router_additions(workload.logs.firelens, log(names.LOG_ROUTER))


def _volumes(workload: inputs.Workload, wanted: Wanted) -> pulumi.Output[list[dict[str, Any]]] | None:
    """The volumes of its task definition; None for nothing."""
    empty = [{"name": names.AGENT}] if workload.instrumentation else []
    if not workload.volumes and not empty:
        return None
    return wanted.volumes.apply(lambda known: [*containers.task_volumes(known), *empty])


def _does(
    site: Site,
    workload: inputs.Workload,
    wanted: Wanted,
    instrumentation: Instrumentation,
    log_group_arn: pulumi.Output[str],
) -> pulumi.Output[list[Statement]] | None:
    """What the task's containers may do; None for nothing."""
    parts = [instrumentation.statements] if instrumentation.statements is not None else []
    if any(volume.efs for volume in workload.volumes.values()):
        parts.append(
            pulumi.Output.all(wanted.volumes, site.partition, site.account).apply(
                lambda known: containers.mounts(known[0], partition=known[1], region=site.region, account=known[2])
            )
        )
    if workload.exec:
        parts.append(log_group_arn.apply(containers.sessions))
    if router := workload.logs.firelens:
        parts.append(log_group_arn.apply(lambda arn: logs.route(router, arn)))
    if not parts:
        return None
    return pulumi.Output.all(*parts).apply(lambda known: [statement for part in known for statement in part])


def _starts(
    site: Site,
    workload: inputs.Workload,
    wanted: Wanted,
    instrumentation: Instrumentation,
    log_group_arn: pulumi.Output[str],
) -> pulumi.Output[list[Statement]]:
    """What ECS may do to start the task."""
    images = [*instrumentation.images, *workload.logs.images]
    if workload.instrumentation:
        images.append(workload.instrumentation.source)

    def statements(known: Sequence[Any]) -> list[Statement]:
        partition, image, own_repository, log_group, secrets = known
        named = policies.repository_arns((image, *images), partition)
        return policies.execution(
            repositories=[*named, *([own_repository] if own_repository else [])],
            log_group_arn=log_group,
            secrets=[*secrets, *instrumentation.secrets],
        )

    return pulumi.Output.all(
        site.partition, wanted.values["image"], wanted.repository_arn, log_group_arn, wanted.secrets
    ).apply(statements)
