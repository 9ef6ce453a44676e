"""Names on AWS, derived from project, stack and the user's own names, and the lengths and letters that AWS allows.

Sources of the limits: IAM User Guide "IAM and STS quotas" (role name 64), Amazon ECS API Reference (family and service
255), AWS Cloud Map API Reference (a DNS label has at most 63 characters), Amazon ECR API Reference (repository 256).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from documents.faults import Fault, wrong

COLLECTOR: Final = "collector"
"""The name of the collector's container, and of its ECS service in the service pattern."""

_LONGEST_ROLE: Final = 64
_LONGEST_LABEL: Final = 63
_LONGEST_UID: Final = 40
_NAME: Final = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")


def application_name(name: str) -> str:
    """The name itself if ECS, Cloud Map, ECR and IAM all take it."""
    if not _NAME.fullmatch(name):
        raise wrong(
            "is not a name that ECS, Cloud Map and IAM all accept",
            "use lower-case letters, digits and hyphens, a letter first, no hyphen last",
        )
    if name == COLLECTOR:
        raise wrong("is the name of the collector", "choose another name")
    if len(name) > _LONGEST_LABEL:
        raise wrong("is too long for a DNS name", f"use at most {_LONGEST_LABEL} characters")
    return name


@dataclass(frozen=True)
class Names:
    """Every name of one stack."""

    project: str
    stack: str

    @property
    def prefix(self) -> str:
        """Cluster, workspace, namespace and the beginning of everything else."""
        return f"{self.project}-{self.stack}"

    @property
    def namespace(self) -> str:
        """The private DNS namespace in which applications and collector find each other."""
        return f"{self.stack}.{self.project}.internal"

    def family(self, name: str) -> str:
        """The task definition family of an application or of the collector service."""
        return f"{self.prefix}-{name}"

    def role(self, name: str, use: str) -> str:
        """An IAM role; `use` is `task` or `execution`, or `workspace` for Grafana's."""
        return f"{self.prefix}-{name}-{use}"

    def log_group(self, name: str) -> str:
        """The log group of one ECS service."""
        return f"/ecs/{self.prefix}/{name}"

    def address(self, name: str) -> str:
        """The DNS name of an ECS service of this stack."""
        return f"{name}.{self.namespace}"

    def faults(self, applications: Mapping[int, str]) -> list[Fault]:
        """What AWS would refuse later, in the names of the stack and of its applications by their place in the list."""
        found: list[Fault] = []
        if not _NAME.fullmatch(self.prefix):
            found.append(
                Fault(
                    "stack",
                    "project and stack make a name that AWS refuses",
                    "use lower-case letters, digits and hyphens, a letter first",
                    self.prefix,
                )
            )
        # Also where Grafana is off: turning it on is one word and must not fail. Our own roles fit with it.
        if len(self.prefix) > _LONGEST_UID:
            found.append(
                Fault(
                    "stack",
                    f"makes a name of {len(self.prefix)} characters, and a Grafana folder takes {_LONGEST_UID}",
                    f"shorten it by {len(self.prefix) - _LONGEST_UID}",
                    self.prefix,
                )
            )
        for index, application in applications.items():
            found += self.application_faults(application, f"applications.{index}")
        return found

    def application_faults(self, application: str, key: str) -> list[Fault]:
        """What AWS would refuse later in the names of one application, which stands under `key`."""
        role = self.role(application, "execution")
        if len(role) <= _LONGEST_ROLE:
            return []
        return [
            Fault(
                f"{key}.name",
                f"makes the role name {role!r} of {len(role)} characters, and IAM takes {_LONGEST_ROLE}",
                f"shorten it by {len(role) - _LONGEST_ROLE}",
                application,
            )
        ]
