"""What changes the number of tasks of an ECS service: load, held at a target, and the clock."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.fargate import Place
from documents.scaling import REQUESTS, Schedule, Target, Tracking

_NAMESPACE = "ecs"
_DIMENSION = "ecs:service:DesiredCount"


def ignored(scaling: Tracking | None) -> list[str]:
    """What Pulumi leaves alone of a service that is scaled: the next `up` would otherwise put back the number of tasks
    that it began with."""
    return ["desired_count"] if scaling else []


@dataclass(frozen=True)
class Balanced:
    """The ARN suffixes of a load balancer (`app/...`) and of the target group (`targetgroup/...`) of one service."""

    load_balancer: pulumi.Input[str]
    target_group: pulumi.Input[str]


def scale(
    name: str,
    place: Place,
    service: aws.ecs.Service,
    scaling: Tracking,
    *,
    schedules: Sequence[Schedule] = (),
    balanced: Balanced | None = None,
    opts: pulumi.ResourceOptions,
) -> None:
    """Bounds of the service, a policy for each target, and an action for each schedule. `balanced` is where requests
    are counted, for a target of theirs."""
    bounds = aws.appautoscaling.Target(
        f"{name}-scaling",
        service_namespace=_NAMESPACE,
        scalable_dimension=_DIMENSION,
        resource_id=pulumi.Output.concat("service/", place.cluster.name, "/", service.name),
        min_capacity=scaling.min,
        max_capacity=scaling.max,
        tags=place.site.tags,
        opts=opts,
    )
    for target in scaling.targets:
        aws.appautoscaling.Policy(
            f"{name}-scaling-{target.name}",
            name=target.name,
            policy_type="TargetTrackingScaling",
            service_namespace=_NAMESPACE,
            scalable_dimension=_DIMENSION,
            resource_id=bounds.resource_id,
            target_tracking_scaling_policy_configuration={
                "target_value": target.value,
                "predefined_metric_specification": _metric(target, balanced),
                "scale_out_cooldown": scaling.scale_out_cooldown,
                "scale_in_cooldown": scaling.scale_in_cooldown,
            },
            opts=opts,
        )
    for schedule in schedules:
        aws.appautoscaling.ScheduledAction(
            f"{name}-scaling-{schedule.name}",
            name=schedule.name,
            service_namespace=_NAMESPACE,
            scalable_dimension=_DIMENSION,
            resource_id=bounds.resource_id,
            schedule=schedule.schedule,
            timezone=schedule.time_zone,
            scalable_target_action={"min_capacity": schedule.min, "max_capacity": schedule.max},
            opts=opts,
        )


def _metric(
    target: Target, balanced: Balanced | None
) -> "aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgsDict":
    if target.metric != REQUESTS or balanced is None:
        return {"predefined_metric_type": target.metric}
    label = pulumi.Output.concat(balanced.load_balancer, "/", balanced.target_group)
    return {"predefined_metric_type": target.metric, "resource_label": label}
