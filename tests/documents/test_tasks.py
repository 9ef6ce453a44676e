"""Tasks that are no service: when they are run, by which permissions, and by which command."""

import shlex
from typing import Any

import pytest

from documents import policies, tasks
from documents.faults import ConfigurationError
from documents.inputs import checked
from tests import judges

JOB = {"name": "job", "image": "shop/job:1"}


def faults(schedule: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        checked(tasks.Task, JOB | {"schedule": schedule}, "x")
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)", "rate(5 minutes)", "rate(1 hour)", "rate(12 hours)", "rate(1 day)", "rate(7 days)",
        "cron(30 2 * * ? *)", "cron(0 8 ? * MON-FRI *)", "at(2027-01-31T08:00:00)",
    ],
)  # fmt: skip
def test_expressions(expression: str) -> None:
    task = checked(tasks.Task, JOB | {"schedule": {"expression": expression}}, "x")
    assert task.schedule == tasks.Schedule(expression=expression)
    # botocore's model has lengths only; what it would refuse, AWS refuses as well.
    assert len(expression) <= 256


@pytest.mark.parametrize(
    "expression", ["rate(1 minutes)", "rate(5 minute)", "rate(0 hours)", "rate(1 week)", "rate(5)"]
)
def test_rates_that_are_none(expression: str) -> None:
    assert faults({"expression": expression}) == [
        f"x.schedule.expression: is no rate (got {expression!r}); "
        "write it as rate(1 hour) or rate(5 minutes), of minutes, hours or days"
    ]


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        ({}, "x.schedule.expression: is missing; give it a value"),
        ({"expression": "daily"}, "x.schedule.expression: is no schedule (got 'daily'); write it as"),
        ({"expression": "cron(0 8 * *)"}, "x.schedule.expression: has 4 fields, and AWS's cron has six"),
        ({"expression": "rate(1 hour)", "timeZone": "GMT+1"}, "x.schedule.timeZone: is not the name of a time zone"),
        (
            {"expression": "rate(1 hour)", "flexibleMinutes": 1441},
            "x.schedule.flexibleMinutes: is too large (got 1441)",
        ),
        (
            {"expression": "rate(1 hour)", "retries": 186},
            "x.schedule.retries: is too large (got 186); give at most 185",
        ),
        ({"expression": "rate(1 hour)", "maxAgeSeconds": 59}, "x.schedule.maxAgeSeconds: is too small (got 59); give"),
        (
            {"expression": "rate(1 hour)", "timezone": "UTC"},
            "x.schedule.timezone: is not a known key; did you mean 'timeZone'?",
        ),
    ],
)
def test_faults_of_a_schedule(schedule: dict[str, Any], text: str) -> None:
    (fault,) = faults(schedule)
    assert fault.startswith(text)


@pytest.mark.parametrize(("codes", "ends"), [([], False), ([1], False), ([0, 3], True)])
def test_a_task_that_has_done_its_work_ends(codes: list[int], ends: bool) -> None:
    job = JOB | {"container": {"extra": {"restartPolicy": {"enabled": True, "ignoredExitCodes": codes}}}}
    if ends:
        assert checked(tasks.Task, job, "x").container.extra.restart_policy
        return
    with pytest.raises(ConfigurationError) as caught:
        checked(tasks.Task, job, "x")
    assert [str(fault) for fault in caught.value.faults] == [
        "x.container: has a restart policy by which a task that has done its work begins again (got a map); "
        "put 0 among extra.restartPolicy.ignoredExitCodes"
    ]


def test_a_task_serves_nobody() -> None:
    with pytest.raises(ConfigurationError) as caught:
        checked(tasks.Task, JOB | {"port": 8080, "desiredCount": 2}, "x")
    assert [fault.key for fault in caught.value.faults] == ["x.port", "x.desiredCount"]


def test_a_schedule_runs_one_task_in_one_cluster_and_passes_on_its_roles() -> None:
    role = "arn:aws:iam::123456789012:role/shop-dev-job"
    statements = tasks.run(
        definitions_arn="arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-dev-job:*",
        cluster_arn="arn:aws:ecs:eu-west-1:123456789012:cluster/shop-dev",
        tasks_arn="arn:aws:ecs:eu-west-1:123456789012:task/shop-dev/*",
        role_arns=[f"{role}-task", f"{role}-execution"],
        queue_arn="arn:aws:sqs:eu-west-1:123456789012:shop-dev-dead-letters",
    )
    assert statements == [
        {
            "Sid": "RunTask",
            "Effect": "Allow",
            "Action": "ecs:RunTask",
            "Resource": "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-dev-job:*",
            "Condition": {"ArnEquals": {"ecs:cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/shop-dev"}},
        },
        {
            "Sid": "PassRoles",
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": [f"{role}-task", f"{role}-execution"],
            "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        },
        {
            "Sid": "TagTask",
            "Effect": "Allow",
            "Action": "ecs:TagResource",
            "Resource": "arn:aws:ecs:eu-west-1:123456789012:task/shop-dev/*",
            "Condition": {"StringEquals": {"ecs:CreateAction": "RunTask"}},
        },
        {
            "Sid": "LeaveDeadLetters",
            "Effect": "Allow",
            "Action": "sqs:SendMessage",
            "Resource": "arn:aws:sqs:eu-west-1:123456789012:shop-dev-dead-letters",
        },
    ]
    found = judges.policy(policies.policy(statements))
    assert [finding.partition(":")[0] for finding in found] == ["PERMISSIONS_MANAGEMENT_ACTIONS"]  # PassRole


def test_the_role_of_a_schedule_is_for_the_schedules_of_its_group() -> None:
    group = "arn:aws:scheduler:eu-west-1:123456789012:schedule-group/shop-dev"
    assert policies.schedules_trust(account="123456789012", group_arn=group)["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "scheduler.amazonaws.com"},
            "Condition": {
                "StringEquals": {"aws:SourceAccount": "123456789012"},
                "ArnLike": {"aws:SourceArn": group},
            },
            "Action": "sts:AssumeRole",
        }
    ]


@pytest.mark.parametrize(("public", "sessions"), [(True, False), (False, True)])
def test_the_command_is_one_of_the_cli_for_a_shell(public: bool, sessions: bool) -> None:
    text = tasks.command(
        cluster="shop-dev",
        family="shop-dev-job",
        region="eu-west-1",
        subnets=["subnet-1", "subnet-2"],
        groups=["sg-1", "sg-2"],
        public=public,
        sessions=sessions,
    )
    words = shlex.split(text)
    assert words[:3] == ["aws", "ecs", "run-task"]
    address = "ENABLED" if public else "DISABLED"
    assert words[3:] == [
        *("--region", "eu-west-1", "--cluster", "shop-dev", "--task-definition", "shop-dev-job"),
        *("--launch-type", "FARGATE", "--propagate-tags", "TASK_DEFINITION", "--network-configuration"),
        f"awsvpcConfiguration={{subnets=[subnet-1,subnet-2],securityGroups=[sg-1,sg-2],assignPublicIp={address}}}",
        "--enable-ecs-managed-tags",
        *(["--enable-execute-command"] if sessions else []),
    ]
