"""An ECS service on Fargate with what belongs to it: log group, security group, private name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.cluster import Cluster
from components.identity import TaskRoles
from components.site import Site
from documents.inputs import Architecture


@dataclass(frozen=True)
class Place:
    """Where services of a stack run."""

    site: Site
    cluster: Cluster
    vpc_id: pulumi.Output[str]
    subnet_ids: Sequence[pulumi.Output[str]]


_WHOLE = 100
"""Percent of the desired count: whatever moves a task to another zone must be allowed to have more for a while."""


@dataclass(frozen=True)
class Rollout:
    """How many tasks there are during a deployment, in percent of the desired count."""

    minimum_percent: int
    maximum_percent: int


OVERLAPPING = Rollout(_WHOLE, 2 * _WHOLE)
"""New tasks come before old ones go."""

ONE_AT_A_TIME = Rollout(0, _WHOLE)
"""Old tasks go before new ones come: there are never two."""


def log_group(name: str, place: Place, service: str, opts: pulumi.ResourceOptions) -> aws.cloudwatch.LogGroup:
    """The log group of one service; its name is known before it exists, so that definitions can be rendered."""
    return aws.cloudwatch.LogGroup(
        name,
        name=place.site.names.log_group(service),
        retention_in_days=place.site.log_retention_days,
        tags=place.site.tags,
        opts=opts,
    )


def security_group(
    name: str,
    place: Place,
    *,
    service: str,
    ports: Sequence[int],
    clients: pulumi.Input[str],
    udp_ports: Sequence[int] = (),
    peer_ports: Sequence[int] = (),
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """A group that admits `clients` on `ports` and `udp_ports`, its own members on `peer_ports`, and nobody else;
    outgoing traffic is open (images, AWS's endpoints).

    Returns its id, known only with its rules in force: a task that starts before cannot pull its image.
    """
    group = aws.ec2.SecurityGroup(
        name,
        name_prefix=f"{place.site.names.family(service)}-",
        description=f"Tasks of {service}",
        vpc_id=place.vpc_id,
        tags=place.site.named(place.site.names.family(service)),
        opts=opts,
    )
    admitted = (
        ("in", clients, ports, "tcp"),
        ("udp", clients, udp_ports, "udp"),
        ("peers", group.id, peer_ports, "tcp"),
    )
    rules: list[pulumi.CustomResource] = [
        admit(f"{name}-{direction}-{port}", place, group.id, source, port, protocol=protocol, opts=opts)
        for direction, source, numbers, protocol in admitted
        for port in numbers
    ]
    rules.append(
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-out",
            security_group_id=group.id,
            cidr_ipv4="0.0.0.0/0",
            ip_protocol="-1",
            tags=place.site.tags,
            opts=opts,
        )
    )
    return pulumi.Output.all(group.id, *(rule.id for rule in rules)).apply(lambda ids: str(ids[0]))


def admit(
    name: str,
    place: Place,
    group: pulumi.Input[str],
    source: pulumi.Input[str],
    port: int,
    *,
    protocol: str = "tcp",
    opts: pulumi.ResourceOptions,
) -> aws.vpc.SecurityGroupIngressRule:
    """The rule by which a group admits the members of the group `source` on one port."""
    return aws.vpc.SecurityGroupIngressRule(
        name,
        security_group_id=group,
        referenced_security_group_id=source,
        ip_protocol=protocol,
        from_port=port,
        to_port=port,
        tags=place.site.tags,
        opts=opts,
    )


def registry(name: str, place: Place, service: str, opts: pulumi.ResourceOptions) -> aws.servicediscovery.Service:
    """The service's private DNS name; ECS registers the address of each healthy task."""
    return aws.servicediscovery.Service(
        name,
        name=service,
        dns_config={
            "namespace_id": place.cluster.namespace_id,
            # Short, because a client that resolves again must not find a task that is gone.
            "dns_records": [{"type": "A", "ttl": 10}],
            "routing_policy": "MULTIVALUE",
        },
        # With it Cloud Map believes what ECS says of a task's health; without it every running task is handed out.
        health_check_custom_config={"failure_threshold": 1},
        # Instances left behind by a failed deployment would block the deletion of the service.
        force_destroy=True,
        tags=place.site.tags,
        opts=opts,
    )


def task_definition(
    name: str,
    place: Place,
    *,
    service: str,
    size: tuple[int, int],
    architecture: Architecture,
    roles: TaskRoles,
    container_definitions: pulumi.Output[str],
    opts: pulumi.ResourceOptions,
) -> aws.ecs.TaskDefinition:
    """A Fargate task; `size` is CPU units and MiB, `container_definitions` the JSON that ECS takes."""
    cpu, memory = size
    return aws.ecs.TaskDefinition(
        name,
        family=place.site.names.family(service),
        requires_compatibilities=["FARGATE"],
        network_mode="awsvpc",
        cpu=str(cpu),
        memory=str(memory),
        runtime_platform={"cpu_architecture": architecture.value, "operating_system_family": "LINUX"},
        task_role_arn=roles.task.arn,
        execution_role_arn=roles.execution.arn,
        container_definitions=container_definitions,
        tags=place.site.tags,
        opts=opts,
    )


def service(
    name: str,
    place: Place,
    *,
    service_name: str,
    task_definition_arn: pulumi.Input[str],
    desired_count: int,
    security_group_ids: Sequence[pulumi.Input[str]],
    service_registries: Any = None,
    service_connect: Any = None,
    rollout: Rollout = OVERLAPPING,
    opts: pulumi.ResourceOptions,
) -> aws.ecs.Service:
    """The ECS service. A deployment that does not become healthy is rolled back and fails the update."""
    return aws.ecs.Service(
        name,
        name=service_name,
        cluster=place.cluster.arn,
        task_definition=task_definition_arn,
        desired_count=desired_count,
        launch_type="FARGATE",
        network_configuration={
            "subnets": list(place.subnet_ids),
            "security_groups": list(security_group_ids),
            "assign_public_ip": True,
        },
        deployment_circuit_breaker={"enable": True, "rollback": True},
        deployment_minimum_healthy_percent=rollout.minimum_percent,
        deployment_maximum_percent=rollout.maximum_percent,
        availability_zone_rebalancing="ENABLED" if rollout.maximum_percent > _WHOLE else "DISABLED",
        enable_ecs_managed_tags=True,
        propagate_tags="SERVICE",
        service_registries=service_registries,
        service_connect_configuration=service_connect,
        wait_for_steady_state=True,
        tags=place.site.tags,
        opts=opts,
    )
