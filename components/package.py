"""The component package: what programs of other languages see of this house, and the plugin that serves it to them."""

import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import pulumi
from pulumi.provider import ConstructResult, Provider

from components.composition import Outputs
from components.environment import Environment
from components.instrumented import InstrumentedContainers
from components.schema import Spec, Types, required
from documents.elsewhere import ContainerDefinitions, Instrumented
from documents.environment import Exports, Settings
from documents.faults import ConfigurationError
from documents.model import Model

NAME: Final = "ecs-observability"
VERSION: Final = "0.1.0"
SCHEMA: Final = Path(__file__).with_name("schema.json")
"""The schema as it is served, kept as a file so that a change of it is seen."""


class Component(Protocol):
    """A component as other languages have it."""

    outputs: Outputs

    @property
    def urn(self) -> pulumi.Output[str]:
        """Its name in the state."""
        ...


def _region(of: str) -> dict[str, Spec]:
    """The input that no stack file has."""
    return {
        "region": {
            "description": f"AWS region of {of}. Default: `aws:region` of the stack.",
            "type": "string",
            "plain": True,
        }
    }


class Package(Provider):
    """Makes components for programs of every language. What is wrong with their inputs is told as in Python: all
    faults at once, without a traceback."""

    def __init__(self) -> None:
        super().__init__(VERSION, SCHEMA.read_text(encoding="utf-8"))

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: Mapping[str, Any],
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """The component of that type. Raises InputPropertiesError, which the engine shows as the one message it is."""
        try:
            made = _COMPONENTS[resource_type](name, inputs, options)
        except ConfigurationError as error:
            raise _refusal(f"stack {pulumi.get_stack()!r} cannot be deployed:\n{error}") from None
        except pulumi.RunError as error:
            raise _refusal(str(error)) from None
        return ConstructResult(made.urn, made.outputs)


def _refusal(text: str) -> pulumi.InputPropertiesError:
    # Without a list the SDK fails at its own message; beside each error in a list the engine prints the input's value.
    return pulumi.InputPropertiesError(text, [])


_COMPONENTS: Final[Mapping[str, Callable[[str, Mapping[str, Any], pulumi.ResourceOptions | None], Component]]] = {
    f"{NAME}:index:Environment": Environment,
    f"{NAME}:index:InstrumentedContainers": InstrumentedContainers,
}


def schema() -> Spec:
    """What the package has, in Pulumi's form, made from the models of `documents`."""
    types = Types(NAME)
    resources = {
        f"{NAME}:index:Environment": _resource(
            types,
            Environment,
            Settings,
            Exports,
            _region("the provider that the component has; where that is in another, it is refused"),
        ),
        f"{NAME}:index:InstrumentedContainers": _resource(
            types, InstrumentedContainers, ContainerDefinitions, Instrumented, _region("the task")
        ),
    }
    return {
        "name": NAME,
        "version": VERSION,
        "displayName": "ECS observability",
        "description": "Observability for services on Amazon ECS, proved before it is deployed.",
        "keywords": [
            "aws",
            "ecs",
            "opentelemetry",
            "prometheus",
            "grafana",
            "category/infrastructure",
            "kind/component",
        ],
        "language": {name: {"respectSchemaVersion": True} for name in ("nodejs", "python", "go", "csharp", "java")},
        "resources": resources,
        "types": dict(sorted(types.specs.items())),
    }


def _resource(
    types: Types, component: type[Any], given: type[Model], told: type[Model], more: Mapping[str, Spec]
) -> Spec:
    text = (inspect.getdoc(component) or "").partition("\n\nRaises")[0]
    return {
        "isComponent": True,
        "description": text,
        "inputProperties": {**types.inputs(given), **more},
        "requiredInputs": required(given),
        "properties": types.outputs(told),
        "required": required(told),
    }


def text(document: Spec) -> str:
    """A schema as the file has it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(text(schema()), encoding="utf-8")
