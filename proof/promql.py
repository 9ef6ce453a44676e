"""What can be told from a query's text: the metrics that it names, and whether it looks back far enough."""

from collections.abc import Iterator
from typing import Any, Final

import promql_parser

_NEEDS_TWO: Final = frozenset(
    ("rate", "irate", "increase", "delta", "idelta", "deriv", "changes", "resets", "predict_linear")
)
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
