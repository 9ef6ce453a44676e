"""The sidecar pattern: a collector in every task, reached on localhost."""

from dataclasses import dataclass

import pulumi

from components.patterns.instrumentation import Instrumentation, Telemetry
from documents import catalogue, collector, names, policies, ports, receivers, task, tracing, travel
from documents.collector import CollectorInputs
from documents.faults import Fault
from documents.inputs import Collector, Workload, sidecar_fits
from documents.model import PENDING
from documents.origin import Origin
from documents.signals import Scrape
from documents.task import Additions, Container


@dataclass(frozen=True)
class Sidecar:
    """Owns nothing on AWS: everything it is stands in the application's task definition and role."""

    telemetry: Telemetry
    collector: Collector
    region: str

    def faults(self, application: Workload, key: str, /) -> list[Fault]:
        """The collector's share may leave too little to the application, and additions may not fit the collector."""
        origin = Origin(namespace="", environment="", cluster="", service=application.name, family="")
        return [
            *sidecar_fits(application, self.collector, self.telemetry.signals.receivers, key),
            *tracing.faults(self.telemetry.signals.traces, self.telemetry.signals.receivers),
            *tracing.ratio_faults(self.telemetry.signals.traces, application.ratio, key),
            *tracing.sidecar_faults(self.telemetry.signals.traces, application.name),
            *collector.faults(self._configured(origin, application.metrics), self.collector.image),
        ]

    def instrument(
        self, origin: Origin, log: Container, beside: int = travel.FOREIGN, scrape: Scrape | None = None, /
    ) -> Instrumentation:
        """A collector container, and the application's exporter pointed at it."""
        cpu, memory = self.collector.size(catalogue.Pattern.SIDECAR)
        configuration = collector.to_yaml(collector.configuration(self._configured(origin, scrape)))
        environment = {
            **task.telemetry_environment(
                origin, f"http://localhost:{ports.OTLP_HTTP}", self.telemetry.interval_seconds
            ),
            **task.log_exporter(self.telemetry.signals.logs_to_cloudwatch),
            **tracing.sampling(self.telemetry.signals.traces, f"http://localhost:{ports.XRAY}"),
            # Not localhost: UDP to its IPv6 address would be lost without an error.
            **receivers.environment(self.telemetry.signals.receivers, "127.0.0.1"),
        }

        def additions(remote_write_url: str) -> Additions:
            shared = task.CollectorContainer(
                image=self.collector.image,
                region=self.region,
                remote_write_url=remote_write_url,
                essential=self.collector.essential,
                restart=self.collector.restart,
                log=log,
            )
            container = task.collector_container(
                shared,
                name=names.COLLECTOR,
                configuration=configuration,
                cpu=cpu,
                memory=memory,
                health_port=ports.HEALTH,
                secrets=self.telemetry.signals.secrets,
            )
            hold = receivers.hold_seconds(self.telemetry.signals.receivers, self.telemetry.interval_seconds)
            drain = task.drain_container(self.collector.drain_image, log, hold)
            return task.sidecar_additions(environment, container, drain, self.collector.wait_for)

        kept = self.telemetry.configurations.keep(origin.family, additions(PENDING).containers, beside)
        return Instrumentation(
            additions=pulumi.Output.all(self.telemetry.remote_write_url, kept.addresses).apply(
                lambda known: task.from_s3(additions(known[0]), known[1])
            ),
            statements=pulumi.Output.all(
                self.telemetry.workspace_arn, kept.statements, self.telemetry.log_group_arns
            ).apply(
                lambda known: [
                    *policies.telemetry_write(known[0], self.telemetry.signals.traces, self.telemetry.signals.central),
                    *policies.sampling_rules(self.telemetry.signals.receivers),
                    *known[1],
                    *policies.write_log_groups(known[2]),
                ]
            ),
            images=(self.collector.image, self.collector.drain_image),
            secrets=tuple(self.telemetry.signals.secrets.values()),
        )

    def _configured(self, origin: Origin, scrape: Scrape | None) -> CollectorInputs:
        return CollectorInputs(
            pattern=catalogue.Pattern.SIDECAR,
            origin=origin,
            memory=self.collector.size(catalogue.Pattern.SIDECAR)[1],
            queue=self.collector.queue,
            interval_seconds=self.telemetry.interval_seconds,
            signals=self.telemetry.signals,
            scrape=scrape,
        )
