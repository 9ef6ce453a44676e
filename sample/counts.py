"""Orders counted in the two ways of applications that do not speak OpenTelemetry: a metrics page, and StatsD."""

import socket
from typing import Final

from prometheus_client import CollectorRegistry, Counter, start_http_server

from sample.environment import Settings

SCRAPED: Final = "sample_orders"
"""Prometheus appends `_total`."""
PUSHED: Final = "sample.orders"


class Counts:
    """Counts every answered order wherever the settings say so, and else nowhere."""

    def __init__(self, settings: Settings) -> None:
        self._name = settings.name
        self._statsd = (settings.statsd_host, settings.statsd_port) if settings.statsd_host else None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # Not the default registry: a page with the figures of the process would be a page of another program.
        registry = CollectorRegistry()
        self._page = Counter(SCRAPED, "Answered orders.", ["status"], registry=registry)
        if settings.metrics_port:
            start_http_server(settings.metrics_port, registry=registry)

    def count(self, status: int) -> None:
        """One order was answered with this HTTP status."""
        self._page.labels(str(status)).inc()
        if self._statsd:
            # What is lost on the way is lost: nobody answers.
            self._socket.sendto(f"{PUSHED}:1|c|#application:{self._name},status:{status}".encode(), self._statsd)
