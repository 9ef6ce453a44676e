"""An application of the user, observed by whichever pattern it is given."""

from collections.abc import Mapping
from typing import Any, NotRequired

import pulumi

from components import fargate
from components.fargate import Place
from components.load_balancer import Balancer, Entrance
from components.patterns.instrumentation import Pattern
from components.rollout import delivery
from components.scaling import ignored, scale
from components.workload import ObservedTask, Wanted, WorkloadArgs, observed_task
from documents import inputs, instances, service_connect, task, traffic
from documents.compute import Capacity
from documents.faults import ConfigurationError
from documents.instrumentation import AutoInstrumentation
from documents.rollout import Rollout
from documents.scaling import Scaling
from documents.service_connect import ServiceConnect
from documents.traffic import Traffic

_NOT_OF_THE_MODEL = frozenset({"place", "pattern", "repository_arn", "load_balancer", "beside"})


class ApplicationArgs(WorkloadArgs):
    """What an application needs; the keys after `beside` are those of `documents.inputs.Application`.

    `load_balancer` is where its traffic comes from, `beside` where that of the application comes in which it shares.
    """

    pattern: Pattern
    load_balancer: NotRequired[Balancer | None]
    beside: NotRequired[Entrance | None]
    port: int
    desired_count: NotRequired[int]
    health_check: NotRequired[inputs.HealthCheck | None]
    instrumentation: NotRequired[AutoInstrumentation | None]
    traffic: NotRequired[Traffic | None]
    rollout: NotRequired[Rollout | None]
    scaling: NotRequired[Scaling | None]
    capacity: NotRequired[Capacity | None]
    compute: NotRequired[str]
    service_connect: NotRequired[ServiceConnect | None]


class Application(pulumi.ComponentResource):
    """Task definition, ECS service, private name, log group, roles and security group of one application.

    Raises `documents.faults.ConfigurationError` with every fault that can be known before anything is registered.
    """

    service_name: pulumi.Output[str]
    task_definition_arn: pulumi.Output[str]
    task_role_name: pulumi.Output[str]
    needed_policies: Mapping[str, pulumi.Output[str]]
    entrance: Entrance | None

    def __init__(self, name: str, args: ApplicationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place, pattern = args["place"], args["pattern"]
        own = {key: value for key, value in args.items() if key not in _NOT_OF_THE_MODEL}
        wanted = Wanted(own, args.get("repository_arn"))
        application = wanted.now(inputs.Application, place.site, pattern)
        balancer, beside = args.get("load_balancer"), args.get("beside")
        if faults := [
            *traffic.application_faults(
                application.traffic, balanced=balancer is not None, beside=beside is not None, key=application.name
            ),
            *place.faults(application.compute, instances.placed(application, application.name)),
        ]:
            raise ConfigurationError(faults)
        super().__init__("ecs-observability:index:Application", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        observed = observed_task(
            name, place, pattern, workload=application, wanted=wanted, compute=application.compute, opts=child
        )
        definition, roles, instrumentation = observed.definition, observed.roles, observed.instrumentation
        group = fargate.security_group(
            f"{name}-tasks",
            place,
            service=application.name,
            ports=[application.port],
            clients=place.cluster.applications_group_id,
            opts=child,
        )
        if application.metrics and instrumentation.scraper_group_id is not None:
            fargate.admit(
                f"{name}-tasks-scraper",
                place,
                group,
                instrumentation.scraper_group_id,
                application.metrics.port,
                opts=child,
            )
        delivered = delivery(name, place, balancer, application=application, tasks=group, beside=beside, opts=child)
        registry = fargate.registry(f"{name}-name", place, application.name, child)
        service = fargate.service(
            f"{name}-service",
            place,
            service_name=application.name,
            task_definition_arn=definition.arn,
            desired_count=application.initial_tasks,
            security_group_ids=[
                group, place.cluster.applications_group_id, *instrumentation.security_group_ids
            ],
            service_registries={"registry_arn": registry.arn},
            service_connect=_connected(place, application, observed) or instrumentation.service_connect,
            delivery=delivered.inputs,
            sessions=application.exec,
            strategy=application.capacity.strategy
            if application.capacity
            else place.cluster.strategy(application.compute),
            opts=pulumi.ResourceOptions.merge(
                child,
                pulumi.ResourceOptions(
                    depends_on=[*roles.granted, *instrumentation.depends_on, *delivered.depends_on],
                    ignore_changes=ignored(application.scaling),
                    custom_timeouts=delivered.timeouts,
                ),
            ),
        )  # fmt: skip
        if scaling := application.scaling:
            scale(name, place, service, scaling, schedules=scaling.schedules, balanced=delivered.counted, opts=child)
        self.entrance = delivered.entrance
        self.service_name = service.name
        self.task_definition_arn = definition.arn
        self.task_role_name = roles.task.name
        self.needed_policies = roles.needed
        self.register_outputs(
            {
                "serviceName": self.service_name,
                "taskDefinitionArn": self.task_definition_arn,
                "taskRoleName": self.task_role_name,
            }
        )


def _connected(place: Place, application: inputs.Application, observed: ObservedTask) -> dict[str, Any] | None:
    """How it is found by Service Connect, and finds others; None where it asks for nothing of the kind."""
    if application.service_connect is None:
        return None
    return service_connect.configuration(
        application.service_connect,
        name=application.name,
        port=application.port,
        address=place.site.names.address(application.name),
        namespace=place.cluster.namespace_arn,
        log=task.log_configuration(observed.log_group, place.site.region, service_connect.LOG_STREAM),
    )
