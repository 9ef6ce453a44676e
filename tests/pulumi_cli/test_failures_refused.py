"""An `up` in which AWS or Grafana refuses what it is asked for."""

import pytest

from tests.pulumi_cli.asserts import assert_as_recorded
from tests.pulumi_cli.failures import counted, up_until_complete
from tests.pulumi_cli.stack import Fresh

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_each_creation_is_refused_once(fresh: Fresh, name: str) -> None:
    """Every resource of the stack, of every type that it has: AWS or Grafana refuses its first creation, whichever
    others have been made, and a later `up` makes it. No resource is left out: each is seen to fail exactly once."""
    stack = fresh(name)
    calls = up_until_complete(stack, "refused")
    assert_as_recorded(stack)
    made = counted(call for call in calls if not call.error)
    assert set(made.values()) == {1}
    assert counted(call for call in calls if call.error) == made
    assert {call.operation for call in calls} == {"create"}
    assert len(made) == len(stack.cloud.things())
    assert not stack.up("--expect-no-changes").changes
