"""Every sample of code on every page is what it says: stack files are settings, Python imports what exists, commands
can be read by the shell.

A sample that cannot be checked has a comment before it that says why: `<!-- unchecked: ... -->`. One of a part of an
application says of which, `<!-- of applications.N.logs -->`; one of another file names it, `<!-- of Pulumi.yaml -->`.
"""

import ast
import importlib
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from documents.environment import StackApplication
from documents.names import Names
from manual.markdown import blocks
from preview.stack import mapping
from settings import load
from tests.docs.pages import ROOT, pages

SAMPLES = {
    f"{name}:{block.line}": block
    for name, path in pages().items()
    for block in blocks(path.read_text())
    if block.language and not block.remark.startswith("unchecked: ")
}
UNCHECKED = {
    f"{name}:{block.line}": block.remark
    for name, path in pages().items()
    for block in blocks(path.read_text())
    if block.remark.startswith("unchecked: ")
}
APPLICATION = {"name": "storefront", "image": "shop/storefront:1.4.2", "port": 8080}
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0f8fad5b-d9cb-469f-a165-70867728950e"
PREFIX = "ecs-observability:"


def of(language: str) -> list[str]:
    return [name for name, block in SAMPLES.items() if block.language == language]


def test_every_language_is_checked() -> None:
    assert {block.language for block in SAMPLES.values()} <= {"sh", "yaml", "python", "json", "text"}
    assert len(UNCHECKED) <= 8


@pytest.mark.parametrize("name", of("yaml"))
def test_a_part_of_a_stack_file_is_settings(name: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.prod.yaml"
    file.write_text(SAMPLES[name].text)
    if (other := SAMPLES[name].remark.removeprefix("of ")).endswith(".yaml"):
        assert set(mapping(file)) <= set(mapping(ROOT / other))
        return
    values = stack(mapping(file), SAMPLES[name].remark)
    settings, _ = load(texts(values), Names("ecs-observability", "prod"), ROOT)
    assert settings.applications


def stack(given: dict[str, Any], remark: str) -> dict[str, Any]:
    """The stack that a sample is a part of, by key without prefix: what it leaves out is a small application."""
    given = given.get("config", given)
    # A program in YAML, whose environment takes the keys of a stack file.
    for resource in given.get("resources", {}).values():
        if resource["type"] == f"{PREFIX}Environment":
            given = {f"{PREFIX}{key}": value for key, value in resource["properties"].items()}
    if not any(key.startswith(PREFIX) for key in given):
        given = {f"{PREFIX}applications": [{"traffic": {}} | placed(given, remark)]}
    values = {key.removeprefix(PREFIX): value for key, value in given.items() if not key.startswith("aws:")}
    values["applications"] = [APPLICATION | one for one in values.get("applications", [{}])]
    if "loadBalancer" in values:
        values["applications"][0] = {"traffic": {}} | values["applications"][0]
    elif any("traffic" in one for one in values["applications"]):
        values["loadBalancer"] = {"certificateArn": CERTIFICATE}
    if "accounts" in values:
        values.setdefault("grafana", {"enabled": False} if "central" in values["accounts"] else {})
    for path in values.get("grafana", {}).pop("dashboards", []):
        assert re.fullmatch(r"[\w/.-]+\.json", path)
    return values


def placed(given: dict[str, Any], remark: str) -> dict[str, Any]:
    """What an application says, of a sample that shows a part of it alone."""
    if remark.startswith("of applications.N"):
        for key in reversed(remark.split(".")[2:]):
            given = {key: given}
    known = {field.alias or name for name, field in StackApplication.model_fields.items()}
    assert set(given) <= known, "a sample of something else needs a comment before it that says of what"
    return given


def texts(values: Mapping[str, Any]) -> dict[str, str]:
    structured = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    return {"aws:region": "eu-west-1", **{f"{PREFIX}{key}": value for key, value in structured.items()}}


@pytest.mark.parametrize("name", of("python"))
def test_python_compiles_and_imports_what_exists(name: str) -> None:
    tree = ast.parse(SAMPLES[name].text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module or "")
            assert [each.name for each in node.names if not hasattr(module, each.name)] == []
        elif isinstance(node, ast.Import):
            for each in node.names:
                importlib.import_module(each.name)


@pytest.mark.slow
def test_python_is_of_the_right_types(tmp_path: Path) -> None:
    for name in of("python"):
        (tmp_path / f"sample_{re.sub(r'[^a-z0-9]', '_', name)}.py").write_text(SAMPLES[name].text)
    (tmp_path / "pyrightconfig.json").write_text(
        json.dumps({"extraPaths": [str(ROOT)], "typeCheckingMode": "standard"})
    )
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--project", str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("name", of("sh"))
def test_the_shell_can_read_commands(name: str) -> None:
    # Words such as <your stack> are for a person to replace; to the shell they would be files.
    text = re.sub(r"<[^<>\n]+>", "word", SAMPLES[name].text)
    read = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")


@pytest.mark.parametrize("name", of("sh"))
def test_modules_of_ours_that_commands_run_exist(name: str) -> None:
    for module in re.findall(r"python3? -m (\w+(?:\.\w+)*)", SAMPLES[name].text):
        assert importlib.util.find_spec(module)


def test_json_parses() -> None:
    for name in of("json"):
        json.loads(SAMPLES[name].text)
