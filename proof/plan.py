"""What runs in a proof, read from a recording and from what was rendered of it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from documents import catalogue, names, travel
from documents.alerting.inputs import DEFAULTS, Thresholds
from documents.central import Accounts, Central
from documents.collector import scraping
from documents.dashboards.shared import unshared
from documents.objectives import Objectives
from documents.rules.recorded import rate_seconds
from preview import wiring
from preview.recorder import Recording, Resource

Container = Mapping[str, Any]

CONFIGURATION: Final = travel.CONTENT
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0}


_BOARDS: Final = ("dashboards", "central/dashboards")
_RULES: Final = ("rules", "central/rules")


class PlanError(Exception):
    """The rendered documents do not fit together; the text says where."""


@dataclass(frozen=True)
class Service:
    """One ECS service with its task definition. `count` is how many of its tasks run, at least one."""

    name: str
    count: int
    definition: Mapping[str, Any]

    @property
    def family(self) -> str:
        """The family of its task definition."""
        return str(self.definition["family"])

    def container(self, name: str) -> Container | None:
        """The container of that name."""
        containers: Sequence[Container] = self.definition["containerDefinitions"]
        return next((container for container in containers if container["name"] == name), None)

    @property
    def ports(self) -> list[int]:
        """The ports that its tasks are reached at."""
        containers: Sequence[Container] = self.definition["containerDefinitions"]
        return [int(port["containerPort"]) for one in containers for port in one.get("portMappings") or ()]

    @property
    def log_groups(self) -> frozenset[str]:
        """The log groups that its containers write to, by awslogs or by a router; what routers send elsewhere is not
        known here."""
        containers: Sequence[Container] = self.definition["containerDefinitions"]
        return frozenset(filter(None, map(wiring.log_group, containers)))

    @property
    def sidecar(self) -> Container | None:
        """The collector in its tasks, if it has one there."""
        return self.container(names.COLLECTOR)

    @property
    def receiver(self) -> Container | None:
        """The collector that takes what applications send: the front where there is one."""
        return next((one for one in self.collectors if one["name"] == names.FRONT), self.sidecar)

    @property
    def scraped(self) -> bool:
        """Whether somebody scrapes the application: the collector beside it, or the scraper, which goes by labels."""
        own, beside = self.container(self.name) or {}, environment(self.sidecar or {})
        return scraping.PORT_LABEL in own.get("dockerLabels", {}) or scraping.PORT_VARIABLE in beside.get(
            CONFIGURATION, ""
        )

    @property
    def statsd(self) -> bool:
        """Whether the application is told where to send StatsD metrics."""
        return "STATSD_HOST" in environment(self.container(self.name) or {})

    @property
    def collectors(self) -> list[Container]:
        """Every container of its tasks that runs a collector."""
        containers: Sequence[Container] = self.definition["containerDefinitions"]
        return [container for container in containers if wiring.is_collector(container)]


@dataclass(frozen=True)
class Plan:
    """One stack. Applications are in the order of the configuration: each calls the next one."""

    project: str
    stack: str
    region: str
    cluster: str
    applications: tuple[Service, ...]
    collector: Service | None
    documents: Mapping[str, str]
    scrape_seconds: float
    """What the Prometheus data source is told about the time between two samples."""
    container_insights: str
    """The cluster's setting: disabled, enabled or enhanced."""
    out_of_order_seconds: float = 60.0
    """How far behind the newest sample of its series a sample may be."""
    domains: frozenset[str] = frozenset()
    """The private DNS namespaces of the stack."""
    listeners: frozenset[str] = frozenset()
    """`host:port` of everything that an ECS service of the stack answers at, by Cloud Map or Service Connect."""
    scraper: Service | None = None
    objectives: Mapping[str, Objectives] = field(default_factory=dict[str, Objectives])
    """What applications promise, by their names."""
    thresholds: Mapping[str, Thresholds] = field(default_factory=dict[str, Thresholds])
    """Where alerts fire, by the names of applications."""
    central: Central | None = None
    """The account that metrics are written to, if that is another; rules and dashboards are there as well."""

    @property
    def services(self) -> tuple[Service, ...]:
        """Every ECS service."""
        return (*self.applications, *(one for one in (self.collector, self.scraper) if one))

    @cached_property
    def dashboards(self) -> tuple[Mapping[str, Any], ...]:
        """Every rendered dashboard."""
        return tuple(json.loads(text) for folder in _BOARDS for _, text in self._in(folder))

    @cached_property
    def rules(self) -> Mapping[str, str]:
        """Every rendered rule file by its name."""
        return {name: text for folder in _RULES for name, text in self._in(folder)}

    @property
    def shipped_seconds(self) -> float:
        """The time between two samples of one series as deployed: the longest that any document states."""
        stated = [
            _milliseconds(environment(container))
            for service in self.applications
            if (container := service.container(service.name))
        ]
        stated += [
            float(number) * _SECONDS[unit]
            for _, text in self._in("collector")
            for number, unit in re.findall(r"\$\{env:ECS_METRICS_INTERVAL:-([0-9.]+)(ms|s|m)\}", text)
        ]
        return max(stated)

    @property
    def rate_intervals(self) -> float:
        """How many of those times the recorded rates of the stack look back over."""
        return rate_seconds(self.shipped_seconds) / self.shipped_seconds

    def host_of(self, service: str) -> str:
        """The DNS name of an ECS service; nothing if nobody finds it by name."""
        hosts = (listener.rpartition(":")[0] for listener in self.listeners)
        return next((host for host in hosts if host.split(".")[0] == service), "")

    def job(self, service: Service) -> str:
        """The `job` label of an application's series."""
        return f"{self.project}/{service.name}"

    @property
    def collector_job(self) -> str:
        """The `job` label of what collectors say of themselves."""
        return f"{self.project}/{catalogue.COLLECTOR_SERVICE}"

    def _in(self, folder: str) -> list[tuple[str, str]]:
        return [
            (path.removeprefix(f"{folder}/"), self.documents[path])
            for path in sorted(self.documents)
            if path.startswith(f"{folder}/")
        ]


