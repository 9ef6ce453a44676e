"""What is kept and counted of ECS's events."""

from documents import events
from documents.names import Names
from tests import judges

NAMES = Names("shop", "dev")
CLUSTER = "arn:aws:ecs:eu-west-1:123456789012:cluster/shop-dev"


def test_names() -> None:
    assert events.log_group(NAMES) == "/aws/events/shop-dev/ecs"
    assert events.namespace(NAMES) == "shop-dev/TaskEvents"


def test_stops_of_one_cluster() -> None:
    assert events.stops(CLUSTER) == {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {"clusterArn": [CLUSTER], "lastStatus": ["STOPPED"]},
    }


def test_deployments_name_their_service_only() -> None:
    assert events.deployments(CLUSTER) == {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Deployment State Change"],
        "resources": [{"prefix": "arn:aws:ecs:eu-west-1:123456789012:service/shop-dev/"}],
    }


def test_patterns_have_the_syntax_of_metric_filters() -> None:
    """What they match is tested with the model of CloudWatch (tests/proof)."""
    assert events.FAILED.pattern == (
        '{ ($.detail.stopCode = "EssentialContainerExited") || ($.detail.stopCode = "TaskFailedToStart") }'
    )
    assert events.UNHEALTHY.pattern == '{ ($.detail.stoppedReason = "*health checks*") }'
    first, second, *_ = events.OUT_OF_MEMORY.pattern.split(" || ")
    assert first == '{ ($.detail.stoppedReason = "OutOfMemory*")'
    assert second == '($.detail.containers[0].reason = "OutOfMemory*")'
    assert '($.detail.containers[9].reason = "OutOfMemory*") }' in events.OUT_OF_MEMORY.pattern


def test_cloudwatch_logs_takes_the_filters() -> None:
    for one in events.COUNTED:
        made = {
            "logGroupName": events.log_group(NAMES),
            "filterName": one.metric,
            "filterPattern": one.pattern,
            "metricTransformations": [
                {
                    "metricName": one.metric,
                    "metricNamespace": events.namespace(NAMES),
                    "metricValue": "1",
                    "dimensions": dict(events.dimensions()),
                }
            ],
        }
        assert judges.request("logs", "PutMetricFilter", made) == []
        assert len(one.pattern) <= 1024
    assert events.dimensions() == {"Group": "$.detail.group"}
