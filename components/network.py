"""A small VPC: public subnets in several zones, no NAT gateway to pay for."""

import ipaddress
from typing import TypedDict

import pulumi
import pulumi_aws as aws

from components.site import Site
from documents import inputs


class NetworkArgs(TypedDict):
    """What a network needs."""

    site: Site
    network: inputs.Network


class Network(pulumi.ComponentResource):
    """VPC, internet gateway, and one public subnet for each zone; tasks get public addresses and closed groups."""

    vpc_id: pulumi.Output[str]
    subnet_ids: list[pulumi.Output[str]]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecs-observability:index:Network", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        site, network = args["site"], args["network"]
        vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=network.cidr,
            # Cloud Map's private names resolve only in a VPC with both.
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=site.named(site.names.prefix),
            opts=child,
        )
        gateway = aws.ec2.InternetGateway(
            f"{name}-gateway", vpc_id=vpc.id, tags=site.named(site.names.prefix), opts=child
        )
        routes = aws.ec2.RouteTable(
            f"{name}-routes",
            vpc_id=vpc.id,
            routes=[{"cidr_block": "0.0.0.0/0", "gateway_id": gateway.id}],
            tags=site.named(f"{site.names.prefix}-public"),
            opts=child,
        )
        zones = aws.get_availability_zones_output(
            state="available",
            # Local Zones that an account has opted in to stand in the same list, and Fargate is not in them.
            filters=[{"name": "opt-in-status", "values": ["opt-in-not-required"]}],
            opts=pulumi.InvokeOutputOptions(parent=self),
        ).names
        self.vpc_id = vpc.id
        self.subnet_ids = []
        for index, cidr in enumerate(_subnets(network)):
            subnet = aws.ec2.Subnet(
                f"{name}-public-{index}",
                vpc_id=vpc.id,
                cidr_block=cidr,
                availability_zone=zones[index],
                tags=site.named(f"{site.names.prefix}-public-{index}"),
                opts=child,
            )
            routed = aws.ec2.RouteTableAssociation(
                f"{name}-public-{index}", subnet_id=subnet.id, route_table_id=routes.id, opts=child
            )
            # Known with the association, because a task that starts before there is a route cannot pull its image.
            self.subnet_ids.append(pulumi.Output.all(subnet.id, routed.id).apply(lambda ids: str(ids[0])))
        self.register_outputs({"vpcId": self.vpc_id, "subnetIds": self.subnet_ids})


def _subnets(network: inputs.Network) -> list[str]:
    """One range for each zone; the rest of the VPC stays free for private subnets."""
    ranges = ipaddress.IPv4Network(network.cidr).subnets(prefixlen_diff=4)
    return [str(next(ranges)) for _ in range(network.zones)]
