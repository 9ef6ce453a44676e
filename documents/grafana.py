"""How the AMG workspace is reached, how it reaches data sources in a VPC, and who logs in by SAML.

Limits are those of the API (Amazon Managed Grafana API Reference, "NetworkAccessConfiguration", "VpcConfiguration",
"SamlConfiguration").
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from documents.faults import Fault, wrong
from documents.model import Model, is_placeholder

ENDPOINT: Final = "grafana-workspace"
"""The end of the name of the service that an interface endpoint is for; AMG ignores all others."""

_KINDS: Final = {"pl": "prefix list", "vpce": "VPC endpoint", "subnet": "subnet", "sg": "security group"}
_NETWORK_ACCESS: Final = "grafana.networkAccess"
_LOCKED: Final = "would admit nobody, this program with its dashboards included"


def _id(kind: str) -> AfterValidator:
    def check(value: str) -> str:
        if not is_placeholder(value) and not re.fullmatch(rf"{kind}-[0-9a-f]{{8,17}}", value):
            raise wrong(f"is not the id of a {_KINDS[kind]}", f"write it as {kind}-0123456789abcdef0")
        return value

    return AfterValidator(check)


def _different(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) < len(values):
        raise wrong("names one of them twice", "leave the second out")
    return values


_Different = AfterValidator(_different)
_Text = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class NetworkAccess(Model):
    """From where the workspace's address is reached: addresses of prefix lists, and VPCs with one of these interface
    endpoints. Whoever comes from elsewhere is not let in, whatever his login."""

    prefix_lists: Annotated[tuple[Annotated[str, _id("pl")], ...], _Different] = ()
    """Ids of prefix lists with the addresses that are let in."""
    # Judged also where it is left out: without prefix lists somebody has to come by it.
    endpoints: Annotated[tuple[Annotated[str, _id("vpce")], ...], _Different, Field(validate_default=True)] = ()
    """Ids of interface endpoints whose VPCs are let in."""

    @field_validator("endpoints")
    @classmethod
    def _somebody(cls, endpoints: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not endpoints and info.data.get("prefix_lists") == ():
            raise wrong(
                f"and prefixLists are both empty, which {_LOCKED}",
                "name at least one, or leave networkAccess out",
                secret=True,
            )
        return endpoints


class Vpc(Model):
    """The VPC through which the workspace asks all of its data sources, the public ones as well: subnets in at least
    two availability zones, and the security groups that it wears there."""

    subnets: Annotated[tuple[Annotated[str, _id("subnet")], ...], _Different]
    """Ids of subnets, in two availability zones at least."""
    security_groups: Annotated[tuple[Annotated[str, _id("sg")], ...], _Different]
    """Ids of the security groups that the workspace wears there."""

    @field_validator("subnets")
    @classmethod
    def _several(cls, subnets: tuple[str, ...]) -> tuple[str, ...]:
        if not 2 <= len(subnets) <= 6:
            raise wrong("are not two to six", "give one in each of at least two availability zones")
        return subnets

    @field_validator("security_groups")
    @classmethod
    def _worn(cls, groups: tuple[str, ...]) -> tuple[str, ...]:
        if not 1 <= len(groups) <= 5:
            raise wrong("are not one to five", "give at least one, whose rules let it reach the data sources")
        return groups


class Assertions(Model):
    """Names of the attributes of an assertion, by what they hold. Those that are left out have AMG's own names."""

    role: _Text
    """The attribute whose values make administrators and editors."""
    name: _Text | None = None
    """The attribute with a person's name."""
    login: _Text | None = None
    """The attribute with the login."""
    email: _Text | None = None
    """The attribute with the e-mail address."""
    groups: _Text | None = None
    """The attribute with the groups."""
    org: _Text | None = None
    """The attribute with the organization."""


