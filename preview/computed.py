"""What a provider computes: the outputs of a resource type that are no inputs, and what stands for them."""

import importlib
import sys
import typing
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, cast

import pulumi
from pulumi.runtime import rpc

_DEEPEST: Final = 3
_NONE: Final = type(None)


@cache
def outputs_of(token: str) -> Mapping[str, tuple[Any, bool]]:
    """Outputs of a resource type by engine name: their Python type, and whether the provider always has a value.

    Read from the annotations of the SDK's own class, found through the registry that the SDK fills for itself.
    """
    package, _, rest = token.partition(":")
    module = rpc.get_resource_module(package, rest.rpartition(":")[0], "")
    known = cast("Mapping[str, Any]", getattr(module, "mod_info", {}))
    class_name = known.get("classes", {}).get(token)
    if class_name is None:
        return {}
    resource_class = getattr(importlib.import_module(known["fqn"]), class_name)
    return _annotated(resource_class)


def _annotated(owner: Any) -> dict[str, tuple[Any, bool]]:
    """Properties of a generated class by engine name, each with its type and whether it is required."""
    found: dict[str, tuple[Any, bool]] = {}
    for attribute in cast("Mapping[str, Any]", vars(owner)).values():
        if isinstance(attribute, property) and attribute.fget is not None:
            getter = attribute.fget
            kind = typing.get_type_hints(getter, globalns=vars(sys.modules[getter.__module__])).get("return")
            if typing.get_origin(kind) is pulumi.Output:
                (kind,) = typing.get_args(kind)
            options = typing.get_args(kind)
            required = _NONE not in options
            if not required:
                kind = next(option for option in options if option is not _NONE)
            name = getattr(getter, "_pulumi_name", getter.__name__)
            found[name] = (kind, required)
    return found


def placeholder(kind: Any, path: str, depth: int = 0) -> Any:
    """What stands for a computed value of type `kind`. None where no text can stand for it, as for a boolean."""
    if kind in (str, int, float):
        return f"<{path}>"
    origin = typing.get_origin(kind)
    if origin is not None and issubclass(origin, Mapping):
        return {}
    if origin is not None and issubclass(origin, Iterable):
        item = placeholder(typing.get_args(kind)[0], path, depth)
        return [] if item is None else [item]
    if isinstance(kind, type) and hasattr(kind, "_pulumi_output_type") and depth < _DEEPEST:
        inner = {
            name: placeholder(part, f"{path}.{name}", depth + 1)
            # Required or not: generated classes have every part of a computed object as optional.
            for name, (part, _) in _annotated(kind).items()
        }
        return {name: value for name, value in inner.items() if value is not None}
    return None
