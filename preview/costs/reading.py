"""What of a recorded stack is billed, and what of it cannot be priced here."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from documents import costs, tasks, volumes
from documents.costs import Instances, People, Run, Service, Stack
from documents.volumes import SECONDS_A_MONTH
from preview import compute, month, wiring
from preview.recording import Recording, Resource
from preview.wiring import Running

_PARAMETER: Final = "aws:ssm/parameter:Parameter"
_ROLE_ASSOCIATION: Final = "aws:grafana/roleAssociation:RoleAssociation"
_SAML: Final = "aws:grafana/workspaceSamlConfiguration:WorkspaceSamlConfiguration"

FOREVER: Final = 365
"""Days for which a log group that forgets nothing is priced."""

COUNTED: Final[Mapping[str, str]] = {
    "grafana": wiring.GRAFANA,
    "keys": "aws:kms/key:Key",
    "zones": "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace",
    "gateways": wiring.NAT_GATEWAY,
    "balancers": wiring.BALANCER,
    "accounts": "aws:grafana/workspaceServiceAccount:WorkspaceServiceAccount",
    "metrics": "aws:cloudwatch/logMetricFilter:LogMetricFilter",
    "secrets": "aws:secretsmanager/secret:Secret",
}
"""Fields of `Stack` that are the number of resources of a type."""

PRICED: Final = frozenset(
    {
        *COUNTED.values(),
        wiring.SCALING_TARGET,
        wiring.LOG_GROUP,
        wiring.CLUSTER,
        _PARAMETER,
        _ROLE_ASSOCIATION,
        _SAML,
        wiring.SERVICE,
        wiring.TASK,
        wiring.ENDPOINT,
        wiring.ALARM,
        wiring.SUBSCRIPTION,
        wiring.RULES,
        wiring.DASHBOARD,
        wiring.WORKSPACE,
        wiring.WORKSPACE_CONFIGURATION,
        "aws:autoscaling/group:Group",
        "aws:ec2/eip:Eip",
        "aws:ec2/launchTemplate:LaunchTemplate",
        "aws:scheduler/schedule:Schedule",
    }
)
"""Types that the bill is made of."""

FREE: Final = frozenset(
    {
        "aws:acm/certificate:Certificate",
        "aws:acm/certificateValidation:CertificateValidation",
        "aws:amp/alertManagerDefinition:AlertManagerDefinition",
        "aws:appautoscaling/policy:Policy",
        "aws:appautoscaling/scheduledAction:ScheduledAction",
        "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration",
        "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration",
        "aws:cloudwatch/eventRule:EventRule",
        "aws:cloudwatch/eventTarget:EventTarget",
        "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
        "aws:ec2/internetGateway:InternetGateway",
        "aws:ec2/routeTable:RouteTable",
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpc:Vpc",
        "aws:ecr/lifecyclePolicy:LifecyclePolicy",
        "aws:ecs/capacityProvider:CapacityProvider",
        "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders",
        "aws:grafana/workspaceServiceAccountToken:WorkspaceServiceAccountToken",
        "aws:iam/instanceProfile:InstanceProfile",
        "aws:iam/policy:Policy",
        "aws:iam/role:Role",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:kms/alias:Alias",
        "aws:lb/listener:Listener",
        "aws:lb/listenerRule:ListenerRule",
        "aws:lb/targetGroup:TargetGroup",
        "aws:route53/record:Record",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "aws:s3/bucketVersioning:BucketVersioning",
        "aws:scheduler/scheduleGroup:ScheduleGroup",
        "aws:servicediscovery/httpNamespace:HttpNamespace",
        "aws:servicediscovery/service:Service",
        "aws:sns/topic:Topic",
        "aws:sns/topicPolicy:TopicPolicy",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "aws:xray/samplingRule:SamplingRule",
        "docker-build:index:Image",
        "grafana:alerting/contactPoint:ContactPoint",
        "grafana:alerting/notificationPolicy:NotificationPolicy",
        "grafana:alerting/ruleGroup:RuleGroup",
        "grafana:oss/dataSource:DataSource",
        "grafana:oss/folder:Folder",
        "pulumi:providers:aws",
        "pulumi:providers:grafana",
    }
)
"""Types that cost nothing by themselves."""

NOT_PRICED: Final[Mapping[str, str]] = {
    "aws:ecr/repository:Repository": "images, by how large they are and how many are kept",
    "aws:s3/bucket:Bucket": "what is stored in buckets and asked of them, such as access logs",
    "aws:s3/bucketObjectv2:BucketObjectv2": "what is stored in buckets and asked of them, such as access logs",
    "aws:sqs/queue:Queue": "messages in queues of what could not be delivered",
}
"""Types that cost something, as a rule cents, which is not in the bill; and what that is."""


def read(recording: Recording) -> Stack:
    """What of a stack is billed."""
    counts = {name: len(_made(recording, token)) for name, token in COUNTED.items()}
    balancers = _made(recording, wiring.BALANCER)
    outside = sum(len(wiring.items(one.inputs.get("subnets"))) for one in balancers if not one.inputs.get("internal"))
    protocols = [wiring.text(one.inputs.get("protocol")) for one in _made(recording, wiring.SUBSCRIPTION)]
    return Stack(
        services=tuple(_service(recording, run) for run in wiring.running(recording)),
        instances=tuple(
            Instances(group.least, group.most, group.kind, group.disk) for group in compute.groups(recording)
        ),
        runs=tuple(_runs(recording)),
        addresses=len(_made(recording, "aws:ec2/eip:Eip")) + outside,
        endpoints=sum(_doors(endpoint) for endpoint in _made(recording, wiring.ENDPOINT)),
        metric_days=next(
            (int(one.inputs["retentionPeriodInDays"]) for one in _made(recording, wiring.WORKSPACE_CONFIGURATION)), 150
        ),
        evaluations=_evaluations(recording),
        queries=_queries(recording),
        insights=any(_insights(cluster) for cluster in _made(recording, wiring.CLUSTER)),
        editors=_people(recording, "ADMIN", "EDITOR"),
        viewers=_people(recording, "VIEWER"),
        alarms=sum(_alarm(alarm) for alarm in _made(recording, wiring.ALARM)),
        mails=protocols.count("email"),
        posts=protocols.count("https"),
        parameters=sum(one.inputs.get("tier") == "Advanced" for one in _made(recording, _PARAMETER)),
        **counts,
    )


def not_priced(recording: Recording) -> list[str]:
    """What a stack has that costs money and is not in its bill, as sentences."""
    said: dict[str, None] = {}
    for resource in recording.resources:
        if not resource.made or resource.type in PRICED | FREE:
            continue
        unknown = f"`{resource.type}`, of which nobody here knows what it costs"
        said[NOT_PRICED.get(resource.type, unknown)] = None
    scheduled = dict(_schedules(recording))
    ours = {run.task.urn for run in wiring.running(recording)}
    by_hand = [
        wiring.aws_name(task) for task in recording.of_type(wiring.TASK) if task.urn not in ours | set(scheduled)
    ]
    if by_hand:
        said[f"tasks that people run: {', '.join(by_hand)}"] = None
    made = any(True for _ in compute.groups(recording))
    if not made and (there := [run.name for run in wiring.running(recording) if compute.on_instances(run)]):
        said[f"instances that are there already, on which {', '.join(there)} run"] = None
    return list(said)


def _made(recording: Recording, token: str) -> list[Resource]:
    """Resources of a type, without those that exist already."""
    return [resource for resource in recording.of_type(token) if resource.made]


def _people(recording: Recording, *roles: str) -> People:
    """Whom a stack gives one of these roles of Grafana. An identity provider counts as a group of each role."""
    given = [one.inputs for one in _made(recording, _ROLE_ASSOCIATION) if one.inputs.get("role") in roles]
    return People(
        users=sum(len(wiring.items(one.get("userIds"))) for one in given),
        groups=sum(len(wiring.items(one.get("groupIds"))) for one in given) + len(_made(recording, _SAML)),
    )


def _service(recording: Recording, run: Running) -> Service:
    task = run.task.inputs
    least, most = _bounds(recording, run)
    observed = month.observed(recording, run)
    groups = list(wiring.rule_groups(recording))
    once = volumes.recorded(groups, run.name, observed, 0)
    names = {name for one in wiring.containers(run.task) if (name := wiring.log_group(one))}
    return Service(
        name=run.name,
        least=least,
        most=most,
        cpu=int(task["cpu"]),
        memory=int(task["memory"]),
        processor=wiring.text(wiring.table(task.get("runtimePlatform")).get("cpuArchitecture")) or "X86_64",
        disk=compute.billed_disk(run.task),
        serves=observed.serves,
        series=volumes.standing_series(observed),
        interval=observed.interval_seconds,
        ratio=Decimal(str(observed.ratio)),
        fargate=not compute.on_instances(run),
        strategy=compute.mix(run) if not compute.on_instances(run) else costs.ON_DEMAND,
        public=bool(wiring.table(run.service.inputs.get("networkConfiguration")).get("assignPublicIp")),
        application=bool(run.applications),
        collectors=len(observed.collectors),
        beside=_beside(run),
        log_days=_log_days(recording, names) if names else None,
        recorded=(once, volumes.recorded(groups, run.name, observed, 1) - once),
    )


def _beside(run: Running) -> tuple[int, int]:
    if not run.applications or run.collector is None:
        return 0, 0
    others = (run.collector, *run.companions)
    return sum(int(one.get("cpu") or 0) for one in others), sum(int(one.get("memory") or 0) for one in others)


def _bounds(recording: Recording, run: Running) -> tuple[int, int]:
    if bounds := wiring.scaling(recording, run):
        return int(bounds.inputs["minCapacity"]), int(bounds.inputs["maxCapacity"])
    return month.tasks(run), month.tasks(run)


def _log_days(recording: Recording, names: set[str]) -> int:
    """The longest retention of these groups; AWS keeps for ever what states none, or is not the stack's."""
    groups = (group for group in recording.of_type(wiring.LOG_GROUP) if group.inputs.get("name") in names)
    return max((int(group.inputs.get("retentionInDays") or FOREVER) for group in groups), default=FOREVER)


