"""What the parts of an environment are told of its settings."""

from collections.abc import Iterable, Iterator, Mapping

from documents import (
    accounts,
    compute,
    existing,
    grafana,
    instances,
    logs,
    rules,
    service_connect,
    signals,
    task,
    tracing,
)
from documents import observed as observation
from documents.alerting import alertmanager, limits
from documents.alerting.alerts import OF_NO_APPLICATION
from documents.alerting.inputs import DEFAULTS
from documents.alerting.rules import alerting_rules
from documents.alerting.subscriptions import warnings as delivery_warnings
from documents.catalogue import Pattern
from documents.compute import Compute
from documents.dashboards import Dashboard, dashboards
from documents.dashboards.shared import shared
from documents.environment.model import Settings, StackApplication, StackTask, workloads
from documents.faults import ConfigurationError
from documents.model import is_placeholder
from documents.names import Names
from documents.network import Uses
from documents.objectives import between_bounds, is_bound
from documents.observed import Observed


def warnings(settings: Settings) -> list[str]:
    """What is allowed and yet unwise, or still to be done."""
    users = [*settings.grafana.admins.everyone, *settings.grafana.editors.everyone, *settings.grafana.viewers.everyone]
    unfilled = [f"grafana: {text} is still to be filled in" for text in users if is_placeholder(text)]
    needed = [tracing.PREREQUISITE] if settings.traces.endpoint is signals.TraceEndpoint.OTLP else []
    estimated = [between_bounds(key, seconds) for key, seconds in _latencies(settings) if not is_bound(seconds)]
    return [
        *unfilled,
        *needed,
        *estimated,
        *(
            text
            for index, one in enumerate(settings.applications)
            for text in compute.warnings(one.capacity, f"applications.{index}")
        ),
        *(
            text
            for index, one in enumerate(settings.applications)
            for text in service_connect.warnings(one.service_connect, one.cpu, f"applications.{index}")
        ),
        *(text for key, one in workloads(settings).items() for text in logs.warnings(one.logs, key)),
        *instances.warnings(settings.ec2, placed(settings, dict(enumerate(settings.applications)))),
        *existing.warnings(settings.existing),
        *grafana.warnings(settings.grafana.network_access, settings.grafana.vpc),
        *accounts.warnings(settings.accounts.central),
        *delivery_warnings(settings.alerts.subscriptions),
    ] + [
        f"{key}.image: the tag 'latest' may be another image tomorrow (got {one.image!r}); pin a version"
        for key, one in workloads(settings).items()
        if isinstance(one.image, str) and one.image.endswith(":latest")
    ]


def _latencies(settings: Settings) -> Iterator[tuple[str, float]]:
    """Every time that requests are held against, with its key."""
    if seconds := settings.alerts.thresholds.latency:
        yield "alerts.thresholds.latency", seconds
    for index, one in enumerate(settings.applications):
        if seconds := one.alerts.thresholds.latency:
            yield f"applications.{index}.alerts.thresholds.latency", seconds
        if one.objectives and one.objectives.latency:
            yield f"applications.{index}.objectives.latency.threshold", one.objectives.latency.threshold


def uses(settings: Settings) -> Uses:
    """What the stack's tasks use outside of it."""
    return uses_of(settings, workloads(settings))


def uses_of(settings: Settings, workloads: Mapping[str, StackApplication | StackTask]) -> Uses:
    """What those of the stack's tasks use that are among `workloads`."""
    images = {"collector.image": settings.collector.image, "collector.drainImage": settings.collector.drain_image}
    secrets = {
        f"destinations.{index}.headers.{header}": arn
        for index, one in enumerate(settings.destinations)
        for header, arn in one.headers.items()
    }
    for key, one in workloads.items():
        if isinstance(one.image, str):
            images[f"{key}.image"] = one.image
        if one.instrumentation:
            images[f"{key}.instrumentation.image"] = one.instrumentation.source
        secrets |= {f"{key}.secrets.{name}": arn for name, arn in one.secrets.items()}
        secrets |= {f"{key}.container.extra.repositoryCredentials": arn for arn in one.container.secrets}
        secrets |= {f"{key}.logs.firelens.secretOptions": arn for arn in one.logs.secrets}
        images |= {f"{key}.logs.firelens.image": image for image in one.logs.images}
    return Uses(
        images=images,
        secrets=secrets,
        traces=settings.traces,
        receivers=settings.collector.receivers,
        destinations=settings.destinations,
        scrapes=any(one.metrics and (one.pattern or settings.pattern) is Pattern.SERVICE for one in workloads.values()),
        sessions=any(one.exec for one in workloads.values()),
        log_groups=tuple(dict.fromkeys(one.logs.group for one in workloads.values() if one.logs.group)),
        routed=tuple(statement for one in workloads.values() for statement in one.logs.statements),
        central=settings.accounts.central,
    )


