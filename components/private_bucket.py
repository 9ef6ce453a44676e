"""A bucket of the stack that nobody outside reads: closed to the public, encrypted, and gone with the stack."""

from collections.abc import Callable
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.site import Site


@dataclass(frozen=True)
class PrivateBucket:
    """The bucket, and what has to be there before anything is put into it."""

    bucket: "aws.s3.Bucket"
    ready: tuple[pulumi.Resource, ...]


def private_bucket(
    name: str,
    site: Site,
    *,
    called: Callable[[str], str],
    policy: "Callable[[aws.s3.Bucket], pulumi.Output[str]]",
    key_arn: pulumi.Input[str] | None,
    opts: pulumi.ResourceOptions,
) -> PrivateBucket:
    """`called` makes its name on AWS of the account's number. Without a key S3's own encrypts it."""
    bucket = aws.s3.Bucket(
        f"{name}-bucket",
        bucket=site.account.apply(called),
        # What is in it is of no use without the stack, as its log groups are.
        force_destroy=True,
        tags=site.tags,
        opts=opts,
    )
    private = aws.s3.BucketPublicAccessBlock(
        f"{name}-private",
        bucket=bucket.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
    )
    encrypted = aws.s3.BucketServerSideEncryptionConfiguration(
        f"{name}-encryption", bucket=bucket.id, rules=[_encryption(key_arn)], opts=opts
    )
    secured = aws.s3.BucketPolicy(
        f"{name}-policy",
        bucket=bucket.id,
        policy=policy(bucket),
        # S3 refuses two changes of a bucket's access at the same time.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[private])),
    )
    return PrivateBucket(bucket, (encrypted, secured))


def _encryption(
    key_arn: pulumi.Input[str] | None,
) -> "aws.s3.BucketServerSideEncryptionConfigurationRuleArgsDict":
    """The one rule of a bucket's default encryption. With a bucket key, S3 asks KMS once instead of for each object."""
    if not key_arn:
        return {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
    return {
        "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key_arn},
        "bucket_key_enabled": True,
    }
