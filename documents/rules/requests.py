"""Requests, errors and latency of each application, from the histogram that its SDK writes."""

from typing import Final

from documents.catalogue import REQUEST_DURATION, Label
from documents.observed import Observed
from documents.rules.recorded import OF_JOB, Recorded, Rule, by, window

COUNT: Final = f"{REQUEST_DURATION.name}_count"
BUCKET: Final = f"{REQUEST_DURATION.name}_bucket"


def requests(observed: Observed) -> Recorded:
    """Requests a second."""
    return Recorded(f"job:http_requests:rate{window(observed)}")


def errors(observed: Observed) -> Recorded:
    """Requests a second that were answered with a status of 500 and above; 0 where there are others only."""
    return Recorded(f"job:http_errors:rate{window(observed)}")


def error_ratio(observed: Observed) -> Recorded:
    """Share of the requests that were answered with a status of 500 and above; nothing without requests."""
    return Recorded(f"job:http_errors:ratio{window(observed)}")


def latency_p95(observed: Observed) -> Recorded:
    """Seconds that one request in twenty exceeds; nothing without requests."""
    return Recorded(f"job:http_latency_p95:seconds{window(observed)}")


def rules(observed: Observed) -> tuple[Rule, ...]:
    """Errors need the requests before them, and their ratio both."""
    every, failed = requests(observed), errors(observed)
    over = window(observed)
    rate = f"{by(OF_JOB)} (rate({COUNT}[{over}]))"
    # Until the first error there is no series of errors: nothing, not zero.
    rate_of_failed = f'{by(OF_JOB)} (rate({COUNT}{{{Label.STATUS}=~"5.."}}[{over}])) or 0 * {every.name}'
    counted = f"{by((*OF_JOB, Label.BOUND))} (rate({BUCKET}[{over}]))"
    return (
        Rule(every, rate),
        Rule(failed, rate_of_failed),
        Rule(error_ratio(observed), f"{failed.name} / ({every.name} > 0)"),
        # A quantile of no requests is not a number, and no number passes this comparison.
        Rule(latency_p95(observed), f"histogram_quantile(0.95, {counted}) >= 0"),
    )
