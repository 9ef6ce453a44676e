"""Queries whose back end cannot run here, held against what AWS documents: CloudWatch and X-Ray.

Metric names and dimensions come from the catalogue, which names AWS's pages. Query types are those of Grafana's X-Ray
plugin (grafana/x-ray-datasource, `XrayQueryType`), filter expressions those of AWS X-Ray Developer Guide, "Use filter
expressions".
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from documents import catalogue
from documents.catalogue import Dimension, TaskEvent, performance_log_group
from proof.grafana import Choice, Panel, Target, interpolate
from proof.plan import Plan

_METRICS: Final = {metric.name: metric for metric in catalogue.CLOUDWATCH_METRICS}
_ENHANCED: Final = frozenset({Dimension.TASK})
"""Dimensions that exist only with enhanced observability."""
_ENHANCED_METRICS: Final = frozenset({catalogue.CPU_UTILIZATION.name, catalogue.MEMORY_UTILIZATION.name})
_STATISTICS: Final = frozenset({"Average", "Sum", "Minimum", "Maximum", "SampleCount"})
_MATH: Final = frozenset({"SUM", "AVG", "MIN", "MAX", "RATE", "ABS", "CEIL", "FLOOR", "FILL", "PERIOD", "METRICS"})
_EVENT_FIELDS: Final = frozenset(
    value for name, value in vars(TaskEvent).items() if not name.startswith("_") and isinstance(value, str)
)
_LOG_WORDS: Final = frozenset(
    [
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
    {"getTrace", "getTraceSummaries", "getTimeSeriesServiceStatistics", "getInsights", "getServiceMap"}
)


def cloudwatch(target: Target, panel: Panel, plan: Plan, choice: Choice) -> list[str]:
    """What CloudWatch would answer nothing to in a query; empty if it agrees with the contract."""
    if plan.container_insights not in ("enabled", "enhanced"):
        return [f"Container Insights of the cluster is {plan.container_insights}: CloudWatch has no such data"]
    if target.raw.get("queryMode") == "Logs":
        return list(_logs(target, plan, choice))
    if expression := str(target.raw.get("expression") or ""):
        return list(_math(expression, panel))
    return list(_metric(target.raw, plan, choice))


def _metric(query: Mapping[str, Any], plan: Plan, choice: Choice) -> Iterator[str]:
    name = str(query.get("metricName"))
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
        if name not in ids:
            yield f"no query of the panel has the id {name!r}"


def _logs(target: Target, plan: Plan, choice: Choice) -> Iterator[str]:
    groups = [interpolate(str(name), choice, {}, form="csv") for name in target.raw.get("logGroupNames", ())]
    if groups != [performance_log_group(plan.cluster)]:
        yield f"log group {', '.join(groups)} is not {performance_log_group(plan.cluster)}"
    text = re.sub(r'"[^"]*"|\$\{[^}]*\}|[0-9.]+', " ", str(target.raw.get("expression", "")))
    made = set(re.findall(r"\bas (\w+)", text))
    for word in re.findall(r"[A-Za-z_@]\w*", text):
        if word not in _EVENT_FIELDS | _LOG_WORDS | made:
            yield f"field {word!r} is not in the documented performance log events"


def xray(query: Mapping[str, Any]) -> list[str]:
    """What X-Ray's data source would refuse in a query; empty if it agrees with the contract."""
    kind = str(query.get("queryType"))
    if kind not in _XRAY_TYPES:
        return [f"query type {kind!r} is none of the X-Ray data source's"]
    expression = re.sub(r"\$\{[^}]*\}|\$\w+", "name", str(query.get("query") or ""))
    if kind == "getTrace" or not expression:
        return []
    problem = _Filter(expression).problem()
    return [f"filter expression {expression!r}: {problem}"] if problem else []


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
        for inner in document.values():  # pyright: ignore[reportUnknownVariableType]
            yield from _strings(inner)
    elif isinstance(document, list):
        for inner in document:  # pyright: ignore[reportUnknownVariableType]
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
