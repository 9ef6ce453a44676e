"""Every resource of both stacks: type, name and parent, nothing more and nothing less; and what holds for all."""

from collections.abc import Iterator
from typing import Any

import pytest

from preview.recorder import Resource
from preview.recording import Secret
from tests.components.variants import SERVICE, one, program, recorded

Identity = tuple[str, str, str]


def family(parent: str, children: str) -> Iterator[Identity]:
    """A component written as `Class name`, and its children: a line each of type and name."""
    kind, name = parent.split()
    yield f"ecs-observability:index:{kind}", name, ""
    for line in children.strip().splitlines():
        child_kind, child = line.split()
        yield child_kind, child, parent


def application(name: str, port: int) -> Iterator[Identity]:
    return family(
        f"Application {name}",
        f"""
        aws:cloudwatch/logGroup:LogGroup {name}-logs
        aws:ec2/securityGroup:SecurityGroup {name}-tasks
        aws:ecs/service:Service {name}-service
        aws:ecs/taskDefinition:TaskDefinition {name}-definition
        aws:iam/role:Role {name}-execution
        aws:iam/role:Role {name}-task
        aws:iam/rolePolicy:RolePolicy {name}-execution-policy
        aws:servicediscovery/service:Service {name}-name
        aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule {name}-tasks-out
        aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule {name}-tasks-in-{port}
        """,
    )


def writer(name: str) -> Iterator[Identity]:
    """What an application has besides, where its own task writes telemetry."""
    yield "aws:iam/rolePolicy:RolePolicy", f"{name}-task-policy", f"Application {name}"


def scaled(owner: str, *targets: str) -> Iterator[Identity]:
    """What a service has besides, where load decides about the number of its tasks."""
    name = owner.split()[1]
    yield "aws:appautoscaling/target:Target", f"{name}-scaling", owner
    for target in targets:
        yield "aws:appautoscaling/policy:Policy", f"{name}-scaling-{target}", owner


def image(name: str) -> Iterator[Identity]:
    return family(
        f"Image {name}",
        f"""
        aws:ecr/lifecyclePolicy:LifecyclePolicy {name}-lifecycle
        aws:ecr/repository:Repository {name}-repository
        docker-build:index:Image {name}-image
        """,
    )


def network(zones: int) -> Iterator[Identity]:
    each = "".join(
        f"""
        aws:ec2/routeTableAssociation:RouteTableAssociation network-public-{zone}
        aws:ec2/subnet:Subnet network-public-{zone}"""
        for zone in range(zones)
    )
    return family(
        "Network network",
        f"""
        aws:ec2/internetGateway:InternetGateway network-gateway
        aws:ec2/routeTable:RouteTable network-routes
        aws:ec2/vpc:Vpc network-vpc{each}
        """,
    )


