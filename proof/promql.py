"""What can be told from a query's text: the metrics that it names, and whether it looks back far enough."""

import math
from collections.abc import Collection, Iterator
from typing import Any, Final

import promql_parser

_NEEDS_TWO: Final = frozenset(
    ("rate", "irate", "increase", "delta", "idelta", "deriv", "changes", "resets", "predict_linear")
)
_CONSTANT: Final = frozenset(("vector", "scalar", "time", "absent", "absent_over_time"))
_PARTS: Final = ("lhs", "rhs", "expr", "param", "args", "vector_selector")


def metrics(query: str) -> list[str]:
    """The names of the metrics in a query, each once; none if it cannot be parsed."""
    try:
        parsed = promql_parser.parse(query)
    except ValueError:
        return []
    names = [node.name for node in _nodes(parsed) if isinstance(node, promql_parser.VectorSelector) and node.name]
    return list(dict.fromkeys(names))


def window_problem(query: str, sample_seconds: float) -> str:
    """Why a query would find nothing where there is a sample every so many seconds; empty if it would find something.

    `query` is what Grafana sends in a deployment. A proof has a sample every two seconds: there, a window of half a
    minute is full that would be empty on AWS. What cannot be parsed is for Prometheus to refuse.
    """
    try:
        parsed = promql_parser.parse(query)
    except ValueError:
        return ""
    for function, seconds in _windows(parsed):
        samples = 2 if function in _NEEDS_TWO else 1
        if seconds < samples * sample_seconds:
            needed = "two samples" if samples == 2 else "a sample"
            return (
                f"{function} looks back {seconds:g} s and needs {needed}, and on AWS there is one every "
                f"{sample_seconds:g} s: it would show nothing"
            )
    return ""


def ranges(query: str) -> Iterator[tuple[str, str, float]]:
    """Every function over a range: the metric that it is asked of, its name, and the range in seconds.

    Raises ValueError if the query cannot be parsed.
    """
    for node in _nodes(promql_parser.parse(query)):
        if isinstance(node, promql_parser.Call):
            for argument in node.args:
                if isinstance(argument, promql_parser.MatrixSelector):
                    yield argument.vector_selector.name or "", node.func.name, argument.range.total_seconds()


def most_series(query: str, few: Collection[str]) -> float:
    """An upper bound of the series that a query finds, infinite where nothing limits them. A sum by labels of which
    each is one of `few` counts as one. Raises ValueError if the query cannot be parsed."""
    return _most(promql_parser.parse(query), few)


def _most(node: Any, few: Collection[str]) -> float:
    match node:
        case promql_parser.NumberLiteral() | promql_parser.StringLiteral():
            return 1
        case promql_parser.AggregateExpr():
            return _most_aggregated(node, few)
        case promql_parser.BinaryExpr():
            return _most_combined(node, few)
        case promql_parser.Call():
            of_series = [one for one in node.args if not isinstance(one, promql_parser.NumberLiteral)]
            constant = node.func.name in _CONSTANT
            return 1 if constant else max((_most(one, few) for one in of_series), default=1)
        case promql_parser.ParenExpr() | promql_parser.UnaryExpr() | promql_parser.SubqueryExpr():
            return _most(node.expr, few)
        case _:
            return math.inf


def _most_aggregated(node: Any, few: Collection[str]) -> float:
    inner = _most(node.expr, few)
    if str(node.op) in ("topk", "bottomk"):
        return min(inner, float(node.param.val) if isinstance(node.param, promql_parser.NumberLiteral) else math.inf)
    grouped = node.modifier
    if grouped is None:
        return 1
    by = grouped.type == promql_parser.AggModifierType.By
    return 1 if by and set(grouped.labels) <= set(few) else inner


def _most_combined(node: Any, few: Collection[str]) -> float:
    left, right = _most(node.lhs, few), _most(node.rhs, few)
    if str(node.op) == "or":
        return left + right
    if _is_number(node.lhs) or _is_number(node.rhs):
        return right if _is_number(node.lhs) else left
    card = str(node.modifier.card) if node.modifier else ""
    if "OneToMany" in card:
        return right
    # Joined one to one there are no more than on the side with fewer.
    return left if "ManyToOne" in card or str(node.op) in ("and", "unless") else min(left, right)


def _is_number(node: Any) -> bool:
    if isinstance(node, promql_parser.ParenExpr):
        return _is_number(node.expr)
    of_none = isinstance(node, promql_parser.Call) and node.func.name in ("scalar", "time")
    return of_none or isinstance(node, promql_parser.NumberLiteral)


def _windows(parsed: Any) -> Iterator[tuple[str, float]]:
    """Every function over a range, with the range in seconds."""
    for node in _nodes(parsed):
        if isinstance(node, promql_parser.Call):
            for argument in node.args:
                if isinstance(argument, promql_parser.MatrixSelector):
                    yield node.func.name, argument.range.total_seconds()


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for part in _PARTS:
        inner: Any = getattr(node, part, None)
        children: list[Any] = [*inner] if isinstance(inner, list) else [inner]
        for child in children:
            if child is not None:
                yield from _nodes(child)
