"""The Pulumi schema of a model: what a user of any language may write, described as below the fields of the model.

https://www.pulumi.com/docs/iac/guides/building-extending/packages/schema/ describes the form.
"""

import inspect
import types
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin

from pydantic import JsonValue, SecretStr
from pydantic_core import PydanticUndefined

from components.given import EVENTUAL
from documents import logs, scaling, tasks
from documents.described import descriptions
from documents.model import Model

Spec = dict[str, Any]

_RENAMED: Final[Mapping[type[Model], str]] = {
    logs.Logs: "ContainerLogs",
    scaling.Schedule: "ScalingSchedule",
    tasks.Schedule: "TaskSchedule",
}
"""Models whose names others have as well."""

_PLAIN: Final[Mapping[Any, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    SecretStr: "string",
}


class Types:
    """The named types of one package, found by what refers to them."""

    def __init__(self, package: str) -> None:
        self._package: Final = package
        self._models: dict[str, Any] = {}
        self.specs: dict[str, Spec] = {}

    def inputs(self, model: type[Model]) -> dict[str, Spec]:
        """The fields of a model that a user gives, by their keys."""
        described = descriptions(model)
        eventual = EVENTUAL.get(model, ())
        return {
            field.alias or name: {
                "description": _with_default(described[name], field.get_default()),
                **self._spec(field.annotation, plain=name not in eventual and not _is_secret(field.annotation)),
                **({"secret": True} if _is_secret(field.annotation) else {}),
            }
            for name, field in model.model_fields.items()
        }

    def outputs(self, model: type[Model]) -> dict[str, Spec]:
        """The fields of a model that a user gets, by their keys."""
        described = descriptions(model)
        return {
            field.alias or name: {"description": described[name], **self._spec(field.annotation, plain=False)}
            for name, field in model.model_fields.items()
        }

    def _spec(self, annotation: Any, *, plain: bool) -> Spec:
        """The type of a value; `plain` is one that must be known before anything is made."""
        return self._shape(annotation, plain=plain) | ({"plain": True} if plain else {})

    def _shape(self, annotation: Any, *, plain: bool) -> Spec:
        origin, arguments = get_origin(annotation), [one for one in get_args(annotation) if one is not type(None)]
        if not arguments:
            return self._single(annotation)
        if origin is Annotated or (_is_union(origin) and len(arguments) == 1):
            return self._spec(arguments[0], plain=plain)
        if _is_union(origin):
            return {"oneOf": [self._spec(one, plain=plain) for one in arguments]}
        if origin is Literal:
            return {"type": "string"}
        return self._several(cast("type[Any]", origin), arguments, plain=plain)

    def _several(self, kind: type[Any], of: list[Any], *, plain: bool) -> Spec:
        if issubclass(kind, Mapping):
            return {"type": "object", "additionalProperties": self._spec(of[1], plain=plain)}
        return {"type": "array", "items": self._spec(of[0], plain=plain)}

    def _single(self, kind: Any) -> Spec:
        if kind is JsonValue:
            return {"$ref": "pulumi.json#/Any"}
        return {"type": _PLAIN[kind]} if kind in _PLAIN else {"$ref": f"#/types/{self._named(kind)}"}

    def _named(self, kind: type[Any]) -> str:
        name = _RENAMED.get(kind) or str(kind.__name__.removeprefix("Stack"))
        if self._models.setdefault(name, kind) is not kind:
            raise TypeError(f"{kind} and {self._models[name]} are both called {name}")
        token = f"{self._package}:index:{name}"
        if token not in self.specs:
            self.specs[token] = {}
            self.specs[token] |= _enum(kind) if issubclass(kind, Enum) else self._object(kind)
        return token

    def _object(self, model: type[Model]) -> Spec:
        return {
            "type": "object",
            "description": inspect.getdoc(model),
            "properties": self.inputs(model),
            "required": required(model),
        }


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(one) for one in get_args(annotation))


def _is_union(origin: Any) -> bool:
    return origin in (Union, types.UnionType)


def required(model: type[Model]) -> list[str]:
    """The keys without which a model is nothing."""
    return sorted(field.alias or name for name, field in model.model_fields.items() if field.is_required())


def _enum(kind: type[Enum]) -> Spec:
    return {
        "type": "string",
        "description": inspect.getdoc(kind),
        "enum": [{"name": one.name.title().replace("_", ""), "value": one.value} for one in kind],
    }


def _with_default(description: str, default: Any) -> str:
    """A package's schema has room for defaults of a few types only, and an SDK would then send them as if the user had
    said so."""
    value = default.value if isinstance(default, Enum) else default
    if value is PydanticUndefined or not isinstance(value, str | int | float) or value == "":
        return description
    return f"{description.rstrip('.')}. Default: {str(value).lower() if isinstance(value, bool) else value}."