CLOSED_NETWORK = """
    aws:ec2/routeTable:RouteTable network-closed-routes
    aws:ec2/routeTableAssociation:RouteTableAssociation network-private-0
    aws:ec2/routeTableAssociation:RouteTableAssociation network-private-1
    aws:ec2/routeTableAssociation:RouteTableAssociation network-private-2
    aws:ec2/securityGroup:SecurityGroup network-tasks
    aws:ec2/subnet:Subnet network-private-0
    aws:ec2/subnet:Subnet network-private-1
    aws:ec2/subnet:Subnet network-private-2
    aws:ec2/vpc:Vpc network-vpc
"""
ENDPOINTS = """
    aws:ec2/securityGroup:SecurityGroup network-endpoints-group
    aws:ec2/vpcEndpoint:VpcEndpoint network-endpoints-aps-workspaces
    aws:ec2/vpcEndpoint:VpcEndpoint network-endpoints-ecr-api
    aws:ec2/vpcEndpoint:VpcEndpoint network-endpoints-ecr-dkr
    aws:ec2/vpcEndpoint:VpcEndpoint network-endpoints-logs
    aws:ec2/vpcEndpoint:VpcEndpoint network-endpoints-s3
    aws:ec2/vpcEndpoint:VpcEndpoint network-endpoints-xray
    aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule network-endpoints-in
"""
ENCRYPTION = """
    aws:kms/alias:Alias encryption-alias
    aws:kms/key:Key encryption-key
"""
BALANCER = """
    aws:acm/certificate:Certificate traffic-certificate
    aws:acm/certificateValidation:CertificateValidation traffic-certificate-valid
    aws:ec2/securityGroup:SecurityGroup traffic-group
    aws:lb/listener:Listener traffic-http
    aws:lb/listener:Listener traffic-https
    aws:lb/loadBalancer:LoadBalancer traffic-balancer
    aws:route53/record:Record traffic-certificate-shop-example-com
    aws:s3/bucket:Bucket traffic-access-bucket
    aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration traffic-access-lifecycle
    aws:s3/bucketPolicy:BucketPolicy traffic-access-policy
    aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock traffic-access-private
    aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration traffic-access-encryption
    aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule traffic-group-in-443-0
    aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule traffic-group-in-443-1
    aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule traffic-group-in-443-2
    aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule traffic-group-in-80-0
    aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule traffic-group-in-80-1
    aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule traffic-group-in-80-2
"""
CANARY = """
    aws:cloudwatch/metricAlarm:MetricAlarm storefront-blue-errors
    aws:cloudwatch/metricAlarm:MetricAlarm storefront-blue-unhealthy
    aws:cloudwatch/metricAlarm:MetricAlarm storefront-green-errors
    aws:cloudwatch/metricAlarm:MetricAlarm storefront-green-unhealthy
    aws:iam/role:Role storefront-rollout
    aws:iam/rolePolicy:RolePolicy storefront-rollout-policy
    aws:lb/listenerRule:ListenerRule storefront-shifted
    aws:lb/targetGroup:TargetGroup storefront-blue
    aws:lb/targetGroup:TargetGroup storefront-green
    aws:route53/record:Record storefront-host-shop-example-com
    aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule storefront-tasks-balancer-out
    aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule storefront-tasks-balancer-in
"""
CLUSTER = """
    aws:ec2/securityGroup:SecurityGroup cluster-applications
    aws:ecs/cluster:Cluster cluster-cluster
    aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace cluster-namespace
"""
METRICS = """
    aws:amp/ruleGroupNamespace:RuleGroupNamespace metrics-rules-alerts
    aws:amp/ruleGroupNamespace:RuleGroupNamespace metrics-rules-recording
    aws:amp/workspace:Workspace metrics-workspace
    aws:amp/workspaceConfiguration:WorkspaceConfiguration metrics-configuration
    aws:cloudwatch/logGroup:LogGroup metrics-logs
"""
EVENTS = """
    aws:cloudwatch/eventRule:EventRule events-deployments
    aws:cloudwatch/eventRule:EventRule events-stops
    aws:cloudwatch/eventTarget:EventTarget events-deployments-target
    aws:cloudwatch/eventTarget:EventTarget events-stops-target
    aws:cloudwatch/logGroup:LogGroup events-logs
    aws:cloudwatch/logMetricFilter:LogMetricFilter events-TasksFailed
    aws:cloudwatch/logMetricFilter:LogMetricFilter events-TasksOutOfMemory
    aws:cloudwatch/logMetricFilter:LogMetricFilter events-TasksUnhealthy
    aws:cloudwatch/logResourcePolicy:LogResourcePolicy events-policy
"""
ALERTING = """
    aws:amp/alertManagerDefinition:AlertManagerDefinition alerting-alertmanager
    aws:cloudwatch/metricAlarm:MetricAlarm alerting-AlertingSilent-heartbeat
    aws:cloudwatch/metricAlarm:MetricAlarm alerting-AmpIngestionStopped-workspace
    aws:cloudwatch/metricAlarm:MetricAlarm alerting-AmpNotificationsFailing-failed
    aws:cloudwatch/metricAlarm:MetricAlarm alerting-AmpNotificationsFailing-throttled
    aws:cloudwatch/metricAlarm:MetricAlarm alerting-AmpRulesFailing-failed
    aws:cloudwatch/metricAlarm:MetricAlarm alerting-AmpRulesFailing-late
    aws:cloudwatch/metricAlarm:MetricAlarm alerting-AmpSamplesRejected-workspace
    aws:cloudwatch/metricAlarm:MetricAlarm alerting-AmpSeriesNearLimit-workspace
    aws:kms/alias:Alias alerting-key-alias
    aws:kms/key:Key alerting-key
    aws:sns/topic:Topic alerting-critical
    aws:sns/topic:Topic alerting-heartbeat
    aws:sns/topic:Topic alerting-warning
    aws:sns/topicPolicy:TopicPolicy alerting-critical-policy
    aws:sns/topicPolicy:TopicPolicy alerting-heartbeat-policy
    aws:sns/topicPolicy:TopicPolicy alerting-warning-policy
"""
STOPS = ("TaskFailedHealthCheck", "TaskOutOfMemory", "TaskRestartLoop")
TASKS = (*STOPS, "TaskCpuSaturated", "TaskMemorySaturated", "TasksBelowDesired")
GRAFANA = """
    aws:grafana/roleAssociation:RoleAssociation grafana-admins
    aws:grafana/workspace:Workspace grafana-workspace
    aws:grafana/workspaceServiceAccount:WorkspaceServiceAccount grafana-deployer
    aws:grafana/workspaceServiceAccountToken:WorkspaceServiceAccountToken grafana-token
    aws:iam/role:Role grafana-role
    aws:iam/rolePolicy:RolePolicy grafana-role-policy
    grafana:oss/dashboard:Dashboard grafana-dashboard-application
    grafana:oss/dashboard:Dashboard grafana-dashboard-collector
    grafana:oss/dashboard:Dashboard grafana-dashboard-costs
    grafana:oss/dashboard:Dashboard grafana-dashboard-ecs-tasks
    grafana:oss/dashboard:Dashboard grafana-dashboard-overview
    grafana:oss/dashboard:Dashboard grafana-dashboard-traces
    grafana:oss/dataSource:DataSource grafana-amp
    grafana:oss/dataSource:DataSource grafana-cloudwatch
    grafana:oss/dataSource:DataSource grafana-xray
    grafana:oss/folder:Folder grafana-folder
    pulumi:providers:grafana grafana-provider
"""
COLLECTOR_LOGS = "aws:cloudwatch/logGroup:LogGroup collector-logs"
COLLECTOR = """
    aws:ec2/securityGroup:SecurityGroup collector-clients
    aws:ec2/securityGroup:SecurityGroup collector-tasks
    aws:ecs/service:Service collector-service
    aws:ecs/taskDefinition:TaskDefinition collector-definition
    aws:iam/role:Role collector-execution
    aws:iam/role:Role collector-task
    aws:iam/rolePolicy:RolePolicy collector-execution-policy
    aws:iam/rolePolicy:RolePolicy collector-task-policy
    aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule collector-tasks-out
    aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule collector-tasks-in-4317
    aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule collector-tasks-in-4318
"""
COLLECTOR_NAME = "aws:servicediscovery/service:Service collector-name"


