"""Every link of every page leads somewhere: to a file, and to a heading in it. Nothing is asked from a network."""

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from manual.markdown import headings, links
from tests.docs.pages import ROOT, pages

PAGES = pages()
TARGETS = set(re.findall(r"^([a-z-]+):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE))


def problems(page: Path, target: str) -> str:
    """What is wrong with a link, if anything."""
    if urlsplit(target).scheme in ("http", "https"):
        return "" if urlsplit(target).netloc else "no host"
    name, _, anchor = unquote(target).partition("#")
    other = (page.parent / name).resolve() if name else page
    if not other.exists():
        return "no such file"
    if ROOT not in (other, *other.parents):
        return "leaves the project"
    if anchor and anchor not in {heading.anchor for heading in headings(other.read_text())}:
        return "no such heading"
    return ""


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    page = PAGES[name]
    found = {target: problems(page, target) for target in links(page.read_text())}
    assert {target: problem for target, problem in found.items() if problem} == {}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_one_title_and_no_gap_below_it(name: str) -> None:
    levels = [heading.level for heading in headings(PAGES[name].read_text())]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("name", PAGES)
def test_every_target_of_make_exists(name: str) -> None:
    said = re.findall(r"(?:`|^\s*)make ([a-z][a-z-]*)", PAGES[name].read_text(), re.MULTILINE)
    assert set(said) <= TARGETS


@pytest.mark.parametrize("name", PAGES)
def test_every_stack_that_make_is_told_exists(name: str) -> None:
    stacks = {path.name.split(".")[1] for path in [*ROOT.glob("Pulumi.*.yaml"), *ROOT.glob("examples/Pulumi.*.yaml")]}
    assert set(re.findall(r"STACK=([\w-]+)", PAGES[name].read_text())) <= stacks


def test_descriptions_in_the_project_file_name_pages_that_exist() -> None:
    text = yaml.safe_dump(yaml.safe_load((ROOT / "Pulumi.yaml").read_text()))
    assert [page for page in re.findall(r"docs/[\w/-]+\.md", text) if not (ROOT / page).is_file()] == []


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("README.md", ""),
        ("docs/costs.md#costs", ""),
        ("docs/costs.md#no-such", "no such heading"),
        ("docs/no.md", "no such file"),
        ("../elsewhere", "no such file"),
        ("https://example.com/x", ""),
        ("https:///x", "no host"),
    ],
)
def test_what_is_wrong_with_a_link(target: str, problem: str) -> None:
    assert problems(ROOT / "README.md", target) == problem
