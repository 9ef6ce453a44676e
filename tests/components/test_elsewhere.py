"""Partners and CloudWatch on recorded stacks: who reads which secret, who may write to which log group."""

import functools
from typing import Any

import pytest

from preview.recorder import Recording
from preview.summary import summary
from tests.components.variants import (
    INVENTORY,
    PARAMETER,
    SECRET,
    STOREFRONT,
    containers,
    environment,
    program,
    statements,
)

# Each test records a whole program, which takes a second or two.
pytestmark = pytest.mark.slow

LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
VARIABLES = [
    {"name": "DESTINATION_HEADER_ACME_API_KEY", "valueFrom": f"{SECRET}:key::"},
    {"name": "DESTINATION_HEADER_ACME_DATASET", "valueFrom": PARAMETER},
]


@functools.cache
def stack() -> Recording:
    return program(
        {
            "destinations": [
                {
                    "name": "acme",
                    "endpoint": "https://otlp.example.com",
                    "headers": {"api-key": f"{SECRET}:key::", "dataset": PARAMETER},
                }
            ],
            "metrics": {"toCloudwatch": True},
            "logs": {"fromApplications": True, "retentionDays": 7},
            "applications": [STOREFRONT, INVENTORY | {"pattern": "service"}],
        }
    )


def named(found: list[dict[str, Any]], *sids: str) -> list[dict[str, Any]]:
    return [one for one in found if one["Sid"] in sids]


@pytest.mark.parametrize("service", ["storefront", "collector"])
def test_only_the_collector_that_delivers_has_the_secrets(service: str) -> None:
    found = containers(stack(), f"{service}-definition")
    assert found["collector"]["secrets"] == VARIABLES
    others = [container for name, container in found.items() if name != "collector"]
    assert [container.get("secrets") or [] for container in others] == [[]] * len(others)


@pytest.mark.parametrize("service", ["storefront", "collector"])
def test_the_execution_role_reads_exactly_these(service: str) -> None:
    assert named(statements(stack(), f"{service}-execution-policy"), "ReadSecrets", "ReadParameters") == [
        {"Sid": "ReadSecrets", "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": [SECRET]},
        {"Sid": "ReadParameters", "Effect": "Allow", "Action": "ssm:GetParameters", "Resource": [PARAMETER]},
    ]


def test_an_application_of_the_service_pattern_reads_no_secret_of_a_partner() -> None:
    assert named(statements(stack(), "inventory-execution-policy"), "ReadSecrets", "ReadParameters") == []


@pytest.mark.parametrize("service", ["storefront", "collector"])
def test_collectors_write_to_the_log_groups_of_telemetry_only(service: str) -> None:
    assert named(statements(stack(), f"{service}-task-policy"), "WriteTelemetryLogs") == [
        {
            "Sid": "WriteTelemetryLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": ["<cloudwatch-metrics.arn>:*", "<cloudwatch-logs.arn>:*"],
        }
    ]


def test_the_log_groups_have_the_retention_of_the_stack() -> None:
    groups = {one.name: one.inputs for one in stack().of_type(LOG_GROUP)}
    assert {
        name: (groups[name]["name"], groups[name]["retentionInDays"]) for name in groups if "cloudwatch" in name
    } == {
        "cloudwatch-metrics": ("/ecs/ecs-observability-dev/telemetry/metrics", 7),
        "cloudwatch-logs": ("/ecs/ecs-observability-dev/telemetry/logs", 7),
    }


@pytest.mark.parametrize("application", ["storefront", "inventory"])
def test_applications_are_told_where_logs_go(application: str) -> None:
    def exporter(recording: Recording) -> str:
        return environment(containers(recording, f"{application}-definition")[application])["OTEL_LOGS_EXPORTER"]

    without = program({"applications": [STOREFRONT, INVENTORY | {"pattern": "service"}]})
    assert (exporter(stack()), exporter(without)) == ("otlp", "none")


def test_the_summary_names_destinations_and_who_reads_secrets() -> None:
    text = summary(stack())
    assert "acme https://otlp.example.com" in text
    assert '"CloudWatch"' in text
    assert text.count("secrets `DESTINATION_HEADER_ACME_API_KEY`, `DESTINATION_HEADER_ACME_DATASET`") == 2
    assert text.count(f"`secretsmanager:GetSecretValue` on `{SECRET}`") == 2
