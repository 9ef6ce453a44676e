"""What is in what is deployed and in what checks it: ``python -m tools.sbom`` writes ``build/sbom/*.cdx.json``.

One bill of materials (CycloneDX 1.6) for each lock of Python packages, by ``cyclonedx-py``, and one for each program in
Go, of the modules whose packages its build compiles. Nothing but the locks and Go's module cache is read.
"""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tools.build import ENVIRONMENT, PROGRAMS, TOOLS, MissingProgram, Program, toolchain

ROOT: Final = TOOLS.parent
LOCKS: Final = {
    "program": ROOT / "requirements.txt",
    "development": ROOT / "requirements-dev.txt",
    "sample": ROOT / "sample" / "requirements.txt",
    "agent": TOOLS / "agent" / "requirements.txt",
    "policy": ROOT / "policy" / "requirements.txt",
}
"""The locks of Python packages, by what they are for."""

_SPECIFICATION: Final = "1.6"


def of_lock(lock: Path) -> str:
    """The bill of materials of a lock."""
    command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", "--output-reproducible"]
    options = ["--spec-version", _SPECIFICATION, str(lock)]
    return subprocess.run([*command, *options], capture_output=True, text=True, check=True).stdout


def of_program(program: Program) -> str:
    """The bill of materials of a program in Go. Raises MissingProgram where there is no Go."""
    go, go_version = toolchain()
    sums = _sums(TOOLS / program.module / "go.sum")
    modules = [_component(path, version, sums) for path, version in sorted(_modules(go, program))]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": _SPECIFICATION,
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": program.name, "name": program.name}},
        "components": [
            *modules,
            {"type": "library", "bom-ref": "go", "name": "go", "version": go_version.removeprefix("go")},
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _modules(go: Path, program: Program) -> set[tuple[str, str]]:
    """Path and version of every module of which the program compiles a package, but for its own."""
    command = [go, "list", "-deps", "-tags", program.tags, "-json=Module", program.package]
    listed = subprocess.run(
        command, cwd=TOOLS / program.module, env=os.environ | ENVIRONMENT, capture_output=True, text=True, check=True
    ).stdout
    found = (one["Module"] for one in _documents(listed) if "Module" in one)
    used = (module.get("Replace", module) for module in found if not module.get("Main"))
    return {(module["Path"], module["Version"]) for module in used}


def _documents(text: str) -> Iterator[Mapping[str, Any]]:
    """The JSON documents that Go writes one after the other."""
    decoder, position = json.JSONDecoder(), 0
    while position < len(text.rstrip()):
        document, end = decoder.raw_decode(text, position)
        yield document
        position = end + len(text[end:]) - len(text[end:].lstrip())


def _sums(file: Path) -> dict[tuple[str, str], str]:
    """The hash of each module's content, hexadecimal, from go.sum."""
    lines = (line.split() for line in file.read_text(encoding="utf-8").splitlines())
    return {(path, version): base64.b64decode(hash_.removeprefix("h1:")).hex() for path, version, hash_ in lines}


def _component(path: str, version: str, sums: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    purl = f"pkg:golang/{path}@{version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": path,
        "version": version,
        "purl": purl,
        "hashes": [{"alg": "SHA-256", "content": sums[path, version]}],
    }


def main() -> int:
    """Writes all of them. Exit status: 0, 1 where a tool failed, 2 where there is no Go."""
    folder = ROOT / "build" / "sbom"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        documents = {name: of_lock(lock) for name, lock in LOCKS.items()} | {
            name: of_program(program) for name, program in PROGRAMS.items()
        }
    except MissingProgram as error:
        print(error, file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        print(f"{error.cmd[0]} failed:\n{error.stderr}", file=sys.stderr)
        return 1
    for name, text in documents.items():
        file = folder / f"{name}.cdx.json"
        file.write_text(text, encoding="utf-8")
        print(f"{file.relative_to(ROOT)}: {len(json.loads(text)['components'])} components")
    return 0


if __name__ == "__main__":
    sys.exit(main())
