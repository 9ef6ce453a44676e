"""The ECS cluster of a stack and the private names under which its services find each other."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.site import Site


class ClusterArgs(TypedDict):
    """What a cluster needs. `container_insights` is ECS's setting: `disabled`, `enabled` or `enhanced`.

    `capacity_providers` are what its services may name in a strategy; Fargate alone needs none. An `existing` cluster
    keeps its settings, and has to have these providers.
    """

    site: Site
    vpc_id: pulumi.Input[str]
    container_insights: str
    capacity_providers: NotRequired[Sequence[str]]
    existing: NotRequired[pulumi.Output[aws.ecs.AwaitableGetClusterResult] | None]


class Cluster(pulumi.ComponentResource):
    """ECS cluster, private DNS namespace, and a security group that every application of the stack wears."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]
    namespace_id: pulumi.Output[str]
    namespace_arn: pulumi.Output[str]
    applications_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
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
        if existing := args.get("existing"):
            self.arn, self.name = existing.arn, existing.cluster_name
        else:
            self.arn, self.name = self._cluster(name, args, child)
        self.namespace_id = namespace.id
        self.namespace_arn = namespace.arn
        self.applications_group_id = applications.id
        self.register_outputs({"arn": self.arn, "name": self.name, "namespaceId": self.namespace_id})

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
        if not (providers := args.get("capacity_providers")):
            return cluster.arn, cluster.name
        associated = aws.ecs.ClusterCapacityProviders(
            f"{name}-capacity", cluster_name=cluster.name, capacity_providers=list(providers), opts=child
        )
        # A service that names a provider before the cluster has it is refused.
        return pulumi.Output.all(cluster.arn, associated.id).apply(lambda known: str(known[0])), cluster.name
