"""Programs end with us: when a run is over, when it fails, and when we are killed."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from proof.processes import Child, Children, Program, ProgramError

pytestmark = pytest.mark.slow

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def program(code: str, name: str = "child") -> Program:
    return Program(name, [sys.executable, "-c", dedent(code)], ENVIRONMENT)


def wait_for(child: Child, text: str) -> None:
    until = time.monotonic() + 10
    while text not in child.log.read_text():
        assert time.monotonic() < until
        time.sleep(0.02)


READY = "import time; print('ready', flush=True); time.sleep(60)"


def test_a_program_runs_in_the_folder_and_in_a_group_of_its_own(tmp_path: Path) -> None:
    code = f"import os; print(os.getcwd(), sorted(os.environ), flush=True); {READY}"
    with Children(tmp_path) as children:
        child = children.start(program(code))
        wait_for(child, "PATH")
        assert child.log.read_text().startswith(str(tmp_path.resolve()))
        assert os.getpgid(child.pid) == child.pid != os.getpgrp()
        assert child.ended is None
        child.check()
    assert child.ended == -signal.SIGKILL


def test_what_a_program_left_behind_ends_too(tmp_path: Path) -> None:
    code = """
        import subprocess, sys, time
        other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print("other", other.pid, "started", flush=True)
        time.sleep(60)
    """
    with Children(tmp_path) as children:
        child = children.start(program(code))
        wait_for(child, "started")
        other = psutil.Process(int(child.log.read_text().split()[1]))
    gone, _ = psutil.wait_procs([other], timeout=15)
    assert gone == [other] or other.status() == psutil.STATUS_ZOMBIE


def test_ending_is_polite_first(tmp_path: Path) -> None:
    code = """
        import signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: (print("flushed", flush=True), sys.exit(0)))
        print("ready", flush=True)
        time.sleep(60)
    """
    with Children(tmp_path) as children:
        polite, other = children.start(program(code, "polite")), children.start(program(READY, "other"))
        wait_for(polite, "ready")
        asyncio.run(children.end([polite]))
        assert "flushed" in polite.log.read_text()
        assert polite.ended == 0
        assert other.ended is None


def test_a_program_that_ended_is_named_with_its_last_words(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        child = children.start(program("print('cannot bind 127.0.0.1:4317'); raise SystemExit(3)"))
        while child.ended is None:
            time.sleep(0.02)
        with pytest.raises(ProgramError, match=r"child ended with exit code 3:\n    cannot bind 127.0.0.1:4317"):
            child.check()


def test_a_missing_program_is_one_line(tmp_path: Path) -> None:
    missing = Program("collector", [str(tmp_path / "none")], ENVIRONMENT)
    with (
        Children(tmp_path) as children,
        pytest.raises(ProgramError, match=r"collector cannot be started: .*none is not"),
    ):
        children.start(missing)


def test_usage_is_that_of_the_process_and_stays_after_its_end(tmp_path: Path) -> None:
    code = f"held = bytearray(50_000_000); [i * i for i in range(3_000_000)]; {READY}"
    with Children(tmp_path) as children:
        child = children.start(program(code))
        wait_for(child, "ready")
        running = child.usage()
    assert running.user > 0.05
    assert running.memory > 50_000_000
    assert child.usage() == running


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent died")
def test_a_program_dies_with_us_however_we_die(tmp_path: Path) -> None:
    code = f"""
        import sys, time
        from pathlib import Path
        from proof.processes import Children, Program
        with Children(Path({str(tmp_path)!r})) as children:
            child = children.start(Program("child", [sys.executable, "-c", {READY!r}], {{}}))
            print(child.pid, flush=True)
            time.sleep(60)
    """
    parent = subprocess.Popen([sys.executable, "-c", dedent(code)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    log = tmp_path / "child.log"
    while "ready" not in log.read_text():
        time.sleep(0.02)
    parent.kill()
    parent.wait()
    gone, _ = psutil.wait_procs([child], timeout=15)
    assert gone == [child] or child.status() == psutil.STATUS_ZOMBIE
