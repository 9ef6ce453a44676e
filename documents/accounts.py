"""What two accounts have to agree on: faults of what one of them says, and the role that is to be made in the other."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from documents import policies, roles
from documents.alerting.subscriptions import Subscription
from documents.central import Accounts, Central
from documents.existing import Existing
from documents.faults import Fault
from documents.inputs import Grafana, Metrics
from documents.signals import Traces


def faults(
    accounts: Accounts,
    *,
    existing: Existing | None,
    metrics: Metrics | None,
    grafana: Grafana | None,
    subscriptions: Sequence[Subscription],
    region: str,
) -> list[Fault]:
    """Faults between a workspace of another account and what the stack file says besides. None is what has faults of
    its own, `region` the stack's."""
    central = accounts.central
    if central is None:
        return []
    found = [*_of_workspace(central, metrics, region), *_unheard(subscriptions)]
    if accounts.writers:
        problem = "may write to the workspace of this stack, which has none: its metrics go to accounts.central"
        found.append(Fault("accounts.writers", problem, "leave one of the two out"))
    if existing and existing.metrics:
        problem = "is a second workspace beside that of accounts.central, and collectors write to one"
        found.append(Fault("existing.metrics", problem, "leave one of the two out", existing.metrics))
    if grafana and grafana.enabled:
        problem = "has Grafana ask this account, and the metrics are in that of accounts.central"
        remedy = "turn it off, and show the dashboards of build/<stack>/central there (docs/accounts.md)"
        found.append(Fault("grafana.enabled", problem, remedy))
    return found


def _of_workspace(central: Central, metrics: Metrics | None, region: str) -> Iterator[Fault]:
    if region and central.region != region:
        yield Fault(
            "accounts.central.workspace",
            f"is in {central.region}, and the stack in {region}",
            "give one of the stack's region, where its traces are and where endpoints of a closed network lead",
            central.workspace,
        )
    if central.role.startswith("arn:") and central.role.split(":")[4] != central.account:
        yield Fault(
            "accounts.central.role",
            "is of another account than the workspace, which it could not write to",
            f"give a role of {central.account}",
            central.role,
        )
    for name, key in (("retention_days", "retentionDays"), ("max_series", "maxSeries")):
        if metrics and name in metrics.model_fields_set:
            yield Fault(f"metrics.{key}", "is a setting of the workspace, which is another account's", "leave it out")


def _unheard(subscriptions: Sequence[Subscription]) -> Iterator[Fault]:
    for index, one in enumerate(subscriptions):
        if one.pagerduty:
            yield Fault(
                f"alerts.subscriptions.{index}.pagerduty",
                "is told by the Alertmanager of the workspace, which is another account's",
                "give PagerDuty's address as https, which CloudWatch alarms reach, or leave it out",
            )


def warnings(central: Central | None) -> list[str]:
    """What has to be done in another account, which nothing here can do."""
    if central is None:
        return []
    return [
        f"accounts.central: account {central.account} has to have the role of build/<stack>/central/role.json before "
        "this is deployed, or collectors do not start; the rules beside it are evaluated, and their alerts sent, only "
        "if they are put into the workspace there (docs/accounts.md)"
    ]


def role_template(central: Central, writers: Collection[str], traces: Traces) -> dict[str, Any]:
    """The CloudFormation template of the role that `writers`, ARNs of roles that may hold `*`, assume to write to the
    central account, for somebody there. What it says is what a stack with `writers` makes."""
    statements = policies.central_write(central.workspace, (traces.endpoint,) if central.traces else ())
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Collectors of another account write to {central.workspace_id}",
        "Resources": {
            "Writer": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": roles.name_of(central.role),
                    "Path": roles.path_of(central.role),
                    "AssumeRolePolicyDocument": policies.writers_trust(writers, external_id=central.external_id),
                    "Policies": [{"PolicyName": "permissions", "PolicyDocument": policies.policy(statements)}],
                },
            }
        },
    }
