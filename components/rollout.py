"""How a new version of an application comes to its traffic: target groups, listener rules, ECS's role, alarms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.fargate import Place
from components.identity import role
from components.load_balancer import Balancer, Entrance, admit_balancer, point, target_groups
from components.scaling import Balanced
from documents import policies, rollout
from documents.alerting.alarms import Math, Metric
from documents.inputs import Application
from documents.rollout import BLUE, GREEN, RollbackAlarm, Rollout
from documents.traffic import Traffic, priorities

_TESTED, _SHIFTED, _STEADY = range(3)
"""The rules of an application in the order in which they are tried. Those of a roll-out come before the plain one:
while one takes the place of the other, both are there, and requests must find the groups that have tasks."""

_ALL: Final = 100


@dataclass(frozen=True)
class Delivery:
    """What an ECS service gets of its traffic and its roll-out: `inputs` of the service, `depends_on` what must be
    there before it, `most_minutes` how long a deployment may take (None for as long as any), `counted` where its
    requests are, `entrance` where they come in unless they are a share of another's."""

    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    depends_on: Sequence[pulumi.Resource] = ()
    most_minutes: int | None = None
    counted: Balanced | None = None
    entrance: Entrance | None = None

    @property
    def timeouts(self) -> pulumi.CustomTimeouts | None:
        """For the service: the provider gives up after 20 minutes, and a deployment with waits takes longer."""
        if self.most_minutes is None:
            return None
        return pulumi.CustomTimeouts(create=f"{self.most_minutes}m", update=f"{self.most_minutes}m")


def delivery(
    name: str,
    place: Place,
    balancer: Balancer | None,
    *,
    application: Application,
    tasks: pulumi.Input[str],
    beside: Entrance | None,
    opts: pulumi.ResourceOptions,
) -> Delivery:
    """Everything between a load balancer and the tasks of an application, whose security group is `tasks`; `beside` is
    where those requests come in that it gets a share of."""
    wanted, traffic = application.rollout, application.traffic
    inputs: dict[str, Any] = {"deployment_configuration": wanted.deployment_configuration} if wanted else {}
    if balancer is None or traffic is None:
        return Delivery(inputs)
    front = _Front(name, place, balancer, application=application, traffic=traffic, beside=beside, opts=opts)
    needed = [
        *admit_balancer(f"{name}-tasks", place, balancer, tasks=tasks, port=application.port, opts=opts),
        *front.rules.values(),
    ]
    if (address := balancer.address) and address.zone:
        point(f"{name}-host", address, address.zone, traffic.exact_hosts, opts=opts)
    target: dict[str, Any] = {
        "container_name": application.name,
        "container_port": application.port,
        "target_group_arn": front.groups[BLUE].arn,
    }
    inputs |= {"load_balancers": [target], "health_check_grace_period_seconds": traffic.health_check.grace}
    if wanted:
        inputs["alarms"] = {"alarm_names": front.alarms(wanted), "enable": True, "rollback": True}
    if wanted and wanted.shifts:
        target["advanced_configuration"], granted = front.shifting()
        needed += granted
        inputs["sigint_rollback"] = True
    return Delivery(
        inputs=inputs,
        depends_on=needed,
        most_minutes=wanted.most_minutes if wanted else None,
        counted=Balanced(balancer.arn_suffix, front.groups[BLUE].arn_suffix),
        entrance=None if traffic.split else front.entrance,
    )


