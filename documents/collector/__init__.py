"""Configurations of the OpenTelemetry Collector: what it receives, what becomes of it, and where it goes."""

from documents.collector.comments import to_yaml
from documents.collector.pipelines import CollectorInputs, configuration, faults, front
from documents.collector.scraper import scraper

__all__ = ["CollectorInputs", "configuration", "faults", "front", "scraper", "to_yaml"]
