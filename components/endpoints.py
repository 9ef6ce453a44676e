"""The only ways out of a closed network: endpoints of the AWS services that its tasks use."""

import json
from collections.abc import Sequence
from typing import Any, TypedDict

import pulumi
import pulumi_aws as aws

from components.site import Site
from documents import network
from documents.model import PENDING
from documents.network import Account, Uses

_HTTPS = 443


class EndpointsArgs(TypedDict):
    """What endpoints need: one subnet for each zone, the table that routes them, the group that tasks wear, and what
    they use. Without `workspace_arn` every AMP workspace of the account is let through to."""

    site: Site
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    route_table_id: pulumi.Input[str]
    clients_group_id: pulumi.Input[str]
    uses: Uses
    workspace_arn: pulumi.Input[str] | None


class Endpoints(pulumi.ComponentResource):
    """Interface endpoints in each subnet and S3's gateway endpoint, each with a policy of its own."""

    def __init__(self, name: str, args: EndpointsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecs-observability:index:Endpoints", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args["site"]
        group = aws.ec2.SecurityGroup(
            f"{name}-group",
            name_prefix=f"{site.names.family('endpoints')}-",
            description="Endpoints of AWS services",
            vpc_id=args["vpc_id"],
            tags=site.named(site.names.family("endpoints")),
            opts=child,
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-in",
            security_group_id=group.id,
            referenced_security_group_id=args["clients_group_id"],
            ip_protocol="tcp",
            from_port=_HTTPS,
            to_port=_HTTPS,
            tags=site.tags,
            opts=child,
        )
        ids: dict[str, pulumi.Output[str]] = {}
        for service, policy in _policies(args).items():
            placed: dict[str, Any] = (
                {"vpc_endpoint_type": "Gateway", "route_table_ids": [args["route_table_id"]]}
                if service == network.S3
                else {
                    "vpc_endpoint_type": "Interface",
                    "subnet_ids": args["subnet_ids"],
                    "security_group_ids": [group.id],
                    # So that programs find it by the name that they call anyway.
                    "private_dns_enabled": True,
                }
            )
            ids[service] = aws.ec2.VpcEndpoint(
                f"{name}-{service.replace('.', '-')}",
                vpc_id=args["vpc_id"],
                service_name=f"com.amazonaws.{site.region}.{service}",
                policy=policy,
                tags=site.named(f"{site.names.prefix}-{service}"),
                opts=child,
                **placed,
            ).id
        self.register_outputs({"endpointIds": ids})


def _policies(args: EndpointsArgs) -> dict[str, pulumi.Output[str]]:
    """The policy of each endpoint, as JSON. Which endpoints there are is known before the account is."""

    def made(account: str, partition: str, workspace_arn: str | None) -> dict[str, str]:
        site = args["site"]
        place = Account(
            id=account,
            partition=partition,
            region=site.region,
            names=site.names,
            workspace_arn=workspace_arn or f"arn:{partition}:aps:{site.region}:{account}:workspace/*",
        )
        found = network.endpoints(args["uses"], place)
        return {name: json.dumps(policy, sort_keys=True) for name, policy in found.items()}

    known = pulumi.Output.all(args["site"].account, args["site"].partition, args["workspace_arn"])
    return {
        name: known.apply(lambda values, name=name: made(*values)[name]) for name in made(PENDING, PENDING, PENDING)
    }
