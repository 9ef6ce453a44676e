"""The agent's packages are installed once, and a pip that fails is quoted."""

from pathlib import Path

import pytest

from tools import agent
from tools.build import BuildError


@pytest.fixture(autouse=True)
def requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "requirements.txt"
    # Nothing to install: a list of requirements may be empty.
    path.write_text("")
    monkeypatch.setattr(agent, "REQUIREMENTS", path)
    monkeypatch.setattr(agent, "BIN", tmp_path / ".bin")
    return path


@pytest.mark.slow
def test_a_failure_is_told_in_the_words_of_pip(requirements: Path) -> None:
    requirements.write_text("no requirement at all\n")
    with pytest.raises(BuildError, match=r"(?s)^pip cannot install the agent:\n.*no requirement at all"):
        agent.installed()


def test_what_is_there_is_not_installed_again(requirements: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def install(folder: Path) -> None:
        asked.append(folder)
        folder.mkdir()

    monkeypatch.setattr(agent, "_install", install)
    first = agent.installed()
    assert agent.installed() == first
    requirements.write_text("# another lock")
    assert agent.installed() != first
    assert len(asked) == 2
