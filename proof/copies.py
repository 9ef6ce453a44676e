"""What must hold of the telemetry that a stack sends to partners and to CloudWatch."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from documents.catalogue import REQUEST_DURATION, SERVICE_NAME
from documents.collector.cloudwatch import DECLARED
from proof import elsewhere
from proof.elsewhere import Partner
from proof.otlp import Delivered
from proof.truth import Truth
from proof.verdict import Kind, Verdict

_AREA: Final = "copy"
_STATUS: Final = "http.response.status_code"

Counts = Mapping[tuple[str, int], int]
"""Requests by application and HTTP status."""


def checked(truth: Truth) -> list[Verdict]:
    """A verdict for each signal of each destination."""
    return [*_partners(truth), *_cloudwatch(truth)]


def arrived(truth: Truth) -> bool:
    """Whether nothing is under way to these destinations any more."""
    return all(one.kind is not Kind.FAILED for one in checked(truth))


def _partners(truth: Truth) -> Iterator[Verdict]:
    for name, partner in elsewhere.destinations(truth.plan.services).partners.items():
        yield from _partner(truth, name, partner, truth.elsewhere.partners[name])


def _partner(truth: Truth, name: str, partner: Partner, delivered: Delivered) -> Iterator[Verdict]:
    refused = "; ".join(f"{count} x {reason}" for reason, count in delivered.refused.items())
    headers = ", ".join(partner.headers) or "none"
    yield _verdict(f"{name} takes every request", f"headers: {headers}", "all accepted", refused)
    if "traces" in partner.signals:
        # What X-Ray has is judged elsewhere; its segments have the ids of their spans.
        wanted = {segment.id for segment in truth.traces.segments}
        missing, other = wanted - delivered.spans.keys(), delivered.spans.keys() - wanted
        reason = f"{len(missing)} are missing, {len(other)} are not in X-Ray" if missing or other else ""
        reason = reason or ("" if wanted else "there are no spans")
        yield _verdict(f"spans at {name}", f"{len(wanted)} as in X-Ray", f"{len(delivered.spans)}", reason)
    if "metrics" in partner.signals:
        found = Counter[tuple[str, int]]()
        for labels, samples in delivered.samples.items():
            one = dict(labels)
            if one["__name__"] == REQUEST_DURATION.otel:
                found[one[SERVICE_NAME], int(one[_STATUS])] += round(samples[-1].value)
        yield _requests(f"requests at {name}", _handled(truth), found)


def _cloudwatch(truth: Truth) -> Iterator[Verdict]:
    groups = elsewhere.destinations(truth.plan.services).log_groups
    written = truth.elsewhere.cloudwatch
    if groups:
        refused = "; ".join(f"{count} x {reason}" for reason, count in written.refused.items())
        yield _verdict("CloudWatch Logs takes every request", ", ".join(groups.values()), "all accepted", refused)
    if group := groups.get("awsemf"):
        yield from _metrics(truth, written.events.get(group, ()))
    if group := groups.get("awscloudwatchlogs"):
        numbers = Counter(str(event.get("body")) for event in written.events.get(group, ()))
        wanted = set(truth.log_records)
        traced = all(event.get("trace_id") for event in written.events.get(group, ()))
        reason = "" if numbers == Counter(wanted) else "they are not the ones that were sent"
        reason = reason or ("" if traced else "some have lost their trace")
        yield _verdict("log records in CloudWatch", f"{len(wanted)}", f"{numbers.total()}", reason)


def _metrics(truth: Truth, events: Iterable[Mapping[str, Any]]) -> Iterator[Verdict]:
    found: Counter[tuple[str, int]] = Counter()
    declared: dict[str, set[tuple[tuple[str, ...], ...]]] = {}
    for event in events:
        for one in event["_aws"]["CloudWatchMetrics"]:
            sets = tuple(sorted(tuple(sorted(names)) for names in one["Dimensions"]))
            for metric in one["Metrics"]:
                declared.setdefault(metric["Name"], set()).add(sets)
        if REQUEST_DURATION.otel in event:
            key = event[SERVICE_NAME], int(event[_STATUS])
            found[key] += round(event[REQUEST_DURATION.otel]["Count"])
    wanted = {
        name: {tuple(sorted(tuple(sorted(names)) for names in sets))}
        for sets, named in DECLARED.items()
        for name in named
    }
    wrong = sorted(name for name, sets in declared.items() if sets != wanted.get(name))
    reason = f"other dimensions than declared: {', '.join(wrong)}" if wrong else "" if declared else "there are none"
    yield _verdict("metrics in CloudWatch", "with the declared dimensions", ", ".join(sorted(declared)), reason)
    through = {service.name for service in truth.plan.applications if service.sidecar}
    exact = {key: count for key, count in _handled(truth).items() if key[0] in through}
    if exact:
        seen = {key: count for key, count in found.items() if key[0] in through}
        yield _requests("requests in CloudWatch", exact, seen)
    # What a collector service hears first of a process it cannot tell from what another replica has counted.
    most = {key: count for key, count in _handled(truth).items() if key[0] not in through}
    over = [key for key, count in found.items() if key[0] not in through and count > most.get(key, 0)]
    if most:
        seen = {key: count for key, count in found.items() if key in most}
        reason = "counted more than there were" if over else "" if seen else "there are none"
        yield _verdict("requests in CloudWatch, by the service", f"at most {_listed(most)}", _listed(seen), reason)


def _handled(truth: Truth) -> Counts:
    return Counter((name, one.status) for name, handled in truth.handled.items() for one in handled)


def _requests(subject: str, wanted: Counts, found: Counts) -> Verdict:
    reason = "" if wanted == found else "the counters do not agree with the requests"
    return _verdict(subject, _listed(wanted), _listed(found), reason)


def _listed(counts: Counts) -> str:
    return ", ".join(f"{name} {status}: {counts[name, status]}" for name, status in sorted(counts)) or "none"


def _verdict(subject: str, expected: str, found: str, reason: str) -> Verdict:
    kind = Kind.FAILED if reason else Kind.PROVED
    return Verdict(kind, _AREA, subject, expected=expected, found=found, reason=reason)