def _runs(recording: Recording) -> Iterator[Run]:
    for urn, schedule in _schedules(recording):
        task = recording.by_urn(urn)
        times = tasks.runs_a_month(wiring.text(schedule.inputs.get("scheduleExpression")))
        if times is not None and schedule.inputs.get("state") != "DISABLED":
            processor = wiring.text(wiring.table(task.inputs.get("runtimePlatform")).get("cpuArchitecture")) or "X86_64"
            size = int(task.inputs["cpu"]), int(task.inputs["memory"])
            yield Run(wiring.aws_name(task), Decimal(str(times)), *size, processor)


def _schedules(recording: Recording) -> Iterator[tuple[str, Resource]]:
    """The URN of each task definition that runs by the clock, and its schedule."""
    for schedule in recording.of_type("aws:scheduler/schedule:Schedule"):
        parameters = wiring.table(wiring.table(schedule.inputs.get("target")).get("ecsParameters"))
        if task := wiring.meant(recording, parameters.get("taskDefinitionArn"), wiring.TASK):
            yield task.urn, schedule


def _doors(endpoint: Resource) -> int:
    """How often an endpoint is billed: once for each zone, and a gateway not at all."""
    interface = endpoint.inputs.get("vpcEndpointType") == "Interface"
    return len(wiring.items(endpoint.inputs.get("subnetIds"))) if interface else 0


