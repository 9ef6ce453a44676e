"""Confused deputies: whoever can make a service of AWS act for them must not reach what is ours by it.

A statement whose principal is a service says for whom the service may act, by `aws:SourceAccount` or `aws:SourceArn`.
Where a service has neither, AWS documents something else, which stands in `ALTERNATIVES` with its source.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from .model import ResourceRule, items
from .statements import Kind, Statement, allows, anybody, demands, of_statements, services

_ACCOUNTS: Final = frozenset({"aws:principalaccount", "aws:principalorgid", "aws:sourceaccount", "kms:calleraccount"})
_OF_ECR: Final = re.compile(r"arn:[^:]+:s3:::prod-[a-z0-9-]+-starport-layer-bucket/\*")


@dataclass(frozen=True)
class Alternative:
    """What keeps a service from acting for others where it has no condition for that; `source` is AWS's page."""

    service: re.Pattern[str]
    holds: Callable[[Kind, Statement], bool]
    why: str
    source: str


def _is_trust(kind: Kind, _statement: Statement) -> bool:
    return kind is Kind.TRUST


def _of_log_groups(_kind: Kind, statement: Statement) -> bool:
    return any(key == "kms:encryptioncontext:aws:logs:arn" for key, _ in demands(statement))


def _below_account(_kind: Kind, statement: Statement) -> bool:
    return all(re.search(r"/AWSLogs/(\d{12}|<account>)/", one) for one in items(statement["Resource"]))


def _opens_streams(_kind: Kind, statement: Statement) -> bool:
    return items(statement["Action"]) == ["logs:CreateLogStream"]


def _passed(service: str, source: str) -> Alternative:
    why = "a role is given to it by iam:PassRole, which takes roles of the same account only"
    return Alternative(re.compile(re.escape(service)), _is_trust, why, source)


ALTERNATIVES: Final = (
    _passed(
        "ec2.amazonaws.com",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
    ),
    _passed(
        "ecs.amazonaws.com",
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AmazonECSInfrastructureRolePolicyForLoadBalancers.html",
    ),
    _passed(
        "chatbot.amazonaws.com",
        "https://docs.aws.amazon.com/chatbot/latest/adminguide/chatbot-iam-policies.html",
    ),
    Alternative(
        re.compile(r"logs\.[a-z0-9-]+\.amazonaws\.com"),
        _of_log_groups,
        "the encryption context names the log groups, and with them the account",
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
    ),
    Alternative(
        re.compile(r"logdelivery\.elasticloadbalancing\.amazonaws\.com"),
        _below_account,
        "it writes below the folder of the account whose load balancer it is",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html",
    ),
    Alternative(
        re.compile(r"(delivery\.logs|events)\.amazonaws\.com"),
        _opens_streams,
        "opening an empty stream has no condition; writing to one has, in a statement of its own",
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html",
    ),
)


def deputies(kind: Kind, statement: Statement) -> list[str]:
    """Services of a statement that may act for anybody's account."""
    if not allows(statement) or _has_source(statement):
        return []
    return [
        f"{service} may act for anybody: add aws:SourceAccount or aws:SourceArn"
        for service in services(statement)
        if not any(one.service.fullmatch(service) and one.holds(kind, statement) for one in ALTERNATIVES)
    ]


def _has_source(statement: Statement) -> bool:
    return any(
        (key == "aws:sourceaccount" and _names(values))
        or (key == "aws:sourcearn" and all(_names_account(value) for value in values))
        for key, values in demands(statement)
    )


def _names(values: Sequence[str]) -> bool:
    return not any("*" in value for value in values)


def _names_account(arn: str) -> bool:
    parts = arn.split(":")
    return not arn.startswith("arn:") or (len(parts) > 5 and parts[4] not in {"", "*"})


def strangers(kind: Kind, statement: Statement) -> list[str]:
    """A principal of `*` without the account that it has to be of."""
    if not allows(statement) or not anybody(statement):
        return []
    if any(key in _ACCOUNTS and _names(values) for key, values in demands(statement)):
        return []
    # ECR stores layers in a bucket of AWS's and fetches them as itself (Amazon ECR User Guide, "VPC endpoints").
    if kind is Kind.ENDPOINT and all(_OF_ECR.fullmatch(one) for one in items(statement["Resource"])):
        return []
    return ["everybody on AWS is the principal: name it, or its account by a condition"]


RULES: Final = (
    ResourceRule(
        "no-confused-deputy",
        "Services of AWS may act for this account only, in trust and resource policies.",
        of_statements(deputies),
    ),
    ResourceRule(
        "no-strangers",
        "No policy has everybody as its principal, unless a condition says whose.",
        of_statements(strangers),
    ),
)
