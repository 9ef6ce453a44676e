"""The contents of the site: every page of docs/ is in it once, and nothing else is."""

import importlib.util
import re
from posixpath import dirname, normpath
from types import ModuleType

import pytest

from tests.docs.pages import ROOT, pages


@pytest.fixture(scope="module")
def site() -> ModuleType:
    """docs/conf.py, as Sphinx runs it."""
    spec = importlib.util.spec_from_file_location("conf", ROOT / "docs/conf.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_listed_once(site: ModuleType) -> None:
    listed = [
        normpath(f"{dirname(name)}/{link}.md")
        for name in site.CONTENTS
        for _, links in site.contents((ROOT / f"{name}.md").read_text())
        for _, link in links
    ]
    own = {name for name in pages() if name.startswith(("docs/", "sample/")) or "/" not in name}
    assert sorted(listed) == sorted(own - {"docs/index.md"})


def test_a_chapter_is_a_heading_with_the_pages_of_its_lists(site: ModuleType) -> None:
    page = (
        "# T\n\n* [Zero](zero.md)\n\n## A\n\nsee [no](no.md)\n\n* [One](one.md): it\n| [Two](b/two.md) | x |\n\n## B\n"
    )
    assert list(site.contents(page)) == [
        ("", [("Zero", "zero")]),
        ("A", [("One", "one"), ("Two", "b/two")]),
    ]


def test_the_version_is_the_project_s(site: ModuleType) -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert site.version == version[1]
    assert f"## [{version[1]}]" in (ROOT / "CHANGELOG.md").read_text()
