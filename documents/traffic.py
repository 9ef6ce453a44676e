"""How requests from outside reach applications: the load balancer of a stack, and what of its traffic is whose.

Sources of the limits: Elastic Load Balancing, Application Load Balancers, "Quotas" (condition values of a rule,
priorities), "Listener rules" (the letters of host and path patterns) and "Health checks for target groups".
"""

import hashlib
import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from documents.faults import Fault, wrong
from documents.model import Model, Whole, is_placeholder, some
from documents.network import LEAST_ZONES, Egress, Network, SubnetId

EVERYTHING: Final = "/*"
"""The path pattern of every request."""

TLS_POLICY: Final = "ELBSecurityPolicy-TLS13-1-2-2021-06"
"""TLS 1.3, and 1.2 with forward secrecy."""

TARGET_PORT: Final = 80
"""What a target group is told. ECS registers each task with the port of its container, so that a new port of an
application does not replace its target groups."""

MOST_VALUES: Final = 5
"""Hosts, paths and headers of one rule together."""

RULES: Final = 3
"""The priorities that one application has: of the rule for tests, of the one that ECS shifts, and of the one that
nobody shifts. Each kind of rule has its own, because the new one is made before the old one goes."""

_MOST_PRIORITY: Final = 50_000
_LONGEST_LITERAL: Final = 32
_HOST_KINDS: Final = 3
_SLOTS: Final = _MOST_PRIORITY // (RULES * _HOST_KINDS * (_LONGEST_LITERAL + 1))
"""Applications whose rules are equally specific."""

_WILDCARDS: Final = frozenset("*?")

_ANYBODY: Final = ("0.0.0.0/0",)
_PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")

_CERTIFICATE: Final = re.compile(r"arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[0-9a-f-]+")
_LISTENER: Final = re.compile(
    r"arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:listener/(?P<balancer>app/[A-Za-z0-9-]{1,32}/[0-9a-f]+)/[0-9a-f]+"
)
_GROUP: Final = re.compile(r"sg-[0-9a-f]{8,17}")
_ZONE: Final = re.compile(r"Z[A-Z0-9]{1,31}")
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN: Final = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)+{_LABEL}")
_HOST: Final = re.compile(r"(?=.{1,128}\Z)[a-z0-9*?-]+(?:\.[a-z0-9*?-]+)+")
_PATH: Final = re.compile(r"(?=.{1,128}\Z)/[A-Za-z0-9_.$/~\"'@:+&*?-]*")
_CODES: Final = re.compile(r"[2-4]\d\d(?:(?:,|-)[2-4]\d\d)*")


def _certificate(value: str) -> str:
    if not _CERTIFICATE.fullmatch(value):
        example = "arn:aws:acm:eu-west-1:123456789012:certificate/..."
        raise wrong("is not the ARN of a certificate in ACM", f"write it as {example}")
    return value


def _listener(value: str) -> str:
    if not _LISTENER.fullmatch(value):
        raise wrong(
            "is not the ARN of a listener of an Application Load Balancer",
            "write it as arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/name/0123456789abcdef/...",
        )
    return value


def _security_group(value: str) -> str:
    if not _GROUP.fullmatch(value):
        raise wrong("is not the id of a security group", "write it as sg-0123456789abcdef0")
    return value


def _zone(value: str) -> str:
    if not is_placeholder(value) and not _ZONE.fullmatch(value):
        raise wrong("is not the id of a hosted zone", "write it as Z0123456789ABCDEFGHIJ")
    return value


def _domain(value: str) -> str:
    if not _DOMAIN.fullmatch(value):
        raise wrong("is not a domain name in lower case", "for example shop.example.com or *.example.com")
    return value


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise wrong("is not a host in lower case", "for example shop.example.com or *.example.com")
    return value


def _path(value: str) -> str:
    if not _PATH.fullmatch(value):
        raise wrong("is not a path that a listener compares", "begin it with a slash, for example /api/*")
    return value


def _plain_path(value: str) -> str:
    if not re.fullmatch(r"/[!-~]{0,1023}", value):
        raise wrong("is not the path of a URL", "begin it with a slash, for example /healthz")
    return value


def _range(value: str) -> str:
    try:
        return str(ipaddress.IPv4Network(value))
    except ValueError:
        raise wrong("is not an IPv4 range", "write it as 203.0.113.0/24") from None


