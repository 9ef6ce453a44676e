"""What collectors write to CloudWatch, and where."""

from collections.abc import Iterable

import pulumi
import pulumi_aws as aws

from components.site import Site
from documents import names


class CloudWatch(pulumi.ComponentResource):
    """A log group for each signal that collectors send to CloudWatch, with the stack's retention."""

    log_group_arns: pulumi.Output[list[str]]

    def __init__(
        self, name: str, site: Site, signals: Iterable[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ecs-observability:index:CloudWatch", name, None, opts)
        groups = [
            aws.cloudwatch.LogGroup(
                f"{name}-{signal}",
                name=names.telemetry_log_group(site.names.prefix, signal),
                retention_in_days=site.log_retention_days,
                kms_key_id=site.key_arn,
                tags=site.tags,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for signal in signals
        ]
        self.log_group_arns = pulumi.Output.all(*(group.arn for group in groups))
        self.register_outputs({"logGroupArns": self.log_group_arns})
