"""The stack configuration: `Pulumi.<stack>.yaml` as one typed, strict model, with all its errors at once."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final, cast

import pulumi.runtime.config as pulumi_config
from pydantic import AfterValidator, Discriminator, Tag, TypeAdapter, ValidationError

from documents import inputs, rules
from documents.catalogue import Pattern
from documents.dashboards import Dashboard, Feeds, dashboards
from documents.dashboards.imported import DashboardError, imported
from documents.faults import BUILD, REFERENCE, ConfigurationError, Fault, faults_of, nearest, wrong
from documents.names import COLLECTOR, Names


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
    """An application of a stack: its image may be built, and it may choose another pattern than the stack's."""

    image: StackImage  # pyright: ignore[reportIncompatibleVariableOverride]
    pattern: Pattern | None = None


class Settings(inputs.Model):
    """Everything that a stack file may say."""

    pattern: Pattern = Pattern.SIDECAR
    applications: tuple[StackApplication, ...]
    collector: inputs.Collector = inputs.Collector()
    metrics: inputs.Metrics = inputs.Metrics()
    grafana: inputs.Grafana = inputs.Grafana()
    identity: inputs.Identity = inputs.Identity()
    network: inputs.Network = inputs.Network()
    logs: inputs.Logs = inputs.Logs()
    tags: Mapping[str, str] = {}

    def pattern_of(self, application: StackApplication) -> Pattern:
        """The pattern that observes an application."""
        return application.pattern or self.pattern

    @property
    def patterns(self) -> frozenset[Pattern]:
        """Every pattern that the stack needs."""
        return frozenset(self.pattern_of(application) for application in self.applications)


_STRUCTURED: Final = frozenset(Settings.model_fields) - {"pattern"}


def program_config() -> dict[str, str]:
    """What Pulumi hands to the running program; it has no public way to list the keys, and a misspelt key needs one."""
    return {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}


def encrypted_keys() -> frozenset[str]:
    """The keys of the running program's configuration that hold a value which the stack file has encrypted."""
    marked = {key for key in program_config() if pulumi_config.is_config_secret(key)}
    return frozenset(marked.union(pulumi_config.get_config_secret_keys_env()))


def load(config: Mapping[str, str], names: Names, encrypted: Iterable[str] = ()) -> Settings:
    """The settings in a stack's configuration. Raises ConfigurationError with every fault.

    `config` has the keys and texts that Pulumi hands to a program: `<project>:<key>`, structured values as JSON.
    `encrypted` names those whose decrypted value must not end up in a document.
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
        if f"{names.project}:{key}" in set(encrypted)
    ]
    return check(values, names, faults)


def check(values: Mapping[str, Any], names: Names, faults: Iterable[Fault] = ()) -> Settings:
    """The settings made of plain values. Each key is judged by itself, so that one fault does not hide another's."""
    found = list(faults)
    known = {field.alias or name: (name, field) for name, field in Settings.model_fields.items()}
    found += [Fault(key, "is not a known key", nearest(key, known)) for key in values if key not in known]
    parts: dict[str, Any] = {}
    unread = any(fault.key == "applications" for fault in found)
    applications = {} if unread else _applications(values.get("applications"), found)
    for alias, (name, field) in known.items():
        if alias == "applications":
            parts[name] = tuple(applications.values())
        elif alias in values:
            try:
                parts[name] = TypeAdapter[Any](cast(Any, field.annotation)).validate_python(values[alias])
            except ValidationError as error:
                found += faults_of(error, _model_of(field.annotation), alias)
        else:
            parts[name] = field.get_default()
    found += _across(applications, parts, names)
    if found:
        raise ConfigurationError(found)
    return Settings.model_construct(**parts)


def warnings(settings: Settings) -> list[str]:
    """What is allowed and yet unwise, or still to be done."""
    users = [*settings.grafana.admins.everyone, *settings.grafana.editors.everyone, *settings.grafana.viewers.everyone]
    unfilled = [f"grafana: {text} is still to be filled in" for text in users if inputs.is_placeholder(text)]
    return unfilled + [
        f"applications.{index}.image: the tag 'latest' may be another image tomorrow (got {application.image!r}); "
        "pin a version"
        for index, application in enumerate(settings.applications)
        if isinstance(application.image, str) and application.image.endswith(":latest")
    ]


