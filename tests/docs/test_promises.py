"""What we promise is held by tests that exist: nobody removes one and leaves the promise."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.docs.pages import ROOT

PAGES = ("reliability", "security")
_TEST = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)`")
_TABLE = re.compile(r"^\| promise \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", re.MULTILINE)
_ROW = re.compile(r"^\| (.+) \|$", re.MULTILINE)


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def names_in(path: str) -> Iterator[str]:
    """`test_it` and `TestThem::test_it`, as pytest names them."""
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def promises(name: str) -> list[str]:
    """The rows of tables of promises; what other tables say is no promise."""
    return [row for table in _TABLE.findall(page(name)) for row in _ROW.findall(table)]


@pytest.mark.parametrize("name", PAGES)
def test_each_promise_names_the_test_that_holds_it(name: str) -> None:
    rows = promises(name)
    assert rows
    assert [row for row in rows if not _TEST.search(row)] == []


@pytest.mark.parametrize("name", PAGES)
def test_the_tests_that_are_named_exist(name: str) -> None:
    named = _TEST.findall(page(name))
    known = {path: set(names_in(path)) for path, _ in named if (ROOT / path).is_file()}
    assert [f"{path}::{test}" for path, test in named if test not in known.get(path, ())] == []


@pytest.mark.parametrize("name", PAGES)
def test_what_needs_the_engine_says_so(name: str) -> None:
    for row in promises(name):
        assert ("*engine*" in row) == ("tests/pulumi_cli/" in row), row
