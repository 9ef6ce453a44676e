"""An `up` in which something is made and then fails all the same."""

import pytest

from tests.pulumi_cli.asserts import assert_as_recorded
from tests.pulumi_cli.failures import counted, up_until_complete
from tests.pulumi_cli.stack import Fresh

pytestmark = pytest.mark.slow


def test_each_creation_fails_when_the_thing_is_there(fresh: Fresh) -> None:
    """Every resource of the dev stack: it is made, and then the provider fails, as the real ones do for a service that
    never gets steady. The engine keeps what it was told of; the next `up` updates it and makes no second one."""
    stack = fresh("dev")
    calls = up_until_complete(stack, "half-made")
    assert_as_recorded(stack)
    created = [call for call in calls if call.operation == "create"]
    assert set(counted(created).values()) == {1}
    assert all(call.error for call in created)
    updated = [call for call in calls if call.operation == "update"]
    assert counted(updated) == counted(created)
    assert not stack.up("--expect-no-changes").changes