def plan(recording: Recording, documents: Mapping[str, str]) -> Plan:
    """The plan of a recorded stack. Raises PlanError if something that it needs was not rendered."""
    made = next(iter(recording.of_type("aws:ecs/cluster:Cluster")), None)
    prefix = names.Names(recording.project, recording.stack).prefix
    # Dashboards in a Grafana of others have uids of their own there.
    folders = tuple(f"{folder}/" for folder in _BOARDS)
    boards = {path: text for path, text in documents.items() if path.startswith(folders)}
    documents = {path: text for path, text in documents.items() if path not in boards} | {
        unshared(prefix, path): unshared(prefix, text) for path, text in boards.items()
    }
    services = {
        name: Service(name, _count(resource.inputs.get("desiredCount")), _definition(documents, prefix, name))
        for resource in recording.of_type("aws:ecs/service:Service")
        for name in (str(resource.inputs["name"]),)
    }
    configured: Sequence[Mapping[str, Any]] = recording.config.get(f"{recording.project}:applications", ())
    of_stack = _thresholds(recording.config, f"{recording.project}:alerts").over(DEFAULTS)
    order = {str(application["name"]): index for index, application in enumerate(configured)}
    listeners = frozenset(_listeners(recording, services))
    collector, scraper = services.pop(names.COLLECTOR, None), services.pop(names.SCRAPER, None)
    if not services:
        raise PlanError("the stack has no application that load could be sent to")
    ours = [one for one in (collector, scraper) if one]
    _check_configurations((*services.values(), *ours), documents)
    return Plan(
        project=recording.project,
        stack=recording.stack,
        region=recording.region,
        cluster=str(made.inputs["name"] if made else recording.outputs["cluster"]),
        applications=tuple(services[name] for name in sorted(services, key=lambda name: order.get(name, len(order)))),
        collector=collector,
        documents=documents,
        scrape_seconds=_scrape_seconds(recording),
        out_of_order_seconds=_out_of_order_seconds(recording),
        domains=frozenset(_domains(recording).values()),
        listeners=listeners,
        scraper=scraper,
        objectives={
            str(one["name"]): Objectives.model_validate(one["objectives"])
            for one in configured
            if one.get("objectives")
        },
        thresholds={str(one["name"]): _thresholds(one).over(of_stack) for one in configured},
        container_insights=_container_insights(made),
        central=Accounts.model_validate(recording.config.get(f"{recording.project}:accounts") or {}).central,
    )


def _container_insights(cluster: Resource | None) -> str:
    """ECS's setting of the cluster. One that exists already was found to have what the stack needs, or is refused."""
    if cluster is None:
        return "enhanced"
    settings: Sequence[Mapping[str, str]] = cluster.inputs.get("settings", ())
    return next((one["value"] for one in settings if one["name"] == "containerInsights"), "disabled")


def _thresholds(configured: Mapping[str, Any], key: str = "alerts") -> Thresholds:
    """What is said of thresholds under a key."""
    alerts: Mapping[str, Any] = configured.get(key) or {}
    return Thresholds.model_validate(alerts.get("thresholds") or {})


def _domains(recording: Recording) -> dict[str, str]:
    """DNS namespaces by the name of their resource."""
    found = recording.of_type("aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace")
    return {resource.name: str(resource.inputs["name"]) for resource in found}


