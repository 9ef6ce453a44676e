"""What holds for every stack, and what judges from outside say about what it sends to AWS."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from preview import placeholders
from preview.recorder import Recording, Resource
from preview.render import documents
from tests import judges
from tests.components import balancing, hosts
from tests.components.variants import ROLE, SERVICE, STACKS, recorded

pytestmark = pytest.mark.slow

Json = Mapping[str, Any]

_YOUR_SUBNET = re.compile(r"<your [^<>]*subnet[^<>]*>")


@pytest.fixture(scope="module", params=STACKS)
def recording(request: pytest.FixtureRequest) -> Recording:
    """Of module scope, so that all tests of one stack follow one another and find its recording in the same process."""
    return recorded(request.param)


def rendered(recording: Recording, folder: str) -> dict[str, Any]:
    """The JSON documents of one folder by path, with well-formed stand-ins for what only AWS knows."""
    return {
        path: json.loads(placeholders.fill(recording, text))
        for path, text in documents(recording).items()
        if path.startswith(f"{folder}/")
    }


def create_service(service: Resource) -> Json:
    """The request of ECS's CreateService. An input that has no place in it is a KeyError."""
    inputs = dict(service.inputs)
    del inputs["waitForSteadyState"]  # Pulumi's own
    network = inputs.pop("networkConfiguration")
    request = {
        "serviceName": inputs.pop("name"),
        "enableECSManagedTags": inputs.pop("enableEcsManagedTags"),
        "networkConfiguration": {
            "awsvpcConfiguration": network | {"assignPublicIp": "ENABLED" if network["assignPublicIp"] else "DISABLED"}
        },
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": inputs.pop("deploymentCircuitBreaker"),
            "maximumPercent": inputs.pop("deploymentMaximumPercent"),
            "minimumHealthyPercent": inputs.pop("deploymentMinimumHealthyPercent"),
            **balancing.configuration(inputs),
        },
        **balancing.deployment(inputs),
        "tags": [{"key": key, "value": value} for key, value in inputs.pop("tags").items()],
    }
    if registry := inputs.pop("serviceRegistries", None):
        request["serviceRegistries"] = [registry]
    if connect := inputs.pop("serviceConnectConfiguration", None):
        request["serviceConnectConfiguration"] = _connect(connect)
    if "enableExecuteCommand" in inputs:
        request["enableExecuteCommand"] = inputs.pop("enableExecuteCommand")
    for key in ("cluster", "taskDefinition", "desiredCount", "availabilityZoneRebalancing"):
        request[key] = inputs.pop(key)
    if strategy := inputs.pop("capacityProviderStrategies", None):
        request["capacityProviderStrategy"] = strategy
        assert inputs.pop("forceNewDeployment")  # what the provider asks for to change a strategy
    else:
        request["launchType"] = inputs.pop("launchType")
    request["propagateTags"] = inputs.pop("propagateTags")
    assert not inputs, f"not mapped: {sorted(inputs)}"
    return request


def _connect(connect: Json) -> Json:
    request = dict(connect)
    if offered := request.pop("services", []):
        request["services"] = [
            {"clientAliases" if key == "clientAlias" else key: value for key, value in each.items()} for each in offered
        ]
    return request


def services(recording: Recording) -> dict[str, Json]:
    """CreateService requests by name, with a subnet for each that a user has still to name."""
    texts = {
        service.name: placeholders.fill(recording, json.dumps(create_service(service)))
        for service in recording.of_type(SERVICE)
    }
    return {name: json.loads(_YOUR_SUBNET.sub("subnet-0123456789abcdef0", text)) for name, text in texts.items()}


SCALING = {
    "aws:appautoscaling/target:Target": "RegisterScalableTarget",
    "aws:appautoscaling/policy:Policy": "PutScalingPolicy",
    "aws:appautoscaling/scheduledAction:ScheduledAction": "PutScheduledAction",
}
"""Operations of Application Auto Scaling by the types of resources."""

_SCALING_NAMES = {"PutScalingPolicy": "PolicyName", "PutScheduledAction": "ScheduledActionName"}


def scaling_request(resource: Resource) -> Json:
    """The request of Application Auto Scaling that makes a resource; its members are the inputs, but for two names."""
    named = {"name": _SCALING_NAMES.get(SCALING[resource.type], "")}
    return {named.get(key, key[:1].upper() + key[1:]): judges.pascal(value) for key, value in resource.inputs.items()}


