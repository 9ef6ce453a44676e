"""What AMP would refuse is said before the deployment."""

from typing import Any

import pytest
import yaml

from documents import rules
from documents.alerting import alertmanager, limits
from documents.alerting.rules import alerting_rules
from tests import stacks

OBSERVED = stacks.observed("dev", sidecar=["cart"], service=["shop"])
CONFIGURATION = alertmanager.configuration(OBSERVED, alertmanager.pending((), "eu-west-1"))
RULE = {"record": "a:b:c", "expr": "1"}
TOPIC = {"topic_arn": "t", "sigv4": {"region": "eu-west-1"}}


def of_rules(*groups: dict[str, Any]) -> list[str]:
    document = {"groups": list(groups)}
    texts = {"alerts": yaml.safe_dump(document, default_flow_style=False)}
    return [str(fault) for fault in limits.rules_faults({"alerts": document}, texts)]


def of_definition(text: str = "", **changes: Any) -> list[str]:
    return [str(fault) for fault in limits.definition_faults(CONFIGURATION | changes, text)]


def test_what_we_make_is_taken() -> None:
    made: list[Any] = [rules.recording_rules(OBSERVED), alerting_rules(OBSERVED)]
    assert of_rules(*(group for document in made for group in document["groups"])) == []
    assert of_definition() == []


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (
            [{"name": "a", "rules": [RULE] * 2001}],
            ["applications: makes 2,001 rules, and AMP takes 2,000; spread them over more stacks"],
        ),
        (
            [{"name": "a", "rules": [RULE | {"expr": "1" * 1_000_000}]}],
            [
                "applications: makes 1,000,058 bytes of rules in alerts, and AMP takes 1,000,000; "
                "spread them over more stacks"
            ],
        ),
        (
            [{"name": "a", "interval": "15s", "rules": [RULE]}, {"name": "b", "interval": "1m", "rules": [RULE]}],
            [
                "rules alerts.a: is evaluated more often than every 30 seconds, as AMP does at most (got '15s'); "
                "give its group a longer interval"
            ],
        ),
        ([{"name": "a", "rules": []}], ["rules alerts.a: has no rules, which AMP refuses; leave it out"]),
    ],
)
def test_rules(groups: list[dict[str, Any]], said: list[str]) -> None:
    assert of_rules(*groups) == said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"global": {}}, "alertmanager global: is settings for receivers that AMP does not have; leave it out"),
        (
            {"route": {"receiver": "a", "routes": [{"receiver": "a", "repeat_interval": "1w"}]}},
            "alertmanager route.repeat_interval: is longer than AMP waits (got '1w'); give at most 5d",
        ),
        (
            {"receivers": [{"name": "a", "slack_configs": [{}]}]},
            "alertmanager receivers.a.slack_configs: is a receiver; AMP knows SNS and PagerDuty; leave it out",
        ),
        (
            {"receivers": [{"name": "a", "sns_configs": [TOPIC | {"api_url": "x"}]}]},
            "alertmanager receivers.a.sns_configs.api_url: is where to send to; AMP decides that; leave it out",
        ),
        (
            {"receivers": [{"name": "a", "sns_configs": [{"topic_arn": "t"}]}]},
            "alertmanager receivers.a.sns_configs.sigv4.region: is missing; name the region of the topic",
        ),
        (
            {"inhibit_rules": [{}] * 101},
            "applications: makes 101 inhibition rules, and AMP takes 100; spread them over more stacks",
        ),
        (
            {"route": {"receiver": "a", "routes": [{"receiver": "a"}] * 100}},
            "alerts.subscriptions: makes 101 routes, and AMP takes 100; spread them over more stacks",
        ),
    ],
)
def test_definitions(changes: dict[str, Any], said: str) -> None:
    assert of_definition(**changes) == [said]


def test_the_size_of_a_definition() -> None:
    assert of_definition("x" * 1_000_001) == [
        "alerts.subscriptions: makes 1,000,001 bytes of Alertmanager definition, and AMP takes 1,000,000; "
        "spread them over more stacks"
    ]


@pytest.mark.parametrize(("text", "expected"), [("30s", 30), ("5m", 300), ("1h30m", 5400), ("5d", 432000)])
def test_times(text: str, expected: int) -> None:
    assert limits.seconds(text) == expected
