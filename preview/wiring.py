"""Reads a recording: which resource an input means, which policies a role has, which task a service runs."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from documents import names, travel
from documents.text import from_yaml
from preview.recording import ProgramError, Recording, Resource

CLUSTER: Final = "aws:ecs/cluster:Cluster"
SERVICE: Final = "aws:ecs/service:Service"
TASK: Final = "aws:ecs/taskDefinition:TaskDefinition"
ROLE: Final = "aws:iam/role:Role"
ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
ROLE_ATTACHMENT: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
POLICY: Final = "aws:iam/policy:Policy"
DISCOVERY: Final = "aws:servicediscovery/service:Service"
DASHBOARD: Final = "grafana:oss/dashboard:Dashboard"
RULES: Final = "aws:amp/ruleGroupNamespace:RuleGroupNamespace"
WORKSPACE: Final = "aws:amp/workspace:Workspace"
WORKSPACE_CONFIGURATION: Final = "aws:amp/workspaceConfiguration:WorkspaceConfiguration"
GRAFANA: Final = "aws:grafana/workspace:Workspace"
DATA_SOURCE: Final = "grafana:oss/dataSource:DataSource"
VPC: Final = "aws:ec2/vpc:Vpc"
SUBNET: Final = "aws:ec2/subnet:Subnet"
NAT_GATEWAY: Final = "aws:ec2/natGateway:NatGateway"
ENDPOINT: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"
BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
SCALING_TARGET: Final = "aws:appautoscaling/target:Target"
LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
TOPIC: Final = "aws:sns/topic:Topic"
SUBSCRIPTION: Final = "aws:sns/topicSubscription:TopicSubscription"
NAMESPACES: Final = (
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace",
    "aws:servicediscovery/httpNamespace:HttpNamespace",
)
CENTRAL_ACCOUNT: Final = "ecs-observability:index:CentralAccount"
OBJECT: Final = "aws:s3/bucketObjectv2:BucketObjectv2"

PLACEHOLDER: Final = re.compile(r"<([^<>]+?)\.([A-Za-z0-9.]+)>")


def text(value: Any) -> str:
    """A text as it is, and nothing for whatever else stands there (a secret, an unknown, no value)."""
    return value if isinstance(value, str) else ""


def table(value: Any) -> Mapping[str, Any]:
    """A map as it is, and an empty one for whatever else stands there."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def items(value: Any) -> Sequence[Any]:
    """A list as it is, and an empty one for whatever else stands there."""
    return cast("Sequence[Any]", value) if isinstance(value, (list, tuple)) else ()


