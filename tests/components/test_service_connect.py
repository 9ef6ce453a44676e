"""Applications that find each other by Service Connect: services, task definitions, and who reaches whom."""

from typing import Any

import pytest

from preview import reachability, wiring
from tests.components.variants import DISCOVERY, SERVICE, containers, names_of, recorded

# Each test makes a whole program, which takes a second or two.
pytestmark = pytest.mark.slow


def connect(name: str) -> Any:
    return recorded("connected").named(SERVICE, f"{name}-service").inputs["serviceConnectConfiguration"]


def test_an_application_offers_the_name_that_cloud_map_has() -> None:
    assert connect("storefront") == {
        "enabled": True,
        "namespace": "<cluster-namespace.arn>",
        "services": [
            {
                "portName": "application",
                "discoveryName": "storefront_connect",
                "clientAlias": [{"port": 8080, "dnsName": "storefront.dev.ecs-observability.internal"}],
            }
        ],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": "/ecs/ecs-observability-dev/storefront",
                "awslogs-region": "eu-west-1",
                "awslogs-stream-prefix": "service-connect",
                "mode": "non-blocking",
                "max-buffer-size": "25m",
            },
        },
    }


def test_what_an_application_says_of_it() -> None:
    said = connect("inventory")
    assert said["services"][0]["timeout"] == {"perRequestTimeoutSeconds": 0, "idleTimeoutSeconds": 600}
    assert said["accessLogConfiguration"] == {"format": "JSON", "includeQueryParameters": "DISABLED"}
    mapped = {
        name: containers(recorded("connected"), f"{name}-definition")[name]["portMappings"]
        for name in ("inventory", "cache")
    }
    assert mapped == {
        "inventory": [
            {"containerPort": 9090, "hostPort": 9090, "protocol": "tcp", "name": "application", "appProtocol": "grpc"}
        ],
        "cache": [{"containerPort": 6379, "hostPort": 6379, "protocol": "tcp", "name": "application"}],
    }


def test_whoever_gives_a_proxy_little_is_warned() -> None:
    warned = [text.partition(":")[0] for text in recorded("connected").warnings if "proxy" in text]
    assert warned == ["applications.0.serviceConnect", "applications.2.serviceConnect"]


def test_the_name_stays_in_dns_for_whoever_has_no_proxy() -> None:
    """Tasks that are no service, and applications that were there before the one they call."""
    recording = recorded("connected")
    assert {one.name for one in recording.of_type(DISCOVERY)} == {"storefront-name", "inventory-name", "cache-name"}
    for name in ("storefront", "inventory", "cache"):
        service = recording.named(SERVICE, f"{name}-service")
        assert service.inputs["serviceRegistries"] == {"registryArn": f"<{name}-name.arn>"}
        offered = service.inputs["serviceConnectConfiguration"]["services"][0]
        # Both are services of one namespace, in which a name is there once.
        assert offered["discoveryName"] != recording.named(DISCOVERY, f"{name}-name").inputs["name"]
    found = {run.name: run.addresses for run in wiring.running(recording)}
    assert found["storefront"] == ("storefront.dev.ecs-observability.internal",)


def test_it_follows_the_collector_that_is_found_so_as_well() -> None:
    recording = recorded("connected")
    assert connect("collector")["namespace"] == connect("storefront")["namespace"]
    service = recording.named(SERVICE, "storefront-service")
    assert "collector-service" in names_of(recording, service.dependencies)


def test_proxies_are_reached_where_the_applications_were() -> None:
    """On Fargate a proxy takes what comes in on the port of the container."""
    found = {(one.source, one.target, one.traffic) for one in reachability.reaches(recorded("connected"))}
    everyone = ("cache", "inventory", "storefront")
    ports = (("cache", "TCP 6379"), ("inventory", "TCP 9090"), ("storefront", "TCP 8080"))
    for target, traffic in ports:
        assert {source for source, end, on in found if (end, on) == (target, traffic)} >= set(everyone)
        assert {on for _, end, on in found if end == target} == {traffic}
