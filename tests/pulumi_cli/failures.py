"""An `up` that fails, at every resource that a stack has, and is repeated until it is complete."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from tests.pulumi_cli.asserts import assert_prints_no_fault
from tests.pulumi_cli.cloud import Call
from tests.pulumi_cli.stack import Stack

_ROUNDS: Final = 30
"""More than the longest chain of resources that need each other."""


def up_until_complete(stack: Stack, first: str) -> list[Call]:
    """Run `up` until it succeeds, with what comes of the first creation of each resource; all requests, in order.

    A run goes on with what does not need what failed, so that in each run everything fails that can be made by then:
    as many runs as the longest chain is long, and not one for each resource.
    """
    calls: list[Call] = []
    for _ in range(_ROUNDS):
        run = stack.up("--continue-on-error", first=first, code=None)
        calls += run.calls
        assert_knows_what_exists(stack)
        if run.code == 0:
            assert_prints_no_fault(run)
            return calls
        assert any(call.error for call in run.calls), run.output
    raise AssertionError(f"{_ROUNDS} runs, and it is not complete")


def assert_knows_what_exists(stack: Stack) -> None:
    """Everything that exists is in the state and the reverse: nothing is orphaned, nothing is only imagined."""
    known = sorted(
        (each["type"], each["id"])
        for each in stack.resources().values()
        if each["custom"] and not each["type"].startswith("pulumi:")
    )
    assert known == sorted((thing.type, thing.id) for thing in stack.cloud.things())


def counted(calls: Iterable[Call]) -> Counter[tuple[str, str]]:
    return Counter((call.type, call.name) for call in calls)