def _codes(value: str) -> str:
    if not _CODES.fullmatch(value):
        raise wrong("is no list of status codes from 200 to 499", "write it as 200, 200-299 or 200,302")
    return value


def _several(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) < max(LEAST_ZONES, len(values)):
        raise wrong("does not name different subnets", f"give one in each of at least {LEAST_ZONES} zones")
    return values


Domain = Annotated[str, AfterValidator(_domain)]


class Certificate(Model):
    """A certificate to be made for `domain` and `alternatives`, validated by records in the hosted zone `zone`."""

    domain: Domain
    """The host name that it is for."""
    alternatives: tuple[Domain, ...] = ()
    """Other host names that it is for."""
    zone: Annotated[str, AfterValidator(_zone)]
    """Id of the Route 53 zone that validates it."""

    @property
    def names(self) -> tuple[str, ...]:
        """What it is for."""
        return (self.domain, *self.alternatives)

    @property
    def records(self) -> tuple[str, ...]:
        """Names with a validation record of their own: a wildcard shares that of the domain it stands under."""
        first = {name.removeprefix("*."): name for name in reversed(self.names)}
        return tuple(name for name in dict.fromkeys(self.names) if first[name.removeprefix("*.")] == name)

    def covers(self, host: str) -> bool:
        """Whether browsers accept it for a host."""
        return host in self.names or f"*.{host.partition('.')[2]}" in self.names


class ExistingBalancer(Model):
    """A load balancer of somebody else: its HTTPS listener, and the security group that it wears."""

    listener_arn: Annotated[str, AfterValidator(_listener)]
    """ARN of an HTTPS listener."""
    security_group_id: Annotated[str, AfterValidator(_security_group)]
    """Id of its load balancer's security group."""

    @property
    def arn_suffix(self) -> str:
        """The load balancer as CloudWatch names it, `app/name/id`."""
        return _LISTENER.sub(r"\g<balancer>", self.listener_arn)


class LoadBalancer(Model):
    """The Application Load Balancer that a stack's applications share: made for the stack, with a certificate, or an
    `existing` one. `clients` are the IPv4 ranges that may connect; `subnets` are where it stands, in two zones
    at least, and those of the stack's network where they are left out."""

    certificate_arn: Annotated[str, AfterValidator(_certificate)] | None = None
    """ARN of a certificate in ACM, in the stack's region."""
    certificate: Certificate | None = None
    """A certificate to be made."""
    existing: ExistingBalancer | None = None
    """A load balancer that exists."""
    internal: bool = False
    """Whether it has private addresses only."""
    clients: Annotated[tuple[Annotated[str, AfterValidator(_range)], ...], AfterValidator(some)] | None = None
    """IPv4 ranges that may connect; left out, everybody, with `internal` all private addresses."""
    subnets: Annotated[tuple[SubnetId, ...], AfterValidator(_several)] | None = None
    """Ids of the subnets in which it stands, in two availability zones at least; left out, those of the network."""
    access_logs: bool = True
    """Whether requests are logged to a bucket of the stack."""
    deletion_protection: bool = False
    """Whether AWS refuses to delete it."""

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        said = {key for key, field in type(self).model_fields.items() if getattr(self, key) != field.default}
        sources = said & {"certificate_arn", "certificate", "existing"}
        if said and len(sources) != 1:
            raise wrong(
                "has not one of certificateArn, certificate and existing",
                "give the certificate of a load balancer that is made, or one that exists",
            )
        if self.existing and said != sources:
            raise wrong("has existing and options of one that is made", "leave the others out: it is not changed")
        return self

    @property
    def wanted(self) -> bool:
        """Whether there is to be one: with nothing said of it, there is none."""
        return bool(self.certificate_arn or self.certificate or self.existing)

    @property
    def admitted(self) -> tuple[str, ...]:
        """The ranges that may connect: everybody, or whoever has a private address where it is internal."""
        return self.clients or (_PRIVATE if self.internal else _ANYBODY)


