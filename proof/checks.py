"""What must hold of a run beside its panels: traces, labels, writers, counts, signatures, logs."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from documents import catalogue
from documents.catalogue import ATTRIBUTES, REQUEST_DURATION, SHARED_BY_TRACE_IDS, Label, Pattern
from documents.text import from_yaml
from proof import sampling
from proof.plan import CONFIGURATION, Plan, Service, environment
from proof.prometheus import Prometheus
from proof.senders import STATUS, Foreign, Sender
from proof.truth import Truth
from proof.verdict import Kind, Verdict
from proof.xray import Segment
from sample import counts

_COUNT: Final = f"{REQUEST_DURATION.name}_count"

SCRAPED: Final = f"{counts.SCRAPED}_total"
"""PromQL: the orders on the pages of applications, by job and status."""

PUSHED: Final = (
    f'sum_over_time({catalogue.STATSD_COUNT.replace(".", "_")}{{{catalogue.STATSD_COUNTER}="{counts.PUSHED}"}}[1h])'
)
"""PromQL: the orders that applications counted by StatsD, by application and status."""

STATSD_TOLERANCE: Final = 0.005
"""A share: a count is made of a rate and the seconds of an interval, which is never quite as long as it should be."""

_SHOWN: Final = 3

_EXPLAINED: Final[Mapping[str, str]] = {
    r'Failed to scrape Prometheus endpoint.*"prometheus/application"': (
        "A sidecar starts before its application, and a task is found before it listens. A page that is never there is "
        "missed by the counts."
    ),
    r"grpc: addrConn\.createTransport failed to connect to \{Addr: \\?\"127\.0\.\d+\.1:": (
        "A collector starts its exporters before its receivers, so a buffer calls its inner end once too early."
    ),
    r"the default value for DimensionRollupOption will be changing": "The EMF exporter says so also where it is set.",
}
"""Log lines of level warning or error that are as they should be: a pattern of the line, and why."""


def all_of(truth: Truth) -> list[Verdict]:
    """Every check that needs no question."""
    return [
        answered(truth),
        traces_counted(truth),
        traces_complete(truth),
        traces_outcomes(truth),
        labels(truth),
        one_writer(truth),
        instances(truth),
        signatures(truth),
        *assumed(truth),
        logs(truth),
        correlated(truth),
        *foreign(truth),
    ]


def answered(truth: Truth) -> Verdict:
    """Whether the load itself met what it should have met: with other answers there is nothing to compare with."""
    first = truth.handled[truth.plan.applications[0].name]
    wanted, found = Counter(one.status for one in first), Counter(one.status for one in truth.sent)
    reason = "" if found == wanted else f"{(wanted - found).total()} requests were not answered as the sample answers"
    return _verdict("load", "the load is answered", _by_status(wanted), _by_status(found), reason)


async def counted(truth: Truth, server: Prometheus, at: float) -> list[Verdict]:
    """The counters of all processes together against the requests, by application and status: not one more or less."""
    verdicts: list[Verdict] = []
    query = f"sum by ({Label.JOB}, {Label.STATUS}) ({_COUNT})"
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for frame in await server.instant(query, at):
        status = int(frame.labels.get(Label.STATUS) or 0)
        found[frame.labels.get(Label.JOB, "")][status] = round(frame.points[-1][1])
    for service in truth.plan.applications:
        wanted = Counter(one.status for one in truth.handled[service.name])
        there = found.pop(truth.plan.job(service), {})
        reason = "" if there == dict(wanted) else "the counters do not agree with the requests"
        subject = f"requests of {service.name}"
        verdicts.append(_verdict("count", subject, _by_status(wanted), _by_status(there), reason))
    if found:
        verdicts.append(_verdict("count", "other jobs", "none", ", ".join(found), "requests of nobody"))
    return verdicts


async def spans_said(plan: Plan, server: Prometheus, at: float) -> int:
    """How many spans the collectors say that they sent to X-Ray."""
    job = f'{Label.JOB}="{plan.collector_job}"'
    frames = await server.instant(f'sum({catalogue.SENT_SPANS.name}{{{job}, exporter=~".*xray.*"}})', at)
    return round(sum(frame.points[-1][1] for frame in frames))


async def watched(truth: Truth, server: Prometheus, at: float) -> list[Verdict]:
    """What collectors say of themselves: every one of them is heard, and they agree with X-Ray on what was sent."""
    job = f'{Label.JOB}="{truth.plan.collector_job}"'
    heard = await server.instant(f"up{{{job}}} == 1", at)
    found = sorted(f"{frame.labels.get(Label.CONTAINER)} of {frame.labels.get(Label.TASK)}" for frame in heard)
    services = {service.name: service for service in truth.plan.services}
    wanted = sorted(
        f"{container['name']} of {task.id}" for task in truth.tasks for container in services[task.service].collectors
    )
    reason = "" if found == wanted else "not every collector is heard of, or one too many"
    heard_of = _verdict("collector", "every collector is heard of", f"{len(wanted)}", f"{len(found)}", reason)
    said = await spans_said(truth.plan, server, at)
    arrived = len(truth.traces.segments) + truth.traces.twice
    reason = "" if said == arrived else "the collectors count what they sent, and X-Ray got something else"
    return [
        heard_of,
        _verdict("collector", "spans sent, by the collectors' own count", str(arrived), str(said), reason),
    ]


async def scraped(truth: Truth, server: Prometheus, at: float) -> list[Verdict]:
    """The counters on the metrics pages of applications against the requests: not one more or less."""
    chosen = {truth.plan.job(service): service for service in truth.plan.applications if service.scraped}
    found = await _by_label(server, f"sum by ({Label.JOB}, status) ({SCRAPED})", Label.JOB, at)
    return [_compared("scraped", service, truth, found.get(job, {}), 0.0) for job, service in chosen.items()]


async def pushed(truth: Truth, server: Prometheus, at: float) -> list[Verdict]:
    """What applications counted by StatsD against the requests."""
    chosen = [service for service in truth.plan.applications if service.statsd]
    found = await _by_label(server, f"sum by (application, status) ({PUSHED})", "application", at)
    return [_compared("StatsD", service, truth, found.get(service.name, {}), STATSD_TOLERANCE) for service in chosen]


async def _by_label(server: Prometheus, query: str, label: str, at: float) -> Mapping[str, Mapping[int, float]]:
    """Values by a label and then by status."""
    found: dict[str, dict[int, float]] = defaultdict(dict)
    for frame in await server.instant(query, at):
        found[frame.labels.get(label, "")][int(frame.labels.get("status") or 0)] = frame.points[-1][1]
    return found


def _compared(area: str, service: Service, truth: Truth, found: Mapping[int, float], tolerance: float) -> Verdict:
    wanted = Counter(one.status for one in truth.handled[service.name])
    agree = found.keys() == wanted.keys() and all(
        abs(found[status] - count) <= max(count * tolerance, 0.1) for status, count in wanted.items()
    )
    shown = {status: round(value) for status, value in found.items()}
    reason = "" if agree else "the counters do not agree with the requests"
    return _verdict(area, f"requests of {service.name}", _by_status(wanted), _by_status(shown), reason)


def traces_counted(truth: Truth) -> Verdict:
    """As many traces as requests, or as many of them as the stack's samplers keep of so many."""
    found, sampled = len(_traces(truth)), sampling.samples(truth.plan)
    wanted = sampling.bounds(sampling.chances(truth.plan, truth.sent))
    off = max(wanted.least - found, found - wanted.most)
    reason = f"{off} traces {'lost' if found < wanted.least else 'too many'}" if off > 0 else ""
    expected = f"{wanted} of {len(truth.sent)}" if sampled else str(wanted)
    subject = "a trace for each request that is sampled" if sampled else "a trace for each request"
    return _verdict("trace", subject, expected, str(found), reason)


