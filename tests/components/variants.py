"""The program itself, recorded for stacks of many kinds. A recording is made once for each process."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import settings
from preview.recorder import Recording, Resource, record

ROOT = Path(__file__).resolve().parents[2]

SERVICE = "aws:ecs/service:Service"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
DISCOVERY = "aws:servicediscovery/service:Service"

STOREFRONT = {"name": "storefront", "image": "shop/storefront:1.4.2", "port": 8080}
INVENTORY = {"name": "inventory", "image": "shop/inventory:2.0.0", "port": 9090}
DIGEST = f"sha256:{'0' * 64}"
REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"
PARAMETER = "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/dsn"
BOUNDARY = "arn:aws:iam::123456789012:policy/limits"


def one(**more: Any) -> dict[str, Any]:
    """A stack with one application, which has `more` keys."""
    return {"applications": [STOREFRONT | more]}


VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "defaults": one(),
    "cloud-map": {"pattern": "service", **one()},
    "service-connect": {"pattern": "service", "collector": {"discovery": "serviceConnect"}, **one()},
    "mixed": {"applications": [STOREFRONT, INVENTORY | {"pattern": "service"}]},
    "mixed-service-connect": {
        "pattern": "service",
        "collector": {"discovery": "serviceConnect"},
        "applications": [STOREFRONT | {"pattern": "sidecar"}, INVENTORY],
    },
    "alerts": {
        "alerts": {
            "traces": True,
            "subscriptions": [
                {"email": "people@example.com"},
                {"https": "https://example.com/integration/secret-key", "severity": "critical"},
                {"chat": {"slack": {"workspace": "T0123ABCD", "channel": "C0123ABCD"}}, "severity": "warning"},
                {
                    "chat": {
                        "teams": {
                            "tenant": "0f8fad5b-d9cb-469f-a165-70867728950e",
                            "team": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
                            "channel": "19%3aabc%40thread.tacv2",
                        }
                    }
                },
                {"pagerduty": {"secretArn": SECRET}, "severity": "critical"},
            ],
        },
        "pattern": "service",
        **one(desiredCount=2),
    },
    "grafana-off": {"grafana": {"enabled": False}, **one()},
    "grafana": {
        "grafana": {
            "admins": {"users": ["u-1", "u-2"]},
            "editors": {"groups": ["g-1"]},
            "viewers": {"users": ["u-3"], "groups": ["g-2"]},
            "dashboards": ["tests/components/team.json"],
        },
        **one(),
    },
    "essential": {"collector": {"essential": True, "restart": False}, **one()},
    "wait-for-healthy": {"collector": {"waitFor": "healthy", "cpu": 128, "memory": 768}, **one()},
    "sized-collector": {"pattern": "service", "collector": {"cpu": 1024, "memory": 4096, "desiredCount": 4}, **one()},
    "x86": {
        "applications": [
            STOREFRONT
            | {
                "architecture": "X86_64",
                "cpu": 1024,
                "memory": 3072,
                "desiredCount": 3,
                "command": ["serve", "--fast"],
            },
            INVENTORY | {"architecture": "X86_64", "image": {"build": "./sample"}},
        ]
    },
    "ecr": {
        "collector": {
            "image": f"{REGISTRY}/mirror/adot:v0.49.0@{DIGEST}",
            "drainImage": f"{REGISTRY}/mirror/busybox:1.37.0",
        },
        "applications": [
            STOREFRONT | {"image": f"{REGISTRY}/team/shop:1.4.2"},
            INVENTORY | {"image": f"{REGISTRY}/team/stock@{DIGEST}", "pattern": "service"},
        ],
    },
    "secrets": one(
        environment={"LEVEL": "info", "OTEL_SERVICE_NAME": "shopfront", "OTEL_RESOURCE_ATTRIBUTES": "team=web"},
        secrets={"DB_PASSWORD": f"{SECRET}:password::", "DSN": PARAMETER, "DB_USER": f"{SECRET}:user::"},
        healthCheck={"command": ["CMD-SHELL", "true"], "interval": 7, "timeout": 3, "retries": 2, "startPeriod": 1},
    ),
    "governed": {
        "identity": {"path": "/observability/", "permissionsBoundary": BOUNDARY},
        "tags": {"team": "shop", "cost centre": "4711/eu"},
        "applications": [STOREFRONT | {"image": {"build": "./sample"}}, INVENTORY | {"pattern": "service"}],
    },
    "limits": {
        "metrics": {"maxSeries": 50000, "retentionDays": 400, "intervalSeconds": 30},
        "logs": {"retentionDays": 3653},
        "network": {"cidr": "172.20.0.0/20", "zones": 3},
        **one(),
    },
    "otlp-traces": {"traces": {"endpoint": "otlp"}, **one()},
    "otlp-traces-service": {"pattern": "service", "traces": {"endpoint": "otlp"}, **one()},
    "sampled": {
        "traces": {"ratio": 0.25, "indexedAttributes": ["shop.order"]},
        "applications": [STOREFRONT, INVENTORY | {"pattern": "service", "ratio": 1}],
    },
    "sampling-rules": {
        "collector": {"receivers": ["xray"]},
        "traces": {"rules": [{"name": "health", "ratio": 0, "reservoir": 0, "path": "/healthz", "priority": 10}]},
        "applications": [STOREFRONT, INVENTORY | {"pattern": "service"}],
    },
    "receivers": {
        "collector": {"receivers": ["xray", "statsd", "zipkin"]},
        "applications": [STOREFRONT, INVENTORY | {"pattern": "service"}],
    },
    "zipkin-service-connect": {
        "pattern": "service",
        "collector": {"receivers": ["zipkin"], "discovery": "serviceConnect"},
        **one(),
    },
    "scraped": {
        "applications": [
            STOREFRONT | {"metrics": {"port": 9464}},
            INVENTORY | {"pattern": "service", "metrics": {"port": 9090, "path": "/stock/metrics"}},
        ]
    },
    "tail-sampling": {"pattern": "service", "traces": {"tail": {"ratio": 0.2, "slowerThanMs": 400}}, **one()},
    "own-additions": {
        "collector": {
            "additions": {
                "exporters": {"debug": {}},
                # Too large for a task definition.
                "processors": {
                    "attributes/large": {"actions": [{"key": "x" * 50_000, "value": "", "action": "insert"}]}
                },
                "service": {
                    "pipelines": {"traces": {"processors": ["attributes/large"], "exporters": ["debug"]}},
                },
            }
        },
        "applications": [STOREFRONT, INVENTORY | {"pattern": "service"}],
    },
    "gov-cloud": {"aws:region": "us-gov-west-1", "pattern": "service", **one()},
}
"""The whole configuration of each stack, but for keys that keep their defaults."""

STACKS = ("dev", "prod", *VARIANTS)
"""The stacks of this project, and the variants."""


def program(config: Mapping[str, Any], *, preview: bool = False) -> Recording:
    """The program recorded with `config` in place of everything that the stack file of `dev` says."""
    nothing = dict.fromkeys(settings.Settings.model_fields)
    return record(ROOT, "dev", config=nothing | dict(config), preview=preview)


@functools.cache
def recorded(stack: str, *, preview: bool = False) -> Recording:
    """The recording of a variant, or of one of this project's own stacks."""
    if stack in VARIANTS:
        return program(VARIANTS[stack], preview=preview)
    return record(ROOT, stack, preview=preview)