class TargetHealth(Model):
    """How the load balancer asks a task whether it is well."""

    path: Annotated[str, AfterValidator(_plain_path)] = "/"
    """What the load balancer asks a task for."""
    codes: Annotated[str, AfterValidator(_codes)] = "200"
    """Status codes that are well, such as 200-299 or 200,302."""
    interval: Annotated[Whole, Field(ge=5, le=300)] = 15
    """Seconds from one question to the next."""
    timeout: Annotated[Whole, Field(ge=2, le=120)] = 5
    """Seconds until a question has failed; less than `interval`."""
    healthy: Annotated[Whole, Field(ge=2, le=10)] = 2
    """Answers in a row until a task is well."""
    unhealthy: Annotated[Whole, Field(ge=2, le=10)] = 3
    """Failures in a row until it is not."""
    grace: Annotated[Whole, Field(ge=0, le=86_400)] = 60
    """Seconds after its start in which no task is replaced because of it."""

    @field_validator("timeout")
    @classmethod
    def _in_time(cls, timeout: int, info: ValidationInfo) -> int:
        if timeout >= info.data.get("interval", timeout + 1):
            raise wrong("is not less than interval", f"give less than {info.data['interval']}")
        return timeout


class Split(Model):
    """A lasting share of the requests of another application."""

    of: str
    """Name of the other application."""
    percent: Annotated[Whole, Field(ge=1, le=99)]
    """Percent of its requests."""


class Traffic(Model):
    """The requests that an application gets: those with one of its hosts and one of its paths, or a share of those that
    another application has."""

    hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = ()
    """Host names in lower case, `*` and `?` are wildcards; left out, any."""
    paths: Annotated[tuple[Annotated[str, AfterValidator(_path)], ...], AfterValidator(some)] = (EVERYTHING,)
    """Path patterns, with the same wildcards; hosts and paths are five at most."""
    priority: Annotated[Whole, Field(ge=1, le=_MOST_PRIORITY - RULES + 1)] | None = None
    """The first of three priorities of its rules; left out, computed.
    docs/traffic.md#which-application-gets-a-request."""
    split: Split | None = None
    """Instead of hosts and paths, a lasting share of another application's requests;
    docs/traffic.md#a-lasting-split."""
    health_check: TargetHealth = TargetHealth()
    """How the load balancer asks a task whether it is well."""
    drain: Annotated[Whole, Field(ge=0, le=3600)] = 30
    """Seconds in which a task that is to go may finish requests."""

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if self.split and (self.hosts, self.paths, self.priority) != ((), (EVERYTHING,), None):
            raise wrong(
                "has split and requests of its own", "leave hosts, paths and priority out: they are the other's"
            )
        return self

    @model_validator(mode="after")
    def _fits_a_rule(self) -> Self:
        if (number := len(self.hosts) + len(self.paths)) > MOST_VALUES:
            raise wrong(
                f"has {number} hosts and paths, and a rule takes {MOST_VALUES}",
                "use wildcards, or an application for each group of them",
            )
        return self

    @property
    def exact_hosts(self) -> tuple[str, ...]:
        """The hosts without wildcards."""
        return tuple(host for host in self.hosts if not _WILDCARDS.intersection(host))

    @property
    def conditions(self) -> list[Any]:
        """The conditions of its rules, as the provider has them."""
        hosts = [{"host_header": {"values": list(self.hosts)}}] if self.hosts else []
        return [*hosts, {"path_pattern": {"values": list(self.paths)}}]


def priorities(wanted: Mapping[str, Traffic]) -> dict[str, int]:
    """The first of the three priorities of each application's rules, by name.

    Rules are tried in the order of their priorities, so that those of a host come before those of any host, and those
    of a longer path before those of a shorter one. Which one it is among equals follows from the application's name: a
    new application at the end of the list moves no other.
    """
    found = {name: one.priority for name, one in wanted.items() if one.priority is not None}
    taken = set(found.values())
    for name, one in wanted.items():
        if name not in found and one.split is None:
            found[name] = next(first for first in _candidates(name, one) if not _meets(first, taken))
            taken.add(found[name])
    return found


def _candidates(name: str, traffic: Traffic) -> Iterator[int]:
    band = _host_kind(traffic) * (_LONGEST_LITERAL + 1) + _LONGEST_LITERAL - min(map(_literal, traffic.paths))
    start = int(hashlib.sha256(name.encode()).hexdigest(), 16)
    for step in range(_SLOTS):
        yield 1 + RULES * (band * _SLOTS + (start + step) % _SLOTS)


def _host_kind(traffic: Traffic) -> int:
    if not traffic.hosts:
        return 2
    return 0 if traffic.exact_hosts == traffic.hosts else 1


def _literal(path: str) -> int:
    """How much of a path pattern is said: its letters before the first wildcard, one more where there is none."""
    plain = re.split(r"[*?]", path, maxsplit=1)[0]
    return min(len(plain) + (plain == path), _LONGEST_LITERAL)


