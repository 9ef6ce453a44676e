"""`python -m proof`: exit codes, and one line where something is missing."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from proof.__main__ import main
from proof.stack import Programs

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that are there, whatever was built."""
    monkeypatch.setenv("COLLECTOR", sys.executable)
    monkeypatch.setenv("PROMETHEUS", sys.executable)
    monkeypatch.setenv("PROMTOOL", sys.executable)


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_an_unknown_stack_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nope"]) == 2
    there = (
        "auto-instrumented, central-account, closed-network, dev, many-services, member-account, prod, smallest, "
        "what-exists"
    )
    assert capsys.readouterr().err == f"proof: no stack 'nope': Pulumi.nope.yaml does not exist; there are: {there}\n"


@pytest.mark.parametrize("variable", ["COLLECTOR", "PROMETHEUS", "PROMTOOL"])
def test_a_missing_program_is_one_line(
    variable: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, "/none")
    assert main(["dev"]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"proof: {variable}=/none is not an executable file\n")


def test_make_builds_every_program_that_a_proof_needs() -> None:
    asked = ["make", "--dry-run", "prove"]
    told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout
    assert f"tools.build {' '.join(one.name for one in fields(Programs))}\n" in told


def test_usage_is_an_error_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "the following arguments are required: stack" in capsys.readouterr().err


@pytest.mark.slow
def test_a_collector_that_ends_is_named_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "listen tcp 127.0.0.1:4318: bind: address already in use"
    monkeypatch.setenv("COLLECTOR", script(tmp_path / "collector", f'echo "{words}" >&2; exit 1'))
    monkeypatch.setenv("PROMETHEUS", script(tmp_path / "prometheus", "exec sleep 60"))
    assert main(["dev"]) == 1
    said = capsys.readouterr().err
    assert "-collector-" in said
    assert said.endswith(f"ended with exit code 1:\n    {words}\n")
