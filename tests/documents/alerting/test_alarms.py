"""CloudWatch alarms: which there are, and the requests that make them."""

from typing import Any

import pytest

from documents.alerting.alarms import Alarm, alarms, put_metric_alarm
from documents.alerting.alerts import ALERTS
from documents.alerting.inputs import Thresholds
from documents.catalogue import Pattern
from documents.observed import Observed
from tests import judges, stacks

TOPIC = "arn:aws:sns:eu-west-1:123456789012:shop-dev-critical"

OF_TASKS = ("TaskOutOfMemory", "TaskRestartLoop", "TaskFailedHealthCheck")
IN_CLOUDWATCH = (*OF_TASKS, "TaskCpuSaturated", "TaskMemorySaturated", "TasksBelowDesired")
OF_AMP = (
    "AmpSamplesRejected-workspace",
    "AmpIngestionStopped-workspace",
    "AmpRulesFailing-failed",
    "AmpRulesFailing-late",
    "AmpNotificationsFailing-failed",
    "AmpNotificationsFailing-throttled",
    "AmpSeriesNearLimit-workspace",
    "AlertingSilent-heartbeat",
)


def names(observed: Observed) -> set[str]:
    return {alarm.name(observed.names) for alarm in alarms(observed, "ws-1")}


def named(observed: Observed, name: str) -> Alarm:
    return next(alarm for alarm in alarms(observed, "ws-1") if alarm.name(observed.names) == f"shop-dev-{name}")


def request(observed: Observed, name: str) -> dict[str, Any]:
    return put_metric_alarm(named(observed, name), observed, [TOPIC])


def test_which_alarms_there_are() -> None:
    """Task figures of sidecar applications are in AMP; of stops only events know, in both patterns."""
    observed = stacks.observed("dev", sidecar=["cart"], service=["shop"], scraped=True)
    assert names(observed) == {
        *(f"shop-dev-{name}-cart" for name in OF_TASKS),
        *(f"shop-dev-{name}-{service}" for name in IN_CLOUDWATCH for service in ("shop", "collector", "scraper")),
        *(f"shop-dev-{name}" for name in OF_AMP),
    }
    assert names(stacks.observed("dev", sidecar=["cart"])) == {
        *(f"shop-dev-{name}-cart" for name in OF_TASKS),
        *(f"shop-dev-{name}" for name in OF_AMP),
    }


def test_schedules_have_an_alarm_where_there_are_any() -> None:
    """Its state stays where nothing is known: a queue that nobody touches has no figures after six hours."""
    observed = stacks.observed("dev", sidecar=["cart"], scheduled=True)
    assert names(observed) - names(stacks.observed("dev", sidecar=["cart"])) == {"shop-dev-ScheduleNotRun-tasks"}
    made = request(observed, "ScheduleNotRun-tasks")
    assert (made["ComparisonOperator"], made["Threshold"], made["TreatMissingData"]) == (
        "GreaterThanThreshold",
        0,
        "ignore",
    )
    [query] = made["Metrics"]
    assert query["MetricStat"] == {
        "Metric": {
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": "shop-dev-dead-letters"}],
        },
        "Period": 300,
        "Stat": "Maximum",
    }
    quiet = stacks.observed("dev", sidecar=["cart"], scheduled=True, disabled=frozenset({"ScheduleNotRun"}))
    assert "shop-dev-ScheduleNotRun-tasks" not in names(quiet)


def test_which_there_are_does_not_depend_on_the_workspace() -> None:
    observed = stacks.observed("dev", sidecar=["cart"], service=["shop"])
    one, other = (
        [alarm.name(observed.names) for alarm in alarms(observed, workspace)] for workspace in ("ws-1", "<later>")
    )
    assert one == other


def test_what_nobody_wants_is_left_out() -> None:
    off = frozenset({"TaskRestartLoop"})
    shop = stacks.application("shop", Pattern.SERVICE, disabled=off)
    observed = stacks.observed("dev", service=["cart"])
    observed = stacks.observed("dev", applications=(*observed.applications, shop))
    assert "shop-dev-TaskRestartLoop-shop" not in names(observed)
    assert "shop-dev-TaskRestartLoop-cart" in names(observed)
    everywhere = stacks.observed("dev", service=["cart"], disabled=frozenset({"TaskRestartLoop", "AmpRulesFailing"}))
    assert not any("TaskRestartLoop" in name or "AmpRulesFailing" in name for name in names(everywhere))


def test_silence_is_no_sign_where_nothing_should_sound() -> None:
    observed = stacks.observed("dev", sidecar=["cart"], disabled=frozenset({"DeadMansSwitch"}))
    assert not any("AlertingSilent" in name for name in names(observed))
    assert alarms(stacks.observed("dev", sidecar=["cart"], disabled=frozenset(one.name for one in ALERTS)), "x") == ()


