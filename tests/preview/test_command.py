"""`python -m preview` as a person uses it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def preview(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "preview", *arguments]
    return subprocess.run(command, check=False, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60)


PROGRAM = """
class Box(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("toy:index:Box", name)
        aws.amp.Workspace(f"{name}-workspace", alias="toy", opts=ResourceOptions(parent=self))
Box("box")
aws.sns.Topic("topic")
pulumi.log.warn("mind the gap")
"""


def test_it_writes_and_shows(project):
    root = project(PROGRAM)
    done = preview("dev", cwd=root)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert lines == [
        "toy, stack dev",
        "",
        " resource           name",
        " ────────────────────────────────",
        " the stack itself",
        "   sns.Topic        topic",
        " Box box",
        "   amp.Workspace    box-workspace",
        "",
        "warning: mind the gap",
        "2 documents in build/dev, the first to read: build/dev/summary.md",
    ]
    assert sorted(path.name for path in (root / "build" / "dev").iterdir()) == ["resources.json", "summary.md"]


def test_another_root(project, tmp_path: Path):
    root = project(PROGRAM)
    done = preview("dev", "--root", str(root), cwd=tmp_path)
    assert done.returncode == 0
    assert (root / "build" / "dev" / "summary.md").is_file()


@pytest.mark.parametrize(
    ("program", "stack", "message"),
    [
        ("", "prod", "error: no stack 'prod': Pulumi.prod.yaml does not exist; there are: dev\n"),
        ("raise pulumi.RunError('not deployed:\\n  a: b')\n", "dev", "error: not deployed:\n  a: b\n"),
        ("aws.sns.Topic('t')\naws.sns.Topic('t')\n", "dev",
         "error: the Pulumi engine would refuse this program:\n"
         "  aws:sns/topic:Topic 't' is registered twice (urn:pulumi:dev::toy::aws:sns/topic:Topic::t)\n"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_without_a_traceback(project, program, stack, message):
    root = project(program)
    done = preview(stack, cwd=root)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", message)
    assert not (root / "build").exists()


def test_a_fault_leaves_what_was_rendered_before(project):
    root = project(PROGRAM)
    preview("dev", cwd=root)
    before = (root / "build" / "dev" / "summary.md").read_bytes()
    project("raise pulumi.RunError('no')\n")
    assert preview("dev", cwd=root).returncode == 1
    assert (root / "build" / "dev" / "summary.md").read_bytes() == before


def test_wrong_command_lines(project):
    root = project("")
    assert preview(cwd=root).returncode == 2
    assert preview("dev", "--rot", cwd=root).returncode == 2


def test_prices_that_nobody_has_are_no_guess(project):
    done = preview("dev", "--prices", "mars", cwd=project(PROGRAM))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: no prices of 'mars' are known here, only of us-east-1: ")


def test_a_broken_program_shows_where(project):
    done = preview("dev", cwd=project("1 / 0\n"))
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "__main__.py" in done.stderr


def test_a_folder_that_cannot_be_written(project):
    root = project(PROGRAM)
    (root / "build").write_text("in the way")
    done = preview("dev", cwd=root)
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot write build/dev: ")
    assert "Traceback" not in done.stderr
