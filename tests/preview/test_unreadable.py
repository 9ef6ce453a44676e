"""Stack files that are no stack files: each is refused in one line, at once, and what was rendered before stays."""

import contextlib
import gc
import io
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, Phase, assume, given, settings

from documents.faults import ConfigurationError
from preview.__main__ import main as preview
from preview.preflight import missing_for_deploy
from preview.recording import ProgramError
from preview.stack import load
from settings import load as load_settings
from tests.configurations import MANY, NAMES, Configuration
from tests.test_configurations import damaged

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "name: toy\nruntime: python\nconfig:\n  list: {type: array, items: {type: object}, default: []}\n"

NESTED = "config:\n  toy:list: " + "[" * 150 + "]" * 150
BOMB = (
    "config:\n  toy:a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"  toy:a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    + "  toy:list: *a29\n"
)

UNREADABLE = {
    "latin-1": (b"config:\n  toy:list: [{name: \xe9}]\n", "'utf-8' codec can't decode byte 0xe9"),
    "utf-16": ("config: {}".encode("utf-16"), "'utf-8' codec can't decode byte 0xff"),
    "tabs": (b"config:\n\ttoy:list: []\n", "found character '\\t' that cannot start any token in line 2"),
    "nul": (b'config:\n  toy:list: ["a\0b"]\n', "unacceptable character #x0000"),
    "twice": (b"config:\n  toy:list: [{a: 1, a: 2}]\n", "the key 'a' stands twice in line 2"),
    "no key": (b"config:\n  ? [a]\n  : b\n", "found unhashable key in line 2"),
    "no merge": (b"config:\n  toy:list: [{<<: 5}]\n", "expected a mapping or list of mappings for merging"),
    "no anchor": (b"config: *x\n", "found undefined alias 'x' in line 1"),
    "within itself": (b"config:\n  toy:list: &x [*x]\n", "found unconstructable recursive node in line 2"),
    "code": (b"config: !!python/object/apply:os.system [id]\n", "could not determine a constructor for the tag"),
    "a date": (b"config:\n  toy:list: [{a: !!timestamp 2026-01-01}]\n", "could not determine a constructor"),
    "not of its tag": (b"config:\n  toy:list: [!!int hello]\n", "invalid literal for int() with base 10: 'hello'"),
    "a large number": (b"config:\n  toy:list: [" + b"9" * 5000 + b"]\n", "Exceeds the limit"),
    "two of them": (b"config: {}\n---\nconfig: {}\n", "but found another document in line 2"),
    "deep": (NESTED.encode(), "it has more than 100 levels"),
    "a bomb": (BOMB.encode(), "with its aliases written out it has more than 200,000 values"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    return tmp_path


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read(root: Path, name: str) -> None:
    content, reason = UNREADABLE[name]
    (root / "Pulumi.dev.yaml").write_bytes(content)
    began = time.process_time()
    with pytest.raises(ProgramError) as caught:
        load(root, "dev")
    assert str(caught.value).startswith("Pulumi.dev.yaml: not readable as YAML: ")
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 300
    [first, *_] = missing_for_deploy(root, "dev")
    assert first == f"stack: {caught.value}"
    # A bomb that is written out has 9 ** 29 values.
    assert time.process_time() - began < 20


@pytest.mark.parametrize("content", [b"- a\n", b"hello", b"5"])
def test_what_has_no_keys(root: Path, content: bytes) -> None:
    (root / "Pulumi.dev.yaml").write_bytes(content)
    with pytest.raises(ProgramError, match=r"Pulumi\.dev\.yaml: has no keys; give a map of keys and values"):
        load(root, "dev")


def test_a_folder_in_its_place(root: Path) -> None:
    (root / "Pulumi.dev.yaml").mkdir()
    with pytest.raises(ProgramError, match=r"Pulumi\.dev\.yaml: cannot be read: Is a directory"):
        load(root, "dev")


def test_a_link_to_nowhere(root: Path) -> None:
    (root / "Pulumi.dev.yaml").symlink_to(root / "nowhere")
    with pytest.raises(ProgramError, match=r"Pulumi\.dev\.yaml: cannot be read: No such file or directory"):
        load(root, "dev")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(root: Path) -> None:
    (root / "Pulumi.dev.yaml").write_text("config: {}")
    (root / "Pulumi.dev.yaml").chmod(0)
    with pytest.raises(ProgramError, match=r"Pulumi\.dev\.yaml: cannot be read: Permission denied"):
        load(root, "dev")


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfconfig: {}\n", b"config: {}\r\n", b"config:\n", b""])
def test_what_can_be_read_all_the_same(root: Path, content: bytes) -> None:
    """A byte order mark, the line ends of Windows, nothing."""
    (root / "Pulumi.dev.yaml").write_bytes(content)
    assert load(root, "dev").values == {"toy:list": []}


def test_aliases_that_a_person_writes(root: Path) -> None:
    text = "config:\n  toy:list:\n    - &first {a: 1, b: [x]}\n    - {<<: *first, a: 2}\n    - *first\n"
    (root / "Pulumi.dev.yaml").write_text(text)
    first = {"a": 1, "b": ["x"]}
    assert load(root, "dev").values == {"toy:list": [first, first | {"a": 2}, first]}


# The commands themselves


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our program by itself, which takes everything else from this process, and what was rendered before."""
    root = tmp_path_factory.mktemp("program")
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy2(ROOT / name, root)
    (root / "build" / "dev").mkdir(parents=True)
    (root / "build" / "dev" / "summary.md").write_text("before")
    return root


def previewed(root: Path) -> tuple[int, str, str]:
    """Exit status and both outputs of `python -m preview dev`."""
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(io.StringIO()) as said,
        contextlib.redirect_stderr(io.StringIO()) as refused,
    ):
        patch.setattr(sys, "argv", ["preview", "dev", "--root", str(root)])
        try:
            return preview(), said.getvalue(), refused.getvalue()
        finally:
            # The command turns it off, because it ends soon.
            gc.enable()


def refusal(root: Path) -> str:
    """What is wrong with the stack file, or nothing."""
    try:
        load_settings(load(root, "dev").texts, NAMES, root)
    except ProgramError as error:
        return str(error)
    except ConfigurationError as error:
        return f"stack 'dev' cannot be deployed:\n{error}"
    return ""


@settings(
    max_examples=1000 if MANY else 20,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
@given(damaged())
def test_whatever_is_wrong_the_command_says_it_and_writes_nothing(program: Path, values: Configuration) -> None:
    full = {key if ":" in key else f"ecs-observability:{key}": value for key, value in values.items()}
    (program / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": full}, sort_keys=False))
    wrong = refusal(program)
    # Otherwise it was not.
    assume(wrong)
    first, *faults = wrong.splitlines()
    assert all(re.fullmatch(r"  \S.*: .+; .+", fault) for fault in faults), wrong
    assert faults or first.startswith("Pulumi.dev.yaml: ")
    assert previewed(program) == (1, "", f"error: {wrong}\n")
    assert [path.name for path in (program / "build").rglob("*")] == ["dev", "summary.md"]
    assert (program / "build" / "dev" / "summary.md").read_text() == "before"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project in a folder of its own, what was rendered before, and a Pulumi CLI that knows one deployment."""
    root = tmp_path_factory.mktemp("project")
    for name in ("components", "documents", "preview", "proof", "sample", "tools", "verify"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("build", "*.log"))
    for file in (*ROOT.glob("*.py"), ROOT / "Pulumi.yaml"):
        shutil.copy2(file, root)
    (root / "build" / "dev").mkdir(parents=True)
    (root / "build" / "dev" / "summary.md").write_text("before")
    (root / "bin").mkdir()
    pulumi = root / "bin" / "pulumi"
    pulumi.write_text('#!/bin/sh\necho \'{"metricsQueryUrl": "https://aps-workspaces.eu-west-1.amazonaws.com/x"}\'\n')
    pulumi.chmod(0o755)
    return root


WRONG = """
config:
  aws:region: eu-west-1
  ecs-observability:applications:
    - {name: web, image: "shop/web:1", port: http, desiredcount: 2}
  ecs-observability:colector: {}
"""
FAULTS = (
    "colector: is not a known key; did you mean 'collector'?",
    "applications.0.port: has the wrong type (got 'http'); give a whole number",
    "applications.0.desiredcount: is not a known key; did you mean 'desiredCount'?",
)


def run(copy: Path, module: str, content: str) -> subprocess.CompletedProcess[str]:
    """A command, where AWS has no credentials; what was rendered before is there afterwards."""
    (copy / "Pulumi.dev.yaml").write_text(content)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    environment |= {"PATH": f"{copy / 'bin'}:{os.environ['PATH']}", "NO_COLOR": "1", "COLUMNS": "200"}
    environment |= {"HOME": str(copy), "AWS_EC2_METADATA_DISABLED": "true"}
    # No answer from anywhere is needed to see that a file is wrong.
    environment |= {
        name: str(ROOT / ".bin" / name.lower()) for name in ("COLLECTOR", "PROMETHEUS", "PROMTOOL", "AMTOOL")
    }
    command = [sys.executable, "-m", *module.split(), "dev"]
    done = subprocess.run(command, cwd=copy, env=environment, check=False, capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stdout + done.stderr
    assert [path.name for path in (copy / "build").iterdir()] == ["dev"]
    assert (copy / "build" / "dev" / "summary.md").read_text() == "before"
    return done


@pytest.mark.slow
@pytest.mark.parametrize(("module", "code"), [("preview", 1), ("proof", 2), ("verify", 2)])
def test_a_command_says_what_is_wrong_and_leaves_what_was_there(copy: Path, module: str, code: int) -> None:
    done = run(copy, module, WRONG)
    assert done.returncode == code, done.stdout + done.stderr
    assert [line.strip() for line in done.stderr.splitlines()[1:]] == list(FAULTS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "code"), [("preview", 1), ("proof", 2), ("verify", 2), ("preview.preflight deploy", 1)]
)
def test_a_command_does_not_write_out_a_bomb(copy: Path, module: str, code: int) -> None:
    done = run(copy, module, BOMB)
    assert done.returncode == code, done.stdout + done.stderr
    assert "has more than 200,000 values" in done.stdout + done.stderr


@pytest.mark.slow
def test_preflight_leaves_the_keys_to_the_program(copy: Path) -> None:
    """It says what a machine lacks; what is wrong in the file, the preview of the update says."""
    done = run(copy, "preview.preflight deploy", WRONG)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "credentials: AWS has none for you here; run `aws configure`, or set AWS_PROFILE",
        "stack 'dev' was not touched",
    ]
