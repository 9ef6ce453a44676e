"""promtool says when alerts fire, whatever their names and labels are."""

import asyncio
from pathlib import Path

import pytest

from proof import replay
from proof.replay import AlertRule, ReplayError, alerts
from proof.stretched import Point
from tools.build import program

RULES = """
groups:
  - name: requests
    rules:
      - {record: "job:requests:rate5m", expr: "sum by (job) (rate(requests_total[5m]))"}
      - alert: Busy
        expr: max(job:requests:rate5m{job!="x"} > 0.5 and job:requests:rate5m < 100)
        for: 2m
        labels: {severity: warning}
"""
LABELS = (("__name__", "requests_total"), ("job", 'a, "b" {é}\\'))


def test_what_an_alert_measures() -> None:
    assert alerts([RULES]) == [
        AlertRule(
            "Busy",
            {"severity": "warning"},
            'max(job:requests:rate5m{job!="x"} > 0.5 and job:requests:rate5m < 100)',
            'max(job:requests:rate5m{job!="x"})',
            0.5,
        )
    ]


def test_an_alert_without_a_threshold_is_measured_whole() -> None:
    text = "groups: [{name: a, rules: [{alert: A, expr: vector(1)}]}]"
    assert [(one.measured, one.threshold) for one in alerts([text, ""])] == [("vector(1)", None)]


@pytest.mark.slow
def test_the_timeline_of_an_alert(tmp_path: Path) -> None:
    counted = [Point(60.0 * minute, 60.0 * min(max(minute - 10, 0), 10)) for minute in range(41)]
    found = asyncio.run(
        replay.replay(program("promtool").resolve(), {"rules.yaml": RULES}, {LABELS: counted}, tmp_path, 2400)
    )
    assert found.end == 2400
    # Above one in two seconds from the 13th minute on, for two minutes; from the 20th on the counter stands still.
    assert (min(found.firing), max(found.firing)) == (15 * 60, 21 * 60)
    assert found.firing[900] == (
        ({"__name__": "ALERTS", "alertname": "Busy", "alertstate": "firing", "severity": "warning"}, 1.0),
    )
    assert found.measured['max(job:requests:rate5m{job!="x"})'][900] == (({}, 1.0),)


@pytest.mark.slow
def test_what_promtool_refuses_is_an_error(tmp_path: Path) -> None:
    rules = {"rules.yaml": "groups: [{name: a, rules: [{alert: A, expr: vector(1), unknown: 1}]}]"}
    with pytest.raises(ReplayError, match="unknown"):
        asyncio.run(replay.replay(program("promtool").resolve(), rules, {LABELS: [Point(600, 1.0)]}, tmp_path, 60))