def container_insights(settings: Settings) -> str:
    """ECS's setting of the cluster: the service pattern reads ECS figures in CloudWatch."""
    return "enhanced" if Pattern.SERVICE in settings.patterns else "disabled"


def rules_of(settings: Settings) -> dict[str, str]:
    """Rules files by namespace; none where there is nothing to record, since AMP refuses a file without groups."""
    if Pattern.SIDECAR not in settings.patterns:
        return {}
    return {"recording": rules.to_yaml(rules.recording_rules())}


def feeds(settings: Settings, names: Names, region: str) -> Feeds:
    """Where the dashboards of a stack find the figures of its ECS tasks."""
    observed = [
        application.name for application in settings.applications if settings.pattern_of(application) is Pattern.SERVICE
    ]
    return Feeds(
        sidecar=Pattern.SIDECAR in settings.patterns,
        cloudwatch_services=(*observed, COLLECTOR) if observed else (),
        cluster=names.prefix,
        region=region,
        interval_seconds=settings.metrics.interval_seconds,
    )


def dashboards_of(settings: Settings, names: Names, region: str, root: Path) -> list[Dashboard]:
    """Our dashboards and those that the stack imports from files below `root`.

    Raises ConfigurationError with every fault of the files that the stack names, the folders of images included.
    """
    found = _build_faults(settings, root)
    all_of_them = list(dashboards(feeds(settings, names, region)))
    taken = {dashboard.uid for dashboard in all_of_them}
    for index, path in enumerate(settings.grafana.dashboards):
        key = f"grafana.dashboards.{index}"
        try:
            dashboard = imported(Path(path).stem, (root / path).read_text(encoding="utf-8"))
            if dashboard.uid in taken:
                found.append(Fault(key, f"makes a second dashboard {dashboard.uid!r}", "rename the file", path))
            taken.add(dashboard.uid)
            all_of_them.append(dashboard)
        except DashboardError as error:
            found.append(Fault(key, f"cannot be imported: {error}", "correct the file", path))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not a path of a UTF-8 file"
            found.append(Fault(key, f"cannot be read: {reason}", "give the path of a dashboard file", path))
    if found:
        raise ConfigurationError(found)
    return all_of_them


def _build_faults(settings: Settings, root: Path) -> list[Fault]:
    return [
        Fault(
            f"applications.{index}.image.build",
            "is no folder with a Dockerfile",
            "give the folder that holds it",
            application.image.build,
        )
        for index, application in enumerate(settings.applications)
        if isinstance(application.image, Build) and not (root / application.image.build / "Dockerfile").is_file()
    ]


def _applications(values: Any, found: list[Fault]) -> dict[int, StackApplication]:
    """The applications without a fault, by their place in the list; the faults of the others go to `found`."""
    if not isinstance(values, list) or not values:
        found.append(Fault("applications", "is missing or empty", "list at least one application"))
        return {}
    good: dict[int, StackApplication] = {}
    names_seen: dict[str, int] = {}
    for index, value in enumerate(cast(list[Any], values)):
        key = f"applications.{index}"
        try:
            good[index] = StackApplication.model_validate(value)
        except ValidationError as error:
            found += faults_of(error, StackApplication, key)
        name = cast(dict[str, Any], value).get("name") if isinstance(value, dict) else None
        if isinstance(name, str):
            if name in names_seen:
                other = f"applications.{names_seen[name]}"
                found.append(Fault(f"{key}.name", f"is the name of {other} as well", "choose another name", name))
            names_seen.setdefault(name, index)
    return good


def _across(applications: Mapping[int, StackApplication], parts: Mapping[str, Any], names: Names) -> list[Fault]:
    """Faults that only show between keys; a key that is faulty itself was left out of `parts`."""
    collector: inputs.Collector | None = parts.get("collector")
    pattern: Pattern | None = parts.get("pattern")
    found = names.faults({index: application.name for index, application in applications.items()})
    found += inputs.tags_fit(parts.get("tags", {}), "tags")
    if collector:
        for index, application in applications.items():
            if (application.pattern or pattern) is Pattern.SIDECAR:
                found += inputs.sidecar_fits(application, collector, f"applications.{index}")
        if Pattern.SERVICE in {application.pattern or pattern for application in applications.values()}:
            found += inputs.service_fits(collector, "collector")
    return found


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
