"""The KMS key of what a stack stores, made or existing, and the watch over what can never have another."""

import json
from dataclasses import replace
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.refusal import refuse
from components.site import Site
from components.workspaces import own_workspaces
from documents import encryption, policies
from documents.encryption import Encryption

_ASKED: Final = ("arn", "enabled", "key_manager", "key_spec", "key_usage")


class EncryptionKey(pulumi.ComponentResource):
    """A key that rotates, with an alias and a policy for what the stack stores and nothing else."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, site: Site, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecs-observability:index:EncryptionKey", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        key = aws.kms.Key(
            f"{name}-key",
            description=f"What {site.names.prefix} stores",
            enable_key_rotation=True,
            deletion_window_in_days=encryption.DELETION_DAYS,
            policy=key_policy(site),
            tags=site.tags,
            opts=child,
        )
        aws.kms.Alias(f"{name}-alias", name=f"alias/{site.names.prefix}", target_key_id=key.id, opts=child)
        self.arn = key.arn
        self.register_outputs({"arn": self.arn})


def encrypted(site: Site, wanted: Encryption) -> Site:
    """The site with the key that is wanted. RefusedError says what makes an existing key unfit, which is looked at and
    never changed; and where the AMP workspace that runs has another, since the update would delete it with all of its
    metrics, and no resource option refuses that both ways (`protect` allows a replacement as soon as either the old or
    the new state is without it)."""
    running = own_workspaces(site)

    def unchanged(key: str | None) -> str | None:
        faults = [encryption.workspace_faults(key, one.workspace_id, one.kms_key_arn or "") for one in running]
        refuse([fault for each in faults for fault in each])
        return key

    unchanged(wanted.key)
    if wanted.key is None:
        return site
    if wanted.key == encryption.MADE:
        # Before it is made it has no ARN; a preview then compares no more than above.
        return replace(
            site, key_arn=EncryptionKey("encryption", site, site.opts).arn.apply(lambda arn: str(unchanged(arn)))
        )

    def fit(key: Any) -> str:
        refuse(encryption.key_faults({name: getattr(key, name) for name in _ASKED}, site.region))
        return str(key.arn)

    return replace(site, key_arn=aws.kms.get_key_output(key_id=wanted.key, opts=site.asking).apply(fit))


def key_policy(site: Site) -> pulumi.Output[str]:
    """What the policy of the stack's key says, or has to say where the key exists already."""
    return pulumi.Output.all(site.partition, site.account).apply(
        lambda known: json.dumps(
            policies.stack_key(
                partition=known[0],
                region=site.region,
                account=known[1],
                log_groups=encryption.log_groups(site.names),
                alarms_arn=site.names.alarms_arn(known[0], site.region, known[1]),
            ),
            sort_keys=True,
        )
    )