def traces_complete(truth: Truth) -> Verdict:
    """Every trace has one root, spans all applications in order, and every parent is in it."""
    problems: Counter[str] = Counter()
    traces = _traces(truth)
    sizes = Counter(len(segments) for segments in traces.values())
    usual = sizes.most_common(1)[0][0] if sizes else 0
    names = [service.name for service in truth.plan.applications]
    for segments in traces.values():
        problems.update(_gaps(segments, names))
        if len(segments) != usual:
            problems[f"has {len(segments)} documents where others have {usual}"] += 1
    chain = " > ".join(names)
    reason = "; ".join(f"{count} x {problem}" for problem, count in problems.most_common(_SHOWN))
    reason = reason if traces or not _surely_traced(truth) else "there are no traces"
    return _verdict("trace", "every trace is complete", chain, f"{len(traces)} traces of {usual} documents", reason)


def traces_outcomes(truth: Truth) -> Verdict:
    """Each application's segments have the statuses that were sent, and faults are marked as such. Where traces may
    be missing, there are no more of a status than were sent, and no fewer than are kept for certain."""
    chances = sampling.chances(truth.plan, truth.sent)
    kept = {
        name: list(zip((one.status for one in handled), chances, strict=True))
        for name, handled in truth.handled.items()
    }
    wanted = Counter((name, status) for name, each in kept.items() for status, chance in each if chance.most > 0)
    certain = Counter((name, status) for name, each in kept.items() for status, chance in each if chance.least >= 1)
    segments = [one for one in truth.of_load if not one.subsegment]
    found = Counter((one.name, one.status) for one in segments)
    unmarked = sum(one.fault != (one.status >= 500) or one.error for one in segments)
    reason = "" if certain <= found <= wanted else "statuses do not agree with what was sent"
    if unmarked:
        reason = f"{unmarked} segments are marked wrongly as error or fault"
    return _verdict("trace", "errors and faults in traces", _outcomes(wanted), _outcomes(found), reason)