def names_of(recording: Recording, urns: tuple[str, ...]) -> set[str]:
    """The names of resources by their URNs."""
    return {recording.by_urn(urn).name for urn in urns}


def containers(recording: Recording, name: str) -> dict[str, dict[str, Any]]:
    """The container definitions of a task definition, by name."""
    definitions = json.loads(recording.named(TASK, name).inputs["containerDefinitions"])
    return {container["name"]: container for container in definitions}


def environment(container: Mapping[str, Any]) -> dict[str, str]:
    """The environment variables of a container."""
    return {pair["name"]: pair["value"] for pair in container["environment"]}


def statements(recording: Recording, name: str) -> list[dict[str, Any]]:
    """What the role policy of that name grants."""
    return json.loads(recording.named(ROLE_POLICY, name).inputs["policy"])["Statement"]


def untagged(resource: Resource) -> dict[str, Any]:
    """The inputs of a resource but for its tags, which one test judges for all."""
    return {key: value for key, value in resource.inputs.items() if key != "tags"}


def service_inputs(name: str, *groups: str, **more: Any) -> dict[str, Any]:
    """The inputs of an ECS service in a stack of two zones: what all services share, its groups, and `more`."""
    return {
        "name": name,
        "cluster": "<cluster-cluster.arn>",
        "taskDefinition": f"<{name}-definition.arn>",
        "desiredCount": 1,
        "launchType": "FARGATE",
        "networkConfiguration": {
            "subnets": ["<network-public-0.id>", "<network-public-1.id>"],
            "securityGroups": [f"<{group}.id>" for group in groups],
            "assignPublicIp": True,
        },
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        "deploymentMinimumHealthyPercent": 100,
        "deploymentMaximumPercent": 200,
        "availabilityZoneRebalancing": "ENABLED",
        "enableEcsManagedTags": True,
        "propagateTags": "SERVICE",
        "waitForSteadyState": True,
    } | more
