"""The stack configuration: `Pulumi.<stack>.yaml` as one typed, strict model, with all its errors at once."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final, TypeVar, cast

import pulumi.runtime.config as pulumi_config
from pydantic import AfterValidator, Discriminator, Tag, TypeAdapter, ValidationError, field_validator

from documents import (
    accounts,
    compute,
    existing,
    grafana,
    inputs,
    instances,
    logs,
    receivers,
    rules,
    scaling,
    service_connect,
    signals,
    task,
    tasks,
    tracing,
    traffic,
)
from documents import collector as collector_documents
from documents import observed as observation
from documents.alerting import alertmanager, limits
from documents.alerting.alerts import OF_COLLECTORS, OF_NO_APPLICATION
from documents.alerting.inputs import DEFAULTS, Alerts, ApplicationAlerts
from documents.alerting.rules import alerting_rules
from documents.alerting.subscriptions import warnings as delivery_warnings
from documents.catalogue import Pattern
from documents.central import Accounts
from documents.compute import Compute
from documents.dashboards import OURS, Dashboard, dashboards
from documents.dashboards.imported import DashboardError, imported
from documents.dashboards.shared import shared
from documents.encryption import Encryption
from documents.existing import Existing
from documents.faults import BUILD, REFERENCE, ConfigurationError, Fault, faults_of, nearest, wrong
from documents.model import is_placeholder
from documents.names import COLLECTOR, Names
from documents.network import Egress, Network, Uses
from documents.network import faults as network_faults
from documents.objectives import DAY, PERIOD_SECONDS, Objectives, between_bounds, is_bound
from documents.observed import Observed
from documents.traffic import LoadBalancer

N = TypeVar("N", bound=inputs.Workload)


def _relative(path: str) -> str:
    if not path or PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise wrong("is not a folder of this project", "give a path below the project, for example ./sample")
    return path


class Build(inputs.Model):
    """An image that `pulumi up` builds from a folder with a Dockerfile and pushes to a repository of the stack."""

    build: Annotated[str, AfterValidator(_relative)]


def _kind_of_image(value: object) -> str:
    return BUILD if isinstance(value, dict | Build) else REFERENCE


StackImage = Annotated[
    Annotated[inputs.ImageReference, Tag(REFERENCE)] | Annotated[Build, Tag(BUILD)], Discriminator(_kind_of_image)
]


class StackApplication(inputs.Application):
    """An application of a stack: its image may be built, it may choose another pattern than the stack's, and it may
    have objectives and alerts of its own."""

    image: StackImage  # pyright: ignore[reportIncompatibleVariableOverride]
    pattern: Pattern | None = None
    objectives: Objectives | None = None
    alerts: ApplicationAlerts = ApplicationAlerts()


class StackTask(tasks.Task):
    """A task of a stack: its image may be built."""

    image: StackImage  # pyright: ignore[reportIncompatibleVariableOverride]
    pattern: Pattern = Pattern.SIDECAR

    @field_validator("pattern")
    @classmethod
    def _sidecar(cls, pattern: Pattern) -> Pattern:
        if pattern is not Pattern.SIDECAR:
            raise wrong(
                "is not for a task, which is no ECS service: Service Connect takes no client that RunTask has started, "
                "and CloudWatch has the figures that this pattern reads by service",
                "leave it out: a task has a sidecar in every stack",
            )
        return pattern


def asked_of(workload: StackApplication | StackTask) -> dict[str, Any]:
    """What the component of an application or a task takes of its settings; the others are the stack's."""
    model = tasks.Task if isinstance(workload, StackTask) else inputs.Application
    return {name: getattr(workload, name) for name in model.model_fields}


class StackCollector(inputs.Collector):
    """The collector of a stack, and what all of its collectors take besides OTLP and have of the user's own."""

    receivers: frozenset[signals.Receiver] = frozenset()
    additions: signals.Additions = signals.Additions()


class StackMetrics(inputs.Metrics):
    """The workspace of a stack, and whether CloudWatch is sent metrics as well."""

    to_cloudwatch: bool = False