class _Front:
    """The target groups of an application and the listener rules that lead to them."""

    def __init__(
        self,
        name: str,
        place: Place,
        balancer: Balancer,
        *,
        application: Application,
        traffic: Traffic,
        beside: Entrance | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        self._name, self._place, self._balancer = name, place, balancer
        self._application, self._opts = application.name, opts
        wanted = application.rollout
        shifts = wanted is not None and wanted.shifts
        self.groups = target_groups(
            name,
            place,
            application=application.name,
            traffic=traffic,
            colours=(BLUE, GREEN) if shifts else (BLUE,),
            opts=opts,
        )
        self.rules: dict[int, aws.lb.ListenerRule] = {}
        if traffic.split and beside:
            self.entrance = beside
            self.rules[_SHIFTED] = self._rule(_SHIFTED, "split", self._shared(beside, traffic.split.percent))
            return
        first = priorities({application.name: traffic})[application.name]
        self.entrance = Entrance(traffic.conditions, first, self.groups[BLUE].arn)
        if not shifts:
            self.rules[_STEADY] = self._rule(_STEADY, "steady", self._action())
            return
        self.rules[_SHIFTED] = self._rule(_SHIFTED, "shifted", self._action(), of_ecs=True)
        if wanted and wanted.test_header:
            header = {"http_header": {"http_header_name": wanted.test_header, "values": ["*"]}}
            self.rules[_TESTED] = self._rule(_TESTED, "tested", self._action(), header, of_ecs=True)

    def _rule(
        self, offset: int, what: str, action: Any, *conditions: Any, of_ecs: bool = False
    ) -> "aws.lb.ListenerRule":
        # ECS says to which group requests go, and an update that put the first weights back would send them to tasks
        # that are no more.
        theirs = pulumi.ResourceOptions(ignore_changes=["actions"]) if of_ecs else None
        return aws.lb.ListenerRule(
            f"{self._name}-{what}",
            listener_arn=self._balancer.listener_arn,
            priority=self.entrance.first + offset,
            conditions=[*self.entrance.conditions, *conditions],
            actions=[action],
            tags=self._place.site.tags,
            opts=pulumi.ResourceOptions.merge(self._opts, theirs),
        )

    def _shared(self, beside: Entrance, percent: int) -> Any:
        theirs = {"arn": beside.target_group_arn, "weight": _ALL - percent}
        ours = {"arn": self.groups[BLUE].arn, "weight": percent}
        return {"type": "forward", "forward": {"target_groups": [theirs, ours]}}

    def _action(self) -> Any:
        if GREEN not in self.groups:
            return {"type": "forward", "target_group_arn": self.groups[BLUE].arn}
        # ECS takes no group that no rule names, not even one that gets nothing yet.
        weights = {BLUE: _ALL, GREEN: 0}
        groups = [{"arn": self.groups[colour].arn, "weight": weight} for colour, weight in weights.items()]
        return {"type": "forward", "forward": {"target_groups": groups}}

    def shifting(self) -> tuple[dict[str, Any], list[pulumi.Resource]]:
        """What ECS needs to know to shift traffic, and what has to be there before it does."""
        site = self._place.site
        acting, granted = role(
            f"{self._name}-rollout",
            site=site,
            role_name=site.names.role(self._application, "rollout"),
            trust=pulumi.Output.from_input(policies.infrastructure_trust()),
            statements=pulumi.Output.all(
                groups=[group.arn for group in self.groups.values()],
                rules=[rule.arn for rule in self.rules.values()],
            ).apply(lambda known: policies.shift_traffic(known["groups"], known["rules"])),
            opts=self._opts,
        )
        tested = {"test_listener_rule": self.rules[_TESTED].arn} if _TESTED in self.rules else {}
        return {
            "alternate_target_group_arn": self.groups[GREEN].arn,
            "production_listener_rule": self.rules[_SHIFTED].arn,
            "role_arn": acting.arn,
            **tested,
        }, granted

    def alarms(self, wanted: Rollout) -> list[pulumi.Output[str]]:
        """The names of the alarms that take a new version back, known when they are there."""
        return [name for colour, group in self.groups.items() for name in self._alarms_of(colour, group, wanted)]

    def _alarms_of(self, colour: str, group: "aws.lb.TargetGroup", wanted: Rollout) -> list[pulumi.Output[str]]:
        names = self._place.site.names

        def known(balancer: str, suffix: str) -> tuple[RollbackAlarm, ...]:
            return rollout.alarms(
                names, self._application, colour, errors=wanted.errors, balancer=balancer, group=suffix
            )

        made: list[pulumi.Output[str]] = []
        for index, alarm in enumerate(known("", "")):
            queries = pulumi.Output.all(self._balancer.arn_suffix, group.arn_suffix).apply(
                lambda suffixes, index=index: _queries(known(*suffixes)[index])
            )
            resource = aws.cloudwatch.MetricAlarm(
                f"{self._name}-{colour}-{alarm.about}",
                name=alarm.name,
                alarm_description=f"{alarm.summary} ECS rolls a deployment back that makes it fire.",
                metric_queries=queries,
                evaluation_periods=alarm.periods,
                datapoints_to_alarm=alarm.breaching,
                threshold=alarm.threshold,
                comparison_operator=alarm.comparison.value,
                treat_missing_data="notBreaching",
                tags=self._place.site.tags,
                opts=self._opts,
            )
            made.append(resource.name)
        return made


def _queries(alarm: RollbackAlarm) -> Any:
    return [_query(query, query is alarm.queries[-1]) for query in alarm.queries]


def _query(query: Metric | Math, watched: bool) -> dict[str, Any]:
    if isinstance(query, Math):
        return {"id": query.id, "expression": query.text, "return_data": watched}
    return {
        "id": query.id,
        "return_data": watched,
        "metric": {
            "namespace": query.namespace,
            "metric_name": query.name,
            "dimensions": dict(query.dimensions),
            "period": 60,
            "stat": query.statistic,
        },
    }
