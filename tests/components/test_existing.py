"""What exists already: used as it is, refused where it does not fit, and nothing of it a resource of the stack."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from documents.dashboards.shared import uid
from preview import placeholders
from preview.recorder import ProgramError, Recording
from preview.render import documents
from tests import judges
from tests.components.test_encryption import answering, refused, running
from tests.components.variants import (
    CLUSTER_ARN,
    EXECUTION_ROLE,
    GRAFANA_ID,
    INVENTORY,
    PARAMETER,
    STOREFRONT,
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

pytestmark = pytest.mark.slow

WORKSPACE_ARN = f"arn:aws:aps:eu-west-1:<account>:workspace/{WORKSPACE_ID}"
STACK = "ecs-observability-dev"


def types(recording: Recording) -> set[str]:
    return {resource.type for resource in recording.resources}


def test_nothing_that_exists_is_a_resource() -> None:
    made = types(recorded("existing"))
    assert not made & {
        "aws:ecs/cluster:Cluster",
        "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders",
        "aws:amp/workspace:Workspace",
        "aws:amp/workspaceConfiguration:WorkspaceConfiguration",
        "aws:amp/ruleGroupNamespace:RuleGroupNamespace",
        "aws:amp/alertManagerDefinition:AlertManagerDefinition",
        "aws:grafana/workspace:Workspace",
        "aws:grafana/roleAssociation:RoleAssociation",
    }
    assert not [one for one in recorded("existing").resources if "read" in one.options]


def test_services_run_in_the_cluster_and_say_so() -> None:
    recording = recorded("existing")
    [service] = recording.of_type("aws:ecs/service:Service")
    assert service.inputs["cluster"] == "arn:aws:ecs:eu-west-1:<account>:cluster/shared"
    container = containers(recording, "storefront-definition")["storefront"]
    assert "aws.ecs.cluster.name=shared," in environment(container)["OTEL_RESOURCE_ATTRIBUTES"]
    assert recording.outputs["cluster"] == "shared"
    stops = recording.named("aws:cloudwatch/eventRule:EventRule", "events-stops").inputs["eventPattern"]
    assert json.loads(stops)["detail"]["clusterArn"] == ["arn:aws:ecs:eu-west-1:<account>:cluster/shared"]


def test_figures_of_tasks_are_those_of_the_cluster() -> None:
    """And names of what the stack makes stay the stack's."""
    recording = recorded("existing-service")
    saturated = recording.named("aws:cloudwatch/metricAlarm:MetricAlarm", "alerting-TaskCpuSaturated-storefront")
    dimensions = [query["metric"]["dimensions"] for query in saturated.inputs["metricQueries"] if "metric" in query]
    assert {one["ClusterName"] for one in dimensions} == {"shared"}
    [finds] = [one for one in statements(recording, "scraper-task-policy") if one["Sid"] == "ReadTasks"]
    assert finds["Resource"] == "arn:aws:ecs:eu-west-1:<account>:task/shared/*"
    groups = {group.inputs["name"] for group in recording.of_type("aws:cloudwatch/logGroup:LogGroup")}
    assert f"/ecs/{STACK}/telemetry/logs" in groups
    configurations = [text for path, text in documents(recording).items() if path.startswith("collector/")]
    assert any(f"/ecs/{STACK}/telemetry/logs" in text for text in configurations)
    assert not any("/ecs/shared/" in text for text in configurations)


def test_rules_look_for_series_of_the_cluster() -> None:
    for stack in ("existing-service", "what-exists"):
        rules = [text for path, text in documents(recorded(stack)).items() if path.startswith("rules/")]
        clusters = {one for text in rules for one in re.findall(r"aws_ecs_cluster_name(?:=|: )\"?([\w-]+)", text)}
        assert clusters == {"shared"}


def test_metrics_go_to_the_workspace() -> None:
    recording = recorded("existing")
    address = f"https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/{WORKSPACE_ID}/api/v1/remote_write"
    assert recording.outputs["metricsRemoteWriteUrl"] == address
    assert address in environment(containers(recording, "storefront-definition")["collector"]).values()
    [writes] = [one for one in statements(recording, "storefront-task-policy") if one["Sid"] == "WriteMetrics"]
    assert writes["Resource"] == WORKSPACE_ARN
    assert [warning for warning in recording.warnings if warning.startswith("existing.metrics: the rules")]


def test_its_rules_are_the_stacks_only_if_it_says_so() -> None:
    recording = recorded("existing-service")
    rules = recording.of_type("aws:amp/ruleGroupNamespace:RuleGroupNamespace")
    assert {(one.inputs["name"], one.inputs["workspaceId"]) for one in rules} == {
        (f"{STACK}-recording", WORKSPACE_ID),
        (f"{STACK}-alerts", WORKSPACE_ID),
    }
    [definition] = recording.of_type("aws:amp/alertManagerDefinition:AlertManagerDefinition")
    assert definition.inputs["workspaceId"] == WORKSPACE_ID
    assert not [warning for warning in recording.warnings if warning.startswith("existing")]


