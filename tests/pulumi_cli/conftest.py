"""Stacks on the real Pulumi engine. They need the CLI on PATH; nothing here downloads it."""

import shutil
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.pulumi_cli.stack import PROGRAMS, Fresh, Run, Stack

SLOW = "create .*:(RolePolicy|RouteTableAssociation|TopicPolicy|LogResourcePolicy) "


@pytest.fixture(scope="session")
def _pulumi() -> None:
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        pytest.skip(f"the real Pulumi engine is not here: {' and '.join(missing)} not found on PATH")


@pytest.fixture(scope="session")
def first_up(_pulumi: None, tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Stack, Run]]:
    """The dev stack and its first deployment; for reading only.

    No input names what lingers, so that only dependencies that somebody thought of make tasks wait for it.
    """
    with Stack.new(tmp_path_factory.mktemp("deployed") / "dev") as stack:
        yield stack, stack.up(slow=SLOW)


@pytest.fixture
def deployed(first_up: tuple[Stack, Run], tmp_path: Path) -> Iterator[Stack]:
    """The deployed dev stack, in a copy that a test may change."""
    with first_up[0].copy(tmp_path / "dev") as stack:
        yield stack


@pytest.fixture
def fresh(_pulumi: None, tmp_path: Path) -> Iterator[Fresh]:
    """Stacks that were never deployed, by name."""
    with ExitStack() as stacks:
        yield lambda name: stacks.enter_context(Stack.new(tmp_path / name, name))
