"""The AMG workspace and everything in it."""

import asyncio
import json
import time
from typing import Any

import pulumi
import pytest

from components import grafana
from documents.dashboards import OURS
from preview.recorder import Recording, Resource
from tests.components.variants import ROLE, names_of, one, program, recorded, statements, untagged

# Each test makes whole documents or programs, which takes a second or two.
pytestmark = pytest.mark.slow

WORKSPACE = "aws:grafana/workspace:Workspace"
ACCOUNT = "aws:grafana/workspaceServiceAccount:WorkspaceServiceAccount"
TOKEN = "aws:grafana/workspaceServiceAccountToken:WorkspaceServiceAccountToken"
SOURCE = "grafana:oss/dataSource:DataSource"
DASHBOARD = "grafana:oss/dashboard:Dashboard"
ASSOCIATION = "aws:grafana/roleAssociation:RoleAssociation"
DAY = 86400


def test_the_workspace() -> None:
    recording = recorded("defaults")
    workspace = recording.named(WORKSPACE, "grafana-workspace")
    inputs = untagged(workspace)
    assert json.loads(inputs.pop("configuration")) == {
        "plugins": {"pluginAdminEnabled": True},
        "unifiedAlerting": {"enabled": True},
    }
    assert inputs == {
        "name": "ecs-observability-dev",
        "accountAccessType": "CURRENT_ACCOUNT",
        "authenticationProviders": ["AWS_SSO"],
        "permissionType": "CUSTOMER_MANAGED",
        "roleArn": "<grafana-role.arn>",
        "grafanaVersion": "12.4",
        "dataSources": ["PROMETHEUS", "XRAY", "CLOUDWATCH"],
    }
    assert names_of(recording, workspace.dependencies) == {"grafana-role", "grafana-role-policy"}


def test_the_service_account_that_deploys() -> None:
    assert recorded("defaults").named(ACCOUNT, "grafana-deployer").inputs == {
        "name": "ecs-observability-dev",
        "grafanaRole": "ADMIN",
        "workspaceId": "<grafana-workspace.id>",
    }


