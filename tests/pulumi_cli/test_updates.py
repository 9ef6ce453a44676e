"""What `pulumi up`, `preview` and `destroy` do with the stacks of this repository, on the real engine.

The providers are stand-ins that refuse what the real ones refuse, so that an update in a wrong order fails.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from documents.alerting.subscriptions import Subscription
from preview.recorder import record
from tests.pulumi_cli.asserts import assert_as_recorded, assert_prints_no_fault, differences, known_of
from tests.pulumi_cli.cloud import Call
from tests.pulumi_cli.stack import ALERTS, ENDPOINT, KEY, Fresh, Run, Stack, names_of

pytestmark = pytest.mark.slow

SERVICE = "aws:ecs/service:Service"
DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
TOKEN = "aws:grafana/workspaceServiceAccountToken:WorkspaceServiceAccountToken"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
DEFINED = "aws:amp/alertManagerDefinition:AlertManagerDefinition"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
LOGS_POLICY = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
TOPIC = "aws:sns/topic:Topic"
POLICY = "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
TELLS = ("Topic", "TopicPolicy", "TopicSubscription", "Key", "MetricAlarm", "AlertManagerDefinition", "EventRule")
KEEPS_DATA = (
    "Cluster",
    "Dashboard",
    "DataSource",
    "Folder",
    "Key",
    "LoadBalancer",
    "LogGroup",
    "PrivateDnsNamespace",
    "Repository",
    "Topic",
    "Vpc",
    "Workspace",
)


def things_by_id(stack: Stack) -> dict[str, str]:
    """Ids of everything that holds data or has an address that people know, by type and name."""
    return {
        f"{thing.type} {thing.name}": thing.id
        for thing in stack.cloud.things()
        if thing.type.endswith(tuple(f":{kind}" for kind in KEEPS_DATA))
    }


def subscriptions(stack: Stack) -> set[tuple[str, str]]:
    """Topic and address of everybody whom SNS tells."""
    topics = {thing.outputs["arn"]: thing.id for thing in stack.cloud.things() if thing.type == TOPIC}
    return {
        (topics[thing.inputs["topic"]], thing.inputs["endpoint"])
        for thing in stack.cloud.things()
        if thing.type == SUBSCRIPTION
    }


def token_of(stack: Stack) -> str:
    (token,) = [thing.outputs["key"] for thing in stack.cloud.things() if thing.type == TOKEN]
    return token


def containers(call_inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in json.loads(call_inputs["containerDefinitions"])}


def unprotected(stack: Stack) -> None:
    """Let the stack's load balancer and what holds data go with it."""
    balancer = {**stack.configuration("loadBalancer"), "deletionProtection": False}
    stack.configure(loadBalancer=balancer, protect=False)


