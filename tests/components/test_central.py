"""Several accounts: nothing of the central account is a resource here, what it has to have is rendered, and a stack
there makes the same role."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from documents.dashboards import OURS
from preview import placeholders
from preview.recorder import Recording
from preview.render import documents
from tests import judges
from tests.components.test_encryption import answering, refused, running
from tests.components.variants import (
    CENTRAL,
    CENTRAL_ROLE,
    CENTRAL_WORKSPACE,
    NO_GRAFANA,
    ROLE,
    TASK_ROLE,
    VARIANTS,
    WORKSPACE_ID,
    containers,
    environment,
    one,
    program,
    recorded,
    statements,
)
from verify import __main__ as command

pytestmark = pytest.mark.slow

STACK = "ecs-observability-dev"
BECOME = {"Sid": "WriteAsCentralRole", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": CENTRAL_ROLE}
MEMBERS = ("central", "central-service", "central-closed")


def role(recording: Recording) -> dict[str, Any]:
    """The properties of the role that the central account is to have."""
    template = json.loads(placeholders.fill(recording, documents(recording)["central/role.json"]))
    return template["Resources"]["Writer"]["Properties"]


def test_nothing_of_the_central_account_is_made_here() -> None:
    made = {resource.type for resource in recorded("central").resources}
    assert not [token for token in made if token.startswith(("aws:amp/", "aws:grafana/", "grafana:"))]
    topics = {topic.inputs["name"] for topic in recorded("central").of_type("aws:sns/topic:Topic")}
    assert topics == {f"{STACK}-critical", f"{STACK}-warning"}
    for policy in recorded("central").of_type("aws:sns/topicPolicy:TopicPolicy"):
        assert [each["Sid"] for each in json.loads(policy.inputs["policy"])["Statement"]] == ["AlarmsOfTheStack"]
    key = json.loads(recorded("central").named("aws:kms/key:Key", "alerting-key").inputs["policy"])
    assert [each["Sid"] for each in key["Statement"]] == ["AccountManages", "AlarmsOfTheStack"]


def test_alarms_are_those_of_tasks() -> None:
    """Those on the workspace would look for metrics that are in the other account."""
    alarms = {alarm.name for alarm in recorded("central").of_type("aws:cloudwatch/metricAlarm:MetricAlarm")}
    own = {alarm.name for alarm in recorded("defaults").of_type("aws:cloudwatch/metricAlarm:MetricAlarm")}
    assert alarms == {name for name in own if not re.search("-(Amp[A-Za-z]+|AlertingSilent)-", name)}
    assert alarms


def test_collectors_write_to_the_workspace() -> None:
    address = f"https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/{WORKSPACE_ID}/api/v1/remote_write"
    recording = recorded("central-service")
    for definition in ("collector-definition", "scraper-definition"):
        collector = containers(recording, definition)["collector"]
        assert environment(collector)["AWS_PROMETHEUS_ENDPOINT"] == address
    assert recording.outputs["metricsRemoteWriteUrl"] == address


@pytest.mark.parametrize(("variant", "name"), [("central-service", "collector"), ("central-service", "scraper")])
def test_roles_of_collectors_may_become_that_role(variant: str, name: str) -> None:
    granted = statements(recorded(variant), f"{name}-task-policy")
    assert BECOME in granted
    assert not [each for each in granted if "aps:" in str(each["Action"]) or "xray:" in str(each["Action"])]


def test_tasks_of_every_kind_may_become_it() -> None:
    recording = recorded("central")
    assert statements(recording, "nightly-task-policy")[0] == BECOME
    # The role is somebody else's, and is told what it needs.
    needed = json.loads(documents(recording)["existing/storefront-task-role.json"])
    assert needed["Statement"][0] == BECOME


@pytest.mark.parametrize("variant", MEMBERS)
def test_the_role_there_trusts_every_role_that_writes(variant: str) -> None:
    recording = recorded(variant)
    [trust] = role(recording)["AssumeRolePolicyDocument"]["Statement"]
    patterns = trust["Condition"]["ArnLike"]["aws:PrincipalArn"]
    writing: list[str] = [TASK_ROLE] if variant == "central" else []
    others: list[str] = []
    for made in recording.of_type(ROLE):
        arn = f"arn:aws:iam::{placeholders.ACCOUNT}:role{made.inputs.get('path') or '/'}{made.inputs['name']}"
        (writing if made.name.endswith("-task") else others).append(arn)
    assert writing
    assert all(any(fnmatchcase(arn, pattern) for pattern in patterns) for arn in writing)
    assert not [arn for arn in others for pattern in patterns if fnmatchcase(arn, pattern)]


@pytest.mark.parametrize("variant", MEMBERS)
def test_judges_have_nothing_against_the_role(variant: str) -> None:
    recording = recorded(variant)
    properties = role(recording)
    assert judges.cloud_formation({"role": ("AWS::IAM::Role", properties)}, recording.region) == []
    for policy in properties["Policies"]:
        assert judges.policy(policy["PolicyDocument"]) == []
    assert recording.outputs["centralRole"] == json.dumps(json.loads(recording.outputs["centralRole"]), sort_keys=True)


def test_a_stack_there_makes_the_same_role() -> None:
    """What is rendered here for others, and what `writers` makes, are alike but for the entrances of X-Ray."""
    made = recorded("writers").named(ROLE, "writers-role")
    assert made.inputs["name"] == f"{STACK}-writer"
    assert json.loads(made.inputs["assumeRolePolicy"])["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam::123456789012:root"]},
            "Action": "sts:AssumeRole",
            "Condition": {
                "ArnLike": {
                    "aws:PrincipalArn": [
                        "arn:aws:iam::123456789012:role/observability/ecs-observability-prod-*-task",
                        "arn:aws:iam::123456789012:role/shop/storefront",
                    ]
                },
                "StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "sts:ExternalId": "shop/1"},
            },
        }
    ]
    metrics, traces = statements(recorded("writers"), "writers-role-policy")
    assert metrics == {
        "Sid": "WriteMetrics",
        "Effect": "Allow",
        "Action": "aps:RemoteWrite",
        "Resource": "<metrics-workspace.arn>",
    }
    assert set(traces["Action"]) == {
        "xray:PutSpans",
        "xray:PutSpansForIndexing",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
    assert recorded("writers").outputs["writerRole"] == "<writers-role.arn>"
    assert recorded("writers").outputs["workspaceArn"] == "<metrics-workspace.arn>"


def test_rules_and_dashboards_for_the_central_account_are_rendered(tmp_path: Path) -> None:
    """A stack there takes the dashboards as they are, beside its own."""
    shown = {path: text for path, text in documents(recorded("central")).items() if path.startswith("central/")}
    assert {path for path in shown if path.startswith("central/rules/")} == {
        f"central/rules/{STACK}-recording.yaml",
        f"central/rules/{STACK}-alerts.yaml",
    }
    boards = [path for path in shown if path.startswith("central/dashboards/")]
    assert len(boards) == len(OURS.intersection(path.rpartition("/")[2].rpartition("-")[0] for path in boards))
    for path in boards:
        (tmp_path / path.rpartition("/")[2]).write_text(shown[path])
    there = program({"grafana": {"dashboards": [str(file) for file in sorted(tmp_path.iterdir())]}, **one()})
    made = {json.loads(each.inputs["configJson"])["uid"] for each in there.of_type("grafana:oss/dashboard:Dashboard")}
    assert {Path(path).stem for path in boards} <= made


@pytest.mark.parametrize("variant", MEMBERS)
def test_the_summary_says_where_metrics_go(variant: str) -> None:
    summary = documents(recorded(variant))["summary.md"]
    assert '("AMP of account 123456789012")' in summary
    assert f"`sts:AssumeRole` on `{CENTRAL_ROLE}`" in summary


def test_endpoints_are_named_for_what_the_role_there_does() -> None:
    summary = documents(recorded("central-closed"))["summary.md"]
    [line] = [line for line in summary.splitlines() if line.startswith("Endpoints would be, or are: ")]
    for name in ("aps-workspaces", "sts", "xray"):
        assert f"`{name}`" in line


def test_a_workspace_of_the_stack_is_not_deleted_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, running(""))
    assert (
        refused(VARIANTS["central"])
        .splitlines()[1]
        .startswith(
            "  accounts.central: would delete ws-1, the workspace that this stack has made, with all of its metrics; "
        )
    )


def test_the_partition_is_that_of_the_stack() -> None:
    workspace = CENTRAL_WORKSPACE.replace("arn:aws:", "arn:aws-us-gov:").replace("eu-west-1", "us-gov-west-1")
    central = CENTRAL | {"workspace": workspace, "role": CENTRAL_ROLE.replace("arn:aws:", "arn:aws-us-gov:")}
    recording = program({"aws:region": "us-gov-west-1", "accounts": {"central": central}, **NO_GRAFANA, **one()})
    [trust] = role(recording)["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"AWS": ["arn:aws-us-gov:iam::123456789012:root"]}


def test_verify_says_who_could_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "deployment", lambda *_: None)
    monkeypatch.setattr(command, "record", lambda *_: recorded("central"))
    assert command.main(["dev"]) == 2
    assert capsys.readouterr().err == (
        "verify: the metrics of stack 'dev' are in account 123456789012, which answers nobody of this one; see them on "
        "its dashboards there (docs/accounts.md)\n"
    )
