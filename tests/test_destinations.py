"""docs/destinations.md: every example is a stack that renders."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from preview import render
from tests.components.variants import containers, one, program

# Each test records a whole program, which takes a second or two.
pytestmark = pytest.mark.slow

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "destinations.md").read_text(encoding="utf-8")
EXAMPLES: dict[str, dict[str, Any]] = {
    str(number): yaml.safe_load(text)["config"]
    for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
}


@pytest.mark.parametrize("number", EXAMPLES)
@pytest.mark.parametrize("pattern", ["sidecar", "service"])
def test_an_example_renders(number: str, pattern: str) -> None:
    config = {key.removeprefix("ecs-observability:"): value for key, value in EXAMPLES[number].items()}
    recording = program({"pattern": pattern, **one(), **config})
    documents = render.documents(recording)
    family = "storefront" if pattern == "sidecar" else "collector"
    rendered = documents[f"collector/ecs-observability-dev-{family}.yaml"]
    destinations = config.get("destinations", [])
    for destination in destinations:
        assert f"otlp_http/{destination['name']}:" in rendered
    given = containers(recording, f"{family}-definition")["collector"].get("secrets", [])
    wanted = sorted(arn for destination in destinations for arn in destination["headers"].values())
    assert sorted(secret["valueFrom"] for secret in given) == wanted
    policy = json.dumps({name: text for name, text in documents.items() if name.startswith("policies/")})
    assert all(arn in policy for arn in wanted)


def test_every_documented_vendor_has_an_example() -> None:
    names = {
        destination["name"]
        for one in EXAMPLES.values()
        for destination in one.get("ecs-observability:destinations", [])
    }
    assert names == {"honeycomb", "honeycomb-metrics", "newrelic", "grafana-cloud", "datadog"}
