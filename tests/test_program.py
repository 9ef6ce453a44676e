"""The program as a whole: what it exports, what it warns of, what it refuses, and that it says the same on any day."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from documents.dashboards.folder import FOLDER
from preview.recorder import ProgramError, Recording, record
from preview.render import documents
from settings import KEYS
from tests.components.variants import INVENTORY, ROOT, STOREFRONT, VARIANTS, one, program, recorded

# Each test makes whole documents or programs, which takes a second or two.
pytestmark = pytest.mark.slow

Project = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The program in a folder of its own, with one stack whose file says `config`."""

    def write(config: dict[str, Any], stack: str = "dev") -> Path:
        for name in ("Pulumi.yaml", "__main__.py"):
            shutil.copy(ROOT / name, tmp_path)
        own = {f"ecs-observability:{key}": value for key, value in config.items()}
        (tmp_path / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": own}), encoding="utf-8")
        return tmp_path

    return write


def preview(root: Path, stack: str = "dev") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "preview", stack, "--root", str(root)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


_NOBODY = "alerts.subscriptions: nobody is told of critical and warning alerts; subscribe somebody"


def test_outputs_of_dev() -> None:
    amp = "<metrics-workspace.prometheusEndpoint>"
    grafana = "https://<grafana-workspace.endpoint>"
    assert recorded("dev").outputs == {
        "cluster": "ecs-observability-dev",
        "services": ["storefront", "inventory"],
        "metricsQueryUrl": f"{amp}api/v1/query",
        "metricsRemoteWriteUrl": f"{amp}api/v1/remote_write",
        "workspaceArn": "<metrics-workspace.arn>",
        "alertTopics": {severity: f"<alerting-{severity}.arn>" for severity in ("critical", "warning")},
        "grafanaUrl": grafana,
        "dashboardUrls": {entry.uid: f"{grafana}/d/{entry.uid}" for entry in FOLDER},
    }


def test_prod_exports_the_address_of_its_collector_as_well() -> None:
    dev, prod = recorded("dev").outputs, recorded("prod").outputs
    assert set(prod) - set(dev) == {
        "collectorAddress",
        "collectorClientsGroupId",
        "encryptionKeyPolicy",
        "loadBalancerDnsName",
    }
    assert prod["collectorAddress"] == "http://collector.prod.ecs-observability.internal:4318"


def test_our_own_stacks_warn_of_nothing_but_what_only_the_user_knows() -> None:
    assert recorded("dev").warnings == (
        _NOBODY,
        "grafana: <your Identity Center user id> is still to be filled in",
    )
    assert recorded("prod").warnings == (
        "alerts.subscriptions.0: <your e-mail address> is still to be filled in",
        "grafana: <your Identity Center group id for administrators> is still to be filled in",
        "grafana: <your Identity Center group id for viewers> is still to be filled in",
    )


def test_latest_is_warned_of() -> None:
    assert program(one(image="shop/web:latest")).warnings == (
        _NOBODY,
        "applications.0.image: the tag 'latest' may be another image tomorrow (got 'shop/web:latest'); pin a version",
    )


def test_the_pattern_is_one_word() -> None:
    """The same file but for that word: the switch touches the collector and its clients, nothing that holds data."""

    def of(recording: Recording, *types: str) -> dict[str, Any]:
        return {each.urn: dict(each.inputs) for each in recording.resources if each.type in types}

    sidecar, service = recorded("defaults"), recorded("cloud-map")
    kept = (
        "aws:amp/workspace:Workspace",
        "aws:amp/workspaceConfiguration:WorkspaceConfiguration",
        "aws:ec2/vpc:Vpc",
        "aws:grafana/workspace:Workspace",
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace",
        "grafana:oss/dataSource:DataSource",
    )
    before, after = of(sidecar, *kept), of(service, *kept)
    assert before
    assert before == after


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_same_bytes_on_any_day(stack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 2.5e9)
    another_day = documents(record(ROOT, stack))
    assert another_day == documents(recorded(stack))


@pytest.mark.parametrize("stack", ["dev", "prod", "secrets", "mixed"])
def test_what_only_aws_knows_is_a_placeholder(stack: str) -> None:
    """Never a value that looks real, but for those that the configuration itself gives."""
    # What stands for AWS on a machine of one's own has an account that is obviously none.
    deployed = {path: text for path, text in documents(recorded(stack)).items() if not path.startswith("local/")}
    text = "\n".join(deployed.values())
    given = json.dumps(recorded(stack).config)
    for found in re.findall(
        r"\b\d{12}\b|\bws-[0-9a-f-]{36}\b|\bg-[0-9a-f]{10}\b|\b(?:vpc|subnet|sg)-[0-9a-f]{8,17}\b", text
    ):
        assert found in given


@pytest.mark.slow
def test_a_stack_of_the_user_is_rendered_from_the_command_line(project: Project) -> None:
    root = project(one(), "shop")
    done = preview(root, "shop")
    assert done.returncode == 0, done.stderr
    assert (root / "build/shop/tasks/ecs-observability-shop-storefront.json").is_file()
    assert done.stderr == ""


FAULTY = {
    "applications": [
        STOREFRONT | {"image": "shop/web", "environment": {"DB_PASSWORD": "hunter2"}},
        STOREFRONT | {"secrets": {"DB": "hunter2"}, "cpu": 300},
    ],
    "logs": {"retentionDays": 31},
    "colector": {},
}


@pytest.mark.slow
def test_a_faulty_stack_is_refused_whole_and_nothing_is_written(project: Project) -> None:
    root = project(FAULTY)
    before = sorted(path.name for path in root.rglob("*"))
    done = preview(root)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "error: stack 'dev' cannot be deployed:",
        "  colector: is not a known key; did you mean 'collector'?",
        "  applications.0.image: has neither tag nor digest (got 'shop/web'); pin it, for example shop/web:1.4.2",
        "  applications.0.environment: gives DB_PASSWORD as plain text, which everyone who may read task definitions "
        "can see; move it to `secrets` with the ARN of a Secrets Manager secret or SSM parameter",
        "  applications.1.cpu: Fargate has no task of 300 CPU units (got 300); choose one of 256, 512, 1024, 2048, "
        "4096, 8192, 16384",
        "  applications.1.secrets.DB: is not the ARN of a secret; store it in Secrets Manager or SSM Parameter Store "
        "and give the ARN, never the value",
        "  applications.1.name: is the name of applications.0 as well (got 'storefront'); choose another name",
        "  logs.retentionDays: is not a retention that CloudWatch Logs has (got 31); choose one of 1, 3, 5, 7, 14, 30, "
        "60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653 days",
    ]
    assert sorted(path.name for path in root.rglob("*")) == before


