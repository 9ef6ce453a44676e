"""The program itself, recorded for stacks of many kinds. A recording is made once for each process."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import settings
from preview.recorder import Recording, Resource, record
from preview.stack import stack_files

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
NIGHTLY = {"name": "nightly", "image": "shop/nightly:1.0.0"}
DIGEST = f"sha256:{'0' * 64}"
REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"
PARAMETER = "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/dsn"
KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CLUSTER_ARN = "arn:aws:ecs:eu-west-1:123456789012:cluster/shared"
WORKSPACE_ID = "ws-12345678-1234-1234-1234-123456789012"
TASK_ROLE = "arn:aws:iam::123456789012:role/shop/storefront"
EXECUTION_ROLE = "arn:aws:iam::123456789012:role/ecs-execution"
GRAFANA_ID = "g-1234567890"
CENTRAL_WORKSPACE = f"arn:aws:aps:eu-west-1:123456789012:workspace/{WORKSPACE_ID}"
CENTRAL_ROLE = "arn:aws:iam::123456789012:role/observability/shop-writer"
CENTRAL = {"workspace": CENTRAL_WORKSPACE, "role": CENTRAL_ROLE}
NO_GRAFANA: Mapping[str, Any] = {"grafana": {"enabled": False}}
LARGE = {"key": "x" * 50_000, "value": "", "action": "insert"}
PIPED = {"pipelines": {"traces": {"processors": ["attributes/large"]}}}
MORNING = {
    "name": "morning",
    "schedule": "cron(0 7 ? * MON-FRI *)",
    "timeZone": "Europe/Berlin",
    "min": 4,
    "max": 20,
}
SALE = {"name": "sale", "schedule": "at(2027-11-26T00:00:00)", "min": 10, "max": 40}
SECRET_NEAR = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf"
PARAMETER_NEAR = "arn:aws:ssm:eu-central-1:123456789012:parameter/shop/dsn"
MIRRORED = {"image": f"{REGISTRY}/mirror/adot:v0.49.0", "drainImage": f"{REGISTRY}/mirror/busybox:1.37.0"}
CLOSED: Mapping[str, Any] = {
    "aws:region": "eu-central-1",
    "network": {"private": True, "egress": "endpoints"},
    "collector": MIRRORED,
}
EXISTING: Mapping[str, Any] = {
    "vpc": "vpc-0123456789abcdef0",
    "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
}
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0f8fad5b-d9cb-469f-a165-70867728950e"
LISTENER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shared/50dc6c495c0c9188/f2f7dc8efc522ab2"
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
    "grafana-closed": {
        "grafana": {
            "admins": {"groups": ["g-1"]},
            "networkAccess": {"prefixLists": ["pl-0123456789abcdef0"], "endpoints": ["vpce-0123456789abcdef0"]},
            "vpc": {
                "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
                "securityGroups": ["sg-0123456789abcdef0"],
            },
            "saml": {
                "metadata": {"url": "https://idp.example.com/metadata"},
                "assertions": {"role": "role", "name": "displayName", "login": "mail", "email": "mail", "org": "org"},
                "admins": ["platform"],
                "editors": ["developers", "operators"],
                "organizations": ["shop"],
            },
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
    "encrypted": {
        "encryption": {"key": "made"},
        "logs": {"fromApplications": True},
        # Its configuration travels by a bucket.
        "collector": {"additions": {"processors": {"attributes/large": {"actions": [LARGE]}}, "service": PIPED}},
        **one(),
    },
    "encrypted-service": {
        "pattern": "service",
        "encryption": {"key": KEY_ARN},
        "alerts": {"traces": True},
        **one(metrics={"port": 9464}),
    },
    "scaled": {
        "collector": {"scaling": {"max": 6}},
        "applications": [
            STOREFRONT
            | {
                "pattern": "service",
                "desiredCount": 3,
                "scaling": {"min": 2, "max": 10, "memory": 75, "schedules": [MORNING, SALE]},
                "capacity": {"spotPercent": 75, "base": 2},
            },
            INVENTORY | {"scaling": {"max": 4, "cpu": 50, "scaleOutCooldown": 0, "scaleInCooldown": 120}},
        ],
    },
    "instrumented": {
        "applications": [
            STOREFRONT | {"instrumentation": "python", "environment": {"PYTHONPATH": "/srv/app"}},
            INVENTORY
            | {
                "pattern": "service",
                "instrumentation": {"language": "dotnet", "image": f"{REGISTRY}/mirror/adot-dotnet:v1.14.0"},
                "volumes": {"cache": {"path": "/cache"}},
            },
            {"name": "payments", "image": "shop/payments:1.0.0", "port": 8081, "instrumentation": "java"},
            {
                "name": "basket",
                "image": "shop/basket:1.0.0",
                "port": 8082,
                "architecture": "X86_64",
                "instrumentation": "node",
                "container": {"readOnlyRootFilesystem": True},
            },
        ]
    },
    "scaled-by-requests": {
        "loadBalancer": {"certificateArn": CERTIFICATE},
        # To cfn-lint, which sees all variants in one template, bounds of one service may stand there once.
        **one(
            name="checkout",
            traffic={"hosts": ["shop.example.com"]},
            scaling={"max": 10, "cpu": None, "requestsPerTarget": 500},
        ),
    },
    "spot": one(architecture="X86_64", capacity={"spotPercent": 100, "base": 0}),
    "containers": {
        "applications": [
            STOREFRONT
            | {
                "container": {
                    "readOnlyRootFilesystem": True,
                    "user": "1000:1000",
                    "ulimits": {"nofile": {"soft": 65535, "hard": 1048576}},
                    "stopTimeout": 90,
                    "dropCapabilities": ["ALL"],
                    "tmpfs": {"/tmp": 64},
                    "workingDirectory": "/srv",
                    "entryPoint": ["/bin/app"],
                    "extra": {
                        "dockerLabels": {"team": "shop"},
                        "repositoryCredentials": {"credentialsParameter": SECRET},
                        "restartPolicy": {"enabled": True, "ignoredExitCodes": [0]},
                        "systemControls": [{"namespace": "net.core.somaxconn", "value": "1024"}],
                    },
                },
                "volumes": {
                    "data": {
                        "path": "/data",
                        "efs": {"fileSystemId": "fs-0123456789abcdef0", "accessPointId": "fsap-0123456789abcdef0"},
                    },
                    "media": {
                        "path": "/media",
                        "readOnly": True,
                        "efs": {"fileSystemId": "fs-0123456789abcdef1", "rootDirectory": "/shop"},
                    },
                    "scratch": {"path": "/var/cache/app"},
                },
                "ephemeralStorage": 50,
            },
            INVENTORY | {"pattern": "service", "exec": True},
        ]
    },
    "private": {"network": {"private": True}, "applications": [STOREFRONT, INVENTORY | {"pattern": "service"}]},
    "private-zones": {"network": {"private": True, "nat": "perZone", "zones": 3, "cidr": "10.9.0.0/24"}, **one()},
    "closed": CLOSED
    | one(image=f"{REGISTRY}/team/shop:1.4.2")
    | {"tasks": [{"name": "sweep", "image": {"build": "./sample"}}]},
    "closed-with-all": CLOSED
    | {
        "collector": MIRRORED | {"receivers": ["xray", "statsd"]},
        "metrics": {"toCloudwatch": True},
        "logs": {"fromApplications": True},
        "traces": {"endpoint": "otlp", "tail": {"ratio": 0.2}},
        "pattern": "service",
        "applications": [
            STOREFRONT
            | {"image": {"build": "./sample"}, "metrics": {"port": 9464}, "exec": True}
            | {"secrets": {"PASSWORD": SECRET_NEAR, "DSN": PARAMETER_NEAR}},
            INVENTORY | {"image": f"{REGISTRY}/team/stock@{DIGEST}"},
        ],
    },
    "existing-network": {"network": EXISTING, **one()},
    "existing-private-network": {"network": EXISTING | {"private": True}, "pattern": "service", **one()},
    "existing": {
        "existing": {"cluster": "shared", "metrics": WORKSPACE_ID, "grafana": GRAFANA_ID},
        "grafana": {"dashboards": ["tests/components/team.json"]},
        **one(),
    },
    "existing-roles": {
        "applications": [
            STOREFRONT | {"taskRole": TASK_ROLE, "executionRole": EXECUTION_ROLE, "secrets": {"DSN": PARAMETER}},
            INVENTORY | {"pattern": "service", "executionRole": EXECUTION_ROLE},
        ]
    },
    "existing-service": {
        "pattern": "service",
        "existing": {"cluster": CLUSTER_ARN, "metrics": WORKSPACE_ID, "rules": True},
        "metrics": {"toCloudwatch": True},
        "logs": {"fromApplications": True},
        **one(metrics={"port": 9464}),
    },
    "balanced": {
        "loadBalancer": {"certificateArn": CERTIFICATE, "deletionProtection": True},
        "applications": [
            STOREFRONT | {"traffic": {"hosts": ["shop.example.com"]}},
            INVENTORY
            | {
                "pattern": "service",
                "traffic": {
                    "hosts": ["*.example.com"],
                    "paths": ["/stock/*", "/stock"],
                    "healthCheck": {"path": "/healthz", "codes": "200-299", "interval": 30, "grace": 120},
                    "drain": 5,
                },
                "rollout": "rolling",
            },
        ],
    },
    "balanced-in-a-zone": {
        "loadBalancer": {
            "internal": True,
            "clients": ["10.1.0.0/16", "10.2.0.0/16"],
            "accessLogs": False,
            "certificate": {
                "domain": "example.com",
                "alternatives": ["*.example.com", "example.org"],
                "zone": "Z0123456789ABCDEFGHIJ",
            },
        },
        **one(traffic={"hosts": ["shop.example.com", "*.example.com"]}),
    },
    "balanced-by-another": {
        "loadBalancer": {"existing": {"listenerArn": LISTENER, "securityGroupId": "sg-0123456789abcdef0"}},
        **one(traffic={"paths": ["/shop/*"], "priority": 100}, rollout="blueGreen"),
    },
    "split": {
        "loadBalancer": {"certificateArn": CERTIFICATE, "accessLogs": False},
        "applications": [
            INVENTORY | {"traffic": {"split": {"of": "storefront", "percent": 10}, "drain": 10}, "rollout": "rolling"},
            STOREFRONT | {"traffic": {"hosts": ["shop.example.com"]}},
        ],
    },
    "rollouts": {
        "pattern": "service",
        "loadBalancer": {"certificateArn": CERTIFICATE},
        "applications": [
            STOREFRONT | {"traffic": {"hosts": ["shop.example.com"]}, "rollout": "canary"},
            INVENTORY
            | {
                "traffic": {"hosts": ["stock.example.com"]},
                "rollout": {
                    "strategy": "linear",
                    "percent": 20,
                    "stepMinutes": 3,
                    "bakeMinutes": 0,
                    "errors": 1.5,
                    "testHeader": "X-Preview",
                    "pause": {"at": "beforeShift", "minutes": 45},
                },
            },
        ],
    },
    "central": {"accounts": {"central": CENTRAL}, "tasks": [NIGHTLY], **NO_GRAFANA, **one(taskRole=TASK_ROLE)},
    "central-service": {
        "pattern": "service",
        "accounts": {"central": CENTRAL | {"externalId": "shop/1", "traces": True}},
        **NO_GRAFANA,
        **one(metrics={"port": 9464}),
    },
    "central-closed": CLOSED
    | {
        "accounts": {
            "central": CENTRAL | {"workspace": CENTRAL_WORKSPACE.replace("eu-west-1", "eu-central-1"), "traces": True}
        },
        "traces": {"endpoint": "otlp"},
        "identity": {"path": "/observability/"},
    }
    | NO_GRAFANA
    | one(image=f"{REGISTRY}/team/shop:1.4.2"),
    "writers": {
        "accounts": {
            "writers": {
                "roles": [
                    "arn:aws:iam::123456789012:role/observability/ecs-observability-prod-*-task",
                    "arn:aws:iam::123456789012:role/shop/storefront",
                ],
                "organization": "o-a1b2c3d4e5",
                "externalId": "shop/1",
                "traces": True,
            }
        },
        **one(),
    },
    "tasks": {
        "pattern": "service",
        "collector": {"discovery": "serviceConnect"},
        "applications": [STOREFRONT],
        "tasks": [
            NIGHTLY
            | {
                "command": ["report", "--yesterday"],
                "secrets": {"DSN": PARAMETER},
                "ephemeralStorage": 40,
                "schedule": {
                    "expression": "cron(30 2 * * ? *)",
                    "timeZone": "Europe/Berlin",
                    "flexibleMinutes": 15,
                    "retries": 5,
                    "maxAgeSeconds": 7200,
                },
            },
            {
                "name": "sweep",
                "image": {"build": "./sample"},
                "schedule": {"expression": "rate(5 minutes)", "enabled": False},
            },
            {"name": "migrate", "image": "shop/migrate:3.0.1", "exec": True, "volumes": {"out": {"path": "/out"}}},
        ],
    },
    "encrypted-tasks": {
        "encryption": {"key": "made"},
        "applications": [STOREFRONT],
        # To cfn-lint, which sees all variants in one template, schedules of one name may stand there once.
        "tasks": [NIGHTLY | {"name": "weekly", "schedule": {"expression": "rate(7 days)"}, "logs": "firelens"}],
    },
    "connected": {
        "pattern": "service",
        "collector": {"discovery": "serviceConnect"},
        "loadBalancer": {"certificateArn": CERTIFICATE},
        "applications": [
            STOREFRONT
            | {
                "serviceConnect": {},
                "traffic": {"hosts": ["shop.example.com"]},
                "rollout": "canary",
                "environment": {"STOCK": "http://inventory.dev.ecs-observability.internal:9090"},
            },
            INVENTORY
            | {
                "pattern": "sidecar",
                "cpu": 512,
                "serviceConnect": {
                    "protocol": "grpc",
                    "requestTimeout": 0,
                    "idleTimeout": 600,
                    "accessLogs": True,
                },
            },
            {"name": "cache", "image": "shop/cache:7.2", "port": 6379, "serviceConnect": {"protocol": "tcp"}},
        ],
    },
    "routed-logs": {
        "applications": [
            STOREFRONT | {"logs": "firelens"},
            INVENTORY
            | {
                "pattern": "service",
                "instrumentation": "python",
                "exec": True,
                "logs": {
                    "group": "/shop/stock",
                    "firelens": {
                        "image": f"{REGISTRY}/team/router:1.2.0",
                        "memory": 256,
                        "essential": False,
                        "configFile": "/fluent-bit/shop.conf",
                        "options": {"Retry_Limit": "5", "log-driver-buffer-limit": "2097152"},
                    },
                },
            },
            {
                "name": "payments",
                "image": "shop/payments:1.0.0",
                "port": 8081,
                "logs": {
                    "firelens": {
                        "options": {"Name": "firehose", "region": "eu-west-1", "delivery_stream": "shop"},
                        "secretOptions": {"external_id": SECRET},
                        "permissions": [
                            {
                                "actions": ["firehose:PutRecordBatch"],
                                "resources": ["arn:aws:firehose:eu-west-1:123456789012:deliverystream/shop"],
                            }
                        ],
                    }
                },
            },
        ],
    },
    "closed-routed-logs": CLOSED
    | one(
        image=f"{REGISTRY}/team/shop:1.4.2",
        logs={
            "group": "/shop/storefront",
            "firelens": {
                "image": f"{REGISTRY}/mirror/aws-for-fluent-bit:3.4.16",
                "permissions": [
                    {
                        "actions": ["firehose:PutRecordBatch"],
                        "resources": ["arn:aws:firehose:eu-central-1:123456789012:deliverystream/shop"],
                    }
                ],
            },
        },
    ),
    "instances": {
        "network": {"private": True},
        "ec2": {"instances": {"instanceType": "m7g.large", "max": 6}},
        "collector": {"compute": "ec2"},
        "applications": [
            STOREFRONT | {"compute": "ec2", "instrumentation": "python", "volumes": {"cache": {"path": "/cache"}}},
            INVENTORY | {"pattern": "service", "compute": "ec2", "metrics": {"port": 9464}, "desiredCount": 3},
            {"name": "payments", "image": "shop/payments:1.0.0", "port": 8081, "capacity": {"spotPercent": 50}}
            | {"desiredCount": 4},
        ],
    },
    "instances-x86": {
        "network": {"private": True},
        "ec2": {"instances": {"instanceType": "m7i-flex.large", "min": 0, "max": 3, "volumeSize": 100}},
        "identity": {"path": "/observability/", "permissionsBoundary": BOUNDARY},
        "encryption": {"key": "made"},
        "loadBalancer": {"certificateArn": CERTIFICATE},
        **one(
            architecture="X86_64",
            compute="ec2",
            traffic={"hosts": ["shop.example.com"]},
            rollout="canary",
            exec=True,
        ),
    },
    "existing-instances": {
        "network": EXISTING | {"private": True},
        "existing": {"cluster": "shared"},
        "ec2": {"existing": {"name": "shared-instances", "architecture": "X86_64"}},
        "pattern": "service",
        "collector": {"compute": "ec2", "discovery": "serviceConnect"},
        **one(compute="ec2", architecture="X86_64", metrics={"port": 9464}),
    },
    "gov-cloud": {"aws:region": "us-gov-west-1", "pattern": "service", **one()},
}
"""The whole configuration of each stack, but for keys that keep their defaults."""

EXAMPLES = tuple(sorted(set(stack_files(ROOT)) - {"dev", "prod"}))
"""The stacks of `examples/`."""

STACKS = ("dev", "prod", *EXAMPLES, *VARIANTS)
"""The stacks of this project, its examples, and the variants."""


def program(config: Mapping[str, Any], *, preview: bool = False) -> Recording:
    """The program recorded with `config` in place of everything that the stack file of `dev` says."""
    nothing = dict.fromkeys(settings.KEYS)
    return record(ROOT, "dev", config=nothing | dict(config), preview=preview)


@functools.cache
def recorded(stack: str, *, preview: bool = False) -> Recording:
    """The recording of a variant, or of a stack of this project or its examples."""
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
