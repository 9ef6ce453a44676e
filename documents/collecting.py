"""What the collectors of one stack add to an application's task, in each pattern; nothing here has to be placed."""

from dataclasses import dataclass

from documents import catalogue, collector, names, policies, ports, receivers, task, tracing
from documents.collector import CollectorInputs, scraping
from documents.faults import Fault
from documents.inputs import Collector
from documents.origin import Origin
from documents.policies import Statement
from documents.signals import Scrape, Signals
from documents.task import Additions, Container


@dataclass(frozen=True)
class Collecting:
    """Collectors that run in `region`, write metrics every `interval_seconds`, and take and send `signals`."""

    region: str
    collector: Collector
    interval_seconds: int
    signals: Signals

    def sidecar(self, origin: Origin, log: Container, remote_write_url: str, scrape: Scrape | None = None) -> Additions:
        """A collector container and its drain, and the application's exporter pointed at it. `log` is their log
        configuration, `scrape` where the application exposes metrics."""
        cpu, memory = self.collector.size(catalogue.Pattern.SIDECAR)
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
            configuration=collector.to_yaml(collector.configuration(self._beside(origin, scrape))),
            cpu=cpu,
            memory=memory,
            health_port=ports.HEALTH,
            secrets=self.signals.secrets,
        )
        hold = receivers.hold_seconds(self.signals.receivers, self.interval_seconds)
        drain = task.drain_container(self.collector.drain_image, log, hold)
        # Not localhost for receivers: UDP to its IPv6 address would be lost without an error.
        environment = self._environment(origin, "localhost", "127.0.0.1")
        return task.sidecar_additions(environment, container, drain, self.collector.wait_for)

    def client(self, origin: Origin, host: str, scrape: Scrape | None = None) -> Additions:
        """The address of a collector service, and labels by which a scraper finds the application; no container."""
        labels = scraping.docker_labels(scrape) if scrape else {}
        environment = self._environment(origin, host, host)
        return Additions(environment, docker_labels=labels, ports=[scrape.port] if scrape else [])

    def sidecar_writes(self, workspace_arn: str) -> list[Statement]:
        """What the task role needs for a collector beside the application, wherever its configuration comes from."""
        return [
            *policies.telemetry_write(workspace_arn, self.signals.traces, self.signals.central),
            *policies.sampling_rules(self.signals.receivers),
        ]

    def sidecar_faults(self, application: str, scrape: Scrape | None) -> list[Fault]:
        """Why there can be no such collector beside an application of this name."""
        origin = Origin(namespace="", environment="", cluster="", service=application, family="")
        return [
            *tracing.faults(self.signals.traces, self.signals.receivers),
            *tracing.sidecar_faults(self.signals.traces, application),
            *collector.faults(self._beside(origin, scrape), self.collector.image),
        ]

    def _environment(self, origin: Origin, host: str, receiving: str) -> dict[str, str]:
        return {
            **task.telemetry_environment(origin, f"http://{host}:{ports.OTLP_HTTP}", self.interval_seconds),
            **task.log_exporter(self.signals.logs_to_cloudwatch),
            **tracing.sampling(self.signals.traces, f"http://{host}:{ports.XRAY}"),
            **receivers.environment(self.signals.receivers, receiving),
        }

    def _beside(self, origin: Origin, scrape: Scrape | None) -> CollectorInputs:
        return CollectorInputs(
            pattern=catalogue.Pattern.SIDECAR,
            origin=origin,
            memory=self.collector.size(catalogue.Pattern.SIDECAR)[1],
            queue=self.collector.queue,
            interval_seconds=self.interval_seconds,
            signals=self.signals,
            scrape=scrape,
        )
