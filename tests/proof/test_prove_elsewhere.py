"""Partners and CloudWatch for real: what AMP and X-Ray have, they have as well."""

from collections.abc import Iterator
from typing import Any

import pytest

from proof.verdict import Kind
from proof.verdicts import Judgement
from tests.proof.live import Live, beside_dashboards, complaints, equipped, live, named, wanted

pytestmark = pytest.mark.slow

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:partner-AbCdEf"
PARTNERS = [
    {"name": "both", "endpoint": "https://otlp.example.com/base", "headers": {"api-key": ARN, "X-Dataset": ARN}},
    {"name": "traced", "endpoint": "https://example.com", "headers": {"api-key": ARN}, "signals": ["traces"]},
]


def judged(folder: Any, config: dict[str, Any]) -> Iterator[tuple[Live, Judgement]]:
    with live(equipped(wanted("dev", config=config)), folder) as run:
        yield run, run.judged()


@pytest.fixture(scope="module", params=["sidecar", "service"])
def partners(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Live, Judgement]]:
    config = {"pattern": request.param, "destinations": PARTNERS, "traces": {"ratio": 0.3}}
    yield from judged(tmp_path_factory.mktemp("partners"), config)


def test_partners_get_what_aws_gets(partners: tuple[Live, Judgement]) -> None:
    run, judgement = partners
    assert complaints(beside_dashboards(judgement)) == ""
    assert {one.subject: one.kind for one in judgement.others if one.area == "copy"} == dict.fromkeys(
        [
            "both takes every request",
            "spans at both",
            "requests at both",
            "traced takes every request",
            "spans at traced",
        ],
        Kind.PROVED,
    )
    assert named(judgement.others, "spans at both").found == str(len(run.truth.traces.segments))
    assert run.truth.elsewhere.partners["traced"].samples == {}


def test_a_ratio_keeps_whole_traces_in_both_patterns(partners: tuple[Live, Judgement]) -> None:
    run, judgement = partners
    assert named(judgement.others, "a trace for each request that is sampled").kind is Kind.PROVED
    assert named(judgement.others, "every trace is complete").kind is Kind.PROVED
    assert 0 < len({one.trace for one in run.truth.traces.segments}) < len(run.truth.sent)


def test_no_secret_is_rendered_or_logged(partners: tuple[Live, Judgement]) -> None:
    run, _ = partners
    texts = [*run.truth.logs.values(), *wanted("dev", config={"destinations": PARTNERS}).documents.values()]
    assert all("<secret DESTINATION" not in text for text in texts)


@pytest.fixture(scope="module", params=["sidecar", "service"])
def cloudwatch(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Live, Judgement]]:
    config = {"pattern": request.param, "metrics": {"toCloudwatch": True}, "logs": {"fromApplications": True}}
    yield from judged(tmp_path_factory.mktemp("cloudwatch"), config)


def test_metrics_and_logs_are_in_cloudwatch(cloudwatch: tuple[Live, Judgement]) -> None:
    run, judgement = cloudwatch
    assert [
        one.subject for one in judgement.others if one.area in ("copy", "log") and one.kind is not Kind.PROVED
    ] == []
    assert named(judgement.others, "log records in CloudWatch").kind is Kind.PROVED
    assert named(judgement.others, "metrics in CloudWatch").kind is Kind.PROVED
    assert len(run.truth.log_records) == 20 * sum(service.count for service in run.truth.plan.applications)
