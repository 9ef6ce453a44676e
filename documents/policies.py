"""IAM policy documents: who may assume a role, and what each role may do.

Statements are as narrow as AWS allows: a resource of `*` stands only where AWS's service authorization data knows no
narrower one for the action, or a condition names what the resource cannot. `policy/rules/access.py` decides that, for
every statement of every stack of the tests.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from documents.central import Central
from documents.signals import Receiver, TraceEndpoint, Traces

Statement = Mapping[str, Any]
Policy = dict[str, Any]

_VERSION: Final = "2012-10-17"
_PRIVATE_ECR: Final = re.compile(
    r"(?P<account>\d{12}|<your account>)\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?"
    r"/(?P<repository>[^:@]+)"
)


def policy(statements: Iterable[Statement]) -> Policy:
    """A policy document of these statements."""
    return {"Version": _VERSION, "Statement": [dict(statement) for statement in statements]}


def tasks_trust(*, partition: str, region: str, account: str) -> Policy:
    """ECS may assume the role for tasks of this account and region only."""
    return _trust("ecs-tasks", account, f"arn:{partition}:ecs:{region}:{account}:*")


def grafana_trust(*, partition: str, region: str, account: str) -> Policy:
    """Managed Grafana may assume the role for workspaces of this account.

    The workspace needs the role before it has an id, hence the wildcard in its ARN.
    """
    return _trust("grafana", account, f"arn:{partition}:grafana:{region}:{account}:/workspaces/*")


def schedules_trust(*, account: str, group_arn: str) -> Policy:
    """EventBridge Scheduler may assume the role for the schedules of one group: it knows no narrower condition (Amazon
    EventBridge Scheduler User Guide, "Confused deputy prevention in EventBridge Scheduler")."""
    return _trust("scheduler", account, group_arn)


def chat_trust() -> Policy:
    """Amazon Q Developer in chat applications may assume the role, which may do nothing: it wants to have one.

    Without conditions, as AWS makes it: nobody says which ones it would meet.
    """
    return policy([{"Effect": "Allow", "Principal": {"Service": "chatbot.amazonaws.com"}, "Action": "sts:AssumeRole"}])


def _trust(service: str, account: str, source: str) -> Policy:
    return policy([_of_service(service, account, source) | {"Action": "sts:AssumeRole"}])


def _of_service(service: str, account: str, source: str) -> dict[str, Any]:
    """Without the conditions, whoever can make the service act for them could do the same (confused deputy)."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {"aws:SourceArn": source},
        },
    }


def alert_topic(topic_arn: str, *, account: str, workspace_arn: str | None, alarms_arn: str | None) -> Policy:
    """The policy of a topic: one AMP workspace may publish, and the alarms of this stack where there are such. A
    workspace of another account may not: AMP knows topics of its own account only.

    The statement for AMP is its User Guide's ("Giving Amazon Managed Service for Prometheus permission to send alert
    messages to your Amazon SNS topic").
    """
    publish: dict[str, Any] = {"Action": "sns:Publish", "Resource": topic_arn}
    amp = {"Action": ["sns:GetTopicAttributes", "sns:Publish"], "Resource": topic_arn}
    return policy(
        [
            *_told_by("AlertsOfTheWorkspace", "aps", account, workspace_arn, amp),
            *_told_by("AlarmsOfTheStack", "cloudwatch", account, alarms_arn, publish),
        ]
    )


def _told_by(sid: str, service: str, account: str, source: str | None, may: Mapping[str, Any]) -> list[Statement]:
    """What a service may do for one source; nothing where there is none."""
    return [{"Sid": sid, **_of_service(service, account, source), **may}] if source else []


def alert_key(*, partition: str, account: str, workspace_arn: str | None, alarms_arn: str) -> Policy:
    """The policy of the key of those topics: AWS's own key for SNS is closed to other services."""
    return policy([_account_manages(partition, account), *_encrypt_alerts(account, workspace_arn, alarms_arn)])


