"""Who can talk to whom on which port, and who gets out: what recorded security groups, rules, routes and addresses say.

Only what is recorded counts: rules that others add to a group, and the routes of subnets that exist already, are not
known here.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from preview import wiring
from preview.recording import Recording, Resource

_GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
_INGRESS: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_EGRESS: Final = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
_TASK: Final = "ecs-observability:index:Task"
_TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
_TABLE: Final = "aws:ec2/routeTable:RouteTable"
_ASSOCIATION: Final = "aws:ec2/routeTableAssociation:RouteTableAssociation"

ANYWHERE: Final = "anywhere"
"""Everybody in the internet."""

NEAR: Final = "everything in the VPC"

_EVERYBODY: Final = ("0.0.0.0/0", "::/0")
_EVERYTHING: Final = "-1"

INTERNET: Final = "into the internet, from public addresses"
NAT: Final = "into the internet through NAT, from which nothing comes back unasked"
ENDPOINTS: Final = "to the AWS services that the VPC has endpoints of, and nowhere else"
NOWHERE: Final = "nowhere outside of the VPC"
UNKNOWN_ROUTES: Final = "wherever the routes of subnets lead that exist already"


@dataclass(frozen=True, order=True)
class Reach:
    """`source` can open connections to `target`. A source that is nothing of the stack is named as the rule names it:
    a range of addresses, or a security group of others."""

    source: str
    target: str
    traffic: str


@dataclass(frozen=True)
class _Rule:
    """What a security group lets in or out: traffic, and the other side as groups of the stack, by URN, and others."""

    protocol: str
    first: int
    last: int
    groups: frozenset[str]
    others: tuple[str, ...]

    @property
    def traffic(self) -> str:
        if self.protocol == _EVERYTHING:
            return "everything"
        ports = f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"
        return f"{self.protocol.upper()} {ports}"

    def covers(self, other: "_Rule") -> bool:
        """Whether all that `other` lets pass is let pass here."""
        same = self.protocol == other.protocol and self.first <= other.first and other.last <= self.last
        return self.protocol == _EVERYTHING or same


@dataclass(frozen=True)
class _Placed:
    """An ECS service or task where it stands; a subnet that is not the stack's is None."""

    name: str
    subnets: tuple[Resource | None, ...]
    groups: frozenset[str]
    public_address: bool


@dataclass(frozen=True)
class _End:
    """Something with an address: a service, a load balancer, instances, an endpoint. `public` is whether the internet
    knows it."""

    name: str
    groups: frozenset[str]
    public: bool


def reaches(recording: Recording) -> list[Reach]:
    """Everything that can be reached, sorted."""
    inwards, outwards = _rules(recording, _INGRESS, "ingress"), _rules(recording, _EGRESS, "egress")
    ends = list(_ends(recording))
    found: set[Reach] = set()
    for target in ends:
        for rule in _of(inwards, target):
            found.update(
                Reach(source.name, target.name, rule.traffic)
                for source in ends
                if source.groups & rule.groups and _sends(_of(outwards, source), target, rule)
            )
            found.update(Reach(_range(other, target), target.name, rule.traffic) for other in rule.others)
    return sorted(found)


def ways_out(recording: Recording) -> dict[str, str]:
    """Where each ECS service and each task gets outside of the VPC, by its name."""
    return {one.name: _way_out(recording, one) for one in _placed(recording)}


def lines(recording: Recording) -> Iterator[str]:
    """Markdown: a table of who is reached, and a list of who gets out. Nothing where nothing has an address."""
    ends = [end.name for end in _ends(recording)]
    if not ends:
        return
    yield "| who is reached | on | by |"
    yield "|---|---|---|"
    by_target: dict[str, dict[tuple[str, ...], list[str]]] = {name: {} for name in ends}
    for (target, traffic), sources in _grouped(
        ((reach.target, reach.traffic), reach.source) for reach in reaches(recording)
    ).items():
        by_target[target].setdefault(tuple(sources), []).append(traffic)
    alike = _grouped(
        ((tuple(traffics), sources), name)
        for name, rows in by_target.items()
        for sources, traffics in (rows or {(): []}).items()
    )
    for (traffics, sources), names in alike.items():
        yield f"| {_listed(names)} | {', '.join(traffics) or 'nothing'} | {_listed(sources) or 'nobody'} |"
    yield ""
    for way, names in _grouped((way, name) for name, way in ways_out(recording).items()).items():
        yield f"- {_listed(names)}: {way}"


