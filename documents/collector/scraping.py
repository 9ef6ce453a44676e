"""Scraping of applications that expose Prometheus metrics: beside a sidecar, or wherever ECS runs them."""

from typing import Any, Final

from documents import catalogue
from documents.catalogue import Label
from documents.collector import labels
from documents.collector.part import Configuration, Part, literal
from documents.collector.sources import LOOPBACK, Source
from documents.origin import Origin
from documents.signals import Scrape

PORT_LABEL: Final = "ECS_PROMETHEUS_EXPORTER_PORT"
PATH_LABEL: Final = "ECS_PROMETHEUS_METRICS_PATH"
"""Docker labels by which a task definition says where a container exposes metrics: the names that AWS's own agents
read (Amazon CloudWatch User Guide, "CloudWatch agent configuration for Prometheus monitoring")."""

PORT_VARIABLE: Final = "APPLICATION_METRICS_PORT"
"""Moves the port that a sidecar scrapes."""

_RECEIVER: Final = "prometheus/application"
_TARGETS: Final = "${env:TARGETS_FILE:-/home/aoc/targets.yaml}"
_DISCOVERY: Final = "${env:DISCOVERY_INTERVAL:-30s}"


def docker_labels(scrape: Scrape) -> dict[str, str]:
    """The labels of the container that exposes metrics."""
    return {PORT_LABEL: str(scrape.port), PATH_LABEL: scrape.path}


def beside(scrape: Scrape, interval_seconds: int, origin: Origin) -> Source:
    """The application in the task of a sidecar; its series belong to that task."""
    target = f"{LOOPBACK}:${{env:{PORT_VARIABLE}:-{scrape.port}}}"
    scraped = {"metrics_path": literal(scrape.path), "static_configs": [{"targets": [target]}]}
    return Source(
        (_RECEIVER,),
        Part(
            receivers={_RECEIVER: _receiver(origin.service, interval_seconds, scraped)},
            processors={
                "filter/scraped": labels.without(catalogue.SCRAPE_METRICS),
                "resource/scraped": labels.of_task(origin.service, origin.attributes),
            },
        ),
        ("resource_detection", "filter/scraped", "resource/scraped"),
    )


def discovered(interval_seconds: int, origin: Origin) -> Source:
    """Every container of the cluster of `origin` that says by its labels that it exposes metrics; its series belong to
    the service and the task that it runs in."""
    observer: Configuration = {
        "cluster_name": origin.cluster,
        "cluster_region": "${env:AWS_REGION}",
        "refresh_interval": _DISCOVERY,
        "result_file": _TARGETS,
        "docker_labels": [{"port_label": PORT_LABEL, "metrics_path_label": PATH_LABEL}],
    }
    scraped = {
        "file_sd_configs": [{"files": [_TARGETS], "refresh_interval": _DISCOVERY}],
        "relabel_configs": _IDENTIFIED,
    }
    whose = {key: value for key, value in origin.attributes.items() if key in _OF_STACK}
    return Source(
        (_RECEIVER,),
        Part(
            extensions={"ecs_observer": observer},
            receivers={_RECEIVER: _receiver("applications", interval_seconds, scraped)},
            processors={
                "filter/scraped": labels.without(catalogue.SCRAPE_METRICS),
                "resource/scraped": {"attributes": labels.insert(whose)},
            },
        ),
        ("filter/scraped", "resource/scraped"),
    )


def _receiver(job: str, interval_seconds: int, scraped: dict[str, Any]) -> Configuration:
    settings = {
        "job_name": job,
        "scrape_interval": f"${{env:SCRAPE_INTERVAL:-{interval_seconds}s}}",
        **scraped,
        "metric_relabel_configs": [{"source_labels": ["__name__"], "regex": "target_info", "action": "drop"}],
    }
    return {"config": {"scrape_configs": [settings]}}


def _from(source: str, regex: str, target: str) -> Configuration:
    """What a group of the expression finds in a label becomes another label."""
    return {"source_labels": [source], "regex": regex, "target_label": target, "replacement": "$$1"}


_GROUP: Final = "__meta_ecs_task_group"
_SOURCE: Final = "__meta_ecs_source"
_DEFINITION: Final = "__meta_ecs_task_definition"

_IDENTIFIED: Final = [
    {"source_labels": [_GROUP], "regex": "service:.+", "action": "keep"},
    _from(_GROUP, "service:(.+)", Label.JOB),
    _from(_SOURCE, ".+/(.+)", Label.INSTANCE),
    _from(_GROUP, "service:(.+)", Label.SERVICE),
    _from(f"{_DEFINITION}_family", "(.+)", Label.FAMILY),
    _from(f"{_DEFINITION}_revision", "(.+)", Label.REVISION),
    _from(_SOURCE, ".+/(.+)", Label.TASK),
]

_OF_STACK: Final = (catalogue.SERVICE_NAMESPACE, "deployment.environment.name", "aws.ecs.cluster.name")
"""What every application of a stack has in common; the rest of an identity is the task's."""
