"""When the steady phase of a run begins: not before the rules have recorded what panels and verdicts ask for."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import httpx
import pytest

from documents.objectives import Objectives
from documents.rules import PERIOD_ERRORS
from proof.prometheus import Prometheus, QueryError
from proof.run import recorded
from tests.proof.made import plan, server

SINCE = 1_000_000.0
EVALUATED = "1970-01-12T13:46:41.123456789Z"
"""A second later, as Prometheus writes it."""
BEFORE = "1970-01-12T13:46:39.5Z"
BOTH = Objectives.model_validate({"availability": 99.9, "latency": {"threshold": "500ms", "target": 95}})
ALL = [("front", "availability"), ("front", "latency"), ("back", "availability")]


def begins(series: Sequence[tuple[str, str]], evaluations: Sequence[str] = (EVALUATED, EVALUATED)) -> bool:
    wanted = plan(objectives={"front": BOTH, "back": Objectives.model_validate({"availability": 99})})
    asked = server(
        lambda query: [
            ({"aws_ecs_service_name": name, "slo": slo}, 0.1) for name, slo in series if query == PERIOD_ERRORS.name
        ]
    )

    async def rule_groups() -> list[dict[str, Any]]:
        return [{"lastEvaluation": at} for at in evaluations]

    asked.rule_groups = rule_groups  # type: ignore[method-assign]
    return asyncio.run(recorded(wanted, asked, SINCE))


def test_every_budget_is_recorded() -> None:
    assert begins(ALL)


@pytest.mark.parametrize("missing", ALL)
def test_a_budget_that_has_found_nothing_yet_is_waited_for(missing: tuple[str, str]) -> None:
    assert not begins([one for one in ALL if one != missing])


def test_every_group_has_been_evaluated_since() -> None:
    assert not begins(ALL, (EVALUATED, BEFORE))


@pytest.mark.parametrize(
    ("status", "text"), [(200, ""), (500, "failed to reload config: error loading rules: could not parse expression\n")]
)
def test_rules_that_prometheus_does_not_take_are_named(status: int, text: str) -> None:
    def answered(request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("POST", "/-/reload")
        return httpx.Response(status, text=text)

    async def reloaded() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answered)) as client:
            await Prometheus("http://prometheus", client).reload()

    with nullcontext() if status == 200 else pytest.raises(QueryError, match=r"could not parse expression$"):
        asyncio.run(reloaded())
