"""AMP's Alertmanager: who is told of which alert, how soon, how often, and in which words.

AMP takes a document of two keys: the templates, and Alertmanager's own configuration as a text. It sends to SNS and
PagerDuty only, and signs what it sends to SNS (Amazon Managed Service for Prometheus User Guide, "Managing and
forwarding alerts with alert manager").
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from documents import text
from documents.alerting import alerts
from documents.alerting.model import HEARTBEAT, Severity
from documents.alerting.rules import SEVERITY
from documents.alerting.subscriptions import PagerDuty, Subscription
from documents.catalogue import Label, Pattern
from documents.model import PENDING
from documents.names import COLLECTOR
from documents.observed import Observed

TEMPLATES: Final = "messages"
"""The name of the file of templates."""

SUBJECT_LENGTH: Final = 100
"""SNS takes no longer subject (API Reference, "Publish")."""

_MOST_SHOWN: Final = 10
"""Alerts in one message before the rest is only counted."""

_REPEAT: Final[Mapping[Severity, str]] = {Severity.CRITICAL: "4h", Severity.WARNING: "1d"}
"""How often somebody is reminded of an alert that goes on."""

_GROUPED_BY: Final = ["alertname", Label.CLUSTER, Label.SERVICE]

_MESSAGES: Final = """\
{{ define "ecs.title" -}}
{{ printf "%.LENGTHs" (printf "[%s] %s: %s in %s" (.Status | toUpper) .CommonLabels.alertname \
(or .CommonLabels.SERVICE "all") (or .CommonLabels.CLUSTER "AMP")) }}
{{- end }}
{{ define "ecs.text" -}}
{{ range $index, $alert := .Alerts -}}
{{ if lt $index SHOWN -}}
[{{ .Status | toUpper }}] {{ .Labels.alertname }} ({{ .Labels.severity }})
what: {{ .Annotations.summary }}
where: {{ or .Labels.SERVICE "all services" }} in {{ or .Labels.CLUSTER "AMP" }}
value: {{ .Annotations.description }}
since: {{ .StartsAt.UTC.Format "2006-01-02 15:04" }} UTC\
{{ if eq .Status "resolved" }} until {{ .EndsAt.UTC.Format "2006-01-02 15:04" }} UTC{{ end }}
runbook: {{ .Annotations.runbook_url }}

