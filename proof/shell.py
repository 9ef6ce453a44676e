"""The shell of a small image: BusyBox's own where there is one, else the machine's with a `wget` as BusyBox has it."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from proof.processes import ProgramError

_WGET: Final = f"""#!{sys.executable} -IS
import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[-1]).read())
"""

_APPLETS: Final = ("sh", "wget", "grep", "sleep", "timeout")


def program(folder: Path, command: Sequence[str]) -> list[str]:
    """The arguments that start a container's command. Raises ProgramError if there is no such program."""
    found = shutil.which(command[0], path=environment(folder)["PATH"])
    if found is None:
        raise ProgramError(f"no program is named {command[0]}")
    return [found, *command[1:]]


def environment(folder: Path) -> dict[str, str]:
    """Variables that make the image's programs be found; they are kept in `folder`."""
    programs = folder / "busybox"
    if not programs.exists():
        programs.mkdir()
        if busybox := shutil.which("busybox"):
            for applet in _APPLETS:
                (programs / applet).symlink_to(busybox)
        else:
            (programs / "wget").write_text(_WGET)
            (programs / "wget").chmod(0o755)
    return {"PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}
