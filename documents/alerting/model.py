"""What an alert is, whoever evaluates it."""

import re
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How soon a person has to look: now, or in working hours."""

    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True)
class Alert:
    """An alert by its name. `meaning` says in one sentence what is wrong when it fires; what evaluates it, and from
    which figures, depends on the pattern."""

    name: str
    severity: Severity
    meaning: str

    @property
    def runbook(self) -> str:
        """The name of its page in `docs/runbooks`, without ending."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", self.name).lower()
