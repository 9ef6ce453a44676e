"""EC2 capacity: what is made for it, what runs on it, and what is refused."""

import base64
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from documents import instances
from documents.faults import ConfigurationError
from preview import compute, reachability, wiring
from preview.costs import files
from preview.recorder import ProgramError, Recording
from preview.render import documents
from tests import judges
from tests.components import hosts
from tests.components.test_every_stack import filled
from tests.components.test_library import APPLICATION, run
from tests.components.variants import (
    EXISTING,
    INGRESS,
    INVENTORY,
    REGISTRY,
    ROLE,
    SECRET,
    SECURITY_GROUP,
    SERVICE,
    STOREFRONT,
    TASK,
    names_of,
    one,
    program,
    recorded,
    service_inputs,
    statements,
    untagged,
)

pytestmark = pytest.mark.slow

PRIVATE = {"network": {"private": True}}
MADE = {"ec2": {"instances": {"instanceType": "m7g.large", "max": 6}}}
TAGS = {
    "Name": "ecs-observability-dev-instances",
    "pulumi:project": "ecs-observability",
    "pulumi:stack": "dev",
}


@pytest.fixture(scope="module")
def made() -> Recording:
    """Of module scope, as most tests are about it."""
    return recorded("instances")


def test_the_launch_template(made: Recording) -> None:
    template = made.named(hosts.TEMPLATE, "cluster-instances-template")
    assert base64.b64decode(template.inputs["userData"]).decode() == instances.start("ecs-observability-dev")
    assert {key: value for key, value in untagged(template).items() if key != "userData"} == {
        "name": "ecs-observability-dev-instances",
        "updateDefaultVersion": True,
        "imageId": "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id",
        "instanceType": "m7g.large",
        "iamInstanceProfile": {"arn": "<cluster-instances-agent.arn>"},
        "metadataOptions": {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1},
        "blockDeviceMappings": [
            {
                "deviceName": "/dev/xvda",
                "ebs": {"volumeType": "gp3", "volumeSize": 50, "encrypted": "true", "deleteOnTermination": "true"},
            }
        ],
        "networkInterfaces": [
            {
                "deviceIndex": 0,
                "associatePublicIpAddress": "false",
                "deleteOnTermination": "true",
                # The second one is what endpoints let in.
                "securityGroups": ["<cluster-instances-group.id>", "<network-tasks.id>"],
            }
        ],
        "tagSpecifications": [{"resourceType": what, "tags": TAGS} for what in ("instance", "volume")],
    }


def test_the_group_is_scaled_and_drained_by_ecs(made: Recording) -> None:
    group = made.named(hosts.GROUP, "cluster-instances-auto-scaling")
    assert dict(group.inputs) == {
        "name": "ecs-observability-dev-instances",
        "minSize": 2,
        "maxSize": 6,
        "vpcZoneIdentifiers": ["<network-private-0.id>", "<network-private-1.id>"],
        "launchTemplate": {
            "id": "<cluster-instances-template.id>",
            "version": "<cluster-instances-template.latestVersion>",
        },
        "protectFromScaleIn": True,
        "instanceRefresh": {
            "strategy": "Rolling",
            "preferences": {
                "minHealthyPercentage": 100,
                "maxHealthyPercentage": 200,
                "scaleInProtectedInstances": "Refresh",
            },
        },
        "tags": [
            {"key": key, "value": value, "propagateAtLaunch": True}
            for key, value in ({"AmazonECSManaged": "true"} | TAGS).items()
        ],
    }
    assert group.options["ignore_changes"] == ["desiredCapacity"]
    assert untagged(made.named(hosts.PROVIDER, "cluster-instances-provider")) == {
        "name": "instances-ecs-observability-dev",
        "autoScalingGroupProvider": {
            "autoScalingGroupArn": "<cluster-instances-auto-scaling.arn>",
            "managedScaling": {"status": "ENABLED", "targetCapacity": 100},
            "managedDraining": "ENABLED",
            "managedTerminationProtection": "ENABLED",
        },
    }