def watched(alarms: tuple[str, ...], *services: str) -> Iterator[Identity]:
    """The alarms of ECS services."""
    for service in services:
        for alarm in alarms:
            yield "aws:cloudwatch/metricAlarm:MetricAlarm", f"alerting-{alarm}-{service}", "Alerting alerting"


def found(stack: str) -> list[Identity]:
    recording = recorded(stack)
    titles = {resource.urn: f"{resource.type.split(':')[-1]} {resource.name}" for resource in recording.resources}
    return sorted((each.type, each.name, titles.get(each.parent, each.parent)) for each in recording.resources)


def test_dev() -> None:
    assert found("dev") == sorted(
        [
            *network(2),
            *family("Cluster cluster", CLUSTER),
            *family("Metrics metrics", METRICS),
            *family("TaskEvents events", EVENTS),
            *family("Alerting alerting", ALERTING),
            *watched(STOPS, "storefront", "inventory"),
            *family("Grafana grafana", GRAFANA),
            *family("CollectorService collector", COLLECTOR_LOGS),
            *image("storefront"),
            *application("storefront", 8080),
            *writer("storefront"),
            *image("inventory"),
            *application("inventory", 8080),
            *writer("inventory"),
        ]
    )


def test_prod() -> None:
    # With a key for everything there is none for the alerts alone.
    alerting = [one for one in family("Alerting alerting", ALERTING) if not one[0].startswith("aws:kms/")]
    [_, *endpoints] = family("Endpoints network-endpoints", ENDPOINTS)
    [_, *canary] = family("Application storefront", CANARY)
    assert found("prod") == sorted(
        [
            *family("Network network", CLOSED_NETWORK),
            ("ecs-observability:index:Endpoints", "network-endpoints", "Network network"),
            *endpoints,
            *family("EncryptionKey encryption", ENCRYPTION),
            *family("ApplicationLoadBalancer traffic", BALANCER),
            *family("Cluster cluster", CLUSTER),
            *family("Metrics metrics", METRICS),
            *family("TaskEvents events", EVENTS),
            *alerting,
            *watched(TASKS, "storefront", "inventory", "collector"),
            ("aws:sns/topicSubscription:TopicSubscription", "alerting-critical-email-d8eda7", "Alerting alerting"),
            ("aws:sns/topicSubscription:TopicSubscription", "alerting-warning-email-d8eda7", "Alerting alerting"),
            *family("Grafana grafana", GRAFANA),
            ("aws:grafana/roleAssociation:RoleAssociation", "grafana-viewers", "Grafana grafana"),
            *family("CollectorService collector", COLLECTOR_LOGS + COLLECTOR + COLLECTOR_NAME),
            *scaled("CollectorService collector", "cpu", "memory"),
            *image("storefront"),
            *application("storefront", 8080),
            *scaled("Application storefront", "cpu"),
            *canary,
            *image("inventory"),
            *application("inventory", 8080),
            *scaled("Application inventory", "cpu"),
        ]
    )


