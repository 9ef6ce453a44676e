"""Several rigs at once, so that bad days that mostly pass in waiting pass together."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from documents import names
from proof.plan import Plan, Service
from tests.proof.live import wanted
from tools.build import program
from trials.backends import HEALTHY, OLDEST_SECONDS, Fault
from trials.rig import Rig, collecting, rig

PATIENCE = 45.0
"""Seconds for the last back-off and the backlog after it."""

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """A stack and the service of it whose collectors run."""

    plan: Plan
    service: Service
    folder: Path

    @asynccontextmanager
    async def running(
        self, *, replicas: int = 1, fault: Fault = HEALTHY, oldest_seconds: float = OLDEST_SECONDS
    ) -> AsyncGenerator[Rig]:
        """Its collectors."""
        async with rig(
            self.plan,
            self.service,
            program("collector").resolve(),
            self.folder,
            replicas=replicas,
            fault=fault,
            oldest_seconds=oldest_seconds,
        ) as made:
            yield made


def place(folders: pytest.TempPathFactory, stack: str, config: Mapping[str, Any] | None = None) -> Place:
    """The only service with collectors of a stack; its documents must be rendered while no event loop runs."""
    plan = wanted(stack, config=config)
    [service] = collecting(plan)
    return Place(plan, service, folders.mktemp(stack))


def places(folders: pytest.TempPathFactory) -> dict[str, Place]:
    """One for each pattern."""
    return {"sidecar": place(folders, "dev"), "service": place(folders, "prod")}


def without_drain(original: Place, folder: Path) -> Place:
    """The same without what makes ECS wait."""
    containers = [
        {**one, "dependsOn": [wait for wait in one.get("dependsOn", ()) if wait["containerName"] != names.DRAIN]}
        for one in original.service.definition["containerDefinitions"]
        if one["name"] != names.DRAIN
    ]
    definition = {**original.service.definition, "containerDefinitions": containers}
    return replace(original, service=replace(original.service, definition=definition), folder=folder)


def together(days: Mapping[str, Callable[[], Awaitable[T]]]) -> dict[str, T]:
    """What each gives, run at the same time."""

    async def run() -> dict[str, T]:
        return dict(zip(days, await asyncio.gather(*(day() for day in days.values())), strict=True))

    return asyncio.run(run())
