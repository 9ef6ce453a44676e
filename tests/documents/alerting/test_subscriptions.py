"""Who may be told, and that nothing ever shows an address with a key in it."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from documents.alerting.inputs import Alerts
from documents.alerting.model import Severity
from documents.alerting.subscriptions import Subscription, warnings
from documents.faults import faults_of

KEY = "https://example.com/integration/0123456789abcdef/enqueue"
TEAMS = {
    "tenant": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "team": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "channel": "19%3aabc%40thread.tacv2",
}
SLACK = {"workspace": "T0123ABCD", "channel": "C0123ABCD"}
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:pager-AbCdEf"


def said(*values: Any) -> list[str]:
    try:
        TypeAdapter(Alerts).validate_python({"subscriptions": list(values)})
    except ValidationError as error:
        return [str(fault) for fault in faults_of(error, Alerts, "alerts")]
    return []


@pytest.mark.parametrize(
    "value",
    [
        {"email": "people@example.com"},
        {"email": "<your e-mail address>"},
        {"https": KEY, "severity": "critical"},
        {"https": "<secret>"},
        {"chat": {"slack": SLACK}, "severity": "warning"},
        {"chat": {"teams": TEAMS}},
        {"pagerduty": {"secretArn": SECRET, "secretKey": "key"}},
    ],
)
def test_who_may_be_told(value: dict[str, Any]) -> None:
    assert said(value) == []


WHO = "does not say who is told; give one of email, https, chat and pagerduty"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, f"alerts.subscriptions.0: {WHO}"),
        ({"email": "a@example.com", "https": KEY}, f"alerts.subscriptions.0: {WHO}"),
        (
            {"email": "people"},
            "alerts.subscriptions.0.email: is not an e-mail address (got 'people'); write it as people@example.com, "
            "without a name before it",
        ),
        (
            {"https": KEY.replace("https", "http")},
            "alerts.subscriptions.0.https: is not an address with https; write it as https://example.com/alerts",
        ),
        ({"https": 5}, "alerts.subscriptions.0.https: has the wrong type (got a number); give a text"),
        (
            {"email": "a@example.com", "severity": "bad"},
            "alerts.subscriptions.0.severity: is not one of the choices (got 'bad'); choose 'critical' or 'warning'",
        ),
        (
            {"chat": {}},
            "alerts.subscriptions.0.chat: does not name one channel (got a map); give slack or teams",
        ),
        (
            {"chat": {"slack": SLACK | {"channel": "#alerts"}}},
            "alerts.subscriptions.0.chat.slack.channel: is not the id of a Slack channel (got '#alerts'); "
            "it begins with C",
        ),
        (
            {"chat": {"teams": TEAMS | {"channel": "alerts"}}},
            "alerts.subscriptions.0.chat.teams.channel: is not the id of a Teams channel (got 'alerts'); "
            "copy it from the link to the channel, with %3a and %40",
        ),
        (
            {"pagerduty": {"secretArn": "0123456789"}},
            "alerts.subscriptions.0.pagerduty.secretArn: is not the ARN of a secret; store it in Secrets Manager or "
            "SSM Parameter Store and give the ARN, never the value",
        ),
        (
            {"emial": "a@example.com"},
            "alerts.subscriptions.0.emial: is not a known key; did you mean 'email'?",
        ),
    ],
)
def test_faults(value: dict[str, Any], expected: str) -> None:
    assert said(value)[0] == expected


def test_an_endpoint_is_never_shown() -> None:
    one = Subscription.model_validate({"https": KEY})
    assert KEY not in repr(one)
    assert KEY not in str(one.model_dump())
    assert one.https is not None
    assert one.https.get_secret_value() == KEY
    for value in ({"https": f"ftp{KEY}"}, {"https": KEY, "email": "a@b.de"}, {"https": {"x": KEY}}):
        assert not any("0123456789abcdef" in text for text in said(value))


@pytest.mark.parametrize(
    "value",
    [{"email": "a@example.com"}, {"https": KEY}, {"chat": {"slack": SLACK}}, {"pagerduty": {"secretArn": SECRET}}],
)
def test_everybody_is_named_once(value: dict[str, Any]) -> None:
    """SNS has one subscription of an address to a topic, and Amazon Q Developer one configuration of a channel."""
    others = [{"email": "b@example.com"}, {"https": f"{KEY}/2"}]
    assert said(value, *others) == []
    [fault] = said(value | {"severity": "critical"}, *others, value)
    assert fault == (
        "alerts.subscriptions: tells the same one twice, in entries 0 and 3; "
        "name everybody once, with one severity, or with none to be told of both"
    )


def test_encrypted_addresses_that_nobody_has_decrypted_are_not_the_same() -> None:
    assert said({"https": "<secret>"}, {"https": "<secret>", "severity": "critical"}) == []


def test_the_name_of_a_subscription_is_its_own() -> None:
    """Not that of its place, and not its severity's: who is told of more is not somebody else."""
    values = [
        {"email": "a@example.com"}, {"email": "b@example.com"}, {"https": KEY}, {"https": f"{KEY}/2"},
        {"chat": {"slack": SLACK}}, {"chat": {"teams": TEAMS}}, {"pagerduty": {"secretArn": SECRET}},
    ]  # fmt: skip
    keys = [Subscription.model_validate(value).key for value in values]
    assert len(set(keys)) == len(keys)
    assert keys == [Subscription.model_validate(value | {"severity": "warning"}).key for value in values]
    assert [key.partition("-")[0] for key in keys] == [
        "email", "email", "https", "https", "chat", "chat", "pagerduty",
    ]  # fmt: skip
    assert all(len(key.partition("-")[2]) == 6 for key in keys)


def test_warnings_say_of_what_nobody_is_told() -> None:
    both = Subscription.model_validate({"email": "people@example.com"})
    critical = both.model_copy(update={"severity": Severity.CRITICAL})
    assert warnings(()) == ["alerts.subscriptions: nobody is told of critical and warning alerts; subscribe somebody"]
    assert warnings((critical,)) == ["alerts.subscriptions: nobody is told of warning alerts; subscribe somebody"]
    assert warnings((both,)) == []
    secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:pager-AbCdEf"
    paged = Subscription.model_validate({"pagerduty": {"secretArn": secret}})
    assert warnings((paged, both)) == []
    [alone] = warnings((paged,))
    assert alone.startswith("alerts.subscriptions: of critical and warning alerts only those that AMP evaluates reach")
    assert warnings((Subscription.model_validate({"email": "<your e-mail address>"}),)) == [
        "alerts.subscriptions.0: <your e-mail address> is still to be filled in"
    ]
