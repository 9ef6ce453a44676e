"""What recording rules are made of: windows, series that rules make, and the rules themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from documents.catalogue import Label
from documents.objectives import duration
from documents.observed import Observed

EVALUATION_SECONDS: Final = 60
"""How often AMP evaluates a group that states no interval of its own."""

SHORTEST_SECONDS: Final = 300

OF_JOB: Final = (Label.CLUSTER, Label.SERVICE, Label.JOB)
"""What tells applications apart: the ECS service, and who in its tasks writes."""


@dataclass(frozen=True)
class Recorded:
    """A series that rules make, and the labels by which its values are told apart."""

    name: str
    labels: tuple[str, ...] = OF_JOB

    def of(self, chosen: Mapping[str, str], window: str = "") -> str:
        """The selector of those series that have these labels; with a `window`, all that they were in it."""
        return selector(self.name, chosen, window)


@dataclass(frozen=True)
class Rule:
    """A recording rule; `labels` are those that it sets, beside the ones that its expression keeps."""

    makes: Recorded
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def document(self) -> dict[str, Any]:
        """The rule as a rules file has it."""
        labels = {"labels": dict(self.labels)} if self.labels else {}
        return {"record": self.makes.name, "expr": self.expr, **labels}


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after the other, so that each finds what those before it have recorded; at AMP's
    default interval, or every `seconds`."""

    name: str
    rules: tuple[Rule, ...]
    seconds: int = EVALUATION_SECONDS

    @property
    def document(self) -> dict[str, Any]:
        """The group as a rules file has it."""
        interval = {} if self.seconds == EVALUATION_SECONDS else {"interval": duration(self.seconds)}
        return {"name": self.name, **interval, "rules": [rule.document for rule in self.rules]}


def rate_seconds(interval_seconds: float) -> float:
    """How far a rate looks back: four samples at least, so that one that is late or lost leaves no gap."""
    return max(SHORTEST_SECONDS, 4 * interval_seconds)


def window_seconds(observed: Observed) -> int:
    """How far the rates of a stack look back."""
    return int(rate_seconds(observed.interval_seconds))


def window(observed: Observed) -> str:
    """The same as PromQL writes it, and as it ends the names of recorded rates."""
    return duration(window_seconds(observed))


def selector(name: str, chosen: Mapping[str, str], window: str = "", matcher: str = "") -> str:
    """An instant or, with a `window`, a range selector of the series with these labels, and with what another
    `matcher` wants."""
    equal = (f'{label}="{value}"' for label, value in chosen.items())
    return f"{name}{{{', '.join([*equal, *([matcher] if matcher else [])])}}}" + (f"[{window}]" if window else "")


def newest(series: str, observed: Observed) -> str:
    """The newest values of the series that an instant selector chooses. By itself it looks back five minutes, which is
    too short where metrics are shipped every five."""
    return f"last_over_time({series}[{window(observed)}])"


def number(value: float) -> str:
    """A number as PromQL has it."""
    return f"{value:.9g}"


def by(labels: tuple[str, ...], operation: str = "sum") -> str:
    """The head of an aggregation that keeps these labels."""
    return f"{operation} by ({', '.join(labels)})"
