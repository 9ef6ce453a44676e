"""Deployment patterns of the collector: one file each, all answering the same question with an `Instrumentation`."""

from components.patterns.collectors import keep_logs
from components.patterns.instrumentation import Instrumentation, Pattern, Telemetry, instrument
from components.patterns.scraper import Scraper, ScraperArgs
from components.patterns.service import CollectorService, CollectorServiceArgs
from components.patterns.sidecar import Sidecar

__all__ = [
    "CollectorService",
    "CollectorServiceArgs",
    "Instrumentation",
    "Pattern",
    "Scraper",
    "ScraperArgs",
    "Sidecar",
    "Telemetry",
    "instrument",
    "keep_logs",
]
