"""How the AMG workspace is reached, which is looked up before anything is made, and who logs in to it by SAML."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components.refusal import refuse
from components.site import Site
from documents import grafana
from documents.grafana import NetworkAccess, Saml, Vpc


def admitted(
    site: Site, access: NetworkAccess | None
) -> "pulumi.Output[aws.grafana.WorkspaceNetworkAccessControlArgs] | None":
    """What the workspace admits, known only if somebody is among it: RefusedError has every fault."""
    if access is None:
        return None
    endpoints = pulumi.Output.all(
        *(aws.ec2.get_vpc_endpoint_output(id=one, opts=site.asking) for one in access.endpoints)
    )
    lists = pulumi.Output.all(
        *(aws.ec2.get_managed_prefix_list_output(id=one, opts=site.asking) for one in access.prefix_lists)
    )

    def fit(found: Sequence[Sequence[Any]]) -> "aws.grafana.WorkspaceNetworkAccessControlArgs":
        by_endpoint, by_address = found
        faults = [
            *grafana.endpoint_faults([_said(one, "id", "service_name") for one in by_endpoint]),
            *grafana.prefix_list_faults(access, [_said(one, "id", "entries") for one in by_address]),
        ]
        refuse(faults)
        return aws.grafana.WorkspaceNetworkAccessControlArgs(
            prefix_list_ids=list(access.prefix_lists), vpce_ids=list(access.endpoints)
        )

    return pulumi.Output.all(endpoints, lists).apply(fit)


def connected(vpc: Vpc | None) -> "aws.grafana.WorkspaceVpcConfigurationArgs | None":
    """The VPC through which the workspace asks."""
    if vpc is None:
        return None
    return aws.grafana.WorkspaceVpcConfigurationArgs(
        subnet_ids=list(vpc.subnets), security_group_ids=list(vpc.security_groups)
    )


def identity_provider(
    name: str, workspace_id: pulumi.Output[str], saml: Saml, opts: pulumi.ResourceOptions
) -> "aws.grafana.WorkspaceSamlConfiguration":
    """The identity provider whose people may log in beside those of Identity Center."""
    assertions = saml.assertions
    return aws.grafana.WorkspaceSamlConfiguration(
        name,
        workspace_id=workspace_id,
        idp_metadata_url=saml.metadata.url,
        idp_metadata_xml=saml.metadata.xml,
        admin_role_values=list(saml.admins) or None,
        editor_role_values=list(saml.editors),
        allowed_organizations=list(saml.organizations) or None,
        role_assertion=assertions.role,
        name_assertion=assertions.name,
        login_assertion=assertions.login,
        email_assertion=assertions.email,
        groups_assertion=assertions.groups,
        org_assertion=assertions.org,
        opts=opts,
    )


def _said(answer: Any, *names: str) -> Mapping[str, Any]:
    return {name: getattr(answer, name) for name in names}
