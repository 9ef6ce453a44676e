"""The scraper of the service pattern: one collector that asks applications for their metrics."""

from typing import TypedDict

import pulumi

from components import fargate
from components.fargate import Place
from components.instances import finds_instances
from components.patterns.collectors import collectors_task, placed_faults, shared
from components.patterns.instrumentation import Telemetry
from documents import catalogue, collector, drain, names, policies, ports, task
from documents.faults import ConfigurationError
from documents.inputs import Collector, service_fits
from documents.policies import Statement
from documents.task import Container


class ScraperArgs(TypedDict):
    """What the scraper needs."""

    place: Place
    telemetry: Telemetry
    collector: Collector


class Scraper(pulumi.ComponentResource):
    """An ECS service of one task, also while it is deployed: two that scrape would write the same series.

    Applications admit `security_group_id` to the ports at which they expose metrics.
    Raises `documents.faults.ConfigurationError` if there is no such task where it is to run.
    """

    security_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: ScraperArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place, settings, telemetry = args["place"], args["collector"], args["telemetry"]
        if faults := [*service_fits(settings, "collector"), *placed_faults(place, settings)]:
            raise ConfigurationError(faults)
        super().__init__("ecs-observability:index:Scraper", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        definition, granted = collectors_task(
            name,
            place,
            service=names.SCRAPER,
            settings=settings,
            telemetry=telemetry,
            containers=lambda remote_write_url: _containers(place, settings, telemetry, remote_write_url),
            does=_does(place, telemetry),
            opts=child,
        )
        self.security_group_id = fargate.security_group(
            f"{name}-tasks",
            place,
            service=names.SCRAPER,
            ports=[],
            clients=place.cluster.applications_group_id,
            opts=child,
        )
        fargate.service(
            f"{name}-service",
            place,
            service_name=names.SCRAPER,
            task_definition_arn=definition.arn,
            desired_count=1,
            security_group_ids=[self.security_group_id],
            rollout=fargate.ONE_AT_A_TIME,
            strategy=place.cluster.strategy(settings.compute),
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=granted)),
        )
        self.register_outputs({"securityGroupId": self.security_group_id})


def _does(place: Place, telemetry: Telemetry) -> pulumi.Output[list[Statement]]:
    scraping = pulumi.Output.all(telemetry.workspace_arn, place.cluster.arn, fargate.tasks_arn(place)).apply(
        lambda known: policies.scrape(known[0], known[1], known[2], telemetry.signals.central)
    )
    if not place.cluster.capacity and not place.site.names.shared_cluster:
        return scraping
    # It asks ECS for every task of the cluster, and for the instance of each that is on one: refused, it finds none.
    return pulumi.Output.all(scraping, finds_instances(place.site, place.cluster.arn)).apply(
        lambda known: [*known[0], *known[1]]
    )


def _containers(place: Place, settings: Collector, telemetry: Telemetry, remote_write_url: str) -> list[Container]:
    site = place.site
    cpu, memory = settings.size(catalogue.Pattern.SERVICE)
    memory -= drain.MEMORY
    configuration = collector.scraper(
        collector.CollectorInputs(
            pattern=catalogue.Pattern.SERVICE,
            origin=site.origin(names.SCRAPER),
            memory=memory,
            queue=settings.queue,
            interval_seconds=telemetry.interval_seconds,
            signals=telemetry.signals,
        )
    )
    common = shared(place, names.SCRAPER, settings, remote_write_url)
    container = task.collector_container(
        common,
        name=names.COLLECTOR,
        configuration=collector.to_yaml(configuration),
        cpu=cpu,
        memory=memory,
        health_port=ports.HEALTH,
    )
    return [task.drain_container(settings.drain_image, common.log), container]
