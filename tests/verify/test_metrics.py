"""How a panel of CloudWatch metrics is asked for, and what is said where there is nothing."""

from typing import Any

from documents.dashboards.sources import CLOUDWATCH
from proof import grafana
from proof.grafana import Choice, Variable
from tests.verify import stack
from verify import metrics

SERVICE = Variable("service", "custom", "", None, True, "", (), ("front", "back"), "")
CHOICE = Choice().adding(SERVICE, ("front", "back"))


def asked(*targets: dict[str, Any]) -> dict[str, dict[str, Any]]:
    board = grafana.read({"uid": "u", "title": "T", "panels": [stack.panel("P", *targets)]}, 60.0)
    return metrics.queries(board.panels[0], CHOICE)


def test_dimensions_with_several_values_become_a_search() -> None:
    dimensions = {"ServiceName": "$service", "ClusterName": "shop-dev", "TaskId": "*"}
    query = stack.INSIGHTS | {"metricName": "CpuUtilized", "dimensions": dimensions}
    assert asked(stack.target(CLOUDWATCH, **query))["A"]["Expression"] == (
        'REMOVE_EMPTY(SEARCH(\'{"ECS/ContainerInsights","ClusterName","ServiceName","TaskId"} '
        'MetricName="CpuUtilized" "ClusterName"=("shop-dev") "ServiceName"=("front" OR "back")\', \'Average\', 60))'
    )


def test_math_names_hidden_queries_by_their_id() -> None:
    math = stack.target(CLOUDWATCH, refId="A", expression="raw / ($__period_auto / 60)", queryMode="Metrics")
    raw = stack.target(CLOUDWATCH, refId="B", id="raw", hide=True, **stack.CPU)
    found = asked(math, raw)
    assert (found["A"]["Expression"], found["A"]["ReturnData"]) == ("raw / (60 / 60)", True)
    assert (found["B"]["Id"], found["B"]["ReturnData"]) == ("raw", False)


def test_questions_to_logs_are_none() -> None:
    assert asked(stack.target(CLOUDWATCH, queryMode="Logs", expression="fields @message")) == {}