def parsed(value: Any) -> Any:
    """The JSON in a text. What is no such text, as a secret, comes back as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def known_as(resource: Resource) -> str:
    """The name under which AWS or Grafana knows a resource, nothing where the program gives it none."""
    if resource.type == DASHBOARD:
        return text(table(parsed(resource.inputs.get("configJson"))).get("uid"))
    names = (text(resource.inputs.get(key)) for key in ("name", "alias", "family", "title", "namespace"))
    return next(filter(None, names), "")


def aws_name(resource: Resource) -> str:
    """The name under which AWS or Grafana knows a resource, else its name in the program."""
    return known_as(resource) or resource.name


def meant(recording: Recording, value: Any, *types: str) -> Resource | None:
    """The resource of one of `types` that an input names: by placeholder, or by its name."""
    for reference in PLACEHOLDER.finditer(text(value)):
        for resource in recording.resources:
            if resource.type in types and resource.name == reference[1]:
                return resource
    for resource in recording.resources:
        if resource.type in types and text(value) and text(value) == text(resource.inputs.get("name")):
            return resource
    return None


@dataclass(frozen=True)
class Permissions:
    """What a role may do. `documents` by policy name; `managed` are ARNs of policies that AWS or others keep."""

    trust: Any
    documents: Mapping[str, Any]
    managed: tuple[str, ...]

    def statements(self) -> Iterator[Mapping[str, Any]]:
        """Every statement of every document."""
        for name in sorted(self.documents):
            statements = table(self.documents[name]).get("Statement", ())
            for statement in items(statements) or ([statements] if statements else []):
                yield table(statement)


def permissions(recording: Recording, role: Resource) -> Permissions:
    """Everything that `role` is given, inline or attached."""
    documents: dict[str, Any] = {}
    managed: set[str] = {text(arn) for arn in items(role.inputs.get("managedPolicyArns"))}
    for inline in map(table, items(role.inputs.get("inlinePolicies"))):
        documents[text(inline.get("name"))] = parsed(inline.get("policy"))
    for policy in recording.of_type(ROLE_POLICY):
        if meant(recording, policy.inputs.get("role"), ROLE) == role:
            documents[aws_name(policy)] = parsed(policy.inputs.get("policy"))
    for attachment in recording.of_type(ROLE_ATTACHMENT):
        if meant(recording, attachment.inputs.get("role"), ROLE) == role:
            own = meant(recording, attachment.inputs.get("policyArn"), POLICY)
            if own:
                documents[aws_name(own)] = parsed(own.inputs.get("policy"))
            else:
                managed.add(text(attachment.inputs.get("policyArn")))
    return Permissions(parsed(role.inputs.get("assumeRolePolicy")), documents, tuple(sorted(managed)))


def central_account(recording: Recording) -> str:
    """The number of the account that metrics are written to, if that is another."""
    return next((text(account.outputs["account"]) for account in recording.of_type(CENTRAL_ACCOUNT)), "")


def granted_elsewhere(recording: Recording) -> Iterator[Mapping[str, Any]]:
    """What collectors may do in a central account, by the statements of the role that they assume there."""
    for account in recording.of_type(CENTRAL_ACCOUNT):
        role = parsed(account.outputs["role"])["Resources"]["Writer"]["Properties"]
        for policy in role["Policies"]:
            yield from policy["PolicyDocument"]["Statement"]


def rule_groups(recording: Recording) -> Iterator[Mapping[str, Any]]:
    """Every group of rules that AMP evaluates, as a rules file has it; none of a file that is not known."""
    for resource in recording.of_type(RULES):
        yield from map(table, items(table(from_yaml(text(resource.inputs.get("data")))).get("groups")))


def containers(task: Resource) -> tuple[Mapping[str, Any], ...]:
    """The container definitions of a task definition."""
    return tuple(table(container) for container in items(parsed(task.inputs.get("containerDefinitions"))))


def environment(container: Mapping[str, Any]) -> dict[str, str]:
    """The plain environment variables of a container definition."""
    pairs = map(table, items(container.get("environment")))
    return {text(pair.get("name")): text(pair.get("value")) for pair in pairs}


def log_group(container: Mapping[str, Any]) -> str:
    """The log group to which a container writes, by awslogs or by a router; nothing where that is elsewhere."""
    options = table(table(container.get("logConfiguration")).get("options"))
    return text(options.get("awslogs-group")) or text(options.get("log_group_name"))


def _is_companion(container: Mapping[str, Any]) -> bool:
    name = container.get("name")
    return name in (names.DRAIN, names.LOG_ROUTER) or (name == names.FRONT and is_collector(container))


def is_collector(container: Mapping[str, Any]) -> bool:
    """Whether a container is a collector: it carries the configuration of one, or says where it is."""
    return travel.content(container) is not None or travel.source(container) is not None


def configuration(recording: Recording, collector: Mapping[str, Any]) -> str:
    """The configuration that a collector gets. Raises ProgramError if nobody makes the object that it reads."""
    if (carried := travel.content(collector)) is not None:
        return carried
    address = text(travel.source(collector))
    for stored in recording.of_type(OBJECT):
        if address.endswith(f"/{text(stored.inputs.get('key'))}"):
            return text(stored.inputs.get("content"))
    raise ProgramError(f"the {text(collector.get('name'))} reads {address}, which is no object of this stack")


def configuration_path(family: str, container: str) -> str:
    """Where the configuration of a collector is rendered to; `container` is its name in the task."""
    return f"collector/{family}.yaml" if container == names.COLLECTOR else f"collector/{family}-{container}.yaml"


@dataclass(frozen=True)
class Running:
    """An ECS service with what it runs. `addresses` are the host names under which others find it."""

    service: Resource
    task: Resource
    addresses: tuple[str, ...]

    @property
    def name(self) -> str:
        """The service's name on ECS."""
        return aws_name(self.service)

    @property
    def collector(self) -> Mapping[str, Any] | None:
        """The collector among its containers: the one that delivers."""
        return next((one for one in containers(self.task) if is_collector(one) and not _is_companion(one)), None)

    @property
    def companions(self) -> tuple[Mapping[str, Any], ...]:
        """What stands beside collector and application: front, drain, and the router of lines."""
        return tuple(filter(_is_companion, containers(self.task)))

    @property
    def applications(self) -> tuple[Mapping[str, Any], ...]:
        """Its containers that are neither collector nor companion, the one named as the service first."""
        own = [one for one in containers(self.task) if not is_collector(one) and not _is_companion(one)]
        return tuple(sorted(own, key=lambda container: container.get("name") != self.name))


def running(recording: Recording) -> tuple[Running, ...]:
    """Every ECS service whose task definition is the stack's own, by name."""
    found = [
        Running(service, task, tuple(sorted(set(_addresses(recording, service)))))
        for service in recording.of_type(SERVICE)
        if (task := meant(recording, service.inputs.get("taskDefinition"), TASK))
    ]
    return tuple(sorted(found, key=lambda run: run.name))


def scaling(recording: Recording, run: Running) -> Resource | None:
    """The bounds within which a service is scaled; nothing for a fixed number of tasks."""
    targets = recording.of_type(SCALING_TARGET)
    return next((target for target in targets if run.service.urn in target.dependencies), None)


def _addresses(recording: Recording, service: Resource) -> Iterator[str]:
    registry = meant(recording, table(service.inputs.get("serviceRegistries")).get("registryArn"), DISCOVERY)
    if registry:
        dns = table(registry.inputs.get("dnsConfig"))
        namespace = meant(recording, dns.get("namespaceId") or registry.inputs.get("namespaceId"), *NAMESPACES)
        yield f"{aws_name(registry)}.{aws_name(namespace)}" if namespace else aws_name(registry)
    for offered in map(table, items(table(service.inputs.get("serviceConnectConfiguration")).get("services"))):
        aliases = offered.get("clientAlias") or offered.get("clientAliases")
        for alias in map(table, items(aliases) or [aliases]):
            if text(alias.get("dnsName")):
                yield text(alias.get("dnsName"))


def component(recording: Recording, resource: Resource) -> Resource | None:
    """The component that a resource belongs to: its nearest ancestor that is one, itself included."""
    by_urn = {other.urn: other for other in recording.resources}
    current: Resource | None = resource
    while current is not None and current.custom:
        current = by_urn.get(current.parent)
    return current


def short_type(resource: Resource) -> str:
    """A type as one writes it in Python: `amp.Workspace`, `grafana.oss.Folder`; a component's class alone."""
    package, _, rest = resource.type.partition(":")
    module, _, kind = rest.rpartition(":")
    if not resource.custom:
        return kind or resource.type
    module = module.partition("/")[0]
    parts = (package, module, kind) if package != "aws" else (module, kind)
    return ".".join(part for part in parts if part and part != "index")
