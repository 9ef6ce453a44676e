"""How many series a task costs: on the real collector, and in the documents that say so."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from documents import catalogue, volumes
from documents.catalogue import Label
from proof.plan import CONFIGURATION, Service, environment
from tests.proof.live import ROOT, Live, live, wanted

TASK_NAMES = {metric.name for metric in catalogue.TASK_METRICS}
OWN_NAMES = {metric.name for metric in catalogue.COLLECTOR_METRICS}
RUNTIME_NAMES = {metric.name for metric in catalogue.RUNTIME_METRICS}


@cache
def stated() -> tuple[int, int, int]:
    """What docs/costs.md says: series of a task from ECS, of a sidecar, of a replica of the service."""
    text = (ROOT / "docs" / "costs.md").read_text()
    found = re.search(r"(\d+) series for each task from ECS, (\d+) for each sidecar, (\d+) for each replica", text)
    assert found, "docs/costs.md states no series"
    return int(found[1]), int(found[2]), int(found[3])


def computed(service: Service) -> int:
    """What `documents.volumes` says of the collectors of one task."""
    texts = [environment(container)[CONFIGURATION] for container in service.collectors]
    return sum(volumes.collector_series(yaml.safe_load(text)) for text in texts)


def counted(run: Live, names: set[str], by: str) -> Counter[str]:
    """Series of these names that arrived, by the value of a label."""
    written = (dict(labels) for labels in run.truth.writes.writers)
    return Counter(labels[by] for labels in written if labels["__name__"] in names)


def test_the_documents_say_what_the_configurations_make() -> None:
    sidecar, service = wanted("dev").applications[0], wanted("prod").collector
    assert service is not None
    assert stated() == (len(catalogue.TASK_METRICS), computed(sidecar), computed(service))


@pytest.fixture(scope="module")
def sidecars(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(wanted("dev"), tmp_path_factory.mktemp("dev")) as run:
        yield run


@pytest.mark.slow
def test_a_task_with_a_sidecar_costs_what_is_stated(sidecars: Live) -> None:
    from_ecs, sidecar, _ = stated()
    tasks = {task.id for task in sidecars.truth.tasks}
    assert counted(sidecars, TASK_NAMES, Label.TASK) == dict.fromkeys(tasks, from_ecs)
    assert counted(sidecars, OWN_NAMES, Label.TASK) == dict.fromkeys(tasks, sidecar)
    assert counted(sidecars, RUNTIME_NAMES, Label.TASK) == dict.fromkeys(tasks, volumes.Rates().runtime)


@pytest.mark.slow
def test_a_replica_of_the_service_costs_what_is_stated(tmp_path: Path) -> None:
    *_, replica = stated()
    with live(wanted("prod"), tmp_path) as run:
        replicas = [task.id for task in run.truth.tasks if task.service == "collector"]
        assert counted(run, TASK_NAMES, Label.TASK) == {}
        assert counted(run, OWN_NAMES, Label.INSTANCE) == dict.fromkeys(replicas, replica)
