"""The stack configuration: `Pulumi.<stack>.yaml` as one typed, strict model, with all its errors at once."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final, cast

import pulumi.runtime.config as pulumi_config
from pydantic import AfterValidator, Discriminator, Tag, TypeAdapter, ValidationError

from documents import collector as collector_documents
from documents import inputs, receivers, rules, signals, task, tracing
from documents import observed as observation
from documents.alerting import alertmanager, limits
from documents.alerting.alerts import OF_COLLECTORS
from documents.alerting.inputs import DEFAULTS, Alerts, ApplicationAlerts
from documents.alerting.rules import alerting_rules
from documents.alerting.subscriptions import warnings as delivery_warnings
from documents.catalogue import Pattern
from documents.dashboards import OURS, Dashboard, dashboards
from documents.dashboards.imported import DashboardError, imported
from documents.faults import BUILD, REFERENCE, ConfigurationError, Fault, faults_of, nearest, wrong
from documents.model import is_placeholder
from documents.names import COLLECTOR, Names
from documents.objectives import DAY, PERIOD_SECONDS, Objectives, between_bounds, is_bound
from documents.observed import Observed


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


def asked_of(application: StackApplication) -> dict[str, Any]:
    """What an application's component takes of its settings; the others are the stack's."""
    return {name: getattr(application, name) for name in inputs.Application.model_fields}


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
    collector: StackCollector = StackCollector()
    metrics: StackMetrics = StackMetrics()
    traces: signals.Traces = signals.Traces()
    destinations: tuple[signals.Destination, ...] = ()
    alerts: Alerts = Alerts()
    grafana: inputs.Grafana = inputs.Grafana()
    identity: inputs.Identity = inputs.Identity()
    network: inputs.Network = inputs.Network()
    logs: inputs.Logs = inputs.Logs()
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
        )

    @property
    def patterns(self) -> frozenset[Pattern]:
        """Every pattern that the stack needs."""
        return frozenset(self.pattern_of(application) for application in self.applications)

    @property
    def scraped(self) -> bool:
        """Whether the service pattern has an application that exposes metrics, and so needs a scraper."""
        return any(one.metrics and self.pattern_of(one) is Pattern.SERVICE for one in self.applications)


_STRUCTURED: Final = frozenset(Settings.model_fields) - {"pattern"}


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
    faults += [*_across(applications, parts, names, faults), *_build_faults(applications, root)]
    imports = _imports(parts["grafana"], root, faults)
    if faults:
        raise ConfigurationError(faults)
    parts["applications"] = tuple(applications.values())
    return Settings.model_construct(**parts), imports


def warnings(settings: Settings) -> list[str]:
    """What is allowed and yet unwise, or still to be done."""
    users = [*settings.grafana.admins.everyone, *settings.grafana.editors.everyone, *settings.grafana.viewers.everyone]
    unfilled = [f"grafana: {text} is still to be filled in" for text in users if is_placeholder(text)]
    needed = [tracing.PREREQUISITE] if settings.traces.endpoint is signals.TraceEndpoint.OTLP else []
    estimated = [between_bounds(key, seconds) for key, seconds in _latencies(settings) if not is_bound(seconds)]
    return [*unfilled, *needed, *estimated, *delivery_warnings(settings.alerts.subscriptions)] + [
        f"applications.{index}.image: the tag 'latest' may be another image tomorrow (got {application.image!r}); "
        "pin a version"
        for index, application in enumerate(settings.applications)
        if isinstance(application.image, str) and application.image.endswith(":latest")
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


def container_insights(settings: Settings) -> str:
    """ECS's setting of the cluster: the service pattern reads ECS figures in CloudWatch."""
    return "enhanced" if Pattern.SERVICE in settings.patterns else "disabled"


def rules_of(settings: Settings, names: Names, region: str) -> dict[str, str]:
    """Rules files by namespace. Raises ConfigurationError with what AMP would refuse in them or in its Alertmanager's
    definition, minutes after the deployment has begun."""
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
                desired_count=one.desired_count,
                thresholds=one.alerts.thresholds.over(thresholds),
                disabled=frozenset((*settings.alerts.disabled, *one.alerts.disabled)),
                objectives=one.objectives,
            )
            for one in settings.applications
        ),
        disabled=frozenset(settings.alerts.disabled),
        collectors=settings.collector.desired_count if serves else 0,
        scraped=settings.scraped,
        max_series=settings.metrics.max_series,
        logs=settings.signals.logs_to_cloudwatch,
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
    return (*dashboards(observed(settings, names, region)), *imports)


def _parts(values: Mapping[str, Any], found: list[Fault]) -> dict[str, Any]:
    """What is sound of each part of the settings, or None; applications by their place in the list.

    Each key is judged by itself, so that one fault does not hide another's; the faults go to `found`.
    """
    unread = {fault.key for fault in found}
    known = {field.alias or name: (name, field) for name, field in Settings.model_fields.items()}
    found += [Fault(key, "is not a known key", nearest(key, known)) for key in values if key not in known]
    parts: dict[str, Any] = {}
    for alias, (name, field) in known.items():
        if alias in unread:
            parts[name] = None
        elif alias == "applications":
            parts[name] = _applications(values.get(alias), found)
        elif alias in values:
            parts[name] = _part(field.annotation, values[alias], alias, found)
        else:
            parts[name] = field.get_default()
    return parts


def _applications(values: Any, found: list[Fault]) -> dict[int, StackApplication]:
    """What is sound of each application, by its place in the list."""
    if not isinstance(values, list) or not values:
        found.append(Fault("applications", "is missing or empty", "list at least one application"))
        return {}
    sound: dict[int, StackApplication] = {}
    names_seen: dict[str, int] = {}
    for index, value in enumerate(cast(list[Any], values)):
        key = f"applications.{index}"
        if application := _part(StackApplication, value, key, found):
            sound[index] = application
        name = cast(dict[str, Any], value).get("name") if isinstance(value, dict) else None
        if isinstance(name, str):
            if name in names_seen:
                other = f"applications.{names_seen[name]}"
                found.append(Fault(f"{key}.name", f"is the name of {other} as well", "choose another name", name))
            names_seen.setdefault(name, index)
    return sound


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
    across += [fault for fault in inputs.tags_fit(parts["tags"] or {}, "tags") if _sound(found, fault.key)]
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
        if _sound(found, "collector", "metrics", "traces", "destinations", "logs"):
            across += _collector_faults(applications, patterns, parts, names)
    return across


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
    collectors = [(Pattern.SIDECAR, application.name, application.metrics) for application in needed.values()]
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


def _build_faults(applications: Mapping[int, StackApplication], root: Path) -> list[Fault]:
    return [
        Fault(
            f"applications.{index}.image.build",
            "is no folder with a Dockerfile",
            "give the folder that holds it",
            application.image.build,
        )
        for index, application in applications.items()
        if isinstance(application.image, Build) and not _is_file(root / application.image.build / "Dockerfile")
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
