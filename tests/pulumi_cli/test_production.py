"""What `pulumi up` does with services that take traffic: roll-outs, compute, keys, closed networks, and a second `up`.

The stand-in of ECS shifts requests as the real one does, and refuses tasks whose traffic, network or capacity is not
there yet.
"""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.pulumi_cli.asserts import assert_as_recorded, assert_prints_no_fault
from tests.pulumi_cli.behaviour import RULE, SERVICE
from tests.pulumi_cli.cloud import Thing
from tests.pulumi_cli.stack import Fresh, Stack

pytestmark = pytest.mark.slow

ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
CAPACITY: Final = "aws:ecs/capacityProvider:CapacityProvider"
DEFINITION: Final = "aws:ecs/taskDefinition:TaskDefinition"
GROUP: Final = "aws:lb/targetGroup:TargetGroup"
IMAGE: Final = "docker-build:index:Image"
PROVIDERS: Final = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
ROLE: Final = "aws:iam/role:Role"
ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"

CERTIFICATE: Final = "arn:aws:acm:eu-west-1:123456789012:certificate/0f8fad5b-d9cb-469f-a165-70867728950e"
KEY: Final = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
REGISTRY: Final = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
WORKSPACE: Final = "ws-12345678-1234-1234-1234-123456789012"

NEXT_VERSION: Final = [
    f"create {DEFINITION} storefront-definition",
    f"update {SERVICE} storefront-service",
    f"delete {DEFINITION} storefront-definition",
]
"""All that a new version of storefront changes."""


def thing(stack: Stack, token: str, name: str) -> Thing:
    """What exists of that type and name."""
    [found] = [each for each in stack.cloud.things() if (each.type, each.name) == (token, name)]
    return found


def weights(stack: Stack, rule: str) -> list[tuple[str, float]]:
    """The target groups of a listener rule and what each of them gets, as it is on AWS."""
    names = {each.id: each.name for each in stack.cloud.things() if each.type == GROUP}
    [action] = thing(stack, RULE, rule).outputs["actions"]
    return [(names[group["arn"]], group["weight"]) for group in action["forward"]["targetGroups"]]


def first_application(stack: Stack, **keys: Any) -> None:
    """Give the first application these keys."""
    first, *others = stack.configuration("applications")
    stack.configure(applications=[{**first, **keys}, *others])


def image(tag: str) -> str:
    return f"{REGISTRY}/team/shop:{tag}"


class TestCanary:
    @pytest.fixture
    def balanced(self, deployed: Stack) -> Stack:
        """Storefront takes requests from a load balancer."""
        deployed.configure(loadBalancer={"certificateArn": CERTIFICATE})
        first_application(deployed, image=image("1.0.0"), traffic={"hosts": ["shop.example.com"]})
        assert_prints_no_fault(deployed.up())
        return deployed

    def test_is_turned_on_ships_a_version_and_is_turned_off(self, balanced: Stack) -> None:
        first_application(balanced, rollout="canary")
        on = balanced.up()
        assert_prints_no_fault(on)
        assert_as_recorded(balanced)
        assert sorted(on.changes) == [
            f"create {ALARM} storefront-blue-errors",
            f"create {ALARM} storefront-blue-unhealthy",
            f"create {ALARM} storefront-green-errors",
            f"create {ALARM} storefront-green-unhealthy",
            f"create {ROLE} storefront-rollout",
            f"create {ROLE_POLICY} storefront-rollout-policy",
            f"create {RULE} storefront-shifted",
            f"create {GROUP} storefront-green",
            f"delete {RULE} storefront-steady",
            f"update {SERVICE} storefront-service",
        ]
        assert on.changes[-2:] == [f"update {SERVICE} storefront-service", f"delete {RULE} storefront-steady"]
        assert weights(balanced, "storefront-shifted") == [("storefront-blue", 100), ("storefront-green", 0)]

        first_application(balanced, image=image("2.0.0"))
        assert balanced.up().changes == NEXT_VERSION
        shifted = [("storefront-blue", 0), ("storefront-green", 100)]
        assert weights(balanced, "storefront-shifted") == shifted, "the stand-in of ECS has moved the requests"

        seen = balanced.run("refresh", "--yes", "--skip-preview")
        assert seen.updated == ["aws:lb:ListenerRule storefront-shifted"]
        assert not balanced.run("up", "--yes", "--expect-no-changes").changes
        assert weights(balanced, "storefront-shifted") == shifted

        first_application(balanced, rollout="rolling")
        off = balanced.up()
        assert off.changes[:2] == [f"create {RULE} storefront-steady", f"update {SERVICE} storefront-service"]
        assert sorted(off.changes[2:]) == [
            f"delete {ALARM} storefront-green-errors",
            f"delete {ALARM} storefront-green-unhealthy",
            f"delete {ROLE} storefront-rollout",
            f"delete {ROLE_POLICY} storefront-rollout-policy",
            f"delete {RULE} storefront-shifted",
            f"delete {GROUP} storefront-green",
        ]


