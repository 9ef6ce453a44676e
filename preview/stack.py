"""The configuration of a stack as the Pulumi CLI would hand it to the program: Pulumi.yaml and Pulumi.<stack>.yaml.

The rules are those of the CLI (`sdk/go/common/workspace/project.go` and `pkg/workspace/config.go` of pulumi/pulumi):
declared keys have types and defaults, a declared key of the project without default must be given, and what is no text
reaches the program as JSON. Encrypted values stay so: the program gets `<secret>` in their place, marked as a secret.
"""

import difflib
import json
import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import yaml

from documents.faults import Fault
from preview.recording import ProgramError, Secret

HIDDEN: Final = "<secret>"
"""Stands for every encrypted value, which only the CLI could decrypt."""

EXAMPLES: Final = "examples"
"""The folder of stack files that are rendered and proved there, and deployed from a copy beside Pulumi.yaml."""

_SECURE: Final = "secure"
_INTEGER: Final = re.compile(r"-?\d+")


@dataclass(frozen=True)
class StackFiles:
    """What the two files of a stack say. `values` is structured, `texts` is what the program gets, by full key."""

    project: str
    stack: str
    values: Mapping[str, Any]
    texts: Mapping[str, str]
    secret_keys: frozenset[str]
    warnings: tuple[str, ...]


def load(root: Path, stack: str, overrides: Mapping[str, Any] | None = None) -> StackFiles:
    """The configuration of `stack` in `root`.

    `overrides` go before the stack's file, as `pulumi up --config key=value` would; their keys may leave the project's
    name out, their values may be structured, and None takes a key away.

    Raises ProgramError with every fault.
    """
    project_file = root / "Pulumi.yaml"
    if not project_file.is_file():
        raise ProgramError(f"no Pulumi project in {root}: Pulumi.yaml does not exist")
    if stack not in (known := stack_files(root)):
        there = f"there are: {', '.join(sorted(known))}" if known else "there is none yet"
        raise ProgramError(f"no stack {stack!r}: Pulumi.{stack}.yaml does not exist; {there}")
    declared = mapping(project_file)
    project = declared.get("name")
    if not isinstance(project, str) or not project:
        raise ProgramError("Pulumi.yaml: name: is missing; give the project a name")
    stack_file = mapping(known[stack])

    faults: list[Fault] = []
    given = _section(stack_file, f"Pulumi.{stack}.yaml", faults)
    for key in [key for key in given if ":" not in key]:
        faults.append(Fault(key, "has no namespace", f"write {project}:{key}"))
        given[f"{project}:{key}"] = given.pop(key)
    for key, value in (overrides or {}).items():
        full = key if ":" in key else f"{project}:{key}"
        if value is None:
            given.pop(full, None)
        else:
            given[full] = value
    values, secret_keys = _declared(_section(declared, "Pulumi.yaml", faults), project, given, faults)
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise ProgramError(f"invalid configuration of stack {stack!r}:\n{lines}")

    warnings = (
        (f"Pulumi.{stack}.yaml: the values of its `environment` are known to the CLI only and are missing here",)
        if "environment" in stack_file
        else ()
    )
    texts = {key: _text(value) for key, value in values.items()}
    shown = {key: _veiled(given.get(key, value), key in secret_keys) for key, value in values.items()}
    return StackFiles(project, stack, shown, texts, frozenset(secret_keys), warnings)


def stack_files(root: Path) -> dict[str, Path]:
    """The file of each stack by its name: those in `root`, which the CLI knows as well, and the examples."""
    found = (path for folder in (root / EXAMPLES, root) for path in sorted(folder.glob("Pulumi.?*.yaml")))
    return {path.name[len("Pulumi.") : -len(".yaml")]: path for path in found}


