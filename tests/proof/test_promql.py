"""A window that is full in a proof and empty on AWS is found, and so are the names in a query."""

import math

import pytest

from proof import promql


@pytest.mark.parametrize(
    "query",
    [
        "rate(a[2m])",
        "sum by (x) (rate(a[4m])) / avg_over_time(b[1m])",
        "max_over_time(rate(a[2m])[10m:1m])",
        "a or vector(0)",
        "not promql (",
    ],
)
def test_windows_that_hold_what_they_need(query: str) -> None:
    assert promql.window_problem(query, 60.0) == ""


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("rate(a[1m])", "rate looks back 60 s and needs two samples, and on AWS there is one every 60 s"),
        ("sum(increase(a[90s])) / b", "increase looks back 90 s"),
        ("avg_over_time(a[30s])", "avg_over_time looks back 30 s and needs a sample"),
        ("topk(3, histogram_quantile(0.9, sum by (le) (rate(a[1m]))))", "rate looks back 60 s"),
        ("max_over_time(rate(a[1m])[10m:1m])", "rate looks back 60 s"),
    ],
)
def test_windows_that_are_too_short(query: str, reason: str) -> None:
    assert promql.window_problem(query, 60.0).startswith(reason)


def test_metrics_are_named_once() -> None:
    query = 'topk(3, sum by (x) (rate(a_total{b="c"}[5m])) / avg_over_time(b:c[1m]) + a_total or vector(0))'
    assert promql.metrics(query) == ["a_total", "b:c"]
    assert promql.metrics("not promql (") == []


def test_every_function_over_a_range_and_the_metric_that_it_is_asked_of() -> None:
    query = 'sum(rate(a{b="c"}[5m])) / on (d) (last_over_time({e="f"}[10m] offset 5m) > 0) or max_over_time(g[1d:5m])'
    assert list(promql.ranges(query)) == [("a", "rate", 300.0), ("", "last_over_time", 600.0)]


@pytest.mark.parametrize(
    ("query", "most"),
    [
        ("up", math.inf),
        ("rate(up[5m])", math.inf),
        ("sum(up)", 1),
        ("sum by (le) (up)", 1),
        ("sum by (task) (up)", math.inf),
        ("sum without (task) (up)", math.inf),
        ("sum without (task) (topk(4, up))", 4),
        ("topk(4, up)", 4),
        ("topk(4, up) or up", math.inf),
        ("topk(4, up) or sum(up)", 5),
        ("up and on () topk(4, up)", math.inf),
        ("topk(4, up) > 3", 4),
        ("100 * topk(4, up)", 4),
        ("topk(4, up) / scalar(sum(up))", 4),
        ("up / sum(up)", 1),
        ("up / on () group_left () sum(up)", math.inf),
        ("sum(up) / on () group_right () topk(4, up)", 4),
        ("histogram_quantile(0.9, sum by (le) (rate(up[5m])))", 1),
        ("sort_desc(topk(4, up))", 4),
        ("-topk(4, up)", 4),
        ("max_over_time(topk(4, up)[5m:1m])", 4),
        ("vector(1)", 1),
        ("absent(up)", 1),
    ],
)
def test_how_many_series_there_may_be(query: str, most: float) -> None:
    assert promql.most_series(query, {"le"}) == most
