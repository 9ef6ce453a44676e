"""YAML for people: keys in the order in which they were made, and comments that say why a line is there; and back."""

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.resolver import implicit_resolvers
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

Path = tuple[str, ...]
"""The keys that lead to a line of a document."""

Comments = Mapping[Path, str]
"""Comments by the path of the line that they stand above."""

_READER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml reads ten times as fast as Python does; PyYAML comes without it on some machines."""

_INDENT: Final = 2
_LINE: Final = 100
_NEVER: Final = 2**20


def from_yaml(text: str) -> Any:
    """What a text says. Raises yaml.YAMLError for one that is not YAML."""
    return yaml.load(text, _READER)  # noqa: S506 - a safe one either way


def to_yaml(document: Mapping[str, Any], comments: Comments | None = None) -> str:
    """The text of a document; the same document always gives the same bytes. Short lists and maps without further
    ones in them stand on one line, unless a comment belongs into them.
    """
    writer: Any = YAML()
    # A text that is folded has blanks at the ends of its lines, and cannot be searched for.
    writer.width = _NEVER
    writer.indent(mapping=_INDENT, sequence=2 * _INDENT, offset=_INDENT)
    stream = io.StringIO()
    writer.dump(_node(document, (), comments or {}), stream)
    return stream.getvalue()


def _node(value: Any, path: Path, comments: Comments) -> Any:
    if isinstance(value, Mapping):
        return _map(cast("Mapping[str, Any]", value), path, comments)
    if isinstance(value, (list, tuple)):
        return _list(cast("Sequence[Any]", value), path, comments)
    if isinstance(value, str) and _reads_otherwise(value):
        return DoubleQuotedScalarString(value)
    return value


def _map(values: Mapping[str, Any], path: Path, comments: Comments) -> Any:
    made: Any = CommentedMap()
    commented = False
    for key, value in values.items():
        here = (*path, key)
        made[_node(key, here, {})] = _node(value, here, comments)
        if comment := comments.get(here):
            commented = True
            made.yaml_set_comment_before_after_key(key, before=comment, indent=_INDENT * len(path))
    if not commented and _fits_a_line(values, values.values()):
        made.fa.set_flow_style()
    return made


def _list(values: Sequence[Any], path: Path, comments: Comments) -> Any:
    made: Any = CommentedSeq(_node(value, (*path, str(index)), comments) for index, value in enumerate(values))
    if _fits_a_line(values, values):
        made.fa.set_flow_style()
    return made


def _fits_a_line(whole: object, values: Iterable[Any]) -> bool:
    return len(str(whole)) <= _LINE and not any(value and isinstance(value, (Mapping, list, tuple)) for value in values)


def _reads_otherwise(value: str) -> bool:
    """Whether readers of the older YAML 1.1 would take a text such as `yes` or `0:30` for something else."""
    return _MARK.search(value) is not None or any(kind.fullmatch(value) for kind in _KINDS)


_MARK: Final = re.compile("^:|[?\x85]")
"""What may mark a key or break a line."""

_KINDS: Final[list[re.Pattern[str]]] = [
    kind for versions, _, kind, _ in cast("list[Any]", implicit_resolvers) if (1, 1) in versions
]
"""The looks of words that are no texts."""
