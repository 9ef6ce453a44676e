"""What a stack exports: what people open, and what other programs go on with."""

from collections.abc import Mapping

from documents.model import Model


class Exports(Model):
    """What an environment tells its users; what it does not have, it does not tell."""

    cluster: str
    """Name of the ECS cluster."""
    services: tuple[str, ...]
    """Names of the ECS services of the applications."""
    metrics_query_url: str
    """Address of the workspace's Prometheus API for queries; it wants signed requests."""
    metrics_remote_write_url: str
    """Address to which collectors write metrics; it wants signed requests."""
    workspace_arn: str
    """ARN of the AMP workspace, for the collectors of other stacks and programs."""
    alert_topics: Mapping[str, str]
    """ARNs of the SNS topics of alerts, by severity."""
    collector_address: str | None = None
    """Service pattern: where applications send OTLP over HTTP."""
    collector_clients_group_id: str | None = None
    """Service pattern: id of the security group whose wearers may send to the collectors."""
    scraper_group_id: str | None = None
    """Service pattern: id of the security group that has to be let in where metrics are exposed."""
    service_connect_namespace: str | None = None
    """ARN of the namespace that services have to join to find the collectors, with Service Connect."""
    run_task: Mapping[str, str] | None = None
    """The command of AWS's CLI that runs a task once, by the name of the task."""
    dead_letters: str | None = None
    """Address of the SQS queue with what schedules could not run."""
    role_policies: Mapping[str, Mapping[str, str]] | None = None
    """Policies (JSON) that existing roles still have to be given, by workload and by use, `task` or `execution`."""
    central_role: str | None = None
    """CloudFormation template (JSON) of the role in the central account that collectors assume."""
    writer_role: str | None = None
    """ARN of the role that collectors of other accounts assume."""
    encryption_key_policy: str | None = None
    """What the policy (JSON) of the KMS key says, or has to say where the key exists already."""
    load_balancer_dns_name: str | None = None
    """DNS name of the load balancer that the stack has made."""
    grafana_url: str | None = None
    """Address of Grafana."""
    grafana_role_policy: str | None = None
    """Policy (JSON) that the role of an existing Grafana workspace still has to be given."""
    dashboard_urls: Mapping[str, str] | None = None
    """Addresses of the dashboards, by uid."""