def existing_task_roles(settings: Settings) -> list[str]:
    """The ARNs of task roles that exist already."""
    return [one.task_role for one in workloads(settings).values() if one.task_role]


def capacity_providers(settings: Settings) -> tuple[str, ...]:
    """What the cluster must have besides Fargate as a launch type, which every cluster has."""
    return compute.PROVIDERS if any(one.capacity for one in settings.applications) else ()


def container_insights(settings: Settings) -> str:
    """ECS's setting of the cluster: the service pattern reads ECS figures in CloudWatch."""
    return "enhanced" if Pattern.SERVICE in settings.patterns else "disabled"


def rules_of(settings: Settings, names: Names, region: str) -> dict[str, str]:
    """Rules files by namespace, whoever deploys them. Raises ConfigurationError with what AMP would refuse in them or
    in its Alertmanager's definition, minutes after the deployment has begun."""
    seen = observed(settings, names, region)
    documents = {"recording": rules.recording_rules(seen), "alerts": alerting_rules(seen)}
    # Where every alert is turned off, nothing is left to make a namespace of.
    texts = {namespace: rules.to_yaml(document) for namespace, document in documents.items() if document["groups"]}
    delivery = alertmanager.pending(settings.alerts.subscriptions, region)
    refused = [
        *limits.rules_faults(documents, texts),
        *limits.definition_faults(alertmanager.configuration(seen, delivery), alertmanager.definition(seen, delivery)),
    ]
    if refused:
        raise ConfigurationError(refused)
    if settings.accounts.central or settings.existing.metrics:
        # Beside those of others, who have namespaces of their own.
        return {f"{names.prefix}-{one}": text for one, text in texts.items()}
    return texts


def observed(settings: Settings, names: Names, region: str) -> Observed:
    """The stack as its dashboards, rules and alarms see it."""
    serves = Pattern.SERVICE in settings.patterns
    thresholds = settings.alerts.thresholds.over(DEFAULTS)
    return Observed(
        names=names,
        region=region,
        interval_seconds=settings.metrics.interval_seconds,
        applications=tuple(
            observation.Application(
                name=one.name,
                pattern=settings.pattern_of(one),
                desired_count=one.least_tasks,
                thresholds=one.alerts.thresholds.over(thresholds),
                disabled=frozenset((*settings.alerts.disabled, *one.alerts.disabled)),
                objectives=one.objectives,
                log_group=one.logs.group,
            )
            for one in settings.applications
        ),
        # The metrics of a workspace in CloudWatch are its own account's.
        disabled=frozenset((*settings.alerts.disabled, *(OF_NO_APPLICATION if settings.accounts.central else ()))),
        collectors=settings.collector.least_tasks if serves else 0,
        scraped=settings.scraped,
        max_series=settings.metrics.max_series,
        logs=settings.signals.logs_to_cloudwatch,
        scheduled=any(one.schedule for one in settings.tasks),
        thresholds=thresholds,
        runbooks=settings.alerts.runbooks,
        collector_memory={pattern: _collector_memory(settings, pattern) for pattern in settings.patterns},
    )


def _collector_memory(settings: Settings, pattern: Pattern) -> int:
    """The hard limit in MiB of the collector that delivers."""
    cpu, memory = settings.collector.size(pattern)
    return memory if pattern is Pattern.SIDECAR else task.service_shares(cpu, memory)[1][1]


def dashboards_of(settings: Settings, names: Names, region: str, imports: Iterable[Dashboard]) -> tuple[Dashboard, ...]:
    """Our dashboards and those that the stack imports."""
    every = (*dashboards(observed(settings, names, region)), *imports)
    return shared(names.prefix, every) if settings.existing.grafana or settings.accounts.central else every


def placed(settings: Settings, applications: Mapping[int, StackApplication]) -> list[instances.Placed]:
    """The tasks that are to be on instances."""
    placed = [
        instances.placed(one, f"applications.{index}")
        for index, one in applications.items()
        if one.compute is Compute.EC2
    ]
    collector, served = settings.collector, [one for one in applications.values() if _served(settings, one)]
    if collector.compute is Compute.EC2 and served:
        scraped = any(one.metrics for one in served)
        placed.append(instances.placed_collectors(collector, "collector", scraped=scraped))
    return placed


def _served(settings: Settings, application: StackApplication) -> bool:
    return settings.pattern_of(application) is Pattern.SERVICE
