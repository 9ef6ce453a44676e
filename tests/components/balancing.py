"""What a load balancer is asked for, as Elastic Load Balancing, ACM, Route 53 and ECS take it."""

from collections.abc import Callable, Mapping
from typing import Any

from preview.recorder import Resource
from tests import judges

Json = Mapping[str, Any]

BALANCER = "aws:lb/loadBalancer:LoadBalancer"
LISTENER = "aws:lb/listener:Listener"
RULE = "aws:lb/listenerRule:ListenerRule"
TARGET_GROUP = "aws:lb/targetGroup:TargetGroup"
CERTIFICATE = "aws:acm/certificate:Certificate"
RECORD = "aws:route53/record:Record"


def _take(inputs: dict[str, Any], **keys: str) -> dict[str, Any]:
    """The request that has these inputs under other names, and the tags. An input without a place is a failure."""
    request = {name: inputs.pop(key) for key, name in keys.items() if key in inputs}
    tags = [{"Key": key, "Value": value} for key, value in inputs.pop("tags", {}).items()]
    assert not inputs, f"not mapped: {sorted(inputs)}"
    return request | ({"Tags": tags} if tags else {})


def load_balancer(resource: Resource) -> Json:
    """CreateLoadBalancer; the attributes, which are set by another request, are in `attributes`."""
    inputs = {key: value for key, value in resource.inputs.items() if key not in _ATTRIBUTES}
    inputs["internal"] = "internal" if inputs["internal"] else "internet-facing"
    return _take(
        inputs,
        name="Name",
        loadBalancerType="Type",
        internal="Scheme",
        securityGroups="SecurityGroups",
        subnets="Subnets",
    )


_ATTRIBUTES = ("accessLogs", "dropInvalidHeaderFields", "enableDeletionProtection")


def attributes(resource: Resource) -> list[dict[str, str]]:
    """The attributes of a load balancer, or of a target group."""
    logs = resource.inputs.get("accessLogs", {})
    found = {
        "access_logs.s3.enabled": logs.get("enabled"),
        "access_logs.s3.bucket": logs.get("bucket"),
        "routing.http.drop_invalid_header_fields.enabled": resource.inputs.get("dropInvalidHeaderFields"),
        "deletion_protection.enabled": resource.inputs.get("enableDeletionProtection"),
        "deregistration_delay.timeout_seconds": resource.inputs.get("deregistrationDelay"),
    }
    return [{"Key": key, "Value": str(value).lower()} for key, value in found.items() if value is not None]


def _actions(actions: Any) -> list[Json]:
    return [_action(dict(action)) for action in actions]


def _action(action: dict[str, Any]) -> Json:
    request: dict[str, Any] = {"Type": action.pop("type")}
    if forward := action.pop("forward", None):
        groups = [{"TargetGroupArn": one["arn"], "Weight": one["weight"]} for one in forward["targetGroups"]]
        request["ForwardConfig"] = {"TargetGroups": groups}
    if arn := action.pop("targetGroupArn", None):
        request["TargetGroupArn"] = arn
    if redirect := action.pop("redirect", None):
        request["RedirectConfig"] = judges.pascal(redirect)
    if fixed := action.pop("fixedResponse", None):
        request["FixedResponseConfig"] = judges.pascal(fixed)
    assert not action, f"not mapped: {sorted(action)}"
    return request


def listener(resource: Resource) -> Json:
    """CreateListener."""
    inputs = dict(resource.inputs)
    if arn := inputs.pop("certificateArn", None):
        inputs["certificates"] = [{"CertificateArn": arn}]
    inputs["defaultActions"] = _actions(inputs["defaultActions"])
    return _take(
        inputs,
        loadBalancerArn="LoadBalancerArn",
        port="Port",
        protocol="Protocol",
        sslPolicy="SslPolicy",
        certificates="Certificates",
        defaultActions="DefaultActions",
    )


def rule(resource: Resource) -> Json:
    """CreateRule."""
    inputs = dict(resource.inputs)
    inputs["actions"] = _actions(inputs["actions"])
    inputs["conditions"] = [_condition(*one.items()) for one in inputs["conditions"]]
    return _take(inputs, listenerArn="ListenerArn", priority="Priority", conditions="Conditions", actions="Actions")


