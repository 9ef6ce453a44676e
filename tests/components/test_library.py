"""The components in programs of others: without stack files of ours, with inputs that other resources give."""

from pathlib import Path
from textwrap import dedent

import pytest

from documents.faults import ConfigurationError
from preview.recorder import ProgramError, Recording, record
from tests.components.variants import SECRET, TASK, containers, environment, statements

BEGINNING = """
import json
import pulumi
import pulumi_aws as aws
from components import (Application, Cluster, CollectorService, Metrics, Network, Place, Sidecar, Site, instrument)
from documents import inputs, network
from documents.names import Names
from documents.origin import Origin
from documents.signals import Signals

site = Site.here(Names("shop", "dev"), "eu-west-1", {}, inputs.Identity(), 30)
metrics = Metrics("metrics", {"site": site, "metrics": inputs.Metrics(), "rules": {}})
telemetry = metrics.telemetry(Signals())
sidecar = Sidecar(telemetry, inputs.Collector(), "eu-west-1")

def place():
    made = Network("network", {"site": site, "network": network.Network()})
    cluster = Cluster("cluster", {"site": site, "vpc_id": made.vpc_id, "container_insights": "disabled"})
    return Place(site, cluster, made.vpc_id, made.subnet_ids)
"""

FOREIGN = """
origin = Origin("shop", "dev", "shop-dev", "web", "shop-dev-web")
pattern = {pattern}.instrument(origin, {{"logDriver": "awslogs"}})
queue = aws.sqs.Queue("queue")
definitions = queue.url.apply(lambda url: json.dumps([
    {{"name": "proxy", "image": "envoy:1"}},
    {{"name": "web", "image": "web:1", "environment": [
        {{"name": "QUEUE", "value": url}}, {{"name": "OTEL_SERVICE_NAME", "value": "own"}}]}}]))
aws.ecs.TaskDefinition("theirs", family="web", container_definitions=instrument(definitions, "{observed}", pattern))
"""

APPLICATION = """
secret = aws.secretsmanager.Secret("db", name="db")
repository = aws.ecr.Repository("web", name="web")
Application("web", {{
    "place": place(), "pattern": sidecar, "name": "web", "port": 8080,
    "image": pulumi.Output.concat(repository.repository_url, ":1.2.3"),
    "repository_arn": repository.arn,
    "environment": {{"BUCKET": aws.s3.Bucket("bucket").id}},
    "secrets": {{"DB": {secret}}},
    {more}
}})
"""


def run(folder: Path, program: str, *, preview: bool = False) -> Recording:
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text("config:\n  aws:region: eu-west-1\n")
    (folder / "__main__.py").write_text(dedent(BEGINNING) + program)
    return record(folder, "dev", preview=preview)


@pytest.mark.parametrize(
    ("pattern", "endpoint", "names"),
    [
        ("sidecar", "http://localhost:4318", ["proxy", "web", "drain", "collector"]),
        (
            'CollectorService("collector", {"place": place(), "telemetry": telemetry, '
            '"collector": inputs.Collector()})',
            "http://collector.dev.shop.internal:4318",
            ["proxy", "web"],
        ),
    ],
)
def test_instrument_adds_a_pattern_to_a_definition_that_is_there(
    tmp_path: Path, pattern: str, endpoint: str, names: list[str]
) -> None:
    recording = run(tmp_path, FOREIGN.format(pattern=pattern, observed="web"))
    found = containers(recording, "theirs")
    assert list(found) == names
    assert found["proxy"] == {"name": "proxy", "image": "envoy:1"}
    variables = environment(found["web"])
    assert variables["QUEUE"] == "<queue.url>"
    assert variables["OTEL_SERVICE_NAME"] == "own"
    assert variables["OTEL_EXPORTER_OTLP_ENDPOINT"] == endpoint
    assert variables["OTEL_RESOURCE_ATTRIBUTES"].endswith("aws.ecs.task.family=shop-dev-web")
    if "collector" in found:
        assert environment(found["collector"])["AWS_PROMETHEUS_ENDPOINT"].startswith("<metrics-workspace.")
        assert {"metrics-workspace", "queue"} == {
            recording.by_urn(urn).name for urn in recording.named(TASK, "theirs").dependencies
        }


