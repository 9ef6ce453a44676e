"""What a program asked the Pulumi engine for, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


class ProgramError(Exception):
    """A stack or a program that the Pulumi engine would refuse. The text is for the person who wrote it."""


@dataclass(frozen=True, repr=False)
class Secret:
    """A value that Pulumi keeps encrypted. Compares by value, never prints it."""

    value: Any

    def __repr__(self) -> str:
        return "[secret]"


class Unknown:
    """A value that a preview cannot know. There is one: `UNKNOWN`."""

    def __repr__(self) -> str:
        return "[unknown]"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Resource:
    """One resource as the engine was asked for it.

    `parent`, `dependencies` and `provider` are URNs; a resource without parent is a child of the stack itself.
    `inputs` have the engine's camelCase keys, secrets in them are `Secret`, what a preview cannot know is `UNKNOWN`.
    `options` has only what was set: deleted_with, protect, replacement_trigger, hooks, ignore_changes,
    delete_before_replace, replace_on_changes, retain_on_delete, aliases, import_id, custom_timeouts, and `read` with
    the id of a resource that exists already and is only looked up. `outputs` is what a component registered.
    """

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    inputs: Mapping[str, Any]
    dependencies: tuple[str, ...]
    provider: str
    options: Mapping[str, Any]
    outputs: Mapping[str, Any]

    @property
    def made(self) -> bool:
        """Whether the stack makes it: it is no component, and not only looked up."""
        return self.custom and "read" not in self.options


@dataclass(frozen=True)
class Recording:
    """One run of a program. `resources` are sorted by URN and leave the stack itself out.

    `config` is the stack's whole configuration with defaults, structured, by full key (`project:key`).
    """

    project: str
    stack: str
    region: str
    config: Mapping[str, Any]
    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any]
    warnings: tuple[str, ...]

    def of_type(self, token: str) -> tuple[Resource, ...]:
        """All resources of a type token such as `aws:amp/workspace:Workspace`."""
        return tuple(resource for resource in self.resources if resource.type == token)

    def named(self, token: str, name: str) -> Resource:
        """The one resource of that type and name. KeyError names those that there are."""
        found = [resource for resource in self.of_type(token) if resource.name == name]
        if len(found) != 1:
            known = ", ".join(resource.name for resource in self.of_type(token)) or "none"
            raise KeyError(f"{len(found)} resources {name!r} of type {token}; there are: {known}")
        return found[0]

    def by_urn(self, urn: str) -> Resource:
        """The resource with that URN."""
        return next(resource for resource in self.resources if resource.urn == urn)
