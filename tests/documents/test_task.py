"""Container definitions: exact, and what instrumenting does to those of others."""

import json
from typing import Any

import pytest

from documents import drain, task
from documents.fargate import SIZES
from documents.inputs import Application, HealthCheck, Start
from documents.origin import Origin
from proof.task import stopping_order

ORIGIN = Origin(
    namespace="shop", environment="dev", cluster="shop-dev", service="storefront", family="shop-dev-storefront"
)
LOG = task.log_configuration("/ecs/shop-dev/storefront", "eu-west-1", "storefront")
COLLECTOR_LOG = task.log_configuration("/ecs/shop-dev/storefront", "eu-west-1", "collector")


def collector(name: str = "collector", *, essential: bool = False, restart: bool = True, **more: Any) -> task.Container:
    shared = task.CollectorContainer(
        image="public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0",
        region="eu-west-1",
        remote_write_url="https://aps.example/api/v1/remote_write",
        essential=essential,
        restart=restart,
        log=COLLECTOR_LOG,
    )
    settings: dict[str, Any] = {"configuration": "receivers: {}\n", "cpu": 64, "memory": 512, "health_port": 13133}
    return task.collector_container(shared, name=name, **settings | more)


def drained() -> task.Container:
    return task.drain_container("public.ecr.aws/docker/library/busybox:1.37.0", COLLECTOR_LOG)


def sidecar(wait_for: Start = Start.START) -> task.Additions:
    environment = task.telemetry_environment(ORIGIN, "http://localhost:4318", 60)
    return task.sidecar_additions(environment, collector(), drained(), wait_for)


DRAIN = {
    "name": "drain",
    "image": "public.ecr.aws/docker/library/busybox:1.37.0",
    "command": ["sh", "-c", drain.SCRIPT],
    "essential": False,
    "cpu": 0,
    "memory": 32,
    "dependsOn": [{"containerName": "collector", "condition": "START"}],
    "logConfiguration": COLLECTOR_LOG,
    "stopTimeout": 120,
}


def collecting(name: str, *, essential: bool, cpu: int, memory: int, soft: str, port: int) -> task.Container:
    """A container that runs a collector, whole but for its ports and for what it waits for."""
    return {
        "name": name,
        "image": "public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0",
        "command": ["--feature-gates=exporter.prometheusremotewritexporter.RetryOn429"],
        "essential": essential,
        "cpu": cpu,
        "memory": memory,
        "portMappings": [],
        "environment": [
            {"name": "AOT_CONFIG_CONTENT", "value": "receivers: {}\n"},
            {"name": "AWS_PROMETHEUS_ENDPOINT", "value": "https://aps.example/api/v1/remote_write"},
            {"name": "AWS_REGION", "value": "eu-west-1"},
            {"name": "GOMEMLIMIT", "value": soft},
        ],
        "healthCheck": {
            "command": ["CMD", "/healthcheck", "-port", str(port)],
            "interval": 10,
            "timeout": 5,
            "retries": 3,
            "startPeriod": 10,
        },
        "logConfiguration": COLLECTOR_LOG,
        "stopTimeout": 120,
        "restartPolicy": {"enabled": True, "restartAttemptPeriod": 60},
    }


