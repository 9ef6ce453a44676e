"""What is stored is encrypted, and secrets are named, never written."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from .model import Inputs, Resource, ResourceRule, StackRule, containers, is_true, items, of_type
from .statements import anybody, conditions, parsed

_BLOCKS: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def _stored(type_: str, inputs: Inputs) -> list[str]:
    judge = _STORED.get(type_)
    return judge(inputs) if judge else []


def _queue(inputs: Inputs) -> list[str]:
    if inputs.get("kmsMasterKeyId") or is_true(inputs.get("sqsManagedSseEnabled")):
        return []
    return ["stores messages in the clear; set sqsManagedSseEnabled or give it a key"]


def _disks(inputs: Inputs) -> list[str]:
    return [
        f"disk {mapping.get('deviceName')} is not encrypted"
        for mapping in items(inputs.get("blockDeviceMappings"))
        if not is_true(mapping.get("ebs", {}).get("encrypted"))
    ]


def _images(inputs: Inputs) -> list[str]:
    scanning: Inputs = inputs.get("imageScanningConfiguration") or {}
    return [] if is_true(scanning.get("scanOnPush")) else ["images are not scanned; set scanOnPush"]


_STORED: Final[Mapping[str, Callable[[Inputs], list[str]]]] = {
    "aws:ec2/launchTemplate:LaunchTemplate": _disks,
    "aws:ecr/repository:Repository": _images,
    "aws:efs/fileSystem:FileSystem": lambda inputs: [] if is_true(inputs.get("encrypted")) else ["is not encrypted"],
    "aws:kms/key:Key": lambda inputs: (
        [] if is_true(inputs.get("enableKeyRotation")) else ["never changes its material; set enableKeyRotation"]
    ),
    "aws:sns/topic:Topic": lambda inputs: (
        [] if inputs.get("kmsMasterKeyId") else ["stores messages in the clear; give it a key"]
    ),
    "aws:sqs/queue:Queue": _queue,
}
"""Log groups, buckets' objects, images, AMP and Managed Grafana are always encrypted by AWS, with a key or without."""

SECRET: Final = re.compile(
    r"(?:(?:^|_)(?:PASS|PWD|SECRET|TOKEN|CREDENTIALS|(?:API|SECRET|ACCESS|PRIVATE)_?KEY)|PASSWD|PASSWORD|PASSPHRASE)$",
    re.IGNORECASE,
)


def _written(type_: str, inputs: Inputs) -> list[str]:
    return [
        f"{container.get('name')} has {variable['name']} in the clear; name it among `secrets` by its ARN"
        for container in containers(type_, inputs)
        for variable in items(container.get("environment"))
        if SECRET.search(variable["name"])
    ]


def _buckets(resources: Sequence[Resource]) -> list[tuple[Resource, str]]:
    private = {
        block.inputs["bucket"]
        for block in of_type(resources, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
        if all(is_true(block.inputs.get(key)) for key in _BLOCKS)
    }
    tls = {
        policy.inputs["bucket"]
        for policy in of_type(resources, "aws:s3/bucketPolicy:BucketPolicy")
        if _only_tls(policy.inputs["policy"])
    }
    encrypted = {
        one.inputs["bucket"]
        for one in of_type(
            resources, "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
        )
    }
    return [
        (bucket, text)
        for bucket in of_type(resources, "aws:s3/bucket:Bucket")
        for has, text in (
            (private, "may be made public: add a public access block with all four settings"),
            (encrypted, "does not say how it is encrypted"),
            (tls, "takes requests without TLS: deny them in its policy by aws:SecureTransport"),
        )
        if bucket.names.isdisjoint(has)
    ]


def _only_tls(policy: Any) -> bool:
    return any(
        statement["Effect"] == "Deny"
        and anybody(statement)
        and not {"*", "s3:*"}.isdisjoint(items(statement.get("Action")))
        and any(key == "aws:securetransport" and values == ["false"] for _, key, values in conditions(statement))
        for statement in parsed(policy)
    )


RESOURCE_RULES: Final = (
    ResourceRule("encrypted-at-rest", "Topics, queues, disks and images are encrypted, keys rotate.", _stored),
    ResourceRule("no-secrets-in-the-clear", "Task definitions name secrets and do not hold them.", _written),
)

STACK_RULES: Final = (
    StackRule("private-buckets", "Buckets are private, encrypted, and reached by TLS only.", _buckets),
)
