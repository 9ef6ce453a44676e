"""Private subnets with NAT or endpoints, and a VPC that exists."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from documents import network
from preview import placeholders, wiring
from preview.engine import Monitor
from preview.recorder import ProgramError, Recording, Resource
from tests import judges
from tests.components.variants import (
    CLOSED,
    EXISTING,
    INGRESS,
    REGISTRY,
    SECURITY_GROUP,
    SERVICE,
    TASK,
    names_of,
    one,
    program,
    recorded,
    untagged,
)

pytestmark = pytest.mark.slow

ADDRESS = "aws:ec2/eip:Eip"
ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
GATEWAY = "aws:ec2/internetGateway:InternetGateway"
NAT = "aws:ec2/natGateway:NatGateway"
SUBNET = "aws:ec2/subnet:Subnet"
TABLE = "aws:ec2/routeTable:RouteTable"
VPC = "aws:ec2/vpc:Vpc"

CLOSED_STACKS = ("closed", "closed-with-all")


def inputs(recording: Recording, kind: str) -> dict[str, Mapping[str, Any]]:
    return {resource.name: untagged(resource) for resource in recording.of_type(kind)}


def placed(recording: Recording) -> list[tuple[Any, Any]]:
    """Subnets of each service, and whether its tasks have public addresses."""
    found = [service.inputs["networkConfiguration"] for service in recording.of_type(SERVICE)]
    return [(each["subnets"], each["assignPublicIp"]) for each in found]


def test_private_subnets_behind_one_nat_gateway() -> None:
    recording = recorded("private")
    assert inputs(recording, SUBNET) == {
        f"network-{kind}-{index}": {
            "vpcId": "<network-vpc.id>",
            "cidrBlock": cidr,
            "availabilityZone": f"eu-west-1{zone}",
        }
        for kind, ranges in (
            ("public", ("10.0.0.0/20", "10.0.16.0/20")),
            ("private", ("10.0.64.0/18", "10.0.128.0/18")),
        )
        for index, (cidr, zone) in enumerate(zip(ranges, "ab", strict=True))
    }
    assert inputs(recording, ADDRESS) == {"network-nat-0": {"domain": "vpc"}}
    assert inputs(recording, NAT) == {
        "network-nat-0": {"allocationId": "<network-nat-0.id>", "subnetId": "<network-public-0.id>"}
    }
    assert inputs(recording, TABLE) == {
        "network-routes": {
            "vpcId": "<network-vpc.id>",
            "routes": [{"cidrBlock": "0.0.0.0/0", "gatewayId": "<network-gateway.id>"}],
        },
        "network-private-routes-0": {
            "vpcId": "<network-vpc.id>",
            "routes": [{"cidrBlock": "0.0.0.0/0", "natGatewayId": "<network-nat-0.id>"}],
        },
    }
    assert inputs(recording, ASSOCIATION) == {
        f"network-{kind}-{index}": {"subnetId": f"<network-{kind}-{index}.id>", "routeTableId": f"<{table}.id>"}
        for kind, table in (("public", "network-routes"), ("private", "network-private-routes-0"))
        for index in range(2)
    }
    assert placed(recording) == [(["<network-private-0.id>", "<network-private-1.id>"], False)] * 3


def test_a_nat_gateway_in_each_zone() -> None:
    recording = recorded("private-zones")
    assert [untagged(each)["subnetId"] for each in recording.of_type(NAT)] == [
        f"<network-public-{zone}.id>" for zone in range(3)
    ]
    assert {
        name: association["routeTableId"]
        for name, association in inputs(recording, ASSOCIATION).items()
        if name.startswith("network-private")
    } == {f"network-private-{zone}": f"<network-private-routes-{zone}.id>" for zone in range(3)}
    assert [
        route["natGatewayId"]
        for name, table in inputs(recording, TABLE).items()
        if name.startswith("network-private")
        for route in table["routes"]
    ] == [f"<network-nat-{zone}.id>" for zone in range(3)]
    assert [subnet["cidrBlock"] for subnet in inputs(recording, SUBNET).values()] == [
        "10.9.0.64/26", "10.9.0.128/26", "10.9.0.192/26", "10.9.0.0/28", "10.9.0.16/28", "10.9.0.32/28",
    ]  # fmt: skip


def test_a_nat_gateway_and_tasks_start_when_there_is_a_route() -> None:
    recording = recorded("private")
    assert "network-public-0" in {
        each.name
        for urn in recording.named(NAT, "network-nat-0").dependencies
        if (each := recording.by_urn(urn)).type == ASSOCIATION
    }
    service = recording.named(SERVICE, "storefront-service")
    associations = {each.name for urn in service.dependencies if (each := recording.by_urn(urn)).type == ASSOCIATION}
    assert associations == {"network-private-0", "network-private-1"}


@pytest.mark.parametrize("stack", CLOSED_STACKS)
def test_a_closed_network_has_no_way_to_the_internet(stack: str) -> None:
    recording = recorded(stack)
    for kind in (GATEWAY, NAT, ADDRESS):
        assert recording.of_type(kind) == ()
    assert set(inputs(recording, SUBNET)) == {"network-private-0", "network-private-1"}
    assert inputs(recording, TABLE) == {"network-closed-routes": {"vpcId": "<network-vpc.id>"}}
    subnets = ["<network-private-0.id>", "<network-private-1.id>"]
    assert placed(recording) == [(subnets, False)] * len(recording.of_type(SERVICE))


@pytest.mark.parametrize("stack", CLOSED_STACKS)
def test_endpoints_are_where_tasks_find_them(stack: str) -> None:
    for service, endpoint in (
        (each["serviceName"].removeprefix("com.amazonaws.eu-central-1."), each)
        for each in inputs(recorded(stack), ENDPOINT).values()
    ):
        shared = {
            "vpcId": "<network-vpc.id>",
            "serviceName": f"com.amazonaws.eu-central-1.{service}",
            "policy": endpoint["policy"],
        }
        if service == "s3":
            assert endpoint == shared | {
                "vpcEndpointType": "Gateway",
                "routeTableIds": ["<network-closed-routes.id>"],
            }
        else:
            assert endpoint == shared | {
                "vpcEndpointType": "Interface",
                "subnetIds": ["<network-private-0.id>", "<network-private-1.id>"],
                "securityGroupIds": ["<network-endpoints-group.id>"],
                "privateDnsEnabled": True,
            }


def test_endpoints_admit_the_tasks_of_the_stack_alone() -> None:
    recording = recorded("closed")
    rules = [untagged(rule) for rule in recording.of_type(INGRESS)]
    assert [rule for rule in rules if rule["securityGroupId"] == "<network-endpoints-group.id>"] == [
        {
            "securityGroupId": "<network-endpoints-group.id>",
            "referencedSecurityGroupId": "<network-tasks.id>",
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 443,
        }
    ]
    assert untagged(recording.named(SECURITY_GROUP, "network-endpoints-group")) == {
        "namePrefix": "ecs-observability-dev-endpoints-",
        "description": "Endpoints of AWS services",
        "vpcId": "<network-vpc.id>",
    }


@pytest.mark.parametrize("stack", ["private", "private-zones", *CLOSED_STACKS])
def test_every_task_wears_the_group_of_clients_and_starts_when_all_endpoints_are_there(stack: str) -> None:
    """Also behind NAT: a task that endpoints do not know could not pull its image while NAT takes their place."""
    recording = recorded(stack)
    doors = {endpoint.name for endpoint in recording.of_type(ENDPOINT)}
    for service in recording.of_type(SERVICE):
        groups = service.inputs["networkConfiguration"]["securityGroups"]
        assert groups[-1] == "<network-tasks.id>"
        assert len(groups) <= 5, "more than a network interface takes"
        associations = [urn for urn in service.dependencies if recording.by_urn(urn).type == ASSOCIATION]
        assert associations
        for urn in associations:
            before = names_of(recording, recording.by_urn(urn).dependencies)
            assert doors | ({"network-endpoints-in"} if doors else set()) <= before


@pytest.mark.parametrize("stack", CLOSED_STACKS)
def test_what_roles_of_tasks_may_do_has_an_endpoint_and_nothing_else_has(stack: str) -> None:
    recording = recorded(stack)
    used = {"s3"}  # The layers of images.
    for task in recording.of_type(TASK):
        for key in ("taskRoleArn", "executionRoleArn"):
            role = wiring.meant(recording, task.inputs[key], wiring.ROLE)
            assert role is not None
            used |= {network.service_of(statement) for statement in wiring.permissions(recording, role).statements()}
    made = {
        each.inputs["serviceName"].removeprefix("com.amazonaws.eu-central-1.") for each in recording.of_type(ENDPOINT)
    }
    assert made == set(network.names(used))


@pytest.mark.parametrize("stack", CLOSED_STACKS)
def test_endpoints_let_pass_what_roles_of_tasks_allow(stack: str) -> None:
    """With wildcards in place of names of log groups, repositories and objects, which the endpoints allow for all."""
    recording = recorded(stack)
    passing: dict[str, list[Mapping[str, Any]]] = {}
    for endpoint in recording.of_type(ENDPOINT):
        name = endpoint.inputs["serviceName"].removeprefix("com.amazonaws.eu-central-1.")
        passing[name] = json.loads(placeholders.fill(recording, endpoint.inputs["policy"]))["Statement"]
    for task in recording.of_type(TASK):
        for key in ("taskRoleArn", "executionRoleArn"):
            role = wiring.meant(recording, task.inputs[key], wiring.ROLE)
            assert role is not None
            granted = list(wiring.permissions(recording, role).statements())
            for statement in json.loads(placeholders.fill(recording, json.dumps(granted))):
                for name in network.names([network.service_of(statement)]):
                    for action in listed(statement["Action"]):
                        for resource in listed(statement["Resource"]):
                            assert any(passes(door, action, resource) for door in passing[name]), (action, resource)


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def passes(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    patterns = [re.escape(each).replace(r"\*", ".*") for each in listed(statement["Resource"])]
    return action in listed(statement["Action"]) and any(re.fullmatch(pattern, resource) for pattern in patterns)


@pytest.mark.parametrize("stack", CLOSED_STACKS)
def test_every_image_of_a_closed_network_is_in_private_ecr(stack: str) -> None:
    for task in recorded(stack).of_type(TASK):
        for container in json.loads(task.inputs["containerDefinitions"]):
            image = container["image"]
            assert image.startswith(f"{REGISTRY}/") or image in ("<storefront-image.ref>", "<sweep-image.ref>")


def test_public_images_in_a_closed_network_are_refused() -> None:
    with pytest.raises(ProgramError) as raised:
        program({"network": CLOSED["network"], **one(image=f"{REGISTRY}/team/shop:1.4.2", instrumentation="python")})
    keys = [line.strip().split(": ")[0] for line in str(raised.value).splitlines()[1:]]
    assert keys == [
        "collector.image",
        "collector.drainImage",
        "applications.0.image",
        "applications.0.instrumentation.image",
    ]


@pytest.mark.parametrize(("stack", "public"), [("existing-network", True), ("existing-private-network", False)])
def test_a_vpc_that_exists_is_used_and_not_changed(stack: str, public: bool) -> None:
    recording = recorded(stack)
    kinds = {resource.type for resource in recording.resources if resource.type.startswith("aws:ec2/")}
    assert kinds == {SECURITY_GROUP}
    assert placed(recording) == [(EXISTING["subnets"], public)] * len(recording.of_type(SERVICE))
    assert {group.inputs["vpcId"] for group in recording.of_type(SECURITY_GROUP)} == {EXISTING["vpc"]}
    namespace = recording.named("aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace", "cluster-namespace")
    assert namespace.inputs["vpc"] == EXISTING["vpc"]


def test_a_vpc_that_does_not_do_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answered: Any = Monitor._invoked  # pyright: ignore[reportPrivateUsage]
    asked: list[Mapping[str, Any]] = []

    def answer(monitor: Monitor, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        found = dict(answered(monitor, token, arguments))
        if token.endswith(("getVpc", "getSubnet")):
            asked.append(arguments)
            found |= {"enableDnsHostnames": False, "availabilityZone": "eu-west-1a"}
        return found

    monkeypatch.setattr(Monitor, "_invoked", answer)
    with pytest.raises(ProgramError) as raised:
        program({"network": EXISTING, **one()})
    assert str(raised.value) == (
        "this stack cannot be deployed:\n"
        "  network.vpc: has DNS hostnames turned off, and the private names of services resolve only with both (got "
        "'vpc-0123456789abcdef0'); turn them on in the VPC, which is not changed from here\n"
        "  network.subnets: are all in one zone; give one in each of at least 2 zones"
    )
    assert asked == [
        {"id": EXISTING["vpc"]},
        *({"id": subnet, "vpcId": EXISTING["vpc"]} for subnet in EXISTING["subnets"]),
    ]


KINDS = {
    VPC: "AWS::EC2::VPC",
    SUBNET: "AWS::EC2::Subnet",
    TABLE: "AWS::EC2::RouteTable",
    ASSOCIATION: "AWS::EC2::SubnetRouteTableAssociation",
    ADDRESS: "AWS::EC2::EIP",
    NAT: "AWS::EC2::NatGateway",
    ENDPOINT: "AWS::EC2::VPCEndpoint",
    SECURITY_GROUP: "AWS::EC2::SecurityGroup",
    INGRESS: "AWS::EC2::SecurityGroupIngress",
}
"""CloudFormation's types; the routes of a table, which are resources there, are left out."""

