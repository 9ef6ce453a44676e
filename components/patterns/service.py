"""The service pattern: the collector as an ECS service of its own, found by name."""

import json
from typing import Any, TypedDict

import pulumi
import pulumi_aws as aws

from components import fargate
from components.fargate import Place
from components.identity import task_roles
from components.patterns.instrumentation import Instrumentation, Telemetry
from documents import catalogue, collector, names, policies, task
from documents.faults import Fault
from documents.inputs import Application, Architecture, Collector, Discovery
from documents.task import Additions, Container, Origin

_PORTS = {"otlp-grpc": collector.OTLP_GRPC_PORT, "otlp-http": collector.OTLP_HTTP_PORT}


class CollectorServiceArgs(TypedDict):
    """What the collector's service needs."""

    place: Place
    telemetry: Telemetry
    collector: Collector


class CollectorService(pulumi.ComponentResource):
    """Collector tasks behind one address, with a role, a log group and security groups of their own.

    Who wears `clients_group_id` may send telemetry; the collector never needs to know its clients.
    """

    address: pulumi.Output[str]
    clients_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: CollectorServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecs-observability:index:CollectorService", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        place, settings, self._telemetry = args["place"], args["collector"], args["telemetry"]
        site = place.site
        clients = aws.ec2.SecurityGroup(
            f"{name}-clients",
            description="Worn by tasks that may send telemetry to the collector",
            vpc_id=place.vpc_id,
            tags=site.named(f"{site.names.prefix}-collector-clients"),
            opts=child,
        )
        group = fargate.security_group(
            f"{name}-tasks",
            place,
            service=names.COLLECTOR,
            ports=list(_PORTS.values()),
            clients=clients.id,
            opts=child,
        )
        definition, granted = self._task_definition(name, place, settings, child)
        by_name = settings.discovery is Discovery.CLOUD_MAP
        registry = fargate.registry(f"{name}-name", place, names.COLLECTOR, child) if by_name else None
        self._namespace_arn = None if by_name else place.cluster.namespace_arn
        self._service = fargate.service(
            f"{name}-service",
            place,
            service_name=names.COLLECTOR,
            task_definition_arn=definition.arn,
            desired_count=settings.desired_count,
            security_group_ids=[group],
            service_registries={"registry_arn": registry.arn} if registry else None,
            service_connect=None if by_name else _served(place),
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=granted)),
        )
        self._endpoint = f"http://{site.names.address(names.COLLECTOR)}:{collector.OTLP_HTTP_PORT}"
        self.address = pulumi.Output.from_input(self._endpoint)
        self.clients_group_id = clients.id
        self.register_outputs({"address": self.address, "clientsGroupId": self.clients_group_id})

    def faults(self, _application: Application, _key: str, /) -> list[Fault]:
        """None: an application of any kind can send to an address."""
        return []

    def instrument(self, origin: Origin, _log: Container, /) -> Instrumentation:
        """The collector's address and the group that lets the task in; no container, no permission."""
        environment = task.telemetry_environment(origin, self._endpoint, self._telemetry.interval_seconds)
        return Instrumentation(
            additions=pulumi.Output.from_input(environment).apply(Additions),
            security_group_ids=(self.clients_group_id,),
            service_connect={"enabled": True, "namespace": self._namespace_arn} if self._namespace_arn else None,
            # Service Connect shows a client only the servers that were there before it.
            depends_on=(self._service,),
        )

    def _task_definition(
        self, name: str, place: Place, settings: Collector, child: pulumi.ResourceOptions
    ) -> tuple[aws.ecs.TaskDefinition, list[pulumi.Resource]]:
        site = place.site
        logs = fargate.log_group(f"{name}-logs", place, names.COLLECTOR, child)
        roles = task_roles(
            name,
            site=site,
            service=names.COLLECTOR,
            does=self._telemetry.workspace_arn.apply(policies.telemetry_write),
            starts=pulumi.Output.all(site.partition, logs.arn).apply(
                lambda known: policies.execution(
                    repositories=[arn for arn in [policies.repository_arn(settings.image, known[0])] if arn],
                    log_group_arn=known[1],
                    secrets=(),
                )
            ),
            opts=child,
        )
        definition = fargate.task_definition(
            f"{name}-definition",
            place,
            service=names.COLLECTOR,
            size=settings.size(catalogue.Pattern.SERVICE),
            architecture=Architecture.ARM64,
            roles=roles,
            container_definitions=self._telemetry.remote_write_url.apply(
                lambda url: json.dumps([self._container(place, settings, url)])
            ),
            opts=child,
        )
        return definition, roles.granted

    def _container(self, place: Place, settings: Collector, remote_write_url: str) -> Container:
        site = place.site
        cpu, memory = settings.size(catalogue.Pattern.SERVICE)
        configuration = collector.configuration(
            collector.CollectorInputs(
                pattern=catalogue.Pattern.SERVICE,
                namespace=site.names.project,
                environment=site.names.stack,
                memory=memory,
                interval_seconds=self._telemetry.interval_seconds,
            )
        )
        return task.collector_container(
            image=settings.image,
            configuration=collector.to_yaml(configuration),
            cpu=cpu,
            memory=memory,
            region=site.region,
            remote_write_url=remote_write_url,
            essential=True,
            restart=settings.restart,
            log=task.log_configuration(site.names.log_group(names.COLLECTOR), site.region, names.COLLECTOR),
            ports=[
                {"name": port_name, "containerPort": port, "hostPort": port, "protocol": "tcp", "appProtocol": protocol}
                for (port_name, port), protocol in zip(_PORTS.items(), ("grpc", "http"), strict=True)
            ],
        )


def _served(place: Place) -> dict[str, Any]:
    """Service Connect's server side: the same DNS name that Cloud Map would give."""
    address = place.site.names.address(names.COLLECTOR)
    return {
        "enabled": True,
        "namespace": place.cluster.namespace_arn,
        "services": [
            {
                "port_name": port_name,
                "discovery_name": f"{names.COLLECTOR}-{port_name}",
                "client_alias": [{"port": port, "dns_name": address}],
            }
            for port_name, port in _PORTS.items()
        ],
    }