def test_the_cluster_has_all_its_providers_before_any_service(made: Recording) -> None:
    [association] = made.of_type(hosts.ASSOCIATION)
    assert dict(association.inputs) == {
        "clusterName": "ecs-observability-dev",
        # The third application is on Spot.
        "capacityProviders": ["FARGATE", "FARGATE_SPOT", "instances-ecs-observability-dev"],
    }
    assert all(association.urn in each.dependencies for each in made.of_type(SERVICE))


def test_nobody_can_connect_to_an_instance(made: Recording) -> None:
    group = made.named(SECURITY_GROUP, "cluster-instances-group")
    assert not [rule for rule in made.of_type(INGRESS) if group.urn in rule.dependencies]
    worn = made.named(SECURITY_GROUP, "network-tasks")
    assert not [rule for rule in made.of_type(INGRESS) if worn.name in str(rule.inputs["securityGroupId"])]
    assert not [reach for reach in reachability.reaches(made) if reach.target.startswith("instances ")]
    row = next(line for line in reachability.lines(made) if "instances ecs-observability-dev-instances" in line)
    assert row.endswith("| nothing | nobody |")


def test_instances_wait_for_permission(made: Recording) -> None:
    template = made.named(hosts.TEMPLATE, "cluster-instances-template")
    assert {"cluster-instances-agent-policy", "cluster-instances-out"} <= names_of(made, template.dependencies)
    trust = json.loads(made.named(ROLE, "cluster-instances-agent").inputs["assumeRolePolicy"])
    assert trust == instances.trust()
    assert statements(made, "cluster-instances-agent-policy") == instances.agent(
        cluster_arn="<cluster-cluster.arn>",
        instances_arn="arn:aws:ecs:eu-west-1:<account>:container-instance/ecs-observability-dev/*",
    )


def test_a_service_on_instances(made: Recording) -> None:
    expected = service_inputs(
        "storefront",
        "storefront-tasks",
        "cluster-applications",
        "network-tasks",
        serviceRegistries={"registryArn": "<storefront-name.arn>"},
        forceNewDeployment=True,
        capacityProviderStrategies=[{"capacityProvider": "instances-ecs-observability-dev", "weight": 1}],
    )
    del expected["launchType"]
    expected["networkConfiguration"] |= {
        "subnets": ["<network-private-0.id>", "<network-private-1.id>"],
        "assignPublicIp": False,
    }
    assert untagged(made.named(SERVICE, "storefront-service")) == expected


def test_both_patterns_are_there_and_the_rest_stays_on_fargate(made: Recording) -> None:
    assert {each.name: each.inputs["requiresCompatibilities"] for each in made.of_type(TASK)} == {
        "storefront-definition": ["EC2"],
        "inventory-definition": ["EC2"],
        "collector-definition": ["EC2"],
        "scraper-definition": ["EC2"],
        "payments-definition": ["FARGATE"],
    }
    assert {each.inputs["networkMode"] for each in made.of_type(TASK)} == {"awsvpc"}
    placed = {
        each.name: [share["capacityProvider"] for share in each.inputs.get("capacityProviderStrategies", ())]
        for each in made.of_type(SERVICE)
    }
    own = ["instances-ecs-observability-dev"]
    assert placed == {
        "storefront-service": own,
        "inventory-service": own,
        "collector-service": own,
        "scraper-service": own,
        "payments-service": ["FARGATE", "FARGATE_SPOT"],
    }


