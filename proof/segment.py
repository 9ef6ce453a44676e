"""A segment as X-Ray stores it, whichever way it came."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_TRACE: Final = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_ID: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment or subsegment document. Times in seconds since the epoch; `status` is HTTP's, 0 if there is none.

    `arrived` is when X-Ray took it. `annotations` are the attributes that it indexes; none are known of what came by
    its OTLP endpoint.
    """

    trace: str
    id: str
    parent: str
    name: str
    start: float
    end: float
    subsegment: bool
    error: bool
    fault: bool
    status: int
    arrived: float
    url: str = ""
    annotations: Mapping[str, str | float] = field(default_factory=dict[str, str | float])

    @property
    def problem(self) -> str:
        """Why X-Ray would not take it; nothing if it would."""
        if not _TRACE.fullmatch(self.trace):
            return f"trace id {self.trace!r} is not X-Ray's"
        if not _ID.fullmatch(self.id) or (self.parent and not _ID.fullmatch(self.parent)):
            return f"segment id {self.id!r} below {self.parent!r} is not X-Ray's"
        if self.end < self.start:
            return f"segment {self.id} ends before it starts"
        return ""
