"""The page of every key of a stack file."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from manual import kinds, markdown

Schema = Mapping[str, Any]

_HEAD: Final = ("key", "type", "default", "allowed", "meaning")
_INTRODUCTION: Final = """\
# Every key of a stack file

<!-- Made by `make reference` from the models in documents/; change their docstrings, not this page. -->

Keys stand under `config:` of `Pulumi.<stack>.yaml` with the prefix `ecs-observability:`. `N` stands for a place in a
list, `NAME` for a name of your choice. What no type can say (which sizes Fargate has, what goes with what) is checked
all the same, before anything is made. How to begin, and what not to change later:
[the stack file](../configuration.md).
"""


def page(schema: Schema) -> str:
    """The Markdown text for the schema of a stack."""
    reference = _Reference(schema)
    lines = [_INTRODUCTION, "## All of them", "", *reference.table(schema)]
    for path, definition in reference.sections():
        level = "##" if path.removesuffix(".N") in schema["properties"] else "###"
        text = markdown.linked(" ".join(definition.get("description", "").split()))
        lines += ["", f"{level} `{path}`", "", *([text, ""] if text else []), *reference.table(definition)]
    return "\n".join(lines) + "\n"


class _Reference:
    """The maps of a schema, each with the path at which it comes first: a map that several keys have stands once."""

    def __init__(self, schema: Schema) -> None:
        self._definitions: Schema = schema["$defs"]
        self._paths: dict[str, str] = {}
        self._find(schema, "")

    def sections(self) -> Iterator[tuple[str, Schema]]:
        """Path and definition of every map, in the order of the keys."""
        for name, path in self._paths.items():
            yield path, self._definitions[name]

    def table(self, definition: Schema) -> Iterator[str]:
        """The table of the keys of a map."""
        required = definition.get("required", ())
        properties: Mapping[str, Schema] = definition["properties"]
        yield from markdown.table(
            _HEAD, (self._row(key, one, required=key in required) for key, one in properties.items())
        )

    def _row(self, key: str, fragment: Schema, *, required: bool) -> Iterator[str]:
        shown = next((self._paths[name] for name, _ in self._maps(fragment, "")), "")
        yield f"[`{key}`](#{_anchor(shown)})" if shown else f"`{key}`"
        yield self._type(fragment)
        yield "required" if required else self._default(fragment)
        yield "; ".join(dict.fromkeys(self._allowed(fragment)))
        yield markdown.linked(fragment["description"])

    def _find(self, definition: Schema, path: str) -> None:
        for key, fragment in definition["properties"].items():
            for name, below in self._maps(fragment, f"{path}.{key}" if path else key):
                if name not in self._paths:
                    self._paths[name] = below
                    self._find(self._definitions[name], below)

    def _maps(self, fragment: Schema, path: str) -> Iterator[tuple[str, str]]:
        """The names of all maps with known keys in a fragment, and the path of each."""
        if (name := _name(fragment)) and "properties" in self._definitions[name]:
            yield name, path
        for one in _alternatives(fragment):
            yield from self._maps(one, path)
        if items := _nested(fragment, "items"):
            yield from self._maps(items, f"{path}.N")
        if values := _nested(fragment, "additionalProperties"):
            yield from self._maps(values, f"{path}.NAME")

    def _type(self, fragment: Schema) -> str:
        if alternatives := _alternatives(fragment):
            return " or ".join(dict.fromkeys(self._type(one) for one in alternatives if one.get("type") != "null"))
        if name := _name(fragment):
            return self._type(self._definitions[name])
        if not fragment.get("type"):
            return kinds.ANYTHING
        if fragment["type"] == "array":
            return f"list of {kinds.plural(self._type(fragment['items']))}"
        if values := _nested(fragment, "additionalProperties"):
            return f"map of {kinds.plural(self._type(values))}"
        return kinds.KINDS[fragment["type"]]

    def _default(self, fragment: Schema) -> str:
        default = fragment.get("default")
        if default is None or default == []:
            return "none"
        if isinstance(default, Mapping):
            # What is in it is said where its keys are.
            return "" if default else "none"
        words = cast("list[Any]", default) if isinstance(default, list) else [default]
        return ", ".join(f"`{_written(word)}`" for word in words)

    def _allowed(self, fragment: Schema) -> Iterator[str]:
        """What of a type is allowed; of a map nothing, since its keys say it."""
        for one in _alternatives(fragment):
            yield from self._allowed(one)
        if (name := _name(fragment)) and "enum" in (definition := self._definitions[name]):
            yield from self._allowed(definition)
        if words := fragment.get("enum", [fragment["const"]] if "const" in fragment else []):
            yield ", ".join(f"`{_written(word)}`" for word in words)
        if fragment.get("type") in ("integer", "number"):
            yield from _range(fragment)
        if fragment.get("type") == "string":
            yield from _count(fragment, "Length", "character")
        if fragment.get("type") == "array":
            yield from _count(fragment, "Items", "entry", "entries")
            yield from self._allowed(fragment["items"])


def _name(fragment: Schema) -> str:
    """The name of the definition that a fragment refers to, if it does."""
    return str(fragment.get("$ref", "")).rpartition("/")[2]


def _nested(fragment: Schema, key: str) -> Schema:
    """The schema under a key, empty where there is none; `additionalProperties` may be a truth value too."""
    value = fragment.get(key)
    return cast(Schema, value) if isinstance(value, Mapping) else {}


def _alternatives(fragment: Schema) -> list[Schema]:
    return fragment.get("anyOf") or fragment.get("oneOf") or []


def _range(fragment: Schema) -> Iterator[str]:
    # A constraint on a type with a validator of its own keeps pydantic's name.
    least = fragment.get("minimum", fragment.get("ge"))
    most = fragment.get("maximum", fragment.get("le"))
    above = fragment.get("exclusiveMinimum", fragment.get("gt"))
    upper = f"at most {most}" if most is not None else ""
    if least is not None:
        yield f"{least} to {most}" if most is not None else f"at least {least}"
    elif above is not None:
        yield f"above {above}, {upper}" if upper else f"above {above}"
    elif upper:
        yield upper


def _count(fragment: Schema, what: str, one: str, several: str = "") -> Iterator[str]:
    least, most = fragment.get(f"min{what}"), fragment.get(f"max{what}")
    several = several or f"{one}s"
    if least is not None and most is not None:
        yield f"{least} to {most} {several}"
    elif least is not None:
        yield f"at least {least} {one if least == 1 else several}"
    elif most is not None:
        yield f"at most {most} {several}"


def _written(value: Any) -> str:
    """A value as it stands in YAML."""
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def _anchor(path: str) -> str:
    return re.sub(r"[^\w-]", "", path.lower())