def test_but_for_the_place_a_task_is_the_same_on_both() -> None:
    """One word moves it: containers, collector configuration, roles and dashboards stay byte for byte."""
    fargate, ec2 = (
        documents(program(PRIVATE | {"applications": [STOREFRONT | more, INVENTORY | {"pattern": "service"}]} | ec2))
        for more, ec2 in (({}, {}), ({"compute": "ec2"}, MADE))
    )
    changed = {path for path in fargate if fargate[path] != ec2[path]}
    assert changed == {"resources.json", "summary.md", "tasks/ecs-observability-dev-storefront.json"}
    path = "tasks/ecs-observability-dev-storefront.json"
    assert json.loads(ec2[path]) == json.loads(fargate[path]) | {"requiresCompatibilities": ["EC2"]}
    assert set(ec2) - set(fargate) == {"policies/ecs-observability-dev-instances-agent.json"}


def test_the_scraper_may_ask_for_the_instances_of_tasks(made: Recording) -> None:
    def asks(recording: Recording) -> bool:
        granted = {one["Sid"] for one in statements(recording, "scraper-task-policy")}
        return {"FindInstances", "ReadInstances"} <= granted

    assert asks(made)
    assert asks(recorded("existing-instances"))
    assert not asks(recorded("scraped"))


def test_x86_with_a_path_a_boundary_and_a_larger_disk() -> None:
    recording = recorded("instances-x86")
    template = recording.named(hosts.TEMPLATE, "cluster-instances-template").inputs
    assert template["imageId"] == ("resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id")
    [device] = template["blockDeviceMappings"]
    assert device["ebs"]["volumeSize"] == 100
    profile = recording.named(hosts.PROFILE, "cluster-instances-agent").inputs
    assert (profile["path"], profile["role"]) == ("/observability/", "ecs-observability-dev-instances-agent")


def test_instances_that_exist_are_only_named() -> None:
    recording = recorded("existing-instances")
    assert not [each for token in hosts.REQUESTS for each in recording.of_type(token)]
    assert {each.name: each.inputs["capacityProviderStrategies"] for each in recording.of_type(SERVICE)} == {
        name: [{"capacityProvider": "shared-instances", "weight": 1}]
        for name in ("storefront-service", "collector-service", "scraper-service")
    }
    assert {each.inputs["runtimePlatform"]["cpuArchitecture"] for each in recording.of_type(TASK)} == {"X86_64"}


@pytest.mark.parametrize("stack", ["instances", "instances-x86"])
def test_cloud_formation_takes_the_instances(stack: str) -> None:
    """One template for each, since most of these names are one of an account."""
    recording = recorded(stack)
    resources = {
        each.name + each.type: hosts.cloud_formation(filled(recording, each))
        for token in hosts.REQUESTS
        for each in recording.of_type(token)
    }
    assert len(resources) == 5
    assert judges.cloud_formation(resources, "eu-west-1") == []


PRICES = files.load("us-east-1")


def test_what_compute_costs(made: Recording) -> None:
    lines = list(compute.cost(made, wiring.running(made), PRICES))
    # 0.25 vCPU and 1 GB: one of the base and half of three others on Fargate, the other half on Spot.
    task = (Decimal("0.25") * Decimal("0.03238") + Decimal("0.00356")) * 730
    spot = (Decimal("0.25") * Decimal("0.01030969") + Decimal("0.00113349")) * 730
    mixed = Decimal("2.5") * task + Decimal("1.5") * spot
    assert (round(task, 2), round(spot, 2)) == (Decimal("8.51"), Decimal("2.71"))
    # (0.0816 x 730 + 50 x 0.08) for each instance.
    least, most = 2 * Decimal("63.568"), 6 * Decimal("63.568")
    assert lines[2:9] == [
        "| collector, 2 tasks | EC2 | in the instances |",
        "| inventory, 3 tasks | EC2 | in the instances |",
        f"| payments, 4 tasks | Fargate and Fargate Spot | {mixed:.2f} |",
        "| scraper, 1 task | EC2 | in the instances |",
        "| storefront, 1 task | EC2 | in the instances |",
        f"| 2 to 6 `m7g.large` with 50 GiB | EC2 | {least:.2f} to {most:.2f} |",
        f"| all | | {least + mixed:.2f} to {most + mixed:.2f} |",
    ]
    assert "- on EC2 instances: `instances-ecs-observability-dev`" in documents(made)["summary.md"].splitlines()


