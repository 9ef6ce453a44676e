"""What ECS tells EventBridge: why tasks stop and what becomes of deployments, kept in a log group and counted there.

No collector can see why its task was stopped, and Container Insights does not say. Duplicates are possible: EventBridge
delivers each event at least once.

A log group as the target of a rule: its name begins with `/aws/events/` (the only names that EventBridge's console
offers), a resource policy of CloudWatch Logs lets EventBridge write to it, and the target has no role (Amazon
EventBridge User Guide, "Using resource-based policies for Amazon EventBridge").
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from documents.catalogue import DEPLOYMENT_CHANGED, TASK_STOPPED, StopEvent
from documents.names import Names

DIMENSION: Final = "Group"
"""The dimension of the metrics; its values are `service:<name>`, as `StopEvent.group` makes them."""

_MOST_CONTAINERS: Final = 10
"""Amazon ECS takes no more in one task definition ("Amazon ECS service quotas")."""


@dataclass(frozen=True)
class Counted:
    """Events that a metric filter counts: the metric's name, and the filter pattern in CloudWatch Logs' syntax."""

    metric: str
    pattern: str


def _selector(field: str) -> str:
    """A field as filter patterns name it: `containers[0]` where Logs Insights has `containers.0`."""
    return "$." + re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", field)


def _any(*conditions: str) -> str:
    return f"{{ {' || '.join(f'({condition})' for condition in conditions)} }}"


def _is(field: str, value: str) -> str:
    return f'{_selector(field)} = "{value}"'


OUT_OF_MEMORY: Final = Counted(
    "TasksOutOfMemory",
    # Exit code 137 alone would not do: a container that ECS kills because another has ended has it as well. The
    # containers are listed one by one, as the syntax of filters knows an index of an array and no "any of them".
    _any(
        _is(StopEvent.STOPPED_REASON, "OutOfMemory*"),
        *(_is(StopEvent.container(index, "reason"), "OutOfMemory*") for index in range(_MOST_CONTAINERS)),
    ),
)
FAILED: Final = Counted(
    "TasksFailed",
    # What a deployment, a smaller desired count or a person stops has other codes.
    _any(_is(StopEvent.STOP_CODE, "EssentialContainerExited"), _is(StopEvent.STOP_CODE, "TaskFailedToStart")),
)
UNHEALTHY: Final = Counted("TasksUnhealthy", _any(_is(StopEvent.STOPPED_REASON, "*health checks*")))

COUNTED: Final = (OUT_OF_MEMORY, FAILED, UNHEALTHY)
"""What is counted, each by the service of the task."""


def log_group(names: Names) -> str:
    """The log group that keeps the events of a stack's cluster."""
    return f"/aws/events/{names.prefix}/ecs"


def namespace(names: Names) -> str:
    """The CloudWatch namespace of the counts; one for each stack, since services of two stacks may have one name."""
    return f"{names.prefix}/TaskEvents"


def stops(cluster_arn: str) -> Mapping[str, Any]:
    """The EventBridge pattern of every task of the cluster that has stopped."""
    return {
        "source": ["aws.ecs"],
        "detail-type": [TASK_STOPPED],
        "detail": {"clusterArn": [cluster_arn], "lastStatus": ["STOPPED"]},
    }


def deployments(cluster_arn: str) -> Mapping[str, Any]:
    """The EventBridge pattern of every change of a deployment in the cluster.

    These events name no cluster; the ARN of the service does, in the format that begins with the cluster's.
    """
    services = cluster_arn.replace(":cluster/", ":service/", 1)
    return {
        "source": ["aws.ecs"],
        "detail-type": [DEPLOYMENT_CHANGED],
        "resources": [{"prefix": f"{services}/"}],
    }


def dimensions() -> Mapping[str, str]:
    """The dimensions of the counts, and where in an event their values are."""
    return {DIMENSION: _selector(StopEvent.GROUP)}