class TestFirstDeployment:
    def test_makes_exactly_what_the_preview_records(self, first_up: tuple[Stack, Run]) -> None:
        stack, run = first_up
        assert_prints_no_fault(run)
        assert_as_recorded(stack)
        custom = {urn for urn, resource in stack.resources().items() if resource["custom"]}
        assert len(run.of("create")) == len(custom) - 1, "all but the Grafana provider, which is the engine's"

    def test_of_the_service_pattern_and_its_end(self, fresh: Fresh) -> None:
        stack = fresh("prod")
        unprotected(stack)
        run = stack.up(slow="create .*:SecurityGroup(In|E)gressRule")
        assert_prints_no_fault(run)
        assert_as_recorded(stack)
        for service in (call for call in run.calls if call.type == SERVICE):
            group = service.name.replace("-service", "-tasks-")
            rules = [call for call in run.calls if call.name.startswith(group)]
            assert len(rules) > 1
            assert all(rule.ended < service.began for rule in rules), "tasks start with their network in place"
        stack.run("destroy", "--yes", "--skip-preview")
        assert not stack.cloud.things()

    def test_gives_the_outputs_that_the_preview_records(self, first_up: tuple[Stack, Run]) -> None:
        stack, _ = first_up
        outputs, recorded = stack.outputs(), record(stack.project, stack.name).outputs
        assert [*differences(outputs, recorded, known_of(stack.resources().values()))] == []
        (workspace,) = [thing for thing in stack.cloud.things() if thing.type == "aws:grafana/workspace:Workspace"]
        assert outputs["grafanaUrl"] == f"https://{workspace.outputs['endpoint']}"

    def test_installs_plugins_before_the_data_sources(self, first_up: tuple[Stack, Run]) -> None:
        stack, _ = first_up
        (workspace,) = [thing for thing in stack.cloud.things() if thing.type == "aws:grafana/workspace:Workspace"]
        for plugin in ("grafana-x-ray-datasource", "grafana-amazonprometheus-datasource"):
            assert stack.cloud.installed(workspace.id, plugin)

    def test_keeps_the_token_out_of_output_and_state(self, first_up: tuple[Stack, Run]) -> None:
        stack, run = first_up
        assert token_of(stack) not in run.output
        assert token_of(stack) not in stack.state_text()

    def test_keeps_an_address_with_a_key_out_of_output_and_state(self, first_up: tuple[Stack, Run]) -> None:
        stack, run = first_up
        assert ("ecs-observability-dev-critical", ENDPOINT) in subscriptions(stack)
        assert KEY not in run.output
        assert KEY not in stack.state_text()

    def test_lets_senders_in_before_they_send(self, first_up: tuple[Stack, Run]) -> None:
        """A refused heartbeat makes an alarm fire, and an event that no log group takes is lost."""
        _, run = first_up

        def calls(token: str) -> list[Call]:
            return [call for call in run.calls if call.type == token]

        allowed = {call.inputs["arn"]: call.ended for call in calls(POLICY)}
        for alarm in calls(ALARM):
            assert max(allowed[topic] for topic in alarm.inputs["alarmActions"]) < alarm.began
        [definition] = calls(DEFINED)
        assert max(allowed.values()) < definition.began
        [logs] = calls(LOGS_POLICY)
        assert all(logs.ended < target.began for target in calls(TARGET))

    def test_can_be_previewed(self, fresh: Fresh) -> None:
        stack = fresh("dev")
        run = stack.run("preview")
        assert_prints_no_fault(run)
        assert KEY not in stack.run("preview", "--diff").output
        assert not run.changes
        assert f"+ {len(record(stack.project, stack.name).resources) + 1} to create" in run.output

    def test_that_failed_half_way_is_completed_by_the_next(self, fresh: Fresh) -> None:
        stack = fresh("dev")
        failed = stack.up(refuse="create .*:TaskDefinition storefront", code=1)
        assert "the stand-in was told to refuse" in failed.output
        stack.up()
        assert_as_recorded(stack)
        assert len(stack.cloud.things()) == len([each for each in stack.resources().values() if each["custom"]]) - 1


class TestUnchangedStack:
    def test_is_left_alone(self, deployed: Stack) -> None:
        before, token = things_by_id(deployed), token_of(deployed)
        run = deployed.run("up", "--yes", "--expect-no-changes")
        assert not run.changes
        assert not deployed.grafana.requests
        assert (things_by_id(deployed), token_of(deployed)) == (before, token)

    def test_renews_its_token_on_its_schedule_and_changes_nothing_else(self, deployed: Stack) -> None:
        """Day 0 is the first of a period of renewal. On day 365 the token that the stack knows has long expired."""
        for day in (1, 9):
            assert not deployed.run("up", "--yes", "--expect-no-changes", day=day).changes
        for day in (10, 31, 365):
            token = token_of(deployed)
            run = deployed.up(day=day)
            assert_prints_no_fault(run)
            assert run.changes == [f"create {TOKEN} grafana-token", f"delete {TOKEN} grafana-token"], day
            assert token_of(deployed) != token
        assert not deployed.grafana.requests