class Metadata(Model):
    """What an identity provider says of itself: the address where it says so, or the XML."""

    url: str | None = None
    """The https address where it says so."""
    # Judged also where it is left out: one of the two is needed.
    xml: Annotated[str | None, Field(validate_default=True)] = None
    """The XML itself."""

    @field_validator("url")
    @classmethod
    def _address(cls, url: str | None) -> str | None:
        if url is not None and not is_placeholder(url) and not re.fullmatch(r"https://[^\s/]+\S{0,2030}", url):
            raise wrong("is no https address", "write it as https://idp.example.com/metadata")
        return url

    @field_validator("xml")
    @classmethod
    def _one_form(cls, xml: str | None, info: ValidationInfo) -> str | None:
        if "url" not in info.data:
            return xml
        if (xml is None) == (info.data["url"] is None):
            raise wrong(f"and url are both {'missing' if xml is None else 'given'}", "give one of the two", secret=True)
        if xml is not None and not re.search(r"<([\w.-]+:)?EntityDescriptor\b", xml):
            raise wrong("has no EntityDescriptor", "give the whole metadata of the identity provider", secret=True)
        return xml


class Saml(Model):
    """An identity provider beside Identity Center, and which values of the role attribute make an administrator or an
    editor. All others whom it lets in are viewers."""

    metadata: Metadata
    """What the identity provider says of itself, in one of two forms."""
    assertions: Assertions
    """Names of the attributes of an assertion, by what they hold."""
    admins: tuple[_Text, ...] = ()
    """Values of the role attribute that make an administrator."""
    editors: tuple[_Text, ...]
    """Values of the role attribute that make an editor."""
    organizations: tuple[_Text, ...] = ()
    """Organizations that may log in; left out, all."""

    @field_validator("editors")
    @classmethod
    def _some(cls, editors: tuple[str, ...]) -> tuple[str, ...]:
        # AWS's provider sends no configuration without them.
        if not editors:
            raise wrong("is empty", "name a value of the role attribute, also one that nobody has", secret=True)
        return editors

    @field_validator("organizations")
    @classmethod
    def _told(cls, organizations: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        assertions = info.data.get("assertions")
        if organizations and assertions and assertions.org is None:
            raise wrong("needs the attribute that names an organization", "give its name as assertions.org")
        return organizations


def warnings(access: NetworkAccess | None, vpc: Vpc | None) -> list[str]:
    """What the stack file asks for and only somebody else's network can give."""
    said: list[str] = []
    if access:
        said.append(
            f"{_NETWORK_ACCESS}: plugins, data sources and dashboards are written through the workspace's own address, "
            "so `pulumi up`, `pulumi refresh` and `make verify` work from where it admits requests and nowhere else"
        )
    if vpc:
        said.append(
            "grafana.vpc: all that Grafana asks for goes through these subnets, AMP, X-Ray and CloudWatch as well, so "
            f"they need NAT, or endpoints of {', '.join(ASKED)} that admit its security groups"
        )
    return said


ASKED: Final = ("aps-workspaces", "xray", "monitoring", "logs")
"""The services that our dashboards are fed by, as endpoints are named."""


def endpoint_faults(endpoints: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """A fault for each endpoint that AMG would ignore. `endpoints` have what EC2 says of them, by the provider's
    names."""
    return [
        Fault(
            f"{_NETWORK_ACCESS}.endpoints",
            f"is an endpoint of {one['service_name']}, by which no workspace is reached",
            f"give an interface endpoint of com.amazonaws.<region>.{ENDPOINT}",
            one["id"],
        )
        for one in endpoints
        if not str(one["service_name"]).endswith(f".{ENDPOINT}")
    ]


def prefix_list_faults(access: NetworkAccess, prefix_lists: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """A fault if no address is in any prefix list, and there is no endpoint either. `prefix_lists` have what EC2 says
    of them, by the provider's names."""
    if access.endpoints or any(one["entries"] for one in prefix_lists):
        return []
    return [
        Fault(
            f"{_NETWORK_ACCESS}.prefixLists",
            f"hold no address, which {_LOCKED}",
            "add the addresses of people and of whoever runs `pulumi up`",
            ", ".join(str(one["id"]) for one in prefix_lists),
        )
    ]
