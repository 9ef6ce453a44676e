"""What each change of a stack does to its resources, exactly, and that docs/updates.md says the same."""

import re

import pytest

from documents.kept import HOLDS_DATA
from tests.pulumi_cli.asserts import assert_as_recorded
from tests.pulumi_cli.changes import CHANGES, PAGE, RECORDED, Change, made, page, recorded, short
from tests.pulumi_cli.stack import Stack, names_of


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.title)
def test_a_change_does_what_is_written(deployed: Stack, change: Change) -> None:
    existed = names_of(deployed.cloud.things())
    for title, (run, effects) in made(change, deployed).items():
        assert "error:" not in run.output
        assert "Traceback" not in run.output
        assert not [call for call in run.calls if call.error]
        assert effects == recorded()[title], f"{title}: write it down anew, see {RECORDED.name}"
    if change.back and not change.before:
        assert names_of(deployed.cloud.things()) == existed
    if not change.text:
        assert_as_recorded(deployed)


def test_nothing_that_holds_data_is_replaced() -> None:
    keeping = tuple(f"{short(token)} " for token in HOLDS_DATA)
    lost = {title: [each for each in one.replaced if each.startswith(keeping)] for title, one in recorded().items()}
    assert not {title: replaced for title, replaced in lost.items() if replaced}


def test_what_holds_data_goes_only_with_what_it_belongs_to() -> None:
    keeping = tuple(f"{short(token)} " for token in HOLDS_DATA)
    lost = {title: [each for each in one.deleted if each.startswith(keeping)] for title, one in recorded().items()}
    assert {title: deleted for title, deleted in lost.items() if deleted} == {
        "The first application removed": _of_application("storefront"),
        "The last application removed": _of_application("returns"),
        "An application renamed": _of_application("inventory"),
        "Nobody told any more, `alerts.subscriptions`": [
            "aws:sns:Topic alerting-chat-critical",
            "aws:sns:Topic alerting-chat-warning",
        ],
        "Grafana turned off, and `alerts.traces` with it": [
            "aws:grafana:Workspace grafana-workspace",
            "grafana:oss:Folder grafana-folder",
        ],
    }


def _of_application(name: str) -> list[str]:
    return [f"aws:cloudwatch:LogGroup {name}-logs", f"aws:ecr:Repository {name}-repository"]


def test_the_page_says_what_is_written() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text, recorded()) == text


def test_every_change_is_written_down_once() -> None:
    titles = [title for change in CHANGES for title in (change.title, change.back) if title]
    assert list(recorded()) == titles
    assert len(set(titles)) == len(titles)


def test_links_of_the_page_lead_to_its_sections() -> None:
    text = PAGE.read_text(encoding="utf-8")
    sections = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert [title for title, _ in re.findall(r"^\| \[(.*)\]\(#(.*)\) \|", text, re.MULTILINE)] == sections
