"""What holds data: that it is protected where a stack says so, and which changes of a stack file would lose it."""

from collections.abc import Iterator, Mapping
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
    MORNING,
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
TEAMS: Final = {
    "chat": {
        "teams": {
            "tenant": "0f8fad5b-d9cb-469f-a165-70867728950e",
            "team": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
            "channel": "19%3aabc%40thread.tacv2",
        }
    }
}
THRESHOLDS: Final = {"errors": 10, "latency": "2s", "cpu": 80, "memory": 80}
SHOP: Final = STOREFRONT | {
    "image": {"build": "./sample"},
    "traffic": {"hosts": ["shop.example.com"]},
    "metrics": {"port": 9464},
}
BY_NIGHT: Final = NIGHTLY | {"schedule": {"expression": "rate(1 day)"}}

OF_ALL: Final[Config] = {
    "cpu": 1024,
    "memory": 4096,
    "architecture": "X86_64",
    "environment": {"LEVEL": "info"},
    "secrets": {"DSN": PARAMETER},
    "ratio": 0.5,
    "instrumentation": {"language": "python", "image": f"{REGISTRY}/mirror/adot-python:v0.13.0"},
    "container": {
        "user": "1000:1000",
        "ulimits": {"nofile": {"soft": 65535, "hard": 1048576}},
        "stopTimeout": 90,
        "initProcess": True,
        "dropCapabilities": ["ALL"],
        "tmpfs": {"/tmp": 64},
        "workingDirectory": "/srv",
        "entryPoint": ["/bin/app"],
        "extra": {
            "dockerLabels": {"team": "shop"},
            "interactive": True,
            "pseudoTerminal": True,
            "repositoryCredentials": {"credentialsParameter": SECRET},
            "restartPolicy": {"enabled": True, "ignoredExitCodes": [0], "restartAttemptPeriod": 60},
            "startTimeout": 60,
            "systemControls": [{"namespace": "net.core.somaxconn", "value": "1024"}],
            "versionConsistency": "disabled",
        },
    },
    "volumes": {
        "cache": {"path": "/cache"},
        "data": {
            "path": "/data",
            "efs": {"fileSystemId": "fs-0123456789abcdef0", "accessPointId": "fsap-0123456789abcdef0"},
        },
        "media": {
            "path": "/media",
            "readOnly": True,
            "efs": {"fileSystemId": "fs-0123456789abcdef1", "rootDirectory": "/shop"},
        },
    },
    "logs": {
        "firelens": {
            "image": f"{REGISTRY}/team/router:1.2.0",
            "memory": 256,
            "essential": False,
            "configFile": "/fluent-bit/shop.conf",
            "options": {"Retry_Limit": "5"},
            "secretOptions": {"external_id": SECRET},
            "permissions": [
                {
                    "actions": ["firehose:PutRecordBatch"],
                    "resources": ["arn:aws:firehose:eu-west-1:123456789012:deliverystream/shop"],
                }
            ],
        }
    },
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
    "collector-logs",
    "events-logs",
    "grafana-folder",
    "grafana-workspace",
    "inventory-logs",
    "metrics-logs",
    "metrics-workspace",
    "network-vpc",
    "nightly-logs",
    "schedules-dead-letters",
    "scraper-logs",
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
            "scaling": {
                "min": 2,
                "max": 6,
                "cpu": 50,
                "memory": 60,
                "scaleInCooldown": 300,
                "scaleOutCooldown": 30,
            },
            "queue": 1024,
            "receivers": ["xray"],
            "additions": {"processors": {"attributes/large": {"actions": [LARGE]}}, "service": PIPED},
        },
        "metrics": {"retentionDays": 400, "intervalSeconds": 30, "maxSeries": 50_000, "toCloudwatch": True},
        "traces": {
            "rules": [
                {
                    "name": "health",
                    "ratio": 0,
                    "priority": 10,
                    "reservoir": 0,
                    "service": "storefront",
                    "method": "GET",
                    "path": "/healthz",
                }
            ],
            "indexedAttributes": ["shop.order"],
        },
        "destinations": [
            {
                "name": "partner",
                "endpoint": "https://otlp.example.com",
                "headers": {"key": SECRET},
                "signals": ["traces"],
            }
        ],
        "tags": {"team": "shop"},
        # Beside a collector of that size.
        "tasks": [BY_NIGHT | {"cpu": 2048, "memory": 8192}],
    },
    "the way to the collector": {"pattern": "service", "collector": {"discovery": "serviceConnect"}},
    "who is told, who looks, who may": {
        "collector": {"essential": True, "restart": False, "waitFor": "healthy"},
        "traces": {"ratio": 0.25, "endpoint": "otlp"},
        "alerts": {
            "thresholds": THRESHOLDS | {"queue": 60},
            "traces": True,
            "runbooks": "https://example.com/runbooks",
            "disabled": ["CollectorMemoryHigh"],
            "subscriptions": [
                EMAIL,
                TEAMS,
                SLACK | {"severity": "warning"},
                {"https": "https://example.com/integration/secret-key"},
                {"pagerduty": {"secretArn": SECRET, "secretKey": "key"}},
            ],
        },
        "grafana": {
            "admins": {"users": ["u-1"], "groups": ["g-1"]},
            "editors": {"users": ["u-2"], "groups": ["g-2"]},
            "viewers": {"users": ["u-3"], "groups": ["g-3"]},
            "dashboards": ["tests/components/team.json"],
            "networkAccess": {"prefixLists": ["pl-0123456789abcdef0"], "endpoints": ["vpce-0123456789abcdef0"]},
            "vpc": {"subnets": EXISTING["subnets"], "securityGroups": ["sg-0123456789abcdef0"]},
            "saml": {
                "metadata": {"url": "https://idp.example.com/metadata"},
                "assertions": {
                    "role": "role",
                    "name": "displayName",
                    "login": "mail",
                    "email": "mail",
                    "groups": "groups",
                    "org": "org",
                },
                "admins": ["platform"],
                "editors": ["developers"],
                "organizations": ["shop"],
            },
        },
        "identity": {"path": "/observability/", "permissionsBoundary": BOUNDARY},
        "logs": {"retentionDays": 3653, "fromApplications": True},
        "accounts": {
            "writers": {
                "roles": [TASK_ROLE],
                "organization": "o-a1b2c3d4e5",
                "externalId": "shop/1",
                "traces": True,
            }
        },
    },
    "components of a collector": {
        "collector": {
            "additions": {
                "extensions": {"zpages": {}},
                "receivers": {"otlp/second": {"protocols": {"http": {"endpoint": "127.0.0.1:4319"}}}},
                "exporters": {"debug": {}},
                "service": {
                    "extensions": ["zpages"],
                    "telemetry": {"logs": {"level": "warn"}},
                    "pipelines": {
                        "traces": {"exporters": ["debug"]},
                        "traces/second": {"receivers": ["otlp/second"], "exporters": ["debug"]},
                    },
                },
            }
        },
    },
    "another way to log in": {
        "grafana": {
            "saml": {
                "metadata": {"xml": "<EntityDescriptor/>"},
                "assertions": {"role": "role"},
                "editors": ["developers"],
            }
        },
    },
    "where it runs": {
        "pattern": "service",
        "network": {"private": True, "zones": 3, "egress": "nat", "nat": "perZone"},
        "ec2": {"instances": {"instanceType": "m7g.large", "min": 2, "max": 6, "volumeSize": 100}},
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
                "healthCheck": {
                    "command": ["CMD-SHELL", "true"],
                    "interval": 7,
                    "timeout": 3,
                    "retries": 2,
                    "startPeriod": 1,
                },
                "metrics": {"port": 9465, "path": "/shop/metrics"},
                "pattern": "service",
                "traffic": {
                    "hosts": ["shop.example.com"],
                    "paths": ["/shop/*"],
                    "healthCheck": {
                        "path": "/healthz",
                        "codes": "200-299",
                        "interval": 30,
                        "timeout": 10,
                        "healthy": 3,
                        "unhealthy": 4,
                        "grace": 120,
                    },
                    "drain": 5,
                },
                "rollout": {
                    "strategy": "linear",
                    "percent": 20,
                    "stepMinutes": 3,
                    "bakeMinutes": 0,
                    "errors": 1.5,
                    "testHeader": "X-Preview",
                    "pause": {"at": "beforeShift", "minutes": 45},
                },
                "scaling": {
                    "min": 2,
                    "max": 10,
                    "cpu": 50,
                    "memory": 75,
                    "scaleInCooldown": 120,
                    "scaleOutCooldown": 0,
                    "schedules": [MORNING],
                },
                "capacity": {"spotPercent": 50, "base": 2},
                "serviceConnect": {
                    "protocol": "http",
                    "requestTimeout": 30,
                    "idleTimeout": 600,
                    "accessLogs": True,
                },
                "objectives": {"availability": 99, "latency": {"target": 99, "threshold": "500ms"}},
                "alerts": {"thresholds": THRESHOLDS, "disabled": ["HighLatency"]},
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
                "schedule": {
                    "expression": "cron(30 2 * * ? *)",
                    "timeZone": "Europe/Berlin",
                    "flexibleMinutes": 15,
                    "retries": 5,
                    "maxAgeSeconds": 7200,
                    "enabled": False,
                },
                "pattern": "sidecar",
            }
        ],
    },
    "an application that takes its share": {
        "applications": [
            SHOP | {"scaling": {"max": 10, "cpu": None, "requestsPerTarget": 500}},
            INVENTORY
            | {
                "container": {"readOnlyRootFilesystem": True},
                "alerts": {"thresholds": {"queue": 60}},
            },
            {"name": "next", "image": "shop/next:1.0.0", "port": 8082}
            | {"traffic": {"split": {"of": "storefront", "percent": 10}}},
        ],
        "tasks": [
            BY_NIGHT,
            {"name": "sweep", "image": {"build": "./sample"}, "container": {"readOnlyRootFilesystem": True}},
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
    "aws:region": ({"aws:region": "eu-central-1"}, dict.fromkeys(sorted(HELD), "replaced by region")),
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
    "applications.metrics, the last taken out": (
        {"applications": [SHOP | {"metrics": None}, INVENTORY]},
        {"scraper-logs": "deleted"},
    ),
    "applications, one taken out": ({"applications": [SHOP]}, {"inventory-logs": "deleted"}),
    "applications.traffic, the last taken out": (
        {"applications": [SHOP | {"traffic": None}, INVENTORY], "loadBalancer": {}},
        {"traffic-access-bucket": "deleted"},
    ),
    "tasks.name": ({"tasks": [BY_NIGHT | {"name": "weekly"}]}, {"nightly-logs": "deleted"}),
    "tasks.schedule, the last taken out": ({"tasks": [NIGHTLY]}, {"schedules-dead-letters": "deleted"}),
    "tasks, all taken out for a tail, which they cannot have": (
        {"tasks": [], "pattern": "service", "traces": {"tail": {"ratio": 0.2, "slowerThanMs": 400, "waitSeconds": 5}}},
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
    "accounts.central": (
        {"accounts": {"central": CENTRAL | {"externalId": "shop/1", "traces": True}}, "grafana": {"enabled": False}},
        "accounts.central: ",
    ),
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
        said = {key for config in configs for key in _said(config)}
        assert _keys_of(Settings) - said == {"protect"}


def _keys_of(model: type[BaseModel], above: str = "") -> set[str]:
    """Keys of a stack file that hold no other keys, with those above them."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        key = f"{above}{field.alias or name}"
        inner = set[str]().union(*(_keys_of(one, f"{key}.") for one in _models(field.annotation)))
        found |= set() if key in _NOT_OF_THE_STACK else inner or {key}
    return found


_NOT_OF_THE_STACK: Final = {
    "collector.additions.connectors",
    "tasks.metrics",
}
"""What ADOT and a task do not have, in the end: both are refused."""

_BY_NAME: Final = {"volumes", "pipelines"}
"""Keys of maps whose own keys are names."""


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _models(each)


def _said(given: Config, above: str = "") -> Iterator[str]:
    for key, value in given.items():
        yield f"{above}{key}"
        held = list(value.values()) if key in _BY_NAME else value if isinstance(value, list) else [value]
        yield from (said for one in held if isinstance(one, Mapping) for said in _said(one, f"{above}{key}."))
