"""Pulumi components: they place documents on AWS and decide nothing that a document could."""

from components.alerting import Alerting, AlertingArgs
from components.application import Application, ApplicationArgs
from components.central import CentralAccount, CentralAccountArgs, WriterRole, WriterRoleArgs
from components.cluster import Cluster, ClusterArgs
from components.composition import Eventual, compose
from components.configurations import Configurations
from components.encryption import encrypted, key_policy
from components.environment import Environment
from components.events import TaskEvents, TaskEventsArgs
from components.existing import Found, look_up
from components.fargate import Place
from components.grafana import Grafana, GrafanaArgs, grafana_role_policy
from components.image import Image, ImageArgs
from components.instances import Ground
from components.instrumented import InstrumentedContainers
from components.load_balancer import (
    ApplicationLoadBalancer,
    ApplicationLoadBalancerArgs,
    Balancer,
    Entrance,
    shared_balancer,
)
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
from components.protection import protect_data
from components.sampling import Sampling, SamplingArgs
from components.site import Site
from components.tasks import Schedules, Task, TaskArgs, schedules
from components.trace_alerts import TraceAlertsArgs

__all__ = [
    "Alerting",
    "AlertingArgs",
    "Application",
    "ApplicationArgs",
    "ApplicationLoadBalancer",
    "ApplicationLoadBalancerArgs",
    "Balancer",
    "CentralAccount",
    "CentralAccountArgs",
    "Cluster",
    "ClusterArgs",
    "CollectorService",
    "CollectorServiceArgs",
    "Configurations",
    "Entrance",
    "Environment",
    "Eventual",
    "Found",
    "Grafana",
    "GrafanaArgs",
    "Ground",
    "Image",
    "ImageArgs",
    "Instrumentation",
    "InstrumentedContainers",
    "Metrics",
    "MetricsArgs",
    "Network",
    "NetworkArgs",
    "Pattern",
    "Place",
    "Sampling",
    "SamplingArgs",
    "Schedules",
    "Scraper",
    "ScraperArgs",
    "Sidecar",
    "Site",
    "Task",
    "TaskArgs",
    "TaskEvents",
    "TaskEventsArgs",
    "Telemetry",
    "TraceAlertsArgs",
    "WriterRole",
    "WriterRoleArgs",
    "compose",
    "encrypted",
    "grafana_role_policy",
    "instrument",
    "key_policy",
    "look_up",
    "protect_data",
    "schedules",
    "shared_balancer",
]
