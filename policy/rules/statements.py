"""Statements of IAM policies, wherever a resource holds some."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from enum import Enum
from typing import Any, Final, cast

from .model import Inputs, items

Statement = Mapping[str, Any]

# No `Not`, which lets everybody else pass; no `IfExists` and no `ForAllValues`, which let pass what has no such key.
_DEMANDING: Final = re.compile(r"(?:ForAnyValue:)?(?:String|Arn)(?:Equals|EqualsIgnoreCase|Like)")


class Kind(Enum):
    """What a policy is attached to, which decides what its elements mean."""

    IDENTITY = "identity"
    """Of a role, user or group: what that may do."""
    TRUST = "trust"
    """Of a role: who may assume it."""
    RESOURCE = "resource"
    """Of a topic, bucket or queue: who may do what with it."""
    KEY = "key"
    """Of a key. A resource of `*` is the key itself (AWS KMS Developer Guide, "Key policies in AWS KMS")."""
    ENDPOINT = "endpoint"
    """Of a VPC endpoint: what may pass it. It grants nothing."""


POLICIES: Final[Mapping[str, Mapping[str, Kind]]] = {
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": {"policyDocument": Kind.RESOURCE},
    "aws:ec2/vpcEndpoint:VpcEndpoint": {"policy": Kind.ENDPOINT},
    "aws:ecr/repositoryPolicy:RepositoryPolicy": {"policy": Kind.RESOURCE},
    "aws:iam/groupPolicy:GroupPolicy": {"policy": Kind.IDENTITY},
    "aws:iam/policy:Policy": {"policy": Kind.IDENTITY},
    "aws:iam/role:Role": {"assumeRolePolicy": Kind.TRUST, "inlinePolicies.policy": Kind.IDENTITY},
    "aws:iam/rolePolicy:RolePolicy": {"policy": Kind.IDENTITY},
    "aws:iam/userPolicy:UserPolicy": {"policy": Kind.IDENTITY},
    "aws:kms/key:Key": {"policy": Kind.KEY},
    "aws:kms/keyPolicy:KeyPolicy": {"policy": Kind.KEY},
    "aws:s3/bucketPolicy:BucketPolicy": {"policy": Kind.RESOURCE},
    "aws:sns/topic:Topic": {"policy": Kind.RESOURCE},
    "aws:sns/topicPolicy:TopicPolicy": {"policy": Kind.RESOURCE},
    "aws:sqs/queue:Queue": {"policy": Kind.RESOURCE},
    "aws:sqs/queuePolicy:QueuePolicy": {"policy": Kind.RESOURCE},
}
"""Where policies stand, by type of resource: in an input, or in a key of each item of one."""


def statements(type_: str, inputs: Inputs, kinds: Collection[Kind] = tuple(Kind)) -> list[tuple[Kind, Statement]]:
    """The statements of a resource's policies of some kinds; none where the type has no policy or none is given."""
    return [
        (kind, statement)
        for path, kind in POLICIES.get(type_, {}).items()
        if kind in kinds
        for document in _at(path, inputs)
        for statement in parsed(document)
    ]


def _at(path: str, inputs: Inputs) -> list[Any]:
    """The documents that stand in an input, or in a key of each of its items."""
    name, _, key = path.partition(".")
    found = items(inputs.get(name))
    return [document for one in found if (document := one.get(key) if key else one)]


def of_statements(judge: Callable[[Kind, Statement], list[str]]) -> Callable[[str, Inputs], list[str]]:
    """The check of a rule that judges every statement by itself."""

    def check(type_: str, inputs: Inputs) -> list[str]:
        return [fault for kind, statement in statements(type_, inputs) for fault in judge(kind, statement)]

    return check


def parsed(document: Any) -> list[Statement]:
    """The statements of a policy document, which may be JSON text."""
    read = cast(Mapping[str, Any], json.loads(document) if isinstance(document, str) else document)
    return [cast(Statement, statement) for statement in items(read["Statement"])]


def allows(statement: Statement) -> bool:
    """Whether it grants anything. To deny much is no fault."""
    return statement["Effect"] == "Allow"


def services(statement: Statement) -> list[str]:
    """The services of AWS that are its principals."""
    principal = statement.get("Principal", {})
    return [] if isinstance(principal, str) else items(principal.get("Service"))


def anybody(statement: Statement) -> bool:
    """Whether its principal is everybody on AWS."""
    principal = statement.get("Principal", {})
    return principal == "*" or (not isinstance(principal, str) and "*" in items(principal.get("AWS")))


def conditions(statement: Statement) -> Iterator[tuple[str, str, list[str]]]:
    """Operator, key and values of each condition; keys are lower case, as they are compared without it."""
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            yield operator, key.lower(), [str(value) for value in items(values)]


def demands(statement: Statement) -> Iterator[tuple[str, list[str]]]:
    """Key and values of each condition that only a request meets which has the key, with one of these values."""
    return ((key, values) for operator, key, values in conditions(statement) if _DEMANDING.fullmatch(operator))
