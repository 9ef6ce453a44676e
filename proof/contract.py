"""Queries whose back end cannot run here, held against what AWS documents: CloudWatch and X-Ray.

Metric names, dimensions and fields of log events come from the catalogue, which names AWS's pages. Query types are
those of Grafana's X-Ray plugin (grafana/x-ray-datasource, `XrayQueryType`), filter expressions those of AWS X-Ray
Developer Guide, "Use filter expressions".
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast
from urllib.parse import parse_qs, unquote, urlsplit

from documents import catalogue, events
from documents.catalogue import (
    AmpDimension,
    DeploymentEvent,
    Dimension,
    LogField,
    ServiceMetric,
    StopEvent,
    TaskEvent,
    performance_log_group,
)
from documents.names import Names, telemetry_log_group
from proof.grafana import Choice, Panel, Target, interpolate
from proof.plan import Plan

_METRICS: Final = {metric.name: metric for metric in catalogue.CLOUDWATCH_METRICS}
_ENHANCED: Final = frozenset({Dimension.TASK})
"""Dimensions that exist only with enhanced observability."""
_ENHANCED_METRICS: Final = frozenset({catalogue.CPU_UTILIZATION.name, catalogue.MEMORY_UTILIZATION.name})
_STATISTICS: Final = frozenset({"Average", "Sum", "Minimum", "Maximum", "SampleCount"})
_MATH: Final = frozenset(
    {"SUM", "AVG", "MIN", "MAX", "RATE", "ABS", "CEIL", "FLOOR", "FILL", "PERIOD", "METRICS", "SORT"}
)
_MATH_WORDS: Final = frozenset({"AVG", "MIN", "MAX", "SUM", "DESC", "ASC"})
"""Arguments of SORT."""


def _own(metric: ServiceMetric, *varying: str) -> tuple[tuple[str, str, Mapping[str, str]], frozenset[str]]:
    fixed = dict(metric.dimensions)
    return (metric.namespace, metric.name, fixed), frozenset({*fixed, *varying})


_OF_AMP: Final = (
    _own(catalogue.AMP_ACTIVE_SERIES, AmpDimension.RESOURCE_ID),
    _own(catalogue.AMP_INGESTION_RATE, AmpDimension.RESOURCE_ID),
    _own(catalogue.AMP_DISCARDED_SAMPLES, AmpDimension.WORKSPACE, AmpDimension.REASON),
    _own(catalogue.AMP_QUERY_SAMPLES, AmpDimension.WORKSPACE),
    _own(catalogue.AMP_RULE_FAILURES, AmpDimension.WORKSPACE),
    _own(catalogue.AMP_RULES_MISSED, AmpDimension.WORKSPACE),
    _own(catalogue.AMP_NOTIFICATIONS_FAILED, AmpDimension.WORKSPACE),
    _own(catalogue.AMP_NOTIFICATIONS_THROTTLED, AmpDimension.WORKSPACE),
)
"""Metrics of a workspace, and the names of all their dimensions."""


def _fields(*events: type) -> frozenset[str]:
    stated = (value for event in events for name, value in vars(event).items() if not name.startswith("_"))
    return frozenset(value for value in stated if isinstance(value, str))


_TASK_FIELDS: Final = _fields(TaskEvent)
_ECS_FIELDS: Final = _fields(StopEvent, DeploymentEvent) | {
    StopEvent.container(index, field) for index in range(10) for field in ("name", "reason", "exitCode")
}
_EVERY_FIELD: Final = _fields(LogField)
_LOG_WORDS: Final = frozenset(
    [
        "coalesce",
        "concat",
        "strcontains",
        "strlen",
        "substr",
        "count_distinct",
        "display",
        "like",
        "parse",
        "filter",
        "fields",
        "stats",
        "latest",
        "as",
        "by",
        "and",
        "or",
        "in",
        "sort",
        "desc",
        "asc",
        "limit",
        "avg",
        "sum",
        "max",
        "min",
    ]
)
_XRAY_TYPES: Final = frozenset(
    {
        "getTrace",
        "getTraceSummaries",
        "getTimeSeriesServiceStatistics",
        "getAnalyticsRootCauseResponseTimeService",
        "getAnalyticsRootCauseResponseTimePath",
        "getAnalyticsRootCauseErrorService",
        "getAnalyticsRootCauseErrorPath",
        "getAnalyticsRootCauseErrorMessage",
        "getAnalyticsRootCauseFaultService",
        "getAnalyticsRootCauseFaultPath",
        "getAnalyticsRootCauseFaultMessage",
        "getAnalyticsUser",
        "getAnalyticsUrl",
        "getAnalyticsStatusCode",
        "getInsights",
        "getServiceMap",
    }
)
_XRAY_COLUMNS: Final = frozenset(
    [
        "ErrorStatistics.ThrottleCount",
        "ErrorStatistics.TotalCount",
        "FaultStatistics.TotalCount",
        "OkCount",
        "TotalCount",
        "Computed.AverageResponseTime",
    ]
)
"""What the plugin makes of X-Ray's statistics (grafana/x-ray-datasource, `getTimeSeriesServiceStatistics.go`)."""
_ENTITY: Final = re.compile(r"(service|edge)\([^{}]*\)")
"""AWS X-Ray API Reference, GetTimeSeriesServiceStatistics: a selector takes the functions `service` and `edge` only."""


