"""Tasks that are no service: run by the clock, or once by whoever asks.

Sources: Amazon EventBridge Scheduler User Guide, "Schedule types on EventBridge Scheduler" and "Using templated
targets"; Amazon EventBridge Scheduler API Reference, RetryPolicy and FlexibleTimeWindow.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from pydantic import AfterValidator, Field, field_validator

from documents import schedules
from documents.containers import Container
from documents.faults import wrong
from documents.inputs import Workload
from documents.model import Model, Whole
from documents.policies import Statement
from documents.prices import HOURS
from documents.schedules import TimeZone

_DONE: Final = 0
"""The exit code of a program that has done its work."""

_RATE: Final = re.compile(r"rate\(([1-9][0-9]{0,4}) (minute|hour|day)(s?)\)")


def _expression(value: str) -> str:
    if not value.startswith("rate("):
        return schedules.expression(value)
    rate = _RATE.fullmatch(value)
    if not rate or (rate[1] == "1") is bool(rate[3]):
        raise wrong("is no rate", "write it as rate(1 hour) or rate(5 minutes), of minutes, hours or days")
    return value


_SECONDS: Final = {"minute": 60, "hour": 3600, "day": 86_400}


def runs_a_month(expression: str) -> float | None:
    """How often a schedule runs its task in a month on average; None for once."""
    if rate := _RATE.fullmatch(expression):
        return HOURS * 3600 / (int(rate[1]) * _SECONDS[rate[2]])
    return schedules.times_a_month(expression)


class Schedule(Model):
    """When a task is run. Where ECS does not take it, EventBridge Scheduler tries again, and then leaves a message in
    the queue of dead letters; it does not look at how a task ends."""

    expression: Annotated[str, AfterValidator(_expression)]
    """`rate(5 minutes)`, `cron(minutes hours day-of-month month day-of-week year)` with a `?` for one of the days, or
    once `at(2027-01-31T08:00:00)`."""
    time_zone: TimeZone = "UTC"
    """A name of the IANA database, such as Europe/Berlin; not for `rate`."""
    flexible_minutes: Annotated[Whole, Field(ge=1, le=1440)] | None = None
    """Minutes within which EventBridge Scheduler may choose a moment."""
    retries: Annotated[Whole, Field(ge=0, le=185)] = 3
    """How often it tries again where ECS did not take the task."""
    max_age_seconds: Annotated[Whole, Field(ge=60, le=86400)] = 3600
    """Seconds for which it does."""
    enabled: bool = True
    """Whether it runs; otherwise it is only kept."""


class Task(Workload):
    """A task of the user: run by its schedule, and by whoever asks for it."""

    schedule: Schedule | None = None
    """When it is run; left out, only when somebody asks for it."""

    @field_validator("container")
    @classmethod
    def _ends(cls, container: Container) -> Container:
        policy = container.extra.restart_policy
        if policy and policy.enabled and _DONE not in policy.ignored_exit_codes:
            raise wrong(
                "has a restart policy by which a task that has done its work begins again",
                f"put {_DONE} among extra.restartPolicy.ignoredExitCodes",
            )
        return container


def run(
    *, definitions_arn: str, cluster_arn: str, tasks_arn: str, role_arns: Sequence[str], queue_arn: str
) -> list[Statement]:
    """What a schedule does: run one task definition, of whatever revision, in one cluster, pass on the roles of that
    task, tag it as its definition is tagged, and leave a message where it could not."""
    return [
        {
            "Sid": "RunTask",
            "Effect": "Allow",
            "Action": "ecs:RunTask",
            "Resource": definitions_arn,
            "Condition": {"ArnEquals": {"ecs:cluster": cluster_arn}},
        },
        {
            "Sid": "PassRoles",
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": list(role_arns),
            "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        },
        {
            "Sid": "TagTask",
            "Effect": "Allow",
            "Action": "ecs:TagResource",
            "Resource": tasks_arn,
            "Condition": {"StringEquals": {"ecs:CreateAction": "RunTask"}},
        },
        {"Sid": "LeaveDeadLetters", "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue_arn},
    ]


def encrypt_dead_letters(key_arn: str, region: str) -> list[Statement]:
    """What a schedule does besides where the queue is encrypted with a key of the user: SQS uses it on behalf of who
    sends (Amazon SQS Developer Guide, "Key management")."""
    return [
        {
            "Sid": "EncryptDeadLetters",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": key_arn,
            "Condition": {"StringEquals": {"kms:ViaService": f"sqs.{region}.amazonaws.com"}},
        }
    ]


def command(
    *,
    cluster: str,
    family: str,
    region: str,
    subnets: Sequence[str],
    groups: Sequence[str],
    public: bool,
    sessions: bool,
) -> str:
    """The command that runs a task once, for a shell."""
    network = (
        f"awsvpcConfiguration={{subnets=[{','.join(subnets)}],securityGroups=[{','.join(groups)}],"
        f"assignPublicIp={'ENABLED' if public else 'DISABLED'}}}"
    )
    options: Mapping[str, str] = {
        "--region": region,
        "--cluster": cluster,
        "--task-definition": family,
        "--launch-type": "FARGATE",
        "--propagate-tags": "TASK_DEFINITION",
        "--network-configuration": network,
    }
    words = [
        "aws",
        "ecs",
        "run-task",
        *(word for pair in options.items() for word in pair),
        "--enable-ecs-managed-tags",
    ]
    return shlex.join([*words, *(["--enable-execute-command"] if sessions else [])])
