"""An AMG workspace that is reached from some places only, asks through a VPC, and takes people of another provider."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from preview import placeholders
from preview.recorder import Recording
from tests import judges
from tests.components.test_encryption import answering, refused
from tests.components.variants import VARIANTS, names_of, one, program, recorded, untagged

pytestmark = pytest.mark.slow

WORKSPACE = "aws:grafana/workspace:Workspace"
SAML = "aws:grafana/workspaceSamlConfiguration:WorkspaceSamlConfiguration"
CLOSED: Mapping[str, Any] = VARIANTS["grafana-closed"]["grafana"]
STACKS = ("grafana-closed", "defaults", "encrypted")


def workspace(recording: Recording) -> dict[str, Any]:
    return untagged(recording.named(WORKSPACE, "grafana-workspace"))


def test_what_it_admits_and_where_it_asks() -> None:
    inputs = workspace(recorded("grafana-closed"))
    assert inputs["networkAccessControl"] == {
        "prefixListIds": ["pl-0123456789abcdef0"],
        "vpceIds": ["vpce-0123456789abcdef0"],
    }
    assert inputs["vpcConfiguration"] == {
        "subnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "securityGroupIds": ["sg-0123456789abcdef0"],
    }
    assert inputs["authenticationProviders"] == ["AWS_SSO", "SAML"]
    own = workspace(recorded("defaults"))
    assert inputs.keys() - own.keys() == {"networkAccessControl", "vpcConfiguration"}


def test_the_empty_half_is_said_as_well() -> None:
    """AMG wants both lists, and takes a missing one for a mistake."""
    recording = program({"grafana": {"networkAccess": {"endpoints": ["vpce-0123456789abcdef0"]}}, **one()})
    assert workspace(recording)["networkAccessControl"] == {"prefixListIds": [], "vpceIds": ["vpce-0123456789abcdef0"]}


def test_the_identity_provider() -> None:
    recording = recorded("grafana-closed")
    saml = recording.named(SAML, "grafana-saml")
    assert saml.inputs == {
        "workspaceId": "<grafana-workspace.id>",
        "idpMetadataUrl": "https://idp.example.com/metadata",
        "roleAssertion": "role",
        "nameAssertion": "displayName",
        "loginAssertion": "mail",
        "emailAssertion": "mail",
        "orgAssertion": "org",
        "adminRoleValues": ["platform"],
        "editorRoleValues": ["developers", "operators"],
        "allowedOrganizations": ["shop"],
    }
    assert names_of(recording, saml.dependencies) == {"grafana-workspace"}
    assert recorded("defaults").of_type(SAML) == ()
    # Those of Identity Center stay.
    [admins] = recording.of_type("aws:grafana/roleAssociation:RoleAssociation")
    assert admins.inputs["groupIds"] == ["g-1"]


def test_metadata_as_xml() -> None:
    xml = '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"/>'
    config = {"saml": {"metadata": {"xml": xml}, "assertions": {"role": "role"}, "editors": ["developers"]}}
    assert program({"grafana": config, **one()}).named(SAML, "grafana-saml").inputs == {
        "workspaceId": "<grafana-workspace.id>",
        "idpMetadataXml": xml,
        "roleAssertion": "role",
        "editorRoleValues": ["developers"],
    }


@pytest.mark.parametrize("stack", STACKS)
def test_neither_how_people_log_in_nor_the_key_replaces_the_workspace(stack: str) -> None:
    """AWS's provider would make another one for either, and delete this one with what people made in it."""
    made = recorded(stack).named(WORKSPACE, "grafana-workspace")
    assert made.options["ignore_changes"] == ["authenticationProviders", "kmsKeyId"]


@pytest.mark.parametrize("stack", STACKS)
def test_amg_takes_the_workspace(stack: str) -> None:
    recording = recorded(stack)
    inputs = dict(recording.named(WORKSPACE, "grafana-workspace").inputs)
    named = {
        "name": "workspaceName",
        "roleArn": "workspaceRoleArn",
        "dataSources": "workspaceDataSources",
    }
    asked = {named.get(key, key): value for key, value in inputs.items()}
    filled = json.loads(placeholders.fill(recording, json.dumps(asked)))
    assert judges.request("grafana", "CreateWorkspace", filled) == []


def test_amg_takes_the_identity_provider() -> None:
    recording = recorded("grafana-closed")
    inputs = recording.named(SAML, "grafana-saml").inputs
    asked = {
        "workspaceId": "g-1234567890",
        "authenticationProviders": workspace(recording)["authenticationProviders"],
        "samlConfiguration": {
            "idpMetadata": {"url": inputs["idpMetadataUrl"]},
            "assertionAttributes": {
                key.removesuffix("Assertion"): value for key, value in inputs.items() if key.endswith("Assertion")
            },
            "roleValues": {"admin": inputs["adminRoleValues"], "editor": inputs["editorRoleValues"]},
            "allowedOrganizations": inputs["allowedOrganizations"],
        },
    }
    assert judges.request("grafana", "UpdateWorkspaceAuthentication", asked) == []


def test_who_is_locked_out_is_said() -> None:
    warnings = recorded("grafana-closed").warnings
    assert [one.partition(":")[0] for one in warnings if one.startswith("grafana.")] == [
        "grafana.networkAccess",
        "grafana.vpc",
    ]
    assert not [one for one in recorded("defaults").warnings if one.startswith("grafana.")]


def test_what_would_admit_nobody_is_refused_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = {"id": "vpce-0123456789abcdef0", "serviceName": "com.amazonaws.eu-west-1.grafana"}
    answering(monkeypatch, {"getVpcEndpoint": endpoint})
    assert refused({"grafana": CLOSED, **one()}).splitlines()[1:] == [
        "  grafana.networkAccess.endpoints: is an endpoint of com.amazonaws.eu-west-1.grafana, by which no workspace "
        "is reached (got 'vpce-0123456789abcdef0'); give an interface endpoint of "
        "com.amazonaws.<region>.grafana-workspace"
    ]
    answering(monkeypatch, {"getManagedPrefixList": {"id": "pl-0123456789abcdef0", "entries": []}})
    access = {"prefixLists": ["pl-0123456789abcdef0"]}
    assert refused({"grafana": {"networkAccess": access}, **one()}).splitlines()[1:] == [
        "  grafana.networkAccess.prefixLists: hold no address, which would admit nobody, this program with its "
        "dashboards included (got 'pl-0123456789abcdef0'); add the addresses of people and of whoever runs `pulumi up`"
    ]


def test_they_are_settings_of_a_workspace_that_is_made_here() -> None:
    config = {"grafana": CLOSED, "existing": {"grafana": "g-1234567890"}, **one()}
    assert [line.partition(":")[0].strip() for line in refused(config).splitlines()[1:]] == [
        "grafana.admins",
        "grafana.saml",
        "grafana.networkAccess",
        "grafana.vpc",
    ]
