"""The AMG workspace with its data sources, folder and dashboards."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
import pulumiverse_grafana as grafana

from components.identity import grafana_trust, role
from components.metrics import Metrics
from components.plugins import install_plugin
from components.site import Site
from components.trace_alerts import TraceAlertsArgs, place
from components.workspace_access import admitted, connected, identity_provider
from documents import catalogue, events, inputs, policies
from documents.dashboards import Dashboard
from documents.dashboards.shared import uid
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
    """What the workspace needs. `interval_seconds` is how often metrics arrive; `trace_alerts` are for whoever asks.
    In an `existing` workspace, which others use too, `dashboards` are those that `dashboards.shared` makes.
    `log_groups` are names of log groups that are read beside the stack's own."""

    site: Site
    settings: inputs.Grafana
    metrics: Metrics
    interval_seconds: int
    dashboards: Sequence[Dashboard]
    trace_alerts: NotRequired[TraceAlertsArgs | None]
    log_groups: NotRequired[Sequence[str]]
    existing: NotRequired["pulumi.Output[aws.grafana.AwaitableGetWorkspaceResult] | None"]


class Grafana(pulumi.ComponentResource):
    """AMG workspace, who may enter it, and everything in it; or a folder of an existing one.

    What is in Grafana is `deleted_with` the workspace: `destroy` then asks nothing of Grafana's API, so that an expired
    token cannot block it, and a replaced workspace gets all of its content again. From an existing one it is deleted.
    """

    url: pulumi.Output[str]
    dashboard_urls: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: GrafanaArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecs-observability:index:Grafana", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args["site"]
        workspace = None
        if existing := args.get("existing"):
            workspace_id, endpoint = existing.workspace_id, existing.endpoint
        else:
            workspace = self._workspace(name, args, child)
            workspace_id, endpoint = workspace.id, workspace.endpoint
        self.url = pulumi.Output.concat("https://", endpoint)
        # What is in an existing workspace does not go with it.
        inside = pulumi.ResourceOptions(parent=self, deleted_with=workspace)
        token = self._token(name, site, workspace_id, inside)
        provider = grafana.Provider(
            f"{name}-provider", url=self.url, auth=token.key, retries=5, retry_wait=5, opts=inside
        )
        content = pulumi.ResourceOptions(parent=self, provider=provider, deleted_with=workspace)
        sources = self._data_sources(name, args, token, content)
        folder = grafana.oss.Folder(
            f"{name}-folder",
            uid=site.names.prefix,
            title=site.names.prefix,
            # What others have put into it would go with the folder.
            prevent_destroy_if_not_empty=None if workspace else True,
            opts=content,
        )
        after_sources = pulumi.ResourceOptions.merge(content, pulumi.ResourceOptions(depends_on=sources))
        self.dashboard_urls = {}
        for dashboard in args["dashboards"]:
            grafana.oss.Dashboard(
                f"{name}-dashboard-{dashboard.uid}",
                folder=folder.uid,
                config_json=args["metrics"].workspace_id.apply(dashboard.placed),
                overwrite=True,
                opts=after_sources,
            )
            self.dashboard_urls[dashboard.uid] = pulumi.Output.concat(self.url, "/d/", dashboard.uid)
        if watched := args.get("trace_alerts"):
            place(f"{name}-alerts", watched, folder.uid, after_sources)
        self.register_outputs({"url": self.url, "dashboardUrls": self.dashboard_urls})

    def _workspace(self, name: str, args: GrafanaArgs, child: pulumi.ResourceOptions) -> "aws.grafana.Workspace":
        site = args["site"]
        watched = args.get("trace_alerts")
        publishes = [watched["topic_arn"], watched["key_arn"]] if watched else []

        reader, granted = role(
            f"{name}-role",
            site=site,
            role_name=site.names.role("grafana", "workspace"),
            trust=grafana_trust(site),
            statements=_read_statements(site, args["metrics"], args.get("log_groups", ()), publishes),
            opts=child,
        )
        saml = args["settings"].saml
        # With another way to log in, or another key, it would be another workspace, and all that people made would go.
        kept = pulumi.ResourceOptions(depends_on=granted, ignore_changes=["authenticationProviders", "kmsKeyId"])
        workspace = aws.grafana.Workspace(
            f"{name}-workspace",
            name=site.names.prefix,
            account_access_type="CURRENT_ACCOUNT",
            authentication_providers=["AWS_SSO", "SAML"] if saml else ["AWS_SSO"],
            network_access_control=admitted(site, args["settings"].network_access),
            vpc_configuration=connected(args["settings"].vpc),
            # With SERVICE_MANAGED only the console attaches policies to the role, the API does not.
            permission_type="CUSTOMER_MANAGED",
            role_arn=reader.arn,
            grafana_version=VERSION,
            kms_key_id=site.key_arn,
            data_sources=["PROMETHEUS", "XRAY", "CLOUDWATCH"],
            configuration=json.dumps(
                {"plugins": {"pluginAdminEnabled": True}, "unifiedAlerting": {"enabled": True}}, sort_keys=True
            ),
            tags=site.tags,
            opts=pulumi.ResourceOptions.merge(child, kept),
        )
        if saml:
            identity_provider(f"{name}-saml", workspace.id, saml, child)
        for grafana_role, access in _roles(args["settings"]).items():
            aws.grafana.RoleAssociation(
                f"{name}-{grafana_role.lower()}s",
                workspace_id=workspace.id,
                role=grafana_role,
                user_ids=list(access.users) or None,
                group_ids=list(access.groups) or None,
                opts=child,
            )
        return workspace

    def _token(
        self, name: str, site: Site, workspace_id: pulumi.Output[str], inside: pulumi.ResourceOptions
    ) -> "aws.grafana.WorkspaceServiceAccountToken":
        account = aws.grafana.WorkspaceServiceAccount(
            f"{name}-deployer",
            name=site.names.prefix,
            grafana_role="ADMIN",
            workspace_id=workspace_id,
            opts=inside,
        )
        # Unnamed: the new token is made before the old one goes, and two of one name are refused.
        return aws.grafana.WorkspaceServiceAccountToken(
            f"{name}-token",
            service_account_id=account.service_account_id,
            workspace_id=workspace_id,
            seconds_to_live=_TOKEN_SECONDS,
            opts=pulumi.ResourceOptions.merge(
                inside, pulumi.ResourceOptions(replacement_trigger=int(time.time() // _TOKEN_RENEWAL_SECONDS))
            ),
        )

    def _data_sources(
        self,
        name: str,
        args: GrafanaArgs,
        token: "aws.grafana.WorkspaceServiceAccountToken",
        content: pulumi.ResourceOptions,
    ) -> list[grafana.oss.DataSource]:
        site = args["site"]
        region = site.region
        shared = args.get("existing") is not None
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
                uid=uid(site.names.prefix, source.uid) if shared else source.uid,
                name=f"{site.names.prefix} {source.uid}" if shared else source.uid,
                type=source.type,
                url=url,
                access_mode="proxy",
                is_default=source is AMP and not shared,
                json_data_encoded=json.dumps(settings, sort_keys=True),
                opts=pulumi.ResourceOptions.merge(content, self._installed(name, source, token)),
            )
            for source, (url, settings) in options.items()
        ]

    def _installed(
        self, name: str, source: Source, token: "aws.grafana.WorkspaceServiceAccountToken"
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


def _read_statements(
    site: Site, metrics: Metrics, log_groups: Sequence[str], publishes: Sequence[pulumi.Input[str]] = ()
) -> pulumi.Output[list[policies.Statement]]:
    """What the workspace's role may do; `log_groups` are names of log groups that are not the stack's, `publishes` the
    ARNs of a topic and its key."""

    def statements(known: Sequence[str]) -> list[policies.Statement]:
        workspace_arn, partition, account, *topic_and_key = known
        reads = policies.grafana_read(
            workspace_arn=workspace_arn,
            log_group_arns=[
                f"arn:{partition}:logs:{site.region}:{account}:log-group:{group}"
                for group in (
                    catalogue.performance_log_group(site.names.cluster),
                    events.log_group(site.names),
                    site.names.log_group("*"),
                    *log_groups,
                )
            ],
        )
        return [*reads, *(policies.publish_alerts(*topic_and_key) if topic_and_key else [])]

    return pulumi.Output.all(metrics.workspace_arn, site.partition, site.account, *publishes).apply(statements)


def grafana_role_policy(site: Site, metrics: Metrics, log_groups: Sequence[str] = ()) -> pulumi.Output[str]:
    """The policy that the role of an existing workspace needs for the stack's dashboards, as JSON."""
    statements = _read_statements(site, metrics, log_groups)
    return statements.apply(lambda known: json.dumps(policies.policy(known), sort_keys=True))


def _roles(settings: inputs.Grafana) -> dict[str, inputs.Access]:
    """The roles that somebody has: AMG refuses an empty association."""
    wanted = {"ADMIN": settings.admins, "EDITOR": settings.editors, "VIEWER": settings.viewers}
    return {grafana_role: access for grafana_role, access in wanted.items() if access.users or access.groups}
