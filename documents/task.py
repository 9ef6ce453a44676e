"""ECS container definitions, in the camelCase form of the ECS API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from documents import containers, drain, logs, names, tracing, travel
from documents.inputs import Application, Architecture, HealthCheck, Start, Workload
from documents.instrumentation import FOLDER, AutoInstrumentation, Extended
from documents.origin import Origin

Container = travel.Container

LONGEST_STOP_SECONDS: Final = 120
"""ECS waits so long between SIGTERM and SIGKILL; 120 s is its maximum and leaves the queues time to drain."""

_RETRY_THROTTLED: Final = "--feature-gates=exporter.prometheusremotewritexporter.RetryOn429"
"""Without it an AMP that asks for less (429) loses the samples at once."""

_RESTART_PERIOD_SECONDS: Final = 60
"""A container that exits sooner than this after its start is not restarted; 60 s is ECS's minimum."""

_RESOURCE_ATTRIBUTES: Final = "OTEL_RESOURCE_ATTRIBUTES"


@dataclass(frozen=True)
class Additions:
    """What is added to one task definition: to its application container, and beside it. `ports` are those of the
    application that others must be able to find in the definition; `extended` are variables of its environment that
    hold what it says itself as well; `volumes` are names of volumes that the definition must have, empty at first."""

    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    depends_on: Sequence[Mapping[str, str]] = ()
    containers: Sequence[Container] = ()
    docker_labels: Mapping[str, str] = field(default_factory=dict[str, str])
    ports: Sequence[int] = ()
    extended: Mapping[str, Extended] = field(default_factory=dict[str, Extended])
    mount_points: Sequence[Mapping[str, Any]] = ()
    volumes: Sequence[str] = ()


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


def log_exporter(collected: bool) -> dict[str, str]:
    """Where SDKs send logs. Many send them to the collector unless they are told otherwise, and a collector that does
    not take them answers each with an error."""
    return {"OTEL_LOGS_EXPORTER": "otlp" if collected else "none"}


def application_container(application: Workload, log: Container) -> Container:
    """The user's container as the user described it, without telemetry; one that serves nobody has no ports."""
    serves = isinstance(application, Application)
    own: Mapping[str, str] = {} if application.ratio is None else tracing.by_ratio(application.ratio)
    chosen = [*application.environment, *application.secrets]
    container: Container = {
        "name": application.name,
        "image": application.image,
        "essential": True,
        "portMappings": [_served(application)] if serves else [],
        "environment": _pairs(tracing.unless_chosen(own, chosen) | dict(application.environment), "value"),
        "secrets": _pairs(application.secrets, "valueFrom"),
        "logConfiguration": log,
        **containers.definition(application.container, application.volumes, sessions=application.exec),
    }
    if application.command:
        container["command"] = list(application.command)
    if serves and application.health_check:
        container["healthCheck"] = _health_check(application.health_check)
    return container


@dataclass(frozen=True)
class CollectorContainer:
    """What every container that runs a collector needs: image, what goes wrong with it, where its logs go."""

    image: str
    region: str
    remote_write_url: str
    essential: bool
    restart: bool
    log: Container


def collector_container(
    shared: CollectorContainer,
    *,
    name: str,
    configuration: str,
    cpu: int,
    memory: int,
    health_port: int,
    ports: Sequence[Mapping[str, Any]] = (),
    secrets: Mapping[str, str] | None = None,
) -> Container:
    """A container that runs a collector. `cpu` in CPU units, `memory` in MiB; `secrets` are ARNs by variable."""
    container: Container = {
        "name": name,
        "image": shared.image,
        "command": [_RETRY_THROTTLED],
        "essential": shared.essential,
        "cpu": cpu,
        # The hard limit: a collector that grows is stopped, not the application beside it.
        "memory": memory,
        "portMappings": [dict(port) for port in ports],
        "environment": _pairs(
            {
                travel.CONTENT: configuration,
                "AWS_PROMETHEUS_ENDPOINT": shared.remote_write_url,
                "AWS_REGION": shared.region,
                "GOMEMLIMIT": f"{memory * 80 // 100}MiB",
            },
            "value",
        ),
        # The image has no shell and no curl, but this program.
        "healthCheck": _health_check(
            HealthCheck(command=("CMD", "/healthcheck", "-port", str(health_port)), interval=10, start_period=10)
        ),
        "logConfiguration": shared.log,
        "stopTimeout": LONGEST_STOP_SECONDS,
    }
    if secrets:
        container["secrets"] = _pairs(secrets, "valueFrom")
    if shared.restart:
        container["restartPolicy"] = {"enabled": True, "restartAttemptPeriod": _RESTART_PERIOD_SECONDS}
    return container


def drain_container(image: str, log: Container, hold_seconds: int = 0) -> Container:
    """The companion that ECS stops after everything that sends to a collector and before the collector itself.
    For `hold_seconds` after that, traces may still wait for a decision, or come from elsewhere."""
    held = {"environment": _pairs({drain.HOLD: str(hold_seconds)}, "value")} if hold_seconds else {}
    return held | {
        "name": names.DRAIN,
        "image": image,
        "command": ["sh", "-c", drain.SCRIPT],
        # Telemetry is not worth a task: without it the collector stops at once, as it would anyway.
        "essential": False,
        "cpu": 0,
        "memory": drain.MEMORY,
        "dependsOn": [_started(names.COLLECTOR)],
        "logConfiguration": log,
        "stopTimeout": LONGEST_STOP_SECONDS,
    }


