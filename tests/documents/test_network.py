"""What may be asked of a network, its ranges, the policies of its endpoints, and what a closed one cannot reach."""

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from documents import network
from documents.faults import ConfigurationError
from documents.inputs import checked
from documents.names import Names
from documents.network import Account, Egress, Nat, Network, Uses
from documents.signals import Destination, Receiver, TailSampling, TraceEndpoint, Traces
from tests import judges

VPC = "vpc-0123456789abcdef0"
SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
ACCOUNT = Account(
    id="123456789012",
    partition="aws",
    region="eu-west-1",
    names=Names("shop", "prod"),
    workspace_arn="arn:aws:aps:eu-west-1:123456789012:workspace/ws-1",
)
OURS = {"StringEquals": {"aws:PrincipalAccount": "123456789012"}}


def wanted(**values: Any) -> Network:
    return checked(Network, values, "network")


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (
            {"egress": "nat"},
            [
                "network.egress: is for private subnets, and these are public (got 'nat'); add private: true, or leave "
                "it out"
            ],
        ),
        (
            {"nat": "one"},
            [
                "network.nat: is for private subnets, and these are public (got 'one'); add private: true, or leave it "
                "out"
            ],
        ),
        (
            {"private": True, "egress": "endpoints", "nat": "one"},
            ["network.nat: counts NAT gateways, and with endpoints there are none (got 'one'); leave it out"],
        ),
        (
            {"private": True, "egress": "vpn", "nat": "two"},
            [
                "network.egress: is not one of the choices (got 'vpn'); choose 'nat' or 'endpoints'",
                "network.nat: is not one of the choices (got 'two'); choose 'one' or 'perZone'",
            ],
        ),
        (
            {"vpc": VPC},
            [f"network.vpc: comes without subnets (got '{VPC}'); give subnets, one in each of at least 2 zones"],
        ),
        ({"subnets": SUBNETS}, ["network.vpc: is missing beside subnets; give the id of their VPC"]),
        (
            {"vpc": VPC, "subnets": SUBNETS[:1]},
            ["network.subnets: does not name different subnets (got a list); give one in each of at least 2 zones"],
        ),
        (
            {"vpc": VPC, "subnets": SUBNETS[:1] * 2},
            ["network.subnets: does not name different subnets (got a list); give one in each of at least 2 zones"],
        ),
        (
            {"vpc": "main", "subnets": ["a", "b"]},
            [
                "network.subnets.0: is not the id of a subnet (got 'a'); write it as subnet-0123456789abcdef0",
                "network.subnets.1: is not the id of a subnet (got 'b'); write it as subnet-0123456789abcdef0",
                "network.vpc: is not the id of a VPC (got 'main'); write it as vpc-0123456789abcdef0",
            ],
        ),
        (
            {"vpc": VPC, "subnets": SUBNETS, "private": True, "cidr": "10.0.0.0/16", "zones": 3, "egress": "endpoints"},
            [
                f"network.{key}: is of a VPC that is made here, and vpc names one that exists (got {got}); leave one "
                "of the two out"
                for key, got in (("cidr", "'10.0.0.0/16'"), ("zones", "3"), ("egress", "'endpoints'"))
            ],
        ),
    ],
)
def test_faults(values: dict[str, Any], texts: list[str]) -> None:
    with pytest.raises(ConfigurationError) as raised:
        wanted(**values)
    assert [str(fault) for fault in raised.value.faults] == texts


@pytest.mark.parametrize(
    ("values", "way"),
    [
        ({}, None),
        ({"private": True}, Egress.NAT),
        ({"private": True, "nat": "perZone"}, Egress.NAT),
        ({"private": True, "egress": "endpoints"}, Egress.ENDPOINTS),
        ({"vpc": VPC, "subnets": SUBNETS}, None),
        ({"vpc": VPC, "subnets": SUBNETS, "private": True}, None),
    ],
)
def test_the_way_out(values: dict[str, Any], way: Egress | None) -> None:
    assert wanted(**values).way_out is way


def test_the_number_of_nat_gateways_is_read() -> None:
    assert wanted(private=True, nat="perZone").nat is Nat.PER_ZONE


