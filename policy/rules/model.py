"""What a rule is, and what it looks at."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

Inputs = Mapping[str, Any]


@dataclass(frozen=True)
class Resource:
    """A resource as the engine has it: `type` is a token such as `aws:sns/topic:Topic`, keys of `inputs` are camelCase.

    Where one resource refers to another (`REFERENCES`), its inputs have one of the other's `names`.
    """

    type: str
    urn: str
    inputs: Inputs
    id: str = ""

    @property
    def names(self) -> frozenset[str]:
        """What others may call it."""
        return frozenset({self.urn, self.id})


REFERENCES: Final = frozenset({"bucket", "role", "securityGroupId", "securityGroups"})
"""The inputs by which rules tell what belongs together."""


@dataclass(frozen=True)
class ResourceRule:
    """A rule about one resource. `check` returns what is wrong, one text each. A rule that is `advisory` warns only."""

    name: str
    description: str
    check: Callable[[str, Inputs], list[str]]
    advisory: bool = False


@dataclass(frozen=True)
class StackRule:
    """A rule about all resources of a stack. `check` returns the resource that is at fault beside what is wrong."""

    name: str
    description: str
    check: Callable[[Sequence[Resource]], list[tuple[Resource, str]]]


def items(value: Any) -> list[Any]:
    """A value that AWS takes alone or in a list, as a list."""
    if value is None:
        return []
    # Not only lists: the pack's inputs are proxies, which refuse what a preview does not know.
    return list(cast(Sequence[Any], value)) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def of_type(resources: Sequence[Resource], *types: str) -> Iterator[Resource]:
    """The resources of some types."""
    return (resource for resource in resources if resource.type in types)


def is_true(value: Any) -> bool:
    """Whether a flag is set; some resources take it as a text."""
    return value is True or value == "true"


def containers(type_: str, inputs: Inputs) -> list[Mapping[str, Any]]:
    """The containers of a task definition, which may be JSON text; none of anything else."""
    if type_ != "aws:ecs/taskDefinition:TaskDefinition":
        return []
    text = inputs["containerDefinitions"]
    return cast(list[Mapping[str, Any]], json.loads(text) if isinstance(text, str) else text)
