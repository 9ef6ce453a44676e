"""A program that takes the environment from the component package, on the real engine: the engine starts the plugin."""

import json
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.package import NAME, SCHEMA, VERSION
from tests.pulumi_cli.stack import ROOT, Stack

pytestmark = pytest.mark.slow

PROGRAM = """\
import json
import pathlib

import pulumi

inputs = json.loads(pathlib.Path("inputs.json").read_text())


class Environment(pulumi.ComponentResource):
    # What a generated SDK does.
    def __init__(self, name, props, opts=None):
        outputs = dict.fromkeys(["cluster", "services", "metricsQueryUrl"])
        super().__init__("ecs-observability:index:Environment", name, {**props, **outputs}, opts, remote=True)


shop = Environment("shop", inputs)
pulumi.export("cluster", shop.cluster)
pulumi.export("services", shop.services)
"""
INPUTS: dict[str, Any] = {
    "applications": [{"name": "web", "image": {"build": "./sample"}, "port": 8080}],
    "alerts": {"subscriptions": [{"email": "people@example.com"}]},
    "grafana": {"enabled": False},
}


@pytest.fixture
def consumer(_pulumi: None, tmp_path: Path) -> Iterator[Stack]:
    """A project that has nothing of ours but the package, installed as the CLI would have."""
    with Stack.new(tmp_path / "dev") as stack:
        for name in ("components", "documents"):
            shutil.rmtree(stack.project / name)
        (stack.project / "settings.py").unlink()
        (stack.project / "__main__.py").write_text(PROGRAM, encoding="utf-8")
        file = stack.project / "Pulumi.dev.yaml"
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        file.write_text(yaml.safe_dump({**document, "config": {"aws:region": "eu-west-1"}}), encoding="utf-8")
        project = yaml.safe_load((stack.project / "Pulumi.yaml").read_text(encoding="utf-8"))
        (stack.project / "Pulumi.yaml").write_text(yaml.safe_dump({**project, "config": {}}), encoding="utf-8")
        folder = stack.folder / "home" / "plugins" / f"resource-{NAME}-v{VERSION}"
        folder.mkdir()
        plugin = folder / f"pulumi-resource-{NAME}"
        plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/components" "$@"\n', encoding="utf-8")
        plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
        yield stack


def _given(stack: Stack, **inputs: Any) -> None:
    (stack.project / "inputs.json").write_text(json.dumps(INPUTS | inputs), encoding="utf-8")


def test_the_cli_reads_the_schema(consumer: Stack) -> None:
    """It takes it apart and binds it before it prints it, so that a reference into nowhere would be an error."""
    said = consumer.run("package", "get-schema", NAME).output
    assert json.loads(said[said.index("{") :])["resources"].keys() == json.loads(SCHEMA.read_text())["resources"].keys()


def test_it_is_deployed_changes_nothing_again_and_goes(consumer: Stack) -> None:
    _given(consumer)
    consumer.up()
    made = consumer.resources()
    [whole] = (one for urn, one in made.items() if one["type"] == f"{NAME}:index:Environment")
    assert consumer.outputs() == {"cluster": "ecs-observability-dev", "services": ["web"]}
    assert [urn for urn, one in made.items() if one is not whole and f"{NAME}:index:Environment$" not in urn] == []
    assert consumer.up().changes == []
    consumer.run("destroy", "--yes", "--skip-preview")
    assert consumer.resources() == {}


def test_faults_are_one_message(consumer: Stack) -> None:
    _given(consumer, applications=[{"name": "Web", "image": {"build": "./nowhere"}, "port": 0}])
    diagnostics = consumer.up(code=None).output.partition("Diagnostics:")[2]
    said, _, sdk = diagnostics.partition("error: Program failed")
    assert "resource monitor shut down" in sdk  # which is what an SDK says of an engine that has given up
    assert "resource 'shop' has a problem: stack 'dev' cannot be deployed:" in said
    for key in ("applications.0.name: ", "applications.0.port: "):
        assert key in said
    assert "Traceback" not in said
    assert "site-packages" not in said
    assert consumer.resources() == {}