def _grouped(pairs: Iterable[tuple[Any, str]]) -> dict[Any, list[str]]:
    found: defaultdict[Any, list[str]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return found


def _listed(names: Iterable[str]) -> str:
    return ", ".join(name if name in (ANYWHERE, NEAR) else f"`{name}`" for name in names)


def _placed(recording: Recording) -> Iterator[_Placed]:
    for service in recording.of_type(wiring.SERVICE):
        network = wiring.table(service.inputs.get("networkConfiguration"))
        subnets = tuple(wiring.meant(recording, each, wiring.SUBNET) for each in wiring.items(network.get("subnets")))
        groups = _groups(recording, network.get("securityGroups"))
        yield _Placed(wiring.aws_name(service), subnets, groups, bool(network.get("assignPublicIp")))
    for task in recording.of_type(_TASK):
        # Where a task will be that is not running, only the command says that runs it.
        command = wiring.text(task.outputs.get("runCommand"))
        named = [found[0] for found in wiring.PLACEHOLDER.finditer(command)]
        subnets = tuple(filter(None, (wiring.meant(recording, each, wiring.SUBNET) for each in named))) or (None,)
        yield _Placed(task.name, subnets, _groups(recording, named), "assignPublicIp=ENABLED" in command)


def _ends(recording: Recording) -> Iterator[_End]:
    for one in _placed(recording):
        known = one.public_address and _way_out(recording, one) in (INTERNET, UNKNOWN_ROUTES)
        yield _End(one.name, one.groups, known)
    for balancer in recording.of_type(wiring.BALANCER):
        groups = _groups(recording, balancer.inputs.get("securityGroups"))
        yield _End(wiring.aws_name(balancer), groups, not balancer.inputs.get("internal"))
    for template in recording.of_type(_TEMPLATE):
        interfaces = map(wiring.table, wiring.items(template.inputs.get("networkInterfaces")))
        worn = [group for one in interfaces for group in wiring.items(one.get("securityGroups"))]
        yield _End(f"instances {wiring.aws_name(template)}", _groups(recording, worn), public=False)
    for endpoint in recording.of_type(wiring.ENDPOINT):
        if groups := _groups(recording, endpoint.inputs.get("securityGroupIds")):
            name = wiring.text(endpoint.inputs.get("serviceName")).removeprefix(f"com.amazonaws.{recording.region}.")
            yield _End(f"endpoint {name}", groups, public=False)


def _groups(recording: Recording, values: Any) -> frozenset[str]:
    return frozenset(
        group.urn for value in wiring.items(values) if (group := wiring.meant(recording, value, _GROUP)) is not None
    )


def _rules(recording: Recording, kind: str, inline: str) -> Mapping[str, list[_Rule]]:
    """The rules of one direction by the URN of their group."""
    found: defaultdict[str, list[_Rule]] = defaultdict(list)
    for rule in recording.of_type(kind):
        if group := wiring.meant(recording, rule.inputs.get("securityGroupId"), _GROUP):
            found[group.urn].append(_rule(recording, rule.inputs))
    for group in recording.of_type(_GROUP):
        for rule in map(wiring.table, wiring.items(group.inputs.get(inline))):
            found[group.urn].append(_rule(recording, rule, group))
    return found


def _rule(recording: Recording, rule: Mapping[str, Any], own: Resource | None = None) -> _Rule:
    one = rule.get("referencedSecurityGroupId") or rule.get("sourceSecurityGroupId")
    named = [one] if one else list(wiring.items(rule.get("securityGroups")))
    groups = {value: wiring.meant(recording, value, _GROUP) for value in map(wiring.text, named)}
    others = [value for value, group in groups.items() if group is None]
    for key in ("cidrIpv4", "cidrIpv6", "prefixListId", "cidrBlocks", "ipv6CidrBlocks", "prefixListIds"):
        value = rule.get(key)
        others += [value] if isinstance(value, str) else map(wiring.text, wiring.items(value))
    known = {group.urn for group in groups.values() if group}
    if own is not None and rule.get("self"):
        known.add(own.urn)
    return _Rule(
        protocol=wiring.text(rule.get("ipProtocol") or rule.get("protocol")),
        first=_port(rule.get("fromPort")),
        last=_port(rule.get("toPort")),
        groups=frozenset(known),
        others=tuple(others),
    )


def _port(value: Any) -> int:
    return value if isinstance(value, int) else -1


def _of(rules: Mapping[str, list[_Rule]], end: _End) -> list[_Rule]:
    return [rule for group in sorted(end.groups) for rule in rules.get(group, ())]


def _sends(outwards: Iterable[_Rule], target: _End, wanted: _Rule) -> bool:
    """Whether a rule lets out what `wanted` lets in. A range is taken to hold the target: nobody knows its address."""
    return any(rule.covers(wanted) and (rule.others or rule.groups & target.groups) for rule in outwards)


def _range(value: str, target: _End) -> str:
    if value in _EVERYBODY:
        return ANYWHERE if target.public else NEAR
    return value


def _way_out(recording: Recording, placed: _Placed) -> str:
    routes = [route for subnet in placed.subnets if subnet for route in _routes(recording, subnet)]
    if None in placed.subnets or not placed.subnets:
        return UNKNOWN_ROUTES
    if any("natGatewayId" in route for route in routes):
        return NAT
    if placed.public_address and any("gatewayId" in route for route in routes):
        return INTERNET
    return ENDPOINTS if recording.of_type(wiring.ENDPOINT) else NOWHERE


def _routes(recording: Recording, subnet: Resource) -> Iterator[Mapping[str, Any]]:
    for association in recording.of_type(_ASSOCIATION):
        if wiring.meant(recording, association.inputs.get("subnetId"), wiring.SUBNET) == subnet:
            table = wiring.meant(recording, association.inputs.get("routeTableId"), _TABLE)
            yield from map(wiring.table, wiring.items(table.inputs.get("routes") if table else ()))
