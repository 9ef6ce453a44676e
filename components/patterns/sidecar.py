"""The sidecar pattern: a collector in every task, reached on localhost."""

from dataclasses import dataclass

import pulumi

from components.patterns.instrumentation import Instrumentation, Telemetry
from documents import policies, task, tracing, travel
from documents.collecting import Collecting
from documents.faults import Fault
from documents.inputs import Collector, Workload, sidecar_fits
from documents.model import PENDING
from documents.origin import Origin
from documents.signals import Scrape
from documents.task import Container


@dataclass(frozen=True)
class Sidecar:
    """Owns nothing on AWS: everything it is stands in the application's task definition and role."""

    telemetry: Telemetry
    collector: Collector
    region: str

    def faults(self, application: Workload, key: str, /) -> list[Fault]:
        """The collector's share may leave too little to the application, and additions may not fit the collector."""
        signals = self.telemetry.signals
        return [
            *sidecar_fits(application, self.collector, signals.receivers, key),
            *tracing.ratio_faults(signals.traces, application.ratio, key),
            *self._collecting.sidecar_faults(application.name, application.metrics),
        ]

    def instrument(
        self, origin: Origin, log: Container, beside: int = travel.FOREIGN, scrape: Scrape | None = None, /
    ) -> Instrumentation:
        """A collector container, and the application's exporter pointed at it."""
        telemetry, collecting = self.telemetry, self._collecting
        draft = collecting.sidecar(origin, log, PENDING, scrape)
        kept = telemetry.configurations.keep(origin.family, draft.containers, beside)
        return Instrumentation(
            additions=pulumi.Output.all(telemetry.remote_write_url, kept.addresses).apply(
                lambda known: task.from_s3(collecting.sidecar(origin, log, known[0], scrape), known[1])
            ),
            statements=pulumi.Output.all(telemetry.workspace_arn, kept.statements, telemetry.log_group_arns).apply(
                lambda known: [
                    *collecting.sidecar_writes(known[0]),
                    *known[1],
                    *policies.write_log_groups(known[2]),
                ]
            ),
            images=(self.collector.image, self.collector.drain_image),
            secrets=tuple(telemetry.signals.secrets.values()),
        )

    @property
    def _collecting(self) -> Collecting:
        return Collecting(self.region, self.collector, self.telemetry.interval_seconds, self.telemetry.signals)