def _declared(
    declarations: Mapping[str, Any], project: str, given: Mapping[str, Any], faults: list[Fault]
) -> tuple[dict[str, Any], set[str]]:
    """`given` with defaults and without what is encrypted, and the keys that had such. Adds to `faults`."""
    values = {key: _opened(value) for key, value in given.items()}
    secret_keys = {key for key, value in given.items() if _has_secure(value)}
    for key, stated in declarations.items():
        full = key if ":" in key else f"{project}:{key}"
        declaration = cast("dict[str, Any]", stated) if isinstance(stated, dict) else {"value": stated}
        if full in values:
            if declaration.get("secret") and full not in secret_keys:
                faults.append(Fault(full, "is not encrypted", f"set it with pulumi config set --secret {full}"))
            elif not declaration.get("secret") and not _is_of(declaration, values[full]):
                faults.append(Fault(full, "has the wrong type", f"give {_kind(declaration)}", values[full]))
        elif "value" in declaration or "default" in declaration:
            values[full] = declaration.get("value", declaration.get("default"))
        elif full.startswith(f"{project}:"):
            strangers = {other.removeprefix(f"{project}:") for other in given} - set(declarations)
            close = difflib.get_close_matches(key, strangers, n=1)
            hint = f" (is {close[0]!r} meant for it?)" if close else ""
            faults.append(Fault(full, "is missing", f"give {_kind(declaration)}{hint}"))
    return values, secret_keys


_KINDS: Final = {
    "string": "a text",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map of keys and values",
}


_ITEMS: Final = {"string": "texts", "integer": "whole numbers", "boolean": "true and false", "object": "maps"}


def _kind(declaration: Mapping[str, Any]) -> str:
    kind = _KINDS.get(str(declaration.get("type")), "a value")
    item = _ITEMS.get(str(_items_of(declaration).get("type")))
    return f"{kind} of {item}" if item else kind


def _items_of(declaration: Mapping[str, Any]) -> Mapping[str, Any]:
    stated = declaration.get("items")
    return cast("Mapping[str, Any]", stated) if isinstance(stated, Mapping) else {}


def _is_of(declaration: Mapping[str, Any], value: Any) -> bool:
    match declaration.get("type"):
        case "string":
            return isinstance(value, str)
        case "integer":
            return _is_integer(value)
        case "boolean":
            return isinstance(value, bool) or value in ("true", "false")
        case "array":
            return isinstance(value, list) and all(_is_of(_items_of(declaration), item) for item in _items(value))
        case "object":
            return isinstance(value, dict)
        case _:
            return True


def _is_integer(value: Any) -> bool:
    if isinstance(value, str):
        return _INTEGER.fullmatch(value) is not None
    return isinstance(value, int) and not isinstance(value, bool)


def _text(value: Any) -> str:
    # In the CLI's order of keys, which comes out again in what the program writes.
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _items(value: Any) -> list[Any]:
    return list(value)


def _is_secure(value: Any) -> bool:
    return isinstance(value, dict) and set(_items(value)) == {_SECURE}


def _has_secure(value: Any) -> bool:
    if _is_secure(value):
        return True
    if isinstance(value, dict):
        return any(_has_secure(value[key]) for key in _items(value))
    return isinstance(value, list) and any(_has_secure(item) for item in _items(value))


def _opened(value: Any) -> Any:
    """`value` as the program sees it, with a stand-in for what is encrypted."""
    if _is_secure(value):
        return HIDDEN
    if isinstance(value, dict):
        return {key: _opened(value[key]) for key in _items(value)}
    return [_opened(item) for item in _items(value)] if isinstance(value, list) else value


def _veiled(value: Any, secret: bool) -> Any:
    """`value` as a recording shows it. Where no part is encrypted but the key is secret, all of it is veiled."""
    if not secret:
        return value
    if _is_secure(value) or not _has_secure(value):
        return Secret(HIDDEN)
    if isinstance(value, dict):
        return {key: _veiled(value[key], _has_secure(value[key])) for key in _items(value)}
    return [_veiled(item, _has_secure(item)) for item in _items(value)]


