"""Several stacks and one Grafana: nothing in it is of two of them, so none removes what is another's."""

import functools
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import settings
from documents.dashboards.sources import SOURCES
from preview.recorder import Recording, record
from tests.components.variants import GRAFANA_ID, ROOT, VARIANTS, recorded

pytestmark = pytest.mark.slow

PUBLISHING = VARIANTS["existing"]

NAMED: Mapping[str, tuple[str, ...]] = {
    "aws:grafana/workspaceServiceAccount:WorkspaceServiceAccount": ("name",),
    "grafana:oss/folder:Folder": ("uid", "title"),
    "grafana:oss/dataSource:DataSource": ("uid", "name"),
    "grafana:oss/dashboard:Dashboard": ("uid",),
}
"""What names a thing in Grafana, of which it takes each once."""


@functools.cache
def publishing(stack: str) -> Recording:
    """The same configuration in a stack of another name."""
    return record(ROOT, stack, config=dict.fromkeys(settings.KEYS) | dict(PUBLISHING))


def put(recording: Recording) -> dict[str, set[str]]:
    """The names of all that a stack puts into Grafana, by what Grafana takes once."""
    found: dict[str, set[str]] = {}
    for kind, keys in NAMED.items():
        for resource in recording.of_type(kind):
            inputs: Mapping[str, Any] = resource.inputs
            if kind.endswith("Dashboard"):
                inputs = json.loads(inputs["configJson"])
            for key in keys:
                found.setdefault(f"{kind} {key}", set()).add(inputs[key])
    return found


@pytest.mark.parametrize("first", [publishing, lambda _: recorded("defaults")], ids=["both publish", "one owns it"])
def test_two_stacks_share_nothing(first: Callable[[str], Recording]) -> None:
    ours, theirs = put(first("dev")), put(publishing("prod"))
    assert ours.keys() == theirs.keys()
    assert {kind: ours[kind] & theirs[kind] for kind in ours} == {kind: set() for kind in ours}


def test_it_puts_nothing_there_that_a_grafana_has_once() -> None:
    """Such as the notification policy: whoever writes it replaces everybody's."""
    kinds = {one.type for one in publishing("prod").resources if one.type.startswith(("grafana:", "aws:grafana"))}
    assert kinds == {*NAMED, "aws:grafana/workspaceServiceAccountToken:WorkspaceServiceAccountToken"}
    accounts = publishing("prod").of_type("aws:grafana/workspaceServiceAccount:WorkspaceServiceAccount")
    assert [one.inputs["workspaceId"] for one in accounts] == [GRAFANA_ID]
    # A token without a name of its own gets one by chance.
    tokens = publishing("prod").of_type("aws:grafana/workspaceServiceAccountToken:WorkspaceServiceAccountToken")
    assert ["name" in one.inputs for one in tokens] == [False]


def test_dashboards_stand_in_the_folder_of_their_stack_and_name_its_own_things_alone() -> None:
    for stack in ("dev", "prod"):
        recording, ours = publishing(stack), put(publishing(stack))
        [folder] = ours["grafana:oss/folder:Folder uid"]
        assert folder == f"ecs-observability-{stack}"
        known = ours["grafana:oss/dashboard:Dashboard uid"] | ours["grafana:oss/dataSource:DataSource uid"]
        for dashboard in recording.of_type("grafana:oss/dashboard:Dashboard"):
            assert dashboard.inputs["folder"] == folder
            text = dashboard.inputs["configJson"]
            assert set(re.findall(r"/d/([\w-]+)", text)) <= known
            kinds = "|".join(re.escape(source.type) for source in SOURCES)
            named = re.findall(rf'"type":"(?:{kinds})","uid":"([^"$]*)"', text.replace(" ", "").replace("\n", ""))
            assert named
            assert set(named) <= known


def test_everything_there_is_deleted_one_by_one() -> None:
    """Nothing goes with a workspace, because the workspace stays; and what others have put into the folder stays."""
    inside = [one for one in publishing("prod").resources if one.type.startswith("grafana:")]
    assert inside
    assert not [one for one in inside if "deleted_with" in one.options]
    [folder] = publishing("prod").of_type("grafana:oss/folder:Folder")
    assert folder.inputs["preventDestroyIfNotEmpty"] is True


def test_the_folder_of_a_grafana_of_its_own_goes_with_it() -> None:
    [folder] = recorded("defaults").of_type("grafana:oss/folder:Folder")
    assert "preventDestroyIfNotEmpty" not in folder.inputs