@given(some.integers(16, 24), some.integers(2, 3))
def test_the_ranges_of_subnets_lie_in_the_vpc_and_apart(length: int, zones: int) -> None:
    asked = wanted(cidr=f"10.32.0.0/{length}", zones=zones)
    assert len(asked.public_ranges()) == len(asked.private_ranges()) == zones
    ranges = [ipaddress.IPv4Network(text) for text in (*asked.public_ranges(), *asked.private_ranges())]
    assert all(each.subnet_of(ipaddress.IPv4Network(asked.cidr)) for each in ranges)
    assert not any(one.overlaps(other) for one in ranges for other in ranges if one is not other)
    # EC2 takes /28 at the smallest.
    assert all(each.prefixlen <= 28 for each in ranges)


def test_the_endpoints_of_the_smallest_stack() -> None:
    uses = Uses(images={"collector.image": f"{REGISTRY}/mirror/adot:v0.49.0"})
    pull = [
        {
            "Sid": "LogInToRegistry",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "ecr:GetAuthorizationToken",
            "Resource": "*",
            "Condition": OURS,
        },
        {
            "Sid": "PullImages",
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": [
                "arn:aws:ecr:eu-west-1:123456789012:repository/mirror/adot",
                "arn:aws:ecr:eu-west-1:123456789012:repository/shop-prod/*",
            ],
            "Condition": OURS,
        },
    ]
    expected: dict[str, Any] = {
        "aps-workspaces": [
            {
                "Sid": "WriteMetrics",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "aps:RemoteWrite",
                "Resource": "arn:aws:aps:eu-west-1:123456789012:workspace/ws-1",
                "Condition": OURS,
            }
        ],
        "ecr.api": pull,
        "ecr.dkr": pull,
        "logs": [
            {
                "Sid": "WriteLogs",
                "Effect": "Allow",
                "Principal": "*",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/shop-prod/*:*",
                "Condition": OURS,
            }
        ],
        "s3": [
            {
                "Sid": "ReadConfigurations",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::shop-prod-config-123456789012/collector/*",
                "Condition": OURS,
            },
            {
                "Sid": "PullLayers",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*",
            },
        ],
        "xray": [
            {
                "Sid": "WriteTraces",
                "Effect": "Allow",
                "Principal": "*",
                "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
                "Resource": "*",
                "Condition": OURS,
            }
        ],
    }
    assert network.endpoints(uses, ACCOUNT) == {
        name: {"Version": "2012-10-17", "Statement": statements} for name, statements in expected.items()
    }


EVERYTHING = Uses(
    images={"applications.0.image": f"{REGISTRY}/team/shop:1"},
    secrets={
        "applications.0.secrets.A": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-AbCdEf:user::",
        "applications.0.secrets.B": "arn:aws:ssm:eu-west-1:123456789012:parameter/b",
    },
    traces=Traces(endpoint=TraceEndpoint.OTLP, tail=TailSampling()),
    receivers=frozenset({Receiver.XRAY}),
    scrapes=True,
    sessions=True,
)


@pytest.mark.parametrize(
    ("uses", "more"),
    [
        (Uses(), set[str]()),
        (Uses(receivers=frozenset({Receiver.XRAY, Receiver.STATSD})), set()),
        (Uses(scrapes=True), {"ecs"}),
        (Uses(sessions=True), {"ssmmessages"}),
        (Uses(traces=Traces(tail=TailSampling())), {"data-servicediscovery"}),
        (Uses(secrets={"a": "arn:aws:ssm:eu-west-1:123456789012:parameter/b"}), {"ssm"}),
        (EVERYTHING, {"data-servicediscovery", "ecs", "secretsmanager", "ssm", "ssmmessages"}),
    ],
)
def test_no_endpoint_that_nothing_needs(uses: Uses, more: set[str]) -> None:
    always = {"aps-workspaces", "ecr.api", "ecr.dkr", "logs", "s3", "xray"}
    assert set(network.endpoints(uses, ACCOUNT)) == always | more


def test_conditions_of_the_role_stay() -> None:
    found = network.endpoints(EVERYTHING, ACCOUNT)
    assert [one["Condition"] for one in found["ecs"]["Statement"][:1]] == [
        {"ArnEquals": {"ecs:cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/shop-prod"}, **OURS}
    ]
    assert [one["Condition"] for one in found["data-servicediscovery"]["Statement"]] == [
        {
            "StringEquals": {
                "servicediscovery:NamespaceName": "prod.shop.internal",
                "servicediscovery:ServiceName": "collector",
                "aws:PrincipalAccount": "123456789012",
            }
        }
    ]


def test_only_layers_are_for_principals_of_others() -> None:
    for policy in network.endpoints(EVERYTHING, ACCOUNT).values():
        for statement in policy["Statement"]:
            account = statement.get("Condition", {}).get("StringEquals", {}).get("aws:PrincipalAccount")
            assert account == "123456789012" or statement["Sid"] == "PullLayers"


@pytest.mark.slow
def test_parliament_finds_nothing_in_the_policy_of_an_endpoint() -> None:
    for name, policy in network.endpoints(EVERYTHING, ACCOUNT).items():
        # Principals stand in policies of resources, which parliament takes for malformed.
        statements = [{key: each[key] for key in each if key != "Principal"} for each in policy["Statement"]]
        found = [
            finding
            for finding in judges.policy({**policy, "Statement": statements})
            if not (finding.startswith("CREDENTIALS_EXPOSURE") and "'ecr:getauthorizationtoken']" in finding)
            and not finding.startswith("RESOURCE_STAR: ['ecs:ListTasks']")
        ]
        assert found == [], name


def faults(uses: Uses, **values: Any) -> list[str]:
    return [str(fault) for fault in network.faults(wanted(**values), uses, "eu-west-1")]


def test_what_a_closed_network_cannot_reach() -> None:
    uses = Uses(
        images={
            "collector.image": "public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0",
            "applications.0.image": f"{REGISTRY}/team/shop:1",
            "applications.1.image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/stock:1",
            "applications.2.image": "<stock.ref>",
        },
        secrets={
            "applications.0.secrets.NEAR": "arn:aws:ssm:eu-west-1:123456789012:parameter/near",
            "applications.0.secrets.FAR": "arn:aws:ssm:us-east-1:123456789012:parameter/far",
            "applications.0.secrets.LATER": "<secret.arn>",
        },
        destinations=(Destination(name="partner", endpoint="https://otlp.example.com"),),
    )
    pulled = (
        "cannot be pulled from a closed network, whose endpoints reach private ECR of this region alone (got '{}'); "
        "name its copy there, as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/..., for example by a pull-through cache "
        "(docs/networks.md), or choose network.egress: nat"
    )
    assert faults(uses, private=True, egress="endpoints") == [
        f"collector.image: {pulled.format(uses.images['collector.image'])}",
        f"applications.1.image: {pulled.format(uses.images['applications.1.image'])}",
        "applications.0.secrets.FAR: is in another region, and the endpoints of a closed network reach this one alone; "
        "replicate it to eu-west-1, or choose network.egress: nat",
        "destinations.0.endpoint: is outside of AWS, and a closed network has no way there; choose network.egress: "
        "nat, or leave the destination out",
    ]
    assert faults(uses, private=True) == faults(uses) == faults(uses, vpc=VPC, subnets=SUBNETS, private=True) == []


@pytest.mark.parametrize(
    ("support", "hostnames", "zones", "texts"),
    [
        (True, True, {"eu-west-1a", "eu-west-1b"}, []),
        (
            False,
            False,
            {"eu-west-1a"},
            [
                "network.vpc: has DNS support and DNS hostnames turned off, and the private names of services resolve "
                "only with both (got 'vpc-1'); turn them on in the VPC, which is not changed from here",
                "network.subnets: are all in one zone; give one in each of at least 2 zones",
            ],
        ),
        (
            True,
            False,
            {"eu-west-1a", "eu-west-1b"},
            [
                "network.vpc: has DNS hostnames turned off, and the private names of services resolve only with both "
                "(got 'vpc-1'); turn them on in the VPC, which is not changed from here"
            ],
        ),
    ],
)
def test_a_vpc_that_exists(support: bool, hostnames: bool, zones: set[str], texts: list[str]) -> None:
    found = network.existing_faults("vpc-1", dns_support=support, dns_hostnames=hostnames, zones=zones)
    assert [str(fault) for fault in found] == texts
