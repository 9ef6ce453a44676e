"""An ECS service, on Fargate or where its strategy says, with what belongs to it: log group, security group, name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.cluster import Cluster
from components.identity import TaskRoles
from components.site import Site
from documents.compute import Compute, Share
from documents.faults import Fault
from documents.inputs import Architecture
from documents.instances import Placed, placed_faults


@dataclass(frozen=True)
class Place:
    """Where services of a stack run. Their tasks have `public_addresses` or not, and wear the groups `worn`."""

    site: Site
    cluster: Cluster
    vpc_id: pulumi.Output[str]
    subnet_ids: Sequence[pulumi.Output[str]]
    public_addresses: bool = True
    worn: Sequence[pulumi.Output[str]] = ()

    def faults(self, compute: Compute, wanted: Placed) -> list[Fault]:
        """Why tasks cannot run on what they are to run on here."""
        if compute is Compute.FARGATE:
            return []
        return placed_faults(wanted, self.cluster.capacity, private=not self.public_addresses)


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
        kms_key_id=place.site.key_arn,
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
    volumes: pulumi.Input[Any] | None = None,
    ephemeral_storage: int | None = None,
    compute: Compute = Compute.FARGATE,
    opts: pulumi.ResourceOptions,
) -> aws.ecs.TaskDefinition:
    """A task with a network interface of its own; `size` is CPU units and MiB, `container_definitions` the JSON that
    ECS takes, `volumes` what its containers mount, `ephemeral_storage` GiB."""
    cpu, memory = size
    return aws.ecs.TaskDefinition(
        name,
        family=place.site.names.family(service),
        requires_compatibilities=[compute.value.upper()],
        network_mode="awsvpc",
        cpu=str(cpu),
        memory=str(memory),
        runtime_platform={"cpu_architecture": architecture.value, "operating_system_family": "LINUX"},
        task_role_arn=roles.task.arn,
        execution_role_arn=roles.execution.arn,
        container_definitions=container_definitions,
        volumes=volumes,
        ephemeral_storage={"size_in_gib": ephemeral_storage} if ephemeral_storage else None,
        tags=place.site.tags,
        opts=opts,
    )


def tasks_arn(place: Place) -> pulumi.Output[str]:
    """The ARN that stands for all tasks of the cluster."""
    site = place.site
    return pulumi.Output.format(
        "arn:{0}:ecs:{1}:{2}:task/{3}/*", site.partition, site.region, site.account, site.names.cluster
    )


def network_configuration(place: Place, security_group_ids: Sequence[pulumi.Input[str]]) -> Any:
    """Where the tasks are, and which groups they wear."""
    return {
        "subnets": list(place.subnet_ids),
        "security_groups": [*security_group_ids, *place.worn],
        "assign_public_ip": place.public_addresses,
    }


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
    delivery: Mapping[str, Any] | None = None,
    sessions: bool = False,
    rollout: Rollout = OVERLAPPING,
    strategy: Sequence[Share] = (),
    opts: pulumi.ResourceOptions,
) -> aws.ecs.Service:
    """The ECS service. A deployment that does not become healthy is rolled back and fails the update; `delivery` has
    its inputs for load balancer and roll-out, `sessions` is whether people may open some in its containers."""
    return aws.ecs.Service(
        name,
        name=service_name,
        cluster=place.cluster.arn,
        task_definition=task_definition_arn,
        desired_count=desired_count,
        launch_type=None if strategy else "FARGATE",
        capacity_provider_strategies=[_share(share) for share in strategy] or None,
        # Without it the provider refuses to change a strategy.
        force_new_deployment=True if strategy else None,
        network_configuration=network_configuration(place, security_group_ids),
        deployment_circuit_breaker={"enable": True, "rollback": True},
        deployment_minimum_healthy_percent=rollout.minimum_percent,
        deployment_maximum_percent=rollout.maximum_percent,
        availability_zone_rebalancing="ENABLED" if rollout.maximum_percent > _WHOLE else "DISABLED",
        enable_ecs_managed_tags=True,
        propagate_tags="SERVICE",
        service_registries=service_registries,
        service_connect_configuration=service_connect,
        enable_execute_command=sessions or None,
        wait_for_steady_state=True,
        **(delivery or {}),
        tags=place.site.tags,
        opts=opts,
    )


def _share(share: Share) -> aws.ecs.ServiceCapacityProviderStrategyArgsDict:
    part: aws.ecs.ServiceCapacityProviderStrategyArgsDict = {
        "capacity_provider": share.provider,
        "weight": share.weight,
    }
    # ECS takes one base in a strategy.
    if share.base:
        part["base"] = share.base
    return part
