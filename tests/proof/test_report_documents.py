"""Documents on the page: every character of them, coloured."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from proof.report.viewer import coloured, shelves


@given(some.text(), some.sampled_from(["a.json", "a.yaml", "a.md", "a.unheard-of"]))
def test_colouring_keeps_every_character(text: str, path: str) -> None:
    shown = coloured(path, text)
    # Line ends are all that a lexer unifies.
    assert html.unescape(re.sub(r"</?[bius]>", "", shown)) == text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize(
    ("path", "text", "shown"),
    [
        ("a.json", '{"a": [1, true, "<b>"]}', '{<b>"a"</b>: [<u>1</u>, <u>true</u>, <i>"&lt;b&gt;"</i>]}'),
        ("a.yaml", "a: 1 # why\n", "<b>a</b>: 1 <s># why</s>\n"),
        ("a.md", "# Title\n", "<b># Title</b>\n"),
        ("a", "plain <b>", "plain &lt;b&gt;"),
    ],
)
def test_keys_texts_numbers_and_comments_differ(path: str, text: str, shown: str) -> None:
    assert coloured(path, text) == shown


def test_documents_stand_by_what_they_are_for_and_the_summary_first() -> None:
    documents = {
        "resources.json": "[]",
        "summary.md": "#",
        "new-kind/a.json": "{}",
        "collector/b.yaml": "",
        "alarms/c.json": "",
        "local/d/e.yaml": "",
    }
    shown = [(title, [one.path for one in members]) for title, members in shelves(documents)]
    assert shown == [
        ("The stack", ["summary.md", "resources.json"]),
        ("Collectors", ["collector/b.yaml"]),
        ("Alarms", ["alarms/c.json"]),
        ("Grafana of one's own", ["local/d/e.yaml"]),
        ("new-kind", ["new-kind/a.json"]),
    ]