def test_mixed() -> None:
    grafana = [identity for identity in family("Grafana grafana", GRAFANA) if identity[1] != "grafana-admins"]
    assert found("mixed") == sorted(
        [
            *network(2),
            *family("Cluster cluster", CLUSTER),
            *family("Metrics metrics", METRICS),
            *family("TaskEvents events", EVENTS),
            *family("Alerting alerting", ALERTING),
            *watched(STOPS, "storefront"),
            *watched(TASKS, "inventory", "collector"),
            *grafana,
            *family("CollectorService collector", COLLECTOR_LOGS + COLLECTOR + COLLECTOR_NAME),
            *application("storefront", 8080),
            *writer("storefront"),
            *application("inventory", 9090),
        ]
    )


@pytest.mark.parametrize(("metrics", "kept"), [(None, {"collector"}), ({"port": 9464}, {"collector", "scraper"})])
def test_collectors_that_do_not_run_have_their_log_groups(metrics: dict[str, int] | None, kept: set[str]) -> None:
    """As they are where they run, so that a switch of the pattern keeps what they have said."""

    def logs(pattern: str) -> dict[str, Any]:
        recording = program({"pattern": pattern, **one(metrics=metrics)})
        groups = recording.of_type("aws:cloudwatch/logGroup:LogGroup")
        return {each.urn: each.inputs for each in groups if each.name in ("collector-logs", "scraper-logs")}

    assert {urn.rpartition("::")[2] for urn in logs("sidecar")} == {f"{name}-logs" for name in kept}
    assert logs("sidecar") == logs("service")


def test_service_connect_needs_no_name_of_its_own() -> None:
    lost = set(found("cloud-map")) - set(found("service-connect"))
    assert lost == {("aws:servicediscovery/service:Service", "collector-name", "CollectorService collector")}
    assert set(found("service-connect")) < set(found("cloud-map"))


def test_without_grafana_nothing_of_it_is_left() -> None:
    lost = set(found("defaults")) - set(found("grafana-off"))
    assert {parent or name for _, name, parent in lost} == {"grafana", "Grafana grafana"}
    assert set(found("grafana-off")) < set(found("defaults"))
    assert not {"grafanaUrl", "dashboardUrls"} & set(recorded("grafana-off").outputs)


