"""Reads a recording: which resource an input means, which policies a role has, which task a service runs."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from preview.recording import Recording, Resource

SERVICE: Final = "aws:ecs/service:Service"
TASK: Final = "aws:ecs/taskDefinition:TaskDefinition"
ROLE: Final = "aws:iam/role:Role"
ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
ROLE_ATTACHMENT: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
POLICY: Final = "aws:iam/policy:Policy"
DISCOVERY: Final = "aws:servicediscovery/service:Service"
DASHBOARD: Final = "grafana:oss/dashboard:Dashboard"
NAMESPACES: Final = (
    "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace",
    "aws:servicediscovery/httpNamespace:HttpNamespace",
)
CONFIGURATION: Final = "AOT_CONFIG_CONTENT"
"""The environment variable from which ADOT reads its whole configuration (ADOT's documentation, "Config options")."""

PLACEHOLDER: Final = re.compile(r"<([^<>]+)\.([A-Za-z0-9.]+)>")


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


def containers(task: Resource) -> tuple[Mapping[str, Any], ...]:
    """The container definitions of a task definition."""
    return tuple(table(container) for container in items(parsed(task.inputs.get("containerDefinitions"))))


def environment(container: Mapping[str, Any]) -> dict[str, str]:
    """The plain environment variables of a container definition."""
    pairs = map(table, items(container.get("environment")))
    return {text(pair.get("name")): text(pair.get("value")) for pair in pairs}


def is_collector(container: Mapping[str, Any]) -> bool:
    """Whether a container is a collector: it carries the configuration of one."""
    return CONFIGURATION in environment(container)


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
        """The collector among its containers."""
        return next(filter(is_collector, containers(self.task)), None)

    @property
    def applications(self) -> tuple[Mapping[str, Any], ...]:
        """Its containers that are no collector, the one named as the service first."""
        own = [container for container in containers(self.task) if not is_collector(container)]
        return tuple(sorted(own, key=lambda container: container.get("name") != self.name))


def running(recording: Recording) -> tuple[Running, ...]:
    """Every ECS service whose task definition is the stack's own, by name."""
    found = [
        Running(service, task, tuple(sorted(_addresses(recording, service))))
        for service in recording.of_type(SERVICE)
        if (task := meant(recording, service.inputs.get("taskDefinition"), TASK))
    ]
    return tuple(sorted(found, key=lambda run: run.name))


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
