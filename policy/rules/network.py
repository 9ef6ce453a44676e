"""Nothing is open to the world but a load balancer that is meant to be, and nothing on the way is in the clear."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from .model import Inputs, Resource, ResourceRule, StackRule, containers, is_true, items, of_type

_WORLD: Final = frozenset({"0.0.0.0/0", "::/0"})
_GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
_RULE: Final = "aws:ec2/securityGroupRule:SecurityGroupRule"
_INGRESS: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_WEB: Final = frozenset({80, 443})


def _open_groups(resources: Sequence[Resource]) -> Iterator[tuple[Resource, frozenset[str], Inputs]]:
    """Every rule that admits the world: the resource that says it, names of its security group, and the rule."""
    for rule in of_type(resources, _INGRESS):
        if _WORLD & {rule.inputs.get("cidrIpv4"), rule.inputs.get("cidrIpv6")}:
            yield rule, frozenset({rule.inputs["securityGroupId"]}), rule.inputs
    for rule in of_type(resources, _RULE):
        if rule.inputs["type"] == "ingress" and _is_world(rule.inputs):
            yield rule, frozenset({rule.inputs["securityGroupId"]}), rule.inputs
    for group in of_type(resources, _GROUP):
        for rule in items(group.inputs.get("ingress")):
            if _is_world(rule):
                yield group, group.names, rule


def _is_world(rule: Inputs) -> bool:
    return bool(_WORLD.intersection([*items(rule.get("cidrBlocks")), *items(rule.get("ipv6CidrBlocks"))]))


def _closed(resources: Sequence[Resource]) -> list[tuple[Resource, str]]:
    facing = {
        group
        for balancer in of_type(resources, "aws:lb/loadBalancer:LoadBalancer")
        if not balancer.inputs.get("internal")
        and balancer.inputs.get("loadBalancerType", "application") == "application"
        for group in items(balancer.inputs.get("securityGroups"))
    }
    return [
        (resource, "admits the whole internet; only the ports 80 and 443 of an internet-facing load balancer may")
        for resource, group, rule in _open_groups(resources)
        if facing.isdisjoint(group) or rule.get("fromPort") != rule.get("toPort") or rule.get("fromPort") not in _WEB
    ]


def _reachable(type_: str, inputs: Inputs) -> list[str]:
    found = ["is publicly accessible"] if is_true(inputs.get("publiclyAccessible")) else []
    if type_ == "aws:ec2/subnet:Subnet" and is_true(inputs.get("mapPublicIpOnLaunch")):
        found.append("gives a public address to everything in it")
    if type_ == "aws:ec2/launchTemplate:LaunchTemplate":
        found += [
            "gives instances a public address, or leaves that to their subnet"
            for interface in items(inputs.get("networkInterfaces")) or [{}]
            if str(interface.get("associatePublicIpAddress")).lower() != "false"
        ]
    if type_ == "aws:ec2/instance:Instance" and is_true(inputs.get("associatePublicIpAddress")):
        found.append("has a public address")
    return found


def _addresses(type_: str, inputs: Inputs) -> list[str]:
    match type_:
        case "aws:ecs/service:Service":
            networks = items(inputs.get("networkConfiguration"))
        case "aws:scheduler/schedule:Schedule":
            ecs = inputs.get("target", {}).get("ecsParameters", {})
            networks = items(ecs.get("networkConfiguration"))
        case _:
            return []
    return [
        "tasks have public addresses, which they need to reach AWS from a public subnet; private subnets need none"
        for network in networks
        if is_true(network.get("assignPublicIp"))
    ]


_TLS: Final = ("ELBSecurityPolicy-TLS13-1-2-", "ELBSecurityPolicy-TLS13-1-3-", "ELBSecurityPolicy-FS-1-2-Res-")


def _encrypted(type_: str, inputs: Inputs) -> list[str]:
    match type_:
        case "aws:lb/listener:Listener":
            return _listener(inputs)
        case "aws:sns/topicSubscription:TopicSubscription" if inputs.get("protocol") == "http":
            return ["sends messages in the clear; give an address with https"]
        case "aws:ecs/taskDefinition:TaskDefinition":
            return [
                f"mounts {volume.get('name')} without TLS; set transitEncryption"
                for volume in items(inputs.get("volumes"))
                if (efs := volume.get("efsVolumeConfiguration")) and efs.get("transitEncryption") != "ENABLED"
            ]
        case "pulumi:providers:grafana" if str(inputs.get("url", "https://")).startswith("http://"):
            return ["talks to Grafana in the clear"]
        case _:
            return []


def _listener(inputs: Inputs) -> list[str]:
    if inputs.get("protocol") == "HTTPS":
        policy = str(inputs.get("sslPolicy", ""))
        return [] if policy.startswith(_TLS) else [f"admits TLS older than 1.2 by its policy {policy!r}"]
    actions = items(inputs.get("defaultActions"))
    if inputs.get("protocol") != "HTTP" or all(_redirects(action) for action in actions):
        return []
    return ["serves HTTP; redirect it to HTTPS"]


def _redirects(action: Mapping[str, Any]) -> bool:
    return action.get("type") == "redirect" and action.get("redirect", {}).get("protocol") == "HTTPS"


def _balancer(type_: str, inputs: Inputs) -> list[str]:
    if type_ != "aws:lb/loadBalancer:LoadBalancer" or is_true(inputs.get("dropInvalidHeaderFields")):
        return []
    return ["passes malformed headers on, by which requests are smuggled; set dropInvalidHeaderFields"]


def _endpoint(type_: str, inputs: Inputs) -> list[str]:
    if type_ != "aws:ec2/vpcEndpoint:VpcEndpoint" or inputs.get("policy"):
        return []
    return ["lets everything pass to every account; give it a policy"]


def _instances(type_: str, inputs: Inputs) -> list[str]:
    if type_ != "aws:ec2/launchTemplate:LaunchTemplate":
        return []
    metadata: Inputs = inputs.get("metadataOptions") or {}
    found: list[str] = []
    if metadata.get("httpTokens") != "required":
        found.append("answers IMDSv1, which hands a role's credentials to whoever makes the instance fetch an address")
    if metadata.get("httpPutResponseHopLimit") != 1:
        found.append("answers its metadata over more than one hop; set httpPutResponseHopLimit to 1")
    return found


def _privileged(type_: str, inputs: Inputs) -> list[str]:
    return [
        f"{container.get('name')} is privileged"
        for container in containers(type_, inputs)
        if container.get("privileged")
    ]


RESOURCE_RULES: Final = (
    ResourceRule("no-public-access", "Nothing but a load balancer is reached from the internet.", _reachable),
    ResourceRule("no-public-address-of-tasks", "Tasks are in private subnets.", _addresses, advisory=True),
    ResourceRule("encrypted-in-transit", "Listeners, subscriptions and volumes use TLS.", _encrypted),
    ResourceRule("no-malformed-headers", "Load balancers drop header fields that are not well formed.", _balancer),
    ResourceRule("endpoints-have-policies", "VPC endpoints let pass what the stack needs.", _endpoint),
    ResourceRule("instance-metadata-v2", "Instances hand their role's credentials to nobody else.", _instances),
    ResourceRule("no-privileged-containers", "No container is root of its host.", _privileged),
)

STACK_RULES: Final = (
    StackRule("not-open-to-the-world", "Security groups admit the internet to load balancers only.", _closed),
)
