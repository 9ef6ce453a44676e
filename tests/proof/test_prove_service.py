"""The service pattern, mixed stacks and small ones, run for real."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from proof.verdict import Kind
from tests.proof import browser
from tests.proof.live import ROOT, WHOLE, complaints, live, named, wanted

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the programs of the command work, by which they are told from those of other tests."""
    return tmp_path_factory.mktemp("command")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project in a folder of its own: the reports that a user has made stay where they are."""
    root = tmp_path_factory.mktemp("project")
    left_out = shutil.ignore_patterns(".git", ".venv", ".bin", "build", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, root, ignore=left_out, dirs_exist_ok=True)
    (root / ".bin").symlink_to(ROOT / ".bin")
    return root


@pytest.fixture(scope="module")
def command(project: Path, temporary: Path) -> subprocess.CompletedProcess[str]:
    """`make prove STACK=prod`, as a user runs it."""
    return subprocess.run(
        [sys.executable, "-m", "proof", "prod"],
        cwd=project,
        env=os.environ | {"COLUMNS": "200", "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_the_command_proves_prod(command: subprocess.CompletedProcess[str]) -> None:
    assert command.returncode == 0, command.stdout + command.stderr
    assert command.stderr == ""
    lines = command.stdout.splitlines()
    assert "starting 2 x storefront, 2 x inventory, 2 x collector" in command.stdout
    assert any(line.startswith("✓ proved  trace: every trace is complete") for line in lines)
    assert re.fullmatch(r"\d+ proved, \d+ checked against the contract; \d+ s; build/prod/report.html", lines[-1])


@pytest.mark.usefixtures("command")
def test_the_command_leaves_a_report_and_no_process(project: Path, temporary: Path) -> None:
    assert (project / "build/prod/report.html").exists()
    assert not list((project / "build/prod").glob(".*"))
    working = [one.info["cwd"] or "" for one in psutil.process_iter(["cwd"])]
    assert [folder for folder in working if folder.startswith(str(temporary))] == []


@browser.needed
@pytest.mark.usefixtures("command")
def test_the_report_says_what_was_not_proved(project: Path, tmp_path: Path) -> None:
    page = (project / "build/prod/report.html").read_text()
    assert "CloudWatch cannot run here: names checked, no values seen." in page
    assert "no value was seen." in page
    copy = tmp_path / "report.html"
    copy.write_text(page)
    seen = browser.look(copy, tmp_path / "profile", width=1280)
    assert seen.console == ()
    assert {chart for drawn in seen.boards.values() for chart in drawn} == set(seen.charts)
    assert len(seen.charts) > 30


def test_interrupting_leaves_nothing(project: Path) -> None:
    asked = [sys.executable, "-m", "proof", "dev"]
    process = subprocess.Popen(asked, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 120
    while len(children := psutil.Process(process.pid).children()) < 5:
        assert time.monotonic() < until
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "proof: interrupted\n")
    _, alive = psutil.wait_procs(children, timeout=15)
    assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []
    assert not (project / "build/dev/report.html").exists()
    assert not list((project / "build").glob(".*"))


def test_patterns_may_be_mixed(tmp_path: Path) -> None:
    applications = json.loads(json.dumps(run_applications()))
    applications[1]["pattern"] = "service"
    with live(wanted("dev", config={"applications": applications}), tmp_path, WHOLE) as alive:
        judgement = alive.judged()
    assert complaints(judgement) == ""
    running = [one for one in judgement.verdicts if one.subject.startswith("ECS tasks / Running tasks")]
    assert {one.kind for one in running} == {Kind.PROVED, Kind.CHECKED}
    assert named(judgement.others, "every trace is complete").expected == "storefront > inventory"
    # One sidecar and both collectors of the service, one of which says nothing but what it sees of itself.
    assert "3 writers" in named(judgement.others, "one writer for each series").found


def test_one_application_and_no_grafana(tmp_path: Path) -> None:
    [first, *_] = run_applications()
    config = {"applications": [first | {"name": "only"}], "grafana": {"enabled": False}}
    with live(wanted("dev", config=config), tmp_path) as alive:
        judgement = alive.judged()
    assert judgement.dashboards == ()
    assert complaints(judgement) == ""
    assert named(judgement.others, "errors and faults in traces").found.startswith("only 200: ")
    assert "only 500: " in named(judgement.others, "errors and faults in traces").found


def run_applications() -> list[dict[str, object]]:
    """Two applications as small as they can be."""
    return [
        {"name": name, "image": "public.ecr.aws/shop/sample:1.0", "port": 8080, "memory": 1024}
        for name in ("storefront", "inventory")
    ]
