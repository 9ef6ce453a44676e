"""The KMS key that encrypts what a stack stores, and what of it can never be changed."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator

from documents import events
from documents.faults import Fault, wrong
from documents.model import Model
from documents.names import Names

MADE: Final = "made"
"""Stands for a key that the stack makes."""

DELETION_DAYS: Final = 30
"""How long a key that is to be deleted can be had back, the longest that KMS knows: what it encrypts goes with it."""

_ARN: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/(?:mrk-)?[0-9a-f-]{32,36}")

_KEY: Final = "encryption.key"


def _key(value: str) -> str:
    if value != MADE and not _ARN.fullmatch(value):
        # An alias can be moved to another key, which AMP and AMG would not follow.
        raise wrong(
            "is neither 'made' nor the ARN of a KMS key",
            "write made, or arn:aws:kms:<region>:<account>:key/<id>, which is no alias",
        )
    return value


class Encryption(Model):
    """With what the stack's data are encrypted."""

    key: Annotated[str, AfterValidator(_key)] | None = None
    """`made`, or the ARN of a KMS key, for everything that the stack stores; left out, keys of AWS's own. It can only
    be chosen when the stack is made: docs/encryption.md#what-can-never-be-changed."""


def log_groups(names: Names) -> tuple[str, ...]:
    """The names of all log groups that a stack makes; `*` stands for its services and signals."""
    return (names.log_group("*"), names.workspace_log_group, events.log_group(names))


def key_faults(key: Mapping[str, Any], region: str) -> list[Fault]:
    """What makes an existing key unfit. `key` has what KMS's DescribeKey says, by the provider's names.

    AMP and AMG take symmetric keys; AMG and CloudWatch Logs take those of their own region only (Amazon Managed
    Grafana User Guide, "Encryption at rest"; Amazon CloudWatch Logs User Guide, "Encrypt log data").
    """
    arn = str(key["arn"])
    held = arn.split(":")[3]
    faults = [
        (held != region, f"is a key of {held}, and the stack is in {region}", "give one of the stack's region"),
        (not key["enabled"], "is a key that is not enabled", "enable it, or give another"),
        (
            key["key_spec"] != "SYMMETRIC_DEFAULT" or key["key_usage"] != "ENCRYPT_DECRYPT",
            "is no symmetric key for encryption",
            "give a key of the kind SYMMETRIC_DEFAULT for ENCRYPT_DECRYPT",
        ),
        (
            key["key_manager"] != "CUSTOMER",
            "is a key that AWS manages, whose policy cannot admit what the stack needs",
            "give a customer-managed key",
        ),
    ]
    return [Fault(_KEY, problem, remedy, arn) for wrong_so, problem, remedy in faults if wrong_so]


def workspace_faults(wanted: str | None, workspace_id: str, key_arn: str) -> list[Fault]:
    """A fault if the stack's AMP workspace runs already, with another key than is wanted (empty: with AWS's own).

    AMP takes the key when it makes a workspace and never afterwards, so Pulumi would make another workspace and delete
    this one with all of its metrics. `MADE`, for a key whose ARN is not known yet, is any key.
    """
    same = bool(key_arn) if wanted == MADE else key_arn == (wanted or "")
    if same:
        return []
    return [
        Fault(
            _KEY,
            f"is not the key of the workspace {workspace_id}, which has {key_arn or 'none'} and can never have another",
            "restore what it was, or deploy a second stack with this key beside this one and destroy this one once "
            "its metrics are no longer needed",
        )
    ]
