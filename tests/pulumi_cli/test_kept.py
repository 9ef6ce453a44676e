"""What the real engine does with what holds data: protected, it is neither deleted nor replaced until it is let go.

Which changes of a stack file would lose something is tried without an engine, in tests/components/test_kept.py.
"""

import pytest

from documents.kept import HOLDS_DATA
from tests.pulumi_cli.asserts import assert_prints_no_fault
from tests.pulumi_cli.cloud import Thing
from tests.pulumi_cli.stack import Run, Stack

pytestmark = pytest.mark.slow

LOGS = "aws:cloudwatch/logGroup:LogGroup"
PASSING = {"alerting-chat-critical", "alerting-chat-warning"}
"""Topics that nobody has confirmed anything for."""


def protected(stack: Stack) -> set[str]:
    return {urn for urn, state in stack.resources().items() if state.get("protect")}


def holders(stack: Stack) -> list[Thing]:
    return [thing for thing in stack.cloud.things() if thing.type in HOLDS_DATA and thing.name not in PASSING]


def assert_nothing_happened(run: Run) -> None:
    """Not that nothing was printed beside the refusal: the engine may interrupt the program, which Python reports."""
    assert run.code != 0
    assert not run.changes


@pytest.fixture
def kept(deployed: Stack) -> Stack:
    """The stack after it has said `protect`, which asks nothing of any provider."""
    deployed.configure(protect=True)
    run = deployed.run("up", "--yes")
    assert_prints_no_fault(run)
    assert not run.changes
    assert {urn.rpartition("::")[2] for urn in protected(deployed)} == {thing.name for thing in holders(deployed)}
    return deployed


class TestProtectedStack:
    def test_loses_no_application_until_its_log_group_is_let_go(self, kept: Stack) -> None:
        first, _ = kept.configuration("applications")
        kept.configure(applications=[first])
        refused = kept.run("up", "--yes", code=None)
        assert_nothing_happened(refused)
        lost = [urn for urn in protected(kept) if "inventory" in urn.rpartition("::")[2]]
        assert {urn.rpartition("::")[2] for urn in lost} == {"inventory-logs", "inventory-repository"}
        for urn in lost:
            assert f"`pulumi state unprotect '{urn}'`" in refused.output
            kept.run("state", "unprotect", urn, "--yes")
        gone = kept.run("up", "--yes")
        assert_prints_no_fault(gone)
        assert f"delete {LOGS} inventory-logs" in gone.changes
        assert [thing.name for thing in holders(kept) if "inventory" in thing.name] == []

    def test_keeps_its_grafana(self, kept: Stack) -> None:
        alerts = kept.configuration("alerts")
        kept.configure(grafana={"enabled": False}, alerts=alerts | {"traces": False})
        refused = kept.run("up", "--yes", code=None)
        assert_nothing_happened(refused)
        assert "grafana:oss/folder:Folder::grafana-folder'`" in refused.output

    def test_is_not_given_log_groups_of_other_names_by_another_release(self, kept: Stack) -> None:
        names = kept.project / "documents" / "names.py"
        text = names.read_text(encoding="utf-8")
        assert text.count('return f"/ecs/{self.prefix}/{name}"') == 1
        names.write_text(text.replace('f"/ecs/{self.prefix}/', 'f"/tasks/{self.prefix}/'), encoding="utf-8")
        before = {thing.id for thing in holders(kept)}
        refused = kept.run("up", "--yes", code=None)
        assert_nothing_happened(refused)
        assert "as it is currently marked for protection" in refused.output
        # Without a preview, the engine stops at the first; what it has done by then is no harm to what holds data.
        assert kept.up(code=None).code != 0
        assert {thing.id for thing in holders(kept)} == before

    def test_is_destroyed_once_it_says_so_no_more(self, kept: Stack) -> None:
        refused = kept.run("destroy", "--yes", code=None)
        assert_nothing_happened(refused)
        assert "cannot be deleted" in refused.output
        kept.configure(protect=False)
        freed = kept.run("up", "--yes")
        assert not freed.changes
        assert not protected(kept)
        kept.run("destroy", "--yes", "--skip-preview")
        assert not kept.cloud.things()


class TestNetwork:
    @pytest.mark.parametrize(
        ("network", "key"),
        [
            ({"cidr": "10.1.0.0/16"}, "network.cidr: is not the range of the stack's vpc-"),
            (
                {"vpc": "vpc-0123456789abcdef0", "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]},
                "network.vpc: is not vpc-",
            ),
        ],
    )
    def test_of_a_stack_that_runs_is_not_another(self, deployed: Stack, network: dict[str, object], key: str) -> None:
        deployed.configure(network=network)
        refused = deployed.up(code=None)
        assert_nothing_happened(refused)
        assert key in refused.output
