"""What cfn-lint says of what every stack sends to AWS: a file of its own, since it takes minutes."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from preview.recorder import Recording, Resource
from tests import judges
from tests.components import balancing
from tests.components.test_every_stack import balanced, rendered, scaling_request, schedules, services
from tests.components.variants import STACKS, recorded

pytestmark = pytest.mark.slow

Json = Mapping[str, Any]


def test_cloud_formation_takes_everything() -> None:
    """One template for each region, because cfn-lint needs a second for any."""
    by_region: dict[str, dict[str, tuple[str, Json]]] = {}
    for stack in STACKS:
        recording = recorded(stack)
        by_region.setdefault(recording.region, {}).update(resources_of(stack, recording))
    found = {region: judges.cloud_formation(_different(resources), region) for region, resources in by_region.items()}
    assert found == {region: [] for region in by_region}


def resources_of(stack: str, recording: Recording) -> dict[str, tuple[str, Json]]:
    """Type and properties, as CloudFormation has them, by a name that begins with that of the stack."""
    resources: dict[str, tuple[str, Json]] = {}
    for path, task in rendered(recording, "tasks").items():
        resources[f"{stack} {path}"] = ("AWS::ECS::TaskDefinition", judges.pascal(task))
    for name, request in services(recording).items():
        resources[f"{stack} {name}"] = ("AWS::ECS::Service", judges.pascal(request))
    for name, request in schedules(recording).items():
        resources[f"{stack} {name}"] = ("AWS::Scheduler::Schedule", judges.pascal(request))
    resources |= {f"{stack} {one.name}": balancing.cloud_formation(one) for one in balanced(recording)}
    for resource in recording.of_type("aws:appautoscaling/target:Target"):
        resources[f"{stack} {resource.name}"] = ("AWS::ApplicationAutoScaling::ScalableTarget", _scalable(resource))
    for resource in recording.of_type("aws:appautoscaling/policy:Policy"):
        request = scaling_request(resource)
        resources[f"{stack} {resource.name}"] = ("AWS::ApplicationAutoScaling::ScalingPolicy", request)
    for path, policies in rendered(recording, "policies").items():
        resources[f"{stack} {path}"] = ("AWS::IAM::Role", _role(policies))
    return resources


def _different(resources: Mapping[str, tuple[str, Json]]) -> dict[str, tuple[str, Json]]:
    """Each resource once, by the first of its names: most stacks have much in common, and cfn-lint takes its time."""
    first: dict[str, str] = {}
    for name, resource in resources.items():
        first.setdefault(json.dumps(resource, sort_keys=True), name)
    return {name: resources[name] for name in first.values()}


def _scalable(target: Resource) -> Json:
    request = dict(scaling_request(target))
    return request | {"Tags": [{"Key": key, "Value": value} for key, value in request.pop("Tags").items()]}


def _role(policies: Json) -> Json:
    return {
        "AssumeRolePolicyDocument": policies["trust"],
        "Policies": [
            {"PolicyName": name, "PolicyDocument": document} for name, document in policies["permissions"].items()
        ],
    }
