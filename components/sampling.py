"""X-Ray's sampling rules of a stack, which SDKs ask for."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi
import pulumi_aws as aws

from components.site import Site
from documents.signals import SamplingRule


class SamplingArgs(TypedDict):
    """What the rules need."""

    site: Site
    rules: Sequence[SamplingRule]


class Sampling(pulumi.ComponentResource):
    """A rule for each of those given. X-Ray knows them account-wide, so their names tell the stack."""

    rule_names: list[pulumi.Output[str]]

    def __init__(self, name: str, args: SamplingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecs-observability:index:Sampling", name, None, opts)
        site = args["site"]
        made = [
            aws.xray.SamplingRule(
                f"{name}-{rule.name}",
                rule_name=site.names.sampling_rule(rule.name),
                priority=rule.priority,
                version=1,
                reservoir_size=rule.reservoir,
                fixed_rate=rule.ratio,
                service_name=rule.service,
                http_method=rule.method,
                url_path=rule.path,
                host="*",
                service_type="*",
                resource_arn="*",
                tags=site.tags,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for rule in args["rules"]
        ]
        self.rule_names = [rule.id for rule in made]
        self.register_outputs({"ruleNames": self.rule_names})
