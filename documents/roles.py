"""Roles of tasks that exist already: what ECS and this program need of them."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, cast

from pydantic import AfterValidator

from documents.faults import Fault, wrong
from documents.model import is_placeholder

_ARN: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/(?:[!\"#%-)+->@-~]+/)?[\w+=,.@-]{1,64}", re.ASCII)
"""Without wildcards and variables: it is a resource in IAM policies."""

ECS_TASKS: Final = "ecs-tasks.amazonaws.com"


def _role_arn(value: str) -> str:
    if not is_placeholder(value) and not _ARN.fullmatch(value):
        raise wrong("is not the ARN of an IAM role", "write it as arn:aws:iam::123456789012:role/name")
    return value


RoleArn = Annotated[str, AfterValidator(_role_arn)]


def name_of(arn: str) -> str:
    """The name of a role, without its path."""
    return arn.rpartition("/")[2]


def path_of(arn: str) -> str:
    """The path of a role, which begins and ends with a slash."""
    return f"/{arn.partition(':role/')[2].rpartition('/')[0]}/".replace("//", "/")


def faults(key: str, arn: str, trust: str) -> list[Fault]:
    """What makes a role unfit for tasks. `trust` is its trust policy as JSON."""
    if not any(_admits_tasks(statement) for statement in _listed(json.loads(trust).get("Statement"))):
        problem = f"does not trust {ECS_TASKS}, so ECS could not start a task with it"
        return [Fault(key, problem, "have its owner add that to its trust policy, with sts:AssumeRole", arn)]
    return []


def _admits_tasks(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    services = cast("Mapping[str, Any]", principal).get("Service") if isinstance(principal, Mapping) else None
    return (
        statement.get("Effect") == "Allow"
        and ECS_TASKS in _listed(services)
        and any(action in ("sts:AssumeRole", "sts:*", "*") for action in _listed(statement.get("Action")))
    )


def _listed(value: Any) -> Iterator[Any]:
    """IAM takes one thing in place of a list of one."""
    if isinstance(value, list):
        yield from cast("list[Any]", value)
    elif value is not None:
        yield value
