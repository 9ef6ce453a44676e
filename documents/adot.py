"""Releases of the AWS Distro for OpenTelemetry (ADOT) Collector, and the components that each has.

A configuration that names another component does not start, so an image is accepted only with a release listed here.
Source: `pkg/defaultcomponents` of aws-observability/aws-otel-collector at the release's tag. ADOT has no connectors.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from documents.faults import wrong


@dataclass(frozen=True)
class Release:
    """Component types of one release, by section of the configuration."""

    extensions: frozenset[str]
    receivers: frozenset[str]
    processors: frozenset[str]
    exporters: frozenset[str]


RELEASES: Final[Mapping[str, Release]] = {
    "v0.49.0": Release(
        extensions=frozenset(
            {"awsproxy", "ecs_observer", "health_check", "pprof", "sigv4auth", "zpages", "file_storage"}
        ),
        receivers=frozenset(
            {
                "awsecscontainermetrics", "awscontainerinsightreceiver", "awsxray", "statsd", "prometheus", "kafka",
                "jaeger", "zipkin", "otlp", "file_log",
            }
        ),
        processors=frozenset(
            {
                "groupbytrace", "tail_sampling", "attributes", "resource", "probabilistic_sampler", "span", "filter",
                "metrics_transform", "resource_detection", "metricsgeneration", "cumulativetodelta",
                "deltatorate", "batch", "memory_limiter", "k8s_attributes",
            }
        ),
        exporters=frozenset(
            {
                "awsemf", "prometheus_remote_write", "prometheus", "file", "kafka", "debug", "otlp_grpc", "otlp_http",
                "awsxray", "load_balancing", "awscloudwatchlogs",
            }
        ),
    )
}  # fmt: skip

SECTIONS: Final = ("extensions", "receivers", "processors", "exporters", "connectors")
"""Sections of a configuration that define components."""

VERSION: Final = "v0.49.0"
IMAGE: Final = f"public.ecr.aws/aws-observability/aws-otel-collector:{VERSION}"


def release_of(image: str) -> str | None:
    """The tag of an image, which names the release; a digest may follow it."""
    match = re.search(r":([^:/@]+)(?:@|$)", image)
    return match[1] if match else None


def check_image(image: str) -> None:
    """Raise unless the image's tag is a release whose components are known."""
    if release_of(image) not in RELEASES:
        raise wrong(
            "is not a release of the ADOT Collector whose components are known",
            f"use a tag of {', '.join(RELEASES)} (a mirror is fine, a digest may follow the tag)",
        )


def components(section: str, version: str) -> frozenset[str]:
    """The types that a release has for a section of the configuration."""
    return getattr(RELEASES[version], section, frozenset[str]())


def unknown_components(configuration: Mapping[str, Any], version: str = VERSION) -> list[str]:
    """`section.name` of each component of a collector configuration that the release lacks."""
    return [
        f"{section}.{name}"
        for section in SECTIONS
        for name in configuration.get(section, {})
        if name.split("/")[0] not in components(section, version)
    ]
