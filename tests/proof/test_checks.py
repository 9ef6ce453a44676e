"""Traces, labels, writers, counts, signatures and logs: good runs pass, and each fault is named."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
import yaml

from documents.catalogue import Label
from proof import checks
from proof.gate import Writes
from proof.remote_write import Labels
from proof.senders import Foreign, Sender
from proof.truth import Truth
from proof.verdict import Kind, Verdict
from proof.xray import Received, Segment
from tests.proof.made import plan, server, service, truth


def test_a_good_run_is_proved_in_every_respect() -> None:
    found = checks.all_of(truth())
    assert [(one.subject, one.reason) for one in found if one.kind is not Kind.PROVED] == []


def test_a_load_that_was_not_answered_is_named() -> None:
    made = truth()
    silent = replace(made, sent=tuple(replace(one, status=0) if one.order < 5 else one for one in made.sent))
    found = checks.answered(silent)
    assert (found.kind, found.reason) == (Kind.FAILED, "5 requests were not answered as the sample answers")
    assert found.found == "0: 5, 200: 356, 502: 39"


def with_segments(segments: Sequence[Segment]) -> Truth:
    return truth(traces=Received(tuple(segments), 40))


def first_trace(segments: Sequence[Segment]) -> list[Segment]:
    return [one for one in segments if one.trace == segments[0].trace]


def others(segments: Sequence[Segment]) -> list[Segment]:
    return [one for one in segments if one.trace != segments[0].trace]


GOOD = truth().traces.segments


def test_a_lost_trace_is_counted() -> None:
    assert checks.traces_counted(with_segments(others(GOOD))).reason == "1 traces lost"
    extra = [replace(one, trace="1-ffffffff-" + "f" * 24) for one in first_trace(GOOD)]
    assert checks.traces_counted(with_segments([*GOOD, *extra])).reason == "1 traces too many"


@pytest.mark.parametrize(
    ("keep", "reason"),
    [
        (lambda one: one.name != "back", "has 0 segments of back"),
        (lambda one: one.name != "front", "has 0 roots"),
        (lambda one: not one.subsegment, "names a parent that is not there"),
    ],
)
def test_an_incomplete_trace_is_named(keep: object, reason: str) -> None:
    assert callable(keep)
    broken = [one for one in first_trace(GOOD) if keep(one)]
    found = checks.traces_complete(with_segments([*others(GOOD), *broken]))
    assert found.kind is Kind.FAILED
    assert reason in found.reason


def test_applications_that_are_not_linked_are_named() -> None:
    apart = [replace(one, parent="" if one.name == "back" else one.parent) for one in GOOD]
    assert "400 x has 2 roots" in checks.traces_complete(with_segments(apart)).reason
    front, call, back = first_trace(GOOD)
    beside = [front, replace(call, parent=front.id), replace(back, parent=back.id)]
    found = checks.traces_complete(with_segments([*others(GOOD), *beside])).reason
    assert "does not have back below front" in found


def test_a_trace_with_a_document_missing_is_unlike_its_peers() -> None:
    extra = replace(GOOD[2], id="f" * 16, parent=GOOD[0].id, subsegment=True, name="http send")
    found = checks.traces_complete(with_segments([*GOOD, extra]))
    assert found.reason == "1 x has 4 documents where others have 3"


def test_no_traces_at_all_are_a_failure() -> None:
    assert "there are no traces" in checks.traces_complete(with_segments([])).reason


def test_outcomes_must_be_those_that_were_sent() -> None:
    healed = [replace(one, status=200, fault=False) for one in GOOD]
    assert "do not agree" in checks.traces_outcomes(with_segments(healed)).reason
    unmarked = [replace(one, fault=False) for one in GOOD]
    assert checks.traces_outcomes(with_segments(unmarked)).reason == "80 segments are marked wrongly as error or fault"


def with_series(series: Mapping[Labels, frozenset[str]], of: Truth | None = None) -> Truth:
    return replace(of or truth(), writes=Writes(10, 100, 1000, {}, series))


def changed(**changes: str | None) -> dict[Labels, frozenset[str]]:
    """Every series with labels changed, or taken away."""
    made: dict[Labels, frozenset[str]] = {}
    for series, writers in truth().writes.writers.items():
        kept = {name: value for name, value in (dict(series) | changes).items() if value is not None}
        made[tuple(sorted(kept.items()))] = made.get(tuple(sorted(kept.items())), frozenset()) | writers
    return made


@pytest.mark.parametrize(
    ("label", "value"),
    [
        (Label.CLUSTER, "other"),
        (Label.CLUSTER, None),
        (Label.SERVICE, "other"),
        (Label.FAMILY, None),
        (Label.TASK, "other"),
        (Label.TASK, None),
        (Label.REVISION, None),
        (Label.ENVIRONMENT, None),
        (Label.INSTANCE, None),
    ],
)
def test_a_wrong_or_missing_label_is_named(label: str, value: str | None) -> None:
    found = checks.labels(with_series(changed(**{label: value})))
    assert found.kind is Kind.FAILED
    assert label in found.reason


def test_series_of_nobody_and_no_series_are_named() -> None:
    assert "has job 'shop/other'" in checks.labels(with_series(changed(job="shop/other"))).reason
    assert "no series was written" in checks.labels(with_series({})).reason


def test_the_service_pattern_knows_no_task() -> None:
    wanted = plan(service("front", sidecar=False), service("back", sidecar=False))
    assert checks.labels(truth(wanted)).kind is Kind.PROVED


def test_two_writers_of_one_series_are_named() -> None:
    shared = {series: frozenset({"ASIA1", "ASIA2"}) for series in truth().writes.writers}
    found = checks.one_writer(with_series(shared))
    assert found.kind is Kind.FAILED
    assert "4 series have two writers" in found.reason


def test_processes_must_not_share_an_instance() -> None:
    wanted = plan(service("front", count=2), service("back"))
    good = truth(wanted)
    assert checks.instances(good).kind is Kind.PROVED
    series = {
        tuple(sorted((dict(one) | {Label.INSTANCE: "same"}).items())): writers
        for one, writers in good.writes.writers.items()
    }
    found = checks.instances(with_series(series, good))
    assert (found.kind, found.found) == (Kind.FAILED, "shop/back: 1, shop/front: 1")


def test_refused_requests_are_named() -> None:
    made = truth()
    refused = replace(made, writes=replace(made.writes, refused={"403 SignatureDoesNotMatch": 3}))
    assert checks.signatures(refused).reason == "AMP: 3 x 403 SignatureDoesNotMatch"
    # No collector complains of a document that X-Ray left out: this is all that is seen of it.
    unprocessed = checks.signatures(replace(made, traces=replace(made.traces, refused={"document: 'name'": 2})))
    assert (unprocessed.kind, unprocessed.reason) == (Kind.FAILED, "X-Ray: 2 x document: 'name'")
    silent = replace(made, traces=Received())
    assert checks.signatures(silent).reason == "X-Ray got no request at all"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"level":"error","msg":"Exporting failed.","error":"403"}', "1 x Exporting failed. 403"),
        ('{"level":"warn","msg":"deprecated"}', "1 x deprecated"),
        ("2026-11-22T02:00:00.000Z\terror\tservice.go:1\tno", "1 x 2026-11-22T02:00:00.000Z"),
        ("panic: runtime error", "1 x panic: runtime error"),
        ('{"level":"info","msg":"error is only a word here"}', ""),
        ("[]", ""),
        ("", ""),
    ],
)
def test_complaints_of_collectors_are_named(line: str, reason: str) -> None:
    found = checks.logs(truth(logs={"front-collector": f"{line}\n"}))
    assert found.reason.startswith(reason)
    assert (found.kind is Kind.PROVED) == (reason == "")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ('{"trace_id": "%08x%024x"}', ""),
        ('{"trace_id": "1-%08x-%024x"}', ""),
        ('{"message": "trace %08x%024x"}', "400 traces have no line, such as 000000000000000000000000 in front"),
        ("%08x %024x", "400 traces have no line, such as 000000000000000000000000 in front"),
        ('"%08x%024x"', "400 traces have no line, such as 000000000000000000000000 in front"),
    ],
)
def test_every_trace_has_a_line(written: str, reason: str) -> None:
    good = truth()
    lines = {**good.lines, "front": tuple(written % (order, order) for order in range(400))}
    assert checks.correlated(replace(good, lines=lines)).reason == reason


def counted(counts: Mapping[tuple[str, str], float]) -> list[Verdict]:
    answers = [({Label.JOB: job, Label.STATUS: status}, value) for (job, status), value in counts.items()]
    return asyncio.run(checks.counted(truth(), server(lambda _: answers), 2_000_000.0))


COUNTS = {
    ("shop/front", "200"): 360.0,
    ("shop/front", "502"): 40.0,
    ("shop/back", "200"): 360.0,
    ("shop/back", "500"): 40.0,
}


def test_counts_must_agree_exactly() -> None:
    assert [one.kind for one in counted(COUNTS)] == [Kind.PROVED] * 2
    assert [one.kind for one in counted(COUNTS | {("shop/back", "200"): 359.0})] == [Kind.PROVED, Kind.FAILED]
    assert [one.kind for one in counted(COUNTS | {("shop/front", "404"): 1.0})] == [Kind.FAILED, Kind.PROVED]
    assert counted(COUNTS | {("shop/other", "200"): 1.0})[-1].reason == "requests of nobody"
    assert [one.found for one in counted({})] == ["none", "none"]


# What comes without OTLP


def foreign(sender: Sender, number: int, *refused: str) -> tuple[Foreign, Segment]:
    """What was sent, and the segment that X-Ray has of it."""
    one = Foreign(sender, f"1-ffffffff-{number:024x}", f"{number:016x}", f"sent-by-{sender}", refused)
    return one, Segment(one.trace, one.id, "", one.name, 0, 1, False, False, True, 500, 2)


def with_foreign(*sent: tuple[Foreign, Segment | None]) -> Truth:
    """A front of two tasks whose sidecars take what X-Ray's SDK and Zipkin's clients send."""
    front = service("front", count=2)
    text = yaml.safe_dump({"receivers": {"otlp": {}, "awsxray": {}, "zipkin": {}}})
    variables = {"AOT_CONFIG_CONTENT": text, "AWS_PROMETHEUS_ENDPOINT": "x"}
    pairs = [{"name": name, "value": value} for name, value in variables.items()]
    front.definition["containerDefinitions"][1]["environment"].extend(pairs)
    made = truth(plan(front, service("back")))
    arrived = [segment for _, segment in sent if segment]
    traces = Received((*made.traces.segments, *arrived), 40)
    return replace(made, traces=traces, foreign=tuple(one for one, _ in sent))


EACH = [foreign(sender, 2 * index + number) for index, sender in enumerate(Sender) for number in (1, 2)]


def test_what_came_without_otlp_is_proved_and_is_no_part_of_the_load() -> None:
    good = with_foreign(*EACH)
    assert [(one.subject, one.kind, one.expected, one.found) for one in checks.foreign(good)] == [
        ("X-Ray SDK: a segment sent over UDP arrives", Kind.PROVED, "2, one to each collector", "2"),
        ("X-Ray SDK: what it asks is passed on and signed", Kind.PROVED, "rules and targets", "rules and targets"),
        ("Zipkin: a span arrives", Kind.PROVED, "2, one to each collector", "2"),
    ]
    assert [one.subject for one in checks.all_of(good) if one.kind is Kind.FAILED] == []
    assert len(good.of_load) == len(GOOD)


@pytest.mark.parametrize(
    ("sent", "failed"),
    [
        (EACH[1:], "X-Ray SDK: a segment sent over UDP arrives"),
        (EACH[:-1], "Zipkin: a span arrives"),
        ([*EACH[:-1], (EACH[-1][0], None)], "Zipkin: a span arrives"),
        ([*EACH[:-1], (EACH[-1][0], replace(EACH[-1][1], status=200))], "Zipkin: a span arrives"),
        ([foreign(Sender.XRAY, 1, "403"), *EACH[1:]], "X-Ray SDK: what it asks is passed on and signed"),
        ([*EACH[:-1], foreign(Sender.ZIPKIN, 4, "500")], "Zipkin: a span arrives"),
    ],
    ids=["not sent", "no span sent", "not arrived", "changed", "question refused", "span refused"],
)
def test_what_did_not_come_is_named(sent: list[tuple[Foreign, Segment | None]], failed: str) -> None:
    assert [one.subject for one in checks.foreign(with_foreign(*sent)) if one.kind is Kind.FAILED] == [failed]


def test_a_stack_without_such_receivers_has_no_such_verdict() -> None:
    assert checks.foreign(truth()) == []