def test_instrumenting_a_container_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no container is named 'api' \\(there are proxy, web\\); name one of them"):
        run(tmp_path, FOREIGN.format(pattern="sidecar", observed="api"))


def test_instrument_survives_unknowns(tmp_path: Path) -> None:
    recording = run(tmp_path, FOREIGN.format(pattern="sidecar", observed="api"), preview=True)
    assert repr(recording.named(TASK, "theirs").inputs["containerDefinitions"]) == "[unknown]"


def test_an_application_of_outputs(tmp_path: Path) -> None:
    whole = 'pulumi.Output.concat(secret.arn, ":password::")'
    recording = run(tmp_path, APPLICATION.format(secret=whole, more=""))
    web = containers(recording, "web-definition")["web"]
    assert web["image"] == "<web.repositoryUrl>:1.2.3"
    assert environment(web)["BUCKET"] == "<bucket.id>"
    assert web["secrets"] == [{"name": "DB", "valueFrom": "<db.arn>:password::"}]
    # What kind of ARN a placeholder becomes is not known before it is one.
    assert [
        (statement["Sid"], statement["Resource"]) for statement in statements(recording, "web-execution-policy")
    ] == [
        ("WriteLogs", "<web-logs.arn>:*"),
        ("LogInToRegistry", "*"),
        ("PullImages", ["<web.arn>"]),
        ("ReadSecrets", ["<db.arn>"]),
        ("ReadParameters", ["<db.arn>"]),
    ]


def test_an_application_of_outputs_survives_unknowns(tmp_path: Path) -> None:
    recording = run(tmp_path, APPLICATION.format(secret="secret.arn", more=""), preview=True)
    assert repr(recording.named(TASK, "web-definition").inputs["containerDefinitions"]) == "[unknown]"


def test_faults_of_an_application_come_all_at_once_before_anything_of_it_is_registered(tmp_path: Path) -> None:
    more = '"cpu": 300, "desired_count": -1, "health_check": {"intervall": 5},'
    with pytest.raises(ProgramError) as caught:
        run(tmp_path, APPLICATION.format(secret='"hunter2"', more=more))
    assert str(caught.value) == "\n".join(
        [
            "this stack cannot be deployed:",
            "  web.cpu: Fargate has no task of 300 CPU units (got 300); "
            "choose one of 256, 512, 1024, 2048, 4096, 8192, 16384",
            "  web.secrets.DB: is not the ARN of a secret; store it in Secrets Manager or SSM Parameter Store and give "
            "the ARN, never the value",
            "  web.desired_count: is too small (got -1); give at least 0",
            "  web.health_check.command: is missing; give it a value",
            "  web.health_check.intervall: is not a known key; did you mean 'interval'?",
        ]
    )


def test_a_plain_secret_that_another_resource_gives_is_refused_without_being_told(tmp_path: Path) -> None:
    program = APPLICATION.format(secret='pulumi.Output.from_input("hunter2")', more="")
    with pytest.raises(ProgramError) as caught:
        run(tmp_path, program)
    assert "web.secrets.DB: is not the ARN of a secret" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_the_arn_of_a_secret_may_be_plain(tmp_path: Path) -> None:
    recording = run(tmp_path, APPLICATION.format(secret=f'"{SECRET}"', more=""))
    assert statements(recording, "web-execution-policy")[-1]["Resource"] == [SECRET]


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ('"memory": 512', "web.memory: leaves 0 MiB to the application beside a collector of 544 MiB with its drain"),
        (f'"name": "{"w" * 50}"', "and IAM takes 64"),
    ],
)
def test_an_application_has_the_checks_of_a_stack_file(tmp_path: Path, more: str, fault: str) -> None:
    with pytest.raises((ProgramError, ConfigurationError)) as caught:
        run(tmp_path, APPLICATION.format(secret=f'"{SECRET}"', more=more))
    assert fault in str(caught.value)


