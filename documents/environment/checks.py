"""Faults that only show between the keys of a stack file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from documents import accounts, existing, inputs, instances, receivers, scaling, signals, tracing, traffic
from documents import collector as collector_documents
from documents.alerting.alerts import OF_COLLECTORS
from documents.alerting.inputs import Alerts
from documents.catalogue import Pattern
from documents.environment.model import Settings, StackApplication, StackCollector, StackMetrics, StackTask, by_key
from documents.environment.views import placed, uses_of
from documents.faults import Fault
from documents.names import COLLECTOR, Names
from documents.network import Egress
from documents.network import faults as egress_faults
from documents.objectives import DAY, PERIOD_SECONDS


def is_sound(found: Iterable[Fault], *keys: str) -> bool:
    """Whether no fault stands at the keys, above or below them."""
    faulty = [f"{fault.key}." for fault in found]
    return not any(fault.startswith(f"{key}.") or f"{key}.".startswith(fault) for fault in faulty for key in keys)


def application_faults(
    applications: Mapping[int, StackApplication], parts: Mapping[str, Any], names: Names, found: Sequence[Fault]
) -> list[Fault]:
    """Faults that only show between keys; nothing follows from a key with a fault among those `found`."""
    collector: StackCollector | None = parts["collector"]
    named = {index: each.name for index, each in applications.items() if is_sound(found, f"applications.{index}.name")}
    across = names.faults(named)
    across += _unanswered(applications, parts, found)
    across += _alert_faults(parts["alerts"], parts["grafana"])
    if parts["existing"] and is_sound(found, "existing"):
        traces = bool(parts["alerts"] and parts["alerts"].traces)
        across += existing.faults(parts["existing"], parts["metrics"], parts["grafana"], traces=traces)
    if is_sound(found, "loadBalancer", "network"):
        across += _traffic_faults(applications, parts, found)
    if is_sound(found, "ec2", "existing", "network", "collector", "pattern"):
        across += _instance_faults(applications, parts, found)
    across += [fault for fault in inputs.tags_fit(parts["tags"] or {}, "tags") if is_sound(found, fault.key)]
    across += [
        fault
        for index, application in applications.items()
        if is_sound(found, f"applications.{index}.architecture")
        for fault in inputs.agent_fits(application, f"applications.{index}")
        if is_sound(found, fault.key)
    ]
    patterns = {
        index: application.pattern or parts["pattern"]
        for index, application in applications.items()
        if is_sound(found, f"applications.{index}.pattern")
    }
    if collector:
        across += [
            fault
            for index, pattern in patterns.items()
            if pattern is Pattern.SIDECAR
            for fault in inputs.sidecar_fits(
                applications[index], collector, collector.receivers, f"applications.{index}"
            )
            # A task's cpu is measured by the collector's, and its memory by the collector's.
            if is_sound(found, fault.key, f"collector.{fault.key.rpartition('.')[2]}")
        ]
        if Pattern.SERVICE in patterns.values() and is_sound(found, "collector.cpu", "collector.memory"):
            across += inputs.service_fits(collector, "collector")
        if is_sound(found, "collector.receivers", "collector.discovery", "traces"):
            across += _trace_faults(applications, patterns, collector, parts["traces"])
        if is_sound(found, "collector", "metrics", "traces", "destinations", "logs", "accounts"):
            across += _collector_faults(applications, patterns, parts, names)
    return across


def task_faults(
    own_tasks: Mapping[int, StackTask], parts: Mapping[str, Any], names: Names, found: Sequence[Fault]
) -> list[Fault]:
    """Faults between a task and everything else; nothing follows from a key with a fault among those `found`."""
    collector: StackCollector | None = parts["collector"]
    across: list[Fault] = []
    for index, one in own_tasks.items():
        key = f"tasks.{index}"
        if not is_sound(found, key):
            continue
        across += [*names.application_faults(one.name, key), *inputs.agent_fits(one, key)]
        if collector and is_sound(found, "collector"):
            across += inputs.sidecar_fits(one, collector, collector.receivers, key)
        if is_sound(found, "traces"):
            across += tracing.ratio_faults(parts["traces"], one.ratio, key)
            across += tracing.sidecar_faults(parts["traces"], one.name)
    return across


def _traffic_faults(
    applications: Mapping[int, StackApplication], parts: Mapping[str, Any], found: Sequence[Fault]
) -> list[Fault]:
    claims = {
        index: traffic.Claim(one.name, one.traffic, bool(one.rollout and one.rollout.shifts))
        for index, one in applications.items()
        if one.traffic and is_sound(found, f"applications.{index}.traffic", f"applications.{index}.name")
    }
    return traffic.faults(parts["load_balancer"], claims, parts["network"])


def _instance_faults(
    applications: Mapping[int, StackApplication], parts: Mapping[str, Any], found: Sequence[Fault]
) -> list[Fault]:
    """Faults between EC2 instances and what is to be on them."""
    sound = {index: one for index, one in applications.items() if is_sound(found, f"applications.{index}")}
    settings, network = Settings.model_construct(**parts), parts["network"]
    return instances.faults(
        settings.ec2,
        placed(settings, sound),
        cluster=settings.existing.cluster is not None,
        vpc=network.vpc is not None,
        private=network.private,
        closed=network.way_out is Egress.ENDPOINTS,
    )


def _alert_faults(alerts: Alerts | None, grafana: inputs.Grafana | None) -> list[Fault]:
    if alerts and grafana and alerts.traces and not grafana.enabled:
        return [Fault("alerts.traces", "has Grafana look at traces, and there is none", "turn grafana on, or this off")]
    return []


def _unanswered(
    applications: Mapping[int, StackApplication], parts: Mapping[str, Any], found: Sequence[Fault]
) -> Iterator[Fault]:
    """Faults in objectives that nobody remembers long enough, and in alerts of an application that it does not have."""
    promising = [
        index for index, one in applications.items() if is_sound(found, f"applications.{index}") and one.objectives
    ]
    metrics: StackMetrics | None = parts["metrics"]
    days = PERIOD_SECONDS // DAY
    if promising and metrics and is_sound(found, "metrics") and metrics.retention_days < days:
        yield Fault(
            "metrics.retentionDays",
            f"is less than the {days} days of the objectives under applications.{promising[0]}",
            f"give at least {days}, or leave the objectives out",
            metrics.retention_days,
        )
    for index, one in applications.items():
        key = f"applications.{index}"
        if not is_sound(found, key, "pattern") or (one.pattern or parts["pattern"]) is not Pattern.SERVICE:
            continue
        for name in one.alerts.disabled:
            if name in OF_COLLECTORS:
                problem = f"has {name}, and the collectors of the service pattern are all applications' own"
                yield Fault(f"{key}.alerts.disabled", problem, "turn it off for the whole stack, under alerts.disabled")
        if one.alerts.thresholds.queue is not None:
            problem = "is of a collector, and those of the service pattern are all applications' own"
            yield Fault(f"{key}.alerts.thresholds.queue", problem, "give it for the stack, under alerts.thresholds")


def _trace_faults(
    applications: Mapping[int, StackApplication],
    patterns: Mapping[int, Pattern],
    collector: StackCollector,
    traces: signals.Traces,
) -> list[Fault]:
    """Faults between what is said of traces and everything else."""
    found = tracing.faults(traces, collector.receivers)
    for index, pattern in patterns.items():
        found += tracing.ratio_faults(traces, applications[index].ratio, f"applications.{index}")
        if pattern is Pattern.SIDECAR:
            found += tracing.sidecar_faults(traces, applications[index].name)
    if Pattern.SERVICE in patterns.values():
        by_name = collector.discovery is inputs.Discovery.CLOUD_MAP
        found += [
            *tracing.service_faults(traces, by_name=by_name),
            *receivers.service_faults(collector.receivers, by_name=by_name),
            *scaling.collector_faults(collector.scaling, tail=traces.tail is not None, key="collector"),
        ]
    return found


def _collector_faults(
    applications: Mapping[int, StackApplication],
    patterns: Mapping[int, Pattern],
    parts: Mapping[str, Any],
    names: Names,
) -> list[Fault]:
    """Faults in the configurations of the collectors, each once."""
    settings = Settings.model_construct(**parts)
    needed = {index: applications[index] for index, pattern in patterns.items() if pattern is Pattern.SIDECAR}
    own_tasks: Mapping[int, StackTask] = parts["tasks"] or {}
    observed: list[inputs.Workload] = [*needed.values(), *own_tasks.values()]
    collectors = [(Pattern.SIDECAR, application.name, application.metrics) for application in observed]
    if Pattern.SERVICE in patterns.values():
        collectors.append((Pattern.SERVICE, COLLECTOR, None))
    found = [
        fault
        for pattern, service, scrape in collectors
        for fault in collector_documents.faults(
            collector_documents.CollectorInputs(
                pattern=pattern,
                origin=names.origin(service),
                memory=settings.collector.size(pattern)[1],
                queue=settings.collector.queue,
                interval_seconds=settings.metrics.interval_seconds,
                signals=settings.signals,
                scrape=scrape,
            ),
            settings.collector.image,
        )
    ]
    return list({str(fault): fault for fault in found}.values())


def network_faults(
    applications: Mapping[int, StackApplication], parts: Mapping[str, Any], region: str, found: Sequence[Fault]
) -> list[Fault]:
    """Faults between the network and what tasks use through it."""
    if not is_sound(found, "network", "collector", "traces", "destinations", "pattern", "accounts"):
        return []
    uses = uses_of(Settings.model_construct(**parts), by_key(applications, parts["tasks"] or {}))
    return [fault for fault in egress_faults(parts["network"], uses, region) if is_sound(found, fault.key)]


def account_faults(parts: Mapping[str, Any], region: str, found: Sequence[Fault]) -> list[Fault]:
    """Faults between a central account and what the stack has of its own."""
    if not is_sound(found, "accounts"):
        return []
    faults = accounts.faults(
        parts["accounts"],
        existing=parts["existing"],
        metrics=parts["metrics"],
        grafana=parts["grafana"],
        subscriptions=parts["alerts"].subscriptions if parts["alerts"] else (),
        region=region,
    )
    return [fault for fault in faults if is_sound(found, fault.key)]
