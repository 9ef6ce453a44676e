"""ECS container definitions, in the camelCase form of the ECS API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from documents import names
from documents.inputs import Application, HealthCheck, Start

Container = dict[str, Any]

_APPLICATION_STOP_SECONDS: Final = 30
_COLLECTOR_STOP_SECONDS: Final = 120
"""ECS waits so long between SIGTERM and SIGKILL; 120 s is its maximum and leaves the collector time to deliver."""

_RESTART_PERIOD_SECONDS: Final = 60
"""A container that exits sooner than this after its start is not restarted; 60 s is ECS's minimum."""

_RESOURCE_ATTRIBUTES: Final = "OTEL_RESOURCE_ATTRIBUTES"


@dataclass(frozen=True)
class Origin:
    """Who emits telemetry: the identity that every signal of an application carries."""

    namespace: str
    environment: str
    cluster: str
    service: str
    family: str

    @property
    def attributes(self) -> dict[str, str]:
        """Resource attributes by name."""
        return {
            "service.namespace": self.namespace,
            "deployment.environment.name": self.environment,
            "aws.ecs.cluster.name": self.cluster,
            "aws.ecs.service.name": self.service,
            "aws.ecs.task.family": self.family,
        }


@dataclass(frozen=True)
class Additions:
    """What a pattern adds to one task definition: to its application container, and beside it."""

    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    depends_on: Sequence[Mapping[str, str]] = ()
    containers: Sequence[Container] = ()


def telemetry_environment(origin: Origin, endpoint: str, interval_seconds: int) -> dict[str, str]:
    """The standard variables of OpenTelemetry's SDKs (OpenTelemetry specification, "SDK environment variables")."""
    return {
        "OTEL_SERVICE_NAME": origin.service,
        _RESOURCE_ATTRIBUTES: _joined(origin.attributes),
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        # The remote-write exporter drops delta sums without a word.
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "cumulative",
        # AWS's own Python distribution defaults to exponential histograms, which have no `_bucket` series.
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "explicit_bucket_histogram",
        "OTEL_METRIC_EXPORT_INTERVAL": str(interval_seconds * 1000),
        # AMP stores no exemplars.
        "OTEL_METRICS_EXEMPLAR_FILTER": "always_off",
        "OTEL_PROPAGATORS": "tracecontext,baggage,xray",
        # Python's HTTP instrumentations otherwise emit the names and milliseconds of the old conventions.
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
    }


def application_container(application: Application, log: Container) -> Container:
    """The user's container as the user described it, without telemetry."""
    container: Container = {
        "name": application.name,
        "image": application.image,
        "essential": True,
        "portMappings": [{"containerPort": application.port, "hostPort": application.port, "protocol": "tcp"}],
        "environment": _pairs(application.environment, "value"),
        "secrets": _pairs(application.secrets, "valueFrom"),
        "logConfiguration": log,
        "stopTimeout": _APPLICATION_STOP_SECONDS,
    }
    if application.command:
        container["command"] = list(application.command)
    if application.health_check:
        container["healthCheck"] = _health_check(application.health_check)
    return container


def collector_container(
    *,
    image: str,
    configuration: str,
    cpu: int,
    memory: int,
    region: str,
    remote_write_url: str,
    essential: bool,
    restart: bool,
    log: Container,
    ports: Sequence[Mapping[str, Any]] = (),
) -> Container:
    """The collector, as a sidecar or as the only container of its own task. `cpu` in CPU units, `memory` in MiB."""
    container: Container = {
        "name": names.COLLECTOR,
        "image": image,
        "essential": essential,
        "cpu": cpu,
        # The hard limit: a collector that grows is stopped, not the application beside it.
        "memory": memory,
        "portMappings": [dict(port) for port in ports],
        "environment": _pairs(
            {
                "AOT_CONFIG_CONTENT": configuration,
                "AWS_PROMETHEUS_ENDPOINT": remote_write_url,
                "AWS_REGION": region,
                "GOMEMLIMIT": f"{memory * 80 // 100}MiB",
            },
            "value",
        ),
        # The image has no shell and no curl, but this program.
        "healthCheck": _health_check(HealthCheck(command=("CMD", "/healthcheck"), interval=10, start_period=10)),
        "logConfiguration": log,
        "stopTimeout": _COLLECTOR_STOP_SECONDS,
    }
    if restart:
        container["restartPolicy"] = {"enabled": True, "restartAttemptPeriod": _RESTART_PERIOD_SECONDS}
    return container


def sidecar_additions(environment: Mapping[str, str], collector: Container, wait_for: Start) -> Additions:
    """A collector in the same task. ECS stops containers in reverse order, so the application stops first."""
    condition = {"containerName": names.COLLECTOR, "condition": wait_for.name}
    return Additions(environment, (condition,), (collector,))


def instrument(containers: Sequence[Container], application: str, additions: Additions) -> list[Container]:
    """The container definitions of a task with a pattern's additions; `application` names the container observed.

    What the definition sets already wins; `OTEL_RESOURCE_ATTRIBUTES` is merged key by key. Raises ValueError if there
    is no such container, or if a container of an added name is there already.
    """
    present = [container["name"] for container in containers]
    if application not in present:
        raise ValueError(f"no container is named {application!r} (there are {', '.join(present)}); name one of them")
    for added in additions.containers:
        if added["name"] in present:
            raise ValueError(
                f"a container is named {added['name']!r} already; rename it, or do not instrument it twice"
            )
    return [
        *(
            _observed(container, additions) if container["name"] == application else container
            for container in containers
        ),
        *additions.containers,
    ]


def log_configuration(group: str, region: str, stream_prefix: str) -> Container:
    """CloudWatch Logs by awslogs. The mode is explicit because ECS changed its default to non-blocking in 2025."""
    return {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": group,
            "awslogs-region": region,
            "awslogs-stream-prefix": stream_prefix,
            "mode": "non-blocking",
            "max-buffer-size": "25m",
        },
    }


def _observed(container: Container, additions: Additions) -> Container:
    own = {pair["name"]: pair["value"] for pair in container.get("environment", [])}
    secret = {pair["name"] for pair in container.get("secrets", [])}
    merged = {name: value for name, value in additions.environment.items() if name not in secret} | own
    if _RESOURCE_ATTRIBUTES in own and _RESOURCE_ATTRIBUTES in additions.environment:
        ours, theirs = additions.environment[_RESOURCE_ATTRIBUTES], own[_RESOURCE_ATTRIBUTES]
        merged[_RESOURCE_ATTRIBUTES] = _joined(_split(ours) | _split(theirs))
    return container | {
        "environment": _pairs(merged, "value"),
        "dependsOn": [*container.get("dependsOn", []), *(dict(dependency) for dependency in additions.depends_on)],
    }


def _pairs(values: Mapping[str, str], key: str) -> list[dict[str, str]]:
    return [{"name": name, key: values[name]} for name in sorted(values)]


def _joined(attributes: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in attributes.items())


def _split(attributes: str) -> dict[str, str]:
    pairs = (pair.split("=", 1) for pair in attributes.split(",") if "=" in pair)
    return {key.strip(): value.strip() for key, value in pairs}


def _health_check(check: HealthCheck) -> Container:
    return {
        "command": list(check.command),
        "interval": check.interval,
        "timeout": check.timeout,
        "retries": check.retries,
        "startPeriod": check.start_period,
    }