def stack_key(*, partition: str, region: str, account: str, log_groups: Iterable[str], alarms_arn: str) -> Policy:
    """The policy of a key for everything that a stack stores. `log_groups` are names, which may hold `*`.

    CloudWatch Logs uses it for these log groups only (CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs
    using AWS Key Management Service"); AMP and AMG on behalf of whoever of this account calls them (their User Guides,
    "Encryption at rest"). The key is there before the workspaces, whose ids it therefore cannot name.
    """
    logs = f"arn:{partition}:logs:{region}:{account}:log-group"
    of_account = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Resource": "*"}
    return policy(
        [
            _account_manages(partition, account),
            {
                "Sid": "LogGroupsOfTheStack",
                "Effect": "Allow",
                "Principal": {"Service": f"logs.{region}.amazonaws.com"},
                # Not DescribeKey, which AWS lists too: without an encryption context it is never allowed here.
                "Action": [
                    "kms:Decrypt",
                    "kms:Encrypt",
                    *_GENERATE_DATA_KEY,
                    "kms:ReEncryptFrom",
                    "kms:ReEncryptTo",
                ],
                "Resource": "*",
                "Condition": {
                    "ArnLike": {"kms:EncryptionContext:aws:logs:arn": [f"{logs}:{name}" for name in log_groups]}
                },
            },
            {
                "Sid": "MetricsThroughAmp",
                **of_account,
                "Action": ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                "Condition": _through("aps", region, account),
            },
            {
                "Sid": "DashboardsThroughGrafana",
                **of_account,
                "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
                "Condition": _through("grafana", region, account),
            },
            {
                "Sid": "GrantsToGrafana",
                **of_account,
                "Action": "kms:CreateGrant",
                "Condition": {
                    "StringEquals": {
                        **_through("grafana", region, account)["StringEquals"],
                        "kms:GrantConstraintType": "EncryptionContextSubset",
                    },
                    "ForAllValues:StringEquals": {"kms:GrantOperations": _GRAFANA_OPERATIONS},
                },
            },
            *_encrypt_alerts(account, f"arn:{partition}:aps:{region}:{account}:workspace/*", alarms_arn),
        ]
    )


_GENERATE_DATA_KEY: Final = ("kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext")
"""AWS's pages write `kms:GenerateDataKey*`, which also makes pairs of keys for signing."""

_GRAFANA_OPERATIONS: Final = [
    "CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom", "ReEncryptTo", "RetireGrant",
]  # fmt: skip
"""What AMG asks a grant for. DescribeKey is in the grants that its User Guide shows, and not in the policy there."""


def _through(service: str, region: str, account: str) -> dict[str, dict[str, str]]:
    """The conditions under which a service uses a key on behalf of somebody of this account."""
    return {"StringEquals": {"kms:CallerAccount": account, "kms:ViaService": f"{service}.{region}.amazonaws.com"}}


def _account_manages(partition: str, account: str) -> Statement:
    """The statement of a key's policy without which nobody could ever change or delete the key."""
    return {
        "Sid": "AccountManages",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
        "Action": "kms:*",
        # In a key's policy, the key itself.
        "Resource": "*",
    }


def _encrypt_alerts(account: str, workspace_arn: str | None, alarms_arn: str) -> list[Statement]:
    """The statements of a key's policy by which AMP and alarms send to topics that the key encrypts."""
    use = {"Action": ["kms:Decrypt", *_GENERATE_DATA_KEY], "Resource": "*"}
    return [
        *_told_by("AlertsOfTheWorkspace", "aps", account, workspace_arn, use),
        *_told_by("AlarmsOfTheStack", "cloudwatch", account, alarms_arn, use),
    ]


def publish_alerts(topic_arn: str, key_arn: str) -> list[Statement]:
    """What Grafana does to send an alert of its own."""
    return [
        {"Sid": "PublishAlerts", "Effect": "Allow", "Action": "sns:Publish", "Resource": topic_arn},
        {
            "Sid": "EncryptAlerts",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": key_arn,
        },
    ]