def labels(truth: Truth) -> Verdict:
    """Every series of an application says which cluster, service and family it belongs to, and its task if known."""
    problems: Counter[str] = Counter()
    of_applications = 0
    services = {truth.plan.job(service): service for service in truth.plan.applications}
    for series in truth.writes.writers:
        found = dict(series)
        if found.get(Label.JOB) == truth.plan.collector_job:
            continue
        service = services.get(found.get(Label.JOB, ""))
        if service is None:
            problems[f"{found.get('__name__')} has job {found.get(Label.JOB)!r}"] += 1
            continue
        of_applications += 1
        problems.update(_mislabelled(found, service, truth))
    reason = "; ".join(f"{count} x {problem}" for problem, count in problems.most_common(_SHOWN))
    reason = reason or ("" if of_applications else "no series was written")
    patterns = {_pattern(service) for service in services.values()}
    expected = ", ".join(attribute.label for attribute in ATTRIBUTES if attribute.patterns & patterns)
    return _verdict("label", "labels on every series", expected, f"{of_applications} series", reason)


def one_writer(truth: Truth) -> Verdict:
    """No two collector processes write the same series."""
    shared = [series for series, writers in truth.writes.writers.items() if len(writers) > 1]
    names = Counter(dict(series).get("__name__", "") for series in shared)
    reason = f"{len(shared)} series have two writers: {', '.join(names)}" if shared else ""
    writers = set[str]().union(*truth.writes.writers.values())
    found = f"{len(truth.writes.writers)} series, {len(writers)} writers"
    return _verdict("writer", "one writer for each series", "one", found, reason)


def instances(truth: Truth) -> Verdict:
    """Every process of an application writes series of its own."""
    found: dict[str, set[str]] = defaultdict(set)
    for series in truth.writes.writers:
        one = dict(series)
        if one.get("__name__") == _COUNT:
            found[one.get(Label.JOB, "")].add(one.get(Label.INSTANCE, ""))
    wanted = {truth.plan.job(service): len(truth.tasks_of(service)) for service in truth.plan.applications}
    seen = {job: len(instances - {""}) for job, instances in found.items()}
    reason = "" if seen == wanted else "processes share series, or have none"
    return _verdict("writer", "an instance for each process", _listed(wanted), _listed(seen), reason)


