"""The whole environment as one component: for programs of every language, and for those in Python with more in them."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import pulumi

from components.composition import Eventual, Outputs, compose
from components.given import Allowed, Given, has_outputs, keys
from components.protection import protect_data
from documents.environment import StackApplication, read
from project_files import ProjectFiles

_WORKLOADS: Final = ("applications", "tasks")
_KEYS: Final = keys(StackApplication)
_ALLOWED: Final = Allowed(
    later=re.compile(rf"(?:{'|'.join(_WORKLOADS)})\.\d+\.(?:{'|'.join(_KEYS.values())})(?:\.|$)"),
    # Addresses to which alerts go may hold keys, and stand in no document.
    secret=re.compile(r"alerts(?:\.|$)"),
)


class Environment(pulumi.ComponentResource):
    """A cluster, its network, Prometheus, Grafana and the collectors, and applications and tasks that they observe. Its
    inputs are the keys of a stack file, and `region`. Everything is named after project and stack, so that a stack has
    one environment.

    Raises `documents.faults.ConfigurationError` with every fault that can be known before anything is registered in it.
    """

    outputs: Outputs
    """By the keys of `documents.environment.Exports`; what an environment does not have is not among them."""

    def __init__(self, name: str, args: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        given = Given.of(args)
        settings, imports = given.read(partial(read, files=ProjectFiles(Path.cwd())), _ALLOWED)
        protecting = pulumi.ResourceOptions(transformations=[protect_data] if settings.protect else None)
        super().__init__(
            "ecs-observability:index:Environment", name, None, pulumi.ResourceOptions.merge(opts, protecting)
        )
        given.check_region(self)
        self.outputs = compose(
            given.names, given.region, settings, imports, eventual=_eventual(given.values), parent=self
        )
        self.register_outputs(self.outputs)


def _eventual(given: Mapping[str, Any]) -> Eventual:
    """What other resources give, by name of the workload and field."""
    workloads = [cast("Mapping[str, Any]", one) for key in _WORKLOADS for one in cast("list[Any]", given.get(key, ()))]
    return {
        str(one["name"]): {field: one[key] for field, key in _KEYS.items() if has_outputs(one.get(key))}
        for one in workloads
    }