def sidecar_additions(
    environment: Mapping[str, str], collector: Container, drained: Container, wait_for: Start
) -> Additions:
    """A collector in the same task. ECS stops containers in reverse order of their dependencies: the application first,
    then `drained` when the queues are empty, and the collector last."""
    conditions = ({"containerName": names.COLLECTOR, "condition": wait_for.name}, _started(names.DRAIN))
    return Additions(environment, conditions, (drained, collector))


def agent_additions(wanted: AutoInstrumentation, architecture: Architecture, log: Container) -> Additions:
    """The agent that instruments an application from outside, and the container that copies it before it starts."""
    mounted = {"sourceVolume": names.AGENT, "containerPath": FOLDER}
    copying: Container = {
        "name": names.AGENT,
        "image": wanted.source,
        "command": list(wanted.agent.copy),
        # It ends, and with an essential container its task would.
        "essential": False,
        "cpu": 0,
        "mountPoints": [mounted | {"readOnly": False}],
        "logConfiguration": log,
    }
    return Additions(
        environment=wanted.agent.environment(architecture),
        depends_on=({"containerName": names.AGENT, "condition": "SUCCESS"},),
        containers=(copying,),
        extended=wanted.agent.extended,
        mount_points=(mounted | {"readOnly": True},),
        volumes=(names.AGENT,),
    )


def router_additions(wanted: logs.FireLens, log: Container) -> Additions:
    """The router of an application's lines, which is there before the first of them and after the last."""
    return Additions(depends_on=(_started(names.LOG_ROUTER),), containers=(logs.router(wanted, log),))


def from_s3(additions: Additions, addresses: Mapping[str, str]) -> Additions:
    """The same additions, where the collectors in `addresses` read their configuration there."""
    return replace(additions, containers=travel.moved(additions.containers, addresses))


def service_shares(cpu: int, memory: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """CPU units and MiB of the front and of the collector behind it, in a task of this size.

    The front only passes on; the collector batches, signs and waits.
    """
    left = memory - drain.MEMORY
    front = cpu // 3, left * 3 // 10
    return front, (cpu - front[0], left - front[1])


def service_containers(front: Container, drained: Container, collector: Container) -> list[Container]:
    """The task of a collector service: nobody sends any more once the front has stopped, so the queues can drain."""
    return [front | {"dependsOn": [_started(names.DRAIN)]}, drained, collector]


def instrument(containers: Sequence[Container], application: str, additions: Additions) -> list[Container]:
    """The container definitions of a task with a pattern's or an agent's additions; `application` names the container
    observed.

    What the definition sets already wins; `OTEL_RESOURCE_ATTRIBUTES` is merged key by key, and what loads an agent
    stands beside what the definition has in that variable. Raises ValueError if there is no such container, if a
    container of an added name is there already, if such a variable is a secret, or if all is too large for ECS.
    """
    present = [container["name"] for container in containers]
    if application not in present:
        raise ValueError(f"no container is named {application!r} (there are {', '.join(present)}); name one of them")
    for added in additions.containers:
        if added["name"] in present:
            raise ValueError(
                f"a container is named {added['name']!r} already; rename it, or do not instrument it twice"
            )
    return travel.checked(
        [
            *(
                _observed(container, additions) if container["name"] == application else container
                for container in containers
            ),
            *additions.containers,
        ]
    )


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
    if hidden := sorted(secret.intersection(additions.extended)):
        raise ValueError(
            f"{', '.join(hidden)} is a secret, and must hold what loads the agent as well; give it as environment"
        )
    ours = tracing.unless_chosen(additions.environment, {*own, *secret})
    merged = {name: value for name, value in ours.items() if name not in secret} | own
    if _RESOURCE_ATTRIBUTES in own and _RESOURCE_ATTRIBUTES in additions.environment:
        attributes = _split(ours[_RESOURCE_ATTRIBUTES]) | _split(own[_RESOURCE_ATTRIBUTES])
        merged[_RESOURCE_ATTRIBUTES] = _joined(attributes)
    merged |= {name: extended.around(own.get(name, "")) for name, extended in additions.extended.items()}
    mapped = container.get("portMappings", [])
    unmapped = [port for port in additions.ports if port not in {one.get("containerPort") for one in mapped}]
    found = {
        "portMappings": [*mapped, *map(_port_mapping, unmapped)],
        "dockerLabels": {**additions.docker_labels, **container.get("dockerLabels", {})},
        "mountPoints": [*container.get("mountPoints", []), *(dict(point) for point in additions.mount_points)],
    }
    return (
        container
        | {key: value for key, value in found.items() if value}
        | {
            "environment": _pairs(merged, "value"),
            "dependsOn": [*container.get("dependsOn", []), *(dict(dependency) for dependency in additions.depends_on)],
        }
    )


def _served(application: Application) -> dict[str, Any]:
    connect = application.service_connect
    return _port_mapping(application.port) | (connect.port_mapping if connect else {})


def _port_mapping(port: int) -> dict[str, Any]:
    return {"containerPort": port, "hostPort": port, "protocol": "tcp"}


def _pairs(values: Mapping[str, str], key: str) -> list[dict[str, str]]:
    return [{"name": name, key: values[name]} for name in sorted(values)]


def _joined(attributes: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in attributes.items())


def _split(attributes: str) -> dict[str, str]:
    pairs = (pair.split("=", 1) for pair in attributes.split(",") if "=" in pair)
    return {key.strip(): value.strip() for key, value in pairs}


def _started(container: str) -> dict[str, str]:
    return {"containerName": container, "condition": Start.START.name}


def _health_check(check: HealthCheck) -> Container:
    return {
        "command": list(check.command),
        "interval": check.interval,
        "timeout": check.timeout,
        "retries": check.retries,
        "startPeriod": check.start_period,
    }
