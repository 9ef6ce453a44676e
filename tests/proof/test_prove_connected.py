"""Applications that find each other by Service Connect and whose lines are routed, for real, as far as they can be: no
proxy and no router is started, and everything else is as it is without them."""

from pathlib import Path

import pytest

from tests.proof.live import WHOLE, complaints, live, wanted

pytestmark = pytest.mark.slow

SAMPLE = {"image": "public.ecr.aws/shop/sample:1.0", "port": 8080, "serviceConnect": {}, "logs": "firelens"}
CONFIG = {
    "grafana": {"enabled": False},
    "applications": [
        SAMPLE
        | {
            "name": "storefront",
            "environment": {"DOWNSTREAM_URL": "http://inventory.dev.ecs-observability.internal:8080"},
        },
        SAMPLE | {"name": "inventory", "logs": {"group": "/shop/inventory"}},
    ],
}


def test_traces_show_the_whole_path(tmp_path: Path) -> None:
    """One of the sample's requests passes both applications, at the address that the definition names."""
    with live(wanted("dev", config=CONFIG), tmp_path, WHOLE) as alive:
        judgement = alive.judged()
    assert complaints(judgement) == ""
