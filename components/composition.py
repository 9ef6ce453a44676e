"""One observed environment on Amazon ECS: every component that its settings ask for, and what a stack exports of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pulumi

from components.alerting import Alerting
from components.application import Application, ApplicationArgs
from components.central import CentralAccount, WriterRole, WriterRoleArgs
from components.cluster import Cluster
from components.encryption import encrypted, key_policy
from components.events import TaskEvents
from components.existing import Found, look_up
from components.fargate import Place
from components.grafana import Grafana, grafana_role_policy
from components.image import Image
from components.instances import Ground
from components.load_balancer import Balancer, Entrance, shared_balancer
from components.metrics import Metrics
from components.network import Network
from components.patterns import CollectorService, Pattern, Scraper, ScraperArgs, Sidecar, keep_logs
from components.sampling import Sampling
from components.site import Site
from components.tasks import Task, TaskArgs, schedules
from components.trace_alerts import TraceAlertsArgs
from documents import catalogue
from documents import environment as stack
from documents.alerting.alerts import TRACE_FAULTS
from documents.dashboards import Dashboard
from documents.environment import Build, Settings, StackApplication, StackTask
from documents.inputs import Discovery
from documents.names import COLLECTOR, SCRAPER, Names

Outputs = dict[str, pulumi.Input[Any]]
"""What a stack exports, by name."""

Eventual = Mapping[str, Mapping[str, pulumi.Input[Any]]]
"""What other resources give of applications and tasks: by name of the workload, by key of its model."""


_Needed = dict[str, Mapping[str, pulumi.Output[str]]]
"""What existing roles still have to be given, by workload and use of the role."""


@dataclass(frozen=True)
class _Asked:
    """What is asked for, and where it goes."""

    settings: Settings
    site: Site
    imports: tuple[Dashboard, ...]
    eventual: Eventual = field(default_factory=dict[str, Mapping[str, Any]])

    @property
    def dashboards(self) -> tuple[Dashboard, ...]:
        return stack.dashboards_of(self.settings, self.site.names, self.site.region, self.imports)

    def args_of(self, workload: StackApplication | StackTask) -> dict[str, Any]:
        """Its keys as the component takes them, which checks them again when all of them are known."""
        image, repository_arn = self._image_of(workload)
        eventual = self.eventual.get(workload.name, {})
        return {
            "repository_arn": repository_arn,
            **stack.asked_of(workload),
            "image": image,
            **eventual,
        }

    def _image_of(self, workload: StackApplication | StackTask) -> tuple[pulumi.Input[str], Any]:
        """The image of what the user runs, and the ARN of its repository where the stack builds it."""
        if not isinstance(workload.image, Build):
            return workload.image, None
        built = Image(
            workload.name,
            {
                "site": self.site,
                "name": workload.name,
                "path": workload.image.build,
                "architecture": workload.architecture,
            },
            self.site.opts,
        )
        return built.reference, built.repository_arn


@dataclass(frozen=True)
class _Patterns:
    """A sidecar is only what it adds to a task; a collector service is there or not."""

    sidecar: Sidecar
    service: CollectorService | None

    def of(self, chosen: catalogue.Pattern) -> Pattern:
        return self.service if self.service and chosen is catalogue.Pattern.SERVICE else self.sidecar


def compose(
    names: Names,
    region: str,
    settings: Settings,
    imports: Iterable[Dashboard] = (),
    *,
    eventual: Eventual | None = None,
    parent: pulumi.Resource | None = None,
) -> Outputs:
    """Registers all of it, below `parent` if there is one. `settings` are sound (`documents.environment.read`);
    `imports` are dashboards besides ours. Names on AWS come from `names`, so that there is one of it in a stack.

    Raises `documents.faults.ConfigurationError` with what AWS would refuse, before anything is registered.
    """
    # Rules look for series of the cluster, whosever it is.
    names = replace(names, shared_cluster=settings.existing.cluster_name)
    rules = stack.rules_of(settings, names, region)
    for warning in stack.warnings(settings):
        pulumi.log.warn(warning, parent)
    site = encrypted(
        Site.here(names, region, settings.tags, settings.identity, settings.logs.retention_days, parent=parent),
        settings.encryption,
    )
    asked = _Asked(settings, site, tuple(imports), eventual or {})
    found = look_up(
        site,
        settings.existing,
        insights=catalogue.Pattern.SERVICE in settings.patterns,
        central=settings.accounts.central,
    )
    own_rules = rules if settings.owns_rules else {}
    metrics = Metrics(
        "metrics",
        {"site": site, "metrics": settings.metrics, "rules": own_rules, "existing": found.metrics},
        site.opts,
    )
    network = Network(
        "network",
        {
            "site": site,
            "network": settings.network,
            "uses": stack.uses(settings),
            "workspace_arn": metrics.workspace_arn,
        },
        site.opts,
    )
    place = _place(asked, found, network)
    TaskEvents("events", {"site": site, "cluster_arn": place.cluster.arn}, site.opts)
    alerting = _alerting(asked, metrics)
    outputs: Outputs = {}
    patterns = _patterns(asked, place, metrics, outputs)
    if settings.traces.rules:
        Sampling("sampling", {"site": site, "rules": settings.traces.rules}, site.opts)
    balancer = shared_balancer("traffic", site, network, settings.load_balancer)
    needed = _applications(asked, place, patterns, balancer) | _tasks(asked, place, patterns.sidecar, outputs)
    if any(needed.values()):
        outputs["rolePolicies"] = {name: policies for name, policies in needed.items() if policies}
    _accounts(asked, metrics, rules, outputs)
    if site.key_arn:
        outputs["encryptionKeyPolicy"] = key_policy(site)
    if balancer and balancer.address:
        outputs["loadBalancerDnsName"] = balancer.address.dns_name
    if settings.grafana.enabled:
        _grafana(asked, found, metrics, alerting, outputs)
    return outputs | {
        "cluster": place.cluster.name,
        "services": [wanted.name for wanted in settings.applications],
        "metricsQueryUrl": metrics.query_url,
        "metricsRemoteWriteUrl": metrics.remote_write_url,
        "workspaceArn": metrics.workspace_arn,
        "alertTopics": {severity.value: arn for severity, arn in alerting.topic_arns.items()},
    }


def _place(asked: _Asked, found: Found, network: Network) -> Place:
    """The cluster in its network."""
    settings, site = asked.settings, asked.site
    cluster = Cluster(
        "cluster",
        {
            "site": site,
            "vpc_id": network.vpc_id,
            "container_insights": stack.container_insights(settings),
            "existing": found.cluster,
            "capacity_providers": stack.capacity_providers(settings),
            "ec2": settings.ec2,
            "ground": Ground(network.vpc_id, network.subnet_ids, network.worn),
        },
        site.opts,
    )
    return Place(site, cluster, network.vpc_id, network.subnet_ids, network.public_addresses, network.worn)


def _alerting(asked: _Asked, metrics: Metrics) -> Alerting:
    settings, site = asked.settings, asked.site
    return Alerting(
        "alerting",
        {
            "site": site,
            "observed": stack.observed(settings, site.names, site.region),
            "workspace_id": metrics.workspace_id,
            "workspace_arn": None if settings.accounts.central else metrics.workspace_arn,
            "subscriptions": settings.alerts.subscriptions,
            "defines": settings.owns_rules,
        },
        site.opts,
    )


def _patterns(asked: _Asked, place: Place, metrics: Metrics, outputs: Outputs) -> _Patterns:
    """The patterns that the environment has."""
    settings, site = asked.settings, asked.site
    telemetry = metrics.telemetry(settings.signals)
    sidecar = Sidecar(telemetry, settings.collector, site.region)
    needs: ScraperArgs = {"place": place, "telemetry": telemetry, "collector": settings.collector}
    scraper = collector = None
    if settings.scraped:
        scraper = Scraper(SCRAPER, needs, site.opts)
    elif any(one.metrics for one in settings.applications):
        keep_logs(Scraper, SCRAPER, place)
    if catalogue.Pattern.SERVICE in settings.patterns:
        collector = CollectorService(COLLECTOR, {**needs, "scraper": scraper}, site.opts)
        outputs |= _of_collectors(place, settings, collector, scraper)
    else:
        keep_logs(CollectorService, COLLECTOR, place)
    return _Patterns(sidecar, collector)


def _of_collectors(place: Place, settings: Settings, collector: CollectorService, scraper: Scraper | None) -> Outputs:
    """What services that are made elsewhere have to know of the collectors."""
    told: Outputs = {
        "collectorAddress": collector.address,
        "collectorClientsGroupId": collector.clients_group_id,
    }
    if scraper:
        told["scraperGroupId"] = scraper.security_group_id
    if settings.collector.discovery is Discovery.SERVICE_CONNECT:
        told["serviceConnectNamespace"] = place.cluster.namespace_arn
    return told


def _applications(asked: _Asked, place: Place, patterns: _Patterns, balancer: Balancer | None) -> _Needed:
    needed: _Needed = {}
    entrances: dict[str, Entrance | None] = {}
    # Whoever gets a share of another's requests comes after it.
    for wanted in sorted(asked.settings.applications, key=lambda one: one.shares is not None):
        args = {
            "place": place,
            "pattern": patterns.of(asked.settings.pattern_of(wanted)),
            "load_balancer": balancer,
            "beside": entrances.get(wanted.shares) if wanted.shares else None,
            **asked.args_of(wanted),
        }
        application = Application(wanted.name, cast(ApplicationArgs, args), asked.site.opts)
        entrances[wanted.name] = application.entrance
        needed[wanted.name] = application.needed_policies
    return needed


def _tasks(asked: _Asked, place: Place, sidecar: Sidecar, outputs: Outputs) -> _Needed:
    settings, site = asked.settings, asked.site
    scheduled = schedules("schedules", site) if any(one.schedule for one in settings.tasks) else None
    needed: _Needed = {}
    commands: dict[str, pulumi.Output[str]] = {}
    for wanted in settings.tasks:
        args = {"place": place, "pattern": sidecar, "schedules": scheduled, **asked.args_of(wanted)}
        run = Task(wanted.name, cast(TaskArgs, args), site.opts)
        commands[wanted.name], needed[wanted.name] = run.run_command, run.needed_policies
    if commands:
        outputs["runTask"] = commands
    if scheduled:
        outputs["deadLetters"] = scheduled.dead_letters.url
    return needed


def _accounts(asked: _Asked, metrics: Metrics, rules: Mapping[str, str], outputs: Outputs) -> None:
    """What stands in another account, or is for another's."""
    settings, site = asked.settings, asked.site
    if settings.accounts.central:
        central = CentralAccount(
            "central",
            {
                "site": site,
                "central": settings.accounts.central,
                "traces": settings.traces,
                "task_roles": stack.existing_task_roles(settings),
                "rules": rules,
                # Grafana of that account has the data sources that a stack's own has.
                "dashboards": asked.dashboards,
            },
            site.opts,
        )
        outputs["centralRole"] = central.role
    if settings.accounts.writers:
        writers: WriterRoleArgs = {
            "site": site,
            "writers": settings.accounts.writers,
            "workspace_arn": metrics.workspace_arn,
        }
        outputs["writerRole"] = WriterRole("writers", writers, site.opts).arn


def _grafana(asked: _Asked, found: Found, metrics: Metrics, alerting: Alerting, outputs: Outputs) -> None:
    settings, site = asked.settings, asked.site
    observed = stack.observed(settings, site.names, site.region)
    trace_alerts: TraceAlertsArgs = {
        "observed": observed,
        "topic_arn": alerting.topic_arns[TRACE_FAULTS.severity],
        "key_arn": alerting.key_arn,
    }
    grafana = Grafana(
        "grafana",
        {
            "site": site,
            "settings": settings.grafana,
            "metrics": metrics,
            "interval_seconds": settings.metrics.interval_seconds,
            "dashboards": asked.dashboards,
            "trace_alerts": trace_alerts if settings.alerts.traces else None,
            "log_groups": observed.foreign_log_groups,
            "existing": found.grafana,
        },
        site.opts,
    )
    outputs["grafanaUrl"] = grafana.url
    outputs["dashboardUrls"] = grafana.dashboard_urls
    if found.grafana:
        outputs["grafanaRolePolicy"] = grafana_role_policy(site, metrics, observed.foreign_log_groups)
