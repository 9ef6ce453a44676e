"""The text of a configuration: its reasons stand where they belong, and change nothing."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as some
from ruamel.yaml import YAML

from documents import collector
from documents.collector import destinations, scraping
from documents.collector.comments import REASONS
from documents.signals import Scrape, Traces
from tests.documents.collector.made import NAMES, ORIGIN, configurations

# Each test makes whole documents or programs, which takes a second or two.
pytestmark = pytest.mark.slow


def as_yaml_1_2(text: str) -> Any:
    """As the collector reads it, whose parser follows YAML 1.2 here."""
    return YAML(typ="safe", pure=True).load(text)


def comments(text: str) -> list[str]:
    """The comments of a text, each on one line however it was wrapped."""
    found: list[str] = []
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if line.lstrip().startswith("# "):
            words = line.lstrip().removeprefix("# ")
            if index and lines[index - 1].lstrip().startswith("# "):
                found[-1] += f" {words}"
            else:
                found.append(words)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_text_is_the_document_and_stable(name: str) -> None:
    document = configurations()[name]
    text = collector.to_yaml(document)
    assert yaml.safe_load(text) == document
    assert as_yaml_1_2(text) == document
    assert list(yaml.safe_load(text)["service"]["pipelines"]) == list(document["service"]["pipelines"])
    assert collector.to_yaml(configurations()[name]) == text
    assert "&id" not in text
    assert document == configurations()[name], "the document was changed"


@pytest.mark.parametrize("name", NAMES)
def test_a_reason_stands_once_and_is_one_of_ours(name: str) -> None:
    found = comments(collector.to_yaml(configurations()[name]))
    assert found
    assert len(found) == len(set(found))
    assert set(found) <= set(REASONS.values())


def test_every_reason_applies_somewhere() -> None:
    """A reason without a line is out of date: the line has gone, or has another name."""
    found = {comment for document in configurations().values() for comment in comments(collector.to_yaml(document))}
    assert found == set(REASONS.values())


def test_a_reason_stands_above_its_line() -> None:
    text = collector.to_yaml(configurations()["front"])
    assert (
        "exporters:\n"
        "  # No queue here: a client gets its answer only when the collector behind has it on disk.\n"
        "  otlp_grpc:\n"
    ) in text


def texts(value: Any) -> Iterator[str]:
    """Every text in a document, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from texts([*value.keys(), *value.values()])
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


_DOLLAR = re.compile(r"""\$\$|\$\{env:[A-Z_]+(?::-[^}]*)?\}|\$(?=$|")""")
"""A dollar that is escaped, begins a variable of ours, or ends a regular expression."""


@pytest.mark.parametrize("name", NAMES)
def test_an_unescaped_dollar_never_reaches_the_collector(name: str) -> None:
    """The collector would take it for a variable."""
    read = yaml.safe_load(collector.to_yaml(configurations()[name]))
    assert [text for text in texts(read) if "$" in _DOLLAR.sub("", text)] == []


_TYPED = some.text(some.characters(exclude_categories=("C", "Z"), exclude_characters="?#"), max_size=20)
"""What a path may hold: quotes, dollar signs and braces, in every script."""


@given(path=_TYPED, attribute=_TYPED)
@example(path="${env:AWS_SECRET_ACCESS_KEY}", attribute="${env:AWS_SECRET_ACCESS_KEY}")
@example(path="$$\"'{a:b}", attribute="$1")
def test_what_a_user_types_reaches_the_collector_as_it_is(path: str, attribute: str) -> None:
    scraped = scraping.beside(Scrape(port=9464, path=f"/{path}"), 60, ORIGIN).part
    indexed = destinations.xray(64, Traces(indexed_attributes=(attribute,))).part
    read = as_yaml_1_2(collector.to_yaml({**scraped.receivers, **indexed.exporters}))
    [target] = read["prometheus/application"]["config"]["scrape_configs"]
    [name] = read["awsxray"]["indexed_attributes"]
    for written, typed in ((target["metrics_path"], f"/{path}"), (name, attribute)):
        assert "$" not in written.replace("$$", ""), "the collector would look for a variable"
        assert written.replace("$$", "$") == typed
