"""Alerts and who is told of them, in a summary."""

import pytest

from preview import alerts
from preview.recording import Recording
from tests.components.variants import recorded

pytestmark = pytest.mark.slow


def row(recording: Recording, alert: str) -> list[str]:
    [line] = [line for line in alerts.lines(recording) if line.startswith(f"| {alert} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_who_evaluates_what() -> None:
    recording = recorded("mixed")
    assert row(recording, "TaskOutOfMemory") == [
        "TaskOutOfMemory",
        "critical",
        "CloudWatch alarm",
        "collector, inventory, storefront",
        "a task was stopped because it had no memory left",
    ]
    assert row(recording, "HighErrorRate")[1:4] == ["critical", "AMP rule", "inventory, storefront"]
    both = [line for line in alerts.lines(recording) if line.startswith("| TasksBelowDesired |")]
    assert [line.split("|")[3:5] for line in both] == [
        [" AMP rule ", " storefront "],
        [" CloudWatch alarm ", " collector, inventory "],
    ]


def test_who_is_told() -> None:
    assert list(alerts.told(recorded("alerts"))) == [
        "- `ecs-observability-dev-chat-critical`: chat `19%3aabc%40thread.tacv2`",
        "- `ecs-observability-dev-chat-warning`: chat `C0123ABCD`, chat `19%3aabc%40thread.tacv2`",
        "- `ecs-observability-dev-critical`: email `people@example.com`, https [secret]",
        "- `ecs-observability-dev-heartbeat`: the alarm `ecs-observability-dev-AlertingSilent-heartbeat`",
        "- `ecs-observability-dev-warning`: email `people@example.com`",
    ]
    assert "- `ecs-observability-dev-critical`: nobody" in alerts.told(recorded("defaults"))


def test_nothing_where_there_is_nothing() -> None:
    empty = Recording("shop", "dev", "eu-west-1", {}, (), {}, ())
    assert [*alerts.lines(empty), *alerts.told(empty)] == []