class TestSwitchOfThePattern:
    def test_to_the_service_and_back(self, deployed: Stack) -> None:
        kept, existed = things_by_id(deployed), names_of(deployed.cloud.things())

        deployed.configure(pattern="service")
        there = deployed.up()
        assert_prints_no_fault(there)
        assert kept == things_by_id(deployed)
        assert_collector_comes_first(there)
        assert_same_alerts(there, "create")

        deployed.configure(pattern="sidecar")
        back = deployed.up()
        assert_prints_no_fault(back)
        assert kept == things_by_id(deployed)
        assert names_of(deployed.cloud.things()) == existed
        assert_collector_goes_last(back)
        assert_same_alerts(back, "delete")

    def test_to_service_connect_and_back(self, deployed: Stack) -> None:
        """By sidecars, `collector.discovery` is changed without a loss, as docs/configuration.md says: with Cloud Map
        the ways there and back are those of the test above."""
        kept = things_by_id(deployed)
        deployed.configure(pattern="service", collector={"discovery": "serviceConnect"})
        there = deployed.up()
        assert_prints_no_fault(there)
        assert kept == things_by_id(deployed)
        assert_collector_comes_first(there)

        deployed.configure(pattern="sidecar")
        back = deployed.up()
        assert_prints_no_fault(back)
        assert kept == things_by_id(deployed)
        assert_collector_goes_last(back)

    def test_of_one_application(self, deployed: Stack) -> None:
        kept, existed = things_by_id(deployed), names_of(deployed.cloud.things())
        first, second = deployed.configuration("applications")
        deployed.configure(applications=[first, {**second, "pattern": "service"}])
        there = deployed.up()
        assert kept == things_by_id(deployed)
        assert_collector_comes_first(there, "inventory-service")

        deployed.configure(applications=[first, second])
        back = deployed.up()
        assert kept == things_by_id(deployed)
        assert names_of(deployed.cloud.things()) == existed
        assert_collector_goes_last(back, "inventory-service")

    def test_of_production_and_back(self, fresh: Fresh) -> None:
        """Behind a load balancer, in a closed network, with requests that shift."""
        stack = fresh("prod")
        stack.up()
        kept = things_by_id(stack)
        stack.configure(pattern="sidecar")
        there = stack.up()
        assert_prints_no_fault(there)
        assert_as_recorded(stack)
        assert things_by_id(stack) == kept
        assert_collector_goes_last(there)

        stack.configure(pattern="service")
        back = stack.up()
        assert_prints_no_fault(back)
        assert_as_recorded(stack)
        assert_collector_comes_first(back)
        assert things_by_id(stack) == kept


def assert_same_alerts(run: Run, moved: str) -> None:
    """An alarm that both patterns have keeps its state, and nobody has to confirm a subscription again."""
    telling = tuple(f":{kind}" for kind in TELLS)
    assert {
        (call.operation, call.type)
        for call in run.calls
        if call.type.endswith(telling) and call.operation in ("create", "delete")
    } == {(moved, ALARM)}


BOTH = ("storefront-service", "inventory-service")


def assert_collector_comes_first(run: Run, *switched: str) -> None:
    """No application is pointed at the collector's service before that is steady; the stand-in of ECS refuses tasks
    that are pointed at one that is not there."""
    steady = next(call for call in run.calls if str(call) == f"create {SERVICE} collector-service")
    updates = [call for call in run.calls if call.operation == "update" and call.type == SERVICE]
    assert {call.name for call in updates} == set(switched or BOTH)
    assert all(call.began > steady.ended for call in updates)


def assert_collector_goes_last(run: Run, *switched: str) -> None:
    """Nothing of the collector goes before every application is steady without it."""
    gone = [call for call in run.calls if call.operation == "delete" and call.name.startswith("collector-")]
    assert f"delete {SERVICE} collector-service" in map(str, gone)
    updates = [call for call in run.calls if call.operation == "update" and call.type == SERVICE]
    assert {call.name for call in updates} == set(switched or BOTH)
    assert max(call.ended for call in updates) < min(call.began for call in gone)


class TestChanges:
    def test_of_an_image_deploys_its_application_only(self, deployed: Stack) -> None:
        (deployed.project / "sample" / "app.py").write_text("print('another version')\n", encoding="utf-8")
        applications = deployed.configuration("applications")
        # Only one of the two is built from the folder that changed.
        pinned = {**applications[1], "image": "public.ecr.aws/example/inventory:1.0.0"}
        deployed.configure(applications=[applications[0], pinned])
        deployed.up()
        (deployed.project / "sample" / "app.py").write_text("print('a third version')\n", encoding="utf-8")
        assert deployed.up().changes == [
            "update docker-build:index:Image storefront-image",
            f"create {DEFINITION} storefront-definition",
            f"update {SERVICE} storefront-service",
            f"delete {DEFINITION} storefront-definition",
        ]


