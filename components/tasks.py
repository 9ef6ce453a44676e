"""Tasks that are no service: their task definitions, what runs them by the clock, and how to run one once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NotRequired

import pulumi
import pulumi_aws as aws

from components import fargate
from components.fargate import Place
from components.identity import role
from components.patterns.sidecar import Sidecar
from components.site import Site
from components.workload import ObservedTask, Wanted, WorkloadArgs, observed_task
from documents import policies, tasks
from documents.faults import ConfigurationError, Fault
from documents.instrumentation import Instrumented

_DEAD_LETTERS_SECONDS = 14 * 24 * 3600
"""As long as SQS keeps a message."""


@dataclass(frozen=True)
class Schedules:
    """What the schedules of a stack share: the group that their roles are limited to, and the queue of dead letters."""

    group: "aws.scheduler.ScheduleGroup"
    dead_letters: "aws.sqs.Queue"


def schedules(name: str, site: Site) -> Schedules:
    """The group and the queue of one stack."""
    group = aws.scheduler.ScheduleGroup(f"{name}-group", name=site.names.prefix, tags=site.tags, opts=site.opts)
    queue = aws.sqs.Queue(
        f"{name}-dead-letters",
        name=site.names.dead_letters,
        message_retention_seconds=_DEAD_LETTERS_SECONDS,
        sqs_managed_sse_enabled=None if site.key_arn else True,
        kms_master_key_id=site.key_arn,
        tags=site.tags,
        opts=site.opts,
    )
    return Schedules(group, queue)


class TaskArgs(WorkloadArgs):
    """What a task needs; the keys after `schedules` are those of `documents.tasks.Task`.

    A task is no service: Service Connect takes no client that RunTask has started, and the figures that the service
    pattern reads in CloudWatch are by ECS service. So it has a sidecar, whose drain delivers what is left at its end.
    `schedules` is needed by a task with a schedule.
    """

    pattern: Sidecar
    schedules: NotRequired[Schedules | None]
    instrumentation: NotRequired[Instrumented | None]
    schedule: NotRequired[tasks.Schedule | None]


class Task(pulumi.ComponentResource):
    """Task definition, log group, roles and security group of one task, and its schedule where it has one.

    Raises `documents.faults.ConfigurationError` with every fault that can be known before anything is registered.
    """

    task_definition_arn: pulumi.Output[str]
    run_command: pulumi.Output[str]
    needed_policies: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: TaskArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place = args["place"]
        ours = ("place", "pattern", "schedules", "repository_arn")
        wanted = Wanted({key: value for key, value in args.items() if key not in ours}, args.get("repository_arn"))
        work = wanted.now(tasks.Task, place.site, args["pattern"])
        shared = args.get("schedules")
        if work.schedule and shared is None:
            raise ConfigurationError([Fault(f"{work.name}.schedules", "is missing", "give what `schedules` returns")])
        super().__init__("ecs-observability:index:Task", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        observed = observed_task(name, place, args["pattern"], workload=work, wanted=wanted, opts=child)
        group = fargate.security_group(
            f"{name}-tasks",
            place,
            service=work.name,
            ports=[],
            clients=place.cluster.applications_group_id,
            opts=child,
        )
        # In the group of the applications it may call them.
        network = fargate.network_configuration(place, [group, place.cluster.applications_group_id])
        if work.schedule and shared:
            _schedule(name, place, shared, work.schedule, work=work, observed=observed, network=network, opts=child)
        self.task_definition_arn = observed.definition.arn
        self.needed_policies = observed.roles.needed
        self.run_command = pulumi.Output.all(network, place.cluster.name).apply(
            lambda known: tasks.command(
                cluster=known[1],
                family=place.site.names.family(work.name),
                region=place.site.region,
                subnets=known[0]["subnets"],
                groups=known[0]["security_groups"],
                public=known[0]["assign_public_ip"],
                sessions=work.exec,
            )
        )
        self.register_outputs({"taskDefinitionArn": self.task_definition_arn, "runCommand": self.run_command})


def _schedule(
    name: str,
    place: Place,
    shared: Schedules,
    when: tasks.Schedule,
    *,
    work: tasks.Task,
    observed: ObservedTask,
    network: Any,
    opts: pulumi.ResourceOptions,
) -> None:
    """The schedule of a task, and the role by which it is run."""
    site, roles = place.site, observed.roles
    runner, granted = role(
        f"{name}-scheduler",
        site=site,
        role_name=site.names.role(work.name, "schedule"),
        trust=pulumi.Output.all(site.account, shared.group.arn).apply(
            lambda known: policies.schedules_trust(account=known[0], group_arn=known[1])
        ),
        statements=pulumi.Output.all(
            observed.definition.arn_without_revision,
            place.cluster.arn,
            fargate.tasks_arn(place),
            roles.task.arn,
            roles.execution.arn,
            shared.dead_letters.arn,
            site.key_arn,
        ).apply(
            lambda known: [
                *tasks.run(
                    definitions_arn=f"{known[0]}:*",
                    cluster_arn=known[1],
                    tasks_arn=known[2],
                    role_arns=[known[3], known[4]],
                    queue_arn=known[5],
                ),
                *(tasks.encrypt_dead_letters(known[6], site.region) if known[6] else []),
            ]
        ),
        opts=opts,
    )
    flexible = when.flexible_minutes
    target: Any = {
        "arn": place.cluster.arn,
        "role_arn": runner.arn,
        "retry_policy": {
            "maximum_retry_attempts": when.retries,
            "maximum_event_age_in_seconds": when.max_age_seconds,
        },
        "dead_letter_config": {"arn": shared.dead_letters.arn},
        "ecs_parameters": {
            "task_definition_arn": observed.definition.arn,
            "launch_type": "FARGATE",
            "task_count": 1,
            "network_configuration": network,
            "enable_ecs_managed_tags": True,
            "enable_execute_command": work.exec,
            "propagate_tags": "TASK_DEFINITION",
        },
    }
    aws.scheduler.Schedule(
        f"{name}-schedule",
        name=site.names.family(work.name),
        group_name=shared.group.name,
        description=f"Runs the task {work.name}",
        state="ENABLED" if when.enabled else "DISABLED",
        schedule_expression=when.expression,
        schedule_expression_timezone=when.time_zone,
        flexible_time_window={"mode": "FLEXIBLE", "maximum_window_in_minutes": flexible}
        if flexible
        else {"mode": "OFF"},
        target=target,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[*roles.granted, *granted])),
    )
