"""The component package's schema and its inputs; tests/components/test_package_host.py starts its plugin."""

import asyncio
import copy
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.output import Unknown

from components.given import Allowed, settled
from components.package import NAME, SCHEMA, VERSION, schema, text
from documents.environment import KEYS, Exports
from documents.faults import Fault
from tests.components.api import breaks

ROOT = Path(__file__).parents[2]
SERVED = json.loads(SCHEMA.read_text(encoding="utf-8"))
ALLOWED = Allowed(later=re.compile(r"a\.later"), secret=re.compile(r"alerts"))


def test_the_schema_is_that_of_the_models() -> None:
    """If a model has changed on purpose, `make schema` renews the file; what it breaks, test_breaks says."""
    assert SCHEMA.read_text(encoding="utf-8") == text(schema())


def test_the_package_has_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (SERVED["version"], VERSION) == (project["version"],) * 2


def test_an_environment_takes_the_keys_of_a_stack_file_and_a_region() -> None:
    [environment] = (one for token, one in SERVED["resources"].items() if token == f"{NAME}:index:Environment")
    assert set(environment["inputProperties"]) == KEYS | {"region"}
    assert environment["requiredInputs"] == ["applications"]
    assert set(environment["properties"]) == {field.alias for field in Exports.model_fields.values()}
    assert environment["required"] == [
        "alertTopics",
        "cluster",
        "metricsQueryUrl",
        "metricsRemoteWriteUrl",
        "services",
        "workspaceArn",
    ]
    assert environment["isComponent"]


def _described(spec: Any, at: str = "") -> Iterator[tuple[str, str | None]]:
    for kind in ("resources", "types"):
        for token, one in spec[kind].items():
            yield token, one.get("description")
            for part in ("inputProperties", "properties"):
                for key, value in one.get(part, {}).items():
                    yield f"{token}.{key}", value.get("description")


def test_everything_is_described() -> None:
    assert [where for where, said in _described(SERVED) if not said or not said.strip()] == []
    assert len(list(_described(SERVED))) > 400


def _references(spec: Any) -> Iterator[str]:
    if isinstance(spec, dict):
        for key, value in spec.items():
            if key == "$ref":
                yield value
            else:
                yield from _references(value)
    elif isinstance(spec, list):
        for one in spec:
            yield from _references(one)


def test_every_type_that_is_referred_to_is_there_and_the_other_way_round() -> None:
    referred = set(_references(SERVED)) - {"pulumi.json#/Any"}
    assert referred == {f"#/types/{token}" for token in SERVED["types"]}


def test_names_of_enum_values_differ() -> None:
    for token, one in SERVED["types"].items():
        if names := [value["name"] for value in one.get("enum", ())]:
            assert len(set(names)) == len(names), token
            assert all(re.fullmatch(r"[A-Z][A-Za-z0-9]*", name) for name in names), token


def test_only_what_other_resources_may_give_is_an_input_of_a_workload() -> None:
    for kind in ("Application", "Task"):
        properties = SERVED["types"][f"{NAME}:index:{kind}"]["properties"]
        assert {key for key, value in properties.items() if not value.get("plain")} == {
            "image",
            "environment",
            "secrets",
            "taskRole",
            "executionRole",
        }


def test_an_address_with_a_key_in_it_is_a_secret() -> None:
    secret = {
        f"{token}.{key}"
        for token, one in SERVED["types"].items()
        for key, value in one.get("properties", {}).items()
        if value.get("secret")
    }
    assert secret == {f"{NAME}:index:Subscription.https"}


def _application(spec: Any) -> Any:
    return spec["types"][f"{NAME}:index:Application"]


def _removed(spec: Any) -> None:
    del _application(spec)["properties"]["port"]


def _required(spec: Any) -> None:
    _application(spec)["required"].append("cpu")


def _retyped(spec: Any) -> None:
    _application(spec)["properties"]["port"]["type"] = "string"


def _made_plain(spec: Any) -> None:
    _application(spec)["properties"]["image"]["plain"] = True


def _without_a_choice(spec: Any) -> None:
    spec["types"][f"{NAME}:index:Pattern"]["enum"].pop()


def _without_an_output(spec: Any) -> None:
    del spec["resources"][f"{NAME}:index:Environment"]["properties"]["cluster"]


def _not_always_told(spec: Any) -> None:
    spec["resources"][f"{NAME}:index:Environment"]["required"].remove("cluster")


