"""Service Connect between applications: what a service and its task definition say, and what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from documents import service_connect, task
from documents.faults import ConfigurationError
from documents.inputs import Application, Collector, checked, sidecar_fits
from documents.service_connect import Protocol, ServiceConnect
from tests import judges

WEB = {"name": "web", "image": "shop/web:1", "port": 8080}
LOG = {"logDriver": "awslogs", "options": {"awslogs-group": "/shop/web", "awslogs-stream-prefix": "service-connect"}}


def application(**values: Any) -> Application:
    return checked(Application, WEB | values, "web")


def fault(**values: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        application(**values)
    [found] = caught.value.faults
    return str(found)


def configuration(**values: Any) -> dict[str, Any]:
    return service_connect.configuration(
        ServiceConnect.model_validate(values),
        name="web",
        port=8080,
        address="web.dev.shop.internal",
        namespace="arn:aws:servicediscovery:eu-west-1:123456789012:namespace/ns-1",
        log=LOG,
    )


def test_an_application_is_found_at_the_address_that_it_has_anyway() -> None:
    assert configuration() == {
        "enabled": True,
        "namespace": "arn:aws:servicediscovery:eu-west-1:123456789012:namespace/ns-1",
        "services": [
            {
                "port_name": "application",
                "discovery_name": "web_connect",
                "client_alias": [{"port": 8080, "dns_name": "web.dev.shop.internal"}],
            }
        ],
        "log_configuration": {"log_driver": "awslogs", "options": LOG["options"]},
    }


def test_times_and_access_logs() -> None:
    made = configuration(requestTimeout=0, idleTimeout=600, accessLogs=True)
    assert made["services"][0]["timeout"] == {"per_request_timeout_seconds": 0, "idle_timeout_seconds": 600}
    assert made["access_log_configuration"] == {"format": "JSON", "include_query_parameters": "DISABLED"}


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        (Protocol.HTTP, {"name": "application", "appProtocol": "http"}),
        (Protocol.GRPC, {"name": "application", "appProtocol": "grpc"}),
        (Protocol.TCP, {"name": "application"}),
    ],
)
def test_the_port_of_the_definition_has_a_name_and_a_protocol(protocol: Protocol, said: dict[str, str]) -> None:
    container = task.application_container(application(serviceConnect={"protocol": protocol}), LOG)
    assert container["portMappings"] == [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp", **said}]
    definition = {"family": "web", "containerDefinitions": [container]}
    assert judges.request("ecs", "RegisterTaskDefinition", definition) == []


def test_without_it_the_port_is_as_it_was() -> None:
    container = task.application_container(application(), LOG)
    assert container["portMappings"] == [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}]


def test_what_is_refused() -> None:
    assert fault(serviceConnect={"protocol": "tcp", "requestTimeout": 5}) == (
        "web.serviceConnect.requestTimeout: is of requests, and TCP has none (got 5); leave it out, or give idleTimeout"
    )
    assert fault(serviceConnect={"idleTimeout": -1}) == (
        "web.serviceConnect.idleTimeout: is too small (got -1); give at least 0"
    )
    assert fault(serviceConnect={"protocol": "h2"}).startswith(
        "web.serviceConnect.protocol: is not one of the choices (got 'h2')"
    )


@given(some.integers(0, 2_147_483_647))
def test_every_time_that_aws_takes(seconds: int) -> None:
    assert application(serviceConnect={"idleTimeout": seconds}).service_connect == ServiceConnect(idle_timeout=seconds)


def test_a_sidecar_leaves_the_proxy_its_memory() -> None:
    collector = Collector(memory=320)
    fits = application(memory=512, cpu=256)
    assert sidecar_fits(fits, collector, (), "web") == []
    [found] = sidecar_fits(application(memory=512, serviceConnect={}), collector, (), "web")
    assert str(found) == (
        "web.memory: leaves 96 MiB to the application beside a collector of 352 MiB with its drain and 64 MiB of what "
        "else it asks for (got 512); give the task at least 544 MiB, or the collector less"
    )


def test_a_small_task_is_warned_of() -> None:
    assert service_connect.warnings(None, 256, "applications.0") == []
    assert service_connect.warnings(ServiceConnect(), 512, "applications.0") == []
    [found] = service_connect.warnings(ServiceConnect(), 256, "applications.0")
    assert found.startswith("applications.0.serviceConnect: a proxy should have 256 CPU units")