def _section(document: Mapping[str, Any], file: str, faults: list[Fault]) -> dict[str, Any]:
    section = document.get("config")
    if section is None:
        return {}
    if not isinstance(section, dict):
        faults.append(Fault(f"{file}: config", "has the wrong type", "give a map of keys and values", section))
        return {}
    return {str(key): section[key] for key in _items(section)}


def mapping(path: Path) -> dict[str, Any]:
    """What a file of Pulumi's says, by its uppermost keys. Raises ProgramError for one that cannot be read."""
    try:
        document: Any = _read(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProgramError(f"{path.name}: cannot be read: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" in line {mark.line + 1}" if mark else ""
        raise ProgramError(f"{path.name}: not readable as YAML: {error.problem}{where}") from None
    except RecursionError:
        raise ProgramError(f"{path.name}: not readable as YAML: {_TOO_DEEP}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ProgramError(f"{path.name}: not readable as YAML: {error}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ProgramError(f"{path.name}: has no keys; give a map of keys and values")
    return {str(key): document[key] for key in _items(document)}


_MOST_LEVELS: Final = 100
_MOST_VALUES: Final = 200_000
"""Ten times what a stack of 500 applications has. Aliases of aliases make more than fits in memory of a few lines."""

_TOO_DEEP: Final = f"it has more than {_MOST_LEVELS} levels"


def _read(text: str) -> Any:
    """What a text says. Raises yaml.YAMLError, ValueError for a value that is not of its tag, and RecursionError."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        values, levels = _extent(node, {})
        if levels > _MOST_LEVELS:
            raise yaml.YAMLError(_TOO_DEEP)
        if values > _MOST_VALUES:
            raise yaml.YAMLError(f"with its aliases written out it has more than {_MOST_VALUES:,} values")
        return loader.construct_document(node)  # pyright: ignore[reportUnknownMemberType] - it has no types
    finally:
        loader.dispose()


def _extent(node: yaml.Node, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """How many values a node has with its aliases written out, and how many levels. `known` are those seen before."""
    if id(node) not in known:
        # For an alias to something that it is in, which the constructor refuses with its line.
        known[id(node)] = (1, 1)
        extents = [_extent(part, known) for part in _parts(node)]
        known[id(node)] = 1 + sum(count for count, _ in extents), 1 + max((depth for _, depth in extents), default=0)
    return known[id(node)]


def _parts(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair


class _Loader(yaml.SafeLoader):
    """YAML as the CLI's parser reads it: `yes`, `on`, `12:30` and dates are texts, and a key stands only once."""


_CORE_SCHEMA: Final = (
    ("null", r"(?:~|null|Null|NULL|)\Z", "~nN"),
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)\Z", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)\Z", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?\Z", "-+.0123456789"),
    ("merge", r"<<\Z", "<"),
)
"""Tag, pattern and first letters (YAML 1.2.2, section 10.3.2, and the merge key)."""

_NOT_JSON: Final = ("binary", "omap", "pairs", "set", "timestamp")
"""Tags of values that could not be handed to a program."""

_Loader.yaml_constructors = dict(yaml.SafeLoader.yaml_constructors)
for _tag in _NOT_JSON:
    del _Loader.yaml_constructors[f"tag:yaml.org,2002:{_tag}"]

_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _letters in _CORE_SCHEMA:
    for _letter in (*_letters, *([""] if _tag == "null" else [])):
        _known = _Loader.yaml_implicit_resolvers.setdefault(_letter, [])
        _known.append((f"tag:yaml.org,2002:{_tag}", re.compile(_pattern)))


def _unique(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue
        key: Any = loader.construct_object(key_node, deep=True)  # pyright: ignore[reportUnknownMemberType] - it has no types
        if isinstance(key, Hashable):
            if key in seen:
                problem = f"the key {key!r} stands twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
            seen.add(key)
    loader.flatten_mapping(node)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique)