def test_rows_are_added_before_they_are_rounded() -> None:
    recording = recorded("closed-network")
    lines = list(compute.cost(recording, wiring.running(recording), PRICES))
    # 2 x (0.25 x 0.03238 + 0.00356) x 730 = 17.0163, and twice that 34.0326.
    assert lines[2:5] == [
        "| intake, 2 tasks | Fargate | 17.02 |",
        "| ledger, 2 tasks | Fargate | 17.02 |",
        "| all | | 34.03 |",
    ]


def test_an_instance_of_unknown_price_is_said_to_be_one() -> None:
    recording = recorded("instances-x86")
    lines = list(compute.cost(recording, wiring.running(recording), PRICES))
    assert lines[2:5] == [
        "| storefront, 1 task | EC2 | in the instances |",
        "| 0 to 3 `m7i-flex.large` with 100 GiB | EC2 | not known here |",
        "| all | | 0.00 |",
    ]


def test_compute_without_prices(made: Recording) -> None:
    assert list(compute.cost(made, wiring.running(made), None)) == [
        "| what | on |",
        "|---|---|",
        "| collector, 2 tasks | EC2 |",
        "| inventory, 3 tasks | EC2 |",
        "| payments, 4 tasks | Fargate and Fargate Spot |",
        "| scraper, 1 task | EC2 |",
        "| storefront, 1 task | EC2 |",
        "| 2 to 6 `m7g.large` with 50 GiB | EC2 |",
        "",
        files.NO_DOLLARS,
    ]


def test_too_few_interfaces_are_warned_of() -> None:
    [warning] = [
        text
        for text in program(PRIVATE | MADE | one(compute="ec2", desiredCount=13)).warnings
        if text.startswith("ec2.")
    ]
    assert warning.startswith("ec2.instances.max: 6 m7g.large have network interfaces for 12 tasks, and 13 are wanted")


@pytest.mark.parametrize("collector", ["fargate", "ec2"])
def test_instances_on_which_nothing_runs_are_warned_of(collector: str) -> None:
    """Without the service pattern there is no collector of its own to be there."""
    recording = program(MADE | PRIVATE | {"collector": {"compute": collector}} | one())
    assert [text for text in recording.warnings if text.startswith("ec2.")] == [
        "ec2.instances: nothing runs on them; leave them out once the last service has moved"
    ]
    assert recording.of_type(hosts.GROUP)


@pytest.mark.parametrize(
    ("config", "found"),
    [
        (PRIVATE | one(compute="ec2"), ["applications.0.compute: needs instances, and the stack has none"]),
        (MADE | one(compute="ec2"), ["applications.0.compute: gives tasks no public address"]),
        (
            MADE | PRIVATE | one(compute="ec2", architecture="X86_64"),
            ["applications.0.architecture: is not that of the instances, which is ARM64"],
        ),
        (
            MADE | {"existing": {"cluster": "shared"}} | PRIVATE | one(compute="ec2"),
            ["ec2.instances: would replace the capacity providers of a cluster that exists"],
        ),
        (
            {"ec2": {"existing": {"name": "theirs", "architecture": "ARM64"}}} | PRIVATE | one(compute="ec2"),
            ["ec2.existing: belongs to a cluster", "ec2.existing: has its instances in a VPC that exists"],
        ),
        (
            MADE
            | {"aws:region": "eu-central-1", "network": {"private": True, "egress": "endpoints"}}
            | {"collector": {"image": f"{REGISTRY}/adot:v0.49.0", "drainImage": f"{REGISTRY}/busybox:1.37.0"}}
            | one(compute="ec2", image=f"{REGISTRY}/shop:1"),
            ["ec2.instances: needs endpoints of ECS's agent"],
        ),
        (
            MADE
            | PRIVATE
            | {"pattern": "service", "collector": {"compute": "ec2", "cpu": 4096, "memory": 8192}, **one()},
            ["collector.cpu: is more than tasks get of a m7g.large", "collector.memory: is more than tasks get"],
        ),
        (
            MADE | PRIVATE | one(compute="ec2", ephemeralStorage=40, capacity={"spotPercent": 0}),
            ["applications.0.compute: has no mix of Fargate and Fargate Spot"],
        ),
        (MADE | PRIVATE | one(compute="lambda"), ["applications.0.compute: is not one of the choices"]),
        (
            {"ec2": {"instances": {"instancetype": "m7g.large", "max": 2}}} | PRIVATE | one(compute="ec2"),
            ["ec2.instances.instanceType: is missing", "ec2.instances.instancetype: is not a known key; did you mean"],
        ),
    ],
)
def test_what_does_not_work_is_refused_at_once(config: dict[str, Any], found: list[str]) -> None:
    with pytest.raises(ProgramError) as caught:
        program(config)
    lines = str(caught.value).splitlines()[1:]
    assert len(lines) == len(found)
    for line, begin in zip(lines, found, strict=True):
        assert line.startswith(f"  {begin}")