def test_names_on_aws_carry_project_and_stack(recording: Recording) -> None:
    """But for names that stand within something which carries them: the cluster, the namespace, the role, Grafana."""
    within = {
        "aws:ecs/service:Service",
        "aws:servicediscovery/service:Service",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:amp/ruleGroupNamespace:RuleGroupNamespace",
        "aws:grafana/workspaceServiceAccount:WorkspaceServiceAccount",
        "grafana:oss/dataSource:DataSource",
        "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace",
        "aws:route53/record:Record",
        "aws:appautoscaling/policy:Policy",
        "aws:appautoscaling/scheduledAction:ScheduledAction",
    }
    for resource in recording.resources:
        for key in ("name", "alias", "family", "title"):
            if resource.type not in within and key in resource.inputs:
                # What takes 32 characters carries as many of them as leave room for what tells it from others.
                carried = f"ecs-observability-{recording.stack}"[: 23 if resource.type.startswith("aws:lb/") else None]
                assert carried in resource.inputs[key], resource.urn


def test_every_reference_is_a_dependency(recording: Recording) -> None:
    """A placeholder in an input names a resource; without the dependency the engine would not wait for it."""
    names = {resource.urn: resource.name for resource in recording.resources}
    for resource in recording.resources:
        dependencies = {names[urn] for urn in resource.dependencies}
        for name in re.findall(r"<([a-z0-9-]+)\.[A-Za-z]+>", repr(resource.inputs)):
            if name in names.values():
                assert name in dependencies, f"{resource.urn} refers to {name}"


def test_the_partition_and_the_region_are_those_of_the_stack(recording: Recording) -> None:
    partition = "aws-us-gov" if recording.region.startswith("us-gov") else "aws"
    given = {"eu-central-1", ""}  # images and secrets of the variants; IAM is of no region
    for role in recording.of_type(ROLE):
        for arn in re.findall(r"arn:[^\"]+", role.inputs["assumeRolePolicy"]):
            assert arn.startswith(f"arn:{partition}:"), arn
            assert arn.split(":")[3] in {recording.region} | given


def test_ecs_takes_every_task_definition(recording: Recording) -> None:
    tasks = rendered(recording, "tasks")
    assert {path: judges.request("ecs", "RegisterTaskDefinition", task) for path, task in tasks.items()} == {
        path: [] for path in tasks
    }


def test_containers_wait_for_containers_that_are_there(recording: Recording) -> None:
    for task in rendered(recording, "tasks").values():
        names = [container["name"] for container in task["containerDefinitions"]]
        assert len(names) == len(set(names))
        for container in task["containerDefinitions"]:
            assert {wait["containerName"] for wait in container.get("dependsOn", [])} <= set(names) - {
                container["name"]
            }
        assert any(container["essential"] for container in task["containerDefinitions"])
        assert sum(container.get("memory", 0) for container in task["containerDefinitions"]) <= int(task["memory"])
        assert sum(container.get("cpu", 0) for container in task["containerDefinitions"]) <= int(task["cpu"])


def test_ecs_takes_every_service(recording: Recording) -> None:
    requests = services(recording)
    assert {name: judges.request("ecs", "CreateService", request) for name, request in requests.items()} == {
        name: [] for name in requests
    }


def test_application_auto_scaling_takes_everything(recording: Recording) -> None:
    found = {
        resource.name: judges.request("application-autoscaling", operation, scaling_request(resource))
        for token, operation in SCALING.items()
        for resource in recording.of_type(token)
    }
    assert found == {name: [] for name in found}


def balanced(recording: Recording) -> list[Resource]:
    """What belongs to load balancers, with well-formed stand-ins for what only AWS knows."""
    return [filled(recording, each) for token in balancing.REQUESTS for each in recording.of_type(token)]


def filled(recording: Recording, resource: Resource) -> Resource:
    """A resource with well-formed stand-ins for what only AWS knows."""
    return replace(resource, inputs=json.loads(placeholders.fill(recording, json.dumps(dict(resource.inputs)))))


def test_elastic_load_balancing_takes_everything(recording: Recording) -> None:
    found: dict[str, list[str]] = {}
    for resource in balanced(recording):
        service, operation, _, request = balancing.REQUESTS[resource.type]
        found[resource.name] = judges.request(service, operation, request(resource))
    assert found == {name: [] for name in found}


