"""Which labels and metrics are kept."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from documents import catalogue
from documents.collector import labels

KEPT = (
    "service.name",
    "service.namespace",
    "service.instance.id",
    "deployment.environment.name",
    "aws.ecs.cluster.name",
    "aws.ecs.service.name",
    "aws.ecs.task.family",
    "aws.ecs.task.revision",
    "aws.ecs.task.id",
)


def applied(actions: list[dict[str, str]], attributes: dict[str, str]) -> dict[str, str]:
    """What the collector's resource processor makes of attributes, action by action (its README)."""
    made = dict(attributes)
    for one in actions:
        if one["action"] == "delete":
            made = {key: value for key, value in made.items() if not re.search(one["pattern"], key)}
        elif one["action"] == "insert" and one["key"] not in made and one.get("from_attribute", "") in made:
            made[one["key"]] = made[one["from_attribute"]]
    return made


def test_the_allow_list_whole() -> None:
    assert labels.allow_list() == {
        "attributes": [
            *({"key": f"kept.{key}", "from_attribute": key, "action": "insert"} for key in KEPT),
            {"pattern": "^([^k]|k[^e]|ke[^p]|kep[^t]|kept[^.])", "action": "delete"},
            *({"key": key, "from_attribute": f"kept.{key}", "action": "insert"} for key in KEPT),
            {"pattern": "^kept[.]", "action": "delete"},
        ]
    }
    assert (*catalogue.IDENTITY, *(attribute.key for attribute in catalogue.ATTRIBUTES)) == KEPT


@given(some.dictionaries(some.sampled_from(KEPT) | some.text("kept.srvic", min_size=5), some.text(max_size=5)))
def test_only_what_is_listed_stays(attributes: dict[str, str]) -> None:
    own = {key: value for key, value in attributes.items() if not key.startswith("kept.")}
    wanted = {key: value for key, value in own.items() if key in KEPT}
    assert applied(labels.allow_list()["attributes"], own) == wanted


@pytest.mark.parametrize(
    "key", ["host.name", "kafka.topic", "kept_alive", "keptx", "k8s.pod", "process.pid", "telemetry.sdk.name"]
)
def test_the_pattern_of_deletion_spares_only_what_is_hidden(key: str) -> None:
    [pattern, _] = [one["pattern"] for one in labels.allow_list()["attributes"] if "pattern" in one]
    assert re.search(pattern, key)
    assert not re.search(pattern, f"kept.{key}")


def test_inserting() -> None:
    assert labels.insert({"a": "1", "b": "2"}) == [
        {"key": "a", "value": "1", "action": "insert"},
        {"key": "b", "value": "2", "action": "insert"},
    ]
    assert labels.insert_from("a", "b") == {"key": "a", "from_attribute": "b", "action": "insert"}


def test_only_these_metrics() -> None:
    assert labels.only(["ecs.task.cpu", "up"]) == {
        "error_mode": "ignore",
        "metric_conditions": ['not IsMatch(metric.name, "^(ecs[.]task[.]cpu|up)$")'],
    }
