"""The programs whose task definitions are made elsewhere."""

import json
import sys
from types import ModuleType
from typing import Any

import pulumi
import pytest

from documents import policies
from documents.signals import Traces
from preview.recorder import Recording, record
from tests import judges
from tests.components.variants import ROLE_POLICY, ROOT, TASK, containers, environment

pytestmark = pytest.mark.slow

FOLDER = ROOT / "examples"


@pytest.fixture(scope="module")
def raw() -> Recording:
    return record(FOLDER / "raw_task_definition", "prod")


def test_a_raw_task_definition_has_a_collector(raw: Recording) -> None:
    found = containers(raw, "orders")
    assert list(found) == ["orders", "drain", "collector"]
    variables = environment(found["orders"])
    assert variables["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://localhost:4318"
    assert "aws.ecs.cluster.name=shared" in variables["OTEL_RESOURCE_ATTRIBUTES"]
    definition = raw.named(TASK, "orders").inputs
    taken = sum(found[name]["memory"] for name in ("drain", "collector"))
    assert (taken, found["collector"]["cpu"]) == (544, 64), "what the comment in the program says"
    assert int(definition["memory"]) > taken


def test_its_task_role_may_write_telemetry_and_nothing_else(raw: Recording) -> None:
    policy = json.loads(raw.named(ROLE_POLICY, "orders-telemetry").inputs["policy"])
    assert [one["Sid"] for one in policy["Statement"]] == [
        one["Sid"] for one in policies.telemetry_write("arn:aws:aps:eu-west-1:123456789012:workspace/ws-1", Traces())
    ]


def test_ecs_takes_the_task_definition(raw: Recording) -> None:
    inputs = raw.named(TASK, "orders").inputs
    request = {
        **{key: inputs[key] for key in ("family", "cpu", "memory", "networkMode", "requiresCompatibilities")},
        "containerDefinitions": list(containers(raw, "orders").values()),
    }
    assert judges.request("ecs", "RegisterTaskDefinition", request) == []


def test_the_transform_adds_the_same_to_what_awsx_makes(raw: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """awsx itself makes its resources in a provider of its own, which is not run here: what it would be asked for is
    kept, and its transform is given a task definition as the provider registers one."""
    asked: dict[str, Any] = {}

    def service(resource: str, *, opts: pulumi.ResourceOptions, **inputs: Any) -> None:
        asked.update(inputs, opts=opts)
        # Pulumi's type allows a transform to be awaited, and this one is not.
        transform: Any = (opts.transforms or [])[0]
        asked["other"] = transform(pulumi.ResourceTransformArgs(True, "aws:ecs/service:Service", resource, {}, opts))
        props = {"family": "orders", "containerDefinitions": json.dumps([{"name": "orders", "image": "a:1"}])}
        asked["changed"] = transform(pulumi.ResourceTransformArgs(True, TASK, resource, props, opts))
        asked["changed"].props["containerDefinitions"].apply(lambda text: asked.update(definitions=text))

    ecs = ModuleType("ecs")
    ecs.FargateService = service  # type: ignore[attr-defined]
    awsx = ModuleType("pulumi_awsx")
    awsx.ecs = ecs  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pulumi_awsx", awsx)
    recording = record(FOLDER / "awsx_service", "prod")
    assert asked["other"] is None
    assert asked["changed"].props["family"] == "orders"
    made = {one["name"]: one for one in json.loads(asked["definitions"])}
    assert list(made) == ["orders", "drain", "collector"]
    theirs = containers(raw, "orders")
    assert {name: made[name] for name in ("drain", "collector")} == {
        name: theirs[name] for name in ("drain", "collector")
    }
    assert recording.named(ROLE_POLICY, "orders-telemetry").inputs == raw.named(ROLE_POLICY, "orders-telemetry").inputs
