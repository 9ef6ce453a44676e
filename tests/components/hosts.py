"""What instances are asked for, as EC2, EC2 Auto Scaling and ECS take it."""

from collections.abc import Callable, Mapping
from typing import Any

from preview.recorder import Resource
from tests import judges

Json = Mapping[str, Any]

TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
GROUP = "aws:autoscaling/group:Group"
PROVIDER = "aws:ecs/capacityProvider:CapacityProvider"
ASSOCIATION = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
PROFILE = "aws:iam/instanceProfile:InstanceProfile"

_BOOLEANS = frozenset({"associatePublicIpAddress", "deleteOnTermination", "encrypted"})
"""Inputs that the provider takes as texts, so that they may be left unsaid."""

_RENAMED = {"securityGroups": "Groups"}


def _ec2(value: Any, key: str = "") -> Any:
    """Inputs of a launch template as EC2 writes them."""
    if isinstance(value, list):
        return [_ec2(item) for item in value]
    if isinstance(value, dict):
        return {_RENAMED.get(name, name[:1].upper() + name[1:]): _ec2(inner, name) for name, inner in value.items()}
    return value == "true" if key in _BOOLEANS else value


def _pairs(tags: Json) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def launch_template(resource: Resource) -> Json:
    """CreateLaunchTemplate."""
    inputs = dict(resource.inputs)
    assert inputs.pop("updateDefaultVersion")  # Pulumi's own
    name, tags = inputs.pop("name"), inputs.pop("tags")
    inputs["blockDeviceMappings"] = list(inputs["blockDeviceMappings"])
    specified = [
        {"ResourceType": one["resourceType"], "Tags": _pairs(one["tags"])} for one in inputs.pop("tagSpecifications")
    ]
    return {
        "LaunchTemplateName": name,
        "TagSpecifications": [{"ResourceType": "launch-template", "Tags": _pairs(tags)}],
        "LaunchTemplateData": {**_ec2(inputs), "TagSpecifications": specified},
    }


def group(resource: Resource) -> Json:
    """CreateAutoScalingGroup; how instances are replaced is asked for by another request, see `refresh`."""
    inputs = {key: value for key, value in resource.inputs.items() if key != "instanceRefresh"}
    template = inputs.pop("launchTemplate")
    request = {
        "AutoScalingGroupName": inputs.pop("name"),
        "MinSize": inputs.pop("minSize"),
        "MaxSize": inputs.pop("maxSize"),
        "VPCZoneIdentifier": ",".join(inputs.pop("vpcZoneIdentifiers")),
        "NewInstancesProtectedFromScaleIn": inputs.pop("protectFromScaleIn"),
        "LaunchTemplate": {"LaunchTemplateId": template["id"], "Version": template["version"]},
        "Tags": [judges.pascal(dict(tag)) for tag in inputs.pop("tags")],
    }
    assert not inputs, f"not mapped: {sorted(inputs)}"
    return request


def refresh(resource: Resource) -> Json:
    """StartInstanceRefresh, which the provider asks for when the launch template has changed."""
    return {"AutoScalingGroupName": resource.inputs["name"], **judges.pascal(dict(resource.inputs["instanceRefresh"]))}


def provider(resource: Resource) -> Json:
    """CreateCapacityProvider."""
    inputs = dict(resource.inputs)
    tags = [{"key": key, "value": value} for key, value in inputs.pop("tags").items()]
    return {**inputs, "tags": tags}


def association(resource: Resource) -> Json:
    """PutClusterCapacityProviders, which wants a default for services that say nothing: none."""
    inputs = dict(resource.inputs)
    return {"cluster": inputs.pop("clusterName"), "defaultCapacityProviderStrategy": [], **inputs}


def profile(resource: Resource) -> Json:
    """CreateInstanceProfile; its role is added by another request."""
    inputs = dict(resource.inputs)
    request = {
        "InstanceProfileName": inputs.pop("name"),
        "Path": inputs.pop("path"),
        "Tags": _pairs(inputs.pop("tags")),
    }
    assert set(inputs) == {"role"}
    return request


REQUESTS: Mapping[str, tuple[tuple[str, str, Callable[[Resource], Json]], ...]] = {
    TEMPLATE: (("ec2", "CreateLaunchTemplate", launch_template),),
    GROUP: (("autoscaling", "CreateAutoScalingGroup", group), ("autoscaling", "StartInstanceRefresh", refresh)),
    PROVIDER: (("ecs", "CreateCapacityProvider", provider),),
    ASSOCIATION: (("ecs", "PutClusterCapacityProviders", association),),
    PROFILE: (("iam", "CreateInstanceProfile", profile),),
}
"""Service, operation and request, by the type of a resource."""


def cloud_formation(resource: Resource) -> tuple[str, Json]:
    """Type and properties; for those that CloudFormation writes otherwise than the API."""
    match resource.type:
        case "aws:ec2/launchTemplate:LaunchTemplate":
            return "AWS::EC2::LaunchTemplate", launch_template(resource)
        case "aws:autoscaling/group:Group":
            request = dict(group(resource))
            subnets = request.pop("VPCZoneIdentifier").split(",")
            sizes = {key: str(request.pop(key)) for key in ("MinSize", "MaxSize")}
            return "AWS::AutoScaling::AutoScalingGroup", {**request, **sizes, "VPCZoneIdentifier": subnets}
        case "aws:ecs/capacityProvider:CapacityProvider":
            return "AWS::ECS::CapacityProvider", judges.pascal(provider(resource))
        case "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders":
            return "AWS::ECS::ClusterCapacityProviderAssociations", judges.pascal(association(resource))
        case _:
            inputs = resource.inputs
            properties = {"InstanceProfileName": inputs["name"], "Path": inputs["path"], "Roles": [inputs["role"]]}
            return "AWS::IAM::InstanceProfile", properties
