"""Where everything of one stack stands, and what every resource of it carries."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from documents.inputs import Identity
from documents.names import Names
from documents.origin import Origin


@dataclass(frozen=True)
class Site:
    """Account, region and partition, the stack's names, its tags, and the options that its roles and logs share.

    `account` and `partition` are known to AWS only; `log_retention_days` is for every log group;
    `key_arn` is the key of what the stack stores, where it has one of its own; `parent` is the component that all of it
    is part of, if it is part of one.
    """

    names: Names
    region: str
    account: pulumi.Output[str]
    partition: pulumi.Output[str]
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    identity: Identity = field(default_factory=Identity)
    log_retention_days: int = 30
    key_arn: pulumi.Output[str] | None = None
    parent: pulumi.Resource | None = None

    @classmethod
    def here(
        cls,
        names: Names,
        region: str,
        tags: Mapping[str, str],
        identity: Identity,
        log_retention_days: int,
        *,
        parent: pulumi.Resource | None = None,
    ) -> "Site":
        """The site of the account that the provider's credentials belong to."""
        asking = pulumi.InvokeOutputOptions(parent=parent)
        return cls(
            names=names,
            region=region,
            account=aws.get_caller_identity_output(opts=asking).account_id,
            partition=aws.get_partition_output(opts=asking).partition,
            tags={"pulumi:project": names.project, "pulumi:stack": names.stack, **tags},
            identity=identity,
            log_retention_days=log_retention_days,
            parent=parent,
        )

    @property
    def opts(self) -> pulumi.ResourceOptions:
        """The options of what stands directly in it."""
        return pulumi.ResourceOptions(parent=self.parent)

    @property
    def asking(self) -> pulumi.InvokeOutputOptions:
        """How AWS is asked: with the provider of the component that all of it is part of."""
        return pulumi.InvokeOutputOptions(parent=self.parent)

    def origin(self, service: str) -> Origin:
        """Who emits the telemetry of an ECS service of this stack."""
        return self.names.origin(service)

    def named(self, name: str) -> dict[str, str]:
        """The tags of a resource whose only name in the console is a tag."""
        return {"Name": name, **self.tags}