class Settings(inputs.Model):
    """Everything that a stack file may say."""

    pattern: Pattern = Pattern.SIDECAR
    applications: tuple[StackApplication, ...]
    tasks: tuple[StackTask, ...] = ()
    collector: StackCollector = StackCollector()
    metrics: StackMetrics = StackMetrics()
    traces: signals.Traces = signals.Traces()
    destinations: tuple[signals.Destination, ...] = ()
    alerts: Alerts = Alerts()
    grafana: inputs.Grafana = inputs.Grafana()
    identity: inputs.Identity = inputs.Identity()
    network: Network = Network()
    ec2: instances.Ec2 = instances.Ec2()
    load_balancer: LoadBalancer = LoadBalancer()
    logs: inputs.Logs = inputs.Logs()
    encryption: Encryption = Encryption()
    existing: Existing = Existing()
    accounts: Accounts = Accounts()
    tags: Mapping[str, str] = {}

    def pattern_of(self, application: StackApplication) -> Pattern:
        """The pattern that observes an application."""
        return application.pattern or self.pattern

    @property
    def signals(self) -> signals.Signals:
        """What the stack's collectors take, and where it goes."""
        return signals.Signals(
            receivers=self.collector.receivers,
            traces=self.traces,
            destinations=self.destinations,
            metrics_to_cloudwatch=self.metrics.to_cloudwatch,
            logs_to_cloudwatch=self.logs.from_applications,
            additions=self.collector.additions,
            central=self.accounts.central,
        )

    @property
    def owns_rules(self) -> bool:
        """Whether rules and Alertmanager definition of the AMP workspace are the stack's."""
        return self.accounts.central is None and (not self.existing.metrics or self.existing.rules)

    @property
    def patterns(self) -> frozenset[Pattern]:
        """Every pattern that the stack needs."""
        return frozenset(self.pattern_of(application) for application in self.applications)

    @property
    def scraped(self) -> bool:
        """Whether the service pattern has an application that exposes metrics, and so needs a scraper."""
        return any(one.metrics and self.pattern_of(one) is Pattern.SERVICE for one in self.applications)


KEYS: Final = frozenset(field.alias or name for name, field in Settings.model_fields.items())
"""The keys of a stack file."""

_STRUCTURED: Final = KEYS - {"pattern"}


def program_config() -> dict[str, str]:
    """What Pulumi hands to the running program; it has no public way to list the keys, and a misspelt key needs one."""
    return {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}


def encrypted_keys() -> frozenset[str]:
    """The keys of the running program's configuration that hold a value which the stack file has encrypted."""
    marked = {key for key in program_config() if pulumi_config.is_config_secret(key)}
    return frozenset(marked.union(pulumi_config.get_config_secret_keys_env()))


def load(
    config: Mapping[str, str], names: Names, root: Path, encrypted: Iterable[str] = ()
) -> tuple[Settings, tuple[Dashboard, ...]]:
    """The settings in a stack's configuration, and the dashboards that they import.

    `config` has the keys and texts that Pulumi hands to a program: `<project>:<key>`, structured values as JSON.
    Paths are relative to `root`. `encrypted` names the keys whose decrypted value must not end up in a document.
    Raises ConfigurationError with every fault of the values and of the files that they name.
    """
    own = {key.partition(":")[2]: text for key, text in config.items() if key.partition(":")[0] == names.project}
    faults: list[Fault] = []
    values = {key: _value(key, text, faults) for key, text in own.items()}
    faults += [
        Fault(
            key,
            "holds an encrypted value, which a task definition would show in plain text",
            "store it in Secrets Manager or SSM Parameter Store and give its ARN under `secrets`",
        )
        for key in own
        # Addresses to which alerts go may hold keys, and stand in no document.
        if key != "alerts" and f"{names.project}:{key}" in set(encrypted)
    ]
    parts = _parts(values, faults)
    applications: dict[int, StackApplication] = parts["applications"] or {}
    own_tasks: dict[int, StackTask] = parts["tasks"] or {}
    faults += [*_across(applications, parts, names, faults), *_task_faults(own_tasks, parts, names, faults)]
    faults += _build_faults(_by_key(applications, own_tasks), root)
    faults += _network_faults(applications, parts, config.get("aws:region", ""), faults)
    faults += _account_faults(parts, config.get("aws:region", ""), faults)
    imports = _imports(parts["grafana"], root, faults)
    if faults:
        raise ConfigurationError(faults)
    parts["applications"] = _prioritised(applications)
    parts["tasks"] = tuple(own_tasks.values())
    return Settings.model_construct(**parts), imports


