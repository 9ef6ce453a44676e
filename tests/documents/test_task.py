"""Container definitions: exact, and what instrumenting does to those of others."""

import json
from typing import Any

import pytest

from documents import task
from documents.inputs import Application, HealthCheck, Start

ORIGIN = task.Origin(
    namespace="shop", environment="dev", cluster="shop-dev", service="storefront", family="shop-dev-storefront"
)
LOG = task.log_configuration("/ecs/shop-dev/storefront", "eu-west-1", "storefront")
COLLECTOR_LOG = task.log_configuration("/ecs/shop-dev/storefront", "eu-west-1", "collector")


def collector(*, essential: bool = False, restart: bool = True) -> task.Container:
    return task.collector_container(
        image="public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0",
        configuration="receivers: {}\n",
        cpu=64,
        memory=512,
        region="eu-west-1",
        remote_write_url="https://aps.example/api/v1/remote_write",
        essential=essential,
        restart=restart,
        log=COLLECTOR_LOG,
    )


def sidecar(wait_for: Start = Start.START) -> task.Additions:
    environment = task.telemetry_environment(ORIGIN, "http://localhost:4318", 60)
    return task.sidecar_additions(environment, collector(), wait_for)


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
            "dependsOn": [{"containerName": "collector", "condition": "START"}],
        },
        {
            "name": "collector",
            "image": "public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0",
            "essential": False,
            "cpu": 64,
            "memory": 512,
            "portMappings": [],
            "environment": [
                {"name": "AOT_CONFIG_CONTENT", "value": "receivers: {}\n"},
                {"name": "AWS_PROMETHEUS_ENDPOINT", "value": "https://aps.example/api/v1/remote_write"},
                {"name": "AWS_REGION", "value": "eu-west-1"},
                {"name": "GOMEMLIMIT", "value": "409MiB"},
            ],
            "healthCheck": {
                "command": ["CMD", "/healthcheck"],
                "interval": 10,
                "timeout": 5,
                "retries": 3,
                "startPeriod": 10,
            },
            "logConfiguration": COLLECTOR_LOG,
            "stopTimeout": 120,
            "restartPolicy": {"enabled": True, "restartAttemptPeriod": 60},
        },
    ]


def test_essential_and_restart_are_chosen_apart() -> None:
    assert collector(essential=True) == collector() | {"essential": True}
    assert "restartPolicy" not in collector(restart=False)
    assert collector(restart=False) | {"restartPolicy": collector()["restartPolicy"]} == collector()


def test_waiting_for_health() -> None:
    assert sidecar(Start.HEALTHY).depends_on == ({"containerName": "collector", "condition": "HEALTHY"},)


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
    [web, init, _] = task.instrument([own, {"name": "init", "image": "i:1"}], "web", sidecar())
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
    ]
    assert init == {"name": "init", "image": "i:1"}
    assert own["dependsOn"] == [{"containerName": "init", "condition": "SUCCESS"}], "the definition was changed"


def test_instrumenting_what_is_not_there() -> None:
    with pytest.raises(ValueError, match="no container is named 'api' \\(there are web\\); name one of them"):
        task.instrument([{"name": "web"}], "api", sidecar())


def test_instrumenting_twice() -> None:
    once = task.instrument([{"name": "web"}], "web", sidecar())
    with pytest.raises(ValueError, match="a container is named 'collector' already"):
        task.instrument(once, "web", sidecar())


def test_a_hostile_value_arrives_as_data() -> None:
    value = '"; ${env:HOME}\n- {x: y}'
    application = Application(name="a", image="x:1", port=1, environment={"X": value})
    [container] = json.loads(json.dumps([task.application_container(application, LOG)]))
    environment: list[dict[str, Any]] = container["environment"]
    assert environment == [{"name": "X", "value": value}]
