"""One observed environment on Amazon ECS: the stack's settings, the components they ask for, what it exports."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pulumi

import settings as stack_settings
from components import (
    Alerting,
    Application,
    ApplicationArgs,
    CentralAccount,
    Cluster,
    CollectorService,
    Entrance,
    Grafana,
    Ground,
    Image,
    Metrics,
    Network,
    Pattern,
    Place,
    Sampling,
    Scraper,
    ScraperArgs,
    Sidecar,
    Site,
    Task,
    TaskArgs,
    TaskEvents,
    TraceAlertsArgs,
    WriterRole,
    encrypted,
    grafana_role_policy,
    key_policy,
    look_up,
    schedules,
    shared_balancer,
)
from documents import catalogue
from documents.alerting.alerts import TRACE_FAULTS
from documents.faults import ConfigurationError
from documents.names import COLLECTOR, SCRAPER, Names

names = Names(pulumi.get_project(), pulumi.get_stack())
region = pulumi.Config("aws").require("region")
try:
    settings, imports = stack_settings.load(
        stack_settings.program_config(), names, Path(__file__).parent, stack_settings.encrypted_keys()
    )
    # Rules look for series of the cluster, whosever it is.
    names = replace(names, shared_cluster=settings.existing.cluster_name)
    rules = stack_settings.rules_of(settings, names, region)
except ConfigurationError as error:
    raise pulumi.RunError(f"stack {names.stack!r} cannot be deployed:\n{error}") from None
for warning in stack_settings.warnings(settings):
    pulumi.log.warn(warning)

site = encrypted(
    Site.here(names, region, settings.tags, settings.identity, settings.logs.retention_days), settings.encryption
)
found = look_up(
    site, settings.existing, insights=catalogue.Pattern.SERVICE in settings.patterns, central=settings.accounts.central
)
own_rules = rules if settings.owns_rules else {}
metrics = Metrics("metrics", {"site": site, "metrics": settings.metrics, "rules": own_rules, "existing": found.metrics})
network = Network(
    "network",
    {
        "site": site,
        "network": settings.network,
        "uses": stack_settings.uses(settings),
        "workspace_arn": metrics.workspace_arn,
    },
)
cluster = Cluster(
    "cluster",
    {
        "site": site,
        "vpc_id": network.vpc_id,
        "container_insights": stack_settings.container_insights(settings),
        "existing": found.cluster,
        "capacity_providers": stack_settings.capacity_providers(settings),
        "ec2": settings.ec2,
        "ground": Ground(network.vpc_id, network.subnet_ids, network.worn),
    },
)
place = Place(site, cluster, network.vpc_id, network.subnet_ids, network.public_addresses, network.worn)

TaskEvents("events", {"site": site, "cluster_arn": cluster.arn})
observed = stack_settings.observed(settings, names, region)
alerting = Alerting(
    "alerting",
    {
        "site": site,
        "observed": observed,
        "workspace_id": metrics.workspace_id,
        "workspace_arn": None if settings.accounts.central else metrics.workspace_arn,
        "subscriptions": settings.alerts.subscriptions,
        "defines": settings.owns_rules,
    },
)

telemetry = metrics.telemetry(settings.signals)
patterns: dict[catalogue.Pattern, Pattern] = {}
sidecar = Sidecar(telemetry, settings.collector, region)
if catalogue.Pattern.SIDECAR in settings.patterns:
    patterns[catalogue.Pattern.SIDECAR] = sidecar
if catalogue.Pattern.SERVICE in settings.patterns:
    needs: ScraperArgs = {"place": place, "telemetry": telemetry, "collector": settings.collector}
    scraper = Scraper(SCRAPER, needs) if settings.scraped else None
    collector = CollectorService(COLLECTOR, {**needs, "scraper": scraper})
    patterns[catalogue.Pattern.SERVICE] = collector
    pulumi.export("collectorAddress", collector.address)

if settings.traces.rules:
    Sampling("sampling", {"site": site, "rules": settings.traces.rules})


def image_of(workload: stack_settings.StackApplication | stack_settings.StackTask) -> tuple[pulumi.Input[str], Any]:
    """The image of what the user runs, and the ARN of its repository where the stack builds it."""
    if not isinstance(workload.image, stack_settings.Build):
        return workload.image, None
    built = Image(
        workload.name,
        {"site": site, "name": workload.name, "path": workload.image.build, "architecture": workload.architecture},
    )
    return built.reference, built.repository_arn


balancer = shared_balancer("traffic", site, network, settings.load_balancer)
needed_policies: dict[str, Mapping[str, pulumi.Output[str]]] = {}
entrances: dict[str, Entrance | None] = {}
# Whoever gets a share of another's requests comes after it.
for wanted in sorted(settings.applications, key=lambda one: one.shares is not None):
    image, repository_arn = image_of(wanted)
    # Its keys are those of the model, which the component checks again as it does for every other language.
    args = {
        "place": place,
        "pattern": patterns[settings.pattern_of(wanted)],
        "repository_arn": repository_arn,
        "load_balancer": balancer,
        "beside": entrances.get(wanted.shares) if wanted.shares else None,
        **stack_settings.asked_of(wanted),
        "image": image,
    }
    application = Application(wanted.name, cast(ApplicationArgs, args))
    entrances[wanted.name] = application.entrance
    needed_policies[wanted.name] = application.needed_policies

scheduled = schedules("schedules", site) if any(one.schedule for one in settings.tasks) else None
commands: dict[str, pulumi.Output[str]] = {}
for wanted in settings.tasks:
    image, repository_arn = image_of(wanted)
    args = {
        "place": place,
        "pattern": sidecar,
        "schedules": scheduled,
        "repository_arn": repository_arn,
        **stack_settings.asked_of(wanted),
        "image": image,
    }
    run = Task(wanted.name, cast(TaskArgs, args))
    commands[wanted.name], needed_policies[wanted.name] = run.run_command, run.needed_policies
if commands:
    pulumi.export("runTask", commands)
if scheduled:
    pulumi.export("deadLetters", scheduled.dead_letters.url)

if any(needed_policies.values()):
    pulumi.export("rolePolicies", {name: needed for name, needed in needed_policies.items() if needed})

if settings.accounts.central:
    # Grafana of that account has the data sources that a stack's own has.
    shown = stack_settings.dashboards_of(settings, names, region, imports)
    central = CentralAccount(
        "central",
        {
            "site": site,
            "central": settings.accounts.central,
            "traces": settings.traces,
            "task_roles": stack_settings.existing_task_roles(settings),
            "rules": rules,
            "dashboards": shown,
        },
    )
    pulumi.export("centralRole", central.role)
if settings.accounts.writers:
    writer = WriterRole(
        "writers", {"site": site, "writers": settings.accounts.writers, "workspace_arn": metrics.workspace_arn}
    )
    pulumi.export("writerRole", writer.arn)
    pulumi.export("workspaceArn", metrics.workspace_arn)

pulumi.export("cluster", cluster.name)
if site.key_arn:
    pulumi.export("encryptionKeyPolicy", key_policy(site))
if balancer and balancer.address:
    pulumi.export("loadBalancerDnsName", balancer.address.dns_name)
pulumi.export("services", [wanted.name for wanted in settings.applications])
pulumi.export("metricsQueryUrl", metrics.query_url)
pulumi.export("metricsRemoteWriteUrl", metrics.remote_write_url)
pulumi.export("alertTopics", {severity.value: arn for severity, arn in alerting.topic_arns.items()})
if settings.grafana.enabled:
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
            "dashboards": stack_settings.dashboards_of(settings, names, region, imports),
            "trace_alerts": trace_alerts if settings.alerts.traces else None,
            "log_groups": observed.foreign_log_groups,
            "existing": found.grafana,
        },
    )
    pulumi.export("grafanaUrl", grafana.url)
    if found.grafana:
        pulumi.export("grafanaRolePolicy", grafana_role_policy(site, metrics, observed.foreign_log_groups))
    pulumi.export("dashboardUrls", grafana.dashboard_urls)
