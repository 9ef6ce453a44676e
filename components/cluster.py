"""The ECS cluster of a stack and the private names under which its services find each other."""

from typing import TypedDict

import pulumi
import pulumi_aws as aws

from components.site import Site


class ClusterArgs(TypedDict):
    """What a cluster needs. `container_insights` is ECS's setting: `disabled`, `enabled` or `enhanced`."""

    site: Site
    vpc_id: pulumi.Input[str]
    container_insights: str


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
        cluster = aws.ecs.Cluster(
            f"{name}-cluster",
            name=site.names.prefix,
            settings=[{"name": "containerInsights", "value": args["container_insights"]}],
            tags=site.tags,
            opts=child,
        )
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
        self.arn = cluster.arn
        self.name = cluster.name
        self.namespace_id = namespace.id
        self.namespace_arn = namespace.arn
        self.applications_group_id = applications.id
        self.register_outputs({"arn": self.arn, "name": self.name, "namespaceId": self.namespace_id})
