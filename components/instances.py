"""The EC2 instances of a stack: an Auto Scaling group that ECS scales and drains, as a capacity provider."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.identity import role
from components.site import Site
from documents import instances
from documents.instances import Instances
from documents.policies import Statement

_ROOT_DEVICE = "/dev/xvda"
"""Of AWS's images for ECS with Amazon Linux 2023."""

_FULL = 100


@dataclass(frozen=True)
class Ground:
    """Where instances stand: subnets in their VPC, and groups that they wear besides their own."""

    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    worn: Sequence[pulumi.Input[str]] = ()


def capacity_provider(
    name: str,
    site: Site,
    wanted: Instances,
    *,
    ground: Ground,
    cluster: aws.ecs.Cluster,
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """The name of the capacity provider, which the cluster has still to be given."""
    template = _template(name, site, wanted, ground=ground, cluster=cluster, opts=opts)
    tags = {**site.named(site.names.family("instances")), "AmazonECSManaged": "true"}
    group = aws.autoscaling.Group(
        f"{name}-auto-scaling",
        name=site.names.family("instances"),
        min_size=wanted.min,
        max_size=wanted.max,
        vpc_zone_identifiers=list(ground.subnet_ids),
        launch_template={"id": template.id, "version": template.latest_version.apply(str)},
        # What ECS asks for where it manages termination: it takes the protection from instances without tasks.
        protect_from_scale_in=True,
        # New ones first; ECS moves the tasks of those that go.
        instance_refresh={
            "strategy": "Rolling",
            "preferences": {
                "min_healthy_percentage": _FULL,
                "max_healthy_percentage": 2 * _FULL,
                "scale_in_protected_instances": "Refresh",
            },
        },
        tags=[{"key": key, "value": value, "propagate_at_launch": True} for key, value in sorted(tags.items())],
        # ECS decides how many there are.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=["desired_capacity"])),
    )
    return aws.ecs.CapacityProvider(
        f"{name}-provider",
        name=site.names.capacity_provider,
        auto_scaling_group_provider={
            "auto_scaling_group_arn": group.arn,
            "managed_scaling": {"status": "ENABLED", "target_capacity": _FULL},
            "managed_draining": "ENABLED",
            "managed_termination_protection": "ENABLED",
        },
        tags=site.tags,
        opts=opts,
    ).name


def _template(
    name: str, site: Site, wanted: Instances, *, ground: Ground, cluster: aws.ecs.Cluster, opts: pulumi.ResourceOptions
) -> aws.ec2.LaunchTemplate:
    profile, granted = _profile(name, site, cluster, opts)
    tags = site.named(site.names.family("instances"))
    return aws.ec2.LaunchTemplate(
        f"{name}-template",
        name=site.names.family("instances"),
        update_default_version=True,
        image_id=instances.image(wanted.architecture),
        instance_type=wanted.instance_type,
        iam_instance_profile={"arn": profile.arn},
        metadata_options={
            "http_endpoint": "enabled",
            "http_tokens": "required",
            # ECS's agent is in the instance's own network; containers of another network are a hop further.
            "http_put_response_hop_limit": 1,
        },
        block_device_mappings=[
            {
                "device_name": _ROOT_DEVICE,
                "ebs": {
                    "volume_type": "gp3",
                    "volume_size": wanted.volume_size,
                    "encrypted": "true",
                    "delete_on_termination": "true",
                },
            }
        ],
        network_interfaces=[
            {
                "device_index": 0,
                "associate_public_ip_address": "false",
                "delete_on_termination": "true",
                "security_groups": [_security_group(name, site, ground, opts), *ground.worn],
            }
        ],
        tag_specifications=[{"resource_type": what, "tags": tags} for what in ("instance", "volume")],
        user_data=cluster.name.apply(_encoded),
        tags=tags,
        # An agent that may not join its cluster gives up.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=granted)),
    )


def _encoded(cluster: str) -> str:
    return base64.b64encode(instances.start(cluster).encode()).decode()


def _profile(
    name: str, site: Site, cluster: aws.ecs.Cluster, opts: pulumi.ResourceOptions
) -> tuple[aws.iam.InstanceProfile, list[pulumi.Resource]]:
    made, granted = role(
        f"{name}-agent",
        site=site,
        role_name=site.names.role("instances", "agent"),
        trust=pulumi.Output.from_input(instances.trust()),
        statements=pulumi.Output.all(cluster.arn, container_instances_arn(site)).apply(
            lambda known: instances.agent(cluster_arn=known[0], instances_arn=known[1])
        ),
        opts=opts,
    )
    profile = aws.iam.InstanceProfile(
        f"{name}-agent",
        name=site.names.role("instances", "agent"),
        path=site.identity.path,
        role=made.name,
        tags=site.tags,
        opts=opts,
    )
    return profile, granted


def container_instances_arn(site: Site) -> pulumi.Output[str]:
    """The ARN that stands for all instances of the cluster."""
    return pulumi.Output.format(
        "arn:{0}:ecs:{1}:{2}:container-instance/{3}/*", site.partition, site.region, site.account, site.names.cluster
    )


def _security_group(name: str, site: Site, ground: Ground, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """A group that admits nobody: tasks have network interfaces, and groups, of their own. Known only with its rule in
    force: an instance that starts before cannot find ECS."""
    family = site.names.family("instances")
    group = aws.ec2.SecurityGroup(
        f"{name}-group",
        name_prefix=f"{family}-",
        description="EC2 instances that tasks run on",
        vpc_id=ground.vpc_id,
        tags=site.named(family),
        opts=opts,
    )
    rule = aws.vpc.SecurityGroupEgressRule(
        f"{name}-out",
        security_group_id=group.id,
        cidr_ipv4="0.0.0.0/0",
        ip_protocol="-1",
        tags=site.tags,
        opts=opts,
    )
    return pulumi.Output.all(group.id, rule.id).apply(lambda known: str(known[0]))


def finds_instances(site: Site, cluster_arn: pulumi.Input[str]) -> pulumi.Output[list[Statement]]:
    """What the scraper does besides where tasks of the cluster are on instances."""
    return pulumi.Output.all(cluster_arn, container_instances_arn(site)).apply(
        lambda known: instances.find(cluster_arn=known[0], instances_arn=known[1])
    )
