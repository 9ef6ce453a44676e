"""Panels of traces, as Grafana's X-Ray data source asks for them (grafana/x-ray-datasource, `XrayQueryType`)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from proof.truth import Window
from verify.aws import Aws

PERIOD: Final = 60

_ENOUGH: Final[Mapping[str, int]] = {"MaxItems": 100}
"""A busy stack has thousands of traces in a quarter of an hour, and a few tell the same."""


@dataclass(frozen=True)
class Found:
    """How much was found: `number` of `what`."""

    number: int
    what: str


async def ask(aws: Aws, kind: str, text: str, window: Window) -> Found | None:
    """What X-Ray has for a query of that type; None for a type that cannot be asked without more than a time range.

    Raises RefusedError.
    """
    question = _QUESTIONS.get(kind)
    if question is None:
        return None
    times = {
        "StartTime": datetime.fromtimestamp(window.start, UTC),
        "EndTime": datetime.fromtimestamp(window.end, UTC),
    }
    return await question(aws, text, times)


async def _summaries(aws: Aws, text: str, times: Mapping[str, Any]) -> Found:
    more = {"FilterExpression": text} if text else {}
    answer = await aws.ask("xray", "get_trace_summaries", **times, **more, PaginationConfig=_ENOUGH)
    return Found(len(answer.get("TraceSummaries", ())), "traces")


async def _graph(aws: Aws, _: str, times: Mapping[str, Any]) -> Found:
    answer = await aws.ask("xray", "get_service_graph", **times)
    return Found(len(answer.get("Services", ())), "services")


async def _statistics(aws: Aws, text: str, times: Mapping[str, Any]) -> Found:
    more = {"EntitySelectorExpression": text} if text else {}
    answer = await aws.ask("xray", "get_time_series_service_statistics", **times, **more, Period=PERIOD)
    return Found(len(answer.get("TimeSeriesServiceStatistics", ())), "points")


_QUESTIONS: Final[Mapping[str, Callable[[Aws, str, Mapping[str, Any]], Awaitable[Found]]]] = {
    "getTraceSummaries": _summaries,
    "getServiceMap": _graph,
    "getTimeSeriesServiceStatistics": _statistics,
}
