"""AMP's Alertmanager: its document, and what the real Alertmanager's tool makes of it."""

import functools
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from documents.alerting import alertmanager
from documents.alerting.alerts import ALERTS
from documents.alerting.model import Severity
from documents.alerting.subscriptions import PagerDuty, Subscription
from documents.observed import Observed
from tests import stacks
from tools.build import MissingProgram, program

ARN = "arn:aws:sns:eu-west-1:123456789012:shop-dev-"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:pager-AbCdEf"
CHAT = Subscription.model_validate({"chat": {"slack": {"workspace": "T0123ABCD", "channel": "C0123ABCD"}}})
PAGER = Subscription(pagerduty=PagerDuty(secret_arn=SECRET), severity=Severity.CRITICAL)

STACKS: Mapping[str, Observed] = {
    "sidecar": stacks.observed("dev", sidecar=["cart"]),
    "service": stacks.observed("dev", service=["shop", "cart"]),
    "mixed": stacks.observed("dev", sidecar=["cart"], service=["shop"]),
    "none": stacks.observed("dev"),
}


def delivery(*subscriptions: Subscription) -> alertmanager.Delivery:
    return alertmanager.Delivery(
        region="eu-west-1",
        topics={severity: f"{ARN}{severity}" for severity in Severity},
        heartbeat=f"{ARN}heartbeat",
        chats={severity: f"{ARN}chat-{severity}" for severity in alertmanager.chatting(subscriptions)},
        subscriptions=subscriptions,
    )


def inner(observed: Observed, *subscriptions: Subscription) -> dict[str, Any]:
    document = yaml.safe_load(alertmanager.definition(observed, delivery(*subscriptions)))
    return yaml.safe_load(document["alertmanager_config"])


def test_the_document_has_amps_two_keys() -> None:
    document = yaml.safe_load(alertmanager.definition(STACKS["sidecar"], delivery()))
    assert list(document) == ["template_files", "alertmanager_config"]
    assert list(document["template_files"]) == ["messages"]
    assert yaml.safe_load(document["alertmanager_config"])["templates"] == ["messages"]


def test_routes() -> None:
    assert inner(STACKS["sidecar"])["route"] == {
        "receiver": "warning",
        "group_by": ["alertname", "aws_ecs_cluster_name", "aws_ecs_service_name"],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "1d",
        "routes": [
            {
                "matchers": ['alertname="DeadMansSwitch"'],
                "receiver": "heartbeat",
                "group_interval": "1m",
                "repeat_interval": "5m",
            },
            {"matchers": ['severity="critical"'], "receiver": "critical", "repeat_interval": "4h"},
            {"matchers": ['severity="warning"'], "receiver": "warning", "repeat_interval": "1d"},
        ],
    }


def sns(topic: str, message: str, **more: Any) -> dict[str, Any]:
    return {
        "topic_arn": f"{ARN}{topic}",
        "sigv4": {"region": "eu-west-1"},
        "send_resolved": True,
        "message": f'{{{{ template "{message}" . }}}}',
        **more,
    }


SUBJECT = {"subject": '{{ template "ecs.title" . }}'}


def test_receivers() -> None:
    told = [
        {"name": "critical", "sns_configs": [sns("critical", "ecs.text", **SUBJECT)]},
        {"name": "warning", "sns_configs": [sns("warning", "ecs.text", **SUBJECT)]},
        {"name": "heartbeat", "sns_configs": [sns("heartbeat", "ecs.text", **SUBJECT, send_resolved=False)]},
    ]
    assert inner(STACKS["sidecar"])["receivers"] == told


def test_chat_and_pagerduty_are_added_where_somebody_asks() -> None:
    only_warnings = CHAT.model_copy(update={"severity": Severity.WARNING})
    critical, warning, _ = inner(STACKS["sidecar"], only_warnings, PAGER)["receivers"]
    assert warning["sns_configs"][1:] == [sns("chat-warning", "ecs.chat")]
    assert "pagerduty_configs" not in warning
    assert len(critical["sns_configs"]) == 1
    assert critical["pagerduty_configs"] == [
        {
            "routing_key": {
                "aws_secrets_manager": {
                    "secret_arn": SECRET,
                    "secret_key": "routing_key",
                    "refresh_interval": "5m",
                }
            },
            "send_resolved": True,
            "description": '{{ template "ecs.title" . }}',
            "severity": "critical",
        }
    ]


def test_inhibitions() -> None:
    tasks, down, served, fast = inner(STACKS["mixed"])["inhibit_rules"]
    assert tasks == {
        "source_matchers": ['alertname="TasksBelowDesired"'],
        "target_matchers": ['alertname="CollectorDown"'],
        "equal": ["aws_ecs_cluster_name", "aws_ecs_service_name"],
    }
    assert down == {
        "source_matchers": ['alertname="CollectorDown"'],
        "target_matchers": ['alertname="ApplicationSilent"'],
        "equal": ["aws_ecs_cluster_name", "aws_ecs_service_name"],
    }
    assert served == {
        "source_matchers": ['alertname="CollectorDown"', 'aws_ecs_service_name="collector"'],
        "target_matchers": ['alertname="ApplicationSilent"', 'aws_ecs_service_name=~"shop"'],
        "equal": ["aws_ecs_cluster_name"],
    }
    assert fast["equal"] == ["aws_ecs_cluster_name", "aws_ecs_service_name", "slo"]
    assert len(inner(STACKS["sidecar"])["inhibit_rules"]) == 3


