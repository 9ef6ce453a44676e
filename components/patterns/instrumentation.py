"""What a pattern adds to an application task, and how to add it to a task definition that somebody has already."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pulumi

from components.configurations import Configurations
from documents import task, travel
from documents.faults import Fault
from documents.inputs import Workload
from documents.origin import Origin
from documents.policies import Statement
from documents.signals import Scrape, Signals
from documents.task import Additions, Container


@dataclass(frozen=True)
class Telemetry:
    """Where collectors write: AMP's remote-write address and workspace, how often metrics are collected, where
    configurations are kept that do not fit into a task definition, and what else the collectors take and send, with
    the log groups for it."""

    remote_write_url: pulumi.Output[str]
    workspace_arn: pulumi.Output[str]
    interval_seconds: int
    configurations: Configurations
    signals: Signals = field(default_factory=Signals)
    log_group_arns: pulumi.Output[list[str]] = field(default_factory=lambda: pulumi.Output.from_input(list[str]()))


@dataclass(frozen=True)
class Instrumentation:
    """A pattern's answer for one application task.

    `additions` go into the task definition, `statements` (if any) into the task role, `images` are pulled and `secrets`
    (ARNs) read by the execution role, `security_group_ids` are worn by the task, `service_connect` joins its ECS
    service to a namespace, and the service is made after `depends_on`. Who wears `scraper_group_id` must be let in
    where metrics are exposed.
    """

    additions: pulumi.Output[Additions]
    statements: pulumi.Output[list[Statement]] | None = None
    images: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    security_group_ids: tuple[pulumi.Output[str], ...] = ()
    service_connect: Any = None
    depends_on: tuple[pulumi.Resource, ...] = ()
    scraper_group_id: pulumi.Output[str] | None = None


class Pattern(Protocol):
    """How telemetry leaves an application task."""

    def faults(self, application: Workload, key: str, /) -> list[Fault]:
        """Why an application cannot have this pattern; `key` is where it stands in what the user gave us."""
        ...

    def instrument(
        self, origin: Origin, log: Container, beside: int = travel.FOREIGN, scrape: Scrape | None = None, /
    ) -> Instrumentation:
        """What to add to the task of `origin`; `log` is the log configuration for containers that are added, `beside`
        the bytes that its other containers have in the task definition (`documents.travel.size`), `scrape` where it
        exposes metrics."""
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
