"""What holds for every stack, and what judges from outside say about what it sends to AWS."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from policy.rules import RESOURCE_RULES, STACK_RULES, access
from policy.rules import Resource as PolicyResource
from policy.rules.statements import POLICIES, statements
from preview import placeholders
from preview.recorder import Recording, Resource, Secret
from preview.render import documents
from preview.stack import load
from tests import judges
from tests.components import balancing, hosts
from tests.components.variants import INGRESS, KEY_ARN, ROLE, ROOT, SERVICE, STACKS, VARIANTS, recorded
from tests.pulumi_cli.providers import REPLACED_BY

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
        for path, text in rendering(recording).items()
        if path.startswith(f"{folder}/")
    }


_LAST: list[tuple[Recording, Mapping[str, str]]] = []


def rendering(recording: Recording) -> Mapping[str, str]:
    """All documents by path. Those of the last recording are kept: they take a second, and all tests ask for them."""
    if not (_LAST and _LAST[0][0] is recording):
        _LAST[:] = [(recording, documents(recording))]
    return _LAST[0][1]


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


def test_the_stand_in_providers_know_what_replaces_every_resource(recording: Recording) -> None:
    types = {one.type for one in recording.resources if one.custom and not one.type.startswith("pulumi:providers:")}
    assert types <= set(REPLACED_BY)


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
    tasks = rendered(recording, "tasks")
    for service in recording.of_type(SERVICE):
        family = service.inputs["taskDefinition"].removeprefix("<").removesuffix("-definition.arn>")
        task = tasks[f"tasks/ecs-observability-{recording.stack}-{family}.json"]
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
                # The policy pack decides this, by AWS's data and by the conditions, which parliament does not read.
                and not finding.startswith("RESOURCE_STAR")
                # Who runs a task passes on its roles: these two, and to ECS's tasks only.
                and not (finding.startswith("PERMISSIONS_MANAGEMENT") and "'iam:passrole']" in finding)
                # It misses a rule of a Network Load Balancer beside ours, as it does in AWS's own managed policy.
                and not ("'elasticloadbalancing:ModifyRule'" in finding and "listener-rule/app/" not in finding)
            ]
            assert found == [], f"{path} {name}"
        assert policies["managed"] == [], f"{path}: AWS's managed policies allow more than what is needed"


PACK = {type_: {path.partition(".")[0] for path in paths} for type_, paths in POLICIES.items()}
"""The inputs in which the policy pack looks for policies."""


def judged(recording: Recording) -> list[PolicyResource]:
    """The resources as the policy pack sees them."""
    return [
        PolicyResource(resource.type, resource.urn, in_clear(dict(resource.inputs)), f"<{resource.name}.id>")
        for resource in recording.resources
    ]


def in_clear(value: Any) -> Any:
    """A value of a recording without the marks of secrets, as the engine shows it to a policy pack."""
    match value:
        case Secret():
            return in_clear(value.value)
        case dict():
            return {key: in_clear(inner) for key, inner in value.items()}
        case list() | tuple():
            return [in_clear(inner) for inner in value]
        case _:
            return value


def test_the_policy_pack_finds_nothing(recording: Recording) -> None:
    """But for tasks with public addresses, in stacks that do not ask for private subnets."""
    resources = judged(recording)
    found = {
        (rule.name, resource.urn, fault)
        for rule in RESOURCE_RULES
        for resource in resources
        for fault in rule.check(resource.type, resource.inputs)
    } | {(rule.name, resource.urn, fault) for rule in STACK_RULES for resource, fault in rule.check(resources)}
    addresses = {one for one in found if one[0] == "no-public-address-of-tasks"}
    assert found - addresses == set()
    private = recording.config["ecs-observability:network"].get("private", False)
    assert bool(addresses) is (not private)


def test_the_policy_pack_sees_every_policy(recording: Recording) -> None:
    """Grafana's and other services' own texts are no policies; whatever has statements is one."""
    for resource in judged(recording):
        for key, value in resource.inputs.items():
            if '"Statement"' in json.dumps(value):
                assert key in PACK.get(resource.type, ()), f"{resource.urn} {key}"


def test_wildcards_stand_behind_names_of_this_stack(recording: Recording) -> None:
    """Or behind a whole name that the stack file gives, or that AWS gives to buckets of its own."""
    of_stack = f"ecs-observability-{recording.stack}"
    for resource in judged(recording):
        for kind, statement in statements(resource.type, resource.inputs):
            for arn in listed(statement.get("Resource")):
                before, wildcard, _ = arn.partition("*")
                if not wildcard or not before or before.startswith("<"):
                    continue
                names = {
                    (access.start(pattern, before), after_first(pattern))
                    for action in listed(statement["Action"])
                    if "*" not in action
                    for pattern in access.patterns(action).values()
                }
                assert any(name and (of_stack in name or (end and end in name)) for name, end in names), (
                    f"{resource.urn} {kind} {arn}"
                )


def after_first(pattern: str) -> str:
    """What ends the first name in an ARN of that pattern; for log groups, whose ARNs end in `:*`, a colon."""
    rest = pattern.split(":", 5)[5].partition("}")[2]
    return rest[:1] or (":" if ":logs:" in pattern else "")


def test_what_has_a_star_has_requests_that_name_no_resource(recording: Recording) -> None:
    """AWS knows types of resources for some that read, and their requests name none by botocore's models."""
    for resource in judged(recording):
        for _, statement in statements(resource.type, resource.inputs):
            if statement["Effect"] == "Allow" and "*" in listed(statement.get("Resource")):
                for action in listed(statement["Action"]):
                    for kind in access.patterns(action) if access.needs_star(action) else ():
                        service, _, operation = action.partition(":")
                        members = judges.members(service, operation)
                        assert not [one for one in members if kind in one.lower()], f"{action} takes a {kind}"


def test_the_world_is_let_in_to_a_balancer_that_faces_it_and_nowhere_else(recording: Recording) -> None:
    """The rule of the policy pack looks at the balancer; this looks at what the stack file says."""
    balancer = recording.config["ecs-observability:loadBalancer"]
    open_ = {
        resource.inputs["fromPort"]
        for resource in recording.of_type(INGRESS)
        if "0.0.0.0/0" in resource.inputs.values() or "::/0" in resource.inputs.values()
    }
    facing = bool(recording.of_type("aws:lb/loadBalancer:LoadBalancer")) and not balancer.get("internal", False)
    assert open_ == ({80, 443} if facing and not balancer.get("clients") else set())


def encryption(stack: str) -> Json:
    """What the configuration of a stack says of encryption."""
    if stack in VARIANTS:
        return VARIANTS[stack].get("encryption", {})
    return load(ROOT, stack).values["ecs-observability:encryption"]


@pytest.mark.parametrize("stack", [stack for stack in STACKS if encryption(stack).get("key")])
def test_whatever_is_stored_has_the_key_of_the_stack(stack: str) -> None:
    """Buckets of access logs have S3's own key, since Elastic Load Balancing takes no other."""
    recording = recorded(stack)
    keys = {
        "aws:amp/workspace:Workspace": "kmsKeyArn",
        "aws:cloudwatch/logGroup:LogGroup": "kmsKeyId",
        "aws:grafana/workspace:Workspace": "kmsKeyId",
        "aws:sns/topic:Topic": "kmsMasterKeyId",
        "aws:sqs/queue:Queue": "kmsMasterKeyId",
    }
    for token, key in keys.items():
        for resource in recording.of_type(token):
            assert resource.inputs.get(key) in {"<encryption-key.arn>", KEY_ARN}, resource.urn


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
