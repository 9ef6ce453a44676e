"""Where applications answer, and where their lines go, in stacks that say so."""

import pytest

from preview.render import documents
from proof.plan import plan
from tests.components.variants import recorded

# Each test makes a whole program, which takes a second or two.
pytestmark = pytest.mark.slow


def test_an_application_answers_at_one_address_by_dns_and_through_a_proxy() -> None:
    recording = recorded("connected")
    made = plan(recording, documents(recording))
    assert {one for one in made.listeners if one.startswith("inventory.")} == {
        "inventory.dev.ecs-observability.internal:9090"
    }


def test_log_groups_are_those_that_containers_write_to() -> None:
    recording = recorded("routed-logs")
    found = {one.name: one.log_groups for one in plan(recording, documents(recording)).applications}
    ours = "/ecs/ecs-observability-dev"
    assert found == {
        "storefront": {f"{ours}/storefront"},
        "inventory": {"/shop/stock"},
        # Its collector's and its router's own: where its lines go, nobody here knows.
        "payments": {f"{ours}/payments"},
    }
