"""The documentation as a site: `make docs` builds it with Sphinx. The pages are plain Markdown, as GitHub shows them.

The root is the project's folder, so that its README, CHANGELOG and CONTRIBUTING are pages of the site where they are.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sphinx.application import Sphinx

_ROOT: Final = Path(__file__).resolve().parent.parent

project = "ecs-observability"
author = copyright = "the authors of ecs-observability"  # noqa: A001 - Sphinx's name
version = release = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

extensions = ["myst_parser", "sphinx_copybutton"]
root_doc = "docs/index"
include_patterns = ["docs/**.md", "*.md", "sample/README.md"]
# Folders that are not even walked.
exclude_patterns = [".*", "build", "node_modules"]

myst_heading_anchors = 6
myst_links_external_new_tab = False
nitpicky = True

html_theme = "furo"
html_title = project
html_copy_source = False
html_show_sourcelink = False
html_extra_path = ["site"]
html_static_path = ["static"]
html_css_files = ["pages.css"]
copybutton_exclude = ".linenos, .gp, .go"

CONTENTS: Final = ("docs/index", "docs/runbooks/README", "docs/decisions/README", "docs/dashboards/README")
"""Pages whose lists of links are the contents of the site: a page is where a reader of the list finds it."""

_PAGE: Final = re.compile(r"\[([^\]]+)\]\(([\w./-]+)\.md\)")


def contents(page: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The chapters of a page of contents: its heading, and of each page that its lists and tables link to what the link
    says and the page without suffix."""
    for chapter in re.split(r"^## ", f"\n{page}", flags=re.MULTILINE):
        heading, _, text = chapter.partition("\n")
        listed = [line for line in text.splitlines() if line.startswith(("* ", "| "))]
        if links := list(dict.fromkeys(_PAGE.findall("\n".join(listed)))):
            yield heading, links


def _with_toctrees(_app: Sphinx, name: str, source: list[str]) -> None:
    """Puts toctrees that nobody sees behind a page of contents; GitHub would show the directive as text."""
    if name in CONTENTS:
        source[0] += "".join(_toctree(heading, links) for heading, links in contents(source[0]))


def _toctree(heading: str, links: list[tuple[str, str]]) -> str:
    caption = [f":caption: {heading}"] if heading else []
    entries = [f"{text} <{page}>" for text, page in links]
    return "\n".join(("\n```{toctree}", ":hidden:", *caption, "", *entries, "```\n"))


def setup(app: Sphinx) -> None:
    """Sphinx's hook for what a configuration adds."""
    app.connect("source-read", _with_toctrees)
