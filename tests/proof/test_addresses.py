"""What a proof replaces must be right where it is rendered."""

import json
from dataclasses import replace
from typing import Any

import pytest

from proof import addresses
from proof.plan import Plan, plan
from proof.verdict import Kind
from tests.proof.live import wanted
from tests.proof.made import plan as made_plan
from tests.proof.made import service
from tests.proof.test_plan import DOCUMENTS, recording, resource

pytestmark = pytest.mark.slow

CLOUD_MAP = {"pattern": "service", "collector": {"discovery": "cloudMap"}}
SERVICE_CONNECT = {"pattern": "service", "collector": {"discovery": "serviceConnect"}}

LISTENS = (
    "grpc: {endpoint: '${env:OTLP_GRPC_ENDPOINT:-%s:4317}'}\nhttp: {endpoint: '${env:OTLP_HTTP_ENDPOINT:-%s:4318}'}\n"
)


@pytest.mark.parametrize(("stack", "config"), [("dev", {}), ("prod", {}), ("dev", SERVICE_CONNECT)])
def test_the_shipped_stacks_are_right(stack: str, config: dict[str, Any]) -> None:
    found = addresses.checked(wanted(stack, config=config))
    assert {one.kind for one in found} == {Kind.CHECKED}
    assert {one.subject.split(" of ")[0] for one in found} == {"remote write", "OTLP endpoint", "DOWNSTREAM_URL"}


def test_names_come_from_cloud_map_and_service_connect() -> None:
    assert "collector.dev.ecs-observability.internal:4318" in wanted("dev", config=CLOUD_MAP).listeners
    assert wanted("dev", config=CLOUD_MAP).listeners == wanted("dev", config=SERVICE_CONNECT).listeners
    namespace = resource("aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace", urn="ns", name="shop.internal")
    named = resource("aws:servicediscovery/service:Service", urn="front-name", name="front", namespaceId="<ns.id>")
    one = recording(namespace, named, front=1)
    assert plan(one, DOCUMENTS).listeners == frozenset()
    assert plan(one, DOCUMENTS).domains == {"shop.internal"}


def sidecar(**variables: str) -> Plan:
    return stack(service("front"), "127.0.0.1", **variables)


def stack(one: Any, host: str, **variables: str) -> Plan:
    definition = json.loads(json.dumps(one.definition))
    for container in definition["containerDefinitions"]:
        given = variables if container["name"] == "front" else {"AWS_PROMETHEUS_ENDPOINT": variables.pop("AMP", AMP)}
        container["environment"] = [{"name": name, "value": value} for name, value in given.items()]
    documents = {f"collector/shop-dev-{name}.yaml": LISTENS % (host, host) for name in ("front", "collector")}
    return made_plan(replace(one, definition=definition), documents=documents)


AMP = "<metrics-workspace.prometheusEndpoint>api/v1/remote_write"
HTTP = "OTEL_EXPORTER_OTLP_ENDPOINT"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"


def reasons(of: Plan) -> list[str]:
    return [one.reason for one in addresses.checked(of)]


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({HTTP: "http://localhost:4318"}, ""),
        ({HTTP: "http://localhost:4317", PROTOCOL: "grpc"}, ""),
        ({HTTP: "http://localhost:4317"}, "the collector takes OTLP over HTTP on port 4318"),
        ({HTTP: "http://localhost:4318", PROTOCOL: "grpc"}, "the collector takes OTLP over GRPC on port 4317"),
        ({HTTP: "http://collector.shop.internal:4318"}, "the collector is in the same task: localhost"),
        ({}, "the collector takes OTLP over HTTP on port 4318"),
        ({HTTP: "http://localhost:many"}, "the collector takes OTLP over HTTP on port 4318"),
    ],
)
def test_a_sidecar_is_on_localhost(variables: dict[str, str], reason: str) -> None:
    assert reasons(sidecar(**variables)) == ["", reason]


@pytest.mark.parametrize("url", ["", "<metrics-workspace.prometheusEndpoint>/api/v1/remote_write", "https://aps/"])
def test_remote_write_goes_to_an_amp_workspace(url: str) -> None:
    found = addresses.checked(stack(service("front"), "127.0.0.1", AMP=url, **{HTTP: "http://localhost:4318"}))
    assert found[0].reason == "is not the remote-write URL of an AMP workspace"


@pytest.mark.parametrize(
    ("host", "url", "reason"),
    [
        ("0.0.0.0", "http://collector.shop.internal:4318", ""),
        ("0.0.0.0", "http://gateway.shop.internal:4318", "nobody in this stack answers there"),
        ("127.0.0.1", "http://collector.shop.internal:4318", "the collector listens on its own machine only"),
    ],
)
def test_a_collector_service_is_reached_by_its_name(host: str, url: str, reason: str) -> None:
    made = stack(service("front", sidecar=False), host, **{HTTP: url})
    known = frozenset({"collector.shop.internal:4318"})
    assert reasons(replace(made, collector=service("collector"), listeners=known)) == [
        "is not the remote-write URL of an AMP workspace",
        reason,
    ]


def test_what_applications_send_to_is_the_front() -> None:
    """The collector behind it takes OTLP as well, on another port and from the front alone."""
    made = stack(service("front", sidecar=False), "0.0.0.0", **{HTTP: "http://collector.shop.internal:4318"})
    carrier = service("collector")
    configured = {"name": "AOT_CONFIG_CONTENT", "value": "x"}
    entrance = {"name": "front", "image": "adot:1", "environment": [configured]}
    containers = [*carrier.definition["containerDefinitions"], entrance]
    carrier = replace(carrier, definition={**carrier.definition, "containerDefinitions": containers})
    listening = made.documents["collector/shop-dev-collector.yaml"]
    documents = {"collector/shop-dev-collector.yaml": "", "collector/shop-dev-collector-front.yaml": listening}
    known = frozenset({"collector.shop.internal:4318"})
    given = replace(made, collector=carrier, documents=documents, listeners=known)
    assert reasons(given) == ["is not the remote-write URL of an AMP workspace", ""]
    swapped = {"collector/shop-dev-collector.yaml": listening, "collector/shop-dev-collector-front.yaml": ""}
    assert reasons(replace(given, documents=swapped))[1] == "no collector takes OTLP over HTTP"


def test_an_application_without_collector_is_named() -> None:
    made = stack(service("front", sidecar=False), "0.0.0.0", **{HTTP: "http://localhost:4318"})
    assert reasons(made) == ["no collector takes OTLP over HTTP"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://back.shop.internal:8080", [""]),
        ("http://gone.shop.internal:8080", ["nobody in this stack answers there"]),
        ("http://back.shop.internal", ["nobody in this stack answers there"]),
        ("https://example.com/shop.internal", []),
        ("text", []),
    ],
)
def test_names_of_the_stack_must_be_answered(url: str, expected: list[str]) -> None:
    made = sidecar(**{HTTP: "http://localhost:4318", "BACK_URL": url})
    known = frozenset({"back.shop.internal:8080"})
    assert reasons(replace(made, domains=frozenset({"shop.internal"}), listeners=known)) == ["", "", *expected]
