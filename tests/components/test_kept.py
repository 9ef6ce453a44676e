"""What holds data: that it is protected where a stack says so, and which changes of a stack file would lose it."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

import pytest
from pydantic import BaseModel

from documents.environment import Settings
from documents.kept import HOLDS_DATA
from preview.engine import Monitor
from preview.recorder import ProgramError, Recording, record
from tests.changes import lost
from tests.components.variants import (
    BOUNDARY,
    CENTRAL,
    CERTIFICATE,
    CLUSTER_ARN,
    EXECUTION_ROLE,
    EXISTING,
    GRAFANA_ID,
    INVENTORY,
    KEY_ARN,
    LARGE,
    LISTENER,
    NIGHTLY,
    PARAMETER,
    PIPED,
    REGISTRY,
    SECRET,
    STOREFRONT,
    TASK_ROLE,
    VARIANTS,
    WORKSPACE_ID,
    program,
)

pytestmark = pytest.mark.slow

Config = Mapping[str, Any]

EMAIL: Final = {"email": "people@example.com"}
SLACK: Final = {"chat": {"slack": {"workspace": "T0123ABCD", "channel": "C0123ABCD"}}}
SHOP: Final = STOREFRONT | {"image": {"build": "./sample"}, "traffic": {"hosts": ["shop.example.com"]}}
BY_NIGHT: Final = NIGHTLY | {"schedule": {"expression": "rate(1 day)"}}

OF_ALL: Final[Config] = {
    "cpu": 1024,
    "memory": 4096,
    "architecture": "X86_64",
    "environment": {"LEVEL": "info"},
    "secrets": {"DSN": PARAMETER},
    "ratio": 0.5,
    "instrumentation": "python",
    "container": {"user": "1000:1000"},
    "volumes": {"cache": {"path": "/cache"}},
    "ephemeralStorage": 50,
    "exec": True,
    "executionRole": EXECUTION_ROLE,
}
"""What an application and a task may say alike, otherwise than these two."""

BEFORE: Final[Config] = {
    "protect": True,
    "loadBalancer": {"certificateArn": CERTIFICATE},
    "metrics": {"toCloudwatch": True},
    "logs": {"fromApplications": True},
    "alerts": {"subscriptions": [EMAIL, SLACK]},
    "applications": [SHOP, INVENTORY],
    "tasks": [BY_NIGHT],
}
"""A stack that has one of everything that can go."""

HELD: Final = {
    "alerting-critical",
    "alerting-heartbeat",
    "alerting-key",
    "alerting-warning",
    "cloudwatch-logs",
    "cloudwatch-metrics",
    "cluster-namespace",
    "events-logs",
    "grafana-folder",
    "grafana-workspace",
    "inventory-logs",
    "metrics-logs",
    "metrics-workspace",
    "network-vpc",
    "nightly-logs",
    "schedules-dead-letters",
    "storefront-logs",
    "storefront-repository",
    "traffic-access-bucket",
}
"""All that holds data in it. What is missing: the topic for chats, which nobody confirms."""

HARMLESS: Final[Mapping[str, Config]] = {
    "the pattern, and all of its collectors": {
        "pattern": "service",
        "collector": {
            "image": f"{REGISTRY}/mirror/adot:v0.49.0",
            "drainImage": f"{REGISTRY}/mirror/busybox:1.37.0",
            "cpu": 1024,
            "memory": 4096,
            "desiredCount": 3,
            "scaling": {"max": 6},
            "queue": 1024,
            "receivers": ["xray"],
            "additions": {"processors": {"attributes/large": {"actions": [LARGE]}}, "service": PIPED},
        },
        "metrics": {"retentionDays": 400, "intervalSeconds": 30, "maxSeries": 50_000, "toCloudwatch": True},
        "traces": {"rules": [{"name": "health", "ratio": 0}], "indexedAttributes": ["shop.order"]},
        "destinations": [{"name": "partner", "endpoint": "https://otlp.example.com", "headers": {"key": SECRET}}],
        "tags": {"team": "shop"},
        # Beside a collector of that size.
        "tasks": [BY_NIGHT | {"cpu": 2048, "memory": 8192}],
    },
    "the way to the collector": {"pattern": "service", "collector": {"discovery": "serviceConnect"}},
    "who is told, who looks, who may": {
        "collector": {"essential": True, "restart": False, "waitFor": "healthy"},
        "traces": {"ratio": 0.25, "endpoint": "otlp"},
        "alerts": {"thresholds": {"errors": 10}, "traces": True, "runbooks": "https://example.com/runbooks"}
        | {"disabled": ["CollectorMemoryHigh"], "subscriptions": [EMAIL]},
        "grafana": {
            "admins": {"users": ["u-1"]},
            "editors": {"groups": ["g-1"]},
            "viewers": {"users": ["u-3"]},
            "dashboards": ["tests/components/team.json"],
            "networkAccess": {"prefixLists": ["pl-0123456789abcdef0"]},
            "vpc": {"subnets": EXISTING["subnets"], "securityGroups": ["sg-0123456789abcdef0"]},
            "saml": {
                "metadata": {"url": "https://idp.example.com/metadata"},
                "assertions": {"role": "role"},
                "admins": ["platform"],
                "editors": ["developers"],
            },
        },
        "identity": {"path": "/observability/", "permissionsBoundary": BOUNDARY},
        "logs": {"retentionDays": 3653, "fromApplications": True},
        "accounts": {"writers": {"roles": [TASK_ROLE]}},
    },
    "where it runs": {
        "pattern": "service",
        "network": {"private": True, "zones": 3, "egress": "nat", "nat": "perZone"},
        "ec2": {"instances": {"instanceType": "m7g.large", "max": 6}},
        "collector": {"compute": "ec2"},
        "loadBalancer": {
            "certificate": {
                "domain": "example.com",
                "alternatives": ["*.example.com"],
                "zone": "Z0123456789ABCDEFGHIJ",
            },
            "internal": True,
            "clients": ["10.1.0.0/16"],
            "deletionProtection": True,
        },
    },
    "a cluster of others": {
        "existing": {"cluster": CLUSTER_ARN},
        "loadBalancer": {"certificateArn": CERTIFICATE, "subnets": EXISTING["subnets"], "internal": True},
    },
    "what an application is": {
        "applications": [
            SHOP
            | OF_ALL
            | {
                "port": 8081,
                "command": ["serve"],
                "healthCheck": {"command": ["CMD-SHELL", "true"]},
                "metrics": {"port": 9464},
                "logs": "firelens",
                "pattern": "service",
                "rollout": "canary",
                "scaling": {"max": 10},
                "capacity": {"spotPercent": 50},
                "serviceConnect": {},
                "objectives": {"availability": 99},
                "alerts": {"thresholds": {"errors": 1}},
            },
            INVENTORY | {"taskRole": TASK_ROLE, "desiredCount": 3, "traffic": {"hosts": ["stock.example.com"]}},
        ],
        "tasks": [
            BY_NIGHT
            | OF_ALL
            | {
                "image": "shop/nightly:2.0.0",
                "command": ["report"],
                "taskRole": TASK_ROLE,
                "schedule": {"expression": "rate(2 days)"},
                "pattern": "sidecar",
            }
        ],
    },
    "instances for an application": {
        "network": {"private": True},
        "ec2": {"instances": {"instanceType": "m7g.large", "max": 6}},
        "applications": [SHOP | {"compute": "ec2"}, INVENTORY],
    },
}
"""Changes that lose nothing, many at a time: the keys are new ones, or have other values than before."""

LOSING: Final[Mapping[str, tuple[Config, dict[str, str]]]] = {
    "applications.name": (
        {"applications": [SHOP | {"name": "shop"}, INVENTORY]},
        {"storefront-logs": "deleted", "storefront-repository": "deleted"},
    ),
    "applications.image": (
        {"applications": [SHOP | {"image": "shop/storefront:1.4.2"}, INVENTORY]},
        {"storefront-repository": "deleted"},
    ),
    "applications.logs": (
        {"applications": [SHOP, INVENTORY | {"logs": {"group": "/shop/stock"}}]},
        {"inventory-logs": "deleted"},
    ),
    "applications, one taken out": ({"applications": [SHOP]}, {"inventory-logs": "deleted"}),
    "applications.traffic, the last taken out": (
        {"applications": [SHOP | {"traffic": None}, INVENTORY], "loadBalancer": {}},
        {"traffic-access-bucket": "deleted"},
    ),
    "tasks.name": ({"tasks": [BY_NIGHT | {"name": "weekly"}]}, {"nightly-logs": "deleted"}),
    "tasks.schedule, the last taken out": ({"tasks": [NIGHTLY]}, {"schedules-dead-letters": "deleted"}),
    "tasks, all taken out for a tail, which they cannot have": (
        {"tasks": [], "pattern": "service", "traces": {"tail": {"ratio": 0.2}}},
        {"nightly-logs": "deleted", "schedules-dead-letters": "deleted"},
    ),
    "tasks.logs": ({"tasks": [BY_NIGHT | {"logs": {"group": "/shop/nights"}}]}, {"nightly-logs": "deleted"}),
    "loadBalancer.accessLogs": (
        {"loadBalancer": {"certificateArn": CERTIFICATE, "accessLogs": False}},
        {"traffic-access-bucket": "deleted"},
    ),
    "loadBalancer.existing": (
        {"loadBalancer": {"existing": {"listenerArn": LISTENER, "securityGroupId": "sg-0123456789abcdef0"}}}
        | {"applications": [SHOP | {"traffic": {"paths": ["/shop/*"], "priority": 100}}, INVENTORY]},
        {"traffic-access-bucket": "deleted"},
    ),
    "metrics.toCloudwatch": ({"metrics": {}}, {"cloudwatch-metrics": "deleted"}),
    "logs.fromApplications": ({"logs": {}}, {"cloudwatch-logs": "deleted"}),
    "grafana.enabled": (
        {"grafana": {"enabled": False}},
        {"grafana-folder": "deleted", "grafana-workspace": "deleted"},
    ),
    "existing.grafana": ({"existing": {"grafana": GRAFANA_ID}}, {"grafana-workspace": "deleted"}),
}
"""Changes that lose something because they ask for that: what is used no more, or has another name."""

MOVED: Final = ", or deploy a second stack with this network beside this one and destroy this one"

REFUSED: Final[Mapping[str, tuple[Config, str]]] = {
    "encryption.key": (
        {"encryption": {"key": KEY_ARN}},
        "encryption.key: is not the key of the workspace ws-own, which has none and can never have another; ",
    ),
    "existing.metrics": ({"existing": {"metrics": WORKSPACE_ID}}, "existing.metrics: "),
    "existing.rules": ({"existing": {"metrics": WORKSPACE_ID, "rules": True}}, "existing.metrics: "),
    "accounts.central": ({"accounts": {"central": CENTRAL}, "grafana": {"enabled": False}}, "accounts.central: "),
    "network.cidr": (
        {"network": {"cidr": "10.1.0.0/16"}},
        "network.cidr: is not the range of the stack's vpc-own, which has 10.0.0.0/16 and can have no other; "
        f"restore what it was{MOVED}",
    ),
    "network.vpc": (
        {"network": dict(EXISTING)},
        "network.vpc: is not vpc-own, in which the stack runs and which it cannot leave "
        f"(got 'vpc-0123456789abcdef0'); restore what it was{MOVED}",
    ),
    "ec2.existing": (
        {"network": {**EXISTING, "private": True}, "existing": {"cluster": CLUSTER_ARN}}
        | {"ec2": {"existing": {"name": "shared-instances", "architecture": "ARM64"}}}
        | {"loadBalancer": {"certificateArn": CERTIFICATE, "internal": True}},
        "network.vpc: ",
    ),
    "network.subnets": ({"network": dict(EXISTING)}, "network.vpc: "),
}
"""Changes that AWS can do only by replacing what holds data, or that would lose it without asking for that."""


@pytest.fixture(scope="module")
def before() -> Recording:
    return program(BEFORE)


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS has what the stack has made."""
    offline = Monitor._invoked
    tags = {"Name": "ecs-observability-dev", "pulumi:project": "ecs-observability", "pulumi:stack": "dev"}
    workspace = {"workspaceId": "ws-own", "alias": "ecs-observability-dev", "kmsKeyArn": "", "tags": tags}

    def invoked(self: Monitor, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        asked = offline(self, token, arguments)
        match token.rpartition(":")[2]:
            case "getWorkspaces":
                return {**asked, "workspaceIds": ["ws-own"]}
            case "getWorkspace" if arguments["workspaceId"] == "ws-own":
                return {**asked, **workspace}
            case "getVpcs" if arguments["tags"] == tags:
                return {**asked, "ids": ["vpc-own"]}
            case "getVpc" if arguments["id"] == "vpc-own":
                return {**asked, "cidrBlock": "10.0.0.0/16"}
            case _:
                return asked

    monkeypatch.setattr(Monitor, "_invoked", invoked)


def held(recording: Recording) -> set[str]:
    return {one.name for one in recording.resources if one.options.get("protect")}


class TestProtection:
    def test_is_for_all_that_holds_data(self, before: Recording) -> None:
        assert held(before) == HELD
        assert {one.type for one in before.resources if one.name in HELD and one.type in HOLDS_DATA} == set(HOLDS_DATA)

    def test_is_off_unless_asked_for(self) -> None:
        assert not held(program(VARIANTS["defaults"]))

    def test_leaves_out_what_can_be_made_again(self) -> None:
        config = {"protect": True, "pattern": "service", "alerts": {"subscriptions": [SLACK]}}
        large = {"additions": {"processors": {"attributes/large": {"actions": [LARGE]}}, "service": PIPED}}
        recording = program({**config, "collector": large, "applications": [INVENTORY]})
        passing = {
            one.name
            for one in recording.resources
            if one.type in HOLDS_DATA and not one.options.get("protect")
        }  # fmt: skip
        assert passing == {
            "alerting-chat-critical",
            "alerting-chat-warning",
            "collector-logs",
            "configurations-bucket",
        }

    def test_of_one_component_in_a_program_of_ones_own(self, tmp_path: Path) -> None:
        (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")
        (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  aws:region: eu-west-1\n", encoding="utf-8")
        (tmp_path / "__main__.py").write_text(_PROGRAM, encoding="utf-8")
        assert held(record(tmp_path, "dev")) == {"metrics-logs", "metrics-workspace"}


_PROGRAM = """
import pulumi

from components import Metrics, Site, TaskEvents, protect_data
from documents.inputs import Identity
from documents.inputs import Metrics as Wanted
from documents.names import Names

site = Site.here(Names("shop", "dev"), "eu-west-1", {}, Identity(), 30)
protected = pulumi.ResourceOptions(transformations=[protect_data])
Metrics("metrics", {"site": site, "metrics": Wanted(), "rules": {}}, protected)
TaskEvents("events", {"site": site, "cluster_arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/shop"})
"""


class TestChange:
    @pytest.mark.parametrize("what", HARMLESS)
    def test_loses_nothing(self, before: Recording, what: str) -> None:
        assert lost(before, program({**BEFORE, **HARMLESS[what]})) == {}

    @pytest.mark.parametrize("what", LOSING)
    def test_loses_what_it_asks_to_lose(self, before: Recording, what: str) -> None:
        change, expected = LOSING[what]
        assert lost(before, program({**BEFORE, **change})) == expected

    @pytest.mark.usefixtures("running")
    @pytest.mark.parametrize("what", REFUSED)
    def test_is_refused(self, what: str) -> None:
        change, text = REFUSED[what]
        with pytest.raises(ProgramError) as refused:
            program({**BEFORE, **change})
        assert f"this stack cannot be deployed:\n  {text}" in str(refused.value)

    @pytest.mark.usefixtures("running")
    def test_of_nothing_is_not_refused(self, before: Recording) -> None:
        assert lost(before, program(BEFORE)) == {}

    def test_of_every_key_is_tried(self) -> None:
        configs = [
            *HARMLESS.values(),
            *(change for change, _ in LOSING.values()),
            *(one for one, _ in REFUSED.values()),
        ]
        assert _keys_of(Settings) - set(_said(configs)) == {"protect"}


def _keys_of(model: type[BaseModel]) -> set[str]:
    """Keys of a stack file, and of the maps and lists of maps that they hold."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        key = field.alias or name
        inner = [each.alias or deep for one in _models(field.annotation) for deep, each in one.model_fields.items()]
        found.update(f"{key}.{each}" for each in inner) if inner else found.add(key)
    return found - _NOT_OF_THE_STACK


_NOT_OF_THE_STACK: Final = {"destinations.signals", "tasks.metrics"}
"""What goes to a partner; and what only applications have, in the end."""


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _models(each)


def _said(configs: Iterable[Config]) -> Iterator[str]:
    for config in configs:
        for key, value in config.items():
            yield key
            for one in value if isinstance(value, list) else [value]:
                yield from (f"{key}.{each}" for each in (one if isinstance(one, Mapping) else ()))
