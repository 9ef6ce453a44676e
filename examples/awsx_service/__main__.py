"""A service of awsx, which makes its task definition itself. There it takes no JSON, so a transform adds the collector
to what awsx has made of its own arguments, just before the engine sees it."""

import json

import pulumi
import pulumi_aws as aws
import pulumi_awsx as awsx

from components import Metrics, Sidecar, Site, instrument, look_up
from documents import inputs, policies
from documents.existing import Existing
from documents.names import Names
from documents.origin import Origin
from documents.signals import Signals
from documents.task import log_configuration

config = pulumi.Config()
region = pulumi.Config("aws").require("region")
subnets: list[str] = config.require_object("subnets")

names = Names(pulumi.get_project(), pulumi.get_stack())
site = Site.here(names, region, tags={}, identity=inputs.Identity(), log_retention_days=30)
found = look_up(site, Existing(metrics=config.require("workspace")), insights=False)
metrics = Metrics("metrics", {"site": site, "metrics": inputs.Metrics(), "rules": {}, "existing": found.metrics})
pattern = Sidecar(metrics.telemetry(Signals()), inputs.Collector(), region)
added = pattern.instrument(
    Origin(namespace="shop", environment="prod", cluster="shared", service="orders", family="orders"),
    log_configuration("/ecs/orders", region, "collector"),
)
aws.cloudwatch.LogGroup("orders-logs", name="/ecs/orders", retention_in_days=30)
trust = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
task_role = aws.iam.Role("orders-task", name="orders-task", assume_role_policy=trust)
aws.iam.RolePolicy(
    "orders-telemetry",
    role=task_role.id,
    policy=pulumi.Output.from_input(added.statements).apply(lambda known: json.dumps(policies.policy(known or []))),
)


def observed(made: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """The task definition with the collector in it; everything else as awsx makes it."""
    if made.type_ != "aws:ecs/taskDefinition:TaskDefinition":
        return None
    definitions = instrument(made.props["containerDefinitions"], "orders", added)
    return pulumi.ResourceTransformResult(props={**made.props, "containerDefinitions": definitions}, opts=made.opts)


awsx.ecs.FargateService(
    "orders",
    name="orders",
    cluster=f"arn:aws:ecs:{region}:123456789012:cluster/shared",
    desired_count=2,
    network_configuration={"subnets": subnets, "security_groups": [config.require("securityGroup")]},
    task_definition_args={
        "family": "orders",
        # With room for the collector: 64 CPU units and 544 MiB of it.
        "cpu": "512",
        "memory": "2048",
        "task_role": {"role_arn": task_role.arn},
        "container": {
            "name": "orders",
            "image": "public.ecr.aws/shop/orders:1.4.2",
            "essential": True,
            "port_mappings": [{"container_port": 8080}],
        },
    },
    opts=pulumi.ResourceOptions(transforms=[observed]),
)
