"""What stands in a Markdown page of this project: headings with their anchors, links, blocks of code."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_HEADING: Final = re.compile(r"(#{1,6}) +(.+?) *#*")
_FENCE: Final = re.compile(r" *(`{3,}|~{3,})(.*)")
_LINK: Final = re.compile(r"(?<!\\)\]\(([^)\s]+)(?: \"[^\"]*\")?\)")
_LINKED: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_CODE: Final = re.compile(r"`[^`]*`")
_PAGE: Final = re.compile(r"docs/((?:[\w-]+/)*(?:\d+-)?)([\w-]+)\.md(#[\w-]+)?")
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)


@dataclass(frozen=True)
class Heading:
    """`text` as it is written; `anchor` as GitHub makes it, and the site with it."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True)
class Block:
    """A block of code: what stands behind its fence, its lines, the line of the page on which its fence stands, and the
    comment in the line before, which may say something of it."""

    language: str
    text: str
    line: int
    remark: str


def headings(page: str) -> list[Heading]:
    """All headings of a page; of several with the same text the later ones have a number behind their anchor."""
    found: list[Heading] = []
    seen: dict[str, int] = {}
    for line in _prose(page):
        if match := _HEADING.fullmatch(line):
            anchor = _anchor(match[2])
            before = seen.get(anchor, 0)
            seen[anchor] = before + 1
            found.append(Heading(len(match[1]), match[2], f"{anchor}-{before}" if before else anchor))
    return found


def links(page: str) -> list[str]:
    """The targets of all links and pictures of a page, as they are written."""
    text = _COMMENT.sub("", "\n".join(_prose(page)))
    return _LINK.findall(_CODE.sub("", text))


def blocks(page: str) -> list[Block]:
    """All blocks of code of a page."""
    found: list[Block] = []
    fence, language, start, lines, before, remark = "", "", 0, list[str](), "", ""
    for number, line in enumerate(page.splitlines(), 1):
        match = _FENCE.fullmatch(line)
        if fence:
            if match and match[1].startswith(fence) and not match[2].strip():
                found.append(Block(language, "\n".join(lines) + "\n", start, remark))
                fence = ""
            else:
                lines.append(line)
        elif match:
            fence, language, start, lines = match[1], match[2].strip(), number, []
            remark = said[1].strip() if (said := re.fullmatch(r" *<!--(.*)-->", before)) else ""
        before = line
    return found


def linked(text: str) -> str:
    """A text whose names of pages (`docs/tasks.md#when`) are links, for a page in docs/reference."""
    return _PAGE.sub(lambda found: f"[{found[2].replace('-', ' ')}](../{found[1]}{found[2]}.md{found[3] or ''})", text)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """The lines of a table."""
    names = tuple(head)
    yield _row(names)
    yield "|" + "---|" * len(names)
    for row in rows:
        # A bar ends a cell, also between backticks.
        yield _row(re.sub(r"(?<!\\)\|", r"\\|", " ".join(cell.split())) for cell in row)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _prose(page: str) -> Iterator[str]:
    """The lines outside of blocks of code."""
    fence = ""
    for line in page.splitlines():
        match = _FENCE.fullmatch(line)
        if fence:
            if match and match[1].startswith(fence) and not match[2].strip():
                fence = ""
        elif match:
            fence = match[1]
        else:
            yield line


def _anchor(heading: str) -> str:
    text = _LINKED.sub(r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
