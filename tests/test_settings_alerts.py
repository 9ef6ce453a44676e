"""What a stack file says of alerts."""

import pytest

from documents.alerting import limits
from documents.alerting.alerts import ALERTS
from documents.environment import rules_of, warnings
from documents.faults import ConfigurationError
from settings import load
from tests.test_settings import APPLICATION, NAMES, PROJECT, ROOT, configuration, faults, loaded

KEY = "https://example.com/integration/0123456789abcdef"


def test_addresses_may_be_encrypted() -> None:
    """They may hold keys, and stand in no task definition."""
    config = configuration({"applications": [APPLICATION], "alerts": {"subscriptions": [{"https": KEY}]}})
    found, _ = load(config, NAMES, ROOT, encrypted=[f"{PROJECT}:alerts"])
    [one] = found.alerts.subscriptions
    assert one.https is not None
    assert one.https.get_secret_value() == KEY
    assert KEY not in repr(found)


def test_what_the_preview_puts_in_the_place_of_an_encrypted_address() -> None:
    assert loaded(alerts={"subscriptions": [{"https": "<secret>"}]}).alerts.subscriptions


def test_an_address_is_in_no_fault() -> None:
    said = faults(alerts={"subscriptions": [{"https": KEY.replace("https", "http"), "severity": "high"}]})
    assert [text.partition(": ")[0] for text in said] == [
        "alerts.subscriptions.0.https",
        "alerts.subscriptions.0.severity",
    ]
    assert not any("0123456789abcdef" in text for text in said)


def test_traces_need_grafana() -> None:
    assert faults(alerts={"traces": True}, grafana={"enabled": False}) == [
        "alerts.traces: has Grafana look at traces, and there is none (got True); turn grafana on, or this off"
    ]
    assert loaded(alerts={"traces": True}).alerts.traces


def test_a_stack_that_tells_nobody_warns() -> None:
    silent = "alerts.subscriptions: nobody is told of critical and warning alerts; subscribe somebody"
    assert silent in warnings(loaded())
    told = {"subscriptions": [{"email": "people@example.com"}]}
    assert not any("alerts" in warning for warning in warnings(loaded(alerts=told)))


def test_without_alerts_there_is_no_namespace_for_them() -> None:
    nothing = loaded(alerts={"disabled": [alert.name for alert in ALERTS]})
    assert set(rules_of(nothing, NAMES, "eu-west-1")) == {"recording"}
    assert set(rules_of(loaded(), NAMES, "eu-west-1")) == {"recording", "alerts"}


def test_more_than_amp_takes_is_said_before_the_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_RULES", 3)
    with pytest.raises(ConfigurationError) as caught:
        rules_of(loaded(), NAMES, "eu-west-1")
    [said] = caught.value.faults
    assert str(said).startswith("applications: makes ")
    assert str(said).endswith(" rules, and AMP takes 3; spread them over more stacks")


def test_objectives_need_metrics_that_are_kept_as_long() -> None:
    promising = APPLICATION | {"objectives": {"availability": 99.9}}
    assert faults(applications=[promising], metrics={"retentionDays": 7}) == [
        "metrics.retentionDays: is less than the 28 days of the objectives under applications.0 (got 7); "
        "give at least 28, or leave the objectives out"
    ]
    assert loaded(applications=[promising], metrics={"retentionDays": 28})


def test_what_is_shared_is_not_chosen_for_one() -> None:
    chosen = {"alerts": {"disabled": ["CollectorDown", "HighLatency"], "thresholds": {"queue": 20}}}
    assert loaded(applications=[APPLICATION | chosen | {"pattern": "sidecar"}])
    said = faults(applications=[APPLICATION | chosen | {"pattern": "service"}])
    assert [text.partition(": ")[0] for text in said] == [
        "applications.0.alerts.disabled",
        "applications.0.alerts.thresholds.queue",
    ]
