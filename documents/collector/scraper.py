"""The configuration of the one collector that scrapes applications in the service pattern."""

from documents import catalogue, ports
from documents.collector import destinations, labels, scraping, sources
from documents.collector.buffer import STORAGE_PART, Signal
from documents.collector.part import Configuration, Part, merged
from documents.collector.pipelines import CollectorInputs, Flow, document, health, memory_limiter

_TELEMETRY_PORT = sources.telemetry_port("TELEMETRY_PORT", ports.TELEMETRY)


def scraper(inputs: CollectorInputs) -> Configuration:
    """It finds applications by asking ECS, and takes nothing that is sent. The user's additions, which extend what
    others send to, are not for it."""
    own_ports = {catalogue.COLLECTOR_SERVICE: _TELEMETRY_PORT}
    flows = [
        Flow(
            Signal.METRICS,
            "application",
            [scraping.discovered(inputs.interval_seconds, inputs.origin)],
            ("resource/labels",),
            [destinations.amp("application", destinations.WITH_SUFFIXES, inputs.queue)],
        ),
        Flow(
            Signal.METRICS,
            "collector",
            [sources.own_telemetry(inputs.interval_seconds, inputs.origin.attributes, own_ports)],
            ("resource/labels",),
            [destinations.amp("collector", destinations.WITH_SUFFIXES, inputs.queue)],
            limited=False,
        ),
    ]
    shared = Part(
        processors={
            "memory_limiter": memory_limiter(inputs.memory),
            "resource_detection": labels.detected(),
            "resource/labels": labels.allow_list(),
        }
    )
    parts = [
        health("HEALTH_CHECK_ENDPOINT", ports.HEALTH),
        destinations.SIGV4_PART,
        STORAGE_PART,
        shared,
        *(flow.part for flow in flows),
    ]
    return document(merged(parts), sources.telemetry(_TELEMETRY_PORT))