def _prioritised(applications: Mapping[int, StackApplication]) -> tuple[StackApplication, ...]:
    """The applications with the priorities of their listener rules, which no application can choose alone."""
    wanted = {one.name: one.traffic for one in applications.values() if one.traffic}
    chosen = traffic.priorities(wanted)
    return tuple(
        one.model_copy(update={"traffic": one.traffic.model_copy(update={"priority": chosen[one.name]})})
        if one.traffic and one.name in chosen
        else one
        for one in applications.values()
    )


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
        *(text for key, one in _workloads(settings).items() for text in logs.warnings(one.logs, key)),
        *instances.warnings(settings.ec2, _placed(settings, dict(enumerate(settings.applications)))),
        *existing.warnings(settings.existing),
        *grafana.warnings(settings.grafana.network_access, settings.grafana.vpc),
        *accounts.warnings(settings.accounts.central),
        *delivery_warnings(settings.alerts.subscriptions),
    ] + [
        f"{key}.image: the tag 'latest' may be another image tomorrow (got {one.image!r}); pin a version"
        for key, one in _workloads(settings).items()
        if isinstance(one.image, str) and one.image.endswith(":latest")
    ]


def _workloads(settings: Settings) -> dict[str, StackApplication | StackTask]:
    return _by_key(dict(enumerate(settings.applications)), dict(enumerate(settings.tasks)))


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
    return _uses(settings, _workloads(settings))


def _uses(settings: Settings, workloads: Mapping[str, StackApplication | StackTask]) -> Uses:
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
    return [one.task_role for one in _workloads(settings).values() if one.task_role]


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


def _parts(values: Mapping[str, Any], found: list[Fault]) -> dict[str, Any]:
    """What is sound of each part of the settings, or None; applications by their place in the list.

    Each key is judged by itself, so that one fault does not hide another's; the faults go to `found`.
    """
    unread = {fault.key for fault in found}
    known = {field.alias or name: (name, field) for name, field in Settings.model_fields.items()}
    found += [Fault(key, "is not a known key", nearest(key, known)) for key in values if key not in known]
    parts: dict[str, Any] = {}
    seen: dict[str, str] = {}
    for alias, (name, field) in known.items():
        if alias in unread:
            parts[name] = None
        elif alias == "applications":
            parts[name] = _applications(values.get(alias), found, seen)
        elif alias == "tasks":
            parts[name] = _named(StackTask, values.get(alias, []), alias, found, seen)
        elif alias in values:
            parts[name] = _part(field.annotation, values[alias], alias, found)
        else:
            parts[name] = field.get_default()
    return parts


def _applications(values: Any, found: list[Fault], seen: dict[str, str]) -> dict[int, StackApplication]:
    """What is sound of each application, by its place in the list."""
    if not isinstance(values, list) or not values:
        found.append(Fault("applications", "is missing or empty", "list at least one application"))
        return {}
    return _named(StackApplication, cast(Any, values), "applications", found, seen)


def _named(model: type[N], values: Any, list_key: str, found: list[Fault], seen: dict[str, str]) -> dict[int, N]:
    """What is sound of each application or task, by its place in the list; `seen` are the names so far, and whose."""
    if not isinstance(values, list):
        found.append(Fault(list_key, "has the wrong type", "give a list"))
        return {}
    sound: dict[int, N] = {}
    for index, value in enumerate(cast(list[Any], values)):
        key = f"{list_key}.{index}"
        if one := _part(model, value, key, found):
            sound[index] = one
        name = cast(dict[str, Any], value).get("name") if isinstance(value, dict) else None
        if isinstance(name, str):
            if name in seen:
                found.append(Fault(f"{key}.name", f"is the name of {seen[name]} as well", "choose another name", name))
            seen.setdefault(name, key)
    return sound


def _by_key(
    applications: Mapping[int, StackApplication], own_tasks: Mapping[int, StackTask]
) -> dict[str, StackApplication | StackTask]:
    """All that the user runs, by where it stands."""
    return {
        **{f"applications.{index}": one for index, one in applications.items()},
        **{f"tasks.{index}": one for index, one in own_tasks.items()},
    }


def _part(annotation: Any, value: Any, key: str, found: list[Fault]) -> Any:
    """The value as `annotation` has it, or what is sound of it, or None; its faults go to `found`."""
    try:
        return TypeAdapter[Any](annotation).validate_python(value)
    except ValidationError as error:
        model = _model_of(annotation)
        found += faults_of(error, model, key)
    if not isinstance(value, dict):
        return None
    kept = {name: each for name, each in cast(dict[str, Any], value).items() if _sound(found, f"{key}.{name}")}
    return kept if model is Settings else _incomplete(model, kept)


