"""IAM roles of tasks and of Grafana, each with exactly the statements it is given."""

import json
from collections.abc import Collection
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.site import Site
from documents import policies
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
class TaskRoles:
    """The two roles of a task; a service waits for `granted`, or its first tasks start without permission."""

    task: aws.iam.Role
    execution: aws.iam.Role
    granted: list[pulumi.Resource]


def task_roles(
    name: str,
    *,
    site: Site,
    service: str,
    does: pulumi.Output[list[policies.Statement]] | None,
    starts: pulumi.Output[list[policies.Statement]],
    opts: pulumi.ResourceOptions,
) -> TaskRoles:
    """The roles of a service's tasks: what its containers may do, and what ECS may do to start them."""
    trust = _tasks_trust(site)
    task, may_do = role(
        f"{name}-task", site=site, role_name=site.names.role(service, "task"), trust=trust, statements=does, opts=opts
    )
    execution, may_start = role(
        f"{name}-execution",
        site=site,
        role_name=site.names.role(service, "execution"),
        trust=trust,
        statements=starts,
        opts=opts,
    )
    return TaskRoles(task, execution, [*may_start, *may_do])


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