class TestCompute:
    def test_moves_to_spot_and_to_another_architecture(self, deployed: Stack) -> None:
        first_application(deployed, capacity={"spotPercent": 50, "base": 0})
        mixed = deployed.up()
        assert_prints_no_fault(mixed)
        assert mixed.changes == [f"create {PROVIDERS} cluster-capacity", f"update {SERVICE} storefront-service"]
        service = thing(deployed, SERVICE, "storefront-service")
        assert "launchType" not in service.inputs
        assert service.inputs["capacityProviderStrategies"] == [
            {"capacityProvider": "FARGATE", "weight": 50},
            {"capacityProvider": "FARGATE_SPOT", "weight": 50},
        ]

        first_application(deployed, architecture="X86_64")
        assert deployed.up().changes == [f"update {IMAGE} storefront-image", *NEXT_VERSION]

        # docs/scaling.md: the provider takes no strategy away.
        whole = deployed.configuration("applications")
        first, second = whole
        deployed.configure(applications=[{key: first[key] for key in first if key != "capacity"}, second])
        refused = deployed.up(code=1)
        assert "force_new_deployment should be true" in refused.output
        assert not [call for call in refused.changes if SERVICE in call]
        deployed.configure(applications=whole)
        first_application(deployed, capacity={"spotPercent": 0})
        assert deployed.up().changes == [f"update {SERVICE} storefront-service"]

    def test_moves_to_instances_and_back(self, deployed: Stack) -> None:
        deployed.configure(network={"private": True})
        deployed.up()
        deployed.configure(ec2={"instances": {"instanceType": "m7g.large", "min": 2, "max": 6}})
        first_application(deployed, compute="ec2")
        there = deployed.up()
        assert_prints_no_fault(there)
        assert sorted(there.of("create")) == [
            "cluster-capacity",
            "cluster-instances-agent",
            "cluster-instances-agent",
            "cluster-instances-agent-policy",
            "cluster-instances-auto-scaling",
            "cluster-instances-group",
            "cluster-instances-out",
            "cluster-instances-provider",
            "cluster-instances-template",
            "storefront-definition",
        ]
        assert there.changes[-2:] == NEXT_VERSION[1:]

        # As with Spot: the provider takes no strategy away, so that the service keeps one, of Fargate alone.
        first_application(deployed, compute="fargate", capacity={"spotPercent": 0})
        back = deployed.up().changes
        assert sorted(back) == sorted([*NEXT_VERSION, f"update {PROVIDERS} cluster-capacity"])
        assert back[-2:] == NEXT_VERSION[1:]
        provider = thing(deployed, CAPACITY, "cluster-instances-provider").id
        providers = thing(deployed, PROVIDERS, "cluster-capacity").inputs["capacityProviders"]
        assert provider in providers, "ECS would not let it go while a service has tasks there"


class TestNetwork:
    def test_moves_behind_nat_and_back(self, deployed: Stack) -> None:
        """No task is without a way out meanwhile, which the stand-in of ECS would refuse."""
        deployed.configure(network={"private": True})
        there = deployed.up()
        assert_prints_no_fault(there)
        assert_as_recorded(deployed)
        assert there.of("update", SERVICE) == ["inventory-service", "storefront-service"]
        assert not there.of("delete"), "the public subnets stay: NAT gateways stand in them"

        deployed.configure(network={})
        back = deployed.up()
        assert back.of("update", SERVICE) == ["inventory-service", "storefront-service"]
        assert not back.of("create")
        assert sorted(back.of("delete")) == sorted(there.of("create"))