ALERTING = """
from components import Alerting, TaskEvents
from documents.alerting.inputs import DEFAULTS
from documents.alerting.subscriptions import Subscription
from documents.catalogue import Pattern
from documents.observed import Application as Seen, Observed

TaskEvents("events", {"site": site, "cluster_arn": aws.ecs.Cluster("theirs", name="shop-dev").arn})
seen = Observed(site.names, "eu-west-1", 60, (Seen("web", Pattern.SIDECAR, 2, DEFAULTS),))
Alerting("alerting", {
    "site": site, "observed": seen, "workspace_id": metrics.workspace_id, "workspace_arn": metrics.workspace_arn,
    "subscriptions": [Subscription(email="people@example.com")],
})
"""


@pytest.mark.parametrize("preview", [False, True])
def test_alerts_for_a_cluster_of_theirs(tmp_path: Path, preview: bool) -> None:
    recording = run(tmp_path, ALERTING, preview=preview)
    alarms = recording.of_type("aws:cloudwatch/metricAlarm:MetricAlarm")
    assert "shop-dev-TaskOutOfMemory-web" in {alarm.inputs["name"] for alarm in alarms}
    assert len(recording.of_type("aws:sns/topicSubscription:TopicSubscription")) == 2
    if not preview:
        stops = recording.named("aws:cloudwatch/eventRule:EventRule", "events-stops")
        assert '"clusterArn": ["<theirs.arn>"]' in stops.inputs["eventPattern"]


def test_a_file_system_of_another_resource_is_mounted_by_the_task_and_its_role(tmp_path: Path) -> None:
    more = """"volumes": {"data": {"path": "/data", "efs": {
        "file_system_id": aws.efs.FileSystem("files").id, "access_point_id": "fsap-0123456789abcdef0"}}}"""
    recording = run(tmp_path, APPLICATION.format(secret=f'"{SECRET}"', more=more))
    [volume] = recording.named(TASK, "web-definition").inputs["volumes"]
    assert volume["efsVolumeConfiguration"]["fileSystemId"] == "<files.id>"
    [mount] = [one for one in statements(recording, "web-task-policy") if one["Sid"] == "MountVolume0"]
    assert mount["Resource"] == "arn:aws:elasticfilesystem:eu-west-1:<account>:file-system/<files.id>"


TASKS = """
from components import Task, schedules
job = Task("job", {{
    "place": place(), "pattern": sidecar, "name": "job", "image": "shop/job:1",
    "environment": {{"BUCKET": aws.s3.Bucket("bucket").id}}, "schedule": {{"expression": "{expression}"}}, {more}
}})
pulumi.export("run", job.run_command)
"""


@pytest.mark.parametrize("preview", [False, True])
def test_a_task_of_outputs(tmp_path: Path, preview: bool) -> None:
    program = TASKS.format(expression="rate(1 day)", more='"schedules": schedules("schedules", site)')
    recording = run(tmp_path, program, preview=preview)
    assert recording.named("aws:scheduler/schedule:Schedule", "job-schedule").inputs["name"] == "shop-dev-job"
    if not preview:
        assert environment(containers(recording, "job-definition")["job"])["BUCKET"] == "<bucket.id>"
        assert "--task-definition shop-dev-job " in recording.outputs["run"]


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("rate(1 days)", "job.schedule.expression: is no rate (got 'rate(1 days)')"),
        ("rate(1 day)", "job.schedules: is missing; give what `schedules` returns"),
    ],
)
def test_faults_of_a_task(tmp_path: Path, expression: str, fault: str) -> None:
    with pytest.raises((ProgramError, ConfigurationError)) as caught:
        run(tmp_path, TASKS.format(expression=expression, more=""))
    assert fault in str(caught.value)
