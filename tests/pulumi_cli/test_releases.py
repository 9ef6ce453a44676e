"""What a release has left behind is updated by the present program: nothing that it made is replaced or goes.

docs/upgrades.md says what a release promises. `releases.py` says how its states are made.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from documents.environment import KEYS
from documents.kept import HOLDS_DATA
from preview.recorder import Recording, record
from tests.pulumi_cli.asserts import assert_as_recorded, assert_prints_no_fault
from tests.pulumi_cli.providers import EVERYTHING, REPLACED_BY
from tests.pulumi_cli.releases import Release, known, main, restored
from tests.pulumi_cli.stack import ROOT, Stack

pytestmark = pytest.mark.slow

RENEWED: Final = frozenset(
    {
        # A new revision is another definition, and another configuration of a collector another object.
        "aws:ecs/taskDefinition:TaskDefinition",
        "aws:s3/bucketObjectv2:BucketObjectv2",
    }
)
"""Types whose every change is a replacement, which costs a roll-out and nothing else."""

GONE: Final[Mapping[str, frozenset[str]]] = {}
"""Resources by type and name that a later release takes away or replaces, by the release that had them. Each has its
reason here, and its line in CHANGELOG.md."""


def of_release(release: Release) -> str:
    return f"{release.version} {release.stack}"


@pytest.fixture(params=known(), ids=of_release)
def release(request: pytest.FixtureRequest) -> Release:
    return request.param


def test_whoever_makes_states_has_to_name_the_release(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["releases"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "give the version of the release, such as 0.2.0\n"


def described(urn: str) -> str:
    _, _, types, name = urn.split("::")
    return f"{types.rpartition('$')[2]} {name}"


def test_there_is_a_state_of_a_release() -> None:
    assert {one.stack for one in known()} == {"dev", "prod"}


class TestWithoutAnEngine:
    """The present program for the release's stack file, and what the release had made of it."""

    @pytest.fixture
    def now(self, release: Release) -> Recording:
        nothing = dict.fromkeys(KEYS)
        return record(ROOT, release.stack, config={**nothing, **release.config})

    def test_everything_is_still_wanted(self, release: Release, now: Recording) -> None:
        gone = {described(urn) for urn in set(release.own) - {one.urn for one in now.resources}}
        assert gone == GONE.get(release.version, frozenset())

    def test_nothing_has_another_name_on_aws(self, release: Release, now: Recording) -> None:
        there = {one.urn: one.inputs for one in now.resources}
        renamed = {
            f"{described(urn)}: {path}"
            for urn, state in release.own.items()
            if urn in there
            for path in sorted(REPLACED_BY.get(state["type"], EVERYTHING) - EVERYTHING)
            if _differs(_at(state["inputs"], path), _at(there[urn], path))
        }
        assert renamed == set()


class TestOnTheEngine:
    @pytest.fixture
    def stack(self, release: Release, tmp_path: Path, _pulumi: None) -> Iterator[Stack]:
        with restored(release, tmp_path / release.stack) as stack:
            yield stack

    def test_an_update_replaces_nothing(self, release: Release, stack: Stack) -> None:
        kept = {(thing.type, thing.name): thing.id for thing in stack.cloud.things() if thing.type in HOLDS_DATA}
        run = stack.up()
        assert_prints_no_fault(run)
        assert_as_recorded(stack)
        lost = [call for call in run.calls if call.operation == "delete" and call.type not in RENEWED]
        assert {f"{call.type} {call.name}" for call in lost} == GONE.get(release.version, frozenset())
        after = {(thing.type, thing.name): thing.id for thing in stack.cloud.things()}
        assert kept.items() <= after.items()
        assert not stack.run("up", "--yes", "--expect-no-changes").changes
        stack.configure(protect=True)
        assert not stack.up().changes


def _at(inputs: Mapping[str, Any], path: str) -> Any:
    value: Any = inputs
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _differs(old: Any, new: Any) -> bool:
    """Whether two values differ as far as they are known: what AWS computes is a placeholder in a recording."""
    return old != new and "<" not in str(new)
