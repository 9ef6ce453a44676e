"""What exists already, looked up and checked; none of it becomes a resource of the stack."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.site import Site
from components.workspaces import own_workspaces
from documents import existing
from documents.existing import Existing
from documents.faults import ConfigurationError

_CLUSTER: Final = ("cluster_name", "status", "settings")
_METRICS: Final = ("workspace_id", "status")
_GRAFANA: Final = ("workspace_id", "status", "grafana_version", "role_arn")


@dataclass(frozen=True)
class Found:
    """What AWS says of everything that exists; None where the stack makes its own."""

    cluster: pulumi.Output[aws.ecs.AwaitableGetClusterResult] | None = None
    metrics: pulumi.Output[aws.amp.AwaitableGetWorkspaceResult] | None = None
    grafana: pulumi.Output[aws.grafana.AwaitableGetWorkspaceResult] | None = None


def look_up(site: Site, wanted: Existing, *, insights: bool) -> Found:
    """What is wanted, known only if all of it fits: ConfigurationError has every fault. `insights` is whether figures
    of tasks are read in Container Insights. What AWS does not know at all fails the look-up itself, with its name."""
    answers: dict[str, pulumi.Output[Any]] = {}
    if wanted.cluster:
        answers["cluster"] = aws.ecs.get_cluster_output(cluster_name=wanted.cluster)
    if wanted.metrics:
        answers["metrics"] = aws.amp.get_workspace_output(workspace_id=wanted.metrics)
        answers["own"] = own_workspaces(site)
    if wanted.grafana:
        answers["grafana"] = aws.grafana.get_workspace_output(workspace_id=wanted.grafana)

    def fit(known: Mapping[str, Any]) -> Mapping[str, Any]:
        faults = [
            *(existing.cluster_faults(_said(known["cluster"], _CLUSTER), insights=insights) if wanted.cluster else []),
            *(existing.metrics_faults(_said(known["metrics"], _METRICS)) if wanted.metrics else []),
            *existing.own_faults([str(one.workspace_id) for one in known.get("own", ())]),
            *(existing.grafana_faults(_said(known["grafana"], _GRAFANA)) if wanted.grafana else []),
        ]
        if faults:
            raise ConfigurationError(faults)
        return known

    if not answers:
        # Outputs of nothing at all come as a list.
        return Found()
    checked = pulumi.Output.all(**answers).apply(fit)
    found = {what: checked.apply(lambda known, what=what: known[what]) for what in answers if what != "own"}
    return Found(**found)


def _said(answer: Any, names: tuple[str, ...]) -> dict[str, Any]:
    said = {name: getattr(answer, name) for name in names}
    if "settings" in said:
        said["settings"] = [{"name": one.name, "value": one.value} for one in said["settings"]]
    return said