def test_a_folder_and_data_sources_of_the_stack_in_a_grafana_of_others() -> None:
    recording = recorded("existing")
    [folder] = recording.of_type("grafana:oss/folder:Folder")
    assert (folder.inputs["uid"], folder.inputs["title"]) == (STACK, STACK)
    sources = {one.inputs["uid"]: one.inputs for one in recording.of_type("grafana:oss/dataSource:DataSource")}
    assert {(key, one["name"], one["isDefault"]) for key, one in sources.items()} == {
        (uid(STACK, own), f"{STACK} {own}", False) for own in ("amp", "xray", "cloudwatch")
    }
    # It is deleted with the stack: its workspace stays.
    assert not [one for one in recording.resources if "deleted_with" in one.options]
    account = recording.named("aws:grafana/workspaceServiceAccount:WorkspaceServiceAccount", "grafana-deployer")
    assert account.inputs["workspaceId"] == GRAFANA_ID


def test_dashboards_refer_to_those_alone() -> None:
    recording = recorded("existing")
    own = {"overview", "ecs-tasks", "application", "traces", "collector", "costs", "team"}
    dashboards = [json.loads(one.inputs["configJson"]) for one in recording.of_type("grafana:oss/dashboard:Dashboard")]
    assert {one["uid"] for one in dashboards} == {uid(STACK, name) for name in own}
    text = json.dumps(dashboards)
    assert set(re.findall(r'"/d/([^"?]*)', text)) <= {uid(STACK, name) for name in own}
    named = set(re.findall(r'"(?:uid|query|value)": "(amp|xray|cloudwatch)[^"]*"', text))
    assert {f'"uid": "{uid(STACK, name)}"' in text for name in named} == {True}
    assert not re.search(r'"uid": "(?:amp|xray|cloudwatch)"|%22xray%22', text)


def test_what_its_role_needs_is_rendered_and_not_attached() -> None:
    recording = recorded("existing")
    policy = json.loads(placeholders.fill(recording, documents(recording)["existing/grafana-role.json"]))
    assert judges.policy(policy) == []
    assert policy["Statement"][0] == {
        "Sid": "QueryMetrics",
        "Effect": "Allow",
        "Action": [
            "aps:DescribeWorkspace",
            "aps:GetLabels",
            "aps:GetMetricMetadata",
            "aps:GetSeries",
            "aps:ListRules",
            "aps:QueryMetrics",
        ],
        "Resource": f"arn:aws:aps:eu-west-1:123456789012:workspace/{WORKSPACE_ID}",
    }
    assert "grafana-role" not in {resource.name for resource in recording.resources}


def test_everything_that_does_not_fit_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(
        monkeypatch,
        {
            "getCluster": {
                "clusterName": "shared",
                "status": "ACTIVE",
                "settings": [{"name": "containerInsights", "value": "enabled"}],
            },
            # AMP's and AMG's are functions of one name.
            "getWorkspace": {"workspaceId": "it", "status": "CREATING", "grafanaVersion": "10.4", "roleArn": ""},
        },
    )
    wanted = {"cluster": CLUSTER_ARN, "metrics": WORKSPACE_ID, "grafana": GRAFANA_ID}
    assert refused({"pattern": "service", "existing": wanted, **one()}).splitlines() == [
        "this stack cannot be deployed:",
        "  existing.cluster: has Container Insights enabled, where the service pattern reads CPU, memory and restarts "
        "of tasks (got 'shared'); have its owner set containerInsights to enhanced, or use the sidecar pattern",
        "  existing.metrics: is not active but CREATING (got 'it'); wait until it is, or give another",
        "  existing.grafana: is not active but CREATING (got 'it'); wait until it is, or give another",
        "  existing.grafana: has Grafana 10.4, and the dashboards are made for 12 and later (got 'it'); "
        "have its owner update it, or give another",
        "  existing.grafana: has no role, with which its data sources would ask AWS (got 'it'); "
        "have its owner give it one",
    ]


@pytest.mark.parametrize("value", ["disabled", "enabled", "enhanced"])
def test_sidecars_need_no_container_insights(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    settings = [{"name": "containerInsights", "value": value}]
    arn = "arn:aws:ecs:eu-west-1:<account>:cluster/shared"
    answering(
        monkeypatch, {"getCluster": {"clusterName": "shared", "arn": arn, "status": "ACTIVE", "settings": settings}}
    )
    assert program({"existing": {"cluster": "shared"}, **one()}).outputs["cluster"] == "shared"


def test_a_cluster_that_goes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, {"getCluster": {"clusterName": "shared", "status": "INACTIVE", "settings": []}})
    assert refused({"existing": {"cluster": "shared"}, **one()}).endswith(
        "existing.cluster: is not active but INACTIVE (got 'shared'); give one that is"
    )


def faults(config: Mapping[str, Any]) -> list[str]:
    with pytest.raises(ProgramError) as caught:
        program(config)
    return str(caught.value).splitlines()[1:]


