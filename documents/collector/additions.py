"""A user's own additions to a collector's configuration: how they are merged into ours, and what is wrong with them.

Maps merge, at any depth. What ours does not have is added. A list is appended to ours, without what ours has already:
a processor that is added to a pipeline of ours runs last there, before the buffer. Nothing of ours is changed or taken
away: another value where we have one is a conflict.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

from documents import adot
from documents.collector.part import Configuration
from documents.faults import UNTOLD, ConfigurationError, Fault, nearest, shown
from documents.model import holds_secret
from documents.text import Path

KEY: Final = "collector.additions"
"""Where additions stand in a stack file."""

_KINDS: Final = ("receivers", "processors", "exporters")
_SIGNALS: Final = ("traces", "metrics", "logs")
_LIMITER: Final = "memory_limiter"


def merged(ours: Configuration, theirs: Mapping[str, Any]) -> Configuration:
    """Our configuration with their additions. Raises ConfigurationError with every conflict."""
    conflicts: list[Fault] = []
    whole = _map(ours, theirs, (), conflicts)
    if conflicts:
        raise ConfigurationError(conflicts)
    return whole


def faults(ours: Configuration, theirs: Mapping[str, Any], image: str) -> list[Fault]:
    """Everything that would keep a collector of `image` from starting with ours and theirs, or would weaken ours."""
    found: list[Fault] = []
    whole = _map(ours, theirs, (), found)
    return [
        *found,
        *_unknown(ours, theirs, image),
        *_plain_secrets(theirs, ()),
        *_extensions(ours, theirs, whole),
        *_unused(ours, theirs, whole),
        *_pipelines(theirs, whole),
    ]


def _map(ours: Mapping[str, Any], theirs: Mapping[str, Any], path: Path, conflicts: list[Fault]) -> dict[str, Any]:
    made = dict(ours)
    for key, value in theirs.items():
        made[key] = _value(ours[key], value, (*path, key), conflicts) if key in ours else value
    return made


def _value(ours: Any, theirs: Any, path: Path, conflicts: list[Fault]) -> Any:
    match ours, theirs:
        case Mapping(), Mapping():
            return _map(cast("Mapping[str, Any]", ours), cast("Mapping[str, Any]", theirs), path, conflicts)
        case list(), list():
            known = cast("list[Any]", ours)
            return [*known, *(one for one in cast("list[Any]", theirs) if one not in known)]
        case _:
            if type(ours) is not type(theirs) or ours != theirs:
                conflicts.append(_conflict(ours, theirs, path))
            return ours


def _conflict(ours: Any, theirs: Any, path: Path) -> Fault:
    problem = f"is {shown(ours)} in our configuration"
    remedy = "leave it out, or add a component of your own under another name"
    if isinstance(theirs, str) and _is_secret(path[-1], theirs):
        return Fault(_key(path), problem, remedy, UNTOLD)
    return Fault(_key(path), problem, remedy, theirs)


def missing_in_release(documents: Iterable[Configuration], image: str) -> list[Fault]:
    """A fault if the image's release lacks what our own configurations of a task use."""
    release = adot.release_of(image) or ""
    missing = {_type(name.partition(".")[2]) for one in documents for name in adot.unknown_components(one, release)}
    if not missing:
        return []
    problem = f"is a release without {', '.join(sorted(missing))}, which our own configuration uses"
    return [Fault("collector.image", problem, "keep a release that has it", image)]


def _unknown(ours: Configuration, theirs: Mapping[str, Any], image: str) -> Iterator[Fault]:
    release = adot.release_of(image) or ""
    for component in adot.unknown_components(theirs, release):
        section, _, name = component.partition(".")
        if name not in ours.get(section, ()):
            known = adot.components(section, release)
            remedy = nearest(_type(name), known) if known else "leave it out: it has none"
            yield Fault(_key((section, name)), f"is none of the {section} that ADOT {release} has", remedy)


def _plain_secrets(theirs: Any, path: Path) -> Iterator[Fault]:
    if isinstance(theirs, Mapping):
        for key, value in cast("Mapping[str, Any]", theirs).items():
            yield from _plain_secrets(value, (*path, key))
    elif isinstance(theirs, list):
        for index, value in enumerate(cast("list[Any]", theirs)):
            yield from _plain_secrets(value, (*path, str(index)))
    elif isinstance(theirs, str) and "${" not in theirs and _is_secret(path[-1], theirs):
        yield Fault(
            _key(path),
            "is a secret in plain text, which everyone who may read task definitions can see",
            "send to a partner by `destinations`, whose headers are ARNs of secrets",
            UNTOLD,
        )


def _is_secret(name: str, value: str) -> bool:
    variable = name.replace("-", "_")
    return holds_secret(variable, value) or variable.lower().endswith("authorization")


def _extensions(ours: Configuration, theirs: Mapping[str, Any], whole: Configuration) -> Iterator[Fault]:
    started = whole["service"]["extensions"]
    for name in started:
        if name not in whole["extensions"]:
            yield _undefined(("service", "extensions"), name, "extensions", whole)
    for name in _added(ours, theirs, "extensions"):
        if name not in started:
            yield Fault(_key(("extensions", name)), "is not started", "name it in service.extensions, or leave it out")


def _unused(ours: Configuration, theirs: Mapping[str, Any], whole: Configuration) -> Iterator[Fault]:
    for kind in _KINDS:
        used = {name for pipeline in whole["service"]["pipelines"].values() for name in pipeline.get(kind, ())}
        for name in _added(ours, theirs, kind):
            if name not in used:
                yield Fault(_key((kind, name)), "is in no pipeline", "name it in service.pipelines, or leave it out")


def _undefined(path: Path, name: str, section: str, whole: Configuration) -> Fault:
    return Fault(_key(path), f"names {name!r}, which is not defined under {section}", nearest(name, whole[section]))


def _pipelines(theirs: Mapping[str, Any], whole: Configuration) -> Iterator[Fault]:
    for name in theirs.get("service", {}).get("pipelines", ()):
        pipeline, path = whole["service"]["pipelines"][name], ("service", "pipelines", name)
        if _type(name) not in _SIGNALS:
            yield Fault(_key(path), "carries no signal", f"begin its name with {', '.join(_SIGNALS[:-1])} or logs")
        for kind in _KINDS:
            for component in pipeline.get(kind, ()):
                if component not in whole[kind]:
                    yield _undefined((*path, kind), component, kind, whole)
            if kind != "processors" and not pipeline.get(kind):
                yield Fault(_key((*path, kind)), "is missing or empty", "name at least one")
        if any(_type(processor) == _LIMITER for processor in pipeline.get("processors", ())[1:]):
            yield Fault(
                _key((*path, "processors")),
                "limits memory after other processors, which hold it already",
                f"put {_LIMITER} first, or leave it to the pipelines that have it",
            )


def _added(ours: Configuration, theirs: Mapping[str, Any], section: str) -> list[str]:
    return [name for name in theirs.get(section, ()) if name not in ours.get(section, ())]


def _type(component: str) -> str:
    return component.split("/", 1)[0]


def _key(path: Path) -> str:
    return ".".join((KEY, *path))
