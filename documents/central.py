"""Several accounts: a workspace of another account that a stack writes to, and others that write to a stack's own."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator

from documents.faults import wrong
from documents.model import Model
from documents.roles import RoleArn

_WORKSPACE: Final = re.compile(
    r"arn:aws[a-z-]*:aps:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):workspace/"
    r"(?P<id>ws-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
_ROLES: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/(?P<name>[\w+=,.@/*-]+)")
_EXTERNAL_ID: Final = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_ORGANIZATION: Final = re.compile(r"o-[a-z0-9]{10,32}")


def _workspace(value: str) -> str:
    if not _WORKSPACE.fullmatch(value):
        form = "arn:aws:aps:eu-west-1:123456789012:workspace/ws-12345678-1234-1234-1234-123456789012"
        raise wrong("is not the ARN of an AMP workspace", f"write it as {form}")
    return value


def _roles(value: str) -> str:
    found = _ROLES.fullmatch(value)
    if not found:
        raise wrong(
            "is not the ARN of roles of one account", "write it as arn:aws:iam::123456789012:role/project-stack-*-task"
        )
    if not found["name"].strip("*/"):
        raise wrong("is every role of an account", "name those of one stack: its build/<stack>/central/role.json does")
    return value


def _somebody(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise wrong("names nobody", "give the task roles of a stack of another account, or leave the writers out")
    return value


def _external_id(value: str) -> str:
    if not _EXTERNAL_ID.fullmatch(value):
        raise wrong("is not an external id", "use 2 to 1224 letters, digits and _ + = , . @ : / -")
    return value


def _organization(value: str) -> str:
    if not _ORGANIZATION.fullmatch(value):
        raise wrong("is not the id of an organization", "write it as o-a1b2c3d4e5")
    return value


ExternalId = Annotated[str, AfterValidator(_external_id)]
"""What whoever assumes a role has to say (AWS STS API Reference, AssumeRole); no secret, to whoever may read roles."""


class Central(Model):
    """An AMP workspace of another account by its ARN, and the role there that collectors assume to write to it. With
    `traces` they write to the X-Ray of that account instead of their own."""

    workspace: Annotated[str, AfterValidator(_workspace)]
    role: RoleArn
    external_id: ExternalId | None = None
    traces: bool = False

    @property
    def account(self) -> str:
        """The number of the account."""
        return self._part("account")

    @property
    def region(self) -> str:
        """The region of the workspace."""
        return self._part("region")

    @property
    def workspace_id(self) -> str:
        """The workspace's id."""
        return self._part("id")

    @property
    def endpoint(self) -> str:
        """The address of the workspace, in the form in which AMP gives it."""
        return f"https://aps-workspaces.{self.region}.amazonaws.com/workspaces/{self.workspace_id}/"

    def _part(self, name: str) -> str:
        found = _WORKSPACE.fullmatch(self.workspace)
        return found[name] if found else ""


class Writers(Model):
    """Who else may write to the stack's workspace: `roles` of other accounts, by ARNs that may hold `*`, in an
    `organization` if one is given. With `traces` they may write to X-Ray as well."""

    roles: Annotated[tuple[Annotated[str, AfterValidator(_roles)], ...], AfterValidator(_somebody)]
    organization: Annotated[str, AfterValidator(_organization)] | None = None
    external_id: ExternalId | None = None
    traces: bool = False


class Accounts(Model):
    """Other accounts that the stack has to do with."""

    central: Central | None = None
    writers: Writers | None = None
