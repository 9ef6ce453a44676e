"""YAML for people is the same data to every reader."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as some
from ruamel.yaml import YAML

from documents.text import Path, to_yaml

_PRINTABLE = some.characters(exclude_categories=("Cs",))
_AMBIGUOUS = some.sampled_from(
    [
        "yes", "No", "on", "off", "y", "n", "~", "null", "true", "0:30", "1_000", "0o17", "017", "0x1f", "1e3",
        ".5", ".inf", ".NaN", "2026-01-02", "=", "<<", "- a", "a: b", "# a", " a", "a ", "a #b", "!x", "&x",
        "*x", "@x", "`x", "%x", "", "\x85", "-1:30", "+1:3", "-0x1f", "+.inf", ":x", "a\nb", "a\n", "\n", "\t",
        "a\tb", "'", '"', "\\", "${env:X}", "{", "}", "[", "]", ",", "?", ":", "|", ">", "---",
    ]
)  # fmt: skip
_TEXTS = some.text(_PRINTABLE, max_size=40) | _AMBIGUOUS
_SCALARS = _TEXTS | some.integers() | some.booleans() | some.none()
_DOCUMENTS = some.dictionaries(
    _TEXTS,
    some.recursive(
        _SCALARS,
        lambda inner: some.lists(inner, max_size=4) | some.dictionaries(_TEXTS, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=4,
)


def as_yaml_1_2(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield (*above, key)
            yield from paths(inner, (*above, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths(inner, (*above, str(index)))


@pytest.mark.slow
@given(_DOCUMENTS)
@example({"a": "x" * 300})
@example({"a": " ".join(["word"] * 60)})
@example({"a": [" ".join(["word"] * 60)]})
@example({"a": [[], {}, [[]], [{}]]})
@example({"a": [{"b": 1, "c": [1, 2]}, {"d": {}}]})
@example({"": "", "no": "no", "1": 1})
def test_every_document_reads_back(document: dict[str, Any]) -> None:
    text = to_yaml(document)
    assert yaml.safe_load(text) == document
    assert as_yaml_1_2(text) == document
    assert to_yaml(document) == text


@pytest.mark.slow
@given(_DOCUMENTS, some.data())
def test_comments_change_nothing(document: dict[str, Any], data: some.DataObject) -> None:
    known = list(paths(document))
    above = (
        data.draw(some.dictionaries(some.sampled_from(known), some.sampled_from(["one", "two\nthree"])))
        if known
        else {}
    )
    text = to_yaml(document, above)
    assert yaml.safe_load(text) == document
    assert as_yaml_1_2(text) == document


def test_a_document_as_a_person_reads_it() -> None:
    document = {
        "flat": {"a": 1, "b": "two", "c": None, "d": []},
        "nested": {"list": [1, "yes", True], "maps": [{"x": 1}, {"z": {"a": 2}}]},
        "commented": {"first": 1, "second": 2},
        "long": ["x" * 60, "y" * 60],
        "empty": {},
    }
    comments = {("commented", "second"): "Why it is two,\nand not one.", ("nested",): "Above a map."}
    assert to_yaml(document, comments) == (
        "flat: {a: 1, b: two, c: null, d: []}\n"
        "# Above a map.\n"
        "nested:\n"
        '  list: [1, "yes", true]\n'
        "  maps:\n"
        "    - {x: 1}\n"
        "    - z: {a: 2}\n"
        "commented:\n"
        "  first: 1\n"
        "  # Why it is two,\n"
        "  # and not one.\n"
        "  second: 2\n"
        "long:\n"
        f"  - {'x' * 60}\n"
        f"  - {'y' * 60}\n"
        "empty: {}\n"
    )


@pytest.mark.parametrize("length", [10, 90, 200, 5000])
def test_a_text_stands_on_one_line(length: int) -> None:
    """So that it can be searched for."""
    words = " ".join(["word"] * (length // 5))
    assert words in to_yaml({"a": words, "b": [f"{words}: {words}"]})