TAGGED = {
    "aws:acm/certificate:Certificate",
    "aws:amp/ruleGroupNamespace:RuleGroupNamespace",
    "aws:amp/workspace:Workspace",
    "aws:appautoscaling/target:Target",
    "aws:cloudwatch/eventRule:EventRule",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:ec2/internetGateway:InternetGateway",
    "aws:ec2/routeTable:RouteTable",
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/subnet:Subnet",
    "aws:ec2/vpc:Vpc",
    "aws:ec2/vpcEndpoint:VpcEndpoint",
    "aws:ecr/repository:Repository",
    "aws:ecs/cluster:Cluster",
    "aws:ecs/service:Service",
    "aws:ecs/taskDefinition:TaskDefinition",
    "aws:grafana/workspace:Workspace",
    "aws:iam/role:Role",
    "aws:kms/key:Key",
    "aws:lb/listener:Listener",
    "aws:lb/listenerRule:ListenerRule",
    "aws:lb/loadBalancer:LoadBalancer",
    "aws:lb/targetGroup:TargetGroup",
    "aws:s3/bucket:Bucket",
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace",
    "aws:servicediscovery/service:Service",
    "aws:sns/topic:Topic",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
}
"""Every type that takes tags; `test_what_takes_tags` asks the provider's SDK for it."""


@pytest.mark.parametrize("stack", ["governed", "dev"])
def test_tags_on_every_resource_that_takes_them(stack: str) -> None:
    recording = recorded(stack)
    wanted = {"pulumi:project": "ecs-observability", "pulumi:stack": "dev"}
    if stack == "governed":
        wanted |= {"team": "shop", "cost centre": "4711/eu"}
    for resource in recording.resources:
        tags = dict(resource.inputs.get("tags", {})) if resource.type in TAGGED else None
        if tags is None:
            assert resource.type == "docker-build:index:Image" or "tags" not in resource.inputs, resource.urn
            continue
        name = tags.pop("Name", None)
        assert tags == wanted, resource.urn
        unnamed = resource.type.startswith("aws:ec2/")
        assert (name is not None) == unnamed, f"{resource.urn}: the console shows it by the tag Name"
        assert name is None or name.startswith("ecs-observability-dev")


def test_what_takes_tags() -> None:
    from preview.computed import outputs_of

    types = {resource.type for stack in ("dev", "prod") for resource in recorded(stack).resources if resource.custom}
    takes = {token for token in types if token.startswith("aws:") and "tagsAll" in outputs_of(token)}
    assert takes == TAGGED


def test_services_hand_their_tags_to_tasks() -> None:
    for service in recorded("prod").of_type(SERVICE):
        assert service.inputs["propagateTags"] == "SERVICE"


@pytest.mark.parametrize("stack", ["dev", "prod", "mixed"])
def test_components_say_what_they_made(stack: str) -> None:
    """`pulumi stack` and component users see registered outputs only."""
    for resource in recorded(stack).resources:
        if not resource.custom:
            assert resource.outputs, resource.urn
            assert None not in resource.outputs.values(), resource.urn


def secrets_in(value: object) -> Iterator[object]:
    if isinstance(value, Secret):
        yield value.value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from secrets_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from secrets_in(inner)


def plain(value: object) -> Iterator[str]:
    """Every text that is no secret."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from plain(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from plain(inner)


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_token_and_the_registry_password_are_secret_everywhere(stack: str) -> None:
    recording = recorded(stack)
    holders: dict[str, set[object]] = {}
    for resource in recording.resources:
        for secret in secrets_in(resource.inputs):
            holders.setdefault(resource.type, set()).add(secret)
    assert holders == {
        "pulumi:providers:grafana": {"<grafana-token.key>"},
        "docker-build:index:Image": {"AWS", "<registry.password>"},
    }
    everything = [resource.inputs for resource in recording.resources] + [
        resource.outputs for resource in recording.resources
    ]
    for text in plain([*everything, recording.outputs]):
        assert "<grafana-token.key>" not in text
        assert "<registry.password>" not in text


@pytest.mark.slow
@pytest.mark.parametrize("stack", ["dev", "prod", "mixed-service-connect", "secrets"])
def test_a_preview_survives_unknowns(stack: str) -> None:
    """`pulumi preview` before the first `up`: nothing that AWS gives is known, and all the same is registered."""

    def shape(resource: Resource) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        return resource.urn, tuple(resource.inputs), resource.dependencies

    first = recorded(stack, preview=True)
    assert [shape(resource) for resource in first.resources] == [
        shape(resource) for resource in recorded(stack).resources
    ]