def _meets(first: int, taken: set[int]) -> bool:
    return any(abs(first - other) < RULES for other in taken)


@dataclass(frozen=True)
class Claim:
    """What an application wants of the load balancer, and whether its roll-out shifts requests."""

    name: str
    traffic: Traffic
    shifts: bool


def application_faults(traffic: Traffic | None, *, balanced: bool, beside: bool, key: str) -> list[Fault]:
    """Faults if an application wants traffic where no load balancer is, or a share of nobody's."""
    if traffic is None:
        return []
    if not balanced:
        problem, remedy = "has no load balancer to come from", "add loadBalancer to the stack, or leave it out"
        return [Fault(f"{key}.traffic", problem, remedy)]
    if traffic.split and not beside:
        return [_nobody(traffic.split, key)]
    return []


def _nobody(split: Split, key: str) -> Fault:
    problem = "is no application with traffic of its own"
    return Fault(f"{key}.traffic.split.of", problem, "name one that has hosts or paths", split.of)


def faults(balancer: LoadBalancer, claims: Mapping[int, Claim], network: Network) -> list[Fault]:
    """Faults between the load balancer and what the applications want of it, by their place in the list."""
    if not balancer.wanted:
        keys = ((f"applications.{index}", one.traffic) for index, one in claims.items())
        return [fault for key, one in keys for fault in application_faults(one, balanced=False, beside=False, key=key)]
    if not claims:
        return [Fault("loadBalancer", "serves no application", "give one of them traffic, or leave it out")]
    whole = {index: one.traffic for index, one in claims.items() if one.traffic.split is None}
    return [
        *_placed(balancer, network),
        *_shared(whole),
        *_uncovered(balancer.certificate, whole),
        *_split(claims),
    ]


def _split(claims: Mapping[int, Claim]) -> Iterator[Fault]:
    """Shares of nobody, two shares of one application, and shares that ECS shifts as well."""
    whole = {one.name: one for one in claims.values() if one.traffic.split is None}
    shared: set[str] = set()
    for index, one in claims.items():
        if not (split := one.traffic.split):
            continue
        key = f"applications.{index}"
        if split.of not in whole:
            yield _nobody(split, key)
        elif one.shifts or whole[split.of].shifts:
            problem = "splits requests that a rollout shifts as well"
            yield Fault(f"{key}.traffic.split", problem, "let both applications be rolling")
        elif split.of in shared:
            problem = "is split with another application already"
            yield Fault(f"{key}.traffic.split.of", problem, "split it between two", split.of)
        shared.add(split.of)


def _placed(balancer: LoadBalancer, network: Network) -> Iterator[Fault]:
    if balancer.existing or balancer.internal or balancer.subnets:
        return
    if network.private and network.way_out is not Egress.NAT:
        problem = "faces the internet, and the network has no public subnets that are known here"
        yield Fault("loadBalancer.subnets", problem, "give public subnets of its VPC, or internal: true")


def _shared(wanted: Mapping[int, Traffic]) -> Iterator[Fault]:
    """Applications that want the same requests or the same priorities: the second would never get any."""
    requests: dict[tuple[str, str], int] = {}
    stated: dict[int, int] = {}
    for index, one in wanted.items():
        key = f"applications.{index}.traffic"
        same = sorted({requests[each] for each in _requests(one) if each in requests})
        if same:
            problem = f"wants requests that applications.{same[0]} gets"
            yield Fault(key, problem, "give each application hosts and paths of its own")
        for each in _requests(one):
            requests.setdefault(each, index)
        if one.priority is None:
            continue
        for priority, other in stated.items():
            if abs(priority - one.priority) < RULES:
                problem = f"is too near to that of applications.{other}: each has {RULES}"
                yield Fault(f"{key}.priority", problem, f"choose one that is {RULES} away", one.priority)
        stated[one.priority] = index


def _requests(traffic: Traffic) -> Sequence[tuple[str, str]]:
    return [(host, path) for host in traffic.hosts or ("",) for path in traffic.paths]


def _uncovered(certificate: Certificate | None, wanted: Mapping[int, Traffic]) -> Iterator[Fault]:
    for index, one in wanted.items():
        for host in one.hosts:
            if certificate and not certificate.covers(host):
                key = f"applications.{index}.traffic.hosts"
                yield Fault(key, "is not in the certificate", "add it to loadBalancer.certificate.alternatives", host)
