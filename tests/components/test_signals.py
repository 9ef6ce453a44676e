"""What else collectors take: the ports that this opens, who may reach them, what applications are told, the scraper."""

from pathlib import Path
from typing import Any

import pytest

from documents.faults import ConfigurationError
from preview.recorder import ProgramError
from tests.components.test_library import run
from tests.components.variants import (
    INGRESS,
    ROLE_POLICY,
    SERVICE,
    containers,
    environment,
    one,
    program,
    recorded,
    service_inputs,
    statements,
    untagged,
)

# Each test records a whole program, which takes a second or two.
pytestmark = pytest.mark.slow

SAMPLING = {
    "Sid": "ReadSamplingRules",
    "Effect": "Allow",
    "Action": ["xray:GetSamplingRules", "xray:GetSamplingTargets"],
    "Resource": "*",
}


def admitted(stack: str, group: str) -> set[tuple[str, str, int]]:
    """Who reaches a security group, by protocol and port."""
    return {
        (rule.inputs["referencedSecurityGroupId"], rule.inputs["ipProtocol"], rule.inputs["fromPort"])
        for rule in recorded(stack).of_type(INGRESS)
        if rule.inputs["securityGroupId"] == f"<{group}.id>"
    }


def mapped(container: dict[str, Any]) -> list[tuple[str, int, str]]:
    return [(one["name"], one["containerPort"], one["protocol"]) for one in container["portMappings"]]


OTLP = [("otlp-grpc", 4317, "tcp"), ("otlp-http", 4318, "tcp")]


def test_a_collector_service_opens_the_ports_of_its_receivers() -> None:
    task = containers(recorded("receivers"), "collector-definition")
    assert mapped(task["front"]) == [
        *OTLP,
        ("xray-segments", 2000, "udp"),
        ("xray-sampling", 2000, "tcp"),
        ("zipkin", 9411, "tcp"),
    ]
    assert mapped(task["collector"]) == [("statsd", 8125, "udp")]
    clients = "<collector-clients.id>"
    assert admitted("receivers", "collector-tasks") == {
        (clients, "tcp", 4317),
        (clients, "tcp", 4318),
        (clients, "tcp", 2000),
        (clients, "udp", 2000),
        (clients, "udp", 8125),
        (clients, "tcp", 9411),
    }


def test_without_receivers_there_is_otlp_only() -> None:
    assert mapped(containers(recorded("cloud-map"), "collector-definition")["front"]) == OTLP
    assert {port for _, _, port in admitted("cloud-map", "collector-tasks")} == {4317, 4318}
    application = environment(containers(recorded("cloud-map"), "storefront-definition")["storefront"])
    assert not {"AWS_XRAY_DAEMON_ADDRESS", "STATSD_HOST", "OTEL_EXPORTER_ZIPKIN_ENDPOINT"} & application.keys()


@pytest.mark.parametrize(
    ("application", "host"),
    [("storefront", "127.0.0.1"), ("inventory", "collector.dev.ecs-observability.internal")],
)
def test_clients_are_told_where_the_collector_is(application: str, host: str) -> None:
    told = environment(containers(recorded("receivers"), f"{application}-definition")[application])
    assert told["AWS_XRAY_DAEMON_ADDRESS"] == f"{host}:2000"
    assert (told["STATSD_HOST"], told["STATSD_PORT"]) == (host, "8125")
    assert told["OTEL_EXPORTER_ZIPKIN_ENDPOINT"] == f"http://{host}:9411/api/v2/spans"


def test_a_sidecar_maps_no_port_and_waits_for_the_last_interval() -> None:
    task = containers(recorded("receivers"), "storefront-definition")
    assert task["collector"]["portMappings"] == []
    assert environment(task["drain"])["HOLD_SECONDS"] == "65"
    assert environment(containers(recorded("receivers"), "collector-definition")["drain"])["HOLD_SECONDS"] == "65"


@pytest.mark.parametrize("role", ["storefront-task-policy", "collector-task-policy"])
def test_whoever_has_the_proxy_may_ask_for_sampling_rules(role: str) -> None:
    assert SAMPLING in statements(recorded("receivers"), role)