EVERY_OPTION: Final[Mapping[str, Any]] = {
    "pattern": "service",
    "network": {"private": True, "egress": "endpoints", "zones": 3},
    "encryption": {"key": "made"},
    "loadBalancer": {
        "internal": True,
        "deletionProtection": True,
        "certificate": {
            "domain": "example.com",
            "alternatives": ["*.example.com"],
            "zone": "Z0123456789ABCDEFGHIJ",
        },
    },
    "collector": {
        "image": f"{REGISTRY}/mirror/adot:v0.49.0",
        "drainImage": f"{REGISTRY}/mirror/busybox:1.37.0",
        "scaling": {"max": 6},
    },
    "logs": {"retentionDays": 30, "fromApplications": True},
    "metrics": {"toCloudwatch": True},
    "applications": [
        {
            "name": "storefront",
            "image": image("1.0.0"),
            "port": 8080,
            "traffic": {"hosts": ["shop.example.com"]},
            "rollout": {
                "strategy": "canary",
                "testHeader": "X-Preview",
                "pause": {"at": "beforeShift", "minutes": 30},
            },
            "scaling": {
                "min": 2,
                "max": 10,
                "memory": 75,
                "schedules": [{"name": "morning", "schedule": "cron(0 7 ? * MON-FRI *)", "min": 4, "max": 20}],
            },
            "exec": True,
            "volumes": {"data": {"path": "/data", "efs": {"fileSystemId": "fs-0123456789abcdef0"}}},
        },
        {
            "name": "inventory",
            "image": image("1.0.0"),
            "port": 9090,
            "pattern": "sidecar",
            "desiredCount": 3,
            "capacity": {"spotPercent": 50},
            "container": {"readOnlyRootFilesystem": True, "user": "1000:1000"},
            "metrics": {"port": 9464},
        },
    ],
    "tasks": [{"name": "nightly", "image": image("1.0.0"), "schedule": {"expression": "rate(1 day)"}}],
}
"""A stack with everything that the applications of a team may ask for."""


class TestEveryOption:
    def test_is_deployed_once_and_left_alone(self, fresh: Fresh) -> None:
        stack = fresh("dev")
        stack.configure(**EVERY_OPTION)
        assert_prints_no_fault(stack.up())
        assert_as_recorded(stack)
        assert not stack.run("up", "--yes", "--expect-no-changes").changes

        # What Application Auto Scaling does all day, and what somebody does by hand to a service that is not scaled.
        for name in ("storefront", "inventory"):
            stack.cloud.change(thing(stack, SERVICE, f"{name}-service"), desiredCount=7)
        assert stack.run("refresh", "--yes", "--skip-preview").updated == [
            "aws:ecs:Service inventory-service",
            "aws:ecs:Service storefront-service",
        ]
        first_application(stack, image=image("2.0.0"))
        assert sorted(stack.up().changes) == sorted([*NEXT_VERSION, f"update {SERVICE} inventory-service"])
        counts = {
            name: thing(stack, SERVICE, f"{name}-service").outputs["desiredCount"]
            for name in ("storefront", "inventory", "collector")
        }
        assert counts == {"storefront": 7, "inventory": 3, "collector": 2}

        stack.configure(encryption={})
        assert_refused(stack, "encryption.key: is not the key of the workspace")
        stack.configure(encryption=EVERY_OPTION["encryption"])

        protected = stack.run("destroy", "--yes", "--skip-preview", code=None)
        assert protected.code != 0
        assert "is protected against deletion" in protected.output
        stack.configure(loadBalancer={**EVERY_OPTION["loadBalancer"], "deletionProtection": False})
        stack.up()
        stack.run("destroy", "--yes", "--skip-preview")
        assert not stack.cloud.things()


def assert_refused(stack: Stack, fault: str) -> None:
    """An update says why and changes nothing, even without a preview before it."""
    run = stack.up(code=None)
    assert run.code != 0
    assert fault in run.output
    assert "Traceback" not in run.output
    assert not run.changes


class TestWhatIsChosenOnce:
    @pytest.mark.parametrize(
        ("keys", "fault"),
        [
            ({"encryption": {"key": "made"}}, "encryption.key: is not the key of the workspace"),
            ({"encryption": {"key": KEY}}, "encryption.key: is not the key of the workspace"),
            ({"existing": {"metrics": WORKSPACE}}, "existing.metrics: would delete"),
        ],
        ids=["a key that is made", "a key that exists", "a workspace that exists"],
    )
    def test_is_refused_later(self, deployed: Stack, keys: Mapping[str, Any], fault: str) -> None:
        metrics = {key: value for key, value in deployed.configuration("metrics").items() if key != "retentionDays"}
        deployed.configure(metrics=metrics, **keys)
        assert_refused(deployed, fault)
