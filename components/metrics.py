"""The AMP workspace: where every metric of the stack is stored, and the rules that run on them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.cloudwatch import CloudWatch
from components.configurations import Configurations
from components.existing import Workspace
from components.patterns.instrumentation import Telemetry
from components.site import Site
from documents import catalogue, inputs
from documents.signals import Signals


class MetricsArgs(TypedDict):
    """What the workspace needs. `rules` are Prometheus rules files (YAML) by the name of their namespace. An
    `existing` workspace, of this account or another, keeps its retention, limits and logging."""

    site: Site
    metrics: inputs.Metrics
    rules: Mapping[str, str]
    existing: NotRequired[pulumi.Output[Workspace] | None]


class Metrics(pulumi.ComponentResource):
    """AMP workspace with retention, limits and a log group for its own errors, or an existing one as it is.

    `query_url` and `remote_write_url` are the addresses of the Prometheus API; both want signed requests.
    """

    workspace_id: pulumi.Output[str]
    workspace_arn: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    query_url: pulumi.Output[str]
    remote_write_url: pulumi.Output[str]

    def __init__(self, name: str, args: MetricsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecs-observability:index:Metrics", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args["site"]
        self._interval_seconds = args["metrics"].interval_seconds
        self._configurations = Configurations("configurations", site)
        self._site = site
        if existing := args.get("existing"):
            self.workspace_id, self.workspace_arn = existing.id, existing.arn
            self.endpoint = existing.endpoint
        else:
            workspace = self._workspace(name, args, child)
            self.workspace_id, self.workspace_arn = workspace.id, workspace.arn
            self.endpoint = workspace.prometheus_endpoint
        for namespace, rules in args["rules"].items():
            aws.amp.RuleGroupNamespace(
                f"{name}-rules-{namespace}",
                name=namespace,
                workspace_id=self.workspace_id,
                data=rules,
                tags=site.tags,
                opts=child,
            )
        self.query_url = pulumi.Output.concat(self.endpoint, "api/v1/query")
        self.remote_write_url = pulumi.Output.concat(self.endpoint, "api/v1/remote_write")
        self.register_outputs(
            {
                "workspaceId": self.workspace_id,
                "workspaceArn": self.workspace_arn,
                "queryUrl": self.query_url,
                "remoteWriteUrl": self.remote_write_url,
            }
        )

    def _workspace(self, name: str, args: MetricsArgs, child: pulumi.ResourceOptions) -> aws.amp.Workspace:
        site, metrics = args["site"], args["metrics"]
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=site.names.workspace_log_group,
            retention_in_days=site.log_retention_days,
            kms_key_id=site.key_arn,
            tags=site.tags,
            opts=child,
        )
        workspace = aws.amp.Workspace(
            f"{name}-workspace",
            alias=site.names.prefix,
            kms_key_arn=site.key_arn,
            logging_configuration={"log_group_arn": pulumi.Output.concat(logs.arn, ":*")},
            tags=site.tags,
            opts=child,
        )
        aws.amp.WorkspaceConfiguration(
            f"{name}-configuration",
            workspace_id=workspace.id,
            retention_period_in_days=metrics.retention_days,
            out_of_order_time_window_in_seconds=catalogue.OUT_OF_ORDER_SECONDS,
            # The empty label set is the bucket of all series: a runaway label is refused instead of billed.
            limits_per_label_sets=[{"label_set": {}, "limits": {"max_series": metrics.max_series}}]
            if metrics.max_series
            else None,
            opts=child,
        )
        return workspace

    def telemetry(self, signals: Signals) -> Telemetry:
        """What collectors need to know of the workspace, beside what they take and send."""
        telemetry = Telemetry(
            self.remote_write_url, self.workspace_arn, self._interval_seconds, self._configurations, signals
        )
        if not signals.in_log_groups:
            return telemetry
        groups = CloudWatch("cloudwatch", self._site, signals.in_log_groups, self._site.opts)
        return replace(telemetry, log_group_arns=groups.log_group_arns)
