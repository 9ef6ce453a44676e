"""Whole documents of one small stack, and how they get into a folder."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from preview import render
from preview.recorder import ProgramError, record
from preview.render import documents, write
from preview.summary import summary

CONFIGURATION = "exporters:\n  awsxray:\n    region: ${env:AWS_REGION}\n# bytes: é\n"

PROGRAM = f"""
import pulumiverse_grafana as grafana
COLLECTOR = {CONFIGURATION!r}

def role(name, **more):
    trust = {{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "sts:AssumeRole",
              "Principal": {{"Service": "ecs-tasks.amazonaws.com"}}}}]}}
    return aws.iam.Role(name, name=f"toy-{{name}}", assume_role_policy=json.dumps(trust), **more)

def policy(*statements):
    return pulumi.Output.json_dumps({{"Version": "2012-10-17", "Statement": list(statements)}})

class Shop(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("toy:index:Shop", name, None, opts)
        child = ResourceOptions(parent=self)
        self.group = aws.ec2.SecurityGroup("shop-group", vpc_id="vpc-1", opts=child)
        aws.vpc.SecurityGroupIngressRule("in", security_group_id=self.group.id, ip_protocol="tcp", from_port=8080,
                                         to_port=8080, referenced_security_group_id=self.group.id, opts=child)
        aws.vpc.SecurityGroupEgressRule("out", security_group_id=self.group.id, ip_protocol="-1",
                                        cidr_ipv4="0.0.0.0/0", opts=child)
        self.register_outputs({{}})

workspace = aws.amp.Workspace("metrics", alias="toy")
task_role = role("task", managed_policy_arns=["arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess"])
execution = role("execution")
aws.iam.RolePolicy("write", name="write", role=task_role.id, policy=policy(
    {{"Effect": "Allow", "Action": "aps:RemoteWrite", "Resource": workspace.arn}},
    {{"Effect": "Deny", "Action": ["aps:DeleteWorkspace"], "Resource": "*",
      "Condition": {{"StringEquals": {{"aws:RequestedRegion": "eu-west-1"}}}}}}))
logs = aws.iam.Policy("logs", name="logs", policy=policy(
    {{"Effect": "Allow", "Action": ["logs:PutLogEvents"], "Resource": "arn:aws:logs:*:*:log-group:/toy:*"}}))
aws.iam.RolePolicyAttachment("attach", role=execution.name, policy_arn=logs.arn)
containers = workspace.prometheus_endpoint.apply(lambda endpoint: json.dumps([
    {{"name": "shop", "image": "shop:1", "portMappings": [{{"containerPort": 8080}}],
      "secrets": [{{"name": "KEY", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/key"}}],
      "dependsOn": [{{"containerName": "collector", "condition": "HEALTHY"}}]}},
    {{"name": "collector", "image": "otel:1", "cpu": 64, "memory": 512, "essential": False, "environment": [
        {{"name": "AOT_CONFIG_CONTENT", "value": COLLECTOR}},
        {{"name": "AWS_PROMETHEUS_ENDPOINT", "value": f"{{endpoint}}api/v1/remote_write"}}]}}]))
task = aws.ecs.TaskDefinition("definition", family="toy-shop", container_definitions=containers, cpu="512",
                              memory="1024", network_mode="awsvpc", requires_compatibilities=["FARGATE"],
                              task_role_arn=task_role.arn, execution_role_arn=execution.arn, skip_destroy=True,
                              runtime_platform={{"cpu_architecture": "ARM64"}}, tags={{"b": "2", "a": "1"}},
                              ephemeral_storage={{"size_in_gib": 30}}, volumes=[{{"name": "v", "host_path": "/v"}}])
shop = Shop("shop")
aws.ecs.Service("service", name="shop", task_definition=task.arn, desired_count=2,
                network_configuration={{"subnets": ["subnet-1"], "security_groups": [shop.group.id]}})
aws.amp.RuleGroupNamespace("rules", name="recording", workspace_id=workspace.id, data="groups: []\\n")
grafana.oss.Dashboard("board", config_json='{{"uid": "tasks",\\n "title": "Tasks"}}')
aws.ssm.Parameter("key", type="SecureString", value=pulumi.Output.secret("hunter2"))
pulumi.log.warn("mind the gap")
pulumi.export("query", pulumi.Output.concat(workspace.prometheus_endpoint, "api/v1/query"))
pulumi.export("password", pulumi.Output.secret("hunter2"))
"""

STACK = """
config:
  aws:region: eu-west-1
  toy:grafana: {admins: [someone, <your Identity Center user id>]}
  toy:note: <your note>
"""

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}],
}


@pytest.fixture
def recording(project):
    return record(project(PROGRAM, stack=STACK), "dev")


def test_which_documents_there_are(recording):
    assert list(documents(recording)) == [
        "collector/toy-shop.yaml",
        "dashboards/tasks.json",
        "local/compose.yaml",
        "local/dashboards/tasks.json",
        "local/grafana/dashboards.yaml",
        "local/grafana/datasources.yaml",
        "local/local_task.py",
        "local/prometheus.yaml",
        "policies/toy-execution.json",
        "policies/toy-task.json",
        "resources.json",
        "rules/recording.yaml",
        "summary.md",
        "tasks/toy-shop.json",
    ]


def test_what_runs_elsewhere_is_rendered_byte_for_byte(recording):
    rendered = documents(recording)
    assert rendered["collector/toy-shop.yaml"] == CONFIGURATION
    assert rendered["dashboards/tasks.json"] == '{"uid": "tasks",\n "title": "Tasks"}'
    assert rendered["rules/recording.yaml"] == "groups: []\n"


def test_task_definition_is_a_request_of_the_aws_cli(recording):
    endpoint = "<metrics.prometheusEndpoint>api/v1/remote_write"
    assert json.loads(documents(recording)["tasks/toy-shop.json"]) == {
        "family": "toy-shop",
        "taskRoleArn": "<task.arn>",
        "executionRoleArn": "<execution.arn>",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "512",
        "memory": "1024",
        "runtimePlatform": {"cpuArchitecture": "ARM64"},
        "containerDefinitions": [
            {
                "name": "shop",
                "image": "shop:1",
                "portMappings": [{"containerPort": 8080}],
                "secrets": [{"name": "KEY", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/key"}],
                "dependsOn": [{"containerName": "collector", "condition": "HEALTHY"}],
            },
            {
                "name": "collector",
                "image": "otel:1",
                "cpu": 64,
                "memory": 512,
                "essential": False,
                "environment": [
                    {"name": "AOT_CONFIG_CONTENT", "value": CONFIGURATION},
                    {"name": "AWS_PROMETHEUS_ENDPOINT", "value": endpoint},
                ],
            },
        ],
        "ephemeralStorage": {"sizeInGiB": 30},
        "volumes": [{"name": "v", "host": {"sourcePath": "/v"}}],
        "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}],
    }


def test_policies(recording):
    rendered = documents(recording)
    assert json.loads(rendered["policies/toy-task.json"]) == {
        "trust": TRUST,
        "permissions": {
            "write": {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": "aps:RemoteWrite", "Resource": "<metrics.arn>"},
                    {
                        "Effect": "Deny",
                        "Action": ["aps:DeleteWorkspace"],
                        "Resource": "*",
                        "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
                    },
                ],
            }
        },
        "managed": ["arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess"],
    }
    assert json.loads(rendered["policies/toy-execution.json"]) == {
        "trust": TRUST,
        "permissions": {
            "logs": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": ["logs:PutLogEvents"],
                        "Resource": "arn:aws:logs:*:*:log-group:/toy:*",
                    }
                ],
            }
        },
        "managed": [],
    }


def test_resources(recording):
    shown = {(one["type"], one["name"]): one for one in json.loads(documents(recording)["resources.json"])}
    assert len(shown) == len(recording.resources)
    assert shown["aws:ssm/parameter:Parameter", "key"]["inputs"] == {"type": "SecureString", "value": "[secret]"}
    assert shown["aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "in"] == {
        "type": "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "name": "in",
        "parent": "shop",
        "inputs": {
            "fromPort": 8080,
            "ipProtocol": "tcp",
            "referencedSecurityGroupId": "<shop-group.id>",
            "securityGroupId": "<shop-group.id>",
            "toPort": 8080,
        },
        "dependencies": ["shop-group"],
    }
    assert shown["toy:index:Shop", "shop"]["parent"] is None


SUMMARY = """\
# toy, stack dev

14 resources in eu-west-1; collector as sidecar. `<name.output>` stands for what AWS knows only after deployment.

## To be filled in before deployment

- `toy:grafana.admins[1]`: `<your Identity Center user id>`
- `toy:note`: `<your note>`

## Warnings

- mind the gap

## What talks to what

```mermaid
flowchart LR
  subgraph g0["shop task"]
    n0["shop"]
    n1["collector"]
  end
  n2[("AMP toy")]
  n3[("X-Ray")]
  n0 -->|"OTLP on localhost"| n1
  n1 -->|"remote write"| n2
  n1 -->|"segments"| n3
```

## What runs

### shop (application, sidecar pattern)

- 2 tasks of 0.5 vCPU, 1024 MiB, ARM64, without a public address
- container `shop`: `shop:1`, port 8080, after `collector` is HEALTHY, secrets `KEY`
- container `collector`: `otel:1`, 64 CPU units, at most 512 MiB, not essential
- task role `toy-task` may
  - `aps:RemoteWrite` on `<metrics.arn>`
  - **never** `aps:DeleteWorkspace` on everything where aws:RequestedRegion StringEquals `eu-west-1`
  - everything in the managed policy `arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess`
- execution role `toy-execution` may
  - `logs:PutLogEvents` on `arn:aws:logs:*:*:log-group:/toy:*`

## Who reaches what

| who is reached | on | by |
|---|---|---|
| `shop` | TCP 8080 | `shop` |

- `shop`: wherever the routes of subnets lead that exist already

## What compute costs in a month

| what | on |
|---|---|
| shop, 2 tasks | Fargate |

Dollars are left out; [how to have them](#what-it-costs-in-a-month).

## What it writes in a month

| service | tasks | samples of each task | recorded by rules | all samples | traces into X-Ray | spans |
|---|---:|---:|---:|---:|---:|---:|
| shop | 2 | 4,861,800 | 0 | 9,723,600 | 52,560,000 | 105,120,000 |
| all | | | | 9,723,600 | 52,560,000 | 105,120,000 |

Assumed: 10 requests a second to each task of an application, 2 spans each, 5 combinations of method, route and \
status, and 1 of method, host and status of what it calls; 6 series of its process, as the sample's in Python has \
them; every request begins a trace; 730 hours; nothing fails. What your code measures besides comes on top, and tail \
sampling takes from the traces.

## What it costs in a month

Not known: no prices of 'eu-west-1' are known here, only of us-east-1: make a file of them with `make prices \
REGION=eu-west-1` (AWS's public price list, no credentials), or say whose prices to take instead, with \
`PRICES=us-east-1`.

## What is made

| component | resources | which |
|---|---:|---|
| the stack itself | 11 | amp.RuleGroupNamespace `recording`; amp.Workspace `toy`; ecs.Service `shop`; \
ecs.TaskDefinition `toy-shop`; grafana.oss.Dashboard `tasks`; iam.Policy `logs`; \
2 x iam.Role `toy-execution`, `toy-task`; iam.RolePolicy `write`; iam.RolePolicyAttachment; ssm.Parameter |
| Shop shop | 3 | ec2.SecurityGroup; vpc.SecurityGroupEgressRule; vpc.SecurityGroupIngressRule |

## Stack outputs

| output | value |
|---|---|
| password | [secret] |
| query | `<metrics.prometheusEndpoint>api/v1/query` |
"""


def test_summary(recording):
    assert summary(recording) == SUMMARY


SERVICES = """
import pulumiverse_grafana as grafana

workspace = aws.amp.Workspace("metrics", alias="toy")
namespace = aws.servicediscovery.PrivateDnsNamespace("space", name="dev.toy.internal", vpc="vpc-1")
otlp = {"protocol": "tcp", "from_port": 4317, "to_port": 4318}
inside = aws.ec2.SecurityGroup("inside", vpc_id="vpc-1", ingress=[
    {**otlp, "cidr_blocks": ["10.0.0.0/16"], "security_groups": ["sg-1"]}])

def service(name, environment, **more):
    container = {"name": name, "image": f"{name}:1",
                 "environment": [{"name": key, "value": value} for key, value in environment.items()]}
    task = aws.ecs.TaskDefinition(f"{name}-task", family=f"toy-{name}", container_definitions=json.dumps([container]),
                                  cpu="256", memory="512")
    aws.ecs.Service(f"{name}-service", name=name, task_definition=task.arn, **more)

def registered(name):
    found = aws.servicediscovery.Service(f"{name}-name", name=name, dns_config={
        "namespace_id": namespace.id, "dns_records": [{"type": "A", "ttl": 10}]})
    return {"service_registries": {"registry_arn": found.arn}}

connect = {"enabled": True, "services": [{"port_name": "http", "client_alias": [{"dns_name": "back", "port": 80}]}]}
service("collector", {"AOT_CONFIG_CONTENT": "exporters: {}"}, **registered("collector"),
        network_configuration={"subnets": ["subnet-1"], "assign_public_ip": True, "security_groups": [inside.id]})
service("front", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.dev.toy.internal:4318", "BACK": "http://back:80"},
        **registered("front"))
service("back", {"FRONT_NOT": "http://xfront.dev.toy.internal"}, service_connect_configuration=connect)
asked = aws.grafana.Workspace("grafana", name="toy", account_access_type="CURRENT_ACCOUNT",
                              authentication_providers=["AWS_SSO"], permission_type="CUSTOMER_MANAGED")
for kind, url in {"amp": workspace.prometheus_endpoint, "grafana-x-ray-datasource": None, "cloudwatch": None}.items():
    grafana.oss.DataSource(kind, type=kind, url=url)
trust = {"Statement": [{"Principal": {"Service": "grafana.amazonaws.com"}}]}
role = aws.iam.Role("reader", name="reader", assume_role_policy=json.dumps(trust), inline_policies=[
    {"name": "all", "policy": json.dumps({"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}})}])
"""

SERVICES_SUMMARY = """\
# toy, stack dev

16 resources in eu-west-1; collector as service. `<name.output>` stands for what AWS knows only after deployment.

## What talks to what

```mermaid
flowchart LR
  subgraph g0["back task"]
    n0["back"]
  end
  subgraph g1["collector task"]
    n1["collector"]
  end
  subgraph g2["front task"]
    n2["front"]
  end
  n3[("Cloud Map dev.toy.internal")]
  n4["Grafana toy"]
  n5[("AMP toy")]
  n6[("CloudWatch")]
  n7[("X-Ray")]
  n1 -->|"registers in"| n3
  n2 -->|"calls"| n0
  n2 -->|"OTLP"| n1
  n2 -->|"registers in"| n3
  n4 -->|"asks"| n5
  n4 -->|"asks"| n6
  n4 -->|"asks"| n7
```

## What runs

### back (application)

- 1 task of 0.25 vCPU, 512 MiB, X86_64, without a public address
- container `back`: `back:1`
- found as `back`

### collector (the collector's own service)

- 1 task of 0.25 vCPU, 512 MiB, X86_64, with a public address
- container `collector`: `collector:1`
- found as `collector.dev.toy.internal`

### front (application, service pattern)

- 1 task of 0.25 vCPU, 512 MiB, X86_64, without a public address
- container `front`: `front:1`
- found as `front.dev.toy.internal`

## What else may do what

- role `reader`, assumed by `grafana.amazonaws.com`, may
  - everything but `iam:*` on everything

## Who reaches what

| who is reached | on | by |
|---|---|---|
| `back`, `front` | nothing | nobody |
| `collector` | TCP 4317 to 4318 | `10.0.0.0/16`, `sg-1` |

- `back`, `collector`, `front`: wherever the routes of subnets lead that exist already

## What compute costs in a month

| what | on |
|---|---|
| back, 1 task | Fargate |
| collector, 1 task | Fargate |
| front, 1 task | Fargate |

Dollars are left out; [how to have them](#what-it-costs-in-a-month).

## What it writes in a month

| service | tasks | samples of each task | recorded by rules | all samples | traces into X-Ray | spans |
|---|---:|---:|---:|---:|---:|---:|
| back | 1 | 0 | 0 | 0 | 0 | 0 |
| collector | 1 | 131,400 | 0 | 131,400 | 0 | 0 |
| front | 1 | 4,730,400 | 0 | 4,730,400 | 26,280,000 | 52,560,000 |
| all | | | | 4,861,800 | 26,280,000 | 52,560,000 |

Assumed: 10 requests a second to each task of an application, 2 spans each, 5 combinations of method, route and \
status, and 1 of method, host and status of what it calls; 6 series of its process, as the sample's in Python has \
them; every request begins a trace; 730 hours; nothing fails. What your code measures besides comes on top, and tail \
sampling takes from the traces.

## What it costs in a month

Not known: no prices of 'eu-west-1' are known here, only of us-east-1: make a file of them with `make prices \
REGION=eu-west-1` (AWS's public price list, no credentials), or say whose prices to take instead, with \
`PRICES=us-east-1`.

## What is made
"""


def test_summary_of_services_that_find_each_other(project):
    text = summary(record(project(SERVICES), "dev"))
    assert text.partition("## What is made\n")[0] == SERVICES_SUMMARY.partition("## What is made\n")[0]


def test_a_role_by_name_and_a_policy_of_others(project):
    program = """
    role = aws.iam.Role("role", name="mine", assume_role_policy="{}")
    aws.iam.RolePolicyAttachment("theirs", role="mine", policy_arn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    aws.iam.RolePolicyAttachment("foreign", role="other", policy_arn="arn:aws:iam::aws:policy/AdministratorAccess")
    """
    rendered = documents(record(project(program), "dev"))
    assert json.loads(rendered["policies/mine.json"]) == {
        "trust": {},
        "permissions": {},
        "managed": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    }


def test_no_document_holds_a_secret(recording):
    assert not [path for path, text in documents(recording).items() if "hunter2" in text]


def test_the_same_recording_gives_the_same_bytes(recording, project):
    again = record(project(PROGRAM, stack=STACK), "dev")
    assert documents(again) == documents(recording)
    shuffled = replace(recording, config=dict(reversed(list(recording.config.items()))))
    assert documents(shuffled) == documents(recording)


def test_two_documents_of_one_name_are_refused(project):
    program = "for n in 'ab':\n    aws.amp.RuleGroupNamespace(n, name='same', workspace_id='w', data='')\n"
    with pytest.raises(ProgramError, match=r"two resources of this stack are rendered to rules/same\.yaml"):
        documents(record(project(program), "dev"))


def test_unknowns_can_be_rendered(project):
    assert documents(record(project(PROGRAM, stack=STACK), "dev", preview=True))["resources.json"].count("[unknown]")


def test_secret_container_definitions_are_not_shown(project):
    program = """
    containers = pulumi.Output.secret('[{"name": "a", "environment": [{"name": "AOT_CONFIG_CONTENT", "value": "x"}]}]')
    aws.ecs.TaskDefinition("task", family="f", container_definitions=containers)
    """
    rendered = documents(record(project(program), "dev"))
    assert json.loads(rendered["tasks/f.json"])["containerDefinitions"] == "[secret]"
    assert "collector/f.yaml" not in rendered


def folder_contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_write_makes_the_folder_hold_exactly_the_documents(tmp_path: Path):
    folder = tmp_path / "build" / "dev"
    write({"a/b.json": "1\n", "c.md": "é"}, folder)
    assert folder_contents(folder) == {"a/b.json": "1\n", "c.md": "é"}
    write({"c.md": "2"}, folder)
    assert folder_contents(folder) == {"c.md": "2"}
    assert [path.name for path in folder.parent.iterdir()] == ["dev"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("call", ["write_bytes", "rename-1", "rename-2"])
def test_write_leaves_the_old_folder_when_it_is_stopped(tmp_path: Path, monkeypatch, interruption, call):
    folder = tmp_path / "dev"
    write({"a": "old", "b": "old"}, folder)
    method, _, nth = call.partition("-")
    original, calls = getattr(Path, method), []

    def stopped(self: Path, *args: object):
        calls.append(self)
        if len(calls) == int(nth or 2):
            raise interruption
        return original(self, *args)

    monkeypatch.setattr(Path, method, stopped)
    with pytest.raises(interruption):
        write({"a": "new", "b": "new"}, folder)
    monkeypatch.undo()
    assert folder_contents(folder) == {"a": "old", "b": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["dev"]


def test_write_does_not_replace_a_file(tmp_path: Path):
    (tmp_path / "dev").write_text("mine")
    with pytest.raises(NotADirectoryError, match="dev is not a folder"):
        write({"a": "1"}, tmp_path / "dev")
    assert (tmp_path / "dev").read_text() == "mine"


def test_file_names_stay_in_the_folder():
    assert render._file_name("../../etc/<x.name>") == "etc-x.name"
    assert render._file_name("<>") == "unnamed"
