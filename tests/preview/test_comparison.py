"""A stack beside itself in the other pattern."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from documents.catalogue import Label
from preview.comparison import Comparison, Line, beside_other, compare, turned
from preview.recorder import record

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def dev() -> Comparison:
    return beside_other(ROOT, record(ROOT, "dev"))


def lines(comparison: Comparison, title: str) -> Mapping[str, Line]:
    [group] = [group for group in comparison.groups if group.title == title]
    return {line.what: line for line in group.lines}


def test_what_runs_changes(dev: Comparison) -> None:
    assert (dev.this, dev.other, dev.refused) == ("sidecar", "service", "")
    found = lines(dev, "What runs")
    assert found["ECS services"].this == ("inventory", "storefront")
    assert found["ECS services"].other == ("collector", "inventory", "storefront")
    assert (found["tasks"].this, found["tasks"].other) == (("2",), ("4",))
    assert "collector" in found["containers of inventory"].this
    assert found["containers of inventory"].other == ("inventory",)
    assert found["containers of collector"].this == ()


def test_what_is_written_and_where_figures_come_from_change(dev: Comparison) -> None:
    written = lines(dev, "What it writes in a month")
    assert written["samples into AMP"].differs
    assert not written["traces into X-Ray"].differs
    origins = lines(dev, "Where figures come from")
    asked = origins["queries of ECS tasks"]
    assert any(one.endswith(" to amp") for one in asked.this)
    assert any(one.endswith(" to cloudwatch") for one in asked.other)
    labels = origins["labels on series of applications"]
    assert set(labels.this) - set(labels.other) == {Label.TASK, Label.REVISION}
    assert origins["cluster"].other == ("Container Insights: enhanced",)


def test_permissions_move_from_the_applications_to_the_collector(dev: Comparison) -> None:
    roles = lines(dev, "What roles may do")
    application = roles["ecs-observability-dev-storefront-task"]
    collector = roles["ecs-observability-dev-collector-task"]
    assert "aps:RemoteWrite" in application.this
    assert "aps:RemoteWrite" not in application.other
    assert (collector.this, "aps:RemoteWrite" in collector.other) == ((), True)


def test_there_and_back_is_the_same_stack() -> None:
    prod = record(ROOT, "prod")
    other = record(ROOT, "prod", config=turned(prod))
    back = record(ROOT, "prod", config=turned(other))
    there, again = compare(prod, other), compare(other, back)
    assert (there.this, there.other) == (again.other, again.this) == ("service", "sidecar")
    both = [
        {line.what: (line.this, line.other) for group in one.groups for line in group.lines} for one in (there, again)
    ]
    assert both[0] == {what: (other, this) for what, (this, other) in both[1].items()}


def test_an_application_with_a_pattern_of_its_own_is_turned_as_well() -> None:
    own = [
        {"name": "one", "image": "app:1", "port": 80, "pattern": "service"},
        {"name": "two", "image": "app:1", "port": 80},
    ]
    mixed = record(ROOT, "dev", config={"applications": own})
    patterns = [one.get("pattern") for one in turned(mixed)["ecs-observability:applications"]]
    assert patterns == ["sidecar", None]
    found = lines(beside_other(ROOT, mixed), "What runs")
    assert "collector" in found["containers of one"].other
    assert found["containers of two"].other == ("two",)


def test_a_pattern_that_is_refused_is_told_with_its_reason() -> None:
    # In so small a task there is room for the application alone.
    small = [{"name": "one", "image": "app:1", "port": 80, "cpu": 256, "memory": 512}]
    refused = beside_other(ROOT, record(ROOT, "dev", config={"pattern": "service", "applications": small}))
    assert (refused.this, refused.other, refused.groups) == ("service", "sidecar", ())
    assert "applications.0.memory" in refused.refused
