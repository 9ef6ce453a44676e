"""What a user runs in a task: its task definition, log group and roles, observed by a pattern."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pulumi
import pulumi_aws as aws
from pydantic import TypeAdapter

from components import fargate
from components.fargate import Place
from components.identity import TaskRoles, task_roles
from components.known import known_now
from components.patterns.instrumentation import Instrumentation, Pattern
from components.site import Site
from documents import containers, inputs, names, policies, task, travel
from documents.faults import ConfigurationError
from documents.policies import Statement

W = TypeVar("W", bound=inputs.Workload)


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
        given = pulumi.Output.all(self.values.get("secrets") or {}, self.values.get("container") or {})
        return given.apply(lambda known: [*known[0].values(), *containers.Container.model_validate(known[1]).secrets])


@dataclass(frozen=True)
class ObservedTask:
    """A task definition with its roles, and what the pattern needs beside it."""

    definition: aws.ecs.TaskDefinition
    roles: TaskRoles
    instrumentation: Instrumentation


def observed_task(
    name: str,
    place: Place,
    pattern: Pattern,
    *,
    workload: inputs.Workload,
    wanted: Wanted,
    opts: pulumi.ResourceOptions,
) -> ObservedTask:
    """The task of `workload`, which is `wanted` as far as it is known."""
    site = place.site
    group_name = site.names.log_group(workload.name)
    log = task.log_configuration(group_name, site.region, workload.name)
    agent = _agent(workload, task.log_configuration(group_name, site.region, names.AGENT))
    instrumentation = pattern.instrument(
        site.origin(workload.name),
        task.log_configuration(group_name, site.region, "collector"),
        travel.size(_containers(workload, log, agent)),
        workload.metrics,
    )
    logs = fargate.log_group(f"{name}-logs", place, workload.name, opts)
    roles = task_roles(
        name,
        site=site,
        service=workload.name,
        does=_does(site, workload, wanted, instrumentation, logs),
        starts=_starts(site, workload, wanted, instrumentation, logs),
        existing=wanted.roles,
        opts=opts,
    )

    def definitions(known: Sequence[Any]) -> str:
        # What could not be judged before is judged here.
        whole = inputs.checked(type(workload), known[0], wanted.key)
        return json.dumps(task.instrument(_containers(whole, log, agent), whole.name, known[1]))

    definition = fargate.task_definition(
        f"{name}-definition",
        place,
        service=workload.name,
        size=(workload.cpu, workload.memory),
        architecture=workload.architecture,
        roles=roles,
        container_definitions=pulumi.Output.all(wanted.values, instrumentation.additions).apply(definitions),
        volumes=_volumes(workload, wanted, agent),
        ephemeral_storage=workload.ephemeral_storage,
        opts=opts,
    )
    return ObservedTask(definition, roles, instrumentation)


def _agent(workload: inputs.Workload, log: task.Container) -> task.Additions | None:
    """What instruments the workload from outside; None if it does so itself."""
    if workload.instrumentation is None:
        return None
    return task.agent_additions(workload.instrumentation, workload.architecture, log)


def _containers(workload: inputs.Workload, log: task.Container, agent: task.Additions | None) -> list[task.Container]:
    """The workload's containers before it is observed."""
    own = [task.application_container(workload, log)]
    return task.instrument(own, workload.name, agent) if agent else own


def _volumes(
    workload: inputs.Workload, wanted: Wanted, agent: task.Additions | None
) -> pulumi.Output[list[dict[str, Any]]] | None:
    """The volumes of its task definition; None for nothing."""
    empty = [{"name": name} for name in agent.volumes] if agent else []
    if not workload.volumes and not empty:
        return None
    return wanted.volumes.apply(lambda known: [*containers.task_volumes(known), *empty])


def _does(
    site: Site,
    workload: inputs.Workload,
    wanted: Wanted,
    instrumentation: Instrumentation,
    logs: aws.cloudwatch.LogGroup,
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
        parts.append(logs.arn.apply(containers.sessions))
    if not parts:
        return None
    return pulumi.Output.all(*parts).apply(lambda known: [statement for part in known for statement in part])


def _starts(
    site: Site,
    workload: inputs.Workload,
    wanted: Wanted,
    instrumentation: Instrumentation,
    logs: aws.cloudwatch.LogGroup,
) -> pulumi.Output[list[Statement]]:
    """What ECS may do to start the task."""
    images = [*instrumentation.images, *([workload.instrumentation.source] if workload.instrumentation else [])]

    def statements(known: Sequence[Any]) -> list[Statement]:
        partition, image, own_repository, log_group_arn, secrets = known
        named = policies.repository_arns((image, *images), partition)
        return policies.execution(
            repositories=[*named, *([own_repository] if own_repository else [])],
            log_group_arn=log_group_arn,
            secrets=[*secrets, *instrumentation.secrets],
        )

    return pulumi.Output.all(
        site.partition, wanted.values["image"], wanted.repository_arn, logs.arn, wanted.secrets
    ).apply(statements)
