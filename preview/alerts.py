"""The alerts of a recorded stack, and who is told of them, as tables for a person."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from documents.alerting.alerts import ALERTS
from documents.alerting.rules import SEVERITY
from documents.catalogue import SNS_TOPIC, Label
from documents.text import from_yaml
from preview import wiring
from preview.recording import Recording, Resource, Secret

RULES: Final = "aws:amp/ruleGroupNamespace:RuleGroupNamespace"

_CHATS: Final = (
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration",
    "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration",
)


def told(recording: Recording) -> Iterator[str]:
    """Markdown: who is subscribed to each topic. An address that may hold a key is not shown."""
    for topic in recording.of_type(wiring.TOPIC):
        people = [*_subscribed(recording, topic), *_chatting(recording, topic), *_listening(recording, topic)]
        yield f"- `{wiring.aws_name(topic)}`: {', '.join(people) or 'nobody'}"


def lines(recording: Recording) -> Iterator[str]:
    """Markdown: a row for each alert that something evaluates."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for alert, subject in _rules(recording):
        found[alert, "AMP rule"].append(subject)
    for alarm in recording.of_type(wiring.ALARM):
        for alert in ALERTS:
            _, known, subject = wiring.aws_name(alarm).partition(f"-{alert.name}-")
            if known:
                found[alert.name, "CloudWatch alarm"].append(subject)
    if not found:
        return
    yield "| alert | severity | evaluated by | about | when |"
    yield "|---|---|---|---|---|"
    for alert in ALERTS:
        for (name, evaluator), subjects in found.items():
            if name == alert.name:
                about = ", ".join(sorted(set(filter(None, subjects))))
                yield f"| {name} | {alert.severity} | {evaluator} | {about} | {alert.meaning} |"


def _rules(recording: Recording) -> Iterator[tuple[str, str]]:
    for namespace in recording.of_type(RULES):
        data: Any = from_yaml(wiring.text(namespace.inputs.get("data"))) or {}
        for group in data.get("groups", ()):
            for rule in group["rules"]:
                if "alert" in rule and SEVERITY in rule.get("labels", {}):
                    yield rule["alert"], rule["labels"].get(Label.SERVICE, "")


def _subscribed(recording: Recording, topic: Resource) -> Iterator[str]:
    for one in recording.of_type(wiring.SUBSCRIPTION):
        if wiring.meant(recording, one.inputs.get("topic"), wiring.TOPIC) == topic:
            endpoint = one.inputs.get("endpoint")
            shown = repr(endpoint) if isinstance(endpoint, Secret) else f"`{endpoint}`"
            yield f"{one.inputs.get('protocol')} {shown}"


def _listening(recording: Recording, topic: Resource) -> Iterator[str]:
    """Alarms on what the topic is sent."""
    for alarm in recording.of_type(wiring.ALARM):
        queries = (
            wiring.table(wiring.table(query).get("metric")) for query in wiring.items(alarm.inputs["metricQueries"])
        )
        if any(wiring.table(query.get("dimensions")).get(SNS_TOPIC) == wiring.aws_name(topic) for query in queries):
            yield f"the alarm `{wiring.aws_name(alarm)}`"


def _chatting(recording: Recording, topic: Resource) -> Iterator[str]:
    for channel in (one for kind in _CHATS for one in recording.of_type(kind)):
        arns = wiring.items(channel.inputs.get("snsTopicArns"))
        if any(wiring.meant(recording, arn, wiring.TOPIC) == topic for arn in arns):
            inputs = channel.inputs
            yield f"chat `{inputs.get('slackChannelId') or inputs.get('channelId')}`"
