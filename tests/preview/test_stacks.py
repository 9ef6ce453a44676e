"""The stacks of this repository, recorded and rendered."""

from pathlib import Path

import pytest

from preview.placeholders import fill
from preview.recorder import record
from preview.render import documents
from preview.stack import stack_files
from preview.wiring import PLACEHOLDER

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
STACKS = sorted(stack_files(ROOT))


@pytest.mark.parametrize("stack", STACKS)
def test_every_placeholder_is_an_output_of_the_stack(stack):
    recording = record(ROOT, stack)
    names = {resource.name for resource in recording.resources if resource.custom}
    for path, text in documents(recording).items():
        strangers = {match[0] for match in PLACEHOLDER.finditer(text) if match[1] not in names}
        assert strangers <= {"<name.output>"}, path
        assert not PLACEHOLDER.search(fill(recording, text).replace("<name.output>", "")), path


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_renders_the_same_on_every_run_and_survives_unknowns(stack):
    assert documents(record(ROOT, stack)) == documents(record(ROOT, stack))
    unknown = record(ROOT, stack, preview=True)
    assert {one.urn for one in unknown.resources} == {one.urn for one in record(ROOT, stack).resources}


@pytest.mark.parametrize(
    ("stack", "carriers"), [("dev", ["storefront", "inventory"]), ("prod", ["collector", "collector-front"])]
)
def test_who_carries_a_collector(stack, carriers):
    rendered = documents(record(ROOT, stack))
    assert {path for path in rendered if path.startswith("collector/")} == {
        f"collector/ecs-observability-{stack}-{name}.yaml" for name in carriers
    }
