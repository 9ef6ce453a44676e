"""A service with a task definition of its own, to which `instrument` adds a collector. Everything but what stands
between the two lines is as it was without."""

import json

import pulumi
import pulumi_aws as aws

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

containers = [
    {
        "name": "orders",
        "image": "public.ecr.aws/shop/orders:1.4.2",
        "essential": True,
        "portMappings": [{"containerPort": 8080}],
        "logConfiguration": log_configuration("/ecs/orders", region, "orders"),
    }
]
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
execution_role = aws.iam.Role(
    "orders-execution",
    name="orders-execution",
    assume_role_policy=trust,
    managed_policy_arns=["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"],
)

# ---- what is added
names = Names(pulumi.get_project(), pulumi.get_stack())
site = Site.here(names, region, tags={}, identity=inputs.Identity(), log_retention_days=30)
found = look_up(site, Existing(metrics=config.require("workspace")), insights=False)
metrics = Metrics("metrics", {"site": site, "metrics": inputs.Metrics(), "rules": {}, "existing": found.metrics})
pattern = Sidecar(metrics.telemetry(Signals()), inputs.Collector(), region)
added = pattern.instrument(
    # Who emits telemetry: the labels of its series. The cluster is where it runs.
    Origin(namespace="shop", environment="prod", cluster="shared", service="orders", family="orders"),
    log_configuration("/ecs/orders", region, "collector"),
)
aws.iam.RolePolicy(
    "orders-telemetry",
    role=task_role.id,
    policy=pulumi.Output.from_input(added.statements).apply(lambda known: json.dumps(policies.policy(known or []))),
)
# ----

definition = aws.ecs.TaskDefinition(
    "orders",
    family="orders",
    # With room for the collector: 64 CPU units and 544 MiB of it.
    cpu="512",
    memory="2048",
    network_mode="awsvpc",
    requires_compatibilities=["FARGATE"],
    task_role_arn=task_role.arn,
    execution_role_arn=execution_role.arn,
    container_definitions=instrument(json.dumps(containers), "orders", added),
)
aws.ecs.Service(
    "orders",
    name="orders",
    cluster="shared",
    task_definition=definition.arn,
    desired_count=2,
    launch_type="FARGATE",
    network_configuration={"subnets": subnets, "security_groups": [config.require("securityGroup")]},
)
