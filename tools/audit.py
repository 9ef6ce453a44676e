"""Known vulnerabilities: ``python -m tools.audit`` asks for every locked Python package and every Go program.

``pip-audit`` asks PyPI's advisories, and ``govulncheck`` asks Go's vulnerability database and looks whether what is
vulnerable is called. Both need the internet.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.build import ENVIRONMENT, PROGRAMS, TOOLS, MissingProgram, program
from tools.sbom import LOCKS, ROOT


def questions() -> Iterator[tuple[str, Sequence[str | Path], Path]]:
    """What is asked about, the command, and where it runs. Raises MissingProgram."""
    locks = [part for lock in LOCKS.values() for part in ("-r", str(lock.relative_to(ROOT)))]
    # Without pip nothing is downloaded: what is locked is all that there is.
    options = ["--require-hashes", "--disable-pip", "--strict", "--progress-spinner", "off"]
    yield "Python packages", [sys.executable, "-m", "pip_audit", *options, *locks], ROOT
    govulncheck = program("govulncheck")
    for name, one in PROGRAMS.items():
        yield name, [govulncheck, "-tags", one.tags, one.package], TOOLS / one.module


def main() -> int:
    """Asks everything, and shows the answers as they come. Exit status: 0, 1 if one of them is bad, 2 without Go's."""
    bad: list[str] = []
    try:
        for name, command, folder in questions():
            print(f"{name}:", flush=True)
            if subprocess.run(command, cwd=folder, env=os.environ | ENVIRONMENT, check=False).returncode:
                bad.append(name)
    except MissingProgram as error:
        print(error, file=sys.stderr)
        return 2
    if bad:
        print(f"vulnerable, or not to be asked about here: {', '.join(bad)}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
