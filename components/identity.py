"""IAM roles of tasks and of Grafana, each with exactly the statements it is given."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.refusal import refuse
from components.site import Site
from documents import policies, roles
from documents.inputs import Collector


def role(
    name: str,
    *,
    site: Site,
    role_name: str,
    trust: pulumi.Output[policies.Policy],
    statements: pulumi.Output[list[policies.Statement]] | None,
    opts: pulumi.ResourceOptions,
) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
    """A role and its one inline policy; whoever uses the role depends on the policy, or starts without permission.

    Without statements there is no policy: IAM refuses an empty one.
    """
    made = aws.iam.Role(
        name,
        name=role_name,
        path=site.identity.path,
        permissions_boundary=site.identity.permissions_boundary,
        assume_role_policy=trust.apply(_text),
        tags=site.tags,
        opts=opts,
    )
    if statements is None:
        return made, []
    granted = aws.iam.RolePolicy(
        f"{name}-policy",
        name="permissions",
        role=made.name,
        policy=statements.apply(lambda known: _text(policies.policy(known))),
        opts=opts,
    )
    return made, [granted]


@dataclass(frozen=True)
class Role:
    """A role that a task has, made or existing."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]


@dataclass(frozen=True)
class TaskRoles:
    """The two roles of a task; a service waits for `granted`, or its first tasks start without permission.

    `needed` are policy documents (JSON) by the use of the role, `task` or `execution`, for existing roles: whoever owns
    them attaches these.
    """

    task: Role
    execution: Role
    granted: list[pulumi.Resource]
    needed: Mapping[str, pulumi.Output[str]]


def task_roles(
    name: str,
    *,
    site: Site,
    service: str,
    does: pulumi.Output[list[policies.Statement]] | None,
    starts: pulumi.Output[list[policies.Statement]],
    existing: Mapping[str, pulumi.Input[str]] | None = None,
    opts: pulumi.ResourceOptions,
) -> TaskRoles:
    """The roles of a service's tasks: what its containers may do (`task`), and what ECS may do to start them
    (`execution`). `existing` are ARNs by these words, of roles to use in place of ours."""
    held: dict[str, Role] = {}
    granted: list[pulumi.Resource] = []
    needed: dict[str, pulumi.Output[str]] = {}
    for use, statements in (("execution", starts), ("task", does)):
        if existing and use in existing:
            held[use] = _looked_up(site, f"{service}.{use}Role", existing[use])
            if statements is not None:
                needed[use] = statements.apply(lambda known: _text(policies.policy(known)))
            continue
        made, policy = role(
            f"{name}-{use}",
            site=site,
            role_name=site.names.role(service, use),
            trust=_tasks_trust(site),
            statements=statements,
            opts=opts,
        )
        held[use] = Role(made.arn, made.name)
        granted += policy
    return TaskRoles(held["task"], held["execution"], granted, needed)


def _looked_up(site: Site, key: str, arn: pulumi.Input[str]) -> Role:
    """A role that exists, known only if tasks can have it: RefusedError says why not."""
    given = pulumi.Output.from_input(arn)
    found = aws.iam.get_role_output(name=given.apply(roles.name_of), opts=site.asking)

    def fit(known: Sequence[str]) -> str:
        refuse(roles.faults(key, known[0], known[1]))
        return known[0]

    return Role(pulumi.Output.all(given, found.assume_role_policy).apply(fit), found.name)


def starts_collectors(
    site: Site, collector: Collector, logs: aws.cloudwatch.LogGroup, secrets: Collection[str] = ()
) -> pulumi.Output[list[policies.Statement]]:
    """What ECS does to start a task that has nothing but collectors in it; `secrets` are the ARNs that they read."""
    return pulumi.Output.all(site.partition, logs.arn).apply(
        lambda known: policies.execution(
            repositories=policies.repository_arns((collector.image, collector.drain_image), known[0]),
            log_group_arn=known[1],
            secrets=secrets,
        )
    )


def _tasks_trust(site: Site) -> pulumi.Output[policies.Policy]:
    """The trust policy of every role that ECS tasks assume."""
    return pulumi.Output.all(site.partition, site.account).apply(
        lambda known: policies.tasks_trust(partition=known[0], region=site.region, account=known[1])
    )


def grafana_trust(site: Site) -> pulumi.Output[policies.Policy]:
    """The trust policy of the Grafana workspace's role."""
    return pulumi.Output.all(site.partition, site.account).apply(
        lambda known: policies.grafana_trust(partition=known[0], region=site.region, account=known[1])
    )


def _text(document: policies.Policy) -> str:
    return json.dumps(document, sort_keys=True)
