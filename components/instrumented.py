"""A pattern for container definitions that are made elsewhere, as a component: for programs of every language."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import pulumi

from components.composition import Outputs
from components.given import Allowed, Given, keys
from components.refusal import RefusedError
from documents import elsewhere
from documents.catalogue import Pattern
from documents.elsewhere import ContainerDefinitions
from documents.faults import ConfigurationError
from documents.model import PENDING

_CONTAINERS: Final = "containerDefinitions"
_ALLOWED: Final = Allowed(
    later=re.compile(rf"(?:{'|'.join(keys(ContainerDefinitions).values())})(?:\.|$)"),
    # They may hold what their owner keeps as a secret, and stay one in what is told.
    secret=re.compile(rf"{_CONTAINERS}(?:\.|$)"),
)


class InstrumentedContainers(pulumi.ComponentResource):
    """A pattern for a task definition that is made elsewhere, by `aws.ecs.TaskDefinition` or awsx: takes its container
    definitions, tells them with the pattern added, and what the task's roles and its service need for it. It makes
    nothing on AWS. What the definitions say already wins.

    Raises `documents.faults.ConfigurationError` with every fault that can be known before anything is registered.
    """

    outputs: Outputs
    """By the keys of `documents.elsewhere.Instrumented`; what a pattern does not need is not among them."""

    def __init__(self, name: str, args: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        given = Given.of(args)
        asked = given.read(elsewhere.read, _ALLOWED)
        super().__init__("ecs-observability:index:InstrumentedContainers", name, None, opts)
        # A policy is no secret because the containers hold one.
        beside = {key: value for key, value in given.values.items() if key != _CONTAINERS}

        def told(of: Mapping[str, Any], what: Callable[[ContainerDefinitions], Any]) -> pulumi.Output[Any]:
            return pulumi.Output.from_input(dict(of)).apply(lambda known: what(_known(replace(given, values=known))))

        self.outputs = {
            _CONTAINERS: told(given.values, lambda known: elsewhere.instrumented(known, given.names, given.region)),
            "cpu": asked.share[0],
            "memory": asked.share[1],
            "securityGroupIds": told(beside, lambda known: list(known.groups)),
        }
        if asked.pattern is Pattern.SIDECAR:
            self.outputs["taskRolePolicy"] = told(beside, lambda known: elsewhere.task_role_policy(known, given.region))
            self.outputs["executionRolePolicy"] = told(beside, elsewhere.execution_role_policy)
        self.register_outputs(self.outputs)


def _known(given: Given) -> ContainerDefinitions:
    """What is asked for when all of it is known, but perhaps for the containers. Raises RefusedError."""
    try:
        return replace(given, values={_CONTAINERS: PENDING, **given.values}).read(elsewhere.read, _ALLOWED)
    except ConfigurationError as error:
        raise RefusedError(error.faults) from None