class TestSubscriptions:
    def test_are_known_by_who_they_are_and_not_by_their_place(self, deployed: Stack) -> None:
        existed, alerts = subscriptions(deployed), deployed.configuration("alerts")
        _, *others = alerts["subscriptions"]
        [slack] = [one for one in others if "slack" in one.get("chat", {})]
        del slack["severity"]
        deployed.configure(alerts=alerts | {"subscriptions": others[::-1]})
        run = deployed.up()
        assert subscriptions(deployed) == {one for one in existed if one[1] == ENDPOINT} != existed
        assert run.of("update") == [f"alerting-{Subscription.model_validate(slack).key}"]
        assert [name.rpartition("-")[0] for name in run.of("delete")] == [
            "alerting-critical-email",
            "alerting-warning-email",
        ]
        assert not run.of("create")

    def test_topics_go_when_nothing_sends_to_them(self, deployed: Stack) -> None:
        deployed.configure(alerts={"subscriptions": []})
        run = deployed.up()
        gone = [call for call in run.calls if call.operation == "delete" and call.type == TOPIC]
        assert {call.name for call in gone} == {"alerting-chat-critical", "alerting-chat-warning"}
        updated = [call.ended for call in run.calls if call.operation == "update" and call.type in (ALARM, DEFINED)]
        assert updated
        assert max(updated) < min(call.began for call in gone)
        assert not subscriptions(deployed)


class TestLargeConfiguration:
    def test_has_a_bucket_as_long_as_it_is_large(self, deployed: Stack) -> None:
        existed = names_of(deployed.cloud.things())
        action = {"key": "x" * 50_000, "value": "", "action": "insert"}
        additions = {
            "processors": {"attributes/large": {"actions": [action]}},
            "service": {"pipelines": {"traces": {"processors": ["attributes/large"]}}},
        }
        deployed.configure(collector={"additions": additions})
        run = deployed.up()
        assert_prints_no_fault(run)
        assert_as_recorded(deployed)
        stored = [call.ended for call in run.calls if call.type == OBJECT]
        assert len(stored) == 2
        started = [call.began for call in run.calls if call.operation == "update" and call.type == SERVICE]
        assert max(stored) < min(started)
        assert not deployed.run("up", "--yes", "--expect-no-changes").changes

        deployed.configure(collector={})
        run = deployed.up()
        assert names_of(deployed.cloud.things()) == existed
        [gone] = [call for call in run.calls if call.operation == "delete" and call.type.endswith(":Bucket")]
        assert all(call.ended < gone.began for call in run.calls if call.operation == "update" and call.type == SERVICE)


class TestTwoStacksInOneAccount:
    def test_do_not_meet(self, deployed: Stack, tmp_path: Path) -> None:
        existed = {(thing.type, thing.key, thing.id) for thing in deployed.cloud.things()}
        with Stack.new(tmp_path / "prod", "prod", deployed.cloud) as other:
            # Amazon Q Developer takes one configuration of a channel in an account.
            told = [one for one in ALERTS["subscriptions"] if "email" in one]
            other.configure(alerts={**ALERTS, "subscriptions": told})
            unprotected(other)
            assert_prints_no_fault(other.up())
            other.run("destroy", "--yes", "--skip-preview")
        assert {(thing.type, thing.key, thing.id) for thing in deployed.cloud.things()} == existed


class TestDestruction:
    def test_leaves_nothing_and_asks_nothing_of_grafana(self, deployed: Stack) -> None:
        # Its token has expired by then.
        run = deployed.run("destroy", "--yes", "--skip-preview", refuse=" grafana:", day=45)
        assert not [call for call in run.calls if call.type.startswith("grafana:")]
        assert not deployed.cloud.things()
        assert not deployed.resources()


RENEWED = ("--target", "**:WorkspaceServiceAccountToken::**", "--target", "**pulumi:providers:grafana::**")
"""The token and the provider that has it, as `make destroy` renews them first."""


