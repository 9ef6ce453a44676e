"""The AMP workspace, the VPC and the cluster."""

import ipaddress

import pytest
import yaml

from tests.components.variants import names_of, recorded, untagged

pytestmark = pytest.mark.slow

CONFIGURATION = "aws:amp/workspaceConfiguration:WorkspaceConfiguration"
RULES = "aws:amp/ruleGroupNamespace:RuleGroupNamespace"


def test_the_workspace_writes_its_errors_to_a_log_group() -> None:
    recording = recorded("defaults")
    workspace = recording.named("aws:amp/workspace:Workspace", "metrics-workspace")
    assert untagged(workspace) == {
        "alias": "ecs-observability-dev",
        "loggingConfiguration": {"logGroupArn": "<metrics-logs.arn>:*"},
    }
    logs = recording.named("aws:cloudwatch/logGroup:LogGroup", "metrics-logs")
    assert untagged(logs) == {
        "name": "/aws/vendedlogs/prometheus/ecs-observability-dev",
        "retentionInDays": 30,
    }


def test_retention_and_limits() -> None:
    limited = recorded("limits").named(CONFIGURATION, "metrics-configuration")
    assert limited.inputs == {
        "workspaceId": "<metrics-workspace.id>",
        "retentionPeriodInDays": 400,
        "outOfOrderTimeWindowInSeconds": 600,
        "limitsPerLabelSets": [{"labelSet": {}, "limits": {"maxSeries": 50000}}],
    }
    plain = recorded("defaults").named(CONFIGURATION, "metrics-configuration")
    assert plain.inputs == {
        "workspaceId": "<metrics-workspace.id>",
        "retentionPeriodInDays": 90,
        "outOfOrderTimeWindowInSeconds": 600,
    }


@pytest.mark.parametrize("variant", ["mixed", "cloud-map"])
def test_rules_of_every_stack(variant: str) -> None:
    rules = {one.inputs["name"]: one.inputs for one in recorded(variant).of_type(RULES)}
    assert set(rules) == {"recording", "alerts"}
    for one in rules.values():
        assert one["workspaceId"] == "<metrics-workspace.id>"
        groups = yaml.safe_load(one["data"])["groups"]
        assert groups
        assert all(group["rules"] for group in groups), "AMP refuses a group without rules"


def test_the_addresses_of_the_workspace_are_outputs() -> None:
    outputs = recorded("cloud-map").outputs
    assert outputs["metricsQueryUrl"] == "<metrics-workspace.prometheusEndpoint>api/v1/query"
    assert outputs["metricsRemoteWriteUrl"] == "<metrics-workspace.prometheusEndpoint>api/v1/remote_write"


def test_the_vpc_resolves_private_names() -> None:
    vpc = recorded("defaults").named("aws:ec2/vpc:Vpc", "network-vpc")
    assert untagged(vpc) == {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": True, "enableDnsSupport": True}


def test_a_subnet_in_each_zone() -> None:
    recording = recorded("limits")
    subnets = recording.of_type("aws:ec2/subnet:Subnet")
    assert [(subnet.inputs["availabilityZone"], subnet.inputs["cidrBlock"]) for subnet in subnets] == [
        ("eu-west-1a", "172.20.0.0/24"),
        ("eu-west-1b", "172.20.1.0/24"),
        ("eu-west-1c", "172.20.2.0/24"),
    ]
    ranges = [ipaddress.IPv4Network(subnet.inputs["cidrBlock"]) for subnet in subnets]
    assert all(each.subnet_of(ipaddress.IPv4Network("172.20.0.0/20")) for each in ranges)
    associations = recording.of_type("aws:ec2/routeTableAssociation:RouteTableAssociation")
    assert [association.inputs["subnetId"] for association in associations] == [
        f"<network-public-{zone}.id>" for zone in range(3)
    ]


def test_the_way_out() -> None:
    recording = recorded("defaults")
    routes = recording.named("aws:ec2/routeTable:RouteTable", "network-routes")
    assert routes.inputs["routes"] == [{"cidrBlock": "0.0.0.0/0", "gatewayId": "<network-gateway.id>"}]
    assert not recording.of_type("aws:ec2/natGateway:NatGateway"), "it costs more than everything else"


def test_the_cluster() -> None:
    recording = recorded("defaults")
    assert untagged(recording.named("aws:ecs/cluster:Cluster", "cluster-cluster"))["name"] == "ecs-observability-dev"
    namespace = recording.named("aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace", "cluster-namespace")
    assert untagged(namespace) == {
        "name": "dev.ecs-observability.internal",
        "vpc": "<network-vpc.id>",
        "description": "Services of ecs-observability-dev",
    }
    assert names_of(recording, namespace.dependencies) == {"network-vpc"}