def test_aws_takes_the_instances(recording: Recording) -> None:
    found = {
        (resource.name, operation): judges.request(service, operation, request(filled(recording, resource)))
        for token, requests in hosts.REQUESTS.items()
        for resource in recording.of_type(token)
        for service, operation, request in requests
    }
    assert found == {key: [] for key in found}


def create_schedule(schedule: Resource) -> Json:
    """The request of EventBridge Scheduler's CreateSchedule, whose members begin with a capital, but for one."""
    inputs = judges.pascal(dict(schedule.inputs))
    ecs = inputs["Target"]["EcsParameters"]
    ecs["EnableECSManagedTags"] = ecs.pop("EnableEcsManagedTags")
    network = ecs["NetworkConfiguration"]
    address = "ENABLED" if network["AssignPublicIp"] else "DISABLED"
    ecs["NetworkConfiguration"] = {"awsvpcConfiguration": network | {"AssignPublicIp": address}}
    return inputs


def schedules(recording: Recording) -> dict[str, Json]:
    """CreateSchedule requests by name."""
    return {
        schedule.name: json.loads(placeholders.fill(recording, json.dumps(create_schedule(schedule))))
        for schedule in recording.of_type("aws:scheduler/schedule:Schedule")
    }


def test_event_bridge_scheduler_takes_every_schedule(recording: Recording) -> None:
    requests = schedules(recording)
    assert {name: judges.request("scheduler", "CreateSchedule", request) for name, request in requests.items()} == {
        name: [] for name in requests
    }


def test_service_connect_offers_ports_that_the_task_names(recording: Recording) -> None:
    for service in recording.of_type(SERVICE):
        family = service.inputs["taskDefinition"].removeprefix("<").removesuffix("-definition.arn>")
        task = rendered(recording, "tasks")[f"tasks/ecs-observability-{recording.stack}-{family}.json"]
        named = {
            port["name"]: port["containerPort"]
            for container in task["containerDefinitions"]
            for port in container.get("portMappings", ())
            if "name" in port
        }
        for offered in service.inputs.get("serviceConnectConfiguration", {}).get("services", []):
            assert [alias["port"] for alias in offered["clientAlias"]] == [named[offered["portName"]]]


def test_parliament_finds_nothing_in_a_policy(recording: Recording) -> None:
    """Trust policies have no resource, which parliament does not know; cfn-lint judges those."""
    for path, policies in rendered(recording, "policies").items():
        for name, document in policies["permissions"].items():
            found = [
                finding
                for finding in judges.policy(document)
                # The login to a registry: to hand out credentials for pulling is what the action is for.
                if not (finding.startswith("CREDENTIALS_EXPOSURE") and "'ecr:getauthorizationtoken']" in finding)
                # To become the one role of a central account that it names is what the action is for.
                and not (finding.startswith("CREDENTIALS_EXPOSURE") and "'sts:assumerole']" in finding)
                # Its resource is an instance to list the tasks of; by cluster, the condition narrows it.
                and not finding.startswith("RESOURCE_STAR: ['ecs:ListTasks']")
                # Who runs a task passes on its roles: these two, and to ECS's tasks only.
                and not (finding.startswith("PERMISSIONS_MANAGEMENT") and "'iam:passrole']" in finding)
                # It misses a rule of a Network Load Balancer beside ours, as it does in AWS's own managed policy.
                and not ("'elasticloadbalancing:ModifyRule'" in finding and "listener-rule/app/" not in finding)
            ]
            assert found == [], f"{path} {name}"
        assert policies["managed"] == [], f"{path}: AWS's managed policies allow more than what is needed"


def test_a_star_stands_only_where_aws_has_no_narrower_resource(recording: Recording) -> None:
    """Service Authorization Reference: actions without resource types, or whose resource no task can know."""
    unscoped = (
        "cloudwatch:", "ec2:DescribeInstances", "ec2:DescribeRegions", "ecr:GetAuthorizationToken",
        "ecs:DescribeTaskDefinition", "ecs:DiscoverPollEndpoint",
        "elasticloadbalancing:Describe",
        "ecs:ListServices", "ecs:ListTasks", "logs:DescribeLogGroups",
        "logs:GetQueryResults", "logs:StopQuery", "servicediscovery:DiscoverInstances", "ssmmessages:", "xray:",
    )  # fmt: skip
    for path, policies in rendered(recording, "policies").items():
        for document in policies["permissions"].values():
            for statement in document["Statement"]:
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                assert not any("*" in action for action in actions), path
                if statement["Resource"] == "*":
                    assert all(action.startswith(unscoped) for action in actions), path
