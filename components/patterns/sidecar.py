"""The sidecar pattern: a collector in every task, reached on localhost."""

from dataclasses import dataclass

from components.patterns.instrumentation import Instrumentation, Telemetry
from documents import catalogue, collector, policies, task
from documents.faults import Fault
from documents.inputs import Application, Collector, sidecar_fits
from documents.task import Additions, Container, Origin


@dataclass(frozen=True)
class Sidecar:
    """Owns nothing on AWS: everything it is stands in the application's task definition and role."""

    telemetry: Telemetry
    collector: Collector
    region: str

    def faults(self, application: Application, key: str, /) -> list[Fault]:
        """The collector's share may leave too little to the application."""
        return sidecar_fits(application, self.collector, key)

    def instrument(self, origin: Origin, log: Container, /) -> Instrumentation:
        """A collector container, and the application's exporter pointed at it."""
        cpu, memory = self.collector.size(catalogue.Pattern.SIDECAR)
        configuration = collector.to_yaml(
            collector.configuration(
                collector.CollectorInputs(
                    pattern=catalogue.Pattern.SIDECAR,
                    namespace=origin.namespace,
                    environment=origin.environment,
                    memory=memory,
                    interval_seconds=self.telemetry.interval_seconds,
                )
            )
        )
        environment = task.telemetry_environment(
            origin, f"http://localhost:{collector.OTLP_HTTP_PORT}", self.telemetry.interval_seconds
        )

        def additions(remote_write_url: str) -> Additions:
            container = task.collector_container(
                image=self.collector.image,
                configuration=configuration,
                cpu=cpu,
                memory=memory,
                region=self.region,
                remote_write_url=remote_write_url,
                essential=self.collector.essential,
                restart=self.collector.restart,
                log=log,
            )
            return task.sidecar_additions(environment, container, self.collector.wait_for)

        return Instrumentation(
            additions=self.telemetry.remote_write_url.apply(additions),
            statements=self.telemetry.workspace_arn.apply(policies.telemetry_write),
            images=(self.collector.image,),
        )
