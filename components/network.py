"""The VPC that a stack runs in: one of its own, with public or private subnets, or one that exists."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.endpoints import Endpoints
from components.refusal import refuse
from components.site import Site
from documents import network as networks
from documents.network import Egress, Nat, Uses

_EVERYWHERE = "0.0.0.0/0"


class NetworkArgs(TypedDict):
    """What a network needs. What tasks use (`uses`), and the AMP workspace that they write to, decide about the
    endpoints of a closed network; without the workspace, they let through to every one of the account."""

    site: Site
    network: networks.Network
    uses: NotRequired[Uses]
    workspace_arn: NotRequired[pulumi.Input[str]]


class Network(pulumi.ComponentResource):
    """VPC, subnets and the way out of them.

    Tasks run in `subnet_ids`, with public addresses or without, and wear `worn`. `public_subnet_ids` are those from
    which the internet can be reached directly, none in a closed network or in one that exists.
    Raises RefusedError if a VPC that exists does not do, or if the stack runs in another one already.
    """

    vpc_id: pulumi.Output[str]
    subnet_ids: list[pulumi.Output[str]]
    public_subnet_ids: list[pulumi.Output[str]]
    public_addresses: bool
    worn: tuple[pulumi.Output[str], ...]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse(networks.moved_faults(args["network"], _own_ranges(args["site"])))
        super().__init__("ecs-observability:index:Network", name, None, opts)
        self._name, self._site, self._network = name, args["site"], args["network"]
        self._child = pulumi.ResourceOptions(parent=self)
        self.public_subnet_ids, self.worn = [], ()
        self.public_addresses = not self._network.private
        if self._network.vpc:
            self.vpc_id, self.subnet_ids = self._existing(self._network.vpc)
        else:
            self.vpc_id, self.subnet_ids = self._made(args)
        self.register_outputs({"vpcId": self.vpc_id, "subnetIds": self.subnet_ids})

    def _existing(self, vpc_id: str) -> tuple[pulumi.Output[str], list[pulumi.Output[str]]]:
        """What is asked for by id is only read."""
        asking = pulumi.InvokeOptions(parent=self)
        vpc = aws.ec2.get_vpc(id=vpc_id, opts=asking)
        # With the VPC's id, AWS finds no subnet of another.
        subnets = [aws.ec2.get_subnet(id=each, vpc_id=vpc_id, opts=asking) for each in self._network.subnets]
        faults = networks.existing_faults(
            vpc_id,
            dns_support=vpc.enable_dns_support,
            dns_hostnames=vpc.enable_dns_hostnames,
            zones={subnet.availability_zone for subnet in subnets},
        )
        refuse(faults)
        return pulumi.Output.from_input(vpc_id), [pulumi.Output.from_input(each) for each in self._network.subnets]

    def _made(self, args: NetworkArgs) -> tuple[pulumi.Output[str], list[pulumi.Output[str]]]:
        site, network = self._site, self._network
        vpc = aws.ec2.Vpc(
            f"{self._name}-vpc",
            cidr_block=network.cidr,
            # Cloud Map's private names, and those of endpoints, resolve only in a VPC with both.
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=site.named(site.names.prefix),
            opts=self._child,
        )
        zones = aws.get_availability_zones_output(
            state="available",
            # Local Zones that an account has opted in to stand in the same list, and Fargate is not in them.
            filters=[{"name": "opt-in-status", "values": ["opt-in-not-required"]}],
            opts=pulumi.InvokeOutputOptions(parent=self),
        ).names
        if network.private:
            self.worn = (self._tasks_group(vpc),)
        if network.way_out is Egress.ENDPOINTS:
            return vpc.id, self._closed(vpc, zones, args)
        self.public_subnet_ids = self._public(vpc, zones)
        if network.way_out is Egress.NAT:
            return vpc.id, self._behind_nat(vpc, zones)
        return vpc.id, self.public_subnet_ids

    def _public(self, vpc: aws.ec2.Vpc, zones: pulumi.Output[Sequence[str]]) -> list[pulumi.Output[str]]:
        gateway = aws.ec2.InternetGateway(
            f"{self._name}-gateway", vpc_id=vpc.id, tags=self._site.named(self._site.names.prefix), opts=self._child
        )
        routes = self._routes(
            f"{self._name}-routes", vpc, "public", {"cidr_block": _EVERYWHERE, "gateway_id": gateway.id}
        )
        subnets = self._subnets("public", vpc, zones, self._network.public_ranges())
        return self._joined("public", subnets, [routes])

    def _behind_nat(self, vpc: aws.ec2.Vpc, zones: pulumi.Output[Sequence[str]]) -> list[pulumi.Output[str]]:
        """Private subnets, each routed to the NAT gateway of its zone where it has one, else to the first."""
        each = self._network.nat is Nat.PER_ZONE
        tables: list[aws.ec2.RouteTable] = []
        for index, public in enumerate(self.public_subnet_ids if each else self.public_subnet_ids[:1]):
            tags = self._site.named(f"{self._site.names.prefix}-nat-{index}")
            address = aws.ec2.Eip(f"{self._name}-nat-{index}", domain="vpc", tags=tags, opts=self._child)
            gateway = aws.ec2.NatGateway(
                f"{self._name}-nat-{index}", allocation_id=address.id, subnet_id=public, tags=tags, opts=self._child
            )
            tables.append(
                self._routes(
                    f"{self._name}-private-routes-{index}",
                    vpc,
                    f"private-{index}",
                    {"cidr_block": _EVERYWHERE, "nat_gateway_id": gateway.id},
                )
            )
        subnets = self._subnets("private", vpc, zones, self._network.private_ranges())
        return self._joined("private", subnets, tables)

    def _closed(
        self, vpc: aws.ec2.Vpc, zones: pulumi.Output[Sequence[str]], args: NetworkArgs
    ) -> list[pulumi.Output[str]]:
        """Private subnets with a way to AWS's services alone."""
        # Not the table of NAT: where one takes the place of the other, subnets change over when the new way is there.
        routes = self._routes(f"{self._name}-closed-routes", vpc, "closed", None)
        subnets = self._subnets("private", vpc, zones, self._network.private_ranges())
        endpoints = Endpoints(
            f"{self._name}-endpoints",
            {
                "site": self._site,
                "vpc_id": vpc.id,
                "subnet_ids": [subnet.id for subnet in subnets],
                "route_table_id": routes.id,
                "clients_group_id": self.worn[0],
                "uses": args.get("uses", Uses()),
                "workspace_arn": args.get("workspace_arn"),
            },
            self._child,
        )
        return self._joined("private", subnets, [routes], after=[endpoints])

    def _tasks_group(self, vpc: aws.ec2.Vpc) -> pulumi.Output[str]:
        """What tasks in private subnets wear, also those behind NAT: where endpoints come or go, the tasks that run at
        that time are let in."""
        named = self._site.names.family("tasks")
        return aws.ec2.SecurityGroup(
            f"{self._name}-tasks",
            name_prefix=f"{named}-",
            description="Worn by every task: who wears it may use endpoints",
            vpc_id=vpc.id,
            tags=self._site.named(named),
            opts=self._child,
        ).id

    def _subnets(
        self, kind: str, vpc: aws.ec2.Vpc, zones: pulumi.Output[Sequence[str]], ranges: Sequence[str]
    ) -> list[aws.ec2.Subnet]:
        return [
            aws.ec2.Subnet(
                f"{self._name}-{kind}-{index}",
                vpc_id=vpc.id,
                cidr_block=cidr,
                availability_zone=zones[index],
                tags=self._site.named(f"{self._site.names.prefix}-{kind}-{index}"),
                opts=self._child,
            )
            for index, cidr in enumerate(ranges)
        ]

    def _routes(
        self, name: str, vpc: aws.ec2.Vpc, kind: str, out: aws.ec2.RouteTableRouteArgsDict | None
    ) -> aws.ec2.RouteTable:
        return aws.ec2.RouteTable(
            name,
            vpc_id=vpc.id,
            routes=[out] if out else None,
            tags=self._site.named(f"{self._site.names.prefix}-{kind}"),
            opts=self._child,
        )

    def _joined(
        self,
        kind: str,
        subnets: Sequence[aws.ec2.Subnet],
        tables: Sequence[aws.ec2.RouteTable],
        after: Sequence[pulumi.Resource] = (),
    ) -> list[pulumi.Output[str]]:
        """The ids of subnets, known only when they are routed by their tables, or all by the one."""
        ids: list[pulumi.Output[str]] = []
        for index, subnet in enumerate(subnets):
            routed = aws.ec2.RouteTableAssociation(
                f"{self._name}-{kind}-{index}",
                subnet_id=subnet.id,
                route_table_id=tables[index % len(tables)].id,
                opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
            )
            # Because a task that starts before there is a way out cannot pull its image, nor a NAT gateway start.
            ids.append(pulumi.Output.all(subnet.id, routed.id).apply(lambda known: str(known[0])))
        return ids


def _own_ranges(site: Site) -> dict[str, str]:
    """The ranges of the VPCs that this stack has made, by id. AWS is asked, because a program cannot read the stack's
    state, and the answer is waited for, because what is refused is refused before the VPC is touched."""
    ours = site.named(site.names.prefix)
    tags = {name: ours[name] for name in ("Name", "pulumi:project", "pulumi:stack")}
    found = aws.ec2.get_vpcs(tags=tags, opts=site.asking).ids
    return {each: aws.ec2.get_vpc(id=each, opts=site.asking).cidr_block for each in found}
