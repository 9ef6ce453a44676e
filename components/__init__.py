"""Pulumi components: they place documents on AWS and decide nothing that a document could."""

from components.alerting import Alerting, AlertingArgs
from components.application import Application, ApplicationArgs
from components.cluster import Cluster, ClusterArgs
from components.configurations import Configurations
from components.events import TaskEvents, TaskEventsArgs
from components.fargate import Place
from components.grafana import Grafana, GrafanaArgs
from components.image import Image, ImageArgs
from components.metrics import Metrics, MetricsArgs
from components.network import Network, NetworkArgs
from components.patterns import (
    CollectorService,
    CollectorServiceArgs,
    Instrumentation,
    Pattern,
    Scraper,
    ScraperArgs,
    Sidecar,
    Telemetry,
    instrument,
)
from components.sampling import Sampling, SamplingArgs
from components.site import Site
from components.trace_alerts import TraceAlertsArgs

__all__ = [
    "Alerting",
    "AlertingArgs",
    "Application",
    "ApplicationArgs",
    "Cluster",
    "ClusterArgs",
    "CollectorService",
    "CollectorServiceArgs",
    "Configurations",
    "Grafana",
    "GrafanaArgs",
    "Image",
    "ImageArgs",
    "Instrumentation",
    "Metrics",
    "MetricsArgs",
    "Network",
    "NetworkArgs",
    "Pattern",
    "Place",
    "Sampling",
    "SamplingArgs",
    "Scraper",
    "ScraperArgs",
    "Sidecar",
    "Site",
    "TaskEvents",
    "TaskEventsArgs",
    "Telemetry",
    "TraceAlertsArgs",
    "instrument",
]
