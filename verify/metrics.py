"""Panels of CloudWatch metrics, as Grafana's CloudWatch data source asks for them (GetMetricData).

Dimensions with several values or `*` become a search, metric math names other queries of the panel by their id (Grafana
documentation, "Amazon CloudWatch query editor"; CloudWatch User Guide, "Search expression syntax").
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from preview import wiring
from proof.grafana import Choice, Panel, Target, interpolate
from proof.truth import Window
from verify.aws import Aws

PERIOD: Final = 60
"""Seconds: Container Insights gives a figure a minute."""

_BUILT_IN: Final = {"__period_auto": str(PERIOD), "__interval": f"{PERIOD}s"}


def queries(panel: Panel, choice: Choice) -> dict[str, dict[str, Any]]:
    """GetMetricData's queries for a panel, by refId of the target."""
    targets = [target for target in panel.targets if is_metric(target)]
    return {target.ref: _query(target, f"q{index}", choice) for index, target in enumerate(targets)}


def is_metric(target: Target) -> bool:
    """Whether a target of the CloudWatch data source asks for metrics, and not for logs."""
    return target.raw.get("queryMode", "Metrics") == "Metrics"


async def ask(aws: Aws, asked: Sequence[Mapping[str, Any]], window: Window) -> dict[str, list[list[float]]]:
    """The values of each series that was found, by id of the query. Raises RefusedError."""
    answer = await aws.ask(
        "cloudwatch",
        "get_metric_data",
        MetricDataQueries=list(asked),
        StartTime=datetime.fromtimestamp(window.start, UTC),
        EndTime=datetime.fromtimestamp(window.end, UTC),
    )
    found: dict[str, list[list[float]]] = {}
    for result in answer["MetricDataResults"]:
        if values := [float(value) for value in result["Values"] if math.isfinite(value)]:
            found.setdefault(result["Id"], []).append(values)
    return found


def _query(target: Target, name: str, choice: Choice) -> dict[str, Any]:
    raw = target.raw
    common: dict[str, Any] = {"Id": raw.get("id") or name, "ReturnData": not target.hidden}
    if expression := str(raw.get("expression") or ""):
        return {**common, "Expression": interpolate(expression, choice, _BUILT_IN, form="csv"), "Period": PERIOD}
    dimensions = {name: _values(value, choice) for name, value in sorted(raw.get("dimensions", {}).items())}
    if any(len(values) != 1 or values == ["*"] for values in dimensions.values()):
        return {**common, "Expression": _search(raw, dimensions), "Period": PERIOD}
    return {
        **common,
        "MetricStat": {
            "Metric": {
                "Namespace": raw["namespace"],
                "MetricName": raw["metricName"],
                "Dimensions": [{"Name": name, "Value": value} for name, (value,) in dimensions.items()],
            },
            "Period": PERIOD,
            "Stat": raw["statistic"],
        },
    }


def _values(stated: Any, choice: Choice) -> list[str]:
    texts = wiring.items(stated) or [stated]
    return [value for text in texts for value in interpolate(str(text), choice, _BUILT_IN, form="csv").split(",")]


def _search(raw: Mapping[str, Any], dimensions: Mapping[str, Sequence[str]]) -> str:
    schema = ",".join(f'"{name}"' for name in (raw["namespace"], *dimensions))
    terms = [f'MetricName="{raw["metricName"]}"']
    terms += [f'"{name}"=({_any(values)})' for name, values in dimensions.items() if "*" not in values]
    return f"REMOVE_EMPTY(SEARCH('{{{schema}}} {' '.join(terms)}', '{raw['statistic']}', {PERIOD}))"


def _any(values: Sequence[str]) -> str:
    return " OR ".join(f'"{value}"' for value in values)