def test_nothing_is_registered_for_a_faulty_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    from preview.engine import Monitor

    registered: list[str] = []
    register = Monitor.RegisterResource

    def spy(self: Monitor, request: Any) -> Any:
        registered.append(request.type)
        return register(self, request)

    monkeypatch.setattr(Monitor, "RegisterResource", spy)
    for config in (
        FAULTY,
        one() | {"grafana": {"dashboards": ["nowhere.json"]}},
        one(memory=512),
        one(name="x" * 60),
    ):
        with pytest.raises(ProgramError, match="stack 'dev' cannot be deployed:\n  "):
            program(config)
    assert set(registered) == {"pulumi:pulumi:Stack"}


def test_an_imported_dashboard_that_cannot_be_resolved(project: Project) -> None:
    root = project(one() | {"grafana": {"dashboards": ["team.json"]}})
    text = (ROOT / "tests/components/team.json").read_text(encoding="utf-8")
    (root / "team.json").write_text(text.replace('"pluginId": "prometheus"', '"pluginId": "loki"'), encoding="utf-8")
    with pytest.raises(ProgramError, match=r"grafana\.dashboards\.0: cannot be imported: .*loki"):
        record(root, "dev")


@pytest.mark.parametrize("stack", ["Dev", "my_stack", "s" * 40])
def test_names_of_stacks_that_aws_would_refuse(project: Project, stack: str) -> None:
    root = project(one(), stack)
    with pytest.raises(ProgramError, match=f"stack '{stack}' cannot be deployed:\n  stack: "):
        record(root, stack)


_NAMED_BY = ("name", "namePrefix", "family", "alias", "bucket", "configurationName", "ruleName")
_NAMED_WITHIN = {
    "aws:amp/ruleGroupNamespace:RuleGroupNamespace": "a workspace of AMP",
    "aws:ecs/service:Service": "a cluster",
    "aws:grafana/workspaceServiceAccount:WorkspaceServiceAccount": "a workspace of AMG",
    "aws:iam/rolePolicy:RolePolicy": "a role",
    "aws:s3/bucketObjectv2:BucketObjectv2": "a bucket",
    "aws:s3/bucketPolicy:BucketPolicy": "a bucket",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "a bucket",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "a bucket",
    "aws:s3/bucketVersioning:BucketVersioning": "a bucket",
    "aws:servicediscovery/service:Service": "a namespace",
}
_EVERYTHING = {
    "collector": VARIANTS["own-additions"]["collector"] | {"receivers": ["xray"]},
    "traces": VARIANTS["sampling-rules"]["traces"],
    "alerts": VARIANTS["alerts"]["alerts"],
    "applications": [
        STOREFRONT | {"image": {"build": "./sample"}},
        INVENTORY | {"pattern": "service", "metrics": {"port": 9464}},
    ],
}


def test_two_stacks_share_no_name_on_aws() -> None:
    """They may live in one account and region, although their files say the same."""

    def names(stack: str) -> set[tuple[str, str]]:
        recording = record(ROOT, stack, config=dict.fromkeys(KEYS) | _EVERYTHING)
        return {
            (resource.type, resource.inputs[key])
            for resource in recording.resources
            for key in _NAMED_BY
            if resource.type.startswith("aws:") and resource.type not in _NAMED_WITHIN and key in resource.inputs
        }

    dev, prod = names("dev"), names("prod")
    assert not dev & prod
    assert len(dev) == len(prod)
    assert {token.rpartition(":")[2] for token, _ in dev} == {
        "Alias", "Bucket", "Cluster", "EventRule", "LogGroup", "LogMetricFilter",
        "MetricAlarm", "PrivateDnsNamespace", "Repository", "Role", "SamplingRule", "SecurityGroup",
        "SlackChannelConfiguration", "TaskDefinition", "TeamsChannelConfiguration", "Topic", "Workspace",
    }  # fmt: skip
