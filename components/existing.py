"""What exists already, looked up and checked; none of it becomes a resource of the stack."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.refusal import refuse
from components.site import Site
from components.workspaces import own_workspaces
from documents import existing
from documents.central import Central
from documents.existing import Existing

_CLUSTER: Final = ("cluster_name", "status", "settings")
_METRICS: Final = ("workspace_id", "status")
_GRAFANA: Final = ("workspace_id", "status", "grafana_version", "role_arn")


@dataclass(frozen=True)
class Workspace:
    """An AMP workspace of this account or another."""

    id: str
    arn: str
    endpoint: str


@dataclass(frozen=True)
class Found:
    """What AWS says of everything that exists; None where the stack makes its own."""

    cluster: pulumi.Output[aws.ecs.AwaitableGetClusterResult] | None = None
    metrics: pulumi.Output[Workspace] | None = None
    grafana: "pulumi.Output[aws.grafana.AwaitableGetWorkspaceResult] | None" = None


def look_up(site: Site, wanted: Existing, *, insights: bool, central: Central | None = None) -> Found:
    """What is wanted, known only if all of it fits: RefusedError has every fault. `insights` is whether figures
    of tasks are read in Container Insights. What AWS does not know at all fails the look-up itself, with its name; the
    workspace of a `central` account is not looked up, because this account may not ask."""
    answers: dict[str, pulumi.Output[Any]] = {}
    if wanted.cluster:
        answers["cluster"] = aws.ecs.get_cluster_output(cluster_name=wanted.cluster, opts=site.asking)
    if wanted.metrics:
        answers["metrics"] = aws.amp.get_workspace_output(workspace_id=wanted.metrics, opts=site.asking)
    if wanted.metrics or central:
        answers["own"] = pulumi.Output.from_input([str(one.workspace_id) for one in own_workspaces(site)])
    if wanted.grafana:
        answers["grafana"] = aws.grafana.get_workspace_output(workspace_id=wanted.grafana, opts=site.asking)

    def fit(known: Mapping[str, Any]) -> Mapping[str, Any]:
        faults = [
            *(existing.cluster_faults(_said(known["cluster"], _CLUSTER), insights=insights) if wanted.cluster else []),
            *(existing.metrics_faults(_said(known["metrics"], _METRICS)) if wanted.metrics else []),
            *existing.own_faults(
                known.get("own", ()),
                "accounts.central" if central else "existing.metrics",
            ),
            *(existing.grafana_faults(_said(known["grafana"], _GRAFANA)) if wanted.grafana else []),
        ]
        refuse(faults)
        return known

    if not answers:
        # Outputs of nothing at all come as a list.
        return Found()
    checked = pulumi.Output.all(**answers).apply(fit)

    def workspace(known: Mapping[str, Any]) -> Workspace:
        if central:
            return Workspace(central.workspace_id, central.workspace, central.endpoint)
        metrics = known["metrics"]
        return Workspace(metrics.workspace_id, metrics.arn, metrics.prometheus_endpoint)

    return Found(
        cluster=checked.apply(lambda known: known["cluster"]) if wanted.cluster else None,
        metrics=checked.apply(workspace) if wanted.metrics or central else None,
        grafana=checked.apply(lambda known: known["grafana"]) if wanted.grafana else None,
    )


def _said(answer: Any, names: tuple[str, ...]) -> dict[str, Any]:
    said = {name: getattr(answer, name) for name in names}
    if "settings" in said:
        said["settings"] = [{"name": one.name, "value": one.value} for one in said["settings"]]
    return said
