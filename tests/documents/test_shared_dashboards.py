"""Dashboards in a Grafana of others: the same but for uids, which no two stacks share."""

import json

import pytest

from documents.dashboards import dashboards
from documents.dashboards.imported import imported
from documents.dashboards.shared import shared, uid, unshared
from tests.stacks import observed

LONGEST_UID = 40
"""Grafana's limit."""


@pytest.mark.parametrize(("sidecar", "service"), [(["web"], []), ([], ["web"])])
def test_a_shared_dashboard_is_the_own_one_but_for_uids(sidecar: list[str], service: list[str]) -> None:
    own = dashboards(observed("dev", sidecar, service))
    for before, after in zip(own, shared("shop-dev", own), strict=True):
        assert after.uid == uid("shop-dev", before.uid) == json.loads(after.json)["uid"]
        assert len(after.uid) <= LONGEST_UID
        assert after.json != before.json
        assert (unshared("shop-dev", after.json), after.title) == (before.json, before.title)


def test_the_longest_imported_uid_leaves_room_for_that_of_the_stack() -> None:
    board = imported(f"{'a' * 60}.json", json.dumps({"title": "Long", "panels": []}))
    [one] = shared("shop-dev", [board])
    assert len(one.uid) == LONGEST_UID
    assert unshared("shop-dev", one.uid) == board.uid


def test_two_stacks_share_no_uid() -> None:
    own = dashboards(observed("dev", ["web"]))
    first, second = ({one.uid for one in shared(stack, own)} for stack in ("shop-dev", "shop-prod"))
    assert not first & second
