"""Additions to the collector's configuration in a stack file: every fault at once, each once, by its key."""

from typing import Any

import pytest

from documents import adot
from documents.catalogue import Pattern
from tests.test_settings import APPLICATION, faults, loaded

GOOD: dict[str, Any] = {
    "exporters": {"debug": None},
    "service": {"pipelines": {"traces": {"exporters": ["debug"]}}},
}
TWO = [APPLICATION, APPLICATION | {"name": "api", "pattern": "service"}]


def test_they_reach_the_signals_of_the_stack() -> None:
    assert loaded(collector={"additions": GOOD}).signals.additions.document == {
        "exporters": {"debug": {}},
        "service": {"pipelines": {"traces": {"exporters": ["debug"]}}},
    }
    assert loaded().signals.additions.document == {}


@pytest.mark.parametrize("pattern", Pattern)
def test_they_are_good_in_either_pattern(pattern: Pattern) -> None:
    assert loaded(pattern=pattern.value, collector={"additions": GOOD}).pattern is pattern


def test_every_fault_at_once_and_each_once_for_all_collectors() -> None:
    additions = {
        "processors": {"transform/x": {}},
        "exporters": {"awsxray": {"region": "us-east-1"}},
        "service": {"pipelines": {"traces": {"processors": ["transform/x"]}}},
    }
    found = faults(applications=TWO, collector={"additions": additions}, network={"zones": 9})
    assert [fault.partition(": ")[0] for fault in found] == [
        "network.zones",
        "collector.additions.exporters.awsxray.region",
        "collector.additions.processors.transform/x",
    ]
    assert found[1] == (
        "collector.additions.exporters.awsxray.region: is '${env:AWS_REGION}' in our configuration (got 'us-east-1'); "
        "leave it out, or add a component of your own under another name"
    )


def test_what_is_no_configuration() -> None:
    additions = {
        "exporter": {},
        "receivers": [],
        "processors": {"batch": 5},
        "service": {"pipelines": {"traces": {"exporters": "debug", "recievers": ["otlp"]}}},
    }
    assert sorted(faults(collector={"additions": additions})) == [
        "collector.additions.exporter: is not a known key; did you mean 'exporters'?",
        "collector.additions.processors.batch: has the wrong type (got 5); give a map of keys and values",
        "collector.additions.receivers: has the wrong type (got a list); give a map of keys and values",
        "collector.additions.service.pipelines.traces.exporters: has the wrong type (got 'debug'); give a list",
        "collector.additions.service.pipelines.traces.recievers: is not a known key; did you mean 'receivers'?",
    ]


def test_only_what_is_used_where_it_is_is_a_fault() -> None:
    """A sidecar sees its task and a service does not: what is added to that pipeline fits one of the two only."""
    additions = {
        "exporters": {"debug": {}},
        "service": {"pipelines": {"metrics/task": {"exporters": ["debug"]}}},
    }
    assert loaded(collector={"additions": additions}).pattern is Pattern.SIDECAR
    assert faults(pattern="service", collector={"additions": additions}) == [
        "collector.additions.service.pipelines.metrics/task.receivers: is missing or empty; name at least one"
    ]


def test_an_upgrade_that_drops_a_component_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    now = adot.RELEASES[adot.VERSION]
    fewer = adot.Release(now.extensions, now.receivers, now.processors, now.exporters - {"prometheus_remote_write"})
    monkeypatch.setitem(adot.RELEASES, "v0.50.0", fewer)  # pyright: ignore[reportArgumentType]
    assert faults(applications=TWO, collector={"image": "mirror/adot:v0.50.0"}) == [
        "collector.image: is a release without prometheus_remote_write, which our own configuration uses "
        "(got 'mirror/adot:v0.50.0'); keep a release that has it"
    ]


def test_a_digest_may_follow_the_tag() -> None:
    image = f"mirror/adot:{adot.VERSION}@sha256:{'0' * 64}"
    assert loaded(collector={"image": image}).collector.image == image
