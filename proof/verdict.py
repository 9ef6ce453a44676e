"""What is said of one thing that was asked."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a verdict says. Only the first says that values were seen and agree with what was sent."""

    PROVED = "proved"
    CHECKED = "checked against the contract"
    SEEN = "data seen"
    FAILED = "failed"


@dataclass(frozen=True)
class Verdict:
    """One judgement. `area` groups verdicts, `reason` says what is wrong where something is."""

    kind: Kind
    area: str
    subject: str
    query: str = ""
    series: int = 0
    expected: str = ""
    found: str = ""
    reason: str = ""
