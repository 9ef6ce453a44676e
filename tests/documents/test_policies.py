"""IAM policies: exact statements, judged by parliament."""

import json

import parliament
import pytest

from documents import policies
from documents.signals import Receiver, TraceEndpoint, Traces

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


def test_x_rays_otlp_endpoint_has_permissions_of_its_own() -> None:
    document = policies.policy(policies.telemetry_write(WORKSPACE, Traces(endpoint=TraceEndpoint.OTLP)))
    assert document["Statement"][1]["Action"] == ["xray:PutSpans", "xray:PutSpansForIndexing", "xray:PutTraceSegments"]
    assert findings(document) == []


def test_a_front_may_find_the_collectors_of_its_own_service_only() -> None:
    document = policies.policy(policies.find_peers("dev.shop.internal", "collector"))
    assert document["Statement"] == [
        {
            "Sid": "FindCollectors",
            "Effect": "Allow",
            "Action": "servicediscovery:DiscoverInstances",
            "Resource": "*",
            "Condition": {
                "StringEquals": {
                    "servicediscovery:NamespaceName": "dev.shop.internal",
                    "servicediscovery:ServiceName": "collector",
                }
            },
        }
    ]
    assert findings(document) == []


def test_a_collector_may_write_telemetry_and_nothing_else() -> None:
    document = policies.policy(policies.telemetry_write(WORKSPACE, Traces()))
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


def test_sampling_rules_are_asked_for_where_sdks_may_ask() -> None:
    assert policies.sampling_rules([Receiver.ZIPKIN]) == []
    granted = policies.sampling_rules([Receiver.XRAY])
    assert granted == [
        {
            "Sid": "ReadSamplingRules",
            "Effect": "Allow",
            "Action": ["xray:GetSamplingRules", "xray:GetSamplingTargets"],
            "Resource": "*",
        }
    ]
    assert findings(policies.policy(granted)) == []


def test_the_scraper_finds_tasks_of_one_cluster_and_writes_metrics_only() -> None:
    cluster = "arn:aws:ecs:eu-west-1:123456789012:cluster/shop-dev"
    tasks = "arn:aws:ecs:eu-west-1:123456789012:task/shop-dev/*"
    granted = policies.scrape(WORKSPACE, cluster, tasks)
    assert granted == [
        {"Sid": "WriteMetrics", "Effect": "Allow", "Action": "aps:RemoteWrite", "Resource": WORKSPACE},
        {
            "Sid": "FindTasks",
            "Effect": "Allow",
            "Action": ["ecs:ListServices", "ecs:ListTasks"],
            "Resource": "*",
            "Condition": {"ArnEquals": {"ecs:cluster": cluster}},
        },
        {
            "Sid": "ReadTasks",
            "Effect": "Allow",
            "Action": "ecs:DescribeTasks",
            "Resource": tasks,
            "Condition": {"ArnEquals": {"ecs:cluster": cluster}},
        },
        {"Sid": "ReadTaskDefinitions", "Effect": "Allow", "Action": "ecs:DescribeTaskDefinition", "Resource": "*"},
    ]
    assert findings(policies.policy(granted)) == [
        # Only for the tasks of one instance; by cluster it is the condition that narrows.
        "RESOURCE_STAR: ['ecs:ListTasks']"
    ]


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
    document = policies.policy(policies.grafana_read(WORKSPACE, [events, f"{LOGS}/*"]))
    assert {statement["Sid"]: statement["Resource"] for statement in document["Statement"]} == {
        "QueryMetrics": WORKSPACE,
        "ReadTraces": "*",
        "ReadCloudWatch": "*",
        "ReadLogs": [f"{events}:*", f"{LOGS}/*:*"],
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
