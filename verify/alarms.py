"""Who is woken: CloudWatch alarms and the subscriptions of the topics that alerts go to."""

import json
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any, Final

from preview import wiring
from preview.recording import Recording, Resource
from verify.aws import Aws, RefusedError
from verify.differences import difference
from verify.panels import failed
from verify.verdict import Kind, Verdict

_ALARMS: Final = (wiring.ALARM, "aws:cloudwatch/compositeAlarm:CompositeAlarm")
_SUBSCRIPTION: Final = "aws:sns/topicSubscription:TopicSubscription"
_MOST_NAMES: Final = 100
"""Of a question: CloudWatch API Reference, DescribeAlarms."""

_NOT_TOLD: Final = frozenset({"Tags", "WarmUpConfiguration"})
"""What DescribeAlarms does not answer of what PutMetricAlarm took."""


async def checked(recording: Recording, documents: Mapping[str, str], aws: Aws) -> list[Verdict]:
    """Verdicts on every alarm and every subscription of the stack; `documents` are those that were rendered."""
    return [*await _alarms(recording, documents, aws), *await _subscriptions(recording, aws)]


async def _alarms(recording: Recording, documents: Mapping[str, str], aws: Aws) -> list[Verdict]:
    wanted = sorted(_alarm_name(one) for kind in _ALARMS for one in recording.of_type(kind))
    states: dict[str, Mapping[str, Any]] = {}
    try:
        for start in range(0, len(wanted), _MOST_NAMES):
            names = wanted[start : start + _MOST_NAMES]
            kinds = ["MetricAlarm", "CompositeAlarm"]
            answer = await aws.ask("cloudwatch", "describe_alarms", AlarmNames=names, AlarmTypes=kinds)
            found = (*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ()))
            states |= {one["AlarmName"]: one for one in found}
    except RefusedError as error:
        return [failed(("alarm", name, ""), error) for name in wanted]
    return [_alarm(name, documents.get(f"alarms/{name}.json", "{}"), states.get(name)) for name in wanted]


def _alarm_name(alarm: Resource) -> str:
    return wiring.text(alarm.inputs.get("name")) or wiring.text(alarm.inputs.get("alarmName"))


def _alarm(name: str, rendered: str, state: Mapping[str, Any] | None) -> Verdict:
    asked = ("alarm", name, "")
    if state is None:
        return Verdict(
            Kind.FAILED, *asked, found="missing", cause="alarm: removed by hand; `make deploy` makes it again"
        )
    if not state.get("ActionsEnabled", True):
        cause = "alarm: somebody has disabled its actions; enable them in CloudWatch"
        return Verdict(Kind.FAILED, *asked, found="tells nobody", cause=cause)
    request = {key: value for key, value in json.loads(rendered).items() if key not in _NOT_TOLD}
    if place := difference(_in_order(request), _in_order(state)):
        cause = "alarm: changed by hand, or the stack file has changed since; `make deploy` puts it back"
        return Verdict(Kind.FAILED, *asked, found=f"differs at {place}", cause=cause)
    # Its state says how the stack does, not whether it was deployed well; a new alarm has too few data for a while.
    return Verdict(Kind.GOOD, *asked, found=str(state["StateValue"]))


def _in_order(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """The alarm with the dimensions of its metrics by name: CloudWatch gives them in an order of its own."""
    copy = json.loads(json.dumps(alarm, default=str))
    for metric in copy.get("Metrics", ()):
        metric.get("MetricStat", {}).get("Metric", {}).get("Dimensions", []).sort(key=itemgetter("Name"))
    return copy


async def _subscriptions(recording: Recording, aws: Aws) -> list[Verdict]:
    topics = recording.of_type(wiring.TOPIC)
    if not topics:
        return []
    verdicts: list[Verdict] = []
    try:
        caller = await aws.ask("sts", "get_caller_identity")
        partition = str(caller["Arn"]).split(":")[1]
        for topic in topics:
            name = wiring.aws_name(topic)
            arn = f"arn:{partition}:sns:{recording.region}:{caller['Account']}:{name}"
            answer = await aws.ask("sns", "list_subscriptions_by_topic", TopicArn=arn)
            wanted = [one for one in recording.of_type(_SUBSCRIPTION) if _is_of(recording, one, topic)]
            verdicts += _subscribed(name, len(wanted), answer.get("Subscriptions", ()))
    except RefusedError as error:
        return [failed(("topic", wiring.aws_name(topic), ""), error) for topic in topics]
    return verdicts


def _is_of(recording: Recording, subscription: Resource, topic: Resource) -> bool:
    return wiring.meant(recording, subscription.inputs.get("topic"), wiring.TOPIC) == topic


def _subscribed(name: str, wanted: int, found: Any) -> Iterator[Verdict]:
    """A verdict on the number of subscriptions and on each. Addresses are people's, so only the protocol is shown."""
    if len(found) < wanted:
        cause = "topic: a subscription was removed, or its recipient has unsubscribed"
        yield Verdict(Kind.FAILED, "topic", name, found=f"{len(found)} of {wanted} subscriptions", cause=cause)
    elif not found:
        cause = "the stack file names nobody who wants to be told"
        yield Verdict(Kind.NOT_ASKED, "topic", name, found="no subscription", cause=cause)
    for index, one in enumerate(found, 1):
        subject = f"{name} / {one['Protocol']} {index}"
        if one["SubscriptionArn"] == "PendingConfirmation":
            cause = "topic: the recipient has not confirmed; the message of AWS has a link for it"
            yield Verdict(Kind.FAILED, "subscription", subject, found="not confirmed", cause=cause)
        else:
            yield Verdict(Kind.GOOD, "subscription", subject, found="confirmed")
