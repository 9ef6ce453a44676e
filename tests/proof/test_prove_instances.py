"""Tasks on EC2 instances, for real: what their metadata endpoint says otherwise leaves no panel empty."""

from pathlib import Path
from typing import Any

import pytest

from proof.verdict import Kind
from tests.proof.live import WHOLE, complaints, live, wanted

pytestmark = pytest.mark.slow

INSTANCES: dict[str, Any] = {
    "network": {"private": True},
    "ec2": {"instances": {"instanceType": "m7g.large", "max": 4}},
    "collector": {"compute": "ec2"},
    "applications": [
        {"name": "storefront", "image": "public.ecr.aws/shop/sample:1.0", "port": 8080, "compute": "ec2"},
        {
            "name": "inventory",
            "image": "public.ecr.aws/shop/sample:1.0",
            "port": 8080,
            "compute": "ec2",
            "pattern": "service",
            "metrics": {"port": 9464},
        },
    ],
}


def test_both_patterns_are_proved_on_instances(tmp_path: Path) -> None:
    """The metadata endpoint of an instance names the cluster, has no figures of a disk, and Docker's ids; the scraper
    finds a task by asking for its instance as well, as its role may."""
    with live(wanted("dev", config=INSTANCES), tmp_path, WHOLE) as alive:
        judgement = alive.judged()
    assert complaints(judgement) == ""
    scraped = {one.subject: one.kind for one in judgement.others if one.area == "scraped"}
    assert scraped == {"requests of inventory": Kind.PROVED}
