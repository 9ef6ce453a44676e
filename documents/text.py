"""YAML for people: keys in the order in which they were made, and comments that say why a line is there; and back."""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

import yaml

Path = tuple[str, ...]
"""The keys that lead to a line of a document."""

Comments = Mapping[Path, str]
"""Comments by the path of the line that they stand above."""

_READER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml reads ten times as fast as Python does; PyYAML comes without it on some machines."""

_INDENT: Final = "  "
_LINE: Final = 100
_NEVER: Final = 2**20
_LONGEST_KEY: Final = 1000
"""Readers look for the colon of a key no further than 1,024 characters."""


class Block(str):
    """A text of lines that is written as they are, not as one line with breaks in it; its last line ends as all do."""

    __slots__ = ()


def from_yaml(text: str) -> Any:
    """What a text says. Raises yaml.YAMLError for one that is not YAML."""
    return yaml.load(text, _READER)  # noqa: S506 - a safe one either way


def to_yaml(document: Mapping[str, Any], comments: Comments | None = None) -> str:
    """The text of a document; the same document always gives the same bytes. Short lists and maps without further
    ones in them stand on one line, unless a comment belongs into them.

    The lines are made here and their scalars by a library, which would take ten times as long for the lines.
    """
    lines = _lines(document, (), comments or {}) if document else ["{}"]
    return "".join(f"{line}\n" for line in lines)


def _lines(value: Any, path: Path, comments: Comments) -> Iterator[str]:
    """The lines of what does not fit one, from the left margin."""
    if isinstance(value, Block):
        yield from value.splitlines()
    elif isinstance(value, Mapping):
        yield from _of_map(cast("Mapping[str, Any]", value), path, comments)
    else:
        yield from _of_list(cast("Sequence[Any]", value), path, comments)


def _of_map(values: Mapping[str, Any], path: Path, comments: Comments) -> Iterator[str]:
    for key, value in values.items():
        here = (*path, key)
        yield from (f"# {line}" for line in comments.get(here, "").splitlines())
        name = _scalar(key)
        if len(name) > _LONGEST_KEY:
            yield f"? {name}"
            name = ""
        head = _head(value, here, comments)
        yield f"{name}: {head}" if head else f"{name}:"
        if head in _ABOVE_LINES:
            yield from (_INDENT + line if line else "" for line in _lines(value, here, comments))


def _of_list(values: Sequence[Any], path: Path, comments: Comments) -> Iterator[str]:
    for index, value in enumerate(values):
        here = (*path, str(index))
        head = _head(value, here, comments)
        below = _lines(value, here, comments) if head in _ABOVE_LINES else iter(())
        yield f"- {head or next(below)}"
        yield from (_INDENT + line if line else "" for line in below)


_ABOVE_LINES: Final = ("", "|")


def _head(value: Any, path: Path, comments: Comments) -> str:
    """What stands on the line of its key: all of the value, or one of `_ABOVE_LINES`."""
    if isinstance(value, Block) and _AS_IT_IS.fullmatch(value):
        return "|"
    if isinstance(value, Mapping):
        values = cast("Mapping[str, Any]", value)
        if any((*path, key) in comments for key in values) or not _fits_a_line(values, values.values()):
            return ""
        return f"{{{', '.join(f'{_flow(key)}: {_flow(inner)}' for key, inner in values.items())}}}"
    if isinstance(value, (list, tuple)):
        values = cast("Sequence[Any]", value)
        return f"[{', '.join(map(_flow, values))}]" if _fits_a_line(values, values) else ""
    return _scalar(value)


def _fits_a_line(whole: object, values: Iterable[Any]) -> bool:
    nested = any(value and isinstance(value, (Mapping, list, tuple)) for value in values)
    return not nested and len(str(whole)) <= _LINE


def _flow(value: Any) -> str:
    """Of a value within a line."""
    if isinstance(value, Mapping):
        return "{}"
    return "[]" if isinstance(value, (list, tuple)) else _scalar(value, flow=True)


@functools.lru_cache(maxsize=2**14, typed=True)
def _scalar(value: Any, *, flow: bool = False) -> str:
    """Of a value that is neither a list nor a map. Most texts of a stack stand in it many times."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and not _reads_otherwise(value):
        return value
    # A text that is folded has blanks at the ends of its lines, and cannot be searched for.
    written = yaml.dump({"x": value}, Dumper=_Writer, default_flow_style=flow, width=_NEVER, allow_unicode=True)
    return written[len("{x: ") : -len("}\n")] if flow else written[len("x: ") : -len("\n")]


def _text(writer: Any, value: str) -> Any:
    return writer.represent_scalar(_TEXT, str(value), style='"' if _reads_otherwise(value) else None)


_TEXT: Final = "tag:yaml.org,2002:str"
_Writer: Final[Any] = type("_Writer", (getattr(yaml, "CSafeDumper", yaml.SafeDumper),), {})
"""Quotes what only some readers take for a text."""

for _kind in (str, Block):
    _Writer.add_representer(_kind, _text)


def _reads_otherwise(value: str) -> bool:
    """Whether a reader of either version of YAML would take a text such as `yes`, `0:30` or `0o17` for something
    else."""
    return _MARK.search(value) is not None or any(kind.match(value) for kind in _KINDS)


_PLAIN: Final = re.compile(r"[A-Za-z_/][\w./-]*(?: [\w./-]+)*", re.ASCII)
"""A text that no reader takes for anything but itself, unless it is one of the words of YAML 1.1."""

_AS_IT_IS: Final = re.compile(r"[!-~][ -~]*\n(?:[ -~]*\n)*(?:[ -~]*[!-~]\n)")
"""Lines that a block of them gives back to the last character."""

_MARK: Final = re.compile("^:|[?\n\r\x85\u2028\u2029]")
"""What may mark a key or break a line."""

_KINDS: Final[Sequence[re.Pattern[str]]] = (
    *{kind for kinds in yaml.SafeDumper.yaml_implicit_resolvers.values() for tag, kind in kinds if tag != _TEXT},
    re.compile(
        r"(?:[yYnN]|[-+]?0o[0-7]+|[-+]?0x[0-9a-fA-F]+|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)$"
    ),
)
"""The looks of words that are no texts: those of YAML 1.1 as the library has them, and the core schema of 1.2."""
