"""The network of a stack: which subnets its tasks stand in, how they get out of them, and what may leave.

A closed network has endpoints of AWS's services instead of a way into the internet. What passes them is what the roles
of the stack's tasks allow, said once more where it leaves.
"""

import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from documents import containers, policies
from documents.central import Central
from documents.faults import Fault, wrong
from documents.model import Model, Whole, is_placeholder
from documents.names import COLLECTOR, Names
from documents.policies import Policy, Statement
from documents.signals import Destination, Receiver, Traces


class Egress(StrEnum):
    """How tasks in private subnets get out: into the internet by NAT, or to AWS's services alone."""

    NAT = "nat"
    ENDPOINTS = "endpoints"


class Nat(StrEnum):
    """How many NAT gateways: one for all zones, or one in each, so that no zone depends on another."""

    ONE = "one"
    PER_ZONE = "perZone"


def _id(kind: str) -> AfterValidator:
    def check(value: str) -> str:
        if not is_placeholder(value) and not re.fullmatch(rf"{kind}-[0-9a-f]{{8}}(?:[0-9a-f]{{9}})?", value):
            raise wrong(f"is not the id of a {_KINDS[kind]}", f"write it as {kind}-0123456789abcdef0")
        return value

    return AfterValidator(check)


_KINDS: Final = {"vpc": "VPC", "subnet": "subnet"}
VpcId = Annotated[str, _id("vpc")]
SubnetId = Annotated[str, _id("subnet")]

LEAST_ZONES: Final = 2


class Network(Model):
    """Either a VPC of the stack with subnets in each zone, or one that exists."""

    subnets: tuple[SubnetId, ...] = ()
    """Ids of the subnets of `vpc`, in two availability zones at least."""
    # Judged also where it is left out: subnets alone name no VPC.
    vpc: Annotated[VpcId | None, Field(validate_default=True)] = None
    """Id of a VPC that exists; left out, one is made. docs/networks.md#a-vpc-that-exists."""
    private: bool = False
    """Whether tasks stand in private subnets, without public addresses; docs/networks.md."""
    cidr: str = "10.0.0.0/16"
    """IPv4 range of the VPC that is made, /16 to /24."""
    zones: Annotated[Whole, Field(ge=LEAST_ZONES, le=3)] = 2
    """Availability zones with a subnet each."""
    egress: Egress | None = None
    """How private tasks get out: by NAT (left out, that), or to the AWS services that they use by endpoints;
    docs/networks.md#a-closed-network."""
    nat: Nat | None = None
    """NAT gateways: one for all zones (left out, that), or one in each."""

    @field_validator("subnets")
    @classmethod
    def _several(cls, subnets: tuple[str, ...]) -> tuple[str, ...]:
        if subnets and len(set(subnets)) < max(LEAST_ZONES, len(subnets)):
            raise wrong("does not name different subnets", f"give one in each of at least {LEAST_ZONES} zones")
        return subnets

    @field_validator("vpc")
    @classmethod
    def _with_subnets(cls, vpc: str | None, info: ValidationInfo) -> str | None:
        subnets = info.data.get("subnets")
        if vpc is None and subnets:
            raise wrong("is missing beside subnets", "give the id of their VPC", secret=True)
        if vpc is not None and subnets == ():
            raise wrong("comes without subnets", f"give subnets, one in each of at least {LEAST_ZONES} zones")
        return vpc

    @field_validator("cidr", "zones", "egress", "nat")
    @classmethod
    def _own(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None and info.data.get("vpc"):
            raise wrong("is of a VPC that is made here, and vpc names one that exists", "leave one of the two out")
        return value

    @field_validator("cidr")
    @classmethod
    def _vpc_range(cls, value: str) -> str:
        try:
            network = ipaddress.IPv4Network(value)
        except ValueError:
            raise wrong("is not an IPv4 range", "write it as 10.0.0.0/16") from None
        if not 16 <= network.prefixlen <= 24:
            raise wrong("is no size for the VPC of a stack", "choose a prefix length from /16 to /24")
        return value

    @field_validator("egress", "nat")
    @classmethod
    def _of_private(cls, value: StrEnum | None, info: ValidationInfo) -> StrEnum | None:
        if value is not None and info.data.get("private") is False:
            raise wrong("is for private subnets, and these are public", "add private: true, or leave it out")
        return value

    @field_validator("nat")
    @classmethod
    def _of_nat(cls, value: Nat | None, info: ValidationInfo) -> Nat | None:
        if value is not None and info.data.get("egress") is Egress.ENDPOINTS:
            raise wrong("counts NAT gateways, and with endpoints there are none", "leave it out")
        return value

    @property
    def way_out(self) -> Egress | None:
        """How private subnets that are made here get out; none of public ones, and none of those that exist."""
        return (self.egress or Egress.NAT) if self.private and self.vpc is None else None

    def public_ranges(self) -> list[str]:
        """A range for the public subnet of each zone: sixteenths of the VPC, in its first quarter."""
        return self._ranges(4)[: self.zones]

    def private_ranges(self) -> list[str]:
        """A range for the private subnet of each zone: the quarters of the VPC that no public subnet is in."""
        return self._ranges(2)[1 : self.zones + 1]

    def _ranges(self, halvings: int) -> list[str]:
        return [str(part) for part in ipaddress.IPv4Network(self.cidr).subnets(prefixlen_diff=halvings)]


@dataclass(frozen=True)
class Uses:
    """What the tasks of a stack use outside of it. `images` and `secrets` are those that its user names, by key;
    `sessions` are those of ECS Exec, `log_groups` are names of those of others, `routed` is what log routers do
    besides, `central` the account that metrics are for, if that is another."""

    images: Mapping[str, str] = field(default_factory=dict[str, str])
    secrets: Mapping[str, str] = field(default_factory=dict[str, str])
    traces: Traces = field(default_factory=Traces)
    receivers: frozenset[Receiver] = frozenset()
    destinations: tuple[Destination, ...] = ()
    scrapes: bool = False
    sessions: bool = False
    log_groups: tuple[str, ...] = ()
    routed: tuple[Statement, ...] = ()
    central: Central | None = None


@dataclass(frozen=True)
class Account:
    """Where it all is, and what of it belongs to the stack."""

    id: str
    partition: str
    region: str
    names: Names
    workspace_arn: str

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource in this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.id}:{resource}"


