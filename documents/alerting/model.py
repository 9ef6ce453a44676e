"""What an alert is, whoever evaluates it."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """How soon a person has to look: now, or in working hours."""

    CRITICAL = "critical"
    WARNING = "warning"


HEARTBEAT: Final = "heartbeat"
"""To whom the dead man's switch goes: nobody but the alarm that fires when it is no longer heard."""


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

    def runbook_url(self, runbooks: str) -> str:
        """The address of its page; `runbooks` is that of the folder."""
        return f"{runbooks.rstrip('/')}/{self.runbook}.md"
