"""A stack in a cluster and a Grafana of others is proved as one with its own."""

import json

import pytest

from documents.dashboards import dashboards
from documents.environment import observed
from documents.names import Names
from preview.render import documents
from proof.plan import plan
from settings import load
from tests.components.variants import ROOT, VARIANTS, recorded

pytestmark = pytest.mark.slow


def test_its_dashboards_are_those_of_a_grafana_of_its_own() -> None:
    recording = recorded("existing")
    made = plan(recording, documents(recording))
    assert (made.cluster, made.container_insights) == ("shared", "enhanced")
    shown = {path: text for path, text in made.documents.items() if path.startswith("dashboards/")}
    config = {f"ecs-observability:{key}": json.dumps(value) for key, value in VARIANTS["existing"].items()}
    names = Names("ecs-observability", "dev", "shared")
    settings, imports = load(config, names, ROOT)
    own = (*dashboards(observed(settings, names, "eu-west-1")), *imports)
    assert shown == {f"dashboards/{one.uid}.json": one.placed(str(settings.existing.metrics)) for one in own}
