"""EC2 instances that tasks run on: an Auto Scaling group of the stack, or a capacity provider of a cluster that exists.

Sources: Amazon ECS Developer Guide, "Amazon ECS capacity providers for EC2 workloads", "Amazon ECS container instance
IAM role", "Amazon ECS container agent configuration", "Allocate a network interface for an Amazon ECS task",
"Increasing Amazon ECS Linux container instance network interfaces", "Retrieving Amazon ECS-optimized Linux AMI
metadata"; Amazon EC2 User Guide, "Amazon EC2 instance type naming conventions"; Service Authorization Reference.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from documents.catalogue import Pattern
from documents.compute import PROVIDERS, Compute, Share
from documents.faults import Fault, wrong
from documents.inputs import Application, Architecture, Collector
from documents.model import Model, Whole, not_less_than_min
from documents.names import Names
from documents.policies import Policy, Statement, policy

_TYPE: Final = re.compile(r"(?P<series>[a-z]+)(?P<generation>[0-9]+)(?P<options>[a-z]*)(?:-[a-z0-9]+)?\.[a-z0-9-]+")
_PROVIDER: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_GIB: Final = 1024


@dataclass(frozen=True)
class Size:
    """What an instance has: CPU units, MiB, and network interfaces, the first of which is its own."""

    cpu: int
    memory: int
    interfaces: int

    @property
    def tasks(self) -> int:
        """How many tasks fit, each with an interface of its own, where these are not trunked."""
        return self.interfaces - 1


SIZES: Final = {
    "t3.medium": Size(2048, 4 * _GIB, 3),
    "t3.large": Size(2048, 8 * _GIB, 3),
    "t4g.medium": Size(2048, 4 * _GIB, 3),
    "t4g.large": Size(2048, 8 * _GIB, 3),
    "c7g.large": Size(2048, 4 * _GIB, 3),
    "c7g.xlarge": Size(4096, 8 * _GIB, 4),
    "c7g.2xlarge": Size(8192, 16 * _GIB, 4),
    "c7i.large": Size(2048, 4 * _GIB, 3),
    "c7i.xlarge": Size(4096, 8 * _GIB, 4),
    "c7i.2xlarge": Size(8192, 16 * _GIB, 4),
    "m7g.large": Size(2048, 8 * _GIB, 3),
    "m7g.xlarge": Size(4096, 16 * _GIB, 4),
    "m7g.2xlarge": Size(8192, 32 * _GIB, 4),
    "m7i.large": Size(2048, 8 * _GIB, 3),
    "m7i.xlarge": Size(4096, 16 * _GIB, 4),
    "m7i.2xlarge": Size(8192, 32 * _GIB, 4),
}
"""The types whose size is known here. Others are taken as well; what goes on them is then not checked."""


def _instance_type(value: str) -> str:
    if not _TYPE.fullmatch(value):
        raise wrong("is not an instance type", "write it as m7g.large")
    return value


def _provider(value: str) -> str:
    if not _PROVIDER.fullmatch(value) or value in PROVIDERS:
        raise wrong("is not the name of a capacity provider of EC2 instances", "write it as the cluster has it")
    return value


class CapacityProvider(Model):
    """A capacity provider that the existing cluster has already."""

    name: Annotated[str, AfterValidator(_provider)]
    """Name of the capacity provider."""
    architecture: Architecture
    """Processor of its instances."""


class Instances(Model):
    """Instances of one type, as many as tasks need."""

    instance_type: Annotated[str, AfterValidator(_instance_type)]
    """Such as m7g.large; its processor has to be that of the applications."""
    # One in each of two zones.
    min: Annotated[Whole, Field(ge=0, le=500)] = 2
    """Fewest instances."""
    max: Annotated[Whole, Field(ge=1, le=500)]
    """Most instances."""
    # The image of the instance has 30.
    volume_size: Annotated[Whole, Field(ge=30, le=16384)] = 50
    """GiB of disk of each."""

    _room = field_validator("max")(not_less_than_min)

    @property
    def architecture(self) -> Architecture:
        """The processor: Graviton's types have a `g` among the letters after their generation."""
        found = _TYPE.fullmatch(self.instance_type)
        graviton = found is not None and (found["series"] == "a" or "g" in found["options"])
        return Architecture.ARM64 if graviton else Architecture.X86_64

    @property
    def size(self) -> Size | None:
        """What each instance has; None for a type that is not known here."""
        return SIZES.get(self.instance_type)