def test_sidecar_task_whole() -> None:
    application = Application(
        name="storefront",
        image="shop/storefront:1.4.2",
        port=8080,
        environment={"DOWNSTREAM_URL": "http://inventory"},
        secrets={"DB": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"},
        health_check=HealthCheck(command=("CMD", "/ok")),
        command=("serve", "--fast"),
    )
    assert task.instrument([task.application_container(application, LOG)], "storefront", sidecar()) == [
        {
            "name": "storefront",
            "image": "shop/storefront:1.4.2",
            "essential": True,
            "portMappings": [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}],
            "environment": [
                {"name": "DOWNSTREAM_URL", "value": "http://inventory"},
                {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://localhost:4318"},
                {
                    "name": "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
                    "value": "explicit_bucket_histogram",
                },
                {"name": "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "value": "cumulative"},
                {"name": "OTEL_EXPORTER_OTLP_PROTOCOL", "value": "http/protobuf"},
                {"name": "OTEL_METRICS_EXEMPLAR_FILTER", "value": "always_off"},
                {"name": "OTEL_METRIC_EXPORT_INTERVAL", "value": "60000"},
                {"name": "OTEL_PROPAGATORS", "value": "tracecontext,baggage,xray"},
                {
                    "name": "OTEL_RESOURCE_ATTRIBUTES",
                    "value": "service.namespace=shop,deployment.environment.name=dev,aws.ecs.cluster.name=shop-dev,"
                    "aws.ecs.service.name=storefront,aws.ecs.task.family=shop-dev-storefront",
                },
                {"name": "OTEL_SEMCONV_STABILITY_OPT_IN", "value": "http"},
                {"name": "OTEL_SERVICE_NAME", "value": "storefront"},
            ],
            "secrets": [{"name": "DB", "valueFrom": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"}],
            "logConfiguration": LOG,
            "stopTimeout": 30,
            "command": ["serve", "--fast"],
            "healthCheck": {"command": ["CMD", "/ok"], "interval": 30, "timeout": 5, "retries": 3, "startPeriod": 10},
            "dependsOn": [
                {"containerName": "collector", "condition": "START"},
                {"containerName": "drain", "condition": "START"},
            ],
        },
        DRAIN,
        collecting("collector", essential=False, cpu=64, memory=512, soft="409MiB", port=13133),
    ]


def service(cpu: int = 512, memory: int = 1024) -> list[task.Container]:
    front, behind = task.service_shares(cpu, memory)
    ports = [{"containerPort": 4317}, {"containerPort": 4318}]
    return task.service_containers(
        collector("front", essential=True, cpu=front[0], memory=front[1], health_port=13134, ports=ports),
        drained(),
        collector(essential=True, cpu=behind[0], memory=behind[1]),
    )


def test_service_task_whole() -> None:
    assert service() == [
        collecting("front", essential=True, cpu=170, memory=297, soft="237MiB", port=13134)
        | {
            "portMappings": [{"containerPort": 4317}, {"containerPort": 4318}],
            "dependsOn": [{"containerName": "drain", "condition": "START"}],
        },
        DRAIN,
        collecting("collector", essential=True, cpu=342, memory=695, soft="556MiB", port=13133),
    ]


@pytest.mark.parametrize(("cpu", "memory"), [(cpu, memory) for cpu, all_of in SIZES.items() for memory in all_of])
def test_front_drain_and_collector_fill_their_task(cpu: int, memory: int) -> None:
    front, behind = task.service_shares(cpu, memory)
    assert front[0] + behind[0] == cpu
    assert front[1] + drain.MEMORY + behind[1] == memory
    assert 0 < front[0] < behind[0]
    assert 0 < front[1] < behind[1]


def test_ecs_stops_what_sends_first_and_the_collector_last() -> None:
    application = {"name": "web", "essential": True}
    beside = {"name": "proxy", "dependsOn": [{"containerName": "web", "condition": "HEALTHY"}]}
    for containers, order in (
        (task.instrument([application, beside], "web", sidecar()), [["proxy"], ["web"], ["drain"], ["collector"]]),
        (service(), [["front"], ["drain"], ["collector"]]),
    ):
        assert [[one["name"] for one in ending] for ending in stopping_order(containers)] == order


def test_essential_and_restart_are_chosen_apart() -> None:
    assert collector(essential=True) == collector() | {"essential": True}
    assert "restartPolicy" not in collector(restart=False)
    assert collector(restart=False) | {"restartPolicy": collector()["restartPolicy"]} == collector()


def test_waiting_for_health() -> None:
    assert sidecar(Start.HEALTHY).depends_on == (
        {"containerName": "collector", "condition": "HEALTHY"},
        {"containerName": "drain", "condition": "START"},
    )


def test_what_the_user_sets_wins_and_resource_attributes_are_merged() -> None:
    own = {
        "name": "web",
        "image": "x:1",
        "environment": [
            {"name": "OTEL_SERVICE_NAME", "value": "shopfront"},
            {"name": "OTEL_RESOURCE_ATTRIBUTES", "value": "service.namespace=theirs,team=web"},
        ],
        "secrets": [{"name": "OTEL_PROPAGATORS", "valueFrom": "arn"}],
        "dependsOn": [{"containerName": "init", "condition": "SUCCESS"}],
    }
    [web, init, *_] = task.instrument([own, {"name": "init", "image": "i:1"}], "web", sidecar())
    environment = {pair["name"]: pair["value"] for pair in web["environment"]}
    assert environment["OTEL_SERVICE_NAME"] == "shopfront"
    assert environment["OTEL_RESOURCE_ATTRIBUTES"] == (
        "service.namespace=theirs,deployment.environment.name=dev,aws.ecs.cluster.name=shop-dev,"
        "aws.ecs.service.name=storefront,aws.ecs.task.family=shop-dev-storefront,team=web"
    )
    assert "OTEL_PROPAGATORS" not in environment
    assert web["dependsOn"] == [
        {"containerName": "init", "condition": "SUCCESS"},
        {"containerName": "collector", "condition": "START"},
        {"containerName": "drain", "condition": "START"},
    ]
    assert init == {"name": "init", "image": "i:1"}
    assert own["dependsOn"] == [{"containerName": "init", "condition": "SUCCESS"}], "the definition was changed"


def test_instrumenting_what_is_not_there() -> None:
    with pytest.raises(ValueError, match="no container is named 'api' \\(there are web\\); name one of them"):
        task.instrument([{"name": "web"}], "api", sidecar())


def test_instrumenting_twice() -> None:
    once = task.instrument([{"name": "web"}], "web", sidecar())
    for name in ("drain", "collector"):
        present = [container for container in once if container["name"] in ("web", name)]
        with pytest.raises(ValueError, match=f"a container is named '{name}' already"):
            task.instrument(present, "web", sidecar())


def test_a_hostile_value_arrives_as_data() -> None:
    value = '"; ${env:HOME}\n- {x: y}'
    application = Application(name="a", image="x:1", port=1, environment={"X": value})
    [container] = json.loads(json.dumps([task.application_container(application, LOG)]))
    environment: list[dict[str, Any]] = container["environment"]
    assert environment == [{"name": "X", "value": value}]
