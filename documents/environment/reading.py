"""The values of a stack file as settings, with every fault in them and in the files that they name."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any, Protocol, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from documents import inputs, traffic
from documents.dashboards import OURS, Dashboard
from documents.dashboards.imported import DashboardError, imported
from documents.environment import checks
from documents.environment.checks import is_sound
from documents.environment.model import Build, Settings, StackApplication, StackTask, by_key
from documents.faults import UNTOLD, ConfigurationError, Fault, faults_of, nearest, told
from documents.names import Names

N = TypeVar("N", bound=inputs.Workload)


class Files(Protocol):
    """The files of the project, by their path in it."""

    def is_file(self, path: str, /) -> bool:
        """Whether there is such a file."""
        ...

    def text(self, path: str, /) -> str:
        """What is in it. Raises OSError, and ValueError for what is no UTF-8."""
        ...


def read(
    values: Mapping[str, Any], names: Names, region: str, files: Files, found: Iterable[Fault] = ()
) -> tuple[Settings, tuple[Dashboard, ...]]:
    """The settings in the values of a stack file, and the dashboards that they import.

    `found` are faults that came to light before. Raises ConfigurationError with these and every fault of the values and
    of the files that they name.
    """
    faults = [*found]
    parts = _parts(values, faults)
    applications: dict[int, StackApplication] = parts["applications"] or {}
    own_tasks: dict[int, StackTask] = parts["tasks"] or {}
    faults += [
        *checks.application_faults(applications, parts, names, faults),
        *checks.task_faults(own_tasks, parts, names, faults),
    ]
    faults += _build_faults(by_key(applications, own_tasks), files)
    faults += checks.network_faults(applications, parts, region, faults)
    faults += checks.account_faults(parts, region, faults)
    imports = _imports(parts["grafana"], files, faults)
    if faults:
        raise ConfigurationError(told(faults, values))
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


def _parts(values: Mapping[str, Any], found: list[Fault]) -> dict[str, Any]:
    """What is sound of each part of the settings, or None; applications by their place in the list.

    Each key is judged by itself, so that one fault does not hide another's; the faults go to `found`.
    """
    unread = {fault.key for fault in found}
    known = {field.alias or name: (name, field) for name, field in Settings.model_fields.items()}
    found += [Fault(key, "is not a known key", nearest(key, known), UNTOLD) for key in values if key not in known]
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
            parts[name] = part(field.annotation, values[alias], alias, found)
        else:
            parts[name] = field.get_default()
    return parts


def _applications(values: Any, found: list[Fault], seen: dict[str, str]) -> dict[int, StackApplication]:
    """What is sound of each application, by its place in the list."""
    if values in (None, [], {}):
        found.append(Fault("applications", "is missing or empty", "list at least one application", UNTOLD))
        return {}
    return _named(StackApplication, values, "applications", found, seen)


def _named(model: type[N], values: Any, list_key: str, found: list[Fault], seen: dict[str, str]) -> dict[int, N]:
    """What is sound of each application or task, by its place in the list; `seen` are the names so far, and whose."""
    if not isinstance(values, list):
        found.append(Fault(list_key, "has the wrong type", "give a list", values))
        return {}
    sound: dict[int, N] = {}
    for index, value in enumerate(cast(list[Any], values)):
        key = f"{list_key}.{index}"
        if one := part(model, value, key, found):
            sound[index] = one
        name = cast(dict[str, Any], value).get("name") if isinstance(value, dict) else None
        if isinstance(name, str):
            if name in seen:
                found.append(Fault(f"{key}.name", f"is the name of {seen[name]} as well", "choose another name", name))
            seen.setdefault(name, key)
    return sound


def part(annotation: Any, value: Any, key: str, found: list[Fault]) -> Any:
    """The value as `annotation` has it, or what is sound of it, or None; its faults go to `found`."""
    try:
        return TypeAdapter[Any](annotation).validate_python(value)
    except ValidationError as error:
        model = _model_of(annotation)
        found += faults_of(error, model, key)
    if not isinstance(value, dict):
        return None
    kept = {name: each for name, each in cast(dict[str, Any], value).items() if is_sound(found, f"{key}.{name}")}
    return kept if model is Settings else _incomplete(model, kept)


def _incomplete(model: type[inputs.Model], kept: Mapping[str, Any]) -> inputs.Model:
    """The model of the keys that are kept, by their aliases; where they lack a required one, it is None."""
    made: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if (alias := field.alias or name) in kept:
            # Only read, not judged: a sound memory may not go with the default of a cpu that is not.
            made[name] = TypeAdapter[Any](field.rebuild_annotation()).validate_python(kept[alias])
        elif field.is_required():
            made[name] = None
    return model.model_construct(**made)


def _build_faults(workloads: Mapping[str, StackApplication | StackTask], files: Files) -> list[Fault]:
    return [
        Fault(f"{key}.image.build", "is no folder with a Dockerfile", "give the folder that holds it", one.image.build)
        for key, one in workloads.items()
        if isinstance(one.image, Build) and not files.is_file(f"{one.image.build}/Dockerfile")
    ]


def _imports(grafana: inputs.Grafana | None, files: Files, found: list[Fault]) -> tuple[Dashboard, ...]:
    """The dashboards in the files that the settings name; what is wrong with the files goes to `found`."""
    made: dict[str, Dashboard] = {}
    for index, path in enumerate(grafana.dashboards if grafana else ()):
        key = f"grafana.dashboards.{index}"
        try:
            dashboard = imported(PurePosixPath(path).stem, files.text(path))
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


def _model_of(annotation: Any) -> type[inputs.Model]:
    return annotation if isinstance(annotation, type) and issubclass(annotation, inputs.Model) else Settings
