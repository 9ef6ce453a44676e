"""The rendered documents of a stack, to be read beside what they did."""

import html
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pygments
from markupsafe import Markup
from pygments.formatter import Formatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename  # pyright: ignore[reportUnknownVariableType] - it has no types
from pygments.token import Comment, Generic, Keyword, Literal, Name, Token
from pygments.util import ClassNotFound

_FOLDERS: Final = {
    "": "The stack",
    "collector": "Collectors",
    "tasks": "Task definitions",
    "policies": "Roles",
    "dashboards": "Dashboards",
    "rules": "Rules",
    "alertmanager": "Alertmanager",
    "alarms": "Alarms",
    "local": "Grafana of one's own",
}
"""What people call a folder of documents; any other is called by its own name."""

_TAGS: Final = {
    Name.Tag: "b",
    Keyword: "b",
    Generic.Heading: "b",
    Generic.Subheading: "b",
    Literal.String: "i",
    Literal.Number: "u",
    Keyword.Constant: "u",
    Comment: "s",
}
"""Elements of one letter: `<span class=...>` around each token would make a dashboard four times as long."""


_LARGE: Final = 200_000
"""Characters from which on a file is not coloured: nobody reads it from its beginning."""


@dataclass(frozen=True)
class Document:
    """One file. `name` is its path within its folder, `code` its text, coloured."""

    path: str
    name: str
    lines: int
    size: str
    code: Markup


def shelves(documents: Mapping[str, str]) -> list[tuple[str, list[Document]]]:
    """Every document by its folder, in the order in which one reads them."""
    found: dict[str, list[Document]] = {title: [] for title in _FOLDERS.values()}
    for path, text in sorted(documents.items(), key=lambda one: (one[0] != "summary.md", one[0])):
        folder = path.partition("/")[0] if "/" in path else ""
        found.setdefault(_FOLDERS.get(folder, folder), []).append(_document(path, text))
    return [(title, members) for title, members in found.items() if members]


def _document(path: str, text: str) -> Document:
    size = len(text.encode())
    shown = f"{size / 1024:.0f} KiB" if size >= 1024 else f"{size} B"
    return Document(path, path.partition("/")[2] or path, text.count("\n"), shown, coloured(path, text))


def coloured(path: str, text: str) -> Markup:
    """A text as markup; every character of it is there, and none of it is markup of its own."""
    return Markup(pygments.highlight(text, _lexer(path if len(text) < _LARGE else ""), _Short()))  # noqa: S704 - the formatter escapes all text


def _lexer(path: str) -> Lexer:
    try:
        return get_lexer_for_filename(path, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return get_lexer_by_name("text", stripnl=False, ensurenl=False)


class _Short(Formatter[str]):
    """Pygments' HTML formatter with elements of one letter."""

    def format(self, tokensource: Iterable[tuple[Any, str]], outfile: Any) -> None:
        """Writes the markup of all tokens."""
        for tag, text in _merged(tokensource):
            escaped = html.escape(text, quote=False)
            outfile.write(f"<{tag}>{escaped}</{tag}>" if tag else escaped)


def _merged(tokens: Iterable[tuple[Any, str]]) -> Iterator[tuple[str, str]]:
    """Neighbours of one colour are one."""
    last = ""
    texts: list[str] = []
    for kind, text in tokens:
        tag = _tag(kind)
        if tag != last:
            yield last, "".join(texts)
            last, texts = tag, []
        texts.append(text)
    yield last, "".join(texts)


def _tag(kind: Any) -> str:
    while kind is not Token and kind is not None:
        if kind in _TAGS:
            return _TAGS[kind]
        kind = kind.parent
    return ""