S3: Final = "s3"
"""The one service whose endpoint is a route and not an address: a gateway endpoint, which costs nothing."""

_ENDPOINTS: Final = {
    "aps": ("aps-workspaces",),
    # A task on Fargate asks the one for its login and the other for its images; their layers are in S3.
    "ecr": ("ecr.api", "ecr.dkr"),
    "servicediscovery": ("data-servicediscovery",),
    "firehose": ("kinesis-firehose",),
    "kinesis": ("kinesis-streams",),
    # Mounted from an address in the VPC; and S3 and Secrets Manager decrypt on behalf of who asks them.
    "elasticfilesystem": (),
    "kms": (),
}
"""Endpoints of a service by its prefix in IAM, where they are not named like it (AWS PrivateLink Guide, "AWS services
that integrate with AWS PrivateLink")."""


def names(services: Iterable[str]) -> list[str]:
    """The endpoints that reach services, which are given by their prefixes in IAM."""
    return sorted({name for service in services for name in _ENDPOINTS.get(service, (service,))})


def service_of(statement: Statement) -> str:
    """The service of a statement's actions, by its prefix in IAM."""
    actions = statement["Action"]
    return (actions if isinstance(actions, str) else actions[0]).partition(":")[0]


def endpoints(uses: Uses, account: Account) -> dict[str, Policy]:
    """The policy of each endpoint that a closed network needs, by the end of its service's name.

    It lets principals of the account do what the stack's own roles may, those of a central account what their role may,
    and nothing else. The names do not depend on `account`.
    """
    passing: dict[str, list[Statement]] = {}
    granted = [(statement, account.id) for statement in _statements(uses, account)]
    if central := uses.central:
        # What is sent with a session of its role is signed by nobody of this account.
        entrances = (uses.traces.endpoint,) if central.traces else ()
        granted += [(one, central.account) for one in policies.central_write(central.workspace, entrances)]
    for statement, owner in granted:
        for name in names([service_of(statement)]):
            passing.setdefault(name, []).append(_of_account(statement, owner))
    passing[S3].append(_layers(account))
    return {name: policies.policy(passing[name]) for name in sorted(passing)}


def _statements(uses: Uses, account: Account) -> list[Statement]:
    repositories = {account.arn("ecr", f"repository/{account.names.prefix}/*")}
    repositories.update(policies.repository_arns(uses.images.values(), account.partition))
    log_groups = account.arn("logs", f"log-group:{account.names.log_group('*')}")
    found = [
        *policies.telemetry_write(account.workspace_arn, uses.traces, uses.central),
        *policies.sampling_rules(uses.receivers),
        *policies.execution(
            repositories=repositories,
            log_group_arn=log_groups,
            secrets=uses.secrets.values(),
        ),
        *policies.read_configurations(f"arn:{account.partition}:s3:::{account.names.bucket(account.id)}", "collector"),
    ]
    if uses.scrapes:
        cluster, tasks = (account.arn("ecs", f"{what}/{account.names.cluster}") for what in ("cluster", "task"))
        found += policies.find_tasks(cluster, f"{tasks}/*")
    if uses.sessions:
        found += containers.sessions(log_groups)
    if uses.log_groups:
        found.append(_log_groups_of_others(uses, account))
    found += [{**statement, "Sid": f"RouteLogs{index}"} for index, statement in enumerate(uses.routed)]
    if uses.traces.tail:
        found += policies.find_peers(account.names.namespace, COLLECTOR)
    return found


