"""An alert that was made to fire: by which fault, when it fired, and when it resolved."""

from dataclasses import dataclass
from enum import StrEnum

from proof.verdict import Verdict


class Evaluator(StrEnum):
    """What decides whether an alert fires."""

    AMP = "AMP rule"
    CLOUDWATCH = "CloudWatch alarm"
    GRAFANA = "Grafana alert rule"


@dataclass(frozen=True)
class Drill:
    """One alert on one `subject`, such as an application. Times are seconds of the shipped time scale since the drill
    began; `fired` and `resolved` are None where it did not happen.

    `values` is what the alert's expression or metric was over time, `threshold` what it is compared with, if it is.
    """

    alert: str
    severity: str
    subject: str
    evaluator: Evaluator
    fault: str
    began: float
    ended: float
    fired: float | None
    resolved: float | None
    values: tuple[tuple[float, float], ...]
    threshold: float | None
    verdict: Verdict
