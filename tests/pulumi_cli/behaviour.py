"""What AWS's services refuse, and what they change by themselves, as far as more than one thing is concerned."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from tests.pulumi_cli.cloud import Cloud, RefusedError, Thing

SERVICE: Final = "aws:ecs/service:Service"
RULE: Final = "aws:lb/listenerRule:ListenerRule"

_BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
_GATEWAY: Final = "aws:ec2/internetGateway:InternetGateway"
_NAT: Final = "aws:ec2/natGateway:NatGateway"
_NAME: Final = "aws:servicediscovery/service:Service"
_SUBNET: Final = "aws:ec2/subnet:Subnet"
_PULLED_BY: Final = frozenset({"ecr.api", "ecr.dkr", "logs", "s3"})
"""The endpoints without which no task starts in a network that has no other way out."""

REFUSES_DELETION_WHILE_USED: Final = frozenset(
    {
        "aws:acm/certificate:Certificate",
        "aws:cloudwatch/eventRule:EventRule",
        "aws:ec2/eip:Eip",
        "aws:ec2/routeTable:RouteTable",
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpc:Vpc",
        "aws:ecs/cluster:Cluster",
        "aws:lb/targetGroup:TargetGroup",
        "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace",
        "aws:servicediscovery/service:Service",
        "grafana:alerting/contactPoint:ContactPoint",
    }
)

Inputs = Mapping[str, Any]


def check_creation(cloud: Cloud, token: str, inputs: Inputs) -> None:
    """RefusedError for what cannot be made of these inputs beside what is there."""
    things = cloud.things()
    match token:
        case "aws:ecs/service:Service":
            _check_tasks(things, inputs)
        case "aws:lb/listenerRule:ListenerRule":
            _check_priority(things, inputs)
        case "aws:lb/listener:Listener":
            _check_certificate(things, inputs)
        case "aws:lb/loadBalancer:LoadBalancer":
            _check_access_logs(things, inputs)
        case _:
            pass


def check_deletion(cloud: Cloud, thing: Thing) -> None:
    """RefusedError for what cannot go as long as the rest is there."""
    if thing.type in REFUSES_DELETION_WHILE_USED and (users := cloud.users_of(thing)):
        raise RefusedError(f"{thing.id} is still used by {_listed(users)}")
    if thing.type == _BALANCER and thing.outputs.get("enableDeletionProtection"):
        raise RefusedError(f"{thing.id} is protected against deletion")
    if lost := _lost_by_deletion(cloud.things(), thing):
        raise RefusedError(f"{thing.id} is where tasks send their telemetry: {', '.join(sorted(lost))}")
    if thing.type == _GATEWAY and (public := _with_public_addresses(cloud.things(), thing.outputs["vpcId"])):
        raise RefusedError(f"{thing.id} has mapped public addresses: {_listed(public)}")


def shift(cloud: Cloud, service: Inputs) -> None:
    """What ECS has done when a deployment of a service that shifts its requests is over: in the listener rules that it
    was given, the two target groups have changed places."""
    for balanced in service.get("loadBalancers", []):
        advanced = balanced.get("advancedConfiguration", {})
        named = {advanced.get("productionListenerRule"), advanced.get("testListenerRule")}
        for rule in (thing for thing in cloud.things() if thing.type == RULE and thing.id in named):
            [action] = rule.outputs["actions"]
            groups = action["forward"]["targetGroups"]
            weights = [group["weight"] for group in reversed(groups)]
            shifted = [{**group, "weight": weight} for group, weight in zip(groups, weights, strict=True)]
            cloud.change(rule, actions=[{**action, "forward": {**action["forward"], "targetGroups": shifted}}])


def shifts(service: Inputs) -> bool:
    """Whether ECS moves the requests of a service from one target group to another."""
    return service.get("deploymentConfiguration", {}).get("strategy", "ROLLING") != "ROLLING"


def _check_tasks(things: Iterable[Thing], inputs: Inputs) -> None:
    """What keeps the tasks of an ECS service from starting: images and logs are out of reach, requests cannot come."""
    network = inputs["networkConfiguration"]
    [definition] = [thing for thing in things if thing.outputs.get("arn") == inputs["taskDefinition"]]
    role = definition.inputs["executionRoleArn"].rpartition("/")[2]
    tables = {thing.inputs["subnetId"]: thing.inputs["routeTableId"] for thing in _of(things, "RouteTableAssociation")}
    if without := set(network["subnets"]) - set(tables):
        raise RefusedError(f"tasks cannot pull their images: no route in {', '.join(sorted(without))}")
    routed = {thing.id for thing in _of(things, "RouteTable") if thing.inputs.get("routes")}
    endpoints = {str(thing.inputs["serviceName"]) for thing in _of(things, "VpcEndpoint")}
    present = {name for name in _PULLED_BY for endpoint in endpoints if endpoint.endswith(f".{name}")}
    closed = not {tables[subnet] for subnet in network["subnets"]} <= routed
    if closed and (without := _PULLED_BY - present):
        raise RefusedError(f"tasks cannot pull their images: no endpoint of {', '.join(sorted(without))}")
    let_out = {thing.inputs["securityGroupId"] for thing in _of(things, "SecurityGroupEgressRule")}
    if not let_out.intersection(network["securityGroups"]):
        raise RefusedError("tasks cannot pull their images: no security group lets them out")
    granted = {thing.inputs["role"] for thing in _of(things, "RolePolicy")}
    if role not in granted:
        raise RefusedError(f"tasks cannot pull their images: {role} may do nothing")
    if lost := _collectors_of(definition) - _answering(things):
        raise RefusedError(f"tasks cannot send their telemetry: no collector at {', '.join(sorted(lost))}")
    _check_providers(things, inputs)
    _check_target_groups(things, inputs, granted)


def _lost_by_deletion(things: Iterable[Thing], gone: Thing) -> set[str]:
    """Where services still send their telemetry when nobody answers there any more. AWS would not mind."""
    left = [thing for thing in things if (thing.type, thing.key) != (gone.type, gone.key)]
    definitions = {thing.outputs.get("arn"): thing for thing in _of(left, "TaskDefinition")}
    services = [thing for thing in left if thing.type == SERVICE]
    running = [definitions[thing.inputs["taskDefinition"]] for thing in services if gone.id != thing.id]
    return {host for one in running for host in _collectors_of(one)} & (_answering(things) - _answering(left))


def _collectors_of(definition: Thing) -> set[str]:
    """The hosts to which the tasks of a definition send their telemetry, their own apart."""
    variables = [
        variable
        for container in json.loads(definition.inputs["containerDefinitions"])
        for variable in container.get("environment", [])
    ]
    addresses = {one["value"] for one in variables if one["name"] == "OTEL_EXPORTER_OTLP_ENDPOINT"}
    return {str(urlsplit(address).hostname) for address in addresses} - {"localhost", "127.0.0.1"}


def _answering(things: Iterable[Thing]) -> set[str]:
    """The private names at which ECS services answer."""
    zones = {thing.id: thing.inputs["name"] for thing in _of(things, "PrivateDnsNamespace")}
    registered = {
        thing.outputs["arn"]: f"{thing.inputs['name']}.{zones[thing.inputs['dnsConfig']['namespaceId']]}"
        for thing in things
        if thing.type == _NAME
    }
    services = [thing.inputs for thing in things if thing.type == SERVICE]
    by_name = {registered.get(each.get("serviceRegistries", {}).get("registryArn"), "") for each in services}
    by_proxy = {
        alias["dnsName"]
        for each in services
        for offered in each.get("serviceConnectConfiguration", {}).get("services", [])
        for alias in offered["clientAlias"]
    }
    return by_name | by_proxy


def _check_providers(things: Iterable[Thing], inputs: Inputs) -> None:
    wanted = {share["capacityProvider"] for share in inputs.get("capacityProviderStrategies", [])}
    cluster = inputs["cluster"].rpartition("/")[2]
    known = {
        provider
        for thing in _of(things, "ClusterCapacityProviders")
        if thing.inputs["clusterName"] == cluster
        for provider in thing.inputs["capacityProviders"]
    }
    if missing := wanted - known:
        raise RefusedError(f"the cluster has no capacity provider {', '.join(sorted(missing))}")


def _check_target_groups(things: Iterable[Thing], inputs: Inputs, granted: set[Any]) -> None:
    forwarded = str([thing.outputs["actions"] for thing in _of(things, "ListenerRule")])
    for balanced in inputs.get("loadBalancers", []):
        advanced = balanced.get("advancedConfiguration", {})
        if shifts(inputs) and not advanced:
            raise RefusedError("a strategy that shifts requests needs an advanced configuration")
        groups = [balanced["targetGroupArn"], advanced.get("alternateTargetGroupArn")]
        for group in filter(None, groups):
            if group not in forwarded:
                raise RefusedError(f"the target group {group} does not have an associated load balancer")
        if advanced and (role := advanced["roleArn"].rpartition("/")[2]) not in granted:
            raise RefusedError(f"ECS cannot shift requests: {role} may do nothing")


def _check_priority(things: Iterable[Thing], inputs: Inputs) -> None:
    for rule in _of(things, "ListenerRule"):
        if (rule.inputs["listenerArn"], rule.inputs["priority"]) == (inputs["listenerArn"], inputs["priority"]):
            raise RefusedError(f"priority {inputs['priority']:g} is in use by {rule.name}")


def _check_certificate(things: Iterable[Thing], inputs: Inputs) -> None:
    certificate = inputs.get("certificateArn")
    ours = {thing.id for thing in _of(things, "Certificate")}
    valid = {thing.inputs["certificateArn"] for thing in _of(things, "CertificateValidation")}
    if certificate in ours - valid:
        raise RefusedError(f"{certificate} is not validated")


def _check_access_logs(things: Iterable[Thing], inputs: Inputs) -> None:
    bucket = inputs.get("accessLogs", {}).get("bucket")
    if bucket and bucket not in {thing.inputs["bucket"] for thing in _of(things, "BucketPolicy")}:
        raise RefusedError(f"access is denied for bucket {bucket}")


def _with_public_addresses(things: Iterable[Thing], vpc_id: str) -> list[Thing]:
    subnets = {each.id for each in things if each.type == _SUBNET and each.inputs["vpcId"] == vpc_id}
    return [each for each in things if subnets.intersection(_public_subnets(each))]


def _public_subnets(thing: Thing) -> list[str]:
    """The subnets in which something has public addresses."""
    if thing.type == SERVICE and thing.inputs["networkConfiguration"]["assignPublicIp"]:
        return thing.inputs["networkConfiguration"]["subnets"]
    if thing.type == _BALANCER and not thing.inputs["internal"]:
        return thing.inputs["subnets"]
    return [thing.inputs["subnetId"]] if thing.type == _NAT else []


def _of(things: Iterable[Thing], kind: str) -> list[Thing]:
    return [thing for thing in things if thing.type.endswith(f":{kind}")]


def _listed(things: Iterable[Thing]) -> str:
    return ", ".join(f"{thing.type} {thing.name}" for thing in things)