def test_settings_of_what_is_not_the_stacks_are_refused() -> None:
    assert faults(
        {
            "existing": VARIANTS["existing"]["existing"],
            "metrics": {"retentionDays": 30, "maxSeries": 1000, "intervalSeconds": 30},
            "grafana": {"enabled": False, "admins": {"users": ["u-1"]}},
            "alerts": {"traces": True},
            "applications": [STOREFRONT],
        }
    )[-6:] == [
        "  alerts.traces: has Grafana look at traces, and there is none (got True); turn grafana on, or this off",
        "  metrics.retentionDays: is a setting of the workspace, which exists already (got 30); leave it out",
        "  metrics.maxSeries: is a setting of the workspace, which exists already (got 1000); leave it out",
        "  existing.grafana: is given, and grafana.enabled is false (got 'g-1234567890'); leave one of them out",
        "  grafana.admins: may enter a workspace that exists already; say so where it is made",
        "  alerts.traces: would replace the notification policy of a Grafana that others use too (got True); leave it "
        "out with existing.grafana",
    ]


def test_ids_that_are_none() -> None:
    assert faults(
        {
            "existing": {"cluster": "my cluster", "metrics": "shop", "grafana": "shop", "rules": True},
            "encryption": {"key": "alias/shop"},
            "applications": [STOREFRONT],
        }
    ) == [
        "  encryption.key: is neither 'made' nor the ARN of a KMS key (got 'alias/shop'); write made, or "
        "arn:aws:kms:<region>:<account>:key/<id>, which is no alias",
        "  existing.cluster: is not a name or ARN of an ECS cluster (got 'my cluster'); write it as shared, or as the "
        "cluster's whole ARN",
        "  existing.metrics: is not the id of an AMP workspace (got 'shop'); write it as "
        "ws-12345678-1234-1234-1234-123456789012, not its alias",
        "  existing.grafana: is not the id of an AMG workspace (got 'shop'); write it as g-1234567890, the first part "
        "of its address",
    ]


def test_rules_of_no_workspace() -> None:
    assert faults({"existing": {"rules": True}, **one()}) == [
        "  existing.rules: is said of an existing AMP workspace, and none is given (got True); give existing.metrics, "
        "or leave this out: the rules of a workspace of the stack are its own"
    ]


def test_roles_of_an_application_are_used_and_not_made() -> None:
    recording = recorded("existing-roles")
    definition = recording.named("aws:ecs/taskDefinition:TaskDefinition", "storefront-definition").inputs
    assert (definition["taskRoleArn"], definition["executionRoleArn"]) == (TASK_ROLE, EXECUTION_ROLE)
    roles = {role.name for role in recording.of_type("aws:iam/role:Role")}
    assert not roles & {"storefront-task", "storefront-execution", "inventory-execution"}
    assert "inventory-task" in roles


def test_what_they_need_is_rendered_and_not_attached() -> None:
    """The same as roles of the stack's own would have."""
    recording = recorded("existing-roles")
    shown = {path: text for path, text in documents(recording).items() if path.startswith("existing/")}
    assert set(shown) == {
        "existing/storefront-task-role.json",
        "existing/storefront-execution-role.json",
        "existing/inventory-execution-role.json",
    }
    own = program({"applications": [STOREFRONT | {"secrets": {"DSN": PARAMETER}}, INVENTORY | {"pattern": "service"}]})
    for path, text in shown.items():
        role = path.removeprefix("existing/").removesuffix("-role.json")
        assert json.loads(text)["Statement"] == statements(own, f"{role}-policy")
        assert judges.policy(json.loads(placeholders.fill(recording, text))) == []
    assert "rolePolicies" not in own.outputs


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        {"Effect": "Deny", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"Service": ["ecs-tasks.amazonaws.com"]}, "Action": ["sts:TagSession"]},
    ],
)
def test_a_role_that_tasks_cannot_have_is_refused(
    monkeypatch: pytest.MonkeyPatch, statement: Mapping[str, Any]
) -> None:
    trust = json.dumps({"Version": "2012-10-17", "Statement": statement})
    answering(monkeypatch, {"getRole": {"name": "storefront", "assumeRolePolicy": trust}})
    assert refused(one(taskRole=TASK_ROLE)).splitlines() == [
        "this stack cannot be deployed:",
        "  storefront.taskRole: does not trust ecs-tasks.amazonaws.com, so ECS could not start a task with it "
        f"(got {TASK_ROLE!r}); have its owner add that to its trust policy, with sts:AssumeRole",
    ]


def test_a_name_is_no_arn() -> None:
    assert faults(one(executionRole="shop")) == [
        "  applications.0.executionRole: is not the ARN of an IAM role (got 'shop'); write it as "
        "arn:aws:iam::123456789012:role/name"
    ]


def test_a_workspace_of_the_stack_is_not_deleted_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, running(""))
    assert refused({"existing": {"metrics": WORKSPACE_ID}, **one()}).splitlines()[1:] == [
        "  existing.metrics: would delete ws-1, the workspace that this stack has made, with all of its metrics; leave "
        "it out, or deploy a second stack with it beside this one and destroy this one once its metrics are no longer "
        "needed"
    ]