def test_a_stop_is_counted_by_minutes() -> None:
    assert request(stacks.observed("dev", sidecar=["cart"]), "TaskRestartLoop-cart") == {
        "AlarmName": "shop-dev-TaskRestartLoop-cart",
        "AlarmDescription": (
            "Tasks of cart ended by themselves in 3 of 15 minutes. Runbook: docs/runbooks/task-restart-loop.md"
        ),
        "AlarmActions": [TOPIC],
        "OKActions": [TOPIC],
        "Metrics": [
            {
                "Id": "stopped",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "shop-dev/TaskEvents",
                        "MetricName": "TasksFailed",
                        "Dimensions": [{"Name": "Group", "Value": "service:cart"}],
                    },
                    "Period": 60,
                    "Stat": "Sum",
                },
                "ReturnData": True,
            }
        ],
        "EvaluationPeriods": 15,
        "DatapointsToAlarm": 3,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }


def test_below_desired_is_a_difference() -> None:
    def read(name: str, metric: str, statistic: str) -> dict[str, Any]:
        dimensions = [{"Name": "ClusterName", "Value": "shop-dev"}, {"Name": "ServiceName", "Value": "shop"}]
        metric_of = {"Namespace": "ECS/ContainerInsights", "MetricName": metric, "Dimensions": dimensions}
        return {
            "Id": name,
            "MetricStat": {"Metric": metric_of, "Period": 60, "Stat": statistic},
            "ReturnData": False,
        }

    made = request(stacks.observed("dev", service=["shop"]), "TasksBelowDesired-shop")
    assert made["Metrics"] == [
        read("desired", "DesiredTaskCount", "Maximum"),
        read("running", "RunningTaskCount", "Minimum"),
        {"Id": "lacking", "Expression": "desired - running", "ReturnData": True},
    ]
    assert (made["Threshold"], made["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    assert (made["EvaluationPeriods"], made["DatapointsToAlarm"], made["TreatMissingData"]) == (10, 10, "breaching")


def test_reasons_are_summed_by_a_query() -> None:
    made = request(stacks.observed("dev", service=["shop"]), "AmpSamplesRejected-workspace")
    assert made["Metrics"] == [
        {
            "Id": "total",
            "Expression": "SELECT SUM(DiscardedSamples) FROM \"AWS/Prometheus\" WHERE Workspace = 'ws-1'",
            "Period": 300,
            "ReturnData": True,
        }
    ]


@pytest.mark.parametrize(
    ("name", "metric", "dimensions"),
    [
        (
            "AmpIngestionStopped-workspace",
            "AWS/Usage ResourceCount",
            {
                "Class": "None",
                "Resource": "IngestionRate",
                "ResourceId": "ws-1",
                "Service": "Prometheus",
                "Type": "Resource",
            },
        ),
        ("AmpNotificationsFailing-failed", "AWS/Prometheus AlertManagerNotificationsFailed", {"Workspace": "ws-1"}),
        ("AlertingSilent-heartbeat", "AWS/SNS NumberOfMessagesPublished", {"TopicName": "shop-dev-heartbeat"}),
    ],
)
def test_what_aws_says_of_itself(name: str, metric: str, dimensions: dict[str, str]) -> None:
    [query] = request(stacks.observed("dev", service=["shop"]), name)["Metrics"]
    found = query["MetricStat"]["Metric"]
    assert f"{found['Namespace']} {found['MetricName']}" == metric
    assert {each["Name"]: each["Value"] for each in found["Dimensions"]} == dimensions


@pytest.mark.parametrize("name", ["AmpIngestionStopped-workspace", "AlertingSilent-heartbeat"])
def test_alarms_on_silence_wait_for_the_first_sound(name: str) -> None:
    made = request(stacks.observed("dev", service=["shop"]), name)
    assert made["TreatMissingData"] == "breaching"
    assert made["WarmUpConfiguration"] == {"WarmUpPeriodDurationInMinutes": 60}


def test_thresholds() -> None:
    high = stacks.observed("dev").thresholds.model_copy(update={"cpu": 99.0})
    shop = stacks.application("shop", Pattern.SERVICE, thresholds=Thresholds(cpu=70, memory=60).over(high))
    observed = stacks.observed("dev", applications=(shop,), thresholds=high, max_series=2_000_000)
    assert request(observed, "TaskCpuSaturated-shop")["Threshold"] == 70
    assert request(observed, "TaskMemorySaturated-shop")["Threshold"] == 60
    assert request(observed, "TaskCpuSaturated-collector")["Threshold"] == 99
    assert "at least 70% of its CPU for 15 minutes" in request(observed, "TaskCpuSaturated-shop")["AlarmDescription"]
    near = request(observed, "AmpSeriesNearLimit-workspace")
    assert near["Threshold"] == 1_600_000
    assert near["AlarmDescription"].startswith("The workspace has more than 80% of its 2,000,000 active series.")
    assert request(stacks.observed("dev"), "AmpSeriesNearLimit-workspace")["Threshold"] == 8_000_000


def test_cloudwatch_takes_every_alarm_of_the_longest_names() -> None:
    longest = "s" * 63
    observed = stacks.observed("d" * 35, sidecar=["cart"], service=[longest], runbooks="https://" + "r" * 200)
    for alarm in alarms(observed, "ws-12345678-1234-1234-1234-123456789012"):
        made = put_metric_alarm(alarm, observed, [TOPIC, TOPIC])
        assert judges.request("cloudwatch", "PutMetricAlarm", made) == []
        assert sum(query["ReturnData"] for query in made["Metrics"]) == 1
        assert alarm.breaching <= alarm.periods
        assert alarm.periods * alarm.period <= 86400, "the longest range that CloudWatch evaluates every minute"
