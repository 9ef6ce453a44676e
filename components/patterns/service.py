"""The service pattern: the collector as an ECS service of its own, found by name."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import fargate
from components.fargate import Place
from components.patterns.collectors import collectors_task, placed_faults, shared
from components.patterns.instrumentation import Instrumentation, Telemetry
from components.patterns.scraper import Scraper
from components.scaling import ignored, scale
from components.site import Site
from documents import catalogue, collector, names, policies, ports, receivers, scaling, task, tracing
from documents.collecting import Collecting
from documents.collector import sampling
from documents.faults import ConfigurationError, Fault
from documents.inputs import Collector, Discovery, Workload
from documents.origin import Origin
from documents.ports import Port, Protocol
from documents.signals import Receiver, Scrape
from documents.task import Container


class CollectorServiceArgs(TypedDict):
    """What the collector's service needs; a `scraper` if applications that it observes expose metrics."""

    place: Place
    telemetry: Telemetry
    collector: Collector
    scraper: NotRequired[Scraper | None]


class CollectorService(pulumi.ComponentResource):
    """Collector tasks behind one address, with a role, a log group and security groups of their own.

    Who wears `clients_group_id` may send telemetry; the collector never needs to know its clients.
    Raises `documents.faults.ConfigurationError` if the collectors could not start.
    """

    address: pulumi.Output[str]
    clients_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: CollectorServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place, settings, self._telemetry = args["place"], args["collector"], args["telemetry"]
        site = place.site
        by_name = settings.discovery is Discovery.CLOUD_MAP
        signals = self._telemetry.signals
        if faults := [
            *tracing.faults(signals.traces, signals.receivers),
            *tracing.service_faults(signals.traces, by_name=by_name),
            *receivers.service_faults(signals.receivers, by_name=by_name),
            *scaling.collector_faults(settings.scaling, tail=signals.traces.tail is not None, key="collector"),
            *collector.faults(self._configured(site, settings), settings.image),
            *placed_faults(place, settings),
        ]:
            raise ConfigurationError(faults)
        super().__init__("ecs-observability:index:CollectorService", name, None, opts)
        opened = (*ports.OTLP, *ports.opened(signals.receivers))
        self._scraper = args.get("scraper")
        child = pulumi.ResourceOptions(parent=self)
        clients = aws.ec2.SecurityGroup(
            f"{name}-clients",
            name_prefix=f"{site.names.prefix}-collector-clients-",
            description="Worn by tasks that may send telemetry to the collector",
            vpc_id=place.vpc_id,
            tags=site.named(f"{site.names.prefix}-collector-clients"),
            opts=child,
        )
        group = fargate.security_group(
            f"{name}-tasks",
            place,
            service=names.COLLECTOR,
            ports=_numbers(opened, Protocol.TCP),
            udp_ports=_numbers(opened, Protocol.UDP),
            clients=clients.id,
            peer_ports=[ports.BEHIND_FRONT] if signals.traces.tail else [],
            opts=child,
        )
        definition, granted = self._task_definition(name, place, settings, child)
        registry = fargate.registry(f"{name}-name", place, names.COLLECTOR, child) if by_name else None
        self._namespace_arn = None if by_name else place.cluster.namespace_arn
        self._service = fargate.service(
            f"{name}-service",
            place,
            service_name=names.COLLECTOR,
            task_definition_arn=definition.arn,
            desired_count=settings.initial_tasks,
            security_group_ids=[group],
            service_registries={"registry_arn": registry.arn} if registry else None,
            service_connect=None if by_name else _served(place, opened),
            strategy=place.cluster.strategy(settings.compute),
            opts=pulumi.ResourceOptions.merge(
                child, pulumi.ResourceOptions(depends_on=granted, ignore_changes=ignored(settings.scaling))
            ),
        )
        if settings.scaling:
            scale(name, place, self._service, settings.scaling, opts=child)
        self._host = site.names.address(names.COLLECTOR)
        self._collecting = Collecting(site.region, settings, self._telemetry.interval_seconds, signals)
        self.address = pulumi.Output.from_input(f"http://{self._host}:{ports.OTLP_HTTP}")
        self.clients_group_id = clients.id
        self.register_outputs({"address": self.address, "clientsGroupId": self.clients_group_id})

    def faults(self, application: Workload, key: str, /) -> list[Fault]:
        """An application of any kind can send to an address, but not decide what X-Ray's rules decide, nor be scraped
        by nobody."""
        found = tracing.ratio_faults(self._telemetry.signals.traces, application.ratio, key)
        if application.metrics and self._scraper is None:
            remedy = "give the collector service a Scraper, or leave it out"
            found.append(
                Fault(f"{key}.metrics", "is asked for by nobody: this collector service has no scraper", remedy)
            )
        return found

    def instrument(
        self, origin: Origin, _log: Container, _beside: int = 0, scrape: Scrape | None = None, /
    ) -> Instrumentation:
        """The collector's address, the group that lets the task in, and labels by which a scraper finds it; no
        container, no permission."""
        additions = self._collecting.client(origin, self._host, scrape)
        return Instrumentation(
            # Given as it is, its fields would be looked at as inputs.
            additions=pulumi.Output.from_input(0).apply(lambda _: additions),
            security_group_ids=(self.clients_group_id,),
            service_connect={"enabled": True, "namespace": self._namespace_arn} if self._namespace_arn else None,
            # Service Connect shows a client only the servers that were there before it.
            depends_on=(self._service,),
            scraper_group_id=self._scraper.security_group_id if scrape and self._scraper else None,
        )

    def _task_definition(
        self, name: str, place: Place, settings: Collector, child: pulumi.ResourceOptions
    ) -> tuple[aws.ecs.TaskDefinition, list[pulumi.Resource]]:
        telemetry = self._telemetry
        return collectors_task(
            name,
            place,
            service=names.COLLECTOR,
            settings=settings,
            telemetry=telemetry,
            containers=lambda remote_write_url: self._containers(place, settings, remote_write_url),
            does=pulumi.Output.all(telemetry.workspace_arn, telemetry.log_group_arns).apply(
                lambda known: [*self._statements(place.site, known[0]), *policies.write_log_groups(known[1])]
            ),
            secrets=[*telemetry.signals.secrets.values()],
            opts=child,
        )

    def _statements(self, site: Site, workspace_arn: str) -> list[policies.Statement]:
        traces = self._telemetry.signals.traces
        peers = policies.find_peers(site.names.namespace, names.COLLECTOR) if traces.tail else []
        rules = policies.sampling_rules(self._telemetry.signals.receivers)
        return [*policies.telemetry_write(workspace_arn, traces, self._telemetry.signals.central), *rules, *peers]

    def _configured(self, site: Site, settings: Collector) -> collector.CollectorInputs:
        _, behind = task.service_shares(*settings.size(catalogue.Pattern.SERVICE))
        return collector.CollectorInputs(
            pattern=catalogue.Pattern.SERVICE,
            origin=site.origin(names.COLLECTOR),
            memory=behind[1],
            queue=settings.queue,
            interval_seconds=self._telemetry.interval_seconds,
            signals=self._telemetry.signals,
        )

    def _containers(self, place: Place, settings: Collector, remote_write_url: str) -> list[Container]:
        site = place.site
        front, behind = task.service_shares(*settings.size(catalogue.Pattern.SERVICE))
        configuration = collector.configuration(self._configured(site, settings))
        taken = self._telemetry.signals.receivers
        common = shared(place, names.COLLECTOR, settings, remote_write_url)
        return task.service_containers(
            task.collector_container(
                common,
                name=names.FRONT,
                configuration=collector.to_yaml(
                    collector.front(replace(self._configured(site, settings), memory=front[1]))
                ),
                cpu=front[0],
                memory=front[1],
                health_port=ports.FRONT_HEALTH,
                ports=[*map(_mapping, ports.OTLP), *map(_mapping, ports.opened(taken - {Receiver.STATSD}))],
            ),
            task.drain_container(settings.drain_image, common.log, self._hold_seconds()),
            task.collector_container(
                common,
                name=names.COLLECTOR,
                configuration=collector.to_yaml(configuration),
                cpu=behind[0],
                memory=behind[1],
                health_port=ports.HEALTH,
                secrets=self._telemetry.signals.secrets,
                ports=[*map(_mapping, ports.opened(taken & {Receiver.STATSD}))],
            ),
        )

    def _hold_seconds(self) -> int:
        signals, interval = self._telemetry.signals, self._telemetry.interval_seconds
        return max(sampling.hold_seconds(signals.traces), receivers.hold_seconds(signals.receivers, interval))


def _mapping(port: Port) -> dict[str, Any]:
    speaks = {"appProtocol": port.speaks} if port.speaks else {}
    number = port.number
    return {"name": port.name, "containerPort": number, "hostPort": number, "protocol": port.protocol.value, **speaks}


def _numbers(opened: Sequence[Port], protocol: Protocol) -> list[int]:
    return [port.number for port in opened if port.protocol is protocol]


def _served(place: Place, opened: Sequence[Port]) -> dict[str, Any]:
    """Service Connect's server side: the same DNS name that Cloud Map would give."""
    address = place.site.names.address(names.COLLECTOR)
    return {
        "enabled": True,
        "namespace": place.cluster.namespace_arn,
        "services": [
            {
                "port_name": port.name,
                "discovery_name": f"{names.COLLECTOR}-{port.name}",
                "client_alias": [{"port": port.number, "dns_name": address}],
            }
            for port in opened
        ],
    }