Capacity = Instances | CapacityProvider


class Ec2(Model):
    """The EC2 instances of a stack, made or existing."""

    instances: Instances | None = None
    """Instances that the stack makes."""
    existing: CapacityProvider | None = None
    """A capacity provider that `existing.cluster` has."""

    @field_validator("existing")
    @classmethod
    def _one(cls, existing: CapacityProvider | None, info: ValidationInfo) -> CapacityProvider | None:
        if existing and info.data.get("instances"):
            raise wrong("is given beside ec2.instances", "leave one of the two out", secret=True)
        return existing

    @property
    def capacity(self) -> Capacity | None:
        """Where tasks are placed that are not on Fargate; None where all of them are."""
        return self.instances or self.existing


@dataclass(frozen=True)
class Placed:
    """Tasks that are to be on instances, as said under `key`. Without an architecture they take that of the instances;
    `cpu` is in CPU units and `memory` in MiB."""

    key: str
    cpu: int
    memory: int
    tasks: int
    architecture: Architecture | None = None


def placed(application: Application, key: str) -> Placed:
    """The tasks of an application."""
    return Placed(key, application.cpu, application.memory, application.initial_tasks, application.architecture)


def placed_collectors(collector: Collector, key: str, *, scraped: bool) -> Placed:
    """The tasks of the collector's own services: its collectors, and the scraper where there is one."""
    return Placed(key, *collector.size(Pattern.SERVICE), collector.initial_tasks + int(scraped))


def strategy(capacity: Capacity, names: Names) -> tuple[Share, ...]:
    """All tasks on the instances of one capacity provider."""
    return (Share(capacity.name if isinstance(capacity, CapacityProvider) else names.capacity_provider, 1),)


def placed_faults(one: Placed, capacity: Capacity | None, *, private: bool) -> list[Fault]:
    """Why tasks cannot be on the instances of `capacity`; `private` is whether their subnets are."""
    key = f"{one.key}.compute"
    if capacity is None:
        remedy = "give ec2.instances, or ec2.existing for a capacity provider of an existing cluster, or leave it out"
        return [Fault(key, "needs instances, and the stack has none", remedy, Compute.EC2.value)]
    found: list[Fault] = []
    if not private:
        found.append(
            Fault(
                key,
                "gives tasks no public address, which only Fargate does, and from public subnets they reach nothing",
                "add network.private: true",
                Compute.EC2.value,
            )
        )
    if one.architecture not in (None, capacity.architecture):
        found.append(
            Fault(
                f"{one.key}.architecture",
                f"is not that of the instances, which is {capacity.architecture.value}",
                "give that, or other instances",
                one.architecture.value if one.architecture else None,
            )
        )
    size = capacity.size if isinstance(capacity, Instances) else None
    if isinstance(capacity, Instances) and size:
        # Of the memory, the system and ECS's agent keep some hundreds of MiB.
        for name, wanted, fits in (
            ("cpu", one.cpu, one.cpu <= size.cpu),
            ("memory", one.memory, one.memory < size.memory),
        ):
            if not fits:
                problem = f"is more than tasks get of a {capacity.instance_type}, so that none is ever placed"
                found.append(
                    Fault(
                        f"{one.key}.{name}",
                        problem,
                        "give the task less, or a larger ec2.instances.instanceType",
                        wanted,
                    )
                )
    return found


def cluster_faults(ec2: Ec2) -> list[Fault]:
    """Why instances cannot be in a cluster that exists already."""
    if ec2.instances is None:
        return []
    problem = "would replace the capacity providers of a cluster that exists, which are its owner's"
    remedy = "give ec2.existing, a capacity provider that the cluster has, or leave existing.cluster out"
    return [Fault("ec2.instances", problem, remedy)]


