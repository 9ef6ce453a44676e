"""What exists already and is used as it is: how it is named in a stack file, and what the stack needs of it."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import AfterValidator

from documents.faults import Fault, wrong
from documents.inputs import Grafana, Metrics
from documents.model import Model

_CLUSTER: Final = re.compile(
    r"(?:arn:aws[a-z-]*:ecs:[a-z0-9-]+:\d{12}:cluster/)?(?P<name>[A-Za-z0-9][A-Za-z0-9_-]{0,254})"
)
_WORKSPACE: Final = re.compile(r"ws-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_GRAFANA: Final = re.compile(r"g-[0-9a-f]{10}")

GRAFANA_MAJOR: Final = 12
"""The version of Grafana that dashboards and data sources are made for; older ones lack AMP's plugin or its keys."""

ACTIVE: Final = "ACTIVE"


def _cluster(value: str) -> str:
    if not _CLUSTER.fullmatch(value):
        raise wrong("is not a name or ARN of an ECS cluster", "write it as shared, or as the cluster's whole ARN")
    return value


def _workspace(value: str) -> str:
    if not _WORKSPACE.fullmatch(value):
        raise wrong(
            "is not the id of an AMP workspace", "write it as ws-12345678-1234-1234-1234-123456789012, not its alias"
        )
    return value


def _grafana(value: str) -> str:
    if not _GRAFANA.fullmatch(value):
        raise wrong("is not the id of an AMG workspace", "write it as g-1234567890, the first part of its address")
    return value


class Existing(Model):
    """What the stack uses and does not make."""

    cluster: Annotated[str, AfterValidator(_cluster)] | None = None
    """Name or ARN of an ECS cluster; docs/existing.md#an-ecs-cluster."""
    metrics: Annotated[str, AfterValidator(_workspace)] | None = None
    """Id of an AMP workspace; docs/existing.md#an-amp-workspace."""
    rules: bool = False
    """Whether the rules and the Alertmanager definition of that AMP workspace are this stack's."""
    grafana: Annotated[str, AfterValidator(_grafana)] | None = None
    """Id of an AMG workspace, which others may use too; docs/existing.md#an-amg-workspace."""

    @property
    def cluster_name(self) -> str | None:
        """The name of the cluster, however it was given."""
        found = _CLUSTER.fullmatch(self.cluster or "")
        return found["name"] if found else None


def faults(existing: Existing, metrics: Metrics | None, grafana: Grafana | None, *, traces: bool) -> list[Fault]:
    """Faults between what exists and what the stack file says of it. `traces` is whether Grafana is to look at traces,
    `metrics` and `grafana` are None where they have faults of their own."""
    found: list[Fault] = []
    if existing.rules and not existing.metrics:
        found.append(
            Fault(
                "existing.rules",
                "is said of an existing AMP workspace, and none is given",
                "give existing.metrics, or leave this out: the rules of a workspace of the stack are its own",
            )
        )
    if existing.metrics and metrics:
        found += [
            Fault(f"metrics.{key}", "is a setting of the workspace, which exists already", "leave it out")
            for name, key in (("retention_days", "retentionDays"), ("max_series", "maxSeries"))
            if name in metrics.model_fields_set
        ]
    if existing.grafana and grafana:
        if not grafana.enabled:
            found.append(Fault("existing.grafana", "is given, and grafana.enabled is false", "leave one of them out"))
        found += [
            Fault(f"grafana.{key}", "may enter a workspace that exists already", "say so where it is made")
            for key in ("admins", "editors", "viewers", "saml")
            if key in grafana.model_fields_set
        ]
        found += [
            Fault(f"grafana.{key}", "is a setting of the workspace, which exists already", "leave it out")
            for name, key in (("network_access", "networkAccess"), ("vpc", "vpc"))
            if name in grafana.model_fields_set
        ]
    if existing.grafana and traces:
        found.append(
            Fault(
                "alerts.traces",
                "would replace the notification policy of a Grafana that others use too",
                "leave it out with existing.grafana",
            )
        )
    return found


def warnings(existing: Existing) -> list[str]:
    """What whoever reads the stack's dashboards has to know."""
    if not existing.metrics or existing.rules:
        return []
    return [
        "existing.metrics: the rules and the Alertmanager definition of this workspace are not this stack's, so "
        "recorded series and the alerts that AMP evaluates are there only if somebody else deploys them; CloudWatch "
        "alarms are the stack's own in any case"
    ]


def cluster_faults(found: Mapping[str, Any], *, insights: bool) -> list[Fault]:
    """What makes a cluster unfit. `found` is what ECS says of it, by the provider's names; `insights` is whether the
    stack reads figures of tasks in Container Insights, which only the enhanced kind has."""
    key, name = "existing.cluster", found["cluster_name"]
    if found["status"] != ACTIVE:
        return [Fault(key, f"is not active but {found['status']}", "give one that is", name)]
    setting = {one["name"]: one["value"] for one in found["settings"]}.get("containerInsights", "disabled")
    if insights and setting != "enhanced":
        return [
            Fault(
                key,
                f"has Container Insights {setting}, where the service pattern reads CPU, memory and restarts of tasks",
                "have its owner set containerInsights to enhanced, or use the sidecar pattern",
                name,
            )
        ]
    return []


def metrics_faults(found: Mapping[str, Any]) -> list[Fault]:
    """What makes an AMP workspace unfit. `found` is what AMP says of it, by the provider's names."""
    if found["status"] == ACTIVE:
        return []
    problem = f"is not active but {found['status']}"
    return [Fault("existing.metrics", problem, "wait until it is, or give another", found["workspace_id"])]


def own_faults(workspaces: Sequence[str], key: str = "existing.metrics") -> list[Fault]:
    """A fault for each AMP workspace, by id, that the stack has made and would delete for the one under `key`."""
    return [
        Fault(
            key,
            f"would delete {id_}, the workspace that this stack has made, with all of its metrics",
            "leave it out, or deploy a second stack with it beside this one and destroy this one once its metrics are "
            "no longer needed",
        )
        for id_ in workspaces
    ]


def grafana_faults(found: Mapping[str, Any]) -> list[Fault]:
    """What makes an AMG workspace unfit. `found` is what AMG says of it, by the provider's names."""
    key, id_ = "existing.grafana", found["workspace_id"]
    made: list[Fault] = []
    if found["status"] != ACTIVE:
        made.append(Fault(key, f"is not active but {found['status']}", "wait until it is, or give another", id_))
    version = str(found["grafana_version"])
    if not version.partition(".")[0].isdigit() or int(version.partition(".")[0]) < GRAFANA_MAJOR:
        problem = f"has Grafana {version}, and the dashboards are made for {GRAFANA_MAJOR} and later"
        made.append(Fault(key, problem, "have its owner update it, or give another", id_))
    if not found["role_arn"]:
        problem = "has no role, with which its data sources would ask AWS"
        made.append(Fault(key, problem, "have its owner give it one", id_))
    return made
