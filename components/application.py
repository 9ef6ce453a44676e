"""An application of the user on Fargate, observed by whichever pattern it is given."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import fargate
from components.fargate import Place
from components.identity import task_roles
from components.known import known_now
from components.patterns.instrumentation import Instrumentation, Pattern
from components.site import Site
from documents import inputs, policies, task, travel
from documents.faults import ConfigurationError
from documents.policies import Statement
from documents.signals import Scrape


class ApplicationArgs(TypedDict):
    """What an application needs; the keys after `repository_arn` are those of `documents.inputs.Application`.

    `repository_arn` is the private ECR repository of the image, where its reference does not tell it.
    """

    place: Place
    pattern: Pattern
    repository_arn: NotRequired[pulumi.Input[str] | None]
    name: str
    image: pulumi.Input[str]
    port: int
    cpu: NotRequired[int]
    memory: NotRequired[int]
    architecture: NotRequired[str]
    desired_count: NotRequired[int]
    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    secrets: NotRequired[Mapping[str, pulumi.Input[str]]]
    health_check: NotRequired[inputs.HealthCheck | None]
    command: NotRequired[Sequence[str] | None]
    metrics: NotRequired[Scrape | None]
    ratio: NotRequired[float | None]


class Application(pulumi.ComponentResource):
    """Task definition, ECS service, private name, log group, roles and security group of one application.

    Raises `documents.faults.ConfigurationError` with every fault that can be known before anything is registered.
    """

    service_name: pulumi.Output[str]
    task_definition_arn: pulumi.Output[str]
    task_role_name: pulumi.Output[str]

    def __init__(self, name: str, args: ApplicationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place, pattern = args["place"], args["pattern"]
        wanted = {key: value for key, value in args.items() if key not in ("place", "pattern", "repository_arn")}
        application = inputs.checked(inputs.Application, known_now(wanted), args["name"])
        site = place.site
        key = application.name
        if faults := [*site.names.application_faults(application.name, key), *pattern.faults(application, key)]:
            raise ConfigurationError(faults)
        super().__init__("ecs-observability:index:Application", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        group_name = site.names.log_group(application.name)
        log = task.log_configuration(group_name, site.region, application.name)
        instrumentation = pattern.instrument(
            site.origin(application.name),
            task.log_configuration(group_name, site.region, "collector"),
            travel.size([task.application_container(application, log)]),
            application.metrics,
        )
        logs = fargate.log_group(f"{name}-logs", place, application.name, child)
        roles = task_roles(
            name,
            site=site,
            service=application.name,
            does=instrumentation.statements,
            starts=_execution_statements(site, args, instrumentation, logs),
            opts=child,
        )
        definition = fargate.task_definition(
            f"{name}-definition",
            place,
            service=application.name,
            size=(application.cpu, application.memory),
            architecture=application.architecture,
            roles=roles,
            container_definitions=pulumi.Output.all(wanted, instrumentation.additions).apply(
                lambda known: _container_definitions(known[0], log, known[1])
            ),
            opts=child,
        )
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
        registry = fargate.registry(f"{name}-name", place, application.name, child)
        service = fargate.service(
            f"{name}-service",
            place,
            service_name=application.name,
            task_definition_arn=definition.arn,
            desired_count=application.desired_count,
            security_group_ids=[
                group, place.cluster.applications_group_id, *instrumentation.security_group_ids
            ],
            service_registries={"registry_arn": registry.arn},
            service_connect=instrumentation.service_connect,
            opts=pulumi.ResourceOptions.merge(
                child, pulumi.ResourceOptions(depends_on=[*roles.granted, *instrumentation.depends_on])
            ),
        )  # fmt: skip
        self.service_name = service.name
        self.task_definition_arn = definition.arn
        self.task_role_name = roles.task.name
        self.register_outputs(
            {
                "serviceName": self.service_name,
                "taskDefinitionArn": self.task_definition_arn,
                "taskRoleName": self.task_role_name,
            }
        )


def _execution_statements(
    site: Site, args: ApplicationArgs, instrumentation: Instrumentation, logs: aws.cloudwatch.LogGroup
) -> pulumi.Output[list[Statement]]:
    def statements(known: Sequence[Any]) -> list[Statement]:
        partition, image, own_repository, log_group_arn, secrets = known
        named = policies.repository_arns((image, *instrumentation.images), partition)
        return policies.execution(
            repositories=[*named, *([own_repository] if own_repository else [])],
            log_group_arn=log_group_arn,
            secrets=[*secrets.values(), *instrumentation.secrets],
        )

    return pulumi.Output.all(
        site.partition, args["image"], args.get("repository_arn"), logs.arn, args.get("secrets", {})
    ).apply(statements)


def _container_definitions(wanted: Mapping[str, Any], log: task.Container, additions: task.Additions) -> str:
    """The JSON for ECS, once all is known; what could not be judged before is judged here."""
    application = inputs.checked(inputs.Application, wanted, str(wanted["name"]))
    containers = [task.application_container(application, log)]
    return json.dumps(task.instrument(containers, application.name, additions))
