"""The task of an ECS service that has nothing but collectors in it."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components import fargate
from components.fargate import Place
from components.identity import starts_collectors, task_roles
from components.patterns.instrumentation import Telemetry
from documents import task, travel
from documents.catalogue import Pattern
from documents.inputs import Architecture, Collector
from documents.model import PENDING
from documents.policies import Statement
from documents.task import CollectorContainer, Container


def shared(place: Place, service: str, settings: Collector, remote_write_url: str) -> CollectorContainer:
    """What the collectors of such a task have in common. Without one of them the task is of no use."""
    site = place.site
    return CollectorContainer(
        image=settings.image,
        region=site.region,
        remote_write_url=remote_write_url,
        essential=True,
        restart=settings.restart,
        log=task.log_configuration(site.names.log_group(service), site.region, service),
    )


def collectors_task(
    name: str,
    place: Place,
    *,
    service: str,
    settings: Collector,
    telemetry: Telemetry,
    containers: Callable[[str], list[Container]],
    does: pulumi.Output[list[Statement]],
    secrets: Sequence[str] = (),
    opts: pulumi.ResourceOptions,
) -> tuple[aws.ecs.TaskDefinition, list[pulumi.Resource]]:
    """Task definition, log group and roles; a service waits for the resources that are returned beside it.

    `containers` makes the container definitions for a remote-write address, `does` is what they may do, `secrets` are
    the ARNs that they read.
    """
    logs = fargate.log_group(f"{name}-logs", place, service, opts)
    kept = telemetry.configurations.keep(place.site.names.family(service), containers(PENDING), 0)

    def definitions(known: Sequence[Any]) -> str:
        remote_write_url, addresses = known
        return json.dumps(travel.moved(containers(remote_write_url), addresses))

    roles = task_roles(
        name,
        site=place.site,
        service=service,
        does=pulumi.Output.all(does, kept.statements).apply(lambda known: [*known[0], *known[1]]),
        starts=starts_collectors(place.site, settings, logs, secrets),
        opts=opts,
    )
    definition = fargate.task_definition(
        f"{name}-definition",
        place,
        service=service,
        size=settings.size(Pattern.SERVICE),
        architecture=Architecture.ARM64,
        roles=roles,
        container_definitions=pulumi.Output.all(telemetry.remote_write_url, kept.addresses).apply(definitions),
        opts=opts,
    )
    return definition, roles.granted
