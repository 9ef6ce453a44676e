"""Programs in YAML and TypeScript that use the component package, against its schema and its plugin."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml

from components.package import NAME, SCHEMA
from preview.recording import UNKNOWN
from tests.components.hosted import ENVIRONMENT, Output, host
from tests.components.variants import ROOT

EXAMPLES = ROOT / "examples"
SERVED = json.loads(SCHEMA.read_text(encoding="utf-8"))
CONTAINERS = f"{NAME}:index:InstrumentedContainers"
TYPES = {"string": str, "integer": int, "number": int | float, "boolean": bool}


def in_yaml() -> Any:
    program = yaml.safe_load((EXAMPLES / "yaml_environment/Pulumi.yaml").read_text(encoding="utf-8"))
    shop = program["resources"]["shop"]
    assert shop["type"] == f"{NAME}:Environment"
    return shop["properties"]


def around_a_task_definition() -> Any:
    program = yaml.safe_load((EXAMPLES / "yaml_task_definition/Pulumi.yaml").read_text(encoding="utf-8"))
    observed = program["resources"]["observed"]
    assert observed["type"] == f"{NAME}:InstrumentedContainers"
    return observed["properties"]


def in_typescript() -> Any:
    """A literal of TypeScript with quoted texts is one of YAML."""
    text = (EXAMPLES / "typescript_environment/index.ts").read_text(encoding="utf-8")
    [literal] = re.findall(r"new observability\.Environment\(\"shop\", (\{.*?^\})\);", text, re.DOTALL | re.MULTILINE)
    return yaml.safe_load(literal)


READ = pytest.mark.parametrize("read", [in_yaml, in_typescript])
REFERENCE = re.compile(r"\$\{\S+\}|orders\.url|alertsEndpoint")


def unfit(value: Any, spec: Any, at: str) -> Iterator[str]:  # noqa: C901, PLR0912 - one for each kind
    """Where a value is not what the schema says."""
    if REFERENCE.fullmatch(str(value)):
        if spec.get("plain"):
            yield f"{at}: takes no output"
    elif spec.get("oneOf"):
        if all([*unfit(value, one, at)] for one in spec["oneOf"]):
            yield f"{at}: fits none"
    elif spec.get("$ref") == "pulumi.json#/Any":
        return
    elif reference := spec.get("$ref"):
        named = SERVED["types"][reference.removeprefix("#/types/")]
        if "enum" in named:
            if value not in [one["value"] for one in named["enum"]]:
                yield f"{at}: no such choice"
        else:
            yield from unfit_keys(value, named["properties"], named["required"], at)
    elif spec["type"] == "array":
        for index, one in enumerate(value):
            yield from unfit(one, spec["items"], f"{at}.{index}")
    elif spec["type"] == "object":
        for key, one in value.items():
            yield from unfit(one, spec["additionalProperties"], f"{at}.{key}")
    elif not isinstance(value, TYPES[spec["type"]]):
        yield f"{at}: is no {spec['type']}"


def unfit_keys(values: Any, properties: Mapping[str, Any], required: list[str], at: str) -> Iterator[str]:
    if not isinstance(values, dict):
        yield f"{at}: is no map"
        return
    yield from (f"{at}.{key}: is missing" for key in required if key not in values)
    for key, value in values.items():
        if key in properties:
            yield from unfit(value, properties[key], f"{at}.{key}")
        else:
            yield f"{at}.{key}: is not known"


@READ
def test_it_gives_what_the_schema_takes(read: Callable[[], Any]) -> None:
    environment = SERVED["resources"][ENVIRONMENT]
    assert [*unfit_keys(read(), environment["inputProperties"], environment["requiredInputs"], "")] == []


def test_the_program_with_a_task_definition_gives_what_the_schema_takes() -> None:
    token = SERVED["resources"][CONTAINERS]
    assert [*unfit_keys(around_a_task_definition(), token["inputProperties"], token["requiredInputs"], "")] == []
    text = (EXAMPLES / "yaml_task_definition/Pulumi.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{observed\.(\w+)\}", text)) <= set(token["properties"])
    named = set(re.findall(r"\$\{environment\.outputs\[\"(\w+)\"\]\}", text))
    assert named <= set(SERVED["resources"][ENVIRONMENT]["required"])


def test_the_check_finds_what_is_wrong() -> None:
    environment = SERVED["resources"][ENVIRONMENT]
    given = {"pattern": "both", "colour": 1, "applications": [{"name": 1, "image": "a", "port": "${orders.url}"}]}
    assert [*unfit_keys(given, environment["inputProperties"], environment["requiredInputs"], "")] == [
        ".pattern: no such choice",
        ".colour: is not known",
        ".applications.0.name: is no string",
        ".applications.0.port: takes no output",
    ]


def _sent(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sent(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_sent(inner) for inner in value]
    if isinstance(value, str) and REFERENCE.fullmatch(value):
        return Output("https://events.example.com/key", secret="alertsEndpoint" in value)
    return value


@pytest.mark.slow
def test_the_plugin_takes_what_they_give() -> None:
    with host() as plugin:
        for read in (in_yaml, in_typescript):
            made = plugin.construct(_sent(read()))
            assert made.outputs["services"] == ["storefront"]
            assert made.outputs["collectorAddress"] == "http://collector.dev.ecs-observability.internal:4318"


@pytest.mark.slow
@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
def test_the_plugin_adds_a_collector_to_the_task_definition(preview: bool) -> None:
    given = around_a_task_definition()
    arns = {
        "cluster": "shared",
        "workspaceArn": "arn:aws:aps:eu-west-1:123456789012:workspace/ws-12345678-1234-1234-1234-123456789012",
        "logGroupArn": "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/orders",
    }
    assert {key for key, value in given.items() if REFERENCE.fullmatch(str(value))} == set(arns)
    sent = given | {key: Output(UNKNOWN if preview else arn) for key, arn in arns.items()}
    with host() as plugin:
        told = plugin.construct(sent, token=CONTAINERS, name="observed", preview=preview).outputs
    assert (told["cpu"], told["memory"]) == (64, 544), "what the comment in the program says"
    if preview:
        assert told["containerDefinitions"] is UNKNOWN
    else:
        names = [one["name"] for one in json.loads(told["containerDefinitions"])]
        assert names == ["orders", "drain", "collector"]


def test_both_name_the_outputs_that_there_are() -> None:
    told = SERVED["resources"][ENVIRONMENT]["properties"]
    for file in ("yaml_environment/Pulumi.yaml", "typescript_environment/index.ts"):
        named = set(re.findall(r"\bshop\.(\w+)", (EXAMPLES / file).read_text(encoding="utf-8")))
        assert named
        assert named <= set(told)
