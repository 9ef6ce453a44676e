"""What a pattern adds to an application task, and how to add it to a task definition that somebody has already."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pulumi

from documents import task
from documents.faults import Fault
from documents.inputs import Application
from documents.policies import Statement
from documents.task import Additions, Container, Origin


@dataclass(frozen=True)
class Telemetry:
    """Where collectors write: AMP's remote-write address, the workspace, and how often metrics are collected."""

    remote_write_url: pulumi.Output[str]
    workspace_arn: pulumi.Output[str]
    interval_seconds: int


@dataclass(frozen=True)
class Instrumentation:
    """A pattern's answer for one application task.

    `additions` go into the task definition, `statements` (if any) into the task role, `images` are pulled by the
    execution role, `security_group_ids` are worn by the task, `service_connect` joins its ECS service to a namespace,
    and the service is made after `depends_on`.
    """

    additions: pulumi.Output[Additions]
    statements: pulumi.Output[list[Statement]] | None = None
    images: tuple[str, ...] = ()
    security_group_ids: tuple[pulumi.Output[str], ...] = ()
    service_connect: Any = None
    depends_on: tuple[pulumi.Resource, ...] = ()


class Pattern(Protocol):
    """How telemetry leaves an application task."""

    def faults(self, application: Application, key: str, /) -> list[Fault]:
        """Why an application cannot have this pattern; `key` is where it stands in what the user gave us."""
        ...

    def instrument(self, origin: Origin, log: Container, /) -> Instrumentation:
        """What to add to the task of `origin`; `log` is the log configuration for containers that are added."""
        ...


def instrument(
    container_definitions: pulumi.Input[str], application: str, instrumentation: Instrumentation
) -> pulumi.Output[str]:
    """The JSON of container definitions with a pattern added to it; `application` names the container observed.

    For task definitions made elsewhere. Beside it, the task role needs `instrumentation.statements` and the service
    its security groups. Raises ValueError as `documents.task.instrument` does.
    """

    def added(known: Sequence[Any]) -> str:
        definitions, additions = known
        return json.dumps(task.instrument(json.loads(definitions), application, additions))

    return pulumi.Output.all(container_definitions, instrumentation.additions).apply(added)
