"""Prometheus recording rules: what dashboards and alerts ask again and again.

Names follow Prometheus' convention `level:metric:operation`. Whoever asks for a recorded series takes it from here.
"""

from collections.abc import Mapping

from documents import text
from documents.observed import Observed
from documents.rules import collectors, counts, requests, slo, tasks
from documents.rules.collectors import LOSING, lost, refused, xray_failed
from documents.rules.counts import SERIES
from documents.rules.recorded import Group, Recorded, Rule, newest, number, selector, window, window_seconds
from documents.rules.requests import error_ratio, errors, latency_p95
from documents.rules.requests import requests as requests_rate
from documents.rules.slo import BUDGET_REMAINING, OBJECTIVE, PERIOD_ERRORS, chosen, events, slo_errors, slo_failed, slow
from documents.rules.tasks import CPU_UTILIZATION, MEMORY_UTILIZATION, TASKS

__all__ = [
    "BUDGET_REMAINING",
    "CPU_UTILIZATION",
    "LOSING",
    "MEMORY_UTILIZATION",
    "OBJECTIVE",
    "PERIOD_ERRORS",
    "SERIES",
    "TASKS",
    "Group",
    "Recorded",
    "Rule",
    "chosen",
    "error_ratio",
    "errors",
    "events",
    "groups",
    "latency_p95",
    "lost",
    "newest",
    "number",
    "recorded",
    "recording_rules",
    "refused",
    "requests_rate",
    "selector",
    "slo_errors",
    "slo_failed",
    "slow",
    "to_yaml",
    "window",
    "window_seconds",
    "xray_failed",
]


def groups(observed: Observed) -> tuple[Group, ...]:
    """Every group of recording rules of a stack."""
    return (
        *([tasks.group(observed)] if observed.sidecar else []),
        Group("requests", (*requests.rules(observed), *slo.rules(observed))),
        *slo.budgets(observed),
        collectors.group(observed),
        counts.group(observed),
    )


def recorded(observed: Observed) -> tuple[Recorded, ...]:
    """Every series that the rules of a stack make, each once."""
    made = (rule.makes for group in groups(observed) for rule in group.rules)
    return tuple(dict.fromkeys(made))


def recording_rules(observed: Observed) -> dict[str, object]:
    """The data of a Prometheus rules file."""
    return {"groups": [group.document for group in groups(observed)]}


def to_yaml(rules: Mapping[str, object]) -> str:
    """The text of a rules file: the same bytes for the same rules, keys in the order in which people write them."""
    return text.to_yaml(rules)
