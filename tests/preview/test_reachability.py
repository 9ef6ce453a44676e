"""Who can talk to whom: read from what is recorded, and compared for every stack with what its configuration means."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from documents.names import Names
from preview import reachability
from preview.reachability import ANYWHERE, ENDPOINTS, INTERNET, NAT, NEAR, NOWHERE, UNKNOWN_ROUTES, Reach
from preview.recorder import Recording, record
from tests.components.variants import STACKS, recorded

pytestmark = pytest.mark.slow

RECEIVED = {"xray": ("TCP 2000", "UDP 2000"), "statsd": ("UDP 8125",), "zipkin": ("TCP 9411",)}
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


def configured(recording: Recording, key: str) -> Any:
    return recording.config.get(f"{recording.project}:{key}")


def intended(recording: Recording) -> Iterator[Reach]:
    """Every pair that the configuration means, and nothing else."""
    applications: list[dict[str, Any]] = configured(recording, "applications")
    collector: dict[str, Any] = configured(recording, "collector") or {}
    pattern = configured(recording, "pattern") or "sidecar"
    served = [one for one in applications if one.get("pattern", pattern) == "service"]
    scraped = [one for one in served if "metrics" in one]
    for target in applications:
        for source in applications:
            yield Reach(source["name"], target["name"], f"TCP {target['port']}")
    for source in served:
        for traffic in (
            "TCP 4317",
            "TCP 4318",
            *(each for one in collector.get("receivers", ()) for each in RECEIVED[one]),
        ):
            yield Reach(source["name"], "collector", traffic)
    if served and (configured(recording, "traces") or {}).get("tail"):
        yield Reach("collector", "collector", "TCP 14300")
    for target in scraped:
        yield Reach("scraper", target["name"], f"TCP {target['metrics']['port']}")
    tasks = [one["name"] for one in configured(recording, "tasks") or ()]
    yield from (Reach(task, target["name"], f"TCP {target['port']}") for task in tasks for target in applications)
    if (configured(recording, "network") or {}).get("egress") == "endpoints":
        names = [one["name"] for one in applications] + tasks
        services = names + ["collector"] * bool(served) + ["scraper"] * bool(scraped)
        doors = {reach.target for reach in reachability.reaches(recording) if reach.target.startswith("endpoint ")}
        yield from (Reach(service, door, "TCP 443") for service in services for door in doors)
    yield from balanced(recording, [one for one in applications if one.get("traffic")])


def balanced(recording: Recording, applications: list[dict[str, Any]]) -> Iterator[Reach]:
    balancer: dict[str, Any] = configured(recording, "loadBalancer") or {}
    if not balancer:
        return
    name = Names(recording.project, recording.stack).load_balancer
    if "existing" in balancer:
        name = balancer["existing"]["securityGroupId"]
    else:
        for clients in balancer.get("clients") or (PRIVATE if balancer.get("internal") else (ANYWHERE,)):
            yield from (Reach(clients, name, f"TCP {port}") for port in (80, 443))
    yield from (Reach(name, target["name"], f"TCP {target['port']}") for target in applications)


@pytest.fixture(scope="module", params=STACKS)
def recording(request: pytest.FixtureRequest) -> Recording:
    return recorded(request.param)


def test_exactly_the_intended_pairs_are_reachable(recording: Recording) -> None:
    assert set(reachability.reaches(recording)) == set(intended(recording))


def test_nothing_but_a_load_balancer_that_was_asked_for_is_open_to_the_world(recording: Recording) -> None:
    balancer = Names(recording.project, recording.stack).load_balancer
    open_to = {reach.target for reach in reachability.reaches(recording) if reach.source in (ANYWHERE, NEAR)}
    asked = configured(recording, "loadBalancer") or {}
    assert open_to == ({balancer} if asked and not {"existing", "internal", "clients"} & set(asked) else set())


@pytest.mark.parametrize(
    ("stack", "way"),
    [
        ("dev", INTERNET),
        ("prod", ENDPOINTS),
        ("private", NAT),
        ("private-zones", NAT),
        ("closed", ENDPOINTS),
        ("closed-with-all", ENDPOINTS),
        ("existing-network", UNKNOWN_ROUTES),
        ("existing-private-network", UNKNOWN_ROUTES),
    ],
)
def test_every_service_has_the_way_out_that_was_chosen(stack: str, way: str) -> None:
    assert set(reachability.ways_out(recorded(stack)).values()) == {way}


def test_the_table_of_a_closed_stack() -> None:
    assert list(reachability.lines(recorded("closed-with-all"))) == [
        "| who is reached | on | by |",
        "|---|---|---|",
        "| `inventory` | TCP 9090 | `inventory`, `storefront` |",
        "| `storefront` | TCP 8080 | `inventory`, `storefront` |",
        "| `storefront` | TCP 9464 | `scraper` |",
        "| `collector` | TCP 14300 | `collector` |",
        "| `collector` | TCP 2000, TCP 4317, TCP 4318, UDP 2000, UDP 8125 | `inventory`, `storefront` |",
        "| `scraper` | nothing | nobody |",
        "| `endpoint aps-workspaces`, `endpoint data-servicediscovery`, `endpoint ecr.api`, `endpoint ecr.dkr`, "
        "`endpoint ecs`, `endpoint logs`, `endpoint secretsmanager`, `endpoint ssm`, `endpoint ssmmessages`, "
        "`endpoint xray` | TCP 443 | `collector`, `inventory`, `scraper`, `storefront` |",
        "",
        "- `inventory`, `storefront`, `collector`, `scraper`: to the AWS services that the VPC has endpoints of, and "
        "nowhere else",
    ]


PROGRAM = """
import json
import pulumi
import pulumi_aws as aws

vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16")
gateway = aws.ec2.InternetGateway("gateway", vpc_id=vpc.id)
table = aws.ec2.RouteTable("table", vpc_id=vpc.id, routes=[{"cidr_block": "0.0.0.0/0", "gateway_id": gateway.id}])
subnets = {name: aws.ec2.Subnet(name, vpc_id=vpc.id, cidr_block="10.0.0.0/24") for name in ("public", "private")}
aws.ec2.RouteTableAssociation("public", subnet_id=subnets["public"].id, route_table_id=table.id)

def everything(direction):
    return {"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": [direction]}

out = {"egress": [everything("0.0.0.0/0")]}
web = {"protocol": "tcp", "from_port": 8000, "to_port": 8010, "cidr_blocks": ["0.0.0.0/0"]}
groups = {
    "open": aws.ec2.SecurityGroup("open", ingress=[web], **out),
    "closed": aws.ec2.SecurityGroup("closed", ingress=[]),
    "peers": aws.ec2.SecurityGroup("peers", **out, ingress=[{**web, "cidr_blocks": [], "self": True}]),
}
narrow = aws.ec2.SecurityGroup("narrow", egress=[
    {"protocol": "tcp", "from_port": 5432, "to_port": 5432, "security_groups": [groups["closed"].id]}])
for name, source, port in (("a", groups["open"], 5432), ("b", narrow, 5432), ("c", narrow, 5433), ("d", "sg-1", 1)):
    aws.vpc.SecurityGroupIngressRule(name, security_group_id=groups["closed"].id, ip_protocol="tcp", from_port=port,
        to_port=port, referenced_security_group_id=getattr(source, "id", source))
groups["narrow"] = narrow

def service(name, subnet, public=False):
    aws.ecs.Service(name, name=name, task_definition="task:1", network_configuration={
        "subnets": [subnets[subnet].id], "security_groups": [groups[name.partition("-")[0]].id],
        "assign_public_ip": public})

service("open-web", "public", True)
service("open-inside", "private")
service("closed-db", "private")
service("narrow-job", "private")
service("peers-all", "private")
"""


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    root: Path = tmp_path_factory.mktemp("toy")
    (root / "Pulumi.yaml").write_text("name: toy\nruntime: python\n", "utf-8")
    (root / "Pulumi.dev.yaml").write_text("config:\n  aws:region: eu-west-1\n", "utf-8")
    (root / "__main__.py").write_text(PROGRAM, "utf-8")
    return record(root, "dev")


def test_rules_of_both_sides_count(toy: Recording) -> None:
    """Who is let in and may not send does not reach; a range counts for everybody, an inline `self` for members."""
    assert reachability.reaches(toy) == [
        Reach(ANYWHERE, "open-web", "TCP 8000 to 8010"),
        Reach(NEAR, "open-inside", "TCP 8000 to 8010"),
        Reach("narrow-job", "closed-db", "TCP 5432"),
        Reach("open-inside", "closed-db", "TCP 5432"),
        Reach("open-web", "closed-db", "TCP 5432"),
        Reach("peers-all", "peers-all", "TCP 8000 to 8010"),
        Reach("sg-1", "closed-db", "TCP 1"),
    ]


def test_routes_and_addresses_decide_who_gets_out(toy: Recording) -> None:
    assert reachability.ways_out(toy) == {
        "open-web": INTERNET,
        "open-inside": NOWHERE,
        "closed-db": NOWHERE,
        "narrow-job": NOWHERE,
        "peers-all": NOWHERE,
    }
