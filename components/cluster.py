"""The ECS cluster of a stack and the private names under which its services find each other."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.instances import Ground, capacity_provider
from components.site import Site
from documents.compute import Compute, Share
from documents.faults import ConfigurationError, Fault
from documents.instances import Capacity, Ec2, Instances, cluster_faults, strategy


class ClusterArgs(TypedDict):
    """What a cluster needs. `container_insights` is ECS's setting: `disabled`, `enabled` or `enhanced`.

    `capacity_providers` are what its services may name in a strategy; Fargate alone needs none. An `existing` cluster
    keeps its settings, and has to have these providers. `ec2` are instances that it gets, on `ground`, or has.
    """

    site: Site
    vpc_id: pulumi.Input[str]
    container_insights: str
    capacity_providers: NotRequired[Sequence[str]]
    existing: NotRequired[pulumi.Output[aws.ecs.AwaitableGetClusterResult] | None]
    ec2: NotRequired[Ec2]
    ground: NotRequired[Ground]


class Cluster(pulumi.ComponentResource):
    """ECS cluster, private DNS namespace, and a security group that every application of the stack wears.

    Raises `documents.faults.ConfigurationError` if it cannot have the instances that it is to have.
    """

    arn: pulumi.Output[str]
    name: pulumi.Output[str]
    namespace_id: pulumi.Output[str]
    namespace_arn: pulumi.Output[str]
    applications_group_id: pulumi.Output[str]
    capacity: Capacity | None
    """The instances that tasks may be on besides Fargate."""

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        if faults := _faults(name, args):
            raise ConfigurationError(faults)
        super().__init__("ecs-observability:index:Cluster", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args["site"]
        namespace = aws.servicediscovery.PrivateDnsNamespace(
            f"{name}-namespace",
            name=site.names.namespace,
            vpc=args["vpc_id"],
            description=f"Services of {site.names.prefix}",
            tags=site.tags,
            opts=child,
        )
        applications = aws.ec2.SecurityGroup(
            f"{name}-applications",
            name_prefix=f"{site.names.prefix}-applications-",
            description="Worn by every application: who wears it may call the others",
            vpc_id=args["vpc_id"],
            tags=site.named(f"{site.names.prefix}-applications"),
            opts=child,
        )
        self.capacity = args.get("ec2", Ec2()).capacity
        self._strategy = strategy(self.capacity, site.names) if self.capacity else ()
        if existing := args.get("existing"):
            self.arn, self.name = existing.arn, existing.cluster_name
        else:
            self.arn, self.name = self._cluster(name, args, child)
        self.namespace_id = namespace.id
        self.namespace_arn = namespace.arn
        self.applications_group_id = applications.id
        self.register_outputs({"arn": self.arn, "name": self.name, "namespaceId": self.namespace_id})

    def strategy(self, compute: Compute) -> tuple[Share, ...]:
        """The capacity provider strategy of a service; none on Fargate, which is a launch type."""
        return self._strategy if compute is Compute.EC2 else ()

    def _cluster(
        self, name: str, args: ClusterArgs, child: pulumi.ResourceOptions
    ) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """ARN and name of the stack's own cluster."""
        site = args["site"]
        cluster = aws.ecs.Cluster(
            f"{name}-cluster",
            name=site.names.prefix,
            settings=[{"name": "containerInsights", "value": args["container_insights"]}],
            tags=site.tags,
            opts=child,
        )
        providers: list[pulumi.Input[str]] = list(args.get("capacity_providers", ()))
        if "ground" in args and isinstance(self.capacity, Instances):
            providers.append(
                capacity_provider(
                    f"{name}-instances", site, self.capacity, ground=args["ground"], cluster=cluster, opts=child
                )
            )
        if not providers:
            return cluster.arn, cluster.name
        associated = aws.ecs.ClusterCapacityProviders(
            f"{name}-capacity", cluster_name=cluster.name, capacity_providers=providers, opts=child
        )
        # A service that names a provider before the cluster has it is refused.
        return pulumi.Output.all(cluster.arn, associated.id).apply(lambda known: str(known[0])), cluster.name


def _faults(name: str, args: ClusterArgs) -> list[Fault]:
    ec2 = args.get("ec2", Ec2())
    if args.get("existing"):
        return cluster_faults(ec2)
    if ec2.instances and "ground" not in args:
        return [Fault(f"{name}.ground", "is missing beside instances", "say where they stand")]
    return []
