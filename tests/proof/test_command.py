"""`python -m proof`: exit codes, and one line where something is missing."""

import sys
from pathlib import Path

import pytest

from proof.__main__ import main


@pytest.fixture(autouse=True)
def given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that are there, whatever was built."""
    monkeypatch.setenv("COLLECTOR", sys.executable)
    monkeypatch.setenv("PROMETHEUS", sys.executable)


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_an_unknown_stack_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nope"]) == 2
    assert capsys.readouterr().err == "proof: no stack 'nope': Pulumi.nope.yaml does not exist; there are: dev, prod\n"


def test_a_missing_program_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLLECTOR", "/none")
    assert main(["dev"]) == 2
    assert capsys.readouterr().err == "proof: COLLECTOR=/none is not an executable file\n"


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
