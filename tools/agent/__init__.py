"""AWS's agent for Python, which its image copies into a task: the same packages at the same release, from PyPI."""

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Final

from tools.build import BIN, BuildError

REQUIREMENTS: Final = Path(__file__).parent / "requirements.txt"


def installed() -> Path:
    """The folder of the agent, installed into `.bin/` unless it is current there.

    Raises BuildError with the last lines of what pip says if that fails.
    """
    folder = BIN / f"agent-{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]}"
    BIN.mkdir(exist_ok=True)
    done = folder / ".done"
    with (BIN / "agent.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # given back when the file is closed
        if not done.exists():
            _install(folder)
            done.touch()
    return folder


def _install(folder: Path) -> None:
    """As the Dockerfile of the image does it, but with the versions of the lock."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
    wanted = ["--no-deps", "--require-hashes", "--requirement", str(REQUIREMENTS), "--target", str(folder)]
    ran = subprocess.run([*pip, *wanted], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise BuildError("\n".join(["pip cannot install the agent:", *ran.stderr.splitlines()[-12:]]))
