"""The page of the component package: what a program in any Pulumi language gives a component, and gets from it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from manual import kinds, markdown

Schema = Mapping[str, Any]

_INTRODUCTION: Final = """\
# Components

<!-- Made by `make reference` from components/schema.json; change what the schema is made from, not this page. -->

The package `{name}` for every Pulumi language. What is checked in a stack file is checked here, with the same messages.
Names are those of the schema; each language writes them in its own way (`loadBalancer`, in Python `load_balancer`).
How a program gets it: [the component package](../package.md).
"""


def page(schema: Schema, keys: Iterable[str]) -> str:
    """The Markdown text for a package's schema. `keys` are the anchors of the page of all keys of a stack file, where
    the keys of an input are explained."""
    known = frozenset(keys)
    lines = [_INTRODUCTION.format(name=schema["name"])]
    for token, resource in sorted(schema["resources"].items()):
        lines += [f"## `{token}`", "", markdown.linked(resource.get("description", "")), ""]
        lines += ["### Inputs", "", *_inputs(schema, resource, known), ""]
        lines += ["### Outputs", "", *_outputs(schema, resource), ""]
    return "\n".join(lines).rstrip() + "\n"


def _inputs(schema: Schema, resource: Schema, known: frozenset[str]) -> Iterator[str]:
    required = resource.get("requiredInputs", ())
    properties: Mapping[str, Schema] = resource["inputProperties"]
    yield from markdown.table(
        ("input", "type", "", "meaning"),
        (
            (
                _explained(name, known),
                _kind(schema, one),
                "required" if name in required else "",
                markdown.linked(one.get("description", "")),
            )
            for name, one in properties.items()
        ),
    )


def _outputs(schema: Schema, resource: Schema) -> Iterator[str]:
    always = resource.get("required", ())
    properties: Mapping[str, Schema] = resource["properties"]
    yield from markdown.table(
        ("output", "type", "", "meaning"),
        (
            (
                f"`{name}`",
                _kind(schema, one),
                "always there" if name in always else "",
                markdown.linked(one.get("description", "")),
            )
            for name, one in properties.items()
        ),
    )


def _explained(name: str, known: frozenset[str]) -> str:
    """A link to where the keys of an input are, if it is a key of stack files with keys of its own."""
    anchor = next((anchor for anchor in (name.lower(), f"{name.lower()}n") if anchor in known), "")
    return f"[`{name}`](configuration.md#{anchor})" if anchor else f"`{name}`"


def _kind(schema: Schema, fragment: Schema) -> str:
    if name := fragment.get("$ref", "").removeprefix("#/types/"):
        if words := schema["types"].get(name, {}).get("enum"):
            return ", ".join(f"`{word['value']}`" for word in words)
        return "map"
    if alternatives := fragment.get("oneOf"):
        return " or ".join(dict.fromkeys(_kind(schema, one) for one in alternatives))
    if items := fragment.get("items"):
        return f"list of {kinds.plural(_kind(schema, items))}"
    if values := fragment.get("additionalProperties"):
        return f"map of {kinds.plural(_kind(schema, values))}"
    return kinds.KINDS[fragment["type"]]