ON_INSTANCES = """
from components import Ground
from documents.instances import Ec2, Instances

def place():
    made = Network("network", {"site": site, "network": network.Network(private=%s)})
    ec2 = Ec2(instances=Instances(instance_type="m7g.large", max=2))
    ground = Ground(made.vpc_id, made.subnet_ids, made.worn)
    cluster = Cluster("cluster", {"site": site, "vpc_id": made.vpc_id, "container_insights": "disabled",
                                  "ec2": ec2, "ground": ground})
    return Place(site, cluster, made.vpc_id, made.subnet_ids, made.public_addresses, made.worn)
"""
WANTED = APPLICATION.format(secret=f'"{SECRET}"', more='"compute": "ec2",')


def test_the_component_takes_the_same_keys(tmp_path: Path) -> None:
    recording = run(tmp_path, ON_INSTANCES % "True" + WANTED)
    service = recording.named(SERVICE, "web-service")
    assert service.inputs["capacityProviderStrategies"] == [{"capacityProvider": "instances-shop-dev", "weight": 1}]


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ("", r"web.compute: needs instances, and the stack has none"),
        (ON_INSTANCES % "False", r"web.compute: gives tasks no public address"),
    ],
)
def test_the_component_refuses_what_stack_files_are_refused(tmp_path: Path, before: str, found: str) -> None:
    with pytest.raises((ConfigurationError, ProgramError), match=found):
        run(tmp_path, before + WANTED)


CLUSTER = """
from documents.instances import Ec2, Instances

made = Network("network", {"site": site, "network": network.Network(private=True)})
ec2 = Ec2(instances=Instances(instance_type="m7g.large", max=2))
Cluster("cluster", {"site": site, "vpc_id": made.vpc_id, "container_insights": "disabled", "ec2": ec2, %s})
"""


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ("", "cluster.ground: is missing beside instances; say where they stand"),
        (
            '"existing": aws.ecs.get_cluster_output(cluster_name="shared")',
            "ec2.instances: would replace the capacity providers of a cluster that exists",
        ),
    ],
)
def test_a_cluster_that_cannot_have_them_says_so(tmp_path: Path, more: str, found: str) -> None:
    with pytest.raises((ConfigurationError, ProgramError), match=found):
        run(tmp_path, CLUSTER % more)


def test_a_preview_knows_as_much() -> None:
    assert {each.urn for each in recorded("instances", preview=True).resources} == {
        each.urn for each in recorded("instances").resources
    }


def test_a_vpc_that_exists_is_no_hindrance() -> None:
    recording = program(MADE | {"network": {**EXISTING, "private": True}} | one(compute="ec2"))
    group = recording.named(hosts.GROUP, "cluster-instances-auto-scaling")
    assert group.inputs["vpcZoneIdentifiers"] == EXISTING["subnets"]
