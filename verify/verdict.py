"""What is said of one thing that was asked of a live stack."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a verdict says. Only the last one makes a verification fail.

    `EMPTY` is a query whose metrics have data and that finds none of it, as where nothing has failed.
    """

    DATA = "live: data"
    GOOD = "as deployed"
    EMPTY = "no data"
    NOT_ASKED = "not asked"
    FAILED = "failed"


@dataclass(frozen=True)
class Verdict:
    """One judgement. `area` groups verdicts; `cause` is the likely one where something is wrong, or why it was not
    asked."""

    kind: Kind
    area: str
    subject: str
    query: str = ""
    series: int = 0
    found: str = ""
    cause: str = ""
