"""Scraping: what a sidecar and the scraper ask, and whose series that makes."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from documents import adot
from documents.catalogue import Pattern
from documents.collector import configuration, scraper, to_yaml
from documents.collector.scraping import docker_labels
from documents.signals import Scrape
from tests.documents.collector.made import inputs

NO_TARGET_INFO = [{"source_labels": ["__name__"], "regex": "target_info", "action": "drop"}]
FILTER = {
    "error_mode": "ignore",
    "metric_conditions": [
        'IsMatch(metric.name, "^(scrape_duration_seconds|scrape_samples_scraped'
        '|scrape_samples_post_metric_relabeling|scrape_series_added)$")'
    ],
}


def test_a_sidecar_scrapes_its_own_application() -> None:
    made = configuration(replace(inputs(Pattern.SIDECAR), scrape=Scrape(port=9464, path="/a$b")))
    assert made["receivers"]["prometheus/application"] == {
        "config": {
            "scrape_configs": [
                {
                    "job_name": "orders",
                    "scrape_interval": "${env:SCRAPE_INTERVAL:-60s}",
                    "metrics_path": "/a$$b",
                    "static_configs": [{"targets": ["127.0.0.1:${env:APPLICATION_METRICS_PORT:-9464}"]}],
                    "metric_relabel_configs": NO_TARGET_INFO,
                }
            ]
        }
    }
    assert made["processors"]["filter/scraped"] == FILTER
    assert made["processors"]["resource/scraped"]["attributes"][:2] == [
        {"key": "service.name", "value": "orders", "action": "upsert"},
        {"key": "service.instance.id", "from_attribute": "aws.ecs.task.id", "action": "upsert"},
    ]
    pipelines = made["service"]["pipelines"]
    assert pipelines["metrics/scraped"] == {
        "receivers": ["prometheus/application"],
        "processors": [
            "memory_limiter",
            "resource_detection",
            "filter/scraped",
            "resource/scraped",
            "resource/labels",
        ],
        "exporters": pipelines["metrics/application"]["exporters"],
    }


def test_nobody_scrapes_an_application_that_exposes_nothing() -> None:
    made = configuration(inputs(Pattern.SIDECAR))
    assert "prometheus/application" not in made["receivers"]


def _made() -> dict[str, Any]:
    return scraper(inputs(Pattern.SERVICE))


def test_the_scraper_asks_ecs_where_applications_are() -> None:
    made = _made()
    assert made["extensions"]["ecs_observer"] == {
        "cluster_name": "shop-dev",
        "cluster_region": "${env:AWS_REGION}",
        "refresh_interval": "${env:DISCOVERY_INTERVAL:-30s}",
        "result_file": "${env:TARGETS_FILE:-/home/aoc/targets.yaml}",
        "docker_labels": [
            {"port_label": "ECS_PROMETHEUS_EXPORTER_PORT", "metrics_path_label": "ECS_PROMETHEUS_METRICS_PATH"}
        ],
    }
    [scraped] = made["receivers"]["prometheus/application"]["config"]["scrape_configs"]
    assert scraped["file_sd_configs"] == [
        {
            "files": ["${env:TARGETS_FILE:-/home/aoc/targets.yaml}"],
            "refresh_interval": "${env:DISCOVERY_INTERVAL:-30s}",
        }
    ]
    assert scraped["metric_relabel_configs"] == NO_TARGET_INFO
    assert "honor_labels" not in scraped


def test_the_scraper_gives_the_labels_that_a_sidecar_gives() -> None:
    made = _made()
    [scraped] = made["receivers"]["prometheus/application"]["config"]["scrape_configs"]
    kept, *labels = scraped["relabel_configs"]
    assert kept == {"source_labels": ["__meta_ecs_task_group"], "regex": "service:.+", "action": "keep"}
    assert {one["target_label"]: (one["source_labels"], one["regex"], one["replacement"]) for one in labels} == {
        "job": (["__meta_ecs_task_group"], "service:(.+)", "$$1"),
        "instance": (["__meta_ecs_source"], ".+/(.+)", "$$1"),
        "aws_ecs_service_name": (["__meta_ecs_task_group"], "service:(.+)", "$$1"),
        "aws_ecs_task_family": (["__meta_ecs_task_definition_family"], "(.+)", "$$1"),
        "aws_ecs_task_revision": (["__meta_ecs_task_definition_revision"], "(.+)", "$$1"),
        "aws_ecs_task_id": (["__meta_ecs_source"], ".+/(.+)", "$$1"),
    }
    assert made["processors"]["resource/scraped"] == {
        "attributes": [
            {"key": "service.namespace", "value": "shop", "action": "insert"},
            {"key": "deployment.environment.name", "value": "dev", "action": "insert"},
            {"key": "aws.ecs.cluster.name", "value": "shop-dev", "action": "insert"},
        ]
    }


def test_the_scraper_takes_nothing_and_writes_metrics_only() -> None:
    made = _made()
    assert set(made["receivers"]) == {
        "prometheus/application", "otlp/application", "prometheus/collector", "otlp/collector"
    }  # fmt: skip
    assert set(made["service"]["pipelines"]) == {
        "metrics/application", "metrics/buffered-application", "metrics/collector", "metrics/buffered-collector"
    }  # fmt: skip
    assert adot.unknown_components(made) == []
    assert "# A filter by service would lose the old tasks during each deployment." in to_yaml(made)


def test_labels_say_where_a_container_exposes_metrics() -> None:
    assert docker_labels(Scrape(port=9464)) == {
        "ECS_PROMETHEUS_EXPORTER_PORT": "9464",
        "ECS_PROMETHEUS_METRICS_PATH": "/metrics",
    }


@pytest.mark.parametrize("path", ["metrics", "", "/a b", "/metrics?format=prometheus", "/metrics#top", "/a\x00"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(ValidationError, match="is not the path of a URL"):
        Scrape(port=9464, path=path)


@pytest.mark.parametrize("port", [0, 65536, True])
def test_what_is_no_port(port: int) -> None:
    with pytest.raises(ValidationError):
        Scrape(port=port)