def cloudwatch(target: Target, panel: Panel, plan: Plan, choice: Choice) -> list[str]:
    """What CloudWatch would answer nothing to in a query; empty if it agrees with the contract."""
    if target.raw.get("queryMode") == "Logs":
        return list(_logs(target, plan, choice))
    if expression := str(target.raw.get("expression") or ""):
        return list(_math(expression, panel))
    return list(_metric(target.raw, plan, choice))


def _metric(query: Mapping[str, Any], plan: Plan, choice: Choice) -> Iterator[str]:
    if query.get("namespace") in {namespace for (namespace, _, _), _ in _OF_AMP}:
        yield from _amp(query)
    else:
        yield from _insights(query, plan, choice)


def _amp(query: Mapping[str, Any]) -> Iterator[str]:
    asked: Mapping[str, str] = query.get("dimensions", {})
    of_name = [
        dimensions
        for (namespace, name, fixed), dimensions in _OF_AMP
        if (namespace, name) == (query["namespace"], query.get("metricName")) and fixed.items() <= asked.items()
    ]
    if frozenset(asked) not in of_name:
        yield f"AMP documents no metric {query.get('metricName')!r} with the dimensions {', '.join(sorted(asked))}"


def _insights(query: Mapping[str, Any], plan: Plan, choice: Choice) -> Iterator[str]:
    name = str(query.get("metricName"))
    yield from _no_insights(plan)
    if query.get("namespace") != catalogue.CONTAINER_INSIGHTS:
        yield f"namespace {query.get('namespace')!r} is not {catalogue.CONTAINER_INSIGHTS}"
    if query.get("statistic") not in _STATISTICS:
        yield f"statistic {query.get('statistic')!r} is none of CloudWatch's"
    dimensions: Mapping[str, Any] = query.get("dimensions", {})
    metric = _METRICS.get(name)
    if metric is None:
        yield f"metric {name!r} is not documented (documented: {', '.join(sorted(_METRICS))})"
    elif frozenset(dimensions) not in metric.dimensions:
        yield f"metric {name} has no dimension set {', '.join(sorted(dimensions))}"
    if plan.container_insights != "enhanced" and (name in _ENHANCED_METRICS or _ENHANCED & set(dimensions)):
        yield f"{name} by {', '.join(dimensions)} needs Container Insights with enhanced observability"
    yield from _dimension_values(dimensions, plan, choice)


def _dimension_values(dimensions: Mapping[str, Any], plan: Plan, choice: Choice) -> Iterator[str]:
    known = {
        Dimension.CLUSTER: {plan.cluster},
        Dimension.SERVICE: {service.name for service in plan.services},
        Dimension.FAMILY: {service.family for service in plan.services},
    }
    for dimension, stated in dimensions.items():
        texts: list[Any] = [*stated] if isinstance(stated, list) else [stated]
        for text in texts:
            values = interpolate(str(text), choice, {}, form="csv").split(",")
            strangers = set(values) - known.get(dimension, set(values)) - {"*"}
            if strangers:
                yield f"{dimension} {', '.join(sorted(strangers))} is not in this stack"


