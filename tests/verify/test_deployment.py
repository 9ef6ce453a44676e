"""What the Pulumi CLI says of a stack, and the one line that says what to do."""

import json
from pathlib import Path

import pytest

from verify.deployment import Deployment, NotDeployedError, deployment, read

URL = "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1"
GRAFANA = "https://g-abc123.grafana-workspace.eu-west-1.amazonaws.com"


def cli(folder: Path, script: str) -> Path:
    """A Pulumi CLI on PATH that does what a shell script does."""
    program = folder / "pulumi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return folder


def test_outputs_become_addresses() -> None:
    found = read("dev", json.dumps({"metricsQueryUrl": f"{URL}/api/v1/query", "grafanaUrl": GRAFANA, "more": [1]}))
    assert found == Deployment(URL, GRAFANA)
    assert (found.workspace, found.grafana_workspace, found.region) == ("ws-1", "g-abc123", "eu-west-1")


def test_a_stack_without_grafana() -> None:
    assert read("dev", json.dumps({"metricsQueryUrl": f"{URL}/api/v1/query"})).grafana_url == ""


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("echo '{}'", "stack 'dev' has no deployment; run `make deploy STACK=dev` first"),
        ("echo no json", "`pulumi stack output --json` gave no JSON; update the Pulumi CLI"),
        ("echo \"error: no stack named 'dev' found\" >&2; exit 255",
         "stack 'dev' has no deployment; run `make deploy STACK=dev` first"),
        ("echo 'error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions' >&2; exit 255",
         "the Pulumi CLI is not logged in; run `pulumi login`"),
        ("echo 'error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE' >&2; exit 255",
         "the stack's secrets need their passphrase; set PULUMI_CONFIG_PASSPHRASE"),
        ("echo 'warning: old' >&2; echo 'error: disk full' >&2; exit 1", "the Pulumi CLI refuses: error: disk full"),
        ("exit 1", "the Pulumi CLI refuses: without a word"),
    ],
)  # fmt: skip
def test_what_to_do_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, line: str) -> None:
    monkeypatch.setenv("PATH", f"{cli(tmp_path, script)}:/bin:/usr/bin")
    with pytest.raises(NotDeployedError) as refused:
        deployment(tmp_path, "dev")
    assert str(refused.value) == line


def test_no_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotDeployedError, match="not on PATH"):
        deployment(tmp_path, "dev")
