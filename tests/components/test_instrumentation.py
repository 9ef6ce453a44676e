"""Applications with an agent, as the program asks AWS for them, in both patterns."""

import pytest

from documents.instrumentation import FOLDER
from preview.engine import ProgramError
from tests.components.variants import (
    REGISTRY,
    STOREFRONT,
    TASK,
    containers,
    environment,
    one,
    program,
    recorded,
    statements,
)

PYTHON_PATH = f"{FOLDER}/opentelemetry/instrumentation/auto_instrumentation:/srv/app:{FOLDER}"


def test_the_task_has_the_volume_that_both_containers_mount() -> None:
    recording = recorded("instrumented")
    volumes = {
        name: recording.named(TASK, f"{name}-definition").inputs["volumes"]
        for name in ("storefront", "inventory", "payments", "basket")
    }
    agent = {"name": "auto-instrumentation"}
    assert volumes == {
        "storefront": [agent],
        "inventory": [{"name": "cache"}, agent],
        "payments": [agent],
        "basket": [agent],
    }
    inventory = containers(recording, "inventory-definition")
    assert [point["sourceVolume"] for point in inventory["inventory"]["mountPoints"]] == [
        "cache",
        "auto-instrumentation",
    ]


def test_the_agent_is_there_before_the_application_in_both_patterns() -> None:
    recording = recorded("instrumented")
    storefront = containers(recording, "storefront-definition")
    assert list(storefront) == ["storefront", "auto-instrumentation", "drain", "collector"]
    assert storefront["storefront"]["dependsOn"] == [
        {"containerName": "auto-instrumentation", "condition": "SUCCESS"},
        {"containerName": "collector", "condition": "START"},
        {"containerName": "drain", "condition": "START"},
    ]
    inventory = containers(recording, "inventory-definition")
    assert list(inventory) == ["inventory", "auto-instrumentation"]
    assert inventory["inventory"]["dependsOn"] == [{"containerName": "auto-instrumentation", "condition": "SUCCESS"}]


def test_the_agent_sends_where_the_pattern_says_and_nothing_to_application_signals() -> None:
    recording = recorded("instrumented")
    storefront = environment(containers(recording, "storefront-definition")["storefront"])
    inventory = environment(containers(recording, "inventory-definition")["inventory"])
    assert storefront["PYTHONPATH"] == PYTHON_PATH
    assert storefront["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://localhost:4318"
    assert inventory["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector.dev.ecs-observability.internal:4318"
    for variables in (storefront, inventory):
        assert variables["OTEL_AWS_APPLICATION_SIGNALS_ENABLED"] == "false"
        assert variables["OTEL_METRICS_EXPORTER"] == "otlp"


def test_who_starts_the_task_may_pull_a_mirror_of_the_agent() -> None:
    recording = recorded("instrumented")
    [pull] = [
        one for one in statements(recording, "inventory-execution-policy") if "ecr:BatchGetImage" in one["Action"]
    ]
    account, region = REGISTRY.split(".")[0], REGISTRY.split(".")[3]
    assert pull["Resource"] == [f"arn:aws:ecr:{region}:{account}:repository/mirror/adot-dotnet"]


def test_what_cannot_be_loaded_is_a_fault_of_the_stack() -> None:
    secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:options-AbCdEf"
    with pytest.raises(
        ProgramError, match=r"applications\.0\.secrets\.NODE_OPTIONS: takes the place of what loads the"
    ):
        program(one(instrumentation="node", secrets={"NODE_OPTIONS": secret}))


def test_without_an_agent_nothing_of_it_is_there() -> None:
    assert "volumes" not in recorded("defaults").named(TASK, f"{STOREFRONT['name']}-definition").inputs