def _condition(*parts: tuple[str, Json]) -> Json:
    ((kind, values),) = parts
    fields = {"hostHeader": "host-header", "pathPattern": "path-pattern", "httpHeader": "http-header"}
    return {"Field": fields[kind], f"{kind[:1].upper()}{kind[1:]}Config": judges.pascal(values)}


def target_group(resource: Resource) -> Json:
    """CreateTargetGroup."""
    inputs = {key: value for key, value in resource.inputs.items() if key != "deregistrationDelay"}
    health = dict(inputs.pop("healthCheck"))
    checked = {
        "Matcher": {"HttpCode": health.pop("matcher")},
        "HealthCheckPath": health.pop("path"),
        "HealthCheckIntervalSeconds": health.pop("interval"),
        "HealthCheckTimeoutSeconds": health.pop("timeout"),
        "HealthyThresholdCount": health.pop("healthyThreshold"),
        "UnhealthyThresholdCount": health.pop("unhealthyThreshold"),
    }
    assert not health, f"not mapped: {sorted(health)}"
    return (
        _take(inputs, name="Name", port="Port", protocol="Protocol", targetType="TargetType", vpcId="VpcId") | checked
    )


def certificate(resource: Resource) -> Json:
    """RequestCertificate."""
    inputs = dict(resource.inputs)
    if not inputs["subjectAlternativeNames"]:
        del inputs["subjectAlternativeNames"]
    return _take(
        inputs,
        domainName="DomainName",
        subjectAlternativeNames="SubjectAlternativeNames",
        validationMethod="ValidationMethod",
    )


REQUESTS: Mapping[str, tuple[str, str, str, Callable[[Resource], Json]]] = {
    BALANCER: ("elbv2", "CreateLoadBalancer", "AWS::ElasticLoadBalancingV2::LoadBalancer", load_balancer),
    LISTENER: ("elbv2", "CreateListener", "AWS::ElasticLoadBalancingV2::Listener", listener),
    RULE: ("elbv2", "CreateRule", "AWS::ElasticLoadBalancingV2::ListenerRule", rule),
    TARGET_GROUP: ("elbv2", "CreateTargetGroup", "AWS::ElasticLoadBalancingV2::TargetGroup", target_group),
    CERTIFICATE: ("acm", "RequestCertificate", "AWS::CertificateManager::Certificate", certificate),
}
"""By type: service and operation, the type of CloudFormation, and what makes the request."""


def cloud_formation(resource: Resource) -> tuple[str, Json]:
    """Type and properties for CloudFormation, which has the attributes in one with the rest, and no tags of rules."""
    _, _, kind, request = REQUESTS[resource.type]
    properties = dict(request(resource))
    if resource.type in (RULE, LISTENER):
        del properties["Tags"]
    if found := attributes(resource):
        key = "LoadBalancerAttributes" if resource.type == BALANCER else "TargetGroupAttributes"
        properties[key] = found
    return kind, properties


def deployment(inputs: dict[str, Any]) -> Json:
    """What of CreateService's request a load balancer and a roll-out give; takes it out of the inputs of a service."""
    inputs.pop("sigintRollback", None)  # Pulumi's own
    request: dict[str, Any] = {}
    if balancers := inputs.pop("loadBalancers", None):
        request["loadBalancers"] = balancers
        request["healthCheckGracePeriodSeconds"] = inputs.pop("healthCheckGracePeriodSeconds")
    return request


def configuration(inputs: dict[str, Any]) -> Json:
    """The same of its deployment configuration. The provider has minutes as texts, and the alarms beside it."""
    request = {key: _minutes(key, value) for key, value in inputs.pop("deploymentConfiguration", {}).items()}
    return request | ({"alarms": inputs.pop("alarms")} if "alarms" in inputs else {})


def _minutes(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _minutes(name, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_minutes(key, one) for one in value]
    return int(value) if key.endswith("InMinutes") else value
