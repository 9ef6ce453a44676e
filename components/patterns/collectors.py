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
from documents import instances, names, task, travel
from documents.catalogue import Pattern
from documents.compute import Compute
from documents.faults import Fault
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


def placed_faults(place: Place, settings: Collector) -> list[Fault]:
    """Why collectors cannot run on what they are to run on."""
    wanted = instances.placed_collectors(settings, names.COLLECTOR, scraped=False)
    return place.faults(settings.compute, wanted)


def _architecture(place: Place, settings: Collector) -> Architecture:
    """That of the instances, and on Fargate the cheaper one: the images are of both."""
    capacity = place.cluster.capacity
    return capacity.architecture if settings.compute is Compute.EC2 and capacity else Architecture.ARM64


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
        architecture=_architecture(place, settings),
        roles=roles,
        container_definitions=pulumi.Output.all(telemetry.remote_write_url, kept.addresses).apply(definitions),
        compute=settings.compute,
        opts=opts,
    )
    return definition, roles.granted


def keep_logs(kind: type[pulumi.ComponentResource], service: str, place: Place) -> None:
    """The log group of collectors that a stack does not run, below a component of their `kind`, as they would have it.

    So a switch to sidecars keeps what they have said, and a switch back goes on in it. Pulumi has no way to keep only
    what is there already, and an empty log group costs nothing.
    """
    component = pulumi.ComponentResource(f"ecs-observability:index:{kind.__name__}", service, None, place.site.opts)
    logs = fargate.log_group(f"{service}-logs", place, service, pulumi.ResourceOptions(parent=component))
    component.register_outputs({"logGroup": logs.name})