def _listeners(recording: Recording, services: Mapping[str, Service]) -> Iterator[str]:
    domains = _domains(recording)
    hosts = {
        resource.name: f"{resource.inputs['name']}.{domains.get(_referred(_namespace(resource)), '')}"
        for resource in recording.of_type("aws:servicediscovery/service:Service")
    }
    for resource in recording.of_type("aws:ecs/service:Service"):
        registry: Mapping[str, Any] = resource.inputs.get("serviceRegistries") or {}
        if host := hosts.get(_referred(registry.get("registryArn"))):
            yield from (f"{host}:{port}" for port in services[str(resource.inputs["name"])].ports)
        connect: Mapping[str, Any] = resource.inputs.get("serviceConnectConfiguration") or {}
        for service in connect.get("services") or ():
            yield from (f"{alias['dnsName']}:{int(alias['port'])}" for alias in service.get("clientAlias") or ())


def _namespace(resource: Resource) -> Any:
    """Which namespace a Cloud Map service is in: stated for DNS or for the service itself."""
    dns: Mapping[str, Any] = resource.inputs.get("dnsConfig") or {}
    return dns.get("namespaceId") or resource.inputs.get("namespaceId")


def _referred(reference: Any) -> str:
    """The name of the resource that a placeholder such as `<inventory-name.arn>` stands for an output of."""
    return str(reference).strip("<>").rpartition(".")[0]


def secret_value(variable: str) -> str:
    """What a proof gives a container for a secret; each has its own, so that no two can be mistaken for each other."""
    return f"<secret {variable}>"


def environment(container: Container) -> dict[str, str]:
    """The environment of a container as ECS would set it, but for the values of secrets, which AWS alone knows."""
    plain = {pair["name"]: str(pair["value"]) for pair in container.get("environment", ())}
    return {pair["name"]: secret_value(pair["name"]) for pair in container.get("secrets", ())} | plain


def _count(desired: Any) -> int:
    """How many tasks to run: a service that is scaled to nothing is proved as well, and one that scales has one."""
    return max(1, int(desired)) if isinstance(desired, int | float) else 1


def _definition(documents: Mapping[str, str], prefix: str, service: str) -> Mapping[str, Any]:
    path = f"tasks/{prefix}-{service}.json"
    if path not in documents:
        raise PlanError(f"the ECS service {service!r} has no task definition in {path}")
    definition = json.loads(documents[path])
    definition["containerDefinitions"] = [
        _with_configuration(str(definition["family"]), container, documents)
        for container in definition["containerDefinitions"]
    ]
    return definition


def _with_configuration(family: str, container: Container, documents: Mapping[str, str]) -> Container:
    """A container that reads its configuration from S3 gets the same bytes here without: S3 is ADOT's alone."""
    if travel.source(container) is None:
        return container
    path = wiring.configuration_path(family, str(container["name"]))
    try:
        return travel.carrying(container, documents.get(path, ""))
    except ValueError as error:
        raise PlanError(f"{path} {error}") from None


def _check_configurations(services: Sequence[Service], documents: Mapping[str, str]) -> None:
    """What a collector container gets must be the file that a person reads."""
    for service in services:
        for container in service.collectors:
            path = wiring.configuration_path(service.family, str(container["name"]))
            if environment(container).get(CONFIGURATION) != documents.get(path):
                raise PlanError(f"the {container['name']} of {service.family} does not get what is in {path}")


def _scrape_seconds(recording: Recording) -> float:
    """`timeInterval` of the Prometheus data source; Grafana takes 15 s where it is not set. In a central account it is
    taken to be the stack's, as whoever makes the data source there is told."""
    if recording.of_type(wiring.CENTRAL_ACCOUNT):
        metrics: Mapping[str, Any] = recording.config.get(f"{recording.project}:metrics") or {}
        return float(metrics.get("intervalSeconds", 60))
    for resource in recording.of_type("grafana:oss/dataSource:DataSource"):
        if "prometheus" in str(resource.inputs.get("type")):
            told: Mapping[str, Any] = json.loads(resource.inputs.get("jsonDataEncoded") or "{}")
            found = re.fullmatch(r"([0-9.]+)(ms|s|m)", str(told.get("timeInterval", "15s")))
            return float(found[1]) * _SECONDS[found[2]] if found else 15.0
    return 15.0


def _out_of_order_seconds(recording: Recording) -> float:
    """AMP takes 60 s where it is not set (its User Guide, "Configure your workspace")."""
    configured = recording.of_type("aws:amp/workspaceConfiguration:WorkspaceConfiguration")
    return float(next((one.inputs.get("outOfOrderTimeWindowInSeconds") or 60 for one in configured), 60))


def _milliseconds(variables: Mapping[str, str]) -> float:
    return float(variables.get("OTEL_METRIC_EXPORT_INTERVAL", "60000")) / 1000