def test_zipkin_passes_service_connect() -> None:
    service = recorded("zipkin-service-connect").named(SERVICE, "collector-service")
    served = service.inputs["serviceConnectConfiguration"]["services"]
    assert [(one["portName"], one["discoveryName"]) for one in served] == [
        ("otlp-grpc", "collector-otlp-grpc"),
        ("otlp-http", "collector-otlp-http"),
        ("zipkin", "collector-zipkin"),
    ]


def test_udp_does_not_pass_service_connect() -> None:
    with pytest.raises(ProgramError, match="has xray and statsd, whose clients send UDP"):
        program(
            {
                "pattern": "service",
                "collector": {"receivers": ["statsd", "xray"], "discovery": "serviceConnect"},
                **one(),
            }
        )


def test_the_scraper_is_one_task_also_while_it_is_deployed() -> None:
    service = recorded("scraped").named(SERVICE, "scraper-service")
    assert untagged(service) == service_inputs(
        "scraper",
        "scraper-tasks",
        deploymentMinimumHealthyPercent=0,
        deploymentMaximumPercent=100,
        availabilityZoneRebalancing="DISABLED",
    )


def test_the_scraper_may_find_tasks_and_write_metrics() -> None:
    granted = statements(recorded("scraped"), "scraper-task-policy")
    assert [statement["Sid"] for statement in granted] == [
        "WriteMetrics",
        "FindTasks",
        "ReadTasks",
        "ReadTaskDefinitions",
    ]
    assert granted[2]["Resource"].endswith(":task/ecs-observability-dev/*")
    assert granted[1]["Condition"] == {"ArnEquals": {"ecs:cluster": "<cluster-cluster.arn>"}}


def test_the_scraper_reaches_the_metrics_of_applications_and_nobody_the_scraper() -> None:
    assert admitted("scraped", "inventory-tasks") == {
        ("<cluster-applications.id>", "tcp", 9090),
        ("<scraper-tasks.id>", "tcp", 9090),
    }
    assert admitted("scraped", "storefront-tasks") == {("<cluster-applications.id>", "tcp", 8080)}
    assert admitted("scraped", "scraper-tasks") == set()


def test_an_application_says_where_it_exposes_metrics() -> None:
    inventory = containers(recorded("scraped"), "inventory-definition")["inventory"]
    assert inventory["dockerLabels"] == {
        "ECS_PROMETHEUS_EXPORTER_PORT": "9090",
        "ECS_PROMETHEUS_METRICS_PATH": "/stock/metrics",
    }
    assert inventory["portMappings"] == [{"containerPort": 9090, "hostPort": 9090, "protocol": "tcp"}]
    # Beside a sidecar nobody has to find it.
    storefront = containers(recorded("scraped"), "storefront-definition")["storefront"]
    assert "dockerLabels" not in storefront
    assert [one["containerPort"] for one in storefront["portMappings"]] == [8080]


def test_there_is_a_scraper_only_where_the_service_pattern_has_something_to_scrape() -> None:
    recording = program(one(metrics={"port": 9464}))
    assert [resource.name for resource in recording.of_type(SERVICE)] == ["storefront-service"]
    assert not [one for one in recorded("cloud-map").of_type(ROLE_POLICY) if "scraper" in one.name]


LIBRARY = """
telemetry = metrics.telemetry(Signals(receivers=frozenset({receivers})))
collector = CollectorService("collector", {{
    "place": place(), "telemetry": telemetry, "collector": inputs.Collector(discovery="{discovery}")
}})
Application("web", {{
    "place": place(), "pattern": collector, "name": "web", "port": 8080, "image": "web:1", "metrics": {metrics}
}})
"""


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (
            {"receivers": ["statsd"], "discovery": "serviceConnect", "metrics": None},
            "collector.receivers: has statsd, whose clients send UDP, which cannot pass Service Connect; "
            "use collector.discovery: cloudMap, or leave them out",
        ),
        (
            {"receivers": [], "discovery": "cloudMap", "metrics": {"port": 9464}},
            "web.metrics: is asked for by nobody: this collector service has no scraper; "
            "give the collector service a Scraper, or leave it out",
        ),
    ],
)
def test_programs_of_others_get_the_same_faults(tmp_path: Path, values: dict[str, Any], text: str) -> None:
    with pytest.raises((ProgramError, ConfigurationError)) as caught:
        run(tmp_path, LIBRARY.format(**values))
    assert text in str(caught.value)