def events_log(log_group_arn: str, rule_arns: Collection[str]) -> Policy:
    """The policy of the log group of events: EventBridge may write what these rules match (Amazon EventBridge User
    Guide, "Using resource-based policies for Amazon EventBridge"). Only writing knows which rule it is for."""
    service = {"Effect": "Allow", "Principal": {"Service": ["delivery.logs.amazonaws.com", "events.amazonaws.com"]}}
    return policy(
        [
            {"Sid": "OpenStreams", **service, "Action": "logs:CreateLogStream", "Resource": f"{log_group_arn}:*"},
            {
                "Sid": "WriteEvents",
                **service,
                "Action": "logs:PutLogEvents",
                "Resource": f"{log_group_arn}:*:*",
                "Condition": {"ArnEquals": {"aws:SourceArn": list(rule_arns)}},
            },
        ]
    )


_WRITE_TRACES: Final[Mapping[TraceEndpoint, list[str]]] = {
    TraceEndpoint.CLASSIC: ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
    # The first two are for spans (Service Authorization Reference); AWS's own instructions for this endpoint attach
    # policies with the third. What is refused there is lost, so it has all of them.
    TraceEndpoint.OTLP: ["xray:PutSpans", "xray:PutSpansForIndexing", "xray:PutTraceSegments"],
}


def telemetry_write(workspace_arn: str, traces: Traces, central: Central | None = None) -> list[Statement]:
    """What a collector does: write metrics to one workspace and traces to X-Ray, or to those of a `central` account by
    the role there."""
    own = [] if central and central.traces else [_write_traces((traces.endpoint,))]
    return [write_metrics(workspace_arn, central), *own]


def _write_traces(endpoints: Collection[TraceEndpoint]) -> Statement:
    actions = sorted({action for endpoint in endpoints for action in _WRITE_TRACES[endpoint]})
    return {"Sid": "WriteTraces", "Effect": "Allow", "Action": actions, "Resource": "*"}


def central_write(workspace_arn: str, endpoints: Collection[TraceEndpoint]) -> list[Statement]:
    """What the role of a central account may do, which collectors of other accounts assume: write to the workspace, and
    to these entrances of X-Ray."""
    return [write_metrics(workspace_arn), *([_write_traces(endpoints)] if endpoints else [])]


def writers_trust(
    writers: Collection[str], *, organization: str | None = None, external_id: str | None = None
) -> Policy:
    """Roles of other accounts may assume the role; `writers` are their ARNs, which may hold `*`.

    They are named by a condition, because IAM takes no principal that is not there yet, and forgets one that is made
    again. The principals are their accounts, each of which may then let its roles do so (IAM User Guide, "How to use
    trust policies with IAM roles", "AWS global condition context keys").
    """
    conditions: dict[str, Any] = {"ArnLike": {"aws:PrincipalArn": sorted(writers)}}
    equal = {"aws:PrincipalOrgID": organization, "sts:ExternalId": external_id}
    if given := {key: value for key, value in equal.items() if value}:
        conditions["StringEquals"] = given
    accounts = sorted({f"{arn.partition(':role/')[0]}:root" for arn in writers})
    return policy(
        [{"Effect": "Allow", "Principal": {"AWS": accounts}, "Action": "sts:AssumeRole", "Condition": conditions}]
    )


def write_log_groups(arns: Collection[str]) -> list[Statement]:
    """What a collector does to send metrics or logs to CloudWatch; the groups are there already."""
    if not arns:
        return []
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = [f"{arn}:*" for arn in arns]
    return [{"Sid": "WriteTelemetryLogs", "Effect": "Allow", "Action": actions, "Resource": resources}]


