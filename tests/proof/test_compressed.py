"""Rules of a deployment on the time scale of a run."""

import pytest
import yaml

from proof import compressed


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("rate(x[5m])", "rate(x[10000ms])"),
        ("sum_over_time(x[3d:5m])", "sum_over_time(x[8640000ms:10000ms])"),
        ("x offset 1h", "x offset 120000ms"),
        ("x offset -5m", "x offset -10000ms"),
        ("last_over_time(x[5m] offset 5m) > 300", "last_over_time(x[10000ms] offset 10000ms) > 300"),
        ("rate(x[1h30m])", "rate(x[180000ms])"),
        ("max_over_time(x[10m:])", "max_over_time(x[20000ms:])"),
        ("job:http_requests:rate5m", "job:http_requests:rate5m"),
        ('x{a="rate(y[5m]) offset 1h"}', 'x{a="rate(y[5m]) offset 1h"}'),
        ("rate(x[1ms])", "rate(x[1ms])"),
    ],
)
def test_every_duration_of_a_query_is_shorter_and_nothing_else(query: str, expected: str) -> None:
    assert compressed.query(query, 30) == expected


def test_a_rules_file() -> None:
    text = """
groups:
  - name: slow
    interval: 5m
    rules:
      - {record: "a:b:rate5m", expr: "rate(b[5m])"}
      - {alert: A, expr: "a:b:rate5m > 1", for: 10m, keep_firing_for: 0m, labels: {severity: warning}}
"""
    assert yaml.safe_load(compressed.rules(text, 30)) == {
        "groups": [
            {
                "name": "slow",
                "interval": "10000ms",
                "rules": [
                    {"record": "a:b:rate5m", "expr": "rate(b[10000ms])"},
                    {
                        "alert": "A",
                        "expr": "a:b:rate5m > 1",
                        "for": "20000ms",
                        "keep_firing_for": "0m",
                        "labels": {"severity": "warning"},
                    },
                ],
            }
        ]
    }


def test_what_is_no_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="'soon' is no duration"):
        compressed.milliseconds("soon")