def signatures(truth: Truth) -> Verdict:
    """AMP and X-Ray would have accepted every request."""
    refused = [f"AMP: {count} x {reason}" for reason, count in truth.writes.refused.items()]
    refused += [f"X-Ray: {count} x {reason}" for reason, count in truth.traces.refused.items()]
    for name, requests in (("AMP", truth.writes.requests), ("X-Ray", truth.traces.requests)):
        if not requests and (name == "AMP" or _surely_traced(truth)):
            refused.append(f"{name} got no request at all")
    found = f"{truth.writes.requests} to AMP, {truth.traces.requests} to X-Ray"
    return _verdict("signature", "no request refused", "all accepted", found, "; ".join(refused[:_SHOWN]))


def assumed(truth: Truth) -> list[Verdict]:
    """Every collector has become the role of the central account, which alone is let in there."""
    central = truth.plan.central
    if central is None:
        return []
    collecting = {service.name for service in truth.plan.services if service.sidecar}
    wanted = {task.key for task in truth.tasks if task.service in collecting}
    refused = [f"STS: {count} x {reason}" for reason, count in truth.assumed.refused.items()]
    if missing := wanted - truth.assumed.tasks:
        refused.append(f"{len(missing)} tasks got no session")
    found = f"{len(truth.assumed.tasks)} tasks"
    return [_verdict("signature", f"by {central.role}", f"{len(wanted)} tasks", found, "; ".join(refused[:_SHOWN]))]


def logs(truth: Truth) -> Verdict:
    """No collector logged a warning or an error that is not explained."""
    found: Counter[str] = Counter()
    for text in truth.logs.values():
        found.update(_complaints(text))
    reason = "; ".join(f"{count} x {message}" for message, count in found.most_common(_SHOWN))
    return _verdict("log", "collectors do not complain", "nothing", f"{sum(found.values())} lines", reason)


def correlated(truth: Truth) -> Verdict:
    """Every trace in X-Ray is found among the lines of each application by the end of its id, as the dashboard does."""
    written = {name: {_trace_of(line) for line in lines} for name, lines in truth.lines.items()}
    wanted = Counter((one.name, one.trace[-SHARED_BY_TRACE_IDS:]) for one in truth.of_load if not one.subsegment)
    missing = [key for key in wanted if key[1] not in written.get(key[0], set())]
    reason = f"{len(missing)} traces have no line, such as {missing[0][1]} in {missing[0][0]}" if missing else ""
    found = f"{len(wanted) - len(missing)} of {sum(map(len, truth.lines.values()))} lines"
    return _verdict("log", "a line of each application for each trace", str(len(wanted)), found, reason)


def _trace_of(line: str) -> str:
    """The end of the trace's id in a line of the sample; nothing if the line belongs to no trace."""
    try:
        written: Mapping[str, str] = json.loads(line)
        return written.get("trace_id", "")[-SHARED_BY_TRACE_IDS:]
    except (ValueError, AttributeError):
        return ""


def foreign(truth: Truth) -> list[Verdict]:
    """Where collectors take more than OTLP, what was sent that way is in X-Ray as it was sent, from each of them."""
    segments = {segment.id: segment for segment in truth.traces.segments}
    verdicts: list[Verdict] = []
    for sender in Sender:
        if not (taking := _taking(truth, sender)):
            continue
        sent = [one for one in truth.foreign if one.sender is sender]
        arrived = sum(_arrived(one, segments) for one in sent)
        refused = "; ".join(reason for one in sent for reason in one.refused)
        missing = "" if arrived == taking else "not every collector passes it on as it was sent"
        expected, found = f"{taking}, one to each collector", str(arrived)
        if sender is Sender.XRAY:
            subject = "X-Ray SDK: a segment sent over UDP arrives"
            verdicts.append(_verdict("receiver", subject, expected, found, missing))
            subject, answers = "X-Ray SDK: what it asks is passed on and signed", "rules and targets"
            verdicts.append(_verdict("receiver", subject, answers, refused or answers, refused))
        else:
            verdicts.append(_verdict("receiver", "Zipkin: a span arrives", expected, found, refused or missing))
    return verdicts


def _surely_traced(truth: Truth) -> bool:
    """Whether samplers cannot have kept nothing at all."""
    return sampling.bounds(sampling.chances(truth.plan, truth.sent)).least > 0


