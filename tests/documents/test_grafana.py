"""What a stack file may say of the AMG workspace's network and of SAML, and what is wrong with the rest."""

from typing import Any

import pytest

from documents.faults import collect
from documents.grafana import NetworkAccess, Vpc, endpoint_faults, prefix_list_faults, warnings
from documents.inputs import Grafana

LIST, ENDPOINT = "pl-0123456789abcdef0", "vpce-0123456789abcdef0"
SUBNETS, GROUP = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"], "sg-0123456789abcdef0"
METADATA = '<?xml version="1.0"?><md:EntityDescriptor entityID="idp"></md:EntityDescriptor>'
SAML = {"assertions": {"role": "role"}, "editors": ["developers"]}


def faults(**values: Any) -> list[str]:
    found: list[Any] = []
    collect(found, lambda: Grafana.model_validate(values), Grafana, "grafana")
    return [str(one) for one in found]


@pytest.mark.parametrize(
    "values",
    [
        {"networkAccess": {"prefixLists": [LIST]}},
        {"networkAccess": {"endpoints": ["vpce-1a2b3c4d"]}},
        {"networkAccess": {"endpoints": ["<your endpoint>"]}},
        {"vpc": {"subnets": SUBNETS, "securityGroups": [GROUP]}},
        {"saml": {"metadata": {"url": "https://idp.example.com/metadata"}, **SAML}},
        {"saml": {"metadata": {"xml": METADATA}, **SAML, "admins": ["platform"]}},
        {
            "saml": {
                "metadata": {"xml": METADATA},
                **SAML,
                "assertions": {"role": "r", "org": "o"},
                "organizations": ["shop"],
            }
        },
    ],
)
def test_what_is_right(values: dict[str, Any]) -> None:
    assert faults(**values) == []


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (
            {"networkAccess": {}},
            "grafana.networkAccess.endpoints: and prefixLists are both empty, which would admit nobody, this program "
            "with its dashboards included; name at least one, or leave networkAccess out",
        ),
        (
            {"networkAccess": {"prefixLists": ["10.0.0.0/8"]}},
            "grafana.networkAccess.prefixLists.0: is not the id of a prefix list (got '10.0.0.0/8'); write it as "
            "pl-0123456789abcdef0",
        ),
        (
            {"networkAccess": {"endpoints": [ENDPOINT, ENDPOINT]}},
            "grafana.networkAccess.endpoints: names one of them twice (got a list); leave the second out",
        ),
        (
            {"networkAccess": {"prefixList": [LIST], "endpoints": [ENDPOINT]}},
            "grafana.networkAccess.prefixList: is not a known key; did you mean 'prefixLists'?",
        ),
        (
            {"vpc": {"subnets": SUBNETS[:1], "securityGroups": [GROUP]}},
            "grafana.vpc.subnets: are not two to six (got a list); give one in each of at least two availability zones",
        ),
        (
            {"vpc": {"subnets": SUBNETS, "securityGroups": []}},
            "grafana.vpc.securityGroups: are not one to five (got a list); give at least one, whose rules let "
            "it reach the data sources",
        ),
        ({"vpc": {"subnets": SUBNETS}}, "grafana.vpc.securityGroups: is missing; give it a value"),
        (
            {"saml": {"metadata": {}, **SAML}},
            "grafana.saml.metadata.xml: and url are both missing; give one of the two",
        ),
        (
            {"saml": {"metadata": {"url": "https://idp.example.com/m", "xml": METADATA}, **SAML}},
            "grafana.saml.metadata.xml: and url are both given; give one of the two",
        ),
        (
            {"saml": {"metadata": {"xml": "idp.xml"}, **SAML}},
            "grafana.saml.metadata.xml: has no EntityDescriptor; give the whole metadata of the identity provider",
        ),
        (
            {"saml": {"metadata": {"url": "http://idp.example.com/m"}, **SAML}},
            "grafana.saml.metadata.url: is no https address (got 'http://idp.example.com/m'); write it as "
            "https://idp.example.com/metadata",
        ),
        (
            {"saml": {"metadata": {"xml": METADATA}, **SAML, "editors": []}},
            "grafana.saml.editors: is empty; name a value of the role attribute, also one that nobody has",
        ),
        (
            {"saml": {"metadata": {"xml": METADATA}, "editors": ["x"], "assertions": {}}},
            "grafana.saml.assertions.role: is missing; give it a value",
        ),
        (
            {"saml": {"metadata": {"xml": METADATA}, **SAML, "organizations": ["shop"]}},
            "grafana.saml.organizations: needs the attribute that names an organization (got a list); give its name as "
            "assertions.org",
        ),
    ],
)
def test_what_is_wrong(values: dict[str, Any], text: str) -> None:
    assert faults(**values) == [text]


def test_endpoints_of_other_services_are_no_way_in() -> None:
    good = {"id": ENDPOINT, "service_name": "com.amazonaws.eu-west-1.grafana-workspace"}
    other = {"id": "vpce-1a2b3c4d", "service_name": "com.amazonaws.eu-west-1.grafana"}
    assert endpoint_faults([good]) == []
    assert [str(one) for one in endpoint_faults([good, other])] == [
        "grafana.networkAccess.endpoints: is an endpoint of com.amazonaws.eu-west-1.grafana, by which no workspace is "
        "reached (got 'vpce-1a2b3c4d'); give an interface endpoint of com.amazonaws.<region>.grafana-workspace"
    ]


def test_prefix_lists_without_an_address_admit_nobody() -> None:
    by_address = NetworkAccess.model_validate({"prefixLists": [LIST]})
    empty, one = {"id": LIST, "entries": []}, {"id": LIST, "entries": [{"cidr": "192.0.2.1/32"}]}
    assert prefix_list_faults(by_address, [empty, one]) == []
    assert [str(fault) for fault in prefix_list_faults(by_address, [empty])] == [
        "grafana.networkAccess.prefixLists: hold no address, which would admit nobody, this program with its "
        f"dashboards included (got '{LIST}'); add the addresses of people and of whoever runs `pulumi up`"
    ]
    both = NetworkAccess.model_validate({"prefixLists": [LIST], "endpoints": [ENDPOINT]})
    assert prefix_list_faults(both, [empty]) == []


def test_what_only_a_network_of_others_can_give_is_said() -> None:
    access = NetworkAccess.model_validate({"endpoints": [ENDPOINT]})
    vpc = Vpc.model_validate({"subnets": SUBNETS, "securityGroups": [GROUP]})
    assert warnings(None, None) == []
    assert warnings(access, vpc) == [
        "grafana.networkAccess: plugins, data sources and dashboards are written through the workspace's own address, "
        "so `pulumi up`, `pulumi refresh` and `make verify` work from where it admits requests and nowhere else",
        "grafana.vpc: all that Grafana asks for goes through these subnets, AMP, X-Ray and CloudWatch as well, so they "
        "need NAT, or endpoints of aps-workspaces, xray, monitoring, logs that admit its security groups",
    ]


def test_metadata_is_not_repeated() -> None:
    assert "EntityDescriptor" not in repr(faults(saml={"metadata": {"xml": METADATA, "url": "https://i.d/p"}, **SAML}))
