"""The configuration of the one collector that scrapes applications in the service pattern."""

from documents import catalogue, ports
from documents.collector import destinations, labels, scraping, sources
from documents.collector.buffer import STORAGE_PART, Signal
from documents.collector.flow import Flow, document, health, memory_limiter
from documents.collector.part import Configuration, Part, merged
from documents.collector.pipelines import CollectorInputs, of_collectors


def scraper(inputs: CollectorInputs) -> Configuration:
    """It finds applications by asking ECS, and takes nothing that is sent. The user's additions, which extend what
    others send to, are not for it."""
    discovered = Flow(
        Signal.METRICS,
        "application",
        [scraping.discovered(inputs.interval_seconds, inputs.origin)],
        ("resource/labels",),
        [destinations.amp("application", destinations.WITH_SUFFIXES, inputs.queue)],
    )
    own = of_collectors(inputs, {catalogue.COLLECTOR_SERVICE: sources.TELEMETRY_PORT})
    shared = Part(processors={"resource_detection": labels.detected(), "resource/labels": labels.allow_list()})
    parts = [
        health("HEALTH_CHECK_ENDPOINT", ports.HEALTH),
        destinations.signer(inputs.signals.central),
        STORAGE_PART,
        memory_limiter(inputs.memory),
        shared,
        discovered.part,
        own.part,
    ]
    return document(merged(parts), sources.telemetry(sources.TELEMETRY_PORT))
