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


def workspace_arn(value: str) -> str:
    """The ARN itself if it is that of an AMP workspace."""
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


def region_of(workspace: str) -> str:
    """The region of a workspace; nothing of one whose ARN is not known yet."""
    found = _WORKSPACE.fullmatch(workspace)
    return found["region"] if found else ""


def remote_write_url(workspace: str, region: str) -> str:
    """Where collectors of a region write, from the workspace's ARN, which may be a placeholder."""
    found = _WORKSPACE.fullmatch(workspace)
    return f"{_endpoint(region, found['id'] if found else workspace)}api/v1/remote_write"


def _endpoint(region: str, workspace_id: str) -> str:
    """The address of a workspace, in the form in which AMP gives it."""
    return f"https://aps-workspaces.{region}.amazonaws.com/workspaces/{workspace_id}/"


ExternalId = Annotated[str, AfterValidator(_external_id)]
"""What whoever assumes a role has to say (AWS STS API Reference, AssumeRole); no secret, to whoever may read roles."""


class Central(Model):
    """Where another account stores the stack's metrics, and as whom collectors write there."""

    workspace: Annotated[str, AfterValidator(workspace_arn)]
    """ARN of the AMP workspace in that account."""
    role: RoleArn
    """ARN of the role there that collectors assume."""
    external_id: ExternalId | None = None
    """What they say when they assume it."""
    traces: bool = False
    """Whether traces go to the X-Ray of that account instead of the stack's own."""

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
        return _endpoint(self.region, self.workspace_id)

    def _part(self, name: str) -> str:
        found = _WORKSPACE.fullmatch(self.workspace)
        return found[name] if found else ""


class Writers(Model):
    """Who else may write to the stack's workspace."""

    roles: Annotated[tuple[Annotated[str, AfterValidator(_roles)], ...], AfterValidator(_somebody)]
    """ARNs of roles in other accounts, which may hold `*`."""
    organization: Annotated[str, AfterValidator(_organization)] | None = None
    """The organization that they have to be of."""
    external_id: ExternalId | None = None
    """What they have to say when they assume the role."""
    traces: bool = False
    """Whether they may write to X-Ray as well."""


class Accounts(Model):
    """Other accounts that the stack has to do with."""

    central: Central | None = None
    """Another account that stores the metrics of this stack; docs/accounts.md."""
    writers: Writers | None = None
    """Roles of other accounts that may write to this stack's workspace; docs/accounts.md#the-central-account."""
