"""IAM policies: exact statements, judged by parliament."""

import json

import parliament
import pytest

from documents import policies

WORKSPACE = "arn:aws:aps:eu-west-1:123456789012:workspace/ws-12345678-abcd-1234-abcd-123456789012"
LOGS = "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/shop-dev/storefront"
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop-dev/storefront"


def findings(document: policies.Policy) -> list[str]:
    found = parliament.analyze_policy_string(json.dumps(document)).findings
    return [f"{finding.issue}: {finding.detail}" for finding in found]


def test_tasks_trust() -> None:
    assert policies.tasks_trust(partition="aws", region="eu-west-1", account="123456789012") == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": "123456789012"},
                    "ArnLike": {"aws:SourceArn": "arn:aws:ecs:eu-west-1:123456789012:*"},
                },
            }
        ],
    }


def test_grafana_trust() -> None:
    [statement] = policies.grafana_trust(partition="aws", region="eu-west-1", account="123456789012")["Statement"]
    assert statement["Principal"] == {"Service": "grafana.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:grafana:eu-west-1:123456789012:/workspaces/*"},
    }


def test_a_collector_may_write_telemetry_and_nothing_else() -> None:
    document = policies.policy(policies.telemetry_write(WORKSPACE))
    assert document["Statement"] == [
        {"Sid": "WriteMetrics", "Effect": "Allow", "Action": "aps:RemoteWrite", "Resource": WORKSPACE},
        {
            "Sid": "WriteTraces",
            "Effect": "Allow",
            "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
            "Resource": "*",
        },
    ]
    assert findings(document) == []


def test_execution_names_only_what_the_task_names() -> None:
    document = policies.policy(
        policies.execution(
            repositories=["arn:aws:ecr:eu-west-1:123456789012:repository/shop-dev/storefront"],
            log_group_arn=LOGS,
            secrets=[
                "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf:password::",
                "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/dsn",
            ],
        )
    )
    assert document["Statement"] == [
        {
            "Sid": "WriteLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"{LOGS}:*",
        },
        {"Sid": "LogInToRegistry", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {
            "Sid": "PullImages",
            "Effect": "Allow",
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": ["arn:aws:ecr:eu-west-1:123456789012:repository/shop-dev/storefront"],
        },
        {
            "Sid": "ReadSecrets",
            "Effect": "Allow",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"],
        },
        {
            "Sid": "ReadParameters",
            "Effect": "Allow",
            "Action": "ssm:GetParameters",
            "Resource": ["arn:aws:ssm:eu-west-1:123456789012:parameter/shop/dsn"],
        },
    ]
    assert findings(document) == []


def test_public_images_and_no_secrets_need_logs_only() -> None:
    statements = policies.execution(repositories=(), log_group_arn=LOGS, secrets=())
    assert [statement["Sid"] for statement in statements] == ["WriteLogs"]


def test_grafana_reads_one_workspace() -> None:
    events = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/ecs/containerinsights/shop-dev/performance"
    document = policies.policy(policies.grafana_read(WORKSPACE, events))
    assert {statement["Sid"]: statement["Resource"] for statement in document["Statement"]} == {
        "QueryMetrics": WORKSPACE,
        "ReadTraces": "*",
        "ReadCloudWatch": "*",
        "ReadTaskEvents": f"{events}:*",
    }
    assert findings(document) == []


@pytest.mark.parametrize(
    ("image", "arn"),
    [
        (f"{ECR}:1", "arn:aws:ecr:eu-west-1:123456789012:repository/shop-dev/storefront"),
        (f"{ECR}@sha256:{'0' * 64}", "arn:aws:ecr:eu-west-1:123456789012:repository/shop-dev/storefront"),
        ("public.ecr.aws/x/y:1", None),
        ("nginx:1", None),
    ],
)
def test_repository_of_an_image(image: str, arn: str | None) -> None:
    assert policies.repository_arn(image, "aws") == arn