def _insights(cluster: Resource) -> bool:
    settings = map(wiring.table, wiring.items(cluster.inputs.get("settings")))
    return any(one.get("name") == "containerInsights" and one.get("value") == "enhanced" for one in settings)


def _alarm(alarm: Resource) -> int:
    """How many metrics an alarm looks at, each of which is billed."""
    queries = [wiring.table(one) for one in wiring.items(alarm.inputs.get("metricQueries"))]
    return sum(1 for one in queries if one.get("metric") or _asks_insights(one)) or 1


def _asks_insights(query: Mapping[str, Any]) -> bool:
    return wiring.text(query.get("expression")).startswith("SELECT")


def _evaluations(recording: Recording) -> int:
    """Of all rules, in a month."""
    each = (
        len(wiring.items(group.get("rules"))) * SECONDS_A_MONTH / volumes.seconds(group)
        for group in wiring.rule_groups(recording)
    )
    return round(sum(each))


def _queries(recording: Recording) -> Decimal:
    """Queries of AMP in an hour of the average dashboard."""
    boards = [_asked(one) for one in recording.of_type(wiring.DASHBOARD)]
    return sum(boards, Decimal(0)) / len(boards) if boards else Decimal(0)


def _asked(dashboard: Resource) -> Decimal:
    content = wiring.parsed(dashboard.inputs.get("configJson"))
    refresh = re.fullmatch(r"(\d+)(s|m|h)", wiring.text(wiring.table(content).get("refresh")))
    if not refresh:
        return Decimal(0)
    seconds = int(refresh[1]) * {"s": 1, "m": 60, "h": 3600}[refresh[2]]
    return Decimal(json.dumps(content).count('"expr"')) * 3600 / seconds