# What amtool says.


@functools.cache
def amtool() -> Path:
    try:
        return program("amtool")
    except MissingProgram as missing:
        pytest.skip(str(missing))


def run(*arguments: str | Path) -> str:
    done = subprocess.run([amtool(), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def written(folder: Path, observed: Observed, *subscriptions: Subscription) -> Path:
    """The inner document and its templates, as Alertmanager reads them. The key of PagerDuty is a text there."""
    document = yaml.safe_load(alertmanager.definition(observed, delivery(*subscriptions)))
    for name, template in document["template_files"].items():
        (folder / name).write_text(template)
    configuration = yaml.safe_load(document["alertmanager_config"])
    for receiver in configuration["receivers"]:
        for pager in receiver.get("pagerduty_configs", ()):
            assert pager["routing_key"].keys() == {"aws_secrets_manager"}
            pager["routing_key"] = "key"
    file = folder / "alertmanager.yaml"
    file.write_text(yaml.safe_dump(configuration))
    return file


@pytest.mark.slow
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("subscriptions", [(), (CHAT, PAGER)])
def test_amtool_takes_it_and_routes_every_alert(
    stack: str, subscriptions: tuple[Subscription, ...], tmp_path: Path
) -> None:
    file = written(tmp_path, STACKS[stack], *subscriptions)
    assert "1 templates" in run("check-config", file)
    for alert in ALERTS:
        labels = (f"alertname={alert.name}", f"severity={alert.severity}", "aws_ecs_cluster_name=shop-dev")
        expected = "heartbeat" if alert.name == "DeadMansSwitch" else alert.severity.value
        assert run("config", "routes", "test", f"--config.file={file}", *labels).strip() == expected
    stranger = run("config", "routes", "test", f"--config.file={file}", "alertname=Theirs").strip()
    assert stranger == "warning", "what another rule of the workspace says is not lost"


def alert(service: str = "cart", **changes: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {
            "alertname": "HighErrorRate",
            "severity": "critical",
            "aws_ecs_cluster_name": "shop-dev",
            "aws_ecs_service_name": service,
        },
        "annotations": {
            "summary": f"{service}: requests fail",
            "description": '7 % of the requests to "cart"\nwere answered with 500.',
            "runbook_url": "https://example.com/high-error-rate.md",
        },
        "startsAt": "2026-11-22T10:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        **changes,
    }


def message(folder: Path, template: str, *alerts: dict[str, Any], status: str = "firing") -> str:
    written(folder, STACKS["sidecar"])
    common = {key: value for key, value in alerts[0]["labels"].items() if all(key in one["labels"] for one in alerts)}
    data = folder / "data.json"
    data.write_text(json.dumps({"status": status, "alerts": list(alerts), "commonLabels": common}))
    return run(
        "template",
        "render",
        f"--template.glob={folder / 'messages'}",
        f'--template.text={{{{ template "{template}" . }}}}',
        f"--template.data={data}",
    )


@pytest.mark.slow
def test_the_subject_fits_into_sns(tmp_path: Path) -> None:
    assert message(tmp_path, "ecs.title", alert()) == "[FIRING] HighErrorRate: cart in shop-dev"
    long = message(tmp_path, "ecs.title", alert("s" * 100))
    assert len(long) == 100
    assert long.isascii()


@pytest.mark.slow
def test_the_text_says_what_where_since_and_what_to_do(tmp_path: Path) -> None:
    resolved = alert("shop", status="resolved", endsAt="2026-11-22T10:20:00Z")
    assert message(tmp_path, "ecs.text", alert(), resolved) == (
        "[FIRING] HighErrorRate (critical)\n"
        "what: cart: requests fail\n"
        "where: cart in shop-dev\n"
        'value: 7 % of the requests to "cart"\nwere answered with 500.\n'
        "since: 2026-11-22 10:00 UTC\n"
        "runbook: https://example.com/high-error-rate.md\n\n"
        "[RESOLVED] HighErrorRate (critical)\n"
        "what: shop: requests fail\n"
        "where: shop in shop-dev\n"
        'value: 7 % of the requests to "cart"\nwere answered with 500.\n'
        "since: 2026-11-22 10:00 UTC until 2026-11-22 10:20 UTC\n"
        "runbook: https://example.com/high-error-rate.md\n\n"
    )


@pytest.mark.slow
def test_many_alerts_are_counted(tmp_path: Path) -> None:
    text = message(tmp_path, "ecs.text", *(alert(f"s{index}") for index in range(12)))
    assert text.count("runbook: ") == 10
    assert text.endswith("There are more: 12 alerts in all.")


@pytest.mark.slow
def test_a_chat_gets_the_json_that_it_knows(tmp_path: Path) -> None:
    made = json.loads(message(tmp_path, "ecs.chat", *(alert(f"s{index}") for index in range(12))))
    description = made["content"].pop("description")
    assert made == {
        "version": "1.0",
        "source": "custom",
        "content": {"textType": "client-markdown", "title": "[FIRING] HighErrorRate"},
    }
    first = description.split("*HighErrorRate*")[1]
    assert first == (
        " (critical, firing): s0 in shop-dev\n7 % of the requests to  cart  were answered with 500.\n"
        "<https://example.com/high-error-rate.md|runbook>\n"
    )
    assert description.endswith("12 alerts in all")