def test_its_role_queries_one_workspace() -> None:
    recording = recorded("defaults")
    trust = json.loads(recording.named(ROLE, "grafana-role").inputs["assumeRolePolicy"])
    assert trust["Statement"][0]["Principal"] == {"Service": "grafana.amazonaws.com"}
    by_sid = {statement["Sid"]: statement for statement in statements(recording, "grafana-role-policy")}
    assert {sid: statement["Resource"] for sid, statement in by_sid.items()} == {
        "QueryMetrics": "<metrics-workspace.arn>",
        "ReadTraces": "*",
        "ReadCloudWatch": "*",
        "ReadLogs": [
            f"arn:aws:logs:eu-west-1:<account>:log-group:{group}:*"
            for group in (
                "/aws/ecs/containerinsights/ecs-observability-dev/performance",
                "/aws/events/ecs-observability-dev/ecs",
                "/ecs/ecs-observability-dev/*",
            )
        ],
    }
    verbs = {
        action.split(":")[1]
        for statement in by_sid.values()
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert all(verb.startswith(("BatchGet", "Describe", "Get", "List", "Query", "Start", "Stop")) for verb in verbs)


def test_who_may_enter() -> None:
    found = {each.name: dict(each.inputs) for each in recorded("grafana").of_type(ASSOCIATION)}
    workspace = {"workspaceId": "<grafana-workspace.id>"}
    assert found == {
        "grafana-admins": {"role": "ADMIN", "userIds": ["u-1", "u-2"], **workspace},
        "grafana-editors": {"role": "EDITOR", "groupIds": ["g-1"], **workspace},
        "grafana-viewers": {"role": "VIEWER", "userIds": ["u-3"], "groupIds": ["g-2"], **workspace},
    }
    assert recorded("defaults").of_type(ASSOCIATION) == ()


def test_the_data_sources() -> None:
    found: dict[str, dict[str, Any]] = {}
    for source in recorded("limits").of_type(SOURCE):
        inputs = dict(source.inputs)
        found[source.name] = inputs | {"jsonDataEncoded": json.loads(inputs["jsonDataEncoded"])}
    role = {"authType": "ec2_iam_role", "defaultRegion": "eu-west-1"}
    assert found == {
        "grafana-amp": {
            "uid": "amp",
            "name": "amp",
            "type": "grafana-amazonprometheus-datasource",
            "url": "<metrics-workspace.prometheusEndpoint>",
            "accessMode": "proxy",
            "isDefault": True,
            "jsonDataEncoded": {
                "httpMethod": "POST",
                "sigV4Auth": True,
                "sigV4AuthType": "ec2_iam_role",
                "sigV4Region": "eu-west-1",
                "timeInterval": "30s",
            },
        },
        "grafana-xray": {
            "uid": "xray",
            "name": "xray",
            "type": "grafana-x-ray-datasource",
            "accessMode": "proxy",
            "isDefault": False,
            "jsonDataEncoded": role,
        },
        "grafana-cloudwatch": {
            "uid": "cloudwatch",
            "name": "cloudwatch",
            "type": "cloudwatch",
            "accessMode": "proxy",
            "isDefault": False,
            "jsonDataEncoded": role,
        },
    }


@pytest.mark.parametrize("stack", ["dev", "prod", "grafana"])
def test_everything_in_grafana_goes_with_the_workspace(stack: str) -> None:
    """`destroy` then needs no token, and a replaced workspace gets all of it again."""
    recording = recorded(stack)
    workspace = recording.named(WORKSPACE, "grafana-workspace")
    [component] = recording.of_type("ecs-observability:index:Grafana")
    provider = recording.named("pulumi:providers:grafana", "grafana-provider")
    within = [
        resource
        for resource in recording.resources
        if resource.parent == component.urn and resource.type not in (WORKSPACE, ASSOCIATION, ROLE)
    ]
    assert len(within) >= 9
    for resource in within:
        if resource.type != "aws:iam/rolePolicy:RolePolicy":
            assert resource.options["deleted_with"] == workspace.urn, resource.urn
            assert "delete_before_replace" not in resource.options, "with deleted_with it would call Grafana after all"
        assert resource.provider == (provider.urn if resource.type.startswith("grafana:") else "")
    assert "deleted_with" not in workspace.options


def test_the_provider_logs_in_with_the_token() -> None:
    recording = recorded("defaults")
    provider = recording.named("pulumi:providers:grafana", "grafana-provider")
    assert repr(provider.inputs["auth"]) == "[secret]"
    assert provider.inputs["auth"].value == "<grafana-token.key>"
    assert provider.inputs["url"] == "https://<grafana-workspace.endpoint>"
    assert names_of(recording, provider.dependencies) == {"grafana-workspace", "grafana-token"}


def test_dashboards_follow_the_data_sources() -> None:
    recording = recorded("grafana")
    dashboards = recording.of_type(DASHBOARD)
    assert [dashboard.name for dashboard in dashboards] == [
        f"grafana-dashboard-{uid}" for uid in sorted((*OURS, "team"))
    ]
    for dashboard in dashboards:
        assert names_of(recording, dashboard.dependencies) == {
            "grafana-amp",
            "grafana-cloudwatch",
            "grafana-folder",
            "grafana-xray",
            "metrics-workspace",
        }
        assert dashboard.inputs["folder"] == "ecs-observability-dev"
        assert dashboard.inputs["overwrite"] is True
    (costs,) = (one for one in dashboards if one.name == "grafana-dashboard-costs")
    assert "<metrics-workspace.id>" in costs.inputs["configJson"]
    assert recording.outputs["dashboardUrls"] == {
        uid: f"https://<grafana-workspace.endpoint>/d/{uid}" for uid in (*OURS, "team")
    }


def test_an_imported_dashboard_reads_our_data_sources() -> None:
    text = recorded("grafana").named(DASHBOARD, "grafana-dashboard-team").inputs["configJson"]
    board = json.loads(text)
    assert board["uid"] == "team"
    assert "__inputs" not in board
    assert board["panels"][0]["datasource"] == {"type": "grafana-amazonprometheus-datasource", "uid": "amp"}
    assert "DS_PROMETHEUS" not in text


def at(monkeypatch: pytest.MonkeyPatch, seconds: float) -> Recording:
    monkeypatch.setattr(time, "time", lambda: seconds)
    return program(one())


def token(recording: Recording) -> Resource:
    return recording.named(TOKEN, "grafana-token")


def test_a_token_lives_thirty_days_and_is_new_every_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    start = 2000 * 10 * DAY
    first = token(at(monkeypatch, start))
    assert first.inputs["secondsToLive"] == 30 * DAY
    assert "name" not in first.inputs, "two tokens of one name are refused, and the new one is made first"
    triggers = [token(at(monkeypatch, start + days * DAY)).options["replacement_trigger"] for days in (0, 9.99, 10)]
    assert triggers == [2000, 2000, 2001]


def test_plugins_are_installed_before_their_data_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = {source.name: source.options.get("hooks") for source in recorded("defaults").of_type(SOURCE)}
    assert hooks == {
        "grafana-amp": {"before_create": ["grafana-install-amp"]},
        "grafana-xray": {"before_create": ["grafana-install-xray"]},
        "grafana-cloudwatch": None,  # part of Grafana
    }
    callbacks: dict[str, Any] = {}
    installed: list[tuple[str, str, str]] = []
    register = pulumi.ResourceHook.__init__

    def registered(self: Any, name: str, func: Any, *arguments: Any, **more: Any) -> None:
        callbacks[name] = func
        register(self, name, func, *arguments, **more)

    monkeypatch.setattr(pulumi.ResourceHook, "__init__", registered)
    monkeypatch.setattr(grafana, "install_plugin", lambda *arguments: installed.append(arguments))
    program(one())
    assert installed == [], "a preview installs nothing"
    for callback in callbacks.values():
        assert asyncio.iscoroutinefunction(callback), "one that blocks would hold up the whole program"
        asyncio.run(callback(None))
    url = "https://<grafana-workspace.endpoint>"
    assert sorted(installed) == [
        (url, "<grafana-token.key>", "grafana-amazonprometheus-datasource"),
        (url, "<grafana-token.key>", "grafana-x-ray-datasource"),
    ]