def _log_groups_of_others(uses: Uses, account: Account) -> Statement:
    """The agent of a session asks for streams besides."""
    sessions = ["logs:DescribeLogStreams"] if uses.sessions else []
    return {
        "Sid": "WriteLogsOfOthers",
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", *sessions, "logs:PutLogEvents"],
        "Resource": [account.arn("logs", f"log-group:{name}:*") for name in uses.log_groups],
    }


def _of_account(statement: Statement, account: str) -> Statement:
    """The same for whoever is of the account: with keys of another, nothing of ours can be carried off."""
    conditions = dict[str, Any](statement.get("Condition", {}))
    conditions["StringEquals"] = {**conditions.get("StringEquals", {}), "aws:PrincipalAccount": account}
    return {**statement, "Principal": "*", "Condition": conditions}


def _layers(account: Account) -> Statement:
    """ECR hands out signed addresses of layers in a bucket of its own, so the principal is none of the account's
    (Amazon ECR User Guide, "Minimum Amazon S3 Bucket Permissions for Amazon ECR")."""
    bucket = f"arn:{account.partition}:s3:::prod-{account.region}-starport-layer-bucket/*"
    return {"Sid": "PullLayers", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": bucket}


def faults(network: Network, uses: Uses, region: str) -> list[Fault]:
    """What tasks of a closed network would wait for in vain."""
    if network.way_out is not Egress.ENDPOINTS:
        return []
    found: list[Fault] = []
    for key, image in uses.images.items():
        if is_placeholder(image):
            continue
        repository = policies.repository_arn(image, "aws")
        if repository is None or repository.split(":")[3] != region:
            found.append(
                Fault(
                    key,
                    "cannot be pulled from a closed network, whose endpoints reach private ECR of this region alone",
                    f"name its copy there, as 123456789012.dkr.ecr.{region}.amazonaws.com/..., for example by a "
                    "pull-through cache (docs/networks.md), or choose network.egress: nat",
                    image,
                )
            )
    found += [
        Fault(
            key,
            "is in another region, and the endpoints of a closed network reach this one alone",
            f"replicate it to {region}, or choose network.egress: nat",
        )
        for key, arn in uses.secrets.items()
        if arn.startswith("arn:") and arn.split(":")[3] != region
    ]
    found += [
        Fault(
            f"destinations.{index}.endpoint",
            "is outside of AWS, and a closed network has no way there",
            "choose network.egress: nat, or leave the destination out",
        )
        for index, _ in enumerate(uses.destinations)
    ]
    return found


def moved_faults(network: Network, running: Mapping[str, str]) -> list[Fault]:
    """Why a stack that runs cannot have this network. `running` are the ranges of the VPCs that it has made, by id.

    A VPC keeps its range, and neither services nor the names by which they find each other go to another VPC: Pulumi
    would make a second one and fail half-way to delete the first, in which services still run.
    """
    remedy = "restore what it was, or deploy a second stack with this network beside this one and destroy this one"
    if network.vpc:
        return [
            Fault(
                "network.vpc", f"is not {own}, in which the stack runs and which it cannot leave", remedy, network.vpc
            )
            for own in running
        ]
    return [
        Fault("network.cidr", f"is not the range of the stack's {own}, which has {cidr} and can have no other", remedy)
        for own, cidr in running.items()
        if cidr != str(ipaddress.IPv4Network(network.cidr))
    ]


def existing_faults(vpc: str, *, dns_support: bool, dns_hostnames: bool, zones: Collection[str]) -> list[Fault]:
    """Why a VPC that exists does not do. `zones` are the availability zones of its subnets."""
    found: list[Fault] = []
    if missing := [
        attribute
        for attribute, on in (("DNS support", dns_support), ("DNS hostnames", dns_hostnames))
        if not on
    ]:  # fmt: skip
        found.append(
            Fault(
                "network.vpc",
                f"has {' and '.join(missing)} turned off, and the private names of services resolve only with both",
                "turn them on in the VPC, which is not changed from here",
                vpc,
            )
        )
    if len(set(zones)) < LEAST_ZONES:
        found.append(
            Fault("network.subnets", "are all in one zone", f"give one in each of at least {LEAST_ZONES} zones")
        )
    return found