RENAMED = {"namePrefix": "groupName", "description": "groupDescription", "securityGroupId": "groupId"}
RENAMED_IN_RULES = {"securityGroupId": "groupId", "referencedSecurityGroupId": "sourceSecurityGroupId"}


def properties(recording: Recording, resource: Resource) -> Mapping[str, Any]:
    known = json.loads(placeholders.fill(recording, json.dumps(resource.inputs)))
    known.pop("routes", None)
    tags = [{"key": key, "value": value} for key, value in known.pop("tags", {}).items()]
    if "policy" in known:
        known["policyDocument"] = json.loads(known.pop("policy"))
    renamed = RENAMED_IN_RULES if resource.type == INGRESS else RENAMED if resource.type == SECURITY_GROUP else {}
    made = {renamed.get(key, key): value for key, value in known.items()}
    return judges.pascal(made | ({"tags": tags} if tags and resource.type not in (INGRESS, ASSOCIATION) else {}))


@pytest.mark.parametrize("stack", ["private", "private-zones", *CLOSED_STACKS])
def test_cloud_formation_takes_the_network(stack: str) -> None:
    recording = recorded(stack)
    resources = {
        f"{resource.type} {resource.name}": (KINDS[resource.type], properties(recording, resource))
        for resource in recording.resources
        if resource.type in KINDS and resource.name.startswith("network")
    }
    found = judges.cloud_formation(resources, recording.region)
    # The names of the zones are asked of AWS.
    assert [finding for finding in found if "W3010" not in finding] == []
