"""Two recorded states of a stack compared: what an update from the one to the other would delete or replace.

What replaces a resource is what the stand-in providers know (tests/pulumi_cli/providers.py). It is no substitute for
the engine's own diff, which tests/pulumi_cli runs where there is a Pulumi CLI.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from preview.recorder import Recording, Resource
from tests.pulumi_cli.providers import EVERYTHING, NEVER_REPLACES, REPLACED_BY


def lost(before: Recording, after: Recording) -> dict[str, str]:
    """What happens to each resource that holds data, by name: `deleted`, or `replaced by <input>`. Resources hold data
    if they are protected; both recordings are of a stack that says `protect`.

    In another region everything is another: it is a property of AWS's resources which the provider fills in, and no
    input; what is in Grafana goes with its workspace."""
    held = {one.urn: one for one in before.resources if one.options.get("protect")}
    assert held, "the stack does not say protect"
    there = {one.urn: one for one in after.resources}
    moved = before.region != after.region
    replaced = dict.fromkeys(held, "region") if moved else _replaced(before, there)
    return {
        one.name: f"replaced by {replaced[urn]}" if urn in there else "deleted"
        for urn, one in sorted(held.items(), key=lambda item: item[1].name)
        if urn not in there or urn in replaced
    }


def _replaced(before: Recording, after: Mapping[str, Resource]) -> dict[str, str]:
    """The inputs that replace resources by URN, also where such an input names another resource that is replaced."""
    found: dict[str, str] = {}
    while True:
        new = {f"<{after[urn].name}." for urn in found}
        more = {
            one.urn: path
            for one in before.resources
            if one.custom and one.urn in after and one.urn not in found
            for path in _changed(one, after[one.urn], new)
        }
        if not more:
            return found
        found |= more


def _changed(old: Resource, new: Resource, replaced: set[str]) -> Iterator[str]:
    paths = REPLACED_BY.get(old.type, frozenset())
    if paths >= EVERYTHING:
        paths = frozenset({*old.inputs, *new.inputs}) - NEVER_REPLACES
    for path in sorted(paths - set(new.options.get("ignore_changes", ()))):
        was, will_be = _at(old.inputs, path), _at(new.inputs, path)
        if was != will_be or any(name in str(will_be) for name in replaced):
            yield path


def _at(inputs: Mapping[str, Any], path: str) -> Any:
    value: Any = inputs
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