def read_configurations(bucket_arn: str, folder: str) -> list[Statement]:
    """What a collector does to start: read the configurations of its family, also an older one after a rollback."""
    resource = f"{bucket_arn}/{folder}/*"
    return [{"Sid": "ReadConfigurations", "Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}]


def decrypt_configurations(bucket_arn: str, key_arn: str, region: str) -> list[Statement]:
    """What a collector does beside reading where the bucket is encrypted with a key of the user: S3 decrypts for it.

    With a bucket key the encryption context is the bucket (Amazon S3 User Guide, "Using server-side encryption with
    AWS KMS keys").
    """
    return [
        {
            "Sid": "DecryptConfigurations",
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": key_arn,
            "Condition": {
                "StringEquals": {
                    "kms:EncryptionContext:aws:s3:arn": bucket_arn,
                    "kms:ViaService": f"s3.{region}.amazonaws.com",
                }
            },
        }
    ]


def tls_only(bucket_arn: str) -> Policy:
    """The policy of a bucket that takes no request without TLS."""
    return policy(
        [
            {
                "Sid": "OnlyWithTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [bucket_arn, f"{bucket_arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ]
    )


def access_logs(bucket_arn: str, account: str) -> Policy:
    """The policy of the bucket of a load balancer's access logs: the load balancers of one account write below the
    folder that is theirs, and nobody comes without TLS.

    Elastic Load Balancing, Application Load Balancers, "Enable access logs for your Application Load Balancer".
    """
    delivery = {
        "Sid": "DeliverAccessLogs",
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"{bucket_arn}/AWSLogs/{account}/*",
    }
    return policy([delivery, *tls_only(bucket_arn)["Statement"]])


def infrastructure_trust() -> Policy:
    """ECS may assume the role to act for a service, as its Developer Guide writes it: without conditions, since nobody
    says which ones it would meet."""
    return policy([{"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}])


def shift_traffic(target_group_arns: Collection[str], rule_arns: Collection[str]) -> list[Statement]:
    """What ECS does to bring traffic to a new version: tasks in and out of these target groups, the weights of these
    listener rules. Less than AWS's AmazonECSInfrastructureRolePolicyForLoadBalancers, which lets it change every
    listener and rule of the account. The descriptions know no resource (Service Authorization Reference)."""
    return [
        {
            "Sid": "SeeTraffic",
            "Effect": "Allow",
            "Action": [
                "elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules",
                "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth",
            ],
            "Resource": "*",
        },
        {
            "Sid": "MoveTasks",
            "Effect": "Allow",
            "Action": ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"],
            "Resource": list(target_group_arns),
        },
        {
            "Sid": "ShiftTraffic",
            "Effect": "Allow",
            "Action": "elasticloadbalancing:ModifyRule",
            "Resource": list(rule_arns),
        },
    ]  # fmt: skip


def sampling_rules(receivers: Collection[Receiver]) -> list[Statement]:
    """What a collector does for SDKs that ask for X-Ray's sampling rules: pass their questions on."""
    if Receiver.XRAY not in receivers:
        return []
    action = ["xray:GetSamplingRules", "xray:GetSamplingTargets"]
    return [{"Sid": "ReadSamplingRules", "Effect": "Allow", "Action": action, "Resource": "*"}]


def scrape(workspace_arn: str, cluster_arn: str, tasks_arn: str, central: Central | None = None) -> list[Statement]:
    """What the scraper does: write metrics to one workspace, and find the tasks of one cluster, `tasks_arn`."""
    return [write_metrics(workspace_arn, central), *find_tasks(cluster_arn, tasks_arn)]


def find_tasks(cluster_arn: str, tasks_arn: str) -> list[Statement]:
    """Finding the tasks of one cluster.

    Lists are narrowed by cluster, which is a condition and no resource, where nothing but the cluster is asked for;
    task definitions know neither (Service Authorization Reference, "Actions, resources, and condition keys for Amazon
    ECS"; Amazon ECS Developer Guide, "Identity-based policy examples").
    """
    of_cluster = {"ArnEquals": {"ecs:cluster": cluster_arn}}
    return [
        {
            "Sid": "FindTasks",
            "Effect": "Allow",
            "Action": ["ecs:ListServices", "ecs:ListTasks"],
            "Resource": "*",
            "Condition": of_cluster,
        },
        {
            "Sid": "ReadTasks",
            "Effect": "Allow",
            "Action": "ecs:DescribeTasks",
            "Resource": tasks_arn,
            "Condition": of_cluster,
        },
        {"Sid": "ReadTaskDefinitions", "Effect": "Allow", "Action": "ecs:DescribeTaskDefinition", "Resource": "*"},
    ]


def write_metrics(workspace_arn: str, central: Central | None = None) -> Statement:
    """Writing to one AMP workspace, or becoming the role of a `central` account that may."""
    if central:
        return {"Sid": "WriteAsCentralRole", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": central.role}
    return {"Sid": "WriteMetrics", "Effect": "Allow", "Action": "aps:RemoteWrite", "Resource": workspace_arn}


def find_peers(namespace: str, service: str) -> list[Statement]:
    """What a front of the collector service does to route by trace: ask Cloud Map for the collectors."""
    names = {"servicediscovery:NamespaceName": namespace, "servicediscovery:ServiceName": service}
    return [
        {
            "Sid": "FindCollectors",
            "Effect": "Allow",
            "Action": "servicediscovery:DiscoverInstances",
            "Resource": "*",
            "Condition": {"StringEquals": names},
        }
    ]


def execution(*, repositories: Iterable[str], log_group_arn: str, secrets: Iterable[str]) -> list[Statement]:
    """What ECS does to start a task: pull its images, open its log streams, read the secrets that it names.

    `repositories` are the ARNs of private ECR repositories (see `repository_arn`); a public image needs no permission.
    """
    statements: list[Statement] = [
        {
            "Sid": "WriteLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"{log_group_arn}:*",
        }
    ]
    if private := sorted(set(repositories)):
        statements += [
            {"Sid": "LogInToRegistry", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
            {
                "Sid": "PullImages",
                "Effect": "Allow",
                "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                "Resource": private,
            },
        ]
    stored = sorted({_secret_resource(arn) for arn in secrets})
    for sid, action, service in (
        ("ReadSecrets", "secretsmanager:GetSecretValue", "secretsmanager"),
        ("ReadParameters", "ssm:GetParameters", "ssm"),
    ):
        if arns := [arn for arn in stored if _service(arn) in (service, None)]:
            statements.append({"Sid": sid, "Effect": "Allow", "Action": action, "Resource": arns})
    return statements


def repository_arns(images: Iterable[str], partition: str) -> list[str]:
    """The private ECR repositories of images, without those elsewhere."""
    return [arn for image in images if (arn := repository_arn(image, partition))]


def repository_arn(image: str, partition: str) -> str | None:
    """The ECR repository of an image, None for an image elsewhere."""
    match = _PRIVATE_ECR.match(image)
    if not match:
        return None
    return f"arn:{partition}:ecr:{match['region']}:{match['account']}:repository/{match['repository']}"


def _secret_resource(arn: str) -> str:
    """The ARN without ECS's additions (`:json-key:version-stage:version-id`), which IAM does not know."""
    if _service(arn) is None:
        return arn.split(":", maxsplit=1)[0]
    return ":".join(arn.split(":")[:7]) if _service(arn) == "secretsmanager" else arn


def _service(arn: str) -> str | None:
    """The service of an ARN; None for a placeholder, which may become an ARN of any."""
    return arn.split(":")[2] if arn.startswith("arn:") else None


def grafana_read(workspace_arn: str, log_group_arns: Sequence[str]) -> list[Statement]:
    """What the data sources of Grafana do: query one workspace, read X-Ray, CloudWatch metrics and some log groups."""
    return [
        {
            "Sid": "QueryMetrics",
            "Effect": "Allow",
            "Action": [
                "aps:DescribeWorkspace", "aps:GetLabels", "aps:GetMetricMetadata", "aps:GetSeries", "aps:ListRules",
                "aps:QueryMetrics",
            ],
            "Resource": workspace_arn,
        },
        {
            "Sid": "ReadTraces",
            "Effect": "Allow",
            "Action": [
                "xray:BatchGetTraces", "xray:GetGroups", "xray:GetInsight", "xray:GetInsightSummaries",
                "xray:GetServiceGraph", "xray:GetTimeSeriesServiceStatistics", "xray:GetTraceGraph",
                "xray:GetTraceSummaries",
            ],
            "Resource": "*",
        },
        {
            "Sid": "ReadCloudWatch",
            "Effect": "Allow",
            "Action": [
                "cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "ec2:DescribeRegions", "logs:DescribeLogGroups",
                "logs:StopQuery",
            ],
            "Resource": "*",
        },
        {
            "Sid": "ReadLogs",
            "Effect": "Allow",
            "Action": ["logs:GetLogGroupFields", "logs:GetQueryResults", "logs:StartQuery"],
            "Resource": [f"{arn}:*" for arn in log_group_arns],
        },
    ]  # fmt: skip