{{ end -}}
{{ end -}}
{{ if gt (len .Alerts) SHOWN }}There are more: {{ len .Alerts }} alerts in all.{{ end -}}
{{ end }}
{{ define "ecs.chat" -}}
{"version": "1.0", "source": "custom", "content": {"textType": "client-markdown", \
"title": {{ printf "%q" (printf "[%s] %s" (.Status | toUpper) .CommonLabels.alertname) }}, \
"description": "{{ range $index, $alert := .Alerts -}}{{ if lt $index SHOWN -}}\
*{{ .Labels.alertname }}* ({{ .Labels.severity }}, {{ .Status }}): {{ or .Labels.SERVICE "all services" }} in \
{{ or .Labels.CLUSTER "AMP" }}\\n{{ reReplaceAll "[\\\\x00-\\\\x1f\\"\\\\\\\\]" " " .Annotations.description }}\\n\
<{{ .Annotations.runbook_url }}|runbook>\\n{{ end }}{{ end }}\
{{ if gt (len .Alerts) SHOWN }}{{ len .Alerts }} alerts in all{{ end }}"}}
{{- end }}
"""
"""`ecs.chat` is the custom notification of Amazon Q Developer in chat applications, which ignores every other message
but those of AWS's own services (its Administrator Guide, "Custom notifications")."""


@dataclass(frozen=True)
class Delivery:
    """Where alerts go: the ARNs of the topics of each severity, that of the heartbeat, those of chats for severities
    of which a chat is told, and who is subscribed."""

    region: str
    topics: Mapping[Severity, str]
    heartbeat: str
    chats: Mapping[Severity, str]
    subscriptions: Sequence[Subscription]

    def pagers(self, severity: Severity) -> list[PagerDuty]:
        """The services of PagerDuty that are told of a severity."""
        return [one.pagerduty for one in self.subscriptions if one.pagerduty and severity in one.severities]


def chatting(subscriptions: Sequence[Subscription]) -> list[Severity]:
    """The severities of which a chat is told."""
    return [severity for severity in Severity if any(one.chat and severity in one.severities for one in subscriptions)]


def pending(subscriptions: Sequence[Subscription], region: str) -> Delivery:
    """A delivery to topics that are not there yet."""
    return Delivery(
        region,
        dict.fromkeys(Severity, PENDING),
        PENDING,
        dict.fromkeys(chatting(subscriptions), PENDING),
        subscriptions,
    )


def definition(observed: Observed, delivery: Delivery) -> str:
    """The text of an Alertmanager definition."""
    document = {
        "template_files": {TEMPLATES: text.Block(templates())},
        "alertmanager_config": text.Block(text.to_yaml(configuration(observed, delivery))),
    }
    return text.to_yaml(document)


def templates() -> str:
    """The templates of subject, message and chat."""
    replaced = {
        ".SERVICE": f".{Label.SERVICE}",
        ".CLUSTER": f".{Label.CLUSTER}",
        "LENGTH": str(SUBJECT_LENGTH),
        "SHOWN": str(_MOST_SHOWN),
    }
    made = _MESSAGES
    for word, value in replaced.items():
        made = made.replace(word, value)
    return made


def configuration(observed: Observed, delivery: Delivery) -> dict[str, Any]:
    """Alertmanager's own configuration."""
    return {
        "templates": [TEMPLATES],
        "route": {
            "receiver": Severity.WARNING.value,
            "group_by": _GROUPED_BY,
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": _REPEAT[Severity.WARNING],
            "routes": [*_routes()],
        },
        "inhibit_rules": [*_inhibitions(observed)],
        "receivers": [*(_receiver(severity, delivery) for severity in Severity), _heartbeat(delivery)],
    }


def _routes() -> Iterator[dict[str, Any]]:
    # Before severities: it is always firing, and nobody is to be told of it.
    yield {
        "matchers": [_is("alertname", alerts.DEAD_MANS_SWITCH.name)],
        "receiver": HEARTBEAT,
        "group_interval": "1m",
        "repeat_interval": "5m",
    }
    for severity in Severity:
        yield {
            "matchers": [_is(SEVERITY, severity.value)],
            "receiver": severity.value,
            "repeat_interval": _REPEAT[severity],
        }


def _inhibitions(observed: Observed) -> Iterator[dict[str, Any]]:
    """What need not be said, since something else says why."""
    # A collector that is gone with its task is the smaller half of that news.
    for cause, effect in ((alerts.BELOW_DESIRED, alerts.COLLECTOR_DOWN), (alerts.COLLECTOR_DOWN, alerts.SILENT)):
        yield {
            "source_matchers": [_is("alertname", cause.name)],
            "target_matchers": [_is("alertname", effect.name)],
            "equal": [Label.CLUSTER, Label.SERVICE],
        }
    if served := observed.of(Pattern.SERVICE):
        names = "|".join(one.name for one in served)
        yield {
            "source_matchers": [_is("alertname", alerts.COLLECTOR_DOWN.name), _is(Label.SERVICE, COLLECTOR)],
            "target_matchers": [_is("alertname", alerts.SILENT.name), f'{Label.SERVICE}=~"{names}"'],
            "equal": [Label.CLUSTER],
        }
    yield {
        "source_matchers": [_is("alertname", alerts.BURNING_FAST.name)],
        "target_matchers": [_is("alertname", alerts.BURNING_SLOWLY.name)],
        "equal": [Label.CLUSTER, Label.SERVICE, Label.SLO],
    }


def _receiver(severity: Severity, delivery: Delivery) -> dict[str, Any]:
    topics = [_sns(delivery, delivery.topics[severity], "ecs.text", subject="ecs.title")]
    if chat := delivery.chats.get(severity):
        topics.append(_sns(delivery, chat, "ecs.chat"))
    receiver: dict[str, Any] = {"name": severity.value, "sns_configs": topics}
    if services := delivery.pagers(severity):
        receiver["pagerduty_configs"] = [_pagerduty(one, severity) for one in services]
    return receiver


def _heartbeat(delivery: Delivery) -> dict[str, Any]:
    told = _sns(delivery, delivery.heartbeat, "ecs.text", subject="ecs.title")
    return {"name": HEARTBEAT, "sns_configs": [told | {"send_resolved": False}]}


def _sns(delivery: Delivery, topic: str, message: str, *, subject: str = "") -> dict[str, Any]:
    return {
        "topic_arn": topic,
        "sigv4": {"region": delivery.region},
        "send_resolved": True,
        **({"subject": _template(subject)} if subject else {}),
        "message": _template(message),
    }


def _pagerduty(service: PagerDuty, severity: Severity) -> dict[str, Any]:
    """In AMP's own form: it reads the key of the service from Secrets Manager."""
    return {
        "routing_key": {
            "aws_secrets_manager": {
                "secret_arn": service.secret_arn,
                "secret_key": service.secret_key,
                "refresh_interval": "5m",
            }
        },
        "send_resolved": True,
        "description": _template("ecs.title"),
        "severity": severity.value,
    }


def _is(label: str, value: str) -> str:
    return f'{label}="{value}"'


def _template(name: str) -> str:
    return f'{{{{ template "{name}" . }}}}'