def _incomplete(model: type[inputs.Model], kept: Mapping[str, Any]) -> inputs.Model:
    """The model of the keys that are kept, by their aliases; where they lack a required one, it is None."""
    made: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if (alias := field.alias or name) in kept:
            # Only read, not judged: a sound memory may not go with the default of a cpu that is not.
            made[name] = TypeAdapter[Any](cast(Any, field.annotation)).validate_python(kept[alias])
        elif field.is_required():
            made[name] = None
    return model.model_construct(**made)


def _sound(found: Iterable[Fault], *keys: str) -> bool:
    """Whether no fault stands at the keys, above or below them."""
    faulty = [f"{fault.key}." for fault in found]
    return not any(fault.startswith(f"{key}.") or f"{key}.".startswith(fault) for fault in faulty for key in keys)


def _across(
    applications: Mapping[int, StackApplication], parts: Mapping[str, Any], names: Names, found: Sequence[Fault]
) -> list[Fault]:
    """Faults that only show between keys; nothing follows from a key with a fault among those `found`."""
    collector: StackCollector | None = parts["collector"]
    named = {index: each.name for index, each in applications.items() if _sound(found, f"applications.{index}.name")}
    across = names.faults(named)
    across += _unanswered(applications, parts, found)
    across += _alert_faults(parts["alerts"], parts["grafana"])
    if parts["existing"] and _sound(found, "existing"):
        traces = bool(parts["alerts"] and parts["alerts"].traces)
        across += existing.faults(parts["existing"], parts["metrics"], parts["grafana"], traces=traces)
    if _sound(found, "loadBalancer", "network"):
        across += _traffic_faults(applications, parts, found)
    if _sound(found, "ec2", "existing", "network", "collector", "pattern"):
        across += _instance_faults(applications, parts, found)
    across += [fault for fault in inputs.tags_fit(parts["tags"] or {}, "tags") if _sound(found, fault.key)]
    across += [
        fault
        for index, application in applications.items()
        if _sound(found, f"applications.{index}.architecture")
        for fault in inputs.agent_fits(application, f"applications.{index}")
        if _sound(found, fault.key)
    ]
    patterns = {
        index: application.pattern or parts["pattern"]
        for index, application in applications.items()
        if _sound(found, f"applications.{index}.pattern")
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
            if _sound(found, fault.key, f"collector.{fault.key.rpartition('.')[2]}")
        ]
        if Pattern.SERVICE in patterns.values() and _sound(found, "collector.cpu", "collector.memory"):
            across += inputs.service_fits(collector, "collector")
        if _sound(found, "collector.receivers", "collector.discovery", "traces"):
            across += _trace_faults(applications, patterns, collector, parts["traces"])
        if _sound(found, "collector", "metrics", "traces", "destinations", "logs", "accounts"):
            across += _collector_faults(applications, patterns, parts, names)
    return across


def _task_faults(
    own_tasks: Mapping[int, StackTask], parts: Mapping[str, Any], names: Names, found: Sequence[Fault]
) -> list[Fault]:
    """Faults between a task and everything else; nothing follows from a key with a fault among those `found`."""
    collector: StackCollector | None = parts["collector"]
    across: list[Fault] = []
    for index, one in own_tasks.items():
        key = f"tasks.{index}"
        if not _sound(found, key):
            continue
        across += [*names.application_faults(one.name, key), *inputs.agent_fits(one, key)]
        if collector and _sound(found, "collector"):
            across += inputs.sidecar_fits(one, collector, collector.receivers, key)
        if _sound(found, "traces"):
            across += tracing.ratio_faults(parts["traces"], one.ratio, key)
            across += tracing.sidecar_faults(parts["traces"], one.name)
    return across


def _traffic_faults(
    applications: Mapping[int, StackApplication], parts: Mapping[str, Any], found: Sequence[Fault]
) -> list[Fault]:
    claims = {
        index: traffic.Claim(one.name, one.traffic, bool(one.rollout and one.rollout.shifts))
        for index, one in applications.items()
        if one.traffic and _sound(found, f"applications.{index}.traffic", f"applications.{index}.name")
    }
    return traffic.faults(parts["load_balancer"], claims, parts["network"])


def _instance_faults(
    applications: Mapping[int, StackApplication], parts: Mapping[str, Any], found: Sequence[Fault]
) -> list[Fault]:
    """Faults between EC2 instances and what is to be on them."""
    sound = {index: one for index, one in applications.items() if _sound(found, f"applications.{index}")}
    settings, network = Settings.model_construct(**parts), parts["network"]
    return instances.faults(
        settings.ec2,
        _placed(settings, sound),
        cluster=settings.existing.cluster is not None,
        vpc=network.vpc is not None,
        private=network.private,
        closed=network.way_out is Egress.ENDPOINTS,
    )


