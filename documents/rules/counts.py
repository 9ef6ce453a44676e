"""How many series each application writes of each metric: what to drop when they cost too much."""

from collections.abc import Sequence
from typing import Final

from documents.catalogue import SERIES_OF, TASK_METRICS, Label
from documents.observed import Observed
from documents.rules.recorded import OF_JOB, Group, Recorded, Rule, by, newest
from documents.rules.slo import BUDGETS_SECONDS

SERIES: Final = Recorded("job_metric:series:count", (*OF_JOB, Label.METRIC))
"""Active series; AMP bills each of their samples."""


def group(observed: Observed) -> Group:
    """A rule for each metric of the catalogue that the stack writes. One for all would have to select every series of
    the workspace, which AMP was seen to refuse."""
    absent = () if observed.sidecar else {metric.name for metric in TASK_METRICS}
    return Group(
        "series",
        tuple(_counted(observed, metric, names) for metric, names in SERIES_OF.items() if metric not in absent),
        BUDGETS_SECONDS,
    )


def _counted(observed: Observed, metric: str, names: Sequence[str]) -> Rule:
    series = names[0] if len(names) == 1 else f'{{__name__=~"{"|".join(names)}"}}'
    return Rule(SERIES, f"{by(OF_JOB, 'count')} ({newest(series, observed)})", {Label.METRIC: metric})
