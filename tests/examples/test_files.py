"""What is said of the examples, and what keeps them from being deployed as they are."""

import re

import pytest
import yaml

from preview import preflight
from preview.stack import stack_files
from preview.summary import summary
from tests.components.variants import EXAMPLES, ROOT, VARIANTS, recorded

PAGE = (ROOT / "docs/examples.md").read_text()
PROGRAMS = ("awsx_service", "raw_task_definition")


def test_the_page_explains_each_and_nothing_else() -> None:
    sections = re.findall(r"^## .*`(?:examples/)?(?:Pulumi\.)?([\w-]+?)(?:\.yaml)?`$", PAGE, re.MULTILINE)
    assert sorted(sections) == sorted((*EXAMPLES, *PROGRAMS))
    for example in EXAMPLES:
        assert f"make render STACK={example}" in PAGE


def test_no_example_hides_a_stack_or_is_hidden() -> None:
    assert not set(EXAMPLES) & {"dev", "prod", *VARIANTS}
    assert {path.parent.name for name, path in stack_files(ROOT).items() if name in EXAMPLES} == {"examples"}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_says_what_it_is_and_where(example: str) -> None:
    text = (ROOT / f"examples/Pulumi.{example}.yaml").read_text()
    assert text.startswith("# ")
    assert "aws:region" in yaml.safe_load(text)["config"]
    # Names of others carry the stack's, so a copy would call the wrong ones.
    assert set(re.findall(r"\.([\w-]+)\.ecs-observability\.internal", text)) <= {example, "<stack>"}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_deployed_from_a_copy(example: str) -> None:
    assert list(preflight.missing_for_deploy(ROOT, example)) == [
        f"stack: there is no Pulumi.{example}.yaml; copy examples/Pulumi.{example}.yaml beside Pulumi.yaml, "
        "or choose STACK=dev"
    ]


def figures(text: str) -> list[str]:
    """What a summary says of a month: compute, the way out that was chosen, the load balancer."""
    patterns = (r"^\| all \| \| ([\d.]+) \|$", r"^\| .* \| yes \| ([\d.]+) \|", r"It costs ([\d.]+) dollars a month")
    found = (re.search(pattern, text, re.MULTILINE) for pattern in patterns)
    return [match[1] if match else "" for match in found]


@pytest.mark.slow
@pytest.mark.parametrize("stack", [*EXAMPLES, "prod"])
def test_prices_are_those_of_the_summary(stack: str) -> None:
    row = re.search(rf"^\| `{stack}` \|(.*)\|$", PAGE, re.MULTILINE)
    assert row
    said = [cell.strip().replace("your own", "") for cell in row[1].split("|")]
    assert said == figures(summary(recorded(stack), "us-east-1"))
