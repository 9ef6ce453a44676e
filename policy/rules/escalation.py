"""Privilege escalation: permissions by which a role gives itself, or somebody, more than it has.

The paths are those of the literature: Rhino Security Labs, "AWS IAM Privilege Escalation - Methods and Mitigation"
(2018, kept up in github.com/RhinoSecurityLabs/AWS-IAM-Privilege-Escalation), Bishop Fox, "iam-vulnerable" (2021), and
DataDog's catalogue pathfinding.cloud.
"""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from .model import Resource, StackRule, items, of_type
from .statements import Kind, Statement, allows, demands, statements

ALONE: Final = (
    # Policies: what may be done is written by who may do it.
    "iam:AttachGroupPolicy", "iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:CreatePolicyVersion",
    "iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary", "iam:PutGroupPolicy",
    "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:PutUserPermissionsBoundary", "iam:PutUserPolicy",
    "iam:SetDefaultPolicyVersion", "iam:UpdateAssumeRolePolicy",
    # Somebody else's credentials.
    "iam:AddUserToGroup", "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:CreateServiceSpecificCredential",
    "iam:ResetServiceSpecificCredential", "iam:UpdateLoginProfile", "iam:UpdateSAMLProvider",
    # What runs with a role of its own, and is told what to run.
    "cloudformation:UpdateStack", "codebuild:UpdateProject", "ec2-instance-connect:SendSSHPublicKey",
    "ec2:AssociateIamInstanceProfile", "ec2:ModifyInstanceAttribute", "ec2:ReplaceIamInstanceProfileAssociation",
    "ecs:ExecuteCommand", "glue:UpdateDevEndpoint", "glue:UpdateJob", "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration", "sagemaker:CreatePresignedDomainUrl",
    "sagemaker:CreatePresignedNotebookInstanceUrl", "ssm:SendCommand", "ssm:StartSession", "states:UpdateStateMachine",
)  # fmt: skip
"""Actions that are enough, whatever their resources are."""

WITH_ROLE: Final = (
    ("apprunner:CreateService",),
    ("autoscaling:CreateAutoScalingGroup",),
    ("batch:RegisterJobDefinition", "batch:SubmitJob"),
    ("cloudformation:CreateStack",),
    ("cloudformation:CreateStackSet",),
    ("codebuild:CreateProject",),
    ("codepipeline:CreatePipeline",),
    ("datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition"),
    ("ec2:RequestSpotInstances",),
    ("ec2:RunInstances",),
    ("ecs:CreateService",),
    ("ecs:RunTask",),
    ("ecs:StartTask",),
    ("ecs:UpdateService",),
    ("events:PutTargets",),
    ("glue:CreateDevEndpoint",),
    ("glue:CreateJob",),
    ("lambda:CreateFunction",),
    ("sagemaker:CreateNotebookInstance",),
    ("sagemaker:CreateProcessingJob",),
    ("sagemaker:CreateTrainingJob",),
    ("scheduler:CreateSchedule",),
    ("ssm:StartAutomationExecution",),
    ("states:CreateStateMachine",),
)
"""Actions that start something with a role that `iam:PassRole` gives it: as many ways to become any role that may be
passed."""

ADMINISTRATORS: Final = frozenset({"AdministratorAccess", "IAMFullAccess", "PowerUserAccess"})
"""AWS's managed policies with which nothing has to be escalated."""


def paths(statements: Iterable[Statement]) -> list[str]:
    """The ways to more permissions in everything that somebody may do."""
    every = [statement for statement in statements if allows(statement)]
    granted = [action for statement in every for action in items(statement.get("Action"))]
    found = [f"{action} is a way to more permissions" for action in ALONE if _any(granted, action)]
    for statement in every:
        actions, resources = items(statement.get("Action")), items(statement.get("Resource"))
        if _any(actions, "sts:AssumeRole") and _open(resources):
            found.append(f"sts:AssumeRole on {', '.join(resources)} becomes any role that trusts the account; name it")
        if _any(actions, "iam:PassRole") and (why := _passes(statement, resources)):
            ways = [" and ".join(way) for way in WITH_ROLE if all(_any(granted, action) for action in way)]
            with_ = f", and with {', '.join(ways)} runs as them" if ways else ""
            found.append(f"iam:PassRole {why}{with_}")
    return found


def _passes(statement: Statement, resources: Sequence[str]) -> str | None:
    if _open(resources):
        return f"on {', '.join(resources)} passes on roles that it does not name"
    if not any(key == "iam:passedtoservice" and not _open(values) for key, values in demands(statement)):
        return "passes on roles to any service: add iam:PassedToService"
    return None


def _open(resources: Iterable[str]) -> bool:
    return any("*" in resource for resource in resources)


def _any(granted: Iterable[str], action: str) -> bool:
    """Whether an action is among those granted, which may hold wildcards; IAM does not look at case."""
    return any(fnmatchcase(action.lower(), one.lower()) for one in granted)


def _check(resources: Sequence[Resource]) -> list[tuple[Resource, str]]:
    found = [
        (attachment, f"{name} has every permission")
        for attachment in of_type(resources, "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "aws:iam/role:Role")
        for arn in items(attachment.inputs.get("policyArn")) + items(attachment.inputs.get("managedPolicyArns"))
        if (name := str(arn).rpartition("/")[2]) in ADMINISTRATORS
    ]
    for holding in _by_holder(resources).values():
        every = [statement for one in holding for _, statement in statements(one.type, one.inputs, {Kind.IDENTITY})]
        found += [(holding[0], path) for path in paths(every)]
    return found


_HOLDERS: Final = {
    "aws:iam/rolePolicy:RolePolicy": "role",
    "aws:iam/userPolicy:UserPolicy": "user",
    "aws:iam/groupPolicy:GroupPolicy": "group",
}
"""The input that says whose a policy is, by type."""


def _by_holder(resources: Sequence[Resource]) -> Mapping[tuple[str, str], list[Resource]]:
    """What has policies of each role, user and group, and each managed policy for itself."""
    found: dict[tuple[str, str], list[Resource]] = {}
    roles = list(of_type(resources, "aws:iam/role:Role"))
    urns = {name: role.urn for role in roles for name in role.names}
    for policy in of_type(resources, *_HOLDERS):
        key = _HOLDERS[policy.type]
        holder: str = policy.inputs[key]
        found.setdefault((key, urns.get(holder, holder)), []).append(policy)
    for role in roles:
        found.setdefault(("role", role.urn), []).append(role)
    for policy in of_type(resources, "aws:iam/policy:Policy"):
        found[policy.type, policy.urn] = [policy]
    return found


RULES: Final = (
    StackRule("no-privilege-escalation", "No role may give itself more than it has, over all of its policies.", _check),
)
