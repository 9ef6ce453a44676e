"""Tasks in a stack file: what they may say, and every fault of them beside those of applications."""

from typing import Any

import pytest

from documents.catalogue import Pattern
from documents.environment import StackTask, asked_of, uses, warnings
from tests.test_settings import APPLICATION, faults, loaded

JOB = {"name": "job", "image": "shop/job:1"}
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:registry-AbCdEf"


def test_a_task_has_a_sidecar_in_every_stack() -> None:
    found = loaded(pattern="service", tasks=[JOB])
    [task] = found.tasks
    assert task.pattern is Pattern.SIDECAR
    # What the stack makes for its applications does not change by it.
    assert found.patterns == {Pattern.SERVICE}
    assert "pattern" not in asked_of(task)
    assert asked_of(task)["schedule"] is None


def test_the_service_pattern_is_refused_with_the_reason() -> None:
    assert faults(tasks=[JOB | {"pattern": "service"}]) == [
        "tasks.0.pattern: is not for a task, which is no ECS service: Service Connect takes no client that RunTask has "
        "started, and CloudWatch has the figures that this pattern reads by service (got 'service'); "
        "leave it out: a task has a sidecar in every stack"
    ]


@pytest.mark.parametrize(
    ("tasks", "texts"),
    [
        ({"name": "job"}, ["tasks: has the wrong type (got a map); give a list"]),
        (["job"], ["tasks.0: has the wrong type (got 'job'); give a map of keys and values"]),
        (
            [JOB | {"port": 80}, JOB, {"image": "shop/job"}],
            [
                "tasks.0.port: is not a known key; ",
                "tasks.1.name: is the name of tasks.0 as well (got 'job'); choose another name",
                "tasks.2.name: is missing; give it a value",
                "tasks.2.image: has neither tag nor digest (got 'shop/job'); pin it, for example shop/job:1.4.2",
            ],
        ),
        (
            [JOB | {"name": APPLICATION["name"]}],
            [f"tasks.0.name: is the name of applications.0 as well (got {APPLICATION['name']!r}); choose another name"],
        ),
        (
            [JOB | {"name": "j" * 40}],
            ["tasks.0.name: makes the role name "],
        ),
        (
            [JOB | {"memory": 512}],
            ["tasks.0.memory: leaves 0 MiB to the application beside a collector of 544 MiB with its drain (got 512);"],
        ),
        (
            [JOB | {"metrics": {"port": 4318}}],
            ["tasks.0.metrics.port: is a port of the collector beside the application (got 4318); choose another"],
        ),
        (
            [JOB | {"image": {"build": "./nowhere"}}],
            ["tasks.0.image.build: is no folder with a Dockerfile (got './nowhere'); give the folder that holds it"],
        ),
        ([JOB | {"schedule": {"expression": "rate(1 hours)"}}], ["tasks.0.schedule.expression: is no rate (got "]),
    ],
)
def test_faults(tasks: Any, texts: list[str]) -> None:
    found = faults(tasks=tasks)
    assert len(found) == len(texts)
    for fault, text in zip(found, texts, strict=True):
        assert fault.startswith(text)


def test_tail_sampling_and_tasks_do_not_go_together() -> None:
    """What decides over complete traces is the service's, and a task has a collector of its own."""
    found = faults(pattern="service", traces={"tail": {}}, tasks=[JOB])
    assert len(found) == 1
    assert "job" in found[0]


def test_the_network_knows_what_tasks_use() -> None:
    registry = {"container": {"extra": {"repositoryCredentials": {"credentialsParameter": SECRET}}}}
    found = uses(loaded(tasks=[JOB | {"secrets": {"DSN": SECRET}, "exec": True} | registry]))
    assert found.images["tasks.0.image"] == "shop/job:1"
    assert found.secrets["tasks.0.secrets.DSN"] == SECRET
    assert found.secrets["tasks.0.container.extra.repositoryCredentials"] == SECRET
    assert found.sessions


def test_latest_is_warned_of() -> None:
    told = warnings(loaded(tasks=[JOB | {"image": "shop/job:latest"}]))
    assert any(text.startswith("tasks.0.image: the tag 'latest'") for text in told)


def test_what_the_component_takes_is_what_the_model_has() -> None:
    [task] = loaded(tasks=[JOB]).tasks
    assert set(asked_of(task)) == set(StackTask.model_fields) - {"pattern"}