class TestDestructionInAGrafanaOfOthers:
    def test_needs_a_token_that_has_not_expired(self, fresh: Fresh) -> None:
        """What is in it does not go with it, so Grafana is asked to delete it, and refuses an expired token."""
        stack = fresh("dev")
        stack.configure(existing={"grafana": "g-1234567890"}, alerts={**stack.configuration("alerts"), "traces": False})
        stack.forget("grafana")
        assert_prints_no_fault(stack.up())
        refused = stack.run("destroy", "--yes", "--skip-preview", day=45, code=None)
        assert refused.code != 0
        assert "401" in refused.output

        renewed = stack.up(*RENEWED)
        assert renewed.changes == [f"create {TOKEN} grafana-token", f"delete {TOKEN} grafana-token"]
        stack.run("destroy", "--yes", "--skip-preview")
        assert not stack.cloud.things()
        assert not stack.resources()


class TestWrongConfiguration:
    def test_is_refused_with_every_fault_and_nothing_else(self, fresh: Fresh) -> None:
        stack = fresh("dev")
        stack.configure(
            pattern="sidcar",
            logs={"retentionDays": 8},
            applications=[{"name": "storefront", "image": "nginx", "port": 8080, "colour": "red"}],
        )
        run = stack.up(code=1)
        assert "Traceback" not in run.output
        assert not run.calls
        assert not stack.resources()
        for fault in (
            "pattern: is not one of the choices (got 'sidcar')",
            "logs.retentionDays:",
            "applications.0.image:",
            "applications.0.colour: is not a known key",
        ):
            assert run.output.count(fault) >= 1, fault

    def test_that_pulumi_itself_refuses_is_clean_too(self, fresh: Fresh) -> None:
        stack = fresh("dev")
        stack.configure(applications="storefront")
        run = stack.up(code=None)
        assert run.code != 0
        assert "Traceback" not in run.output
        assert not run.calls

    def test_of_a_deployed_stack_changes_nothing(self, deployed: Stack) -> None:
        before = set(deployed.resources())
        deployed.configure(pattern="sidcar")
        assert not deployed.up(code=1).calls
        assert set(deployed.resources()) == before


FOREIGN_PROGRAM = """\
import json

import pulumi
import pulumi_aws as aws

from components import Configurations, Sidecar, Site, Telemetry, instrument
from documents.inputs import Collector, Identity
from documents.names import Names
from documents.origin import Origin
from documents.task import log_configuration

workspace = aws.amp.Workspace("workspace", alias="theirs")
url = pulumi.Output.concat(workspace.prometheus_endpoint, "api/v1/remote_write")
site = Site.here(Names("shop", "dev"), "eu-west-1", {}, Identity(), 30)
sidecar = Sidecar(Telemetry(url, workspace.arn, 60, Configurations("configurations", site)), Collector(), "eu-west-1")
origin = Origin(namespace="shop", environment="dev", cluster="theirs", service="cart", family="their-cart")
log = log_configuration("/ecs/theirs", "eu-west-1", "collector")
theirs = [{"name": "cart", "image": "cart:1.0.0", "essential": True, "environment": [{"name": "KEEP", "value": "me"}]}]
aws.ecs.TaskDefinition(
    "cart",
    family="their-cart",
    requires_compatibilities=["FARGATE"],
    network_mode="awsvpc",
    cpu="512",
    memory="1024",
    execution_role_arn="arn:aws:iam::123456789012:role/theirs",
    container_definitions=instrument(json.dumps(theirs), "cart", sidecar.instrument(origin, log)),
)
"""


def test_a_task_definition_made_elsewhere_can_be_instrumented(fresh: Fresh) -> None:
    stack = fresh("dev")
    (stack.project / "__main__.py").write_text(FOREIGN_PROGRAM, encoding="utf-8")
    assert_prints_no_fault(stack.up())
    (definition,) = [thing for thing in stack.cloud.things() if thing.type == DEFINITION]
    (workspace,) = [thing for thing in stack.cloud.things() if thing.type == "aws:amp/workspace:Workspace"]
    made = containers(definition.inputs)
    assert set(made) == {"cart", "collector", "drain"}
    assert {"name": "KEEP", "value": "me"} in made["cart"]["environment"]
    assert {
        "name": "AWS_PROMETHEUS_ENDPOINT",
        "value": f"{workspace.outputs['prometheusEndpoint']}api/v1/remote_write",
    } in made["collector"]["environment"]
    assert not stack.up("--expect-no-changes").changes
