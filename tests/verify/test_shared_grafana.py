"""A stack that publishes to a Grafana of others is asked for what it has there, and for nothing that others have."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from documents.dashboards.folder import FOLDER
from documents.dashboards.shared import uid
from documents.dashboards.sources import SOURCES
from preview.render import documents
from proof.plan import plan
from tests.components.variants import WORKSPACE_ID, recorded
from tests.verify import stack
from tests.verify.cloud import Cloud, running, users_own
from verify.aws import Aws
from verify.questions import faults, verified
from verify.verdict import Kind, Verdict

pytestmark = pytest.mark.slow

STACK = "ecs-observability-dev"
LABELS = ("aws_ecs_cluster_name", "job", "aws_ecs_task_family", "aws_ecs_service_name", "alertname", "severity")
"""Those that dashboards let a person choose from."""
OF_GRAFANA = ("grafana", "plugin", "data source", "dashboard", "alert rule")
Asked = Callable[[Cloud], list[Verdict]]


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    """Everything that is asked of the recorded variant "existing", of which a cloud knows something."""
    recording = recorded("existing")
    wanted = plan(recording, documents(recording))
    with pytest.MonkeyPatch.context() as patch:
        users_own(patch)

        def ask(cloud: Cloud) -> list[Verdict]:
            with running(cloud.handle) as port:
                patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
                deployed = stack.deployed(port)
                work = verified(recording, wanted, deployed, Aws("eu-west-1"), url="", say=lambda _: None)
                return asyncio.run(work)

        yield ask


def boards() -> dict[str, Any]:
    """The dashboards of the stack as the Grafana of others holds them, by uid."""
    texts = [text for path, text in documents(recorded("existing")).items() if path.startswith("dashboards/")]
    found = [json.loads(text.replace("<metrics-workspace.id>", WORKSPACE_ID)) for text in texts]
    return {one["uid"]: one for one in found}


def cloud(**changes: Any) -> Cloud:
    """All that the stack has put there."""
    return Cloud(
        **{
            "accounts": ["somebody-else", STACK],
            "sources": {uid(STACK, one.uid): one.type for one in SOURCES},
            "dashboards": boards(),
            "alarms": {},
            **changes,
        }
    )


def of_grafana(verdicts: list[Verdict]) -> list[tuple[Kind, str, str, str]]:
    return [(one.kind, one.area, one.subject, one.found) for one in verdicts if one.area in OF_GRAFANA]


def test_it_has_what_the_stack_put_there(asked: Asked) -> None:
    verdicts = of_grafana(asked(cloud()))
    assert verdicts == [
        *(
            found
            for source in SOURCES
            for found in (
                (Kind.GOOD, "plugin", source.type, "installed 2.17.1"),
                (Kind.GOOD, "data source", uid(STACK, source.uid), "healthy"),
            )
        ),
        *((Kind.GOOD, "dashboard", entry.title, "unchanged") for entry in FOLDER),
        (Kind.GOOD, "dashboard", "Team", "unchanged"),
    ]


def test_what_others_have_there_is_not_the_stacks(asked: Asked) -> None:
    """A stack with a Grafana of its own has these uids."""
    others = {"sources": {one.uid: one.type for one in SOURCES}, "dashboards": {one.uid: {} for one in FOLDER}}
    verdicts = [one for one in of_grafana(asked(cloud(**others))) if one[1] != "plugin"]
    assert len(verdicts) == len(SOURCES) + len(FOLDER) + 1
    assert {(kind, found) for kind, _, _, found in verdicts} == {(Kind.FAILED, "missing")}


def test_the_account_of_another_stack_is_not_used(asked: Asked) -> None:
    [(kind, area, _, found)] = of_grafana(asked(cloud(accounts=["somebody-else", "ecs-observability"])))
    assert (kind, area, found) == (Kind.FAILED, "grafana", f"404: no service account {STACK}")


def test_its_role_is_somebody_elses(asked: Asked) -> None:
    denied = {uid(STACK, "amp"): "AccessDeniedException: not authorized to perform: aps:QueryMetrics"}
    [cause] = [one for one in faults(asked(cloud(health=denied))) if one.startswith("role")]
    assert "existing/grafana-role.json" in cause


def test_recorded_series_that_nobody_records_are_no_fault(asked: Asked) -> None:
    """The AMP workspace is one of others too, and the stack has no rules in it."""

    def answers(query: str) -> Any:
        return [] if ":" in query else [{"metric": dict.fromkeys(LABELS, "x"), "value": 1.5}]

    verdicts = [one for one in asked(cloud(answers=answers)) if one.area == "panel" and "job:http_" in one.query]
    assert verdicts
    assert {one.kind for one in verdicts} == {Kind.EMPTY}