def faults(ec2: Ec2, wanted: Sequence[Placed], *, cluster: bool, vpc: bool, private: bool, closed: bool) -> list[Fault]:
    """Faults between the instances of a stack and everything else. `cluster` and `vpc` are whether these exist already,
    `private` whether the subnets are, `closed` whether endpoints are the only way out of them."""
    key = "ec2.instances" if ec2.instances else "ec2.existing"
    found = cluster_faults(ec2) if cluster else []
    if ec2.instances and closed:
        problem = "needs endpoints of ECS's agent, which a closed network does not have"
        found.append(Fault(key, problem, "choose network.egress: nat, or a VPC that exists and has them"))
    if ec2.existing and not cluster:
        problem, remedy = (
            "belongs to a cluster that exists, and none is given",
            "give existing.cluster, or ec2.instances",
        )
        found.append(Fault(key, problem, remedy))
    if ec2.existing and not vpc:
        problem = "has its instances in a VPC that exists, which tasks on them have to share"
        found.append(Fault(key, problem, "give that as network.vpc, with network.subnets"))
    return found + [fault for one in wanted for fault in placed_faults(one, ec2.capacity, private=private)]


def warnings(ec2: Ec2, every: Sequence[Placed]) -> list[str]:
    """What is allowed and yet costs for nothing, or may leave tasks without a place."""
    instances = ec2.instances
    if instances and not every:
        # Allowed, because instances can only go when nothing has been on them for one update.
        return ["ec2.instances: nothing runs on them; leave them out once the last service has moved"]
    wanted = sum(one.tasks for one in every)
    if not instances or not instances.size or wanted <= (room := instances.max * instances.size.tasks):
        return []
    return [
        f"ec2.instances.max: {instances.max} {instances.instance_type} have network interfaces for {room} tasks, and "
        f"{wanted} are wanted, twice as many while they are deployed; give more or larger instances, or let the "
        "account's awsvpcTrunking give them more interfaces (docs/compute.md)"
    ]


def image(architecture: Architecture) -> str:
    """AWS's newest image for ECS with Amazon Linux 2023, as a launch template names it: looked up whenever an instance
    is launched, so that nothing changes here when AWS publishes another."""
    folder = "arm64/" if architecture is Architecture.ARM64 else ""
    return f"resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/{folder}recommended/image_id"


def start(cluster: str) -> str:
    """What an instance runs when it starts: it tells ECS's agent where it belongs."""
    settings = {
        "ECS_CLUSTER": cluster,
        # A task's own network interface reaches the metadata service in one hop: no limit of hops keeps a container
        # from the instance's role, only this does.
        "ECS_AWSVPC_BLOCK_IMDS": "true",
        # Else logs would be written by the instance's role, which may not.
        "ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE": "true",
        # Tasks share the disk, and what a stopped one has written stays for three hours otherwise.
        "ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION": "15m",
    }
    lines = [f"{name}={value}" for name, value in settings.items()]
    return "\n".join(["#!/bin/bash", "cat >> /etc/ecs/ecs.config <<'END'", *lines, "END", ""])


def trust() -> Policy:
    """EC2 may assume the role for an instance. It knows no condition."""
    return policy([{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}])


def agent(*, cluster_arn: str, instances_arn: str) -> list[Statement]:
    """What ECS's agent does: join one cluster, hear what to run, say what runs. Images, secrets and logs are the
    business of each task's execution role. `instances_arn` stands for all container instances of the cluster."""
    return [
        {
            "Sid": "JoinCluster",
            "Effect": "Allow",
            "Action": [
                "ecs:DeregisterContainerInstance", "ecs:RegisterContainerInstance", "ecs:SubmitAttachmentStateChanges",
                "ecs:SubmitContainerStateChange", "ecs:SubmitTaskStateChange",
            ],
            "Resource": cluster_arn,
        },
        {
            "Sid": "HearAndTell",
            "Effect": "Allow",
            "Action": ["ecs:Poll", "ecs:StartTelemetrySession"],
            "Resource": instances_arn,
            "Condition": {"ArnEquals": {"ecs:cluster": cluster_arn}},
        },
        {"Sid": "FindEcs", "Effect": "Allow", "Action": "ecs:DiscoverPollEndpoint", "Resource": "*"},
    ]  # fmt: skip


def find(*, cluster_arn: str, instances_arn: str) -> list[Statement]:
    """What the scraper does where tasks of the cluster are on instances, as it asks for those of each such task: EC2
    knows no narrower resource."""
    return [
        {
            "Sid": "FindInstances",
            "Effect": "Allow",
            "Action": "ecs:DescribeContainerInstances",
            "Resource": instances_arn,
            "Condition": {"ArnEquals": {"ecs:cluster": cluster_arn}},
        },
        {"Sid": "ReadInstances", "Effect": "Allow", "Action": "ec2:DescribeInstances", "Resource": "*"},
    ]
