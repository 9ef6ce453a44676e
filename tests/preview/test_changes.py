"""What a change of a stack is, seen from two desired states alone, beside what it did on the real engine."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from preview.changes import Differences, between
from preview.recorder import record
from preview.recording import Recording, Resource
from tests.pulumi_cli.changes import CHANGES, Change, Effects, recorded, short
from tests.pulumi_cli.stack import ALERTS, ENDPOINT, PROJECT, ROOT

pytestmark = pytest.mark.slow


def dev() -> dict[str, Any]:
    """The keys of the dev stack, as the tests on the real engine have them."""
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8"))["config"]
    ours = {key.removeprefix(f"{PROJECT}:"): value for key, value in config.items() if key.startswith(f"{PROJECT}:")}
    first, second, *others = ALERTS["subscriptions"]
    return {**ours, "alerts": {**ALERTS, "subscriptions": [first, {**second, "https": ENDPOINT}, *others]}}


def recordings(change: Change) -> tuple[Recording, Recording]:
    before = {**dev(), **change.before}
    after = {**before, **change.turn(before)}
    return record(ROOT, "dev", config=before), record(ROOT, "dev", config=after)


def names(resources: Iterable[Resource]) -> set[str]:
    return {f"{short(each.type)} {_plain(each.name)}" for each in resources}


def _plain(name: str) -> str:
    """The name of an encrypted address has its digest; here it is not encrypted."""
    return name.rpartition("-https-")[0] + "-https" if "-https-" in name else name


def plain(names: Iterable[str]) -> set[str]:
    return {_plain(name) for name in names}


def assert_agree(found: Differences, effects: Effects) -> None:
    """What appears was made and what disappears was deleted, exactly; what changes was updated or replaced."""
    assert names(found.appear) == plain(effects.created)
    assert names(found.disappear) == plain(effects.deleted)
    assert names(each for each, _ in found.change) <= plain({*effects.updated, *effects.replaced})


def test_another_region_is_a_change_of_all_that_is_in_it() -> None:
    before, after = (
        record(ROOT, "dev", config={**dev(), "aws:region": region}) for region in ("eu-west-1", "eu-west-3")
    )
    found = between(before, after)
    changed = {each.urn: inputs for each, inputs in found.change}
    for group in before.of_type("aws:cloudwatch/logGroup:LogGroup"):
        assert changed[group.urn] == ("region",)
    assert not [each for each, inputs in found.change if each.type.startswith("aws:iam/") and "region" in inputs]


@pytest.mark.parametrize("change", [each for each in CHANGES if not each.text], ids=lambda change: change.title)
def test_desired_states_agree_with_what_the_engine_did(change: Change) -> None:
    before, after = recordings(change)
    assert_agree(between(before, after), recorded()[change.title])
    if change.back:
        assert_agree(between(after, before), recorded()[change.back])


def test_a_stack_beside_itself_is_the_same() -> None:
    same = record(ROOT, "dev")
    assert between(same, same) == Differences((), (), ())


def test_the_command_names_inputs_and_no_values(tmp_path: Path) -> None:
    for part in ("Pulumi.yaml", "__main__.py", "project_files.py", "settings.py", "components", "documents", "sample"):
        (tmp_path / part).symlink_to(ROOT / part)
    text = (ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    (tmp_path / "Pulumi.dev.yaml").write_text(text.replace("retentionDays: 7", "retentionDays: 14"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "preview.changes", "dev", "--root", str(tmp_path), "--since", str(ROOT)],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        check=True,
    )
    *lines, last = done.stdout.splitlines()
    groups = record(ROOT, "dev").of_type("aws:cloudwatch/logGroup:LogGroup")
    assert lines
    assert set(lines) <= {f"changes     cloudwatch.LogGroup {each.name}: retentionInDays" for each in groups}
    assert last.endswith("no diff of a deployed stack: ask `pulumi preview` for that.")
