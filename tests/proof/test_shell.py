"""The shell of a small image, as a proof has it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from proof import shell
from proof.processes import ProgramError


def without_busybox(monkeypatch: pytest.MonkeyPatch) -> None:
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, **more: None if name == "busybox" else which(name, **more))


def test_busybox_is_used_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    busybox = tmp_path / "bin" / "busybox"
    busybox.parent.mkdir()
    busybox.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(busybox.parent))
    assert shell.program(tmp_path, ["sh", "-c", "true"]) == [str(tmp_path / "busybox" / "sh"), "-c", "true"]
    linked = {one.name: one.readlink() for one in (tmp_path / "busybox").iterdir()}
    assert linked == dict.fromkeys(("sh", "wget", "grep", "sleep", "timeout"), busybox)


def test_else_the_machine_has_all_but_the_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_busybox(monkeypatch)
    assert shell.program(tmp_path, ["sh", "x"]) == [shutil.which("sh"), "x"]
    assert shell.program(tmp_path, ["wget"]) == [str(tmp_path / "busybox" / "wget")]
    assert [one.name for one in (tmp_path / "busybox").iterdir()] == ["wget"]


def test_the_download_tells_that_nobody_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the exit code of BusyBox's, which the drain reads."""
    without_busybox(monkeypatch)
    arguments = shell.program(tmp_path, ["wget", "-q", "-O", "-", "http://127.0.0.1:1/metrics"])
    ended = subprocess.run(arguments, env=shell.environment(tmp_path), capture_output=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, b"")


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="no program is named nosuch"):
        shell.program(tmp_path, ["nosuch"])