def _math(expression: str, panel: Panel) -> Iterator[str]:
    """Metric math: functions that CloudWatch has, and ids of other queries of the panel."""
    ids = {str(target.raw.get("id")) for target in panel.targets if target.raw.get("id")}
    text = re.sub(r"\$\{?\w+\}?", "1", expression)
    for function in re.findall(r"([A-Za-z_]\w*)\s*\(", text):
        if function not in _MATH:
            yield f"function {function} is not among those of metric math that are known here"
    for name in re.findall(r"[A-Za-z_]\w*(?!\w*\s*\()", text):
        if name not in ids | _MATH_WORDS:
            yield f"no query of the panel has the id {name!r}"


def _no_insights(plan: Plan) -> Iterator[str]:
    if plan.container_insights not in ("enabled", "enhanced"):
        yield f"Container Insights of the cluster is {plan.container_insights}: CloudWatch has no such data"


def _logs(target: Target, plan: Plan, choice: Choice) -> Iterator[str]:
    groups = [interpolate(str(name), choice, {}, form="csv") for name in target.raw.get("logGroupNames", ())]
    known = _LOG_WORDS | _EVERY_FIELD
    for group in groups:
        found = _log_groups(plan).get(group)
        if found is None:
            yield f"log group {group} is none of those that this stack has"
        known |= found or frozenset()
        if group == performance_log_group(plan.cluster):
            yield from _no_insights(plan)
    expression = re.sub(r'"[^"]*"|(?<=like )/.*?/(?=\s|$)|\$\{[^}]*\}', " ", str(target.raw.get("expression", "")))
    made = {name for names in re.findall(r"\bas (\w+(?:, \w+)*)", expression) for name in names.split(", ")}
    for quoted, word in re.findall(r"`([^`]*)`|([A-Za-z_@][\w.]*)", expression):
        if (quoted or word) not in known | made:
            yield f"field {quoted or word!r} is not in the documented events of {', '.join(groups)}"


def _log_groups(plan: Plan) -> Mapping[str, frozenset[str]]:
    """The log groups of a stack, and the fields of their events."""
    names = Names(plan.project, plan.stack)
    return {
        performance_log_group(plan.cluster): _TASK_FIELDS,
        events.log_group(names): _ECS_FIELDS,
        **{group: frozenset() for service in plan.services for group in service.log_groups},
        telemetry_log_group(names.prefix, "logs"): frozenset(),
    }


def xray(query: Mapping[str, Any]) -> list[str]:
    """What X-Ray's data source would refuse in a query; empty if it agrees with the contract."""
    kind = str(query.get("queryType"))
    if kind not in _XRAY_TYPES:
        return [f"query type {kind!r} is none of the X-Ray data source's"]
    expression = re.sub(r"\$\{[^}]*\}|\$\w+", "name", str(query.get("query") or ""))
    return [*_xray_form(query), *_xray_filter(kind, expression)]


def _xray_form(query: Mapping[str, Any]) -> Iterator[str]:
    """What its backend cannot do without: it takes the group from the query and the region as it is written."""
    if query.get("queryMode") != "X-Ray":
        yield f"query mode {query.get('queryMode')!r} is not X-Ray"
    if not query.get("region"):
        yield "it names no region"
    if not query.get("group", {}).get("GroupName"):
        yield "it names no group"
    for column in query.get("columns", ()):
        if column not in _XRAY_COLUMNS:
            yield f"X-Ray has no statistic {column!r}"


def _xray_filter(kind: str, expression: str) -> Iterator[str]:
    if kind in ("getTrace", "getServiceMap") or not expression:
        return
    if kind == "getTimeSeriesServiceStatistics" and not _ENTITY.fullmatch(expression):
        yield f"selector {expression!r} is more than a service or an edge"
    if problem := _Filter(expression).problem():
        yield f"filter expression {expression!r}: {problem}"


