"""Verdicts on partners and CloudWatch: what is missing, too much, or refused is seen."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml

from proof import copies, elsewhere
from proof.cloudwatch_logs import CloudWatchLogs, Written
from proof.elsewhere import Elsewhere, Partner
from proof.otlp import Delivered
from proof.plan import secret_value
from proof.remote_write import Sample
from proof.truth import Truth
from proof.verdict import Kind
from proof.web import Request
from tests.proof import made

CONFIGURATION = {
    "exporters": {
        "otlp_http/acme": {
            "endpoint": "${env:DESTINATION_ENDPOINT_ACME:-https://otlp.example.com}",
            "headers": {"X-Key": "${env:DESTINATION_HEADER_ACME_X_KEY}"},
        },
        "otlp_http/xray": {"endpoint": "https://xray.example.com"},
        "awscloudwatchlogs": {"log_group_name": "/logs"},
    },
    "service": {
        "pipelines": {
            "traces/partners": {"exporters": ["otlp_http/acme"]},
            "metrics/application-partners": {"exporters": ["otlp_http/acme"]},
            "logs": {"exporters": ["awscloudwatchlogs"]},
        }
    },
}


def with_destinations() -> Truth:
    truth = made.truth()
    [first, *rest] = truth.plan.applications
    container = {
        "name": "collector",
        "environment": [{"name": "AOT_CONFIG_CONTENT", "value": yaml.safe_dump(CONFIGURATION)}],
    }
    others = [one for one in first.definition["containerDefinitions"] if one["name"] != "collector"]
    first = replace(first, definition={**first.definition, "containerDefinitions": [*others, container]})
    plan = replace(truth.plan, applications=(first, *rest), collector=None)
    return replace(truth, plan=plan, log_records=("a", "b"))


def complete(truth: Truth) -> Elsewhere:
    samples = {
        tuple(
            sorted(
                {
                    "__name__": "http.server.request.duration",
                    "service.name": name,
                    "http.response.status_code": str(status),
                }.items()
            )
        ): (Sample(0, 1.0), Sample(1, float(sum(one.status == status for one in handled))))
        for name, handled in truth.handled.items()
        for status in {one.status for one in handled}
    }
    spans = {segment.id: 1 for segment in truth.traces.segments}
    events = tuple({"body": text, "trace_id": "1"} for text in truth.log_records)
    return Elsewhere({"acme": Delivered(spans, samples, 0, {})}, Written({"/logs": events}, {}))


def failed(truth: Truth, received: Elsewhere) -> dict[str, str]:
    judged = copies.checked(replace(truth, elsewhere=received))
    return {one.subject: one.reason for one in judged if one.kind is Kind.FAILED}


def test_destinations_are_read_from_configurations() -> None:
    found = elsewhere.destinations(with_destinations().plan.services)
    assert found.partners == {
        "acme": Partner(
            "DESTINATION_ENDPOINT_ACME",
            {"x-key": "DESTINATION_HEADER_ACME_X_KEY"},
            frozenset({"traces", "metrics"}),
        )
    }
    assert found.log_groups == {"awscloudwatchlogs": "/logs"}


def test_all_that_arrived_is_proved() -> None:
    truth = with_destinations()
    judged = copies.checked(replace(truth, elsewhere=complete(truth)))
    assert {one.subject: one.kind for one in judged} == dict.fromkeys(
        [
            "acme takes every request",
            "spans at acme",
            "requests at acme",
            "CloudWatch Logs takes every request",
            "log records in CloudWatch",
        ],
        Kind.PROVED,
    )
    assert copies.arrived(replace(truth, elsewhere=complete(truth)))


def test_a_stack_that_sends_nowhere_else_has_no_verdict() -> None:
    assert copies.checked(made.truth()) == []


@pytest.mark.parametrize(
    ("partner", "reason"),
    [
        (lambda whole: replace(whole, spans=dict(list(whole.spans.items())[1:])), "1 are missing, 0 are not in X-Ray"),
        (lambda whole: replace(whole, spans={**whole.spans, "f" * 16: 1}), "0 are missing, 1 are not in X-Ray"),
        (lambda whole: replace(whole, samples={}), "the counters do not agree with the requests"),
        (lambda whole: replace(whole, refused={"401 header": 2}), "2 x 401 header"),
    ],
)
def test_what_a_partner_lacks_is_seen(partner: Any, reason: str) -> None:
    truth = with_destinations()
    whole = complete(truth)
    assert list(failed(truth, replace(whole, partners={"acme": partner(whole.partners["acme"])})).values()) == [reason]


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([{"body": "a", "trace_id": "1"}], "they are not the ones that were sent"),
        (
            [{"body": "a", "trace_id": "1"}] * 2 + [{"body": "b", "trace_id": "1"}],
            "they are not the ones that were sent",
        ),
        ([{"body": "a", "trace_id": "1"}, {"body": "b"}], "some have lost their trace"),
    ],
)
def test_what_the_log_lacks_is_seen(events: list[Mapping[str, Any]], reason: str) -> None:
    truth = with_destinations()
    received = replace(complete(truth), cloudwatch=Written({"/logs": tuple(events)}, {}))
    assert failed(truth, received) == {"log records in CloudWatch": reason}


def test_each_secret_has_a_value_of_its_own() -> None:
    assert secret_value("A") != secret_value("B")


def test_cloudwatch_logs_refuses_what_is_not_signed() -> None:
    stand_in = CloudWatchLogs({}, "eu-west-1", {"/logs"})
    body = json.dumps({"logGroupName": "/logs", "logStreamName": "s", "logEvents": []}).encode()
    request = Request("POST", "/", {"x-amz-target": "Logs_20140328.PutLogEvents"}, body)
    assert asyncio.run(stand_in.handle(request)).status == 403
    assert stand_in.written.events == {}
