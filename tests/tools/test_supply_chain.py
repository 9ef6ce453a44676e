"""What this project is made of is pinned, has its hashes, and is listed."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name

from tools import audit, sbom
from tools.build import PROGRAMS, TOOLS, MissingProgram, program, toolchain

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted({one.module for one in PROGRAMS.values()})


def locked(lock: Path) -> dict[str, str]:
    """Versions by name. Fails on a line that is not pinned or has no hash."""
    found: dict[str, str] = {}
    for line in re.sub(r"\\\n", "", lock.read_text(encoding="utf-8")).splitlines():
        requirement = line.partition("#")[0].strip()
        if requirement:
            match = re.fullmatch(
                r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)(?: ; [^-]+?)?(?: +--hash=sha256:[0-9a-f]{64})+",
                requirement,
            )
            assert match, f"{lock.name}: {requirement[:80]}"
            found[canonicalize_name(match["name"])] = match["version"]
    return found


@pytest.mark.parametrize("name", sbom.LOCKS)
def test_every_package_is_pinned_with_hashes(name: str) -> None:
    assert locked(sbom.LOCKS[name])


def test_every_lock_of_the_repository_is_known() -> None:
    """But for files that only name another, as that of the component package does."""
    folders = ("", "components", "policy", "sample", "tools/agent")
    found = {path for folder in folders for path in (ROOT / folder).glob("requirements*.txt")}
    assert {path for path in found if "==" in path.read_text(encoding="utf-8")} == set(sbom.LOCKS.values())


@pytest.mark.parametrize("name", ["program", "sample", "policy"])
def test_what_is_deployed_is_what_is_tested(name: str) -> None:
    development = locked(sbom.LOCKS["development"])
    assert {
        package: version for package, version in locked(sbom.LOCKS[name]).items() if development.get(package) != version
    } == {}


@pytest.mark.parametrize("module", MODULES)
def test_every_go_module_has_its_sums(module: str) -> None:
    """Of each module that it requires itself, whole. Builds run with `-mod=readonly`, and refuse what has no sum; of
    what only decides about versions, or only tests of others need, Go keeps none."""
    text = (TOOLS / module / "go.mod").read_text(encoding="utf-8")
    direct = [line.split() for line in text.splitlines() if "// indirect" not in line]
    replaced = {parts[0] for parts in direct if "=>" in parts} | {
        parts[1] for parts in direct if parts[:1] == ["replace"]
    }
    required = {
        (parts[-2], parts[-1])
        for parts in direct
        if "=>" not in parts
        and len(parts) in (2, 3)
        and re.fullmatch(r"v\d\S*", parts[-1])
        and parts[-2] not in replaced
    }
    sums = {
        (path, version): hash_
        for path, version, hash_ in (
            line.split() for line in (TOOLS / module / "go.sum").read_text(encoding="utf-8").splitlines()
        )
    }
    assert all(re.fullmatch(r"h1:[A-Za-z0-9+/]{43}=", hash_) for hash_ in sums.values())
    assert required - set(sums) == set()


@pytest.mark.slow
@pytest.mark.parametrize("name", sbom.LOCKS)
def test_the_bill_of_a_lock_lists_exactly_what_is_locked(name: str) -> None:
    text = sbom.of_lock(sbom.LOCKS[name])
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    components = json.loads(text)["components"]
    assert {canonicalize_name(one["name"]): one["version"] for one in components} == locked(sbom.LOCKS[name])
    assert all(reference["hashes"] for one in components for reference in one["externalReferences"])


@pytest.mark.slow
def test_the_bill_of_a_program_lists_what_is_compiled_into_it() -> None:
    """As Go writes it into the binary."""
    text = sbom.of_program(PROGRAMS["amtool"])
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    listed = {(one["name"], one["version"]) for one in json.loads(text)["components"]} - {
        ("go", toolchain()[1].removeprefix("go"))
    }
    go, _ = toolchain()
    told = subprocess.run([go, "version", "-m", program("amtool")], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in told.splitlines()]
    assert listed == {(row[1], row[2]) for row in rows if row[0] in ("dep", "mod")}


def test_an_audit_asks_about_every_lock_and_every_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "program", Path)
    asked = {name: list(map(str, command)) for name, command, _ in audit.questions()}
    assert set(asked) == {"Python packages", *PROGRAMS}
    packages = asked["Python packages"]
    assert {packages[index + 1] for index, part in enumerate(packages) if part == "-r"} == {
        lock.relative_to(ROOT).as_posix() for lock in sbom.LOCKS.values()
    }
    assert "--require-hashes" in packages
    assert asked["collector"] == ["govulncheck", "-tags", "remove_all_sd", "."]


def test_an_audit_without_its_program_says_how_to_build_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(_: str) -> Path:
        raise MissingProgram("govulncheck is not built")

    monkeypatch.setattr(audit, "program", missing)
    monkeypatch.setattr(audit.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0))
    assert audit.main() == 2
    assert capsys.readouterr().err == "govulncheck is not built\n"


def test_an_audit_says_what_is_bad_and_asks_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = iter([1, *[0] * (len(PROGRAMS) - 1), 3])
    monkeypatch.setattr(audit, "program", Path)
    monkeypatch.setattr(audit.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], next(codes)))
    assert audit.main() == 1
    assert capsys.readouterr().err == "vulnerable, or not to be asked about here: Python packages, govulncheck\n"
