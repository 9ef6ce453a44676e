"""EC2 instances: what they are, what does not fit on them, and what their agent is told and may do."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from documents import instances
from documents.catalogue import Pattern
from documents.compute import Compute, Share
from documents.faults import ConfigurationError, Fault
from documents.inputs import Application, Architecture, Collector, checked
from documents.instances import SIZES, CapacityProvider, Ec2, Instances, Placed
from documents.names import Names
from preview.costs import files

PRICES = files.load("us-east-1")

NAMES = Names("shop", "dev")
ARM = Instances(instance_type="m7g.large", max=6)
X86 = Instances(instance_type="m7i.large", max=6)
THEIRS = CapacityProvider(name="shared", architecture=Architecture.X86_64)
FITTING = Placed("applications.0", 256, 1024, 1, Architecture.ARM64)
CLUSTER = "arn:aws:ecs:eu-west-1:123456789012:cluster/shop-dev"
OF_CLUSTER = "arn:aws:ecs:eu-west-1:123456789012:container-instance/shop-dev/*"


def texts(faults: list[Fault]) -> list[str]:
    return [str(fault) for fault in faults]


def refused(model: type[Any], values: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        checked(model, values, "ec2")
    return texts(list(caught.value.faults))


@pytest.mark.parametrize(
    ("kind", "architecture"),
    [
        ("m7g.large", "ARM64"),
        ("t4g.medium", "ARM64"),
        ("c7gn.16xlarge", "ARM64"),
        ("im4gn.large", "ARM64"),
        ("is4gen.large", "ARM64"),
        ("x2gd.metal", "ARM64"),
        ("a1.medium", "ARM64"),
        ("g5g.xlarge", "ARM64"),
        ("m7i-flex.large", "X86_64"),
        ("g6.xlarge", "X86_64"),
        ("c7a.large", "X86_64"),
        ("x2iedn.xlarge", "X86_64"),
        ("t3.medium", "X86_64"),
    ],
)
def test_the_processor_is_in_the_name_of_a_type(kind: str, architecture: str) -> None:
    assert Instances(instance_type=kind, max=2).architecture == architecture


def test_every_type_of_known_size_has_a_price_and_its_processor_in_its_name() -> None:
    assert {f"instance.{kind}" for kind in SIZES} == {name for name in PRICES.prices if name.startswith("instance.")}
    assert {kind for kind in SIZES if Instances(instance_type=kind, max=2).architecture == "ARM64"} == {
        kind for kind in SIZES if kind.startswith(("t4g", "c7g", "m7g"))
    }


def test_the_documentation_has_every_type_with_its_figures() -> None:
    """A row has the sizes of one family: their names, GiB, tasks and dollars in the same order."""
    text = (Path(__file__).parents[2] / "docs/compute.md").read_text("utf-8")
    for family in {kind.partition(".")[0] for kind in SIZES}:
        kinds = [kind for kind in SIZES if kind.startswith(f"{family}.")]
        [row] = [line for line in text.splitlines() if line.startswith(f"| {family}.")]
        assert all(f".{kind.partition('.')[2]}" in row for kind in kinds)
        dollars = [f"{PRICES[f'instance.{kind}'].first.normalize():f}" for kind in kinds]
        assert row.endswith(f"| {', '.join(dollars)} |")
        tasks = [str(SIZES[kind].tasks) for kind in kinds]
        assert row.split("|")[3].strip() == ", ".join(tasks if len(set(tasks)) > 1 else tasks[:1])


def test_defaults() -> None:
    assert (ARM.min, ARM.volume_size) == (2, 50)
    assert Ec2().capacity is None
    assert Ec2(instances=ARM).capacity is ARM
    assert Ec2(existing=THEIRS).capacity is THEIRS


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (
            {"instances": {"instanceType": "large", "max": 2}},
            ["ec2.instances.instanceType: is not an instance type (got 'large'); write it as m7g.large"],
        ),
        ({"instances": {"instanceType": "m7g.large"}}, ["ec2.instances.max: is missing; give it a value"]),
        (
            {"instances": {"instanceType": "m7g.large", "min": 5, "max": 4}},
            ["ec2.instances.max: is less than min, which is 5 (got 4); give min at most as much as max"],
        ),
        (
            {"instances": {"instanceType": "m7g.large", "max": 2, "volumeSize": 20}},
            ["ec2.instances.volumeSize: is too small (got 20); give at least 30"],
        ),
        (
            {"existing": {"name": "FARGATE", "architecture": "ARM64"}},
            ["ec2.existing.name: is not the name of a capacity provider of EC2 instances (got 'FARGATE'); "
             "write it as the cluster has it"],
        ),
        ({"existing": {"name": "shared"}}, ["ec2.existing.architecture: is missing; give it a value"]),
        (
            {"instances": {"instanceType": "m7g.large", "max": 2},
             "existing": {"name": "shared", "architecture": "ARM64"}},
            ["ec2.existing: is given beside ec2.instances; leave one of the two out"],
        ),
    ],
)  # fmt: skip
def test_instances_that_cannot_be(values: dict[str, Any], found: list[str]) -> None:
    assert refused(Ec2, values) == found


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (
            {"ephemeralStorage": 40},
            "has no disk for each task, whose size ephemeralStorage says: tasks share that of their instance "
            "(got 'ec2'); leave ephemeralStorage out, and give ec2.instances.volumeSize",
        ),
        (
            {"capacity": {"spotPercent": 0}},
            "has no mix of Fargate and Fargate Spot, which is what capacity says (got 'ec2'); leave capacity out",
        ),
    ],
)
def test_what_only_fargate_has_is_refused(values: dict[str, Any], found: str) -> None:
    web = {"name": "web", "image": "shop/web:1", "port": 8080}
    assert checked(Application, web | values).compute is Compute.FARGATE
    assert refused(Application, web | values | {"compute": "ec2"}) == [f"ec2.compute: {found}"]


def test_without_instances_nothing_can_be_on_them() -> None:
    assert texts(instances.placed_faults(FITTING, None, private=False)) == [
        "applications.0.compute: needs instances, and the stack has none (got 'ec2'); give ec2.instances, or "
        "ec2.existing for a capacity provider of an existing cluster, or leave it out"
    ]


def test_public_subnets_are_of_no_use_there() -> None:
    assert texts(instances.placed_faults(FITTING, ARM, private=False)) == [
        "applications.0.compute: gives tasks no public address, which only Fargate does, and from public subnets they "
        "reach nothing (got 'ec2'); add network.private: true"
    ]
    assert not instances.placed_faults(FITTING, ARM, private=True)


@pytest.mark.parametrize("capacity", [X86, THEIRS])
def test_another_processor_is_refused(capacity: instances.Capacity) -> None:
    assert texts(instances.placed_faults(FITTING, capacity, private=True)) == [
        "applications.0.architecture: is not that of the instances, which is X86_64 (got 'ARM64'); "
        "give that, or other instances"
    ]
    assert not instances.placed_faults(Placed("collector", 512, 1024, 2), capacity, private=True)


@pytest.mark.parametrize(
    ("cpu", "memory", "keys"),
    [(2048, 4096, []), (4096, 8192, ["cpu", "memory"]), (2048, 8192, ["memory"]), (4096, 4096, ["cpu"])],
)
def test_a_task_larger_than_an_instance_is_refused(cpu: int, memory: int, keys: list[str]) -> None:
    large = Placed("collector", cpu, memory, 1)
    found = instances.placed_faults(large, ARM, private=True)
    assert [fault.key for fault in found] == [f"collector.{key}" for key in keys]
    for fault in found:
        assert fault.problem == "is more than tasks get of a m7g.large, so that none is ever placed"
    unknown = Instances(instance_type="m9g.large", max=2)
    assert not instances.placed_faults(large, unknown, private=True)


@pytest.mark.parametrize(
    ("ec2", "more", "found"),
    [
        (Ec2(instances=ARM), {}, []),
        (Ec2(existing=THEIRS), {"cluster": True, "vpc": True, "placed": [Placed("collector", 512, 1024, 2)]}, []),
        (Ec2(), {"placed": []}, []),
        (
            Ec2(instances=ARM),
            {"cluster": True},
            ["ec2.instances: would replace the capacity providers of a cluster that exists, which are its owner's; "
             "give ec2.existing, a capacity provider that the cluster has, or leave existing.cluster out"],
        ),
        (
            Ec2(instances=ARM),
            {"closed": True},
            ["ec2.instances: needs endpoints of ECS's agent, which a closed network does not have; "
             "choose network.egress: nat, or a VPC that exists and has them"],
        ),
        (
            Ec2(existing=THEIRS),
            {"placed": [Placed("collector", 512, 1024, 2)]},
            ["ec2.existing: belongs to a cluster that exists, and none is given; give existing.cluster, "
             "or ec2.instances",
             "ec2.existing: has its instances in a VPC that exists, which tasks on them have to share; "
             "give that as network.vpc, with network.subnets"],
        ),
        # On the way out nothing is on them.
        (Ec2(instances=ARM), {"placed": []}, []),
    ],
)  # fmt: skip
def test_what_goes_with_instances(ec2: Ec2, more: dict[str, Any], found: list[str]) -> None:
    said: dict[str, Any] = {"cluster": False, "vpc": False, "private": True, "closed": False} | more
    placed = said.pop("placed", [FITTING])
    assert texts(instances.faults(ec2, placed, **said)) == found


def test_too_few_network_interfaces_are_warned_of() -> None:
    """An m7g.large has three, one of which is its own."""
    assert instances.warnings(Ec2(instances=ARM), [Placed("a", 256, 1024, 12)]) == []
    assert instances.warnings(Ec2(instances=ARM), [Placed("a", 256, 1024, 12), Placed("b", 256, 1024, 1)]) == [
        "ec2.instances.max: 6 m7g.large have network interfaces for 12 tasks, and 13 are wanted, twice as many while "
        "they are deployed; give more or larger instances, or let the account's awsvpcTrunking give them more "
        "interfaces (docs/compute.md)"
    ]
    many = [Placed("a", 256, 1024, 5000)]
    unknown = Ec2(instances=Instances(instance_type="m9g.large", max=2))
    assert instances.warnings(Ec2(existing=THEIRS), many) == instances.warnings(unknown, many) == []


def test_instances_on_which_nothing_runs_are_warned_of() -> None:
    assert instances.warnings(Ec2(instances=ARM), []) == [
        "ec2.instances: nothing runs on them; leave them out once the last service has moved"
    ]
    assert instances.warnings(Ec2(existing=THEIRS), []) == instances.warnings(Ec2(), []) == []


def test_what_is_placed() -> None:
    web = checked(
        Application, {"name": "web", "image": "shop/web:1", "port": 1, "desiredCount": 3, "cpu": 512, "compute": "ec2"}
    )
    assert instances.placed(web, "x") == Placed("x", 512, 1024, 3, Architecture.ARM64)
    collector = Collector(desired_count=3)
    assert collector.size(Pattern.SERVICE) == (512, 1024)
    assert instances.placed_collectors(collector, "y", scraped=False) == Placed("y", 512, 1024, 3)
    assert instances.placed_collectors(collector, "y", scraped=True) == Placed("y", 512, 1024, 4)


def test_the_strategy() -> None:
    assert instances.strategy(ARM, NAMES) == (Share("instances-shop-dev", 1),)
    assert instances.strategy(THEIRS, NAMES) == (Share("shared", 1),)


@given(
    some.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True), some.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True)
)
def test_ecs_takes_the_name_of_the_capacity_provider(project: str, stack: str) -> None:
    """It refuses those that begin with aws, ecs or fargate."""
    name = Names(project, stack).capacity_provider
    assert not name.startswith(("aws", "ecs", "fargate"))
    assert name.endswith(f"{project}-{stack}")
    assert len(name) <= 255


def test_the_image_is_aws_s_newest_for_the_processor() -> None:
    assert instances.image(Architecture.ARM64) == (
        "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id"
    )
    assert instances.image(Architecture.X86_64) == (
        "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
    )


def test_what_an_instance_runs_when_it_starts() -> None:
    assert instances.start("shop-dev") == (
        "#!/bin/bash\n"
        "cat >> /etc/ecs/ecs.config <<'END'\n"
        "ECS_CLUSTER=shop-dev\n"
        "ECS_AWSVPC_BLOCK_IMDS=true\n"
        "ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE=true\n"
        "ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION=15m\n"
        "END\n"
    )


def test_what_the_agent_may_do_is_of_one_cluster() -> None:
    granted = instances.agent(cluster_arn=CLUSTER, instances_arn=OF_CLUSTER)
    assert [(one["Action"], one["Resource"], one.get("Condition")) for one in granted] == [
        (
            [
                "ecs:DeregisterContainerInstance",
                "ecs:RegisterContainerInstance",
                "ecs:SubmitAttachmentStateChanges",
                "ecs:SubmitContainerStateChange",
                "ecs:SubmitTaskStateChange",
            ],
            CLUSTER,
            None,
        ),
        (["ecs:Poll", "ecs:StartTelemetrySession"], OF_CLUSTER, {"ArnEquals": {"ecs:cluster": CLUSTER}}),
        ("ecs:DiscoverPollEndpoint", "*", None),
    ]


def test_what_the_scraper_asks_besides() -> None:
    granted = instances.find(cluster_arn=CLUSTER, instances_arn=OF_CLUSTER)
    assert [(one["Action"], one["Resource"], one.get("Condition")) for one in granted] == [
        ("ecs:DescribeContainerInstances", OF_CLUSTER, {"ArnEquals": {"ecs:cluster": CLUSTER}}),
        ("ec2:DescribeInstances", "*", None),
    ]
