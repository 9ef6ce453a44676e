"""The AMG workspace with its data sources, folder and dashboards."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

import pulumi
import pulumi_aws as aws
import pulumiverse_grafana as grafana

from components.identity import grafana_trust, role
from components.metrics import Metrics
from components.plugins import install_plugin
from components.site import Site
from documents import catalogue, inputs, policies
from documents.dashboards import Dashboard
from documents.dashboards.sources import AMP, CLOUDWATCH, XRAY, Source

VERSION: Final = "12.4"
"""Pinned, because AMG takes the newest by default and cannot go back."""

_TOKEN_SECONDS: Final = 30 * 86400
_TOKEN_RENEWAL_SECONDS: Final = 10 * 86400
"""AMG's tokens live at most 30 days; the first deployment in each period of 10 days renews the token, so a stack
that is deployed at least that often always holds one with ten days left."""

_INSTALLED: Final = (AMP, XRAY)
"""Data sources whose plugins AMG does not bring."""


class GrafanaArgs(TypedDict):
    """What the workspace needs. `interval_seconds` is how often metrics arrive."""

    site: Site
    settings: inputs.Grafana
    metrics: Metrics
    interval_seconds: int
    dashboards: Sequence[Dashboard]


class Grafana(pulumi.ComponentResource):
    """AMG workspace, who may enter it, and everything in it.

    What is in Grafana is `deleted_with` the workspace: `destroy` then asks nothing of Grafana's API, so that an expired
    token cannot block it, and a replaced workspace gets all of its content again.
    """

    url: pulumi.Output[str]
    dashboard_urls: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: GrafanaArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecs-observability:index:Grafana", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args["site"]
        workspace = self._workspace(name, args, child)
        self.url = pulumi.Output.concat("https://", workspace.endpoint)
        for grafana_role, access in _roles(args["settings"]).items():
            aws.grafana.RoleAssociation(
                f"{name}-{grafana_role.lower()}s",
                workspace_id=workspace.id,
                role=grafana_role,
                user_ids=list(access.users) or None,
                group_ids=list(access.groups) or None,
                opts=child,
            )
        inside = pulumi.ResourceOptions(parent=self, deleted_with=workspace)
        token = self._token(name, site, workspace, inside)
        provider = grafana.Provider(
            f"{name}-provider", url=self.url, auth=token.key, retries=5, retry_wait=5, opts=inside
        )
        content = pulumi.ResourceOptions(parent=self, provider=provider, deleted_with=workspace)
        sources = self._data_sources(name, args, token, content)
        folder = grafana.oss.Folder(f"{name}-folder", uid=site.names.prefix, title=site.names.prefix, opts=content)
        after_sources = pulumi.ResourceOptions.merge(content, pulumi.ResourceOptions(depends_on=sources))
        self.dashboard_urls = {}
        for dashboard in args["dashboards"]:
            grafana.oss.Dashboard(
                f"{name}-dashboard-{dashboard.uid}",
                folder=folder.uid,
                config_json=dashboard.json,
                overwrite=True,
                opts=after_sources,
            )
            self.dashboard_urls[dashboard.uid] = pulumi.Output.concat(self.url, "/d/", dashboard.uid)
        self.register_outputs({"url": self.url, "dashboardUrls": self.dashboard_urls})

    def _workspace(self, name: str, args: GrafanaArgs, child: pulumi.ResourceOptions) -> aws.grafana.Workspace:
        site = args["site"]
        reader, granted = role(
            f"{name}-role",
            site=site,
            role_name=site.names.role("grafana", "workspace"),
            trust=grafana_trust(site),
            statements=pulumi.Output.all(args["metrics"].workspace_arn, site.partition, site.account).apply(
                lambda known: policies.grafana_read(
                    workspace_arn=known[0],
                    performance_log_arn=f"arn:{known[1]}:logs:{site.region}:{known[2]}:log-group:"
                    + catalogue.performance_log_group(site.names.prefix),
                )
            ),
            opts=child,
        )
        return aws.grafana.Workspace(
            f"{name}-workspace",
            name=site.names.prefix,
            account_access_type="CURRENT_ACCOUNT",
            authentication_providers=["AWS_SSO"],
            # With SERVICE_MANAGED only the console attaches policies to the role, the API does not.
            permission_type="CUSTOMER_MANAGED",
            role_arn=reader.arn,
            grafana_version=VERSION,
            data_sources=["PROMETHEUS", "XRAY", "CLOUDWATCH"],
            configuration=json.dumps(
                {"plugins": {"pluginAdminEnabled": True}, "unifiedAlerting": {"enabled": True}}, sort_keys=True
            ),
            tags=site.tags,
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=granted)),
        )

    def _token(
        self, name: str, site: Site, workspace: aws.grafana.Workspace, inside: pulumi.ResourceOptions
    ) -> aws.grafana.WorkspaceServiceAccountToken:
        account = aws.grafana.WorkspaceServiceAccount(
            f"{name}-deployer",
            name=site.names.prefix,
            grafana_role="ADMIN",
            workspace_id=workspace.id,
            opts=inside,
        )
        # Unnamed: the new token is made before the old one goes, and two of one name are refused.
        return aws.grafana.WorkspaceServiceAccountToken(
            f"{name}-token",
            service_account_id=account.service_account_id,
            workspace_id=workspace.id,
            seconds_to_live=_TOKEN_SECONDS,
            opts=pulumi.ResourceOptions.merge(
                inside, pulumi.ResourceOptions(replacement_trigger=int(time.time() // _TOKEN_RENEWAL_SECONDS))
            ),
        )

    def _data_sources(
        self,
        name: str,
        args: GrafanaArgs,
        token: aws.grafana.WorkspaceServiceAccountToken,
        content: pulumi.ResourceOptions,
    ) -> list[grafana.oss.DataSource]:
        region = args["site"].region
        options: Mapping[Source, tuple[pulumi.Input[str] | None, Mapping[str, Any]]] = {
            AMP: (
                args["metrics"].endpoint,
                {
                    "httpMethod": "POST",
                    "sigV4Auth": True,
                    "sigV4AuthType": "ec2_iam_role",
                    "sigV4Region": region,
                    "timeInterval": f"{args['interval_seconds']}s",
                },
            ),
            XRAY: (None, {"authType": "ec2_iam_role", "defaultRegion": region}),
            CLOUDWATCH: (None, {"authType": "ec2_iam_role", "defaultRegion": region}),
        }
        return [
            grafana.oss.DataSource(
                f"{name}-{source.uid}",
                uid=source.uid,
                name=source.uid,
                type=source.type,
                url=url,
                access_mode="proxy",
                is_default=source is AMP,
                json_data_encoded=json.dumps(settings, sort_keys=True),
                opts=pulumi.ResourceOptions.merge(content, self._installed(name, source, token)),
            )
            for source, (url, settings) in options.items()
        ]

    def _installed(
        self, name: str, source: Source, token: aws.grafana.WorkspaceServiceAccountToken
    ) -> pulumi.ResourceOptions:
        """Options that install a data source's plugin before the data source is made; AMG has no resource for it."""
        if source not in _INSTALLED:
            return pulumi.ResourceOptions()
        login = pulumi.Output.all(self.url, token.key)

        async def install(_: pulumi.ResourceHookArgs) -> None:
            url, key = await login.future() or ("", "")
            # In a thread, because a hook that blocks would hold up the whole program.
            await asyncio.to_thread(install_plugin, url, key, source.type)

        hook = pulumi.ResourceHook(f"{name}-install-{source.uid}", install)
        return pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_create=[hook]))


def _roles(settings: inputs.Grafana) -> dict[str, inputs.Access]:
    """The roles that somebody has: AMG refuses an empty association."""
    wanted = {"ADMIN": settings.admins, "EDITOR": settings.editors, "VIEWER": settings.viewers}
    return {grafana_role: access for grafana_role, access in wanted.items() if access.users or access.groups}