def _placed(settings: Settings, applications: Mapping[int, StackApplication]) -> list[instances.Placed]:
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


def _alert_faults(alerts: Alerts | None, grafana: inputs.Grafana | None) -> list[Fault]:
    if alerts and grafana and alerts.traces and not grafana.enabled:
        return [Fault("alerts.traces", "has Grafana look at traces, and there is none", "turn grafana on, or this off")]
    return []


def _unanswered(
    applications: Mapping[int, StackApplication], parts: Mapping[str, Any], found: Sequence[Fault]
) -> Iterator[Fault]:
    """Faults in objectives that nobody remembers long enough, and in alerts of an application that it does not have."""
    promising = [
        index for index, one in applications.items() if _sound(found, f"applications.{index}") and one.objectives
    ]
    metrics: StackMetrics | None = parts["metrics"]
    days = PERIOD_SECONDS // DAY
    if promising and metrics and _sound(found, "metrics") and metrics.retention_days < days:
        yield Fault(
            "metrics.retentionDays",
            f"is less than the {days} days of the objectives under applications.{promising[0]}",
            f"give at least {days}, or leave the objectives out",
            metrics.retention_days,
        )
    for index, one in applications.items():
        key = f"applications.{index}"
        if not _sound(found, key, "pattern") or (one.pattern or parts["pattern"]) is not Pattern.SERVICE:
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


def _network_faults(
    applications: Mapping[int, StackApplication], parts: Mapping[str, Any], region: str, found: Sequence[Fault]
) -> list[Fault]:
    """Faults between the network and what tasks use through it."""
    if not _sound(found, "network", "collector", "traces", "destinations", "pattern", "accounts"):
        return []
    uses = _uses(Settings.model_construct(**parts), _by_key(applications, parts["tasks"] or {}))
    return [fault for fault in network_faults(parts["network"], uses, region) if _sound(found, fault.key)]


def _account_faults(parts: Mapping[str, Any], region: str, found: Sequence[Fault]) -> list[Fault]:
    """Faults between a central account and what the stack has of its own."""
    if not _sound(found, "accounts"):
        return []
    faults = accounts.faults(
        parts["accounts"],
        existing=parts["existing"],
        metrics=parts["metrics"],
        grafana=parts["grafana"],
        subscriptions=parts["alerts"].subscriptions if parts["alerts"] else (),
        region=region,
    )
    return [fault for fault in faults if _sound(found, fault.key)]


def _build_faults(workloads: Mapping[str, StackApplication | StackTask], root: Path) -> list[Fault]:
    return [
        Fault(f"{key}.image.build", "is no folder with a Dockerfile", "give the folder that holds it", one.image.build)
        for key, one in workloads.items()
        if isinstance(one.image, Build) and not _is_file(root / one.image.build / "Dockerfile")
    ]


def _imports(grafana: inputs.Grafana | None, root: Path, found: list[Fault]) -> tuple[Dashboard, ...]:
    """The dashboards in the files that the settings name; what is wrong with the files goes to `found`."""
    made: dict[str, Dashboard] = {}
    for index, path in enumerate(grafana.dashboards if grafana else ()):
        key = f"grafana.dashboards.{index}"
        try:
            dashboard = imported(Path(path).stem, (root / path).read_text(encoding="utf-8"))
        except DashboardError as error:
            found.append(Fault(key, f"cannot be imported: {error}", "correct the file", path))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not a path of a UTF-8 file"
            found.append(Fault(key, f"cannot be read: {reason}", "give the path of a dashboard file", path))
        else:
            if dashboard.uid in OURS.union(made):
                found.append(Fault(key, f"makes a second dashboard {dashboard.uid!r}", "rename the file", path))
            made[dashboard.uid] = dashboard
    return tuple(made.values())


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long; only Python 3.14 and later take that for no
        return False


def _value(key: str, text: str, faults: list[Fault]) -> Any:
    if key not in _STRUCTURED:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        faults.append(Fault(key, "is not structured", "write it as a list or a map in the stack file"))
        return {}


def _model_of(annotation: Any) -> type[inputs.Model]:
    return annotation if isinstance(annotation, type) and issubclass(annotation, inputs.Model) else Settings