def _traces(truth: Truth) -> Mapping[str, list[Segment]]:
    traces: dict[str, list[Segment]] = defaultdict(list)
    for segment in truth.of_load:
        traces[segment.trace].append(segment)
    return traces


def _taking(truth: Truth, sender: Sender) -> int:
    """How many tasks have a collector that takes what these clients send."""
    return sum(
        service.count
        for service in truth.plan.services
        if any(sender in from_yaml(environment(one)[CONFIGURATION])["receivers"] for one in service.collectors)
    )


def _arrived(one: Foreign, segments: Mapping[str, Segment]) -> bool:
    found = segments.get(one.id)
    return found is not None and (found.trace, found.name, found.status, found.fault) == (
        one.trace, one.name, STATUS, True,
    )  # fmt: skip


def _gaps(segments: Sequence[Segment], applications: Sequence[str]) -> Iterator[str]:
    by_id = {segment.id: segment for segment in segments}
    roots = [segment for segment in segments if not segment.parent]
    if len(roots) != 1:
        yield f"has {len(roots)} roots"
    if any(segment.parent and segment.parent not in by_id for segment in segments):
        yield "names a parent that is not there"
    served = Counter(segment.name for segment in segments if not segment.subsegment)
    for name in applications:
        if served[name] != 1:
            yield f"has {served[name]} segments of {name}"
    serving = {segment.name: segment for segment in segments if not segment.subsegment}
    for caller, callee in pairwise(applications):
        if caller in serving and callee in serving and serving[caller] not in _above(serving[callee], by_id):
            yield f"does not have {callee} below {caller}"


def _above(segment: Segment, by_id: Mapping[str, Segment]) -> Iterator[Segment]:
    seen: set[str] = set()
    while (parent := by_id.get(segment.parent)) is not None and parent.id not in seen:
        seen.add(parent.id)
        yield parent
        segment = parent


def _pattern(service: Service) -> Pattern:
    return Pattern.SERVICE if service.sidecar is None else Pattern.SIDECAR


def _mislabelled(found: Mapping[str, str], service: Service, truth: Truth) -> Iterator[str]:
    name = found.get("__name__", "")
    wanted = {
        Label.CLUSTER: {truth.plan.cluster},
        Label.SERVICE: {service.name},
        Label.FAMILY: {service.family},
        Label.TASK: {task.id for task in truth.tasks_of(service)},
    }
    for attribute in ATTRIBUTES:
        value = found.get(attribute.label, "")
        if _pattern(service) in attribute.patterns and value not in wanted.get(attribute.label, {value} - {""}):
            yield f"{name} has {attribute.label}={value!r}"
    if not found.get(Label.INSTANCE):
        yield f"{name} has no {Label.INSTANCE}"


def _complaints(text: str) -> Iterator[str]:
    for line in text.splitlines():
        try:
            entry: Mapping[str, str] = json.loads(line)
            level, message = entry["level"], f"{entry.get('msg', '')} {entry.get('error', '')}".strip()
        except (ValueError, KeyError, TypeError):
            # Before the logger is configured, and on a crash, it writes plain text.
            found = re.search(r"\t(warn|error|fatal|panic)\t|^(panic|fatal error):|^Error:", line)
            level, message = ("error", line.strip()) if found else ("info", line)
        explained = any(re.search(pattern, line) for pattern in _EXPLAINED)
        if level not in ("debug", "info") and not explained:
            yield message[:300]


def _by_status(counts: Mapping[int, int]) -> str:
    return ", ".join(f"{status}: {counts[status]}" for status in sorted(counts)) or "none"


def _outcomes(counts: Mapping[tuple[str, int], int]) -> str:
    return ", ".join(f"{name} {status}: {counts[name, status]}" for name, status in sorted(counts)) or "none"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {counts[name]}" for name in sorted(counts)) or "none"


def _verdict(area: str, subject: str, expected: str, found: str, reason: str) -> Verdict:
    kind = Kind.FAILED if reason else Kind.PROVED
    return Verdict(kind, area, subject, expected=expected, found=found, reason=reason)