def linked_queries(document: Any) -> Iterator[Mapping[str, Any]]:
    """The X-Ray queries inside a dashboard's links to Explore."""
    for url in _strings(document):
        panes = parse_qs(urlsplit(url).query).get("panes", ()) if url.startswith("/explore?") else ()
        for pane in panes:
            for opened in json.loads(unquote(pane)).values():
                yield from (query for query in opened["queries"] if "x-ray" in query["datasource"]["type"])


def _strings(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, Mapping):
        for inner in cast("Mapping[str, Any]", document).values():
            yield from _strings(inner)
    elif isinstance(document, list):
        for inner in cast("list[Any]", document):
            yield from _strings(inner)


_BOOLEANS: Final = frozenset(
    ["ok", "error", "throttle", "fault", "partial", "inferred", "first", "last", "remote", "root", "true", "false"]
)
_NUMBERS: Final = frozenset(["responsetime", "duration", "http.status", "index", "coldstart"])
_TEXTS: Final = frozenset(
    [
        "http.url",
        "http.method",
        "http.useragent",
        "http.clientip",
        "user",
        "name",
        "type",
        "message",
        "availabilityzone",
        "instance.id",
        "resource.arn",
    ]
)
_WORD: Final = re.compile(r'\s*("[^"]*"|[0-9.]+|[A-Za-z_][\w.]*|!=|<=|>=|&&|\|\||[=<>!(){}\[\],])')


class _Filter:
    """A filter expression, read from left to right."""

    def __init__(self, text: str) -> None:
        self._words = _WORD.findall(text)
        self._complete = not _WORD.sub("", text).strip()

    def problem(self) -> str:
        """What is wrong with it, or nothing."""
        if not self._complete:
            return "has characters that mean nothing"
        try:
            self._any()
        except (ValueError, IndexError) as error:
            return str(error) if isinstance(error, ValueError) else "ends too early"
        return f"{self._words[0]!r} is not expected" if self._words else ""

    def _any(self) -> None:
        self._one()
        while self._words and self._words[0].upper() in ("AND", "OR", "&&", "||"):
            self._words.pop(0)
            self._one()

    def _one(self) -> None:
        word = self._words.pop(0)
        if word == "!":
            self._one()
        elif word == "(":
            self._any()
            self._take(")")
        elif word in ("service", "edge"):
            self._call(arguments=1 if word == "service" else 2)
        elif word == "annotation" or word.startswith("annotation."):
            self._annotation(word)
        else:
            self._keyword(word)

    def _call(self, arguments: int) -> None:
        self._take("(")
        for index in range(arguments):
            if index:
                self._take(",")
            self._text()
        self._take(")")
        if self._words and self._words[0] == "{":
            self._take("{")
            self._any()
            self._take("}")

    def _annotation(self, word: str) -> None:
        if word == "annotation":
            self._take("[")
            self._text()
            self._take("]")
        self._compared(None)

    def _keyword(self, word: str) -> None:
        if word in _BOOLEANS:
            if self._words and self._words[0] in ("=", "!="):
                self._compared(("true", "false"))
        elif word in _NUMBERS | _TEXTS:
            self._compared(None)
        else:
            raise ValueError(f"{word!r} is no keyword")

    def _compared(self, allowed: tuple[str, ...] | None) -> None:
        operator = self._words.pop(0)
        if operator.upper() not in ("=", "!=", "<", "<=", ">", ">=", "CONTAINS", "BEGINSWITH", "ENDSWITH"):
            raise ValueError(f"{operator!r} is no operator")
        value = self._words.pop(0)
        if allowed is not None and value not in allowed:
            raise ValueError(f"{value!r} is neither true nor false")

    def _text(self) -> None:
        word = self._words.pop(0)
        if not word.startswith('"'):
            raise ValueError(f"{word!r} should be a text in double quotes")

    def _take(self, wanted: str) -> None:
        word = self._words.pop(0)
        if word != wanted:
            raise ValueError(f"{word!r} stands where {wanted!r} is expected")
