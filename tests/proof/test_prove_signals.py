"""What a stack turns on besides OTLP, for real and in both patterns: scraping and StatsD with any collector, X-Ray's
SDK and Zipkin with ADOT's."""

from pathlib import Path
from typing import Any

import pytest

from proof.verdict import Kind, Verdict
from proof.verdicts import Judgement
from tests.proof.live import WHOLE, complaints, equipped, live, wanted

pytestmark = pytest.mark.slow


def config(pattern: str, *receivers: str, **collector: Any) -> dict[str, Any]:
    """Two applications as small as they can be; the second exposes metrics."""
    return {
        "pattern": pattern,
        "applications": [
            {"name": "storefront", "image": "public.ecr.aws/shop/sample:1.0", "port": 8080},
            {
                "name": "inventory",
                "image": "public.ecr.aws/shop/sample:1.0",
                "port": 8080,
                "desiredCount": 2,
                "metrics": {"port": 9464},
            },
        ],
        "collector": {"receivers": list(receivers), **collector},
        "grafana": {"enabled": False},
    }


def area(judgement: Judgement, name: str) -> dict[str, Verdict]:
    return {one.subject: one for one in judgement.others if one.area == name}


@pytest.mark.parametrize("pattern", ["sidecar", "service"])
def test_scraping_and_statsd_agree_with_the_load(pattern: str, tmp_path: Path) -> None:
    with live(wanted("dev", config=config(pattern, "statsd")), tmp_path, WHOLE) as alive:
        judgement = alive.judged()
    assert complaints(judgement) == ""
    scraped, pushed = area(judgement, "scraped"), area(judgement, "StatsD")
    assert {subject: one.kind for subject, one in scraped.items()} == {"requests of inventory": Kind.PROVED}
    assert {subject: one.kind for subject, one in pushed.items()} == {
        "requests of storefront": Kind.PROVED,
        "requests of inventory": Kind.PROVED,
    }


@pytest.mark.parametrize("pattern", ["sidecar", "service"])
def test_segments_of_the_xray_sdk_and_spans_of_zipkin_arrive(pattern: str, tmp_path: Path) -> None:
    plan = equipped(wanted("dev", config=config(pattern, "xray", "zipkin")))
    with live(plan, tmp_path, WHOLE) as alive:
        judgement = alive.judged()
    assert complaints(judgement) == ""
    assert {subject: one.kind for subject, one in area(judgement, "receiver").items()} == {
        "X-Ray SDK: a segment sent over UDP arrives": Kind.PROVED,
        "X-Ray SDK: what it asks is passed on and signed": Kind.PROVED,
        "Zipkin: a span arrives": Kind.PROVED,
    }
