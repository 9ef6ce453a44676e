"""One observed environment on Amazon ECS: the stack's settings, the components they ask for, what it exports."""

from pathlib import Path
from typing import cast

import pulumi

import settings as stack_settings
from components import (
    Alerting,
    Application,
    ApplicationArgs,
    Cluster,
    CollectorService,
    Grafana,
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
    TaskEvents,
    TraceAlertsArgs,
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
    rules = stack_settings.rules_of(settings, names, region)
except ConfigurationError as error:
    raise pulumi.RunError(f"stack {names.stack!r} cannot be deployed:\n{error}") from None
for warning in stack_settings.warnings(settings):
    pulumi.log.warn(warning)

site = Site.here(names, region, settings.tags, settings.identity, settings.logs.retention_days)
network = Network("network", {"site": site, "network": settings.network})
cluster = Cluster(
    "cluster",
    {"site": site, "vpc_id": network.vpc_id, "container_insights": stack_settings.container_insights(settings)},
)
place = Place(site, cluster, network.vpc_id, network.subnet_ids)
metrics = Metrics("metrics", {"site": site, "metrics": settings.metrics, "rules": rules})

TaskEvents("events", {"site": site, "cluster_arn": cluster.arn})
observed = stack_settings.observed(settings, names, region)
alerting = Alerting(
    "alerting",
    {
        "site": site,
        "observed": observed,
        "workspace_id": metrics.workspace_id,
        "workspace_arn": metrics.workspace_arn,
        "subscriptions": settings.alerts.subscriptions,
    },
)

telemetry = metrics.telemetry(settings.signals)
patterns: dict[catalogue.Pattern, Pattern] = {}
if catalogue.Pattern.SIDECAR in settings.patterns:
    patterns[catalogue.Pattern.SIDECAR] = Sidecar(telemetry, settings.collector, region)
if catalogue.Pattern.SERVICE in settings.patterns:
    needs: ScraperArgs = {"place": place, "telemetry": telemetry, "collector": settings.collector}
    scraper = Scraper(SCRAPER, needs) if settings.scraped else None
    collector = CollectorService(COLLECTOR, {**needs, "scraper": scraper})
    patterns[catalogue.Pattern.SERVICE] = collector
    pulumi.export("collectorAddress", collector.address)

if settings.traces.rules:
    Sampling("sampling", {"site": site, "rules": settings.traces.rules})

for wanted in settings.applications:
    image, repository_arn = wanted.image, None
    if isinstance(image, stack_settings.Build):
        built = Image(
            wanted.name,
            {"site": site, "name": wanted.name, "path": image.build, "architecture": wanted.architecture},
        )
        image, repository_arn = built.reference, built.repository_arn
    # Its keys are those of the model, which the component checks again as it does for every other language.
    args = {
        "place": place,
        "pattern": patterns[settings.pattern_of(wanted)],
        "repository_arn": repository_arn,
        **stack_settings.asked_of(wanted),
        "image": image,
    }
    Application(wanted.name, cast(ApplicationArgs, args))

pulumi.export("cluster", cluster.name)
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
        },
    )
    pulumi.export("grafanaUrl", grafana.url)
    pulumi.export("dashboardUrls", grafana.dashboard_urls)
