"""Configurations of collectors that do not fit into a task definition, in a bucket of the stack."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pulumi
import pulumi_aws as aws

from components.private_bucket import private_bucket
from components.site import Site
from documents import policies, travel
from documents.policies import Statement
from documents.task import Container


@dataclass(frozen=True)
class Kept:
    """Where a task's collectors find what does not fit into its definition: `addresses` by container, none where all
    fits, and the `statements` that its task role needs for it."""

    addresses: pulumi.Output[Mapping[str, str]]
    statements: pulumi.Output[list[Statement]]


class ConfigurationBucket(pulumi.ComponentResource):
    """A private, encrypted, versioned bucket that takes no request without TLS."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(self, name: str, site: Site, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecs-observability:index:ConfigurationBucket", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # What older revisions of tasks read is in it until the stack goes.
        kept = private_bucket(
            name,
            site,
            called=site.names.bucket,
            policy=lambda bucket: bucket.arn.apply(lambda arn: json.dumps(policies.tls_only(arn), sort_keys=True)),
            key_arn=site.key_arn,
            # All of it can be made again, and it goes when configurations have become small.
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(protect=False)),
        )
        versioned = aws.s3.BucketVersioning(
            f"{name}-versions", bucket=kept.bucket.id, versioning_configuration={"status": "Enabled"}, opts=child
        )
        self._child = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[*kept.ready, versioned]))
        self.name, self.arn = kept.bucket.bucket, kept.bucket.arn
        self.register_outputs({"name": self.name, "arn": self.arn})

    def put(self, name: str, key: str, text: str) -> "aws.s3.BucketObjectv2":
        """One configuration. What it replaces stays in the bucket: a rollback starts a revision that reads it."""
        return aws.s3.BucketObjectv2(
            name,
            bucket=self.name,
            key=key,
            content=text,
            content_type="application/yaml",
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(retain_on_delete=True)),
        )


class Configurations:
    """Keeps what does not fit; the bucket is made when the first such configuration comes."""

    def __init__(self, name: str, site: Site) -> None:
        self._name = name
        self._site = site

    def keep(self, family: str, draft: Sequence[Container], beside: int) -> Kept:
        """What the collectors in `draft`, container definitions with placeholders for what is not known yet, cannot
        carry themselves. `family` names the task definition, `beside` is the size of its other containers in bytes."""
        large = travel.too_large(draft, beside)
        if not large:
            return Kept(pulumi.Output.from_input({}), pulumi.Output.from_input([]))
        bucket = self._bucket
        addresses = {
            name: pulumi.Output.all(
                bucket.name, bucket.put(f"{self._name}-{family}-{name}", travel.key(family, text), text).key
            ).apply(lambda known: travel.address(known[0], self._site.region, known[1]))
            for name, text in large.items()
        }
        return Kept(
            pulumi.Output.all(**addresses),
            self._readable(bucket.arn, family),
        )

    def _readable(self, bucket_arn: pulumi.Output[str], family: str) -> pulumi.Output[list[Statement]]:
        reads = bucket_arn.apply(lambda arn: policies.read_configurations(arn, travel.folder(family)))
        if not self._site.key_arn:
            return reads
        decrypts = pulumi.Output.all(bucket_arn, self._site.key_arn).apply(
            lambda known: policies.decrypt_configurations(known[0], known[1], self._site.region)
        )
        return pulumi.Output.all(reads, decrypts).apply(lambda known: [*known[0], *known[1]])

    @cached_property
    def _bucket(self) -> ConfigurationBucket:
        return ConfigurationBucket(self._name, self._site, self._site.opts)
