"""The task-metadata endpoint, in the form of ECS's documentation."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource

from documents.catalogue import ATTRIBUTES
from documents.origin import Origin
from documents.task import telemetry_environment
from proof.metadata import Metadata, Reading, TaskIdentity
from proof.web import Request, fetch
from sample.environment import TELEMETRY_DEFAULTS
from tests.proof.made import reading, service

TASK = TaskIdentity(
    "eu-west-1", "shop-dev", "front", "a" * 32, datetime(2026, 11, 22, tzinfo=UTC), service("app").definition
)


def ask(*paths: str, read: Callable[[], Reading] | None = None, task: TaskIdentity = TASK) -> list[Any]:
    clock = iter(range(0, 1000, 2))
    made = Metadata(task, read or (lambda: reading(next(clock))))

    async def run() -> list[Any]:
        async with made.open() as url:
            port = int(url.split(":")[2].split("/")[0])
            answers = [await fetch(port, Request("GET", path, {}, b"")) for path in paths]
            return [json.loads(answer.body) if answer.status == 200 else answer.status for answer in answers]

    return asyncio.run(run())


OWN = f"/v4/{'a' * 32}-1000000000"


def test_the_task_is_the_one_that_was_rendered() -> None:
    [task] = ask(f"{OWN}/task")
    assert task["Cluster"] == "arn:aws:ecs:eu-west-1:123456789012:cluster/shop-dev"
    assert task["TaskARN"] == f"arn:aws:ecs:eu-west-1:123456789012:task/shop-dev/{'a' * 32}"
    assert (task["Family"], task["Revision"], task["ServiceName"]) == ("shop-dev-app", "1", "front")
    assert (task["LaunchType"], task["AvailabilityZone"]) == ("FARGATE", "eu-west-1a")
    assert task["Limits"] == {"CPU": 0.25, "Memory": 1024}
    assert [(one["Name"], one["Limits"]) for one in task["Containers"]] == [
        ("app", {"CPU": 2}),
        ("collector", {"CPU": 64, "Memory": 512}),
    ]
    assert task["PullStartedAt"] == "2026-11-22T00:00:00.000000Z"


def test_a_container_is_found_by_its_id() -> None:
    container, other, nobody, nothing, older = ask(
        OWN, OWN[:-1] + "1", "/v4/somebody", f"{OWN}/task/tags", f"/v3/{'a' * 32}"
    )
    assert (container["Name"], container["Type"], container["KnownStatus"]) == ("app", "NORMAL", "RUNNING")
    assert container["DockerId"] == f"{'a' * 32}-1000000000"
    assert other["Name"] == "collector"
    assert (nobody, nothing, older) == (404, 404, 404)


def test_statistics_cover_the_time_since_the_previous_question() -> None:
    first, second = ask(f"{OWN}/task/stats", f"{OWN}/task/stats")
    for found in (first, second):
        one = found[f"{'a' * 32}-1000000000"]
        seconds = datetime.fromisoformat(one["read"]).timestamp() - datetime.fromisoformat(one["preread"]).timestamp()
        used = one["cpu_stats"]["cpu_usage"]["total_usage"] - one["precpu_stats"]["cpu_usage"]["total_usage"]
        assert seconds == 2
        assert used / 1e9 / seconds == pytest.approx(0.1)
        assert one["memory_stats"]["usage"] == 80 * 1024 * 1024
    assert first[f"{'a' * 32}-1000000000"]["read"] == second[f"{'a' * 32}-1000000000"]["preread"]


def test_containers_share_the_tasks_network_evenly() -> None:
    [found] = ask(f"{OWN}/task/stats")
    rates = [one["network_rate_stats"] for one in found.values()]
    assert sum(one["rx_bytes_per_sec"] for one in rates) == pytest.approx(1000)
    assert sum(one["tx_bytes_per_sec"] for one in rates) == pytest.approx(2000)
    assert sum(one["networks"]["eth1"]["rx_bytes"] for one in found.values()) == 2000


def test_disk_is_by_operation() -> None:
    [found] = ask(f"{OWN}/stats")
    values = {one["op"]: one["value"] for one in found["blkio_stats"]["io_service_bytes_recursive"]}
    assert values == {"Read": 0, "Write": 8192, "Total": 8192}


def test_a_container_that_does_not_run_has_no_statistics() -> None:
    [found] = ask(f"{OWN}/task/stats", read=lambda: Reading(1.0, {}, reading(0).traffic))
    assert list(found.values()) == [None, None]


def test_a_task_on_an_instance_is_described_as_its_agent_does() -> None:
    """The cluster by its name, containers by Docker's ids, and nothing that only Fargate says."""
    on_instances = replace(TASK, definition={**TASK.definition, "requiresCompatibilities": ["EC2"]})
    own = f"{'a' * 32}{1_000_000_000:032x}"
    [task, container, statistics] = ask(f"/v4/{own}/task", f"/v4/{own}", f"/v4/{own}/task/stats", task=on_instances)
    assert (task["LaunchType"], task["Cluster"]) == ("EC2", "shop-dev")
    assert task["TaskARN"] == f"arn:aws:ecs:eu-west-1:123456789012:task/shop-dev/{'a' * 32}"
    assert task["Limits"] == {"CPU": 0.25, "Memory": 1024}
    assert not {"ClockDrift", "EphemeralStorageMetrics"} & set(task)
    assert container["DockerId"] == own
    assert re.fullmatch(r"[0-9a-f]{64}", own)
    assert own in statistics


@pytest.mark.parametrize("launch_type", ["fargate", "ec2"])
def test_the_samples_sdk_finds_its_revision_and_changes_nothing_that_it_was_told(
    launch_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = replace(TASK, definition={**TASK.definition, "requiresCompatibilities": [launch_type.upper()]})
    made = Metadata(task, lambda: reading(0))
    told = {
        "service.name": "front",
        "service.namespace": "shop",
        "deployment.environment.name": "dev",
        "aws.ecs.cluster.name": "shop-dev",
        "aws.ecs.service.name": "front",
        "aws.ecs.task.family": "told",
    }
    origin = Origin(namespace="shop", environment="dev", cluster="shop-dev", service="front", family="told")
    variables = {**TELEMETRY_DEFAULTS, **telemetry_environment(origin, "http://127.0.0.1:4318", 60)}

    async def detected() -> dict[str, Any]:
        async with made.open() as url:
            for name, value in variables.items():
                monkeypatch.setenv(name, value)
            monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", f"{url}/{task.container_id('app')}")
            return dict((await asyncio.to_thread(Resource.create)).attributes)

    found = asyncio.run(detected())
    assert {key: found[key] for key in told} == told
    assert found["aws.ecs.task.revision"] == "1"
    assert found["aws.ecs.launchtype"] == launch_type
    assert found["aws.ecs.task.arn"] == f"arn:aws:ecs:eu-west-1:123456789012:task/shop-dev/{'a' * 32}"
    # What becomes labels: what it was told, and the revision.
    assert {one.key for one in ATTRIBUTES if one.key in found} - set(told) == {"aws.ecs.task.revision"}
