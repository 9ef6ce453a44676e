"""Traffic: what may be asked for, which priorities rules get, and what cannot go together."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from documents.faults import faults_of
from documents.network import Network
from documents.traffic import (
    RULES,
    Certificate,
    Claim,
    LoadBalancer,
    TargetHealth,
    Traffic,
    application_faults,
    faults,
    priorities,
)

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0f8fad5b-d9cb-469f-a165-70867728950e"
LISTENER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shared/50dc6c495c0c9188/f2f7dc8efc522ab2"
MADE = LoadBalancer(certificate_arn=CERTIFICATE)
ZONE = "Z0123456789ABCDEFGHIJ"


def claims(wanted: Mapping[int, Traffic], *shifting: int) -> dict[int, Claim]:
    return {index: Claim(f"web-{index}", one, index in shifting) for index, one in wanted.items()}


PUBLIC = Network()


def refused(model: type[Any], **values: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(values)
    return [str(fault) for fault in faults_of(caught.value, model)]


def test_nothing_said_is_no_load_balancer() -> None:
    assert not LoadBalancer().wanted
    assert MADE.wanted


def test_one_comes_from_exactly_one_place() -> None:
    neither = [
        ": has not one of certificateArn, certificate and existing (got a map); "
        "give the certificate of a load balancer that is made, or one that exists"
    ]
    existing = {"listenerArn": LISTENER, "securityGroupId": "sg-0123456789abcdef0"}
    assert refused(LoadBalancer, internal=True) == neither
    assert refused(LoadBalancer, certificateArn=CERTIFICATE, existing=existing) == neither
    assert refused(LoadBalancer, existing=existing, deletionProtection=True) == [
        ": has existing and options of one that is made (got a map); leave the others out: it is not changed"
    ]


def test_an_existing_one_is_known_to_cloudwatch_by_its_listener() -> None:
    found = LoadBalancer.model_validate({"existing": {"listenerArn": LISTENER, "securityGroupId": "sg-01234567"}})
    assert found.existing
    assert found.existing.arn_suffix == "app/shared/50dc6c495c0c9188"


def test_who_may_connect() -> None:
    assert MADE.admitted == ("0.0.0.0/0",)
    internal = LoadBalancer(certificate_arn=CERTIFICATE, internal=True)
    assert internal.admitted == ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
    assert LoadBalancer(certificate_arn=CERTIFICATE, clients=("203.0.113.0/24",)).admitted == ("203.0.113.0/24",)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"certificateArn": "arn:aws:iam::123456789012:server-certificate/x"},
            "is not the ARN of a certificate in ACM",
        ),
        ({"certificate": {"domain": "Shop.example.com", "zone": ZONE}}, "is not a domain name in lower case"),
        ({"certificate": {"domain": "example.com", "zone": "example.com"}}, "is not the id of a hosted zone"),
        ({"certificateArn": CERTIFICATE, "clients": ["10.0.0.1/8"]}, "is not an IPv4 range"),
        ({"certificateArn": CERTIFICATE, "clients": []}, "has too few entries"),
        ({"certificateArn": CERTIFICATE, "subnets": ["subnet-0123456789abcdef0"]}, "does not name different subnets"),
        (
            {"existing": {"listenerArn": LISTENER.replace("/app/", "/net/"), "securityGroupId": "sg-01234567"}},
            "is not the ARN of a listener of an Application Load Balancer",
        ),
        ({"existing": {"listenerArn": LISTENER, "securityGroupId": "default"}}, "is not the id of a security group"),
    ],
)
def test_what_a_load_balancer_cannot_have(values: Mapping[str, Any], said: str) -> None:
    (fault,) = refused(LoadBalancer, **values)
    assert said in fault


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"hosts": ["Shop.example.com"]}, "is not a host in lower case"),
        ({"hosts": ["localhost"]}, "is not a host in lower case"),
        ({"paths": ["api/*"]}, "is not a path that a listener compares"),
        ({"paths": []}, "has too few entries"),
        ({"paths": [f"/{index}" for index in range(6)]}, "has 6 hosts and paths, and a rule takes 5"),
        ({"priority": 49_999}, "is too large"),
        ({"healthCheck": {"interval": 10, "timeout": 10}}, "is not less than interval"),
        ({"healthCheck": {"codes": "500"}}, "is no list of status codes from 200 to 499"),
        ({"healthCheck": {"path": "healthz"}}, "is not the path of a URL"),
    ],
)
def test_what_traffic_cannot_be(values: Mapping[str, Any], said: str) -> None:
    (fault,) = refused(Traffic, **values)
    assert said in fault


def test_the_conditions_of_a_rule() -> None:
    assert Traffic().conditions == [{"path_pattern": {"values": ["/*"]}}]
    assert Traffic(hosts=("a.example.com",), paths=("/x", "/x/*")).conditions == [
        {"host_header": {"values": ["a.example.com"]}},
        {"path_pattern": {"values": ["/x", "/x/*"]}},
    ]
    assert Traffic(hosts=("a.example.com", "*.example.com")).exact_hosts == ("a.example.com",)


def test_codes_and_times_of_a_health_check() -> None:
    assert TargetHealth(codes="200-299,302", interval=6, timeout=5).codes == "200-299,302"


def test_a_wildcard_shares_the_record_of_its_domain() -> None:
    made = Certificate(domain="example.com", alternatives=("*.example.com", "*.example.org"), zone=ZONE)
    assert made.records == ("example.com", "*.example.org")
    assert Certificate(domain="*.example.com", alternatives=("example.com",), zone=ZONE).records == ("*.example.com",)
    assert Certificate(domain="example.com", alternatives=("example.com",), zone=ZONE).records == ("example.com",)


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("example.com", True),
        ("shop.example.org", True),
        ("*.example.org", True),
        ("a.shop.example.org", False),
        ("example.org", False),
    ],
)
def test_what_a_certificate_covers(host: str, covered: bool) -> None:
    assert Certificate(domain="example.com", alternatives=("*.example.org",), zone=ZONE).covers(host) is covered


LABELS = some.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=5)
HOSTS = some.builds("{}.example.com".format, some.one_of(LABELS, some.just("*")))
PATHS = some.builds("/{}{}".format, some.text("abc/", max_size=50), some.sampled_from(["", "*", "/*", "?x"]))
TRAFFIC = some.builds(
    Traffic,
    hosts=some.lists(HOSTS, max_size=2).map(tuple),
    paths=some.lists(PATHS, min_size=1, max_size=3).map(tuple),
    priority=some.one_of(some.none(), some.integers(1, 49_998)),
)
STACKS = some.lists(some.tuples(LABELS, TRAFFIC), unique_by=lambda one: one[0], max_size=30).map(dict)


@given(STACKS)
def test_every_rule_has_a_priority_of_its_own(wanted: dict[str, Traffic]) -> None:
    computed = {name: one.model_copy(update={"priority": None}) for name, one in wanted.items()}
    found = sorted(priorities(computed).values())
    assert all(1 <= first <= 50_000 - RULES + 1 for first in found)
    assert all(after - before >= RULES for before, after in pairwise(found))


@given(STACKS, LABELS, TRAFFIC)
def test_who_comes_last_moves_nobody(wanted: dict[str, Traffic], name: str, traffic: Traffic) -> None:
    before = priorities(wanted)
    late = traffic.model_copy(update={"priority": None})
    after = priorities({key: one for key, one in wanted.items() if key != name} | {name: late})
    if name not in wanted:
        assert {key: after[key] for key in before} == before


@given(STACKS)
def test_a_priority_that_is_given_stays(wanted: dict[str, Traffic]) -> None:
    found = priorities(wanted)
    assert {name: found[name] for name, one in wanted.items() if one.priority} == {
        name: one.priority for name, one in wanted.items() if one.priority
    }


def test_the_more_a_rule_says_the_earlier_it_is_tried() -> None:
    wanted = [
        Traffic(hosts=("a.example.com",), paths=("/api/v2/*",)),
        Traffic(hosts=("a.example.com",), paths=("/api/*",)),
        Traffic(hosts=("a.example.com",)),
        Traffic(hosts=("*.example.com",), paths=("/a/long/path",)),
        Traffic(hosts=("*.example.com",)),
        Traffic(paths=("/api",)),
        Traffic(paths=("/api*",)),
        # As wide as its widest path.
        Traffic(paths=("/much/more/*", "/*")),
    ]
    for names in ("abcdefgh", "hgfedcba"):
        found = priorities(dict(zip(names, wanted, strict=True)))
        assert sorted(found, key=found.__getitem__) == list(names)


def test_applications_that_want_the_same() -> None:
    wanted = {
        0: Traffic(hosts=("a.example.com", "b.example.com"), priority=100),
        2: Traffic(hosts=("b.example.com",), priority=102),
        3: Traffic(hosts=("b.example.com",), paths=("/api/*",), priority=105),
    }
    assert [str(fault) for fault in faults(MADE, claims(wanted), PUBLIC)] == [
        "applications.2.traffic: wants requests that applications.0 gets; "
        "give each application hosts and paths of its own",
        "applications.2.traffic.priority: is too near to that of applications.0: each has 3 (got 102); "
        "choose one that is 3 away",
    ]


def test_hosts_that_the_certificate_is_not_for() -> None:
    balancer = LoadBalancer(certificate=Certificate(domain="shop.example.com", zone=ZONE))
    assert [str(fault) for fault in faults(balancer, claims({1: Traffic(hosts=("stock.example.com",))}), PUBLIC)] == [
        "applications.1.traffic.hosts: is not in the certificate (got 'stock.example.com'); "
        "add it to loadBalancer.certificate.alternatives"
    ]


def test_traffic_and_load_balancer_need_each_other() -> None:
    alone = "applications.1.traffic: has no load balancer to come from; add loadBalancer to the stack, or leave it out"
    assert [str(fault) for fault in faults(LoadBalancer(), claims({1: Traffic()}), PUBLIC)] == [alone]
    assert [
        str(fault) for fault in application_faults(Traffic(), balanced=False, beside=False, key="applications.1")
    ] == [alone]
    assert application_faults(None, balanced=False, beside=False, key="x") == []
    assert application_faults(Traffic(), balanced=True, beside=False, key="x") == []
    assert [str(fault) for fault in faults(MADE, {}, PUBLIC)] == [
        "loadBalancer: serves no application; give one of them traffic, or leave it out"
    ]
    assert faults(LoadBalancer(), {}, PUBLIC) == []


SUBNETS = ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1")


@pytest.mark.parametrize(
    ("network", "more", "placed"),
    [
        ({}, {}, True),
        ({"private": True}, {}, True),
        ({"private": True, "egress": "endpoints"}, {}, False),
        ({"private": True, "egress": "endpoints"}, {"internal": True}, True),
        ({"private": True, "egress": "endpoints"}, {"subnets": SUBNETS}, True),
        ({"private": True, "vpc": "vpc-0123456789abcdef0", "subnets": SUBNETS}, {}, False),
        ({"vpc": "vpc-0123456789abcdef0", "subnets": SUBNETS}, {}, True),
    ],
)
def test_where_it_can_stand(network: Mapping[str, Any], more: Mapping[str, Any], placed: bool) -> None:
    balancer = LoadBalancer.model_validate({"certificateArn": CERTIFICATE, **more})
    expected = (
        []
        if placed
        else [
            "loadBalancer.subnets: faces the internet, and the network has no public subnets that are known here; "
            "give public subnets of its VPC, or internal: true"
        ]
    )
    assert [str(one) for one in faults(balancer, claims({0: Traffic()}), Network.model_validate(network))] == expected


SHARE = Traffic.model_validate({"split": {"of": "web-0", "percent": 10}})


def test_a_share_has_no_requests_of_its_own() -> None:
    (fault,) = refused(Traffic, split={"of": "web", "percent": 10}, hosts=["a.example.com"])
    assert fault == (
        ": has split and requests of its own (got a map); leave hosts, paths and priority out: they are the other's"
    )
    assert set(priorities({"web-0": Traffic(), "web-1": SHARE})) == {"web-0"}
    assert faults(MADE, claims({0: Traffic(), 1: SHARE}), PUBLIC) == []


def test_what_cannot_be_split() -> None:
    nobody = (
        "applications.1.traffic.split.of: is no application with traffic of its own (got 'web-0'); "
        "name one that has hosts or paths"
    )
    assert [str(one) for one in faults(MADE, claims({1: SHARE}), PUBLIC)] == [nobody]
    assert [str(one) for one in application_faults(SHARE, balanced=True, beside=False, key="applications.1")] == [
        nobody
    ]
    assert application_faults(SHARE, balanced=True, beside=True, key="applications.1") == []
    shifted = "splits requests that a rollout shifts as well; let both applications be rolling"
    for shifting in (0, 1):
        found = faults(MADE, claims({0: Traffic(), 1: SHARE}, shifting), PUBLIC)
        assert [str(one) for one in found] == [f"applications.1.traffic.split: {shifted}"]
    assert [str(one) for one in faults(MADE, claims({0: Traffic(), 1: SHARE, 2: SHARE}), PUBLIC)] == [
        "applications.2.traffic.split.of: is split with another application already (got 'web-0'); split it between two"
    ]