def _without_a_component(spec: Any) -> None:
    del spec["resources"][f"{NAME}:index:Environment"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_removed, "types ecs-observability:index:Application: port is gone"),
        (_required, "types ecs-observability:index:Application: cpu has become required"),
        (_retyped, "types ecs-observability:index:Application: port has another type"),
        (_made_plain, "types ecs-observability:index:Application: image no longer takes outputs"),
        (_without_a_choice, "types ecs-observability:index:Pattern: the choice service is gone"),
        (_without_an_output, "resources ecs-observability:index:Environment: output cluster is gone"),
        (_not_always_told, "resources ecs-observability:index:Environment: output cluster is no longer always there"),
        (_without_a_component, "resources ecs-observability:index:Environment is gone"),
    ],
)
def test_breaks_are_told(change: Callable[[Any], None], said: str) -> None:
    changed = copy.deepcopy(SERVED)
    change(changed)
    assert breaks(SERVED, changed) == [said]


def test_additions_and_other_words_are_no_breaks() -> None:
    changed = copy.deepcopy(SERVED)
    _application(changed)["properties"]["new"] = {"type": "string", "description": "New."}
    _application(changed)["required"].remove("port")
    _application(changed)["properties"]["cpu"]["description"] = "In other words."
    del _application(changed)["properties"]["cpu"]["plain"]
    changed["types"][f"{NAME}:index:Pattern"]["enum"].append({"name": "Third", "value": "third"})
    changed["resources"][f"{NAME}:index:Environment"]["properties"]["new"] = {"type": "string", "description": "New."}
    changed["types"][f"{NAME}:index:New"] = {"type": "object", "description": "New.", "properties": {}, "required": []}
    assert breaks(SERVED, changed) == []


def test_nothing_is_broken_since_the_last_release() -> None:
    """`tests/components/schemas` has the schema of each release; a major version may break what the one before had."""
    major = VERSION.partition(".")[0]
    for released in sorted((ROOT / "tests/components/schemas").glob("*.json")):
        before = json.loads(released.read_text(encoding="utf-8"))
        assert before["version"] == released.stem
        if before["version"].partition(".")[0] == major:
            assert breaks(before, SERVED) == [], f"{released.stem}: {breaks(before, SERVED)}"


def test_the_plugin_is_installed_with_what_the_program_is_tested_with() -> None:
    components = ROOT / "components"
    lines = (components / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["-r ../requirements.txt"]
    plugin = yaml.safe_load((components / "PulumiPlugin.yaml").read_text())
    assert plugin["name"] == NAME
    assert plugin["runtime"]["name"] == "python"
    program = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    assert program["runtime"]["options"]["toolchain"] == plugin["runtime"]["options"]["toolchain"]


def _now(value: Any, key: str = "a") -> tuple[Any, list[str]]:
    found: list[Fault] = []

    async def run() -> Any:
        return settled(value() if callable(value) else value, key, found, ALLOWED)

    return asyncio.run(run()), [str(one) for one in found]


LATE = (
    "is not known before something else has been made, and decides what is made here; "
    "give a value that the program knows"
)
SHOWN = (
    "holds an encrypted value, which a task definition would show in plain text; "
    "store it in Secrets Manager or SSM Parameter Store and give its ARN under `secrets`"
)


@pytest.mark.parametrize(
    ("given", "known", "said"),
    [
        (5.0, 5, []),
        (5.5, 5.5, []),
        (True, True, []),
        ({"x": [1.0, "1.0", None]}, {"x": [1, "1.0", None]}, []),
        (Unknown(), "<known after deployment>", [f"a: {LATE}"]),
        ({"later": Unknown()}, {"later": "<known after deployment>"}, []),
        ({"x": [Unknown()]}, {"x": ["<known after deployment>"]}, [f"a.x.0: {LATE}"]),
    ],
)
def test_values_are_as_a_stack_file_would_have_them(given: Any, known: Any, said: list[str]) -> None:
    assert _now(given) == (known, said)


async def _kept() -> tuple[Any, Any]:
    """What is known of an output in the making, and what it becomes."""
    found: list[Fault] = []
    output = pulumi.Output.secret({"x": 5.0})
    now = settled(output, "a.later", found, ALLOWED)
    assert found == []
    return now, await output.future()


def test_an_output_is_left_as_it_was() -> None:
    assert asyncio.run(_kept()) == ("<known after deployment>", {"x": 5.0})
