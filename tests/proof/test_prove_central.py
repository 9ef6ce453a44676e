"""Several accounts for real: collectors of both patterns become the role of the central account, which lets in nobody
else, and everything that the stack has rendered for that account has data there."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proof.processes import ProgramError
from proof.verdict import Kind
from proof.verdicts import Judgement
from tests.components.variants import CENTRAL, CENTRAL_ROLE
from tests.proof.live import Live, complaints, equipped, live, named, wanted, with_collector

pytestmark = pytest.mark.slow

ACCOUNTS = {"central": {**CENTRAL, "externalId": "shop/1", "traces": True}}
STACKS: dict[str, dict[str, Any]] = {
    "sidecar": {"pattern": "sidecar"},
    "service": {"pattern": "service", "traces": {"endpoint": "otlp"}},
}


def config(pattern: str) -> dict[str, Any]:
    return {"accounts": ACCOUNTS, "grafana": {"enabled": False}, "metrics": {}, **STACKS[pattern]}


@pytest.fixture(scope="module", params=STACKS)
def judged(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Live, Judgement]]:
    with live(equipped(wanted("dev", config=config(request.param))), tmp_path_factory.mktemp(request.param)) as run:
        yield run, run.judged()


def test_everything_is_written_with_sessions_of_the_role(judged: tuple[Live, Judgement]) -> None:
    """AMP and X-Ray know no other credentials here, so what they have taken was signed so."""
    run, judgement = judged
    assert complaints(Judgement(others=tuple(one for one in judgement.others if one.area != "rule"))) == ""
    role = named(judgement.others, f"by {CENTRAL_ROLE}")
    collecting = {service.name for service in run.truth.plan.services if service.sidecar}
    tasks = [task for task in run.truth.tasks if task.service in collecting]
    assert (role.kind, role.found) == (Kind.PROVED, f"{len(tasks)} tasks")
    written = set[str]().union(*run.truth.writes.writers.values())
    assert written == run.truth.assumed.tasks == {task.key for task in tasks}


def test_its_rules_and_dashboards_are_those_of_the_central_account(judged: tuple[Live, Judgement]) -> None:
    run, judgement = judged
    assert set(run.truth.plan.rules) == {"ecs-observability-dev-recording.yaml", "ecs-observability-dev-alerts.yaml"}
    assert Kind.PROVED in {one.kind for one in judgement.others if one.area == "rule"}
    assert {one.uid for one in judgement.dashboards} >= {"overview", "application", "collector", "costs", "traces"}


def test_a_collector_that_signs_as_itself_is_not_let_in(tmp_path: Path) -> None:
    def as_itself(configuration: dict[str, Any]) -> None:
        del configuration["extensions"]["sigv4auth"]["assume_role"]

    with live(equipped(with_collector(wanted("dev", config=config("sidecar")), as_itself)), tmp_path) as run:
        judgement = run.judged()
    assert run.truth.writes.writers == {}
    signature = named(judgement.others, "no request refused")
    assert signature.kind is Kind.FAILED
    assert "UnrecognizedClientException" in signature.reason


def test_a_collector_that_may_not_become_the_role_does_not_start(tmp_path: Path) -> None:
    """So the role has to be there first."""
    plan = equipped(wanted("dev", config=config("sidecar")))
    assert plan.central
    another = plan.central.model_copy(update={"external_id": "shop/2"})
    with (
        pytest.raises(ProgramError, match="could not retrieve credential provider"),
        live(replace(plan, central=another), tmp_path),
    ):
        pass
