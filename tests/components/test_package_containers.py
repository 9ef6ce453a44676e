"""A pattern for container definitions of other languages, as the plugin gives it over gRPC."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from components.package import NAME
from documents.catalogue import Pattern
from documents.elsewhere import read
from documents.faults import ConfigurationError
from documents.names import Names
from documents.origin import Origin
from documents.task import log_configuration
from preview.recorder import record
from preview.recording import UNKNOWN, Secret
from preview.stack import load
from tests import judges
from tests.components.hosted import ROOT, Constructed, Host, Output, RefusedError, host
from tests.components.variants import ROLE_POLICY, containers, environment

TOKEN = f"{NAME}:index:InstrumentedContainers"
WORKSPACE = "arn:aws:aps:eu-west-1:123456789012:workspace/ws-12345678-1234-1234-1234-123456789012"
URL = "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-12345678-1234-1234-1234-123456789012/"
GROUP = "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/orders"
ADDRESS = "http://collector.prod.shop.internal:4318"
NAMES = Names("shop", "prod")
CONTAINERS: list[dict[str, Any]] = [
    {
        "name": "orders",
        "image": "shop/orders:1.4.2",
        "essential": True,
        "portMappings": [{"containerPort": 8080}],
        "environment": [{"name": "OTEL_RESOURCE_ATTRIBUTES", "value": "team=blue"}],
    },
    {"name": "proxy", "image": "shop/proxy:2.0.0", "memory": 64, "environment": None},
]
SIDECAR: dict[str, Any] = {
    "containerDefinitions": json.dumps(CONTAINERS),
    "container": "orders",
    "service": "orders",
    "cluster": "shared",
    "workspaceArn": WORKSPACE,
    "logGroupArn": GROUP,
    "region": "eu-west-1",
}
SERVICE: dict[str, Any] = {
    **{key: SIDECAR[key] for key in ("containerDefinitions", "container", "service", "cluster", "region")},
    "pattern": "service",
    "collectorAddress": ADDRESS,
    "collectorClientsGroupId": "sg-0123456789abcdef0",
}


def faults(values: Mapping[str, Any]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read({key: value for key, value in values.items() if key != "region"}, NAMES, "eu-west-1")
    return [str(fault) for fault in caught.value.faults]


def definitions(*more: Mapping[str, Any], **orders: Any) -> str:
    return json.dumps([CONTAINERS[0] | orders, *more])


@pytest.mark.parametrize("whole", [SIDECAR, SERVICE], ids=["sidecar", "service"])
def test_what_is_asked_for_is_read(whole: Mapping[str, Any]) -> None:
    asked = read({key: value for key, value in whole.items() if key != "region"}, NAMES, "eu-west-1")
    assert asked.origin(NAMES) == Origin("shop", "prod", "shared", "orders", "orders")
    assert asked.pattern is Pattern(whole.get("pattern", "sidecar"))


def test_all_faults_come_at_once() -> None:
    broken = {
        "container": "web",
        "containerDefinitions": definitions({"name": "collector"}, portMappings=[{"containerPort": 4318}]),
        "service": "arn:aws:ecs:eu-west-1:123456789012:service/orders",
        "cluster": "shared",
        "workspaceArn": WORKSPACE.replace("eu-west-1", "us-east-1"),
        "collector": {"memory": 100, "waitfor": "start"},
        "intervalSeconds": 5,
        "colour": "red",
    }
    assert faults(broken) == [
        "colour: is not a known key; did you mean 'collector'?",
        "service: is not a name of ECS (got 'arn:aws:ecs:eu-west-1:123456789012:service/orders'); "
        "give the name and no ARN: letters, digits, hyphens and underscores",
        "collector.memory: is too small (got 100); give at least 256",
        "collector.waitfor: is not a known key; did you mean 'waitFor'?",
        "intervalSeconds: is too small (got 5); give at least 10",
        "logGroupArn: is missing, to which the collector in the task writes its lines; "
        "give it, or another pattern than sidecar",
        "workspaceArn: is in us-east-1, and the collector signs for eu-west-1 "
        f"(got {repr(broken['workspaceArn'])[:77]}...); give one of the same region",
        "container: names no container of the definitions (there are orders, collector) (got 'web'); name one of them",
    ]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"containerDefinitions": "[{"}, "containerDefinitions: is not JSON"),
        ({"containerDefinitions": "{}"}, "containerDefinitions: is no list of container definitions"),
        ({"containerDefinitions": []}, "containerDefinitions: is no list of container definitions"),
        ({"containerDefinitions": "[5]"}, "containerDefinitions.0: has the wrong type"),
        ({"containerDefinitions": '[{"image": "a:1"}]'}, "containerDefinitions.0.name: is missing"),
        (
            {"containerDefinitions": definitions(environment=[{"name": "A"}])},
            "containerDefinitions.0.environment.0.value: is missing",
        ),
        (
            {"containerDefinitions": definitions({"name": "drain"})},
            "containerDefinitions.1.name: is the name of a container that is added (got 'drain')",
        ),
        (
            {"containerDefinitions": definitions(portMappings=[{"containerPort": 13133}])},
            "containerDefinitions.0.portMappings.0.containerPort: is a port of the collector beside the application",
        ),
        ({"metrics": {"port": 4317}}, "metrics.port: is a port of the collector beside the application (got 4317)"),
        (
            {"containerDefinitions": definitions(environment=[{"name": "A", "value": "x" * 60_000}])},
            "containerDefinitions: do not fit: with what is added, the container definitions have ",
        ),
        ({"traces": {"tail": {}}}, "traces.tail: cannot decide in the sidecar of 'orders'"),
        ({"workspaceArn": "ws-1"}, "workspaceArn: is not the ARN of an AMP workspace (got 'ws-1')"),
        ({"logGroupArn": "/ecs/orders"}, "logGroupArn: is not the ARN of a log group (got '/ecs/orders')"),
        ({"serviceNamespace": "a,b=c"}, "serviceNamespace: is not a name (got 'a,b=c')"),
        ({"collector": {"image": "otel/collector"}}, "collector.image: "),
    ],
)
def test_a_fault_of_a_sidecar(changed: Mapping[str, Any], said: str) -> None:
    [told] = faults({**SIDECAR, **changed})
    assert told.startswith(said)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"collectorAddress": "collector:4317"}, "collectorAddress: is not the address of a collector service"),
        ({"collectorAddress": None}, "collectorAddress: is missing, to which the container sends; give it"),
        ({"collectorClientsGroupId": "clients"}, "collectorClientsGroupId: is not the id of a security group"),
    ],
)
def test_a_fault_of_a_service(changed: Mapping[str, Any], said: str) -> None:
    [told] = faults({key: value for key, value in {**SERVICE, **changed}.items() if value is not None})
    assert told.startswith(said)


def test_values_of_containers_are_never_told() -> None:
    hidden = definitions(environment=[{"name": "A", "value": {"key": "hunter2"}}], portMappings="hunter2")
    told = faults(SIDECAR | {"containerDefinitions": hidden})
    assert len(told) == 2
    assert "hunter2" not in "".join(told)


def test_what_is_not_known_yet_is_not_judged() -> None:
    pending = "<known after deployment>"
    read({**{key: value for key, value in SIDECAR.items() if key != "region"}, "containerDefinitions": pending,
          "workspaceArn": pending, "logGroupArn": pending, "cluster": pending}, NAMES, "eu-west-1")  # fmt: skip


# Through the plugin


@pytest.fixture(scope="module")
def plugin() -> Iterator[Host]:
    with host() as started:
        yield started


def made(plugin: Host, values: Mapping[str, Any], **more: Any) -> Constructed:
    return plugin.construct(values, token=TOKEN, name="orders", **more)


def _without_workspace(container: dict[str, Any]) -> dict[str, Any]:
    pairs = [pair for pair in container["environment"] if pair["name"] != "AWS_PROMETHEUS_ENDPOINT"]
    return container | {"environment": pairs}


@pytest.mark.slow
def test_it_gives_what_python_gives(plugin: Host) -> None:
    """The program in examples/raw_task_definition calls `instrument` for the same containers."""
    program = record(ROOT / "examples/raw_task_definition", "prod")
    theirs = containers(program, "orders")
    own = {
        "name": "orders",
        "image": "public.ecr.aws/shop/orders:1.4.2",
        "essential": True,
        "portMappings": [{"containerPort": 8080.0}],
        "logConfiguration": log_configuration("/ecs/orders", "eu-west-1", "orders"),
    }
    labels = {"serviceNamespace": "shop", "deploymentEnvironment": "prod"}
    for given in ([own], json.dumps([own]).replace("8080.0", "8080")):
        outputs = made(plugin, SIDECAR | labels | {"containerDefinitions": given}).outputs
        ours = {one["name"]: one for one in json.loads(outputs["containerDefinitions"])}
        assert list(ours) == list(theirs)
        assert environment(ours["collector"])["AWS_PROMETHEUS_ENDPOINT"] == f"{URL}api/v1/remote_write"
        assert ours["orders"] == theirs["orders"]
        assert ours["drain"] == theirs["drain"]
        assert _without_workspace(ours["collector"]) == _without_workspace(theirs["collector"])
        assert "8080.0" not in outputs["containerDefinitions"]
    policy = json.loads(program.named(ROLE_POLICY, "orders-telemetry").inputs["policy"])
    [metrics, *_] = policy["Statement"]
    metrics["Resource"] = WORKSPACE
    assert json.loads(outputs["taskRolePolicy"]) == policy


@pytest.mark.slow
def test_a_sidecar_is_told_whole(plugin: Host) -> None:
    told = made(plugin, SIDECAR)
    assert [one.type for one in told.resources] == [TOKEN]
    assert set(told.outputs) == {
        "containerDefinitions",
        "cpu",
        "memory",
        "securityGroupIds",
        "taskRolePolicy",
        "executionRolePolicy",
    }
    found = {one["name"]: one for one in json.loads(told.outputs["containerDefinitions"])}
    assert list(found) == ["orders", "proxy", "drain", "collector"]
    assert found["proxy"] == {"name": "proxy", "image": "shop/proxy:2.0.0", "memory": 64}
    assert environment(found["orders"])["OTEL_RESOURCE_ATTRIBUTES"].endswith("team=blue")
    taken = [found[name] for name in ("drain", "collector")]
    assert (told.outputs["cpu"], told.outputs["memory"]) == (
        sum(one["cpu"] for one in taken),
        sum(one["memory"] for one in taken),
    )
    assert told.outputs["securityGroupIds"] == []
    starts = json.loads(told.outputs["executionRolePolicy"])["Statement"]
    assert [(one["Sid"], one["Resource"]) for one in starts] == [("WriteLogs", f"{GROUP}:*")]
    request = {"family": "orders", "containerDefinitions": list(found.values())}
    assert judges.request("ecs", "RegisterTaskDefinition", request) == []


@pytest.mark.slow
def test_images_and_secrets_of_a_sidecar_are_in_the_execution_policy(plugin: Host) -> None:
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/mirror/drain:1.37"
    token = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:partner-AbCdEf"
    partner = {"name": "partner", "endpoint": "https://otlp.example.com", "headers": {"api-key": token}}
    told = made(plugin, SIDECAR | {"collector": {"drainImage": image}, "destinations": [partner]})
    starts = json.loads(told.outputs["executionRolePolicy"])["Statement"]
    assert [one["Sid"] for one in starts] == ["WriteLogs", "LogInToRegistry", "PullImages", "ReadSecrets"]
    assert starts[2]["Resource"] == ["arn:aws:ecr:eu-west-1:123456789012:repository/mirror/drain"]
    assert starts[3]["Resource"] == [token]


@pytest.mark.slow
def test_a_service_adds_its_address_and_nothing_else(plugin: Host) -> None:
    told = made(plugin, SERVICE | {"metrics": {"port": 9464.0}, "collector": {"receivers": ["xray"]}}).outputs
    assert set(told) == {"containerDefinitions", "cpu", "memory", "securityGroupIds"}
    assert (told["cpu"], told["memory"], list(told["securityGroupIds"])) == (0, 0, ["sg-0123456789abcdef0"])
    orders, proxy = json.loads(told["containerDefinitions"])
    assert proxy["name"] == "proxy"
    assert environment(orders)["OTEL_EXPORTER_OTLP_ENDPOINT"] == ADDRESS
    assert environment(orders)["AWS_XRAY_DAEMON_ADDRESS"] == "collector.prod.shop.internal:2000"
    assert orders["dockerLabels"]
    assert [one["containerPort"] for one in orders["portMappings"]] == [8080, 9464]


OTHER = "urn:pulumi:dev::shop::ecs-observability:index:Environment::shop"


@pytest.mark.slow
def test_what_is_not_known_yet_is_unknown_in_a_preview(plugin: Host) -> None:
    later = {key: Output(UNKNOWN, of=(OTHER,)) for key in ("workspaceArn", "logGroupArn", "cluster")}
    told = made(plugin, SIDECAR | later, preview=True, others=(OTHER,)).outputs
    assert told["containerDefinitions"] is UNKNOWN
    assert told["taskRolePolicy"] is UNKNOWN
    assert (told["cpu"], told["memory"]) == (64, 544)
    image = [{"name": "orders", "image": Output(UNKNOWN)}]
    told = made(plugin, SIDECAR | {"containerDefinitions": image}, preview=True).outputs
    assert told["containerDefinitions"] is UNKNOWN
    assert WORKSPACE in told["taskRolePolicy"], "which does not wait for an image"


@pytest.mark.slow
@pytest.mark.parametrize("kind", [lambda value: Output(value, secret=True), Secret], ids=["output", "secret"])
def test_secret_containers_stay_secret_and_make_nothing_else_one(plugin: Host, kind: Any) -> None:
    told = made(plugin, SIDECAR | {"containerDefinitions": kind(SIDECAR["containerDefinitions"])}).outputs
    assert isinstance(told["containerDefinitions"], Secret)
    assert isinstance(told["taskRolePolicy"], str)
    inner = [{"name": "orders", "image": "a:1", "environment": [{"name": "A", "value": kind("hunter2")}]}]
    told = made(plugin, SIDECAR | {"containerDefinitions": inner}).outputs
    assert isinstance(told["containerDefinitions"], Secret)


@pytest.mark.slow
def test_a_secret_elsewhere_is_refused(plugin: Host) -> None:
    with pytest.raises(RefusedError, match="workspaceArn: holds an encrypted value") as caught:
        made(plugin, SIDECAR | {"workspaceArn": Output("hunter2", secret=True)})
    assert "hunter2" not in str(caught.value)


@pytest.mark.slow
def test_wrong_input_gives_one_clean_message(plugin: Host) -> None:
    broken = {"container": "web", "logGroupArn": None, "pattern": Output(UNKNOWN), "intervalSeconds": 5}
    with pytest.raises(RefusedError) as caught:
        made(plugin, SIDECAR | broken, preview=True)
    assert str(caught.value).split("\n") == [
        "stack 'dev' cannot be deployed:",
        "  pattern: is not known before something else has been made, and decides what is made here; "
        "give a value that the program knows",
        "  intervalSeconds: is too small (got 5); give at least 10",
        "  container: names no container of the definitions (there are orders, proxy) (got 'web'); name one of them",
    ]


@pytest.mark.slow
def test_a_region_is_needed(plugin: Host) -> None:
    given = {key: value for key, value in SIDECAR.items() if key != "region"}
    files = load(ROOT, "dev")
    bare = type(files)(files.project, files.stack, {}, {}, frozenset(), ())
    with pytest.raises(RefusedError, match="region: is missing"):
        made(plugin, given, files=bare)


@pytest.mark.slow
def test_an_environment_tells_what_a_service_needs(plugin: Host) -> None:
    whole = plugin.stack("prod").outputs
    told = {key: whole[key] for key in ("cluster", "collectorAddress", "collectorClientsGroupId")}
    outputs = made(plugin, SERVICE | told).outputs
    assert list(outputs["securityGroupIds"]) == [whole["collectorClientsGroupId"]]
    assert whole["collectorAddress"] in outputs["containerDefinitions"]
