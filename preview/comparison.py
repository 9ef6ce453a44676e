"""A stack beside itself in the other pattern: what would differ, read from two recordings."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from documents.catalogue import ATTRIBUTES, Pattern
from documents.dashboards.sources import SOURCES
from preview import month, wiring
from preview.recorder import record
from preview.recording import ProgramError, Recording, Resource
from preview.wiring import Running

_ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"


@dataclass(frozen=True)
class Line:
    """One thing in both: `this` of the stack as it is, `other` of the stack in the other pattern."""

    what: str
    this: tuple[str, ...]
    other: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the pattern changes it."""
        return self.this != self.other


@dataclass(frozen=True)
class Group:
    """Lines on one subject."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Comparison:
    """A stack in two patterns, the names of which are `this` and `other`; `refused` is why the other cannot be had."""

    this: str
    other: str
    groups: tuple[Group, ...] = ()
    refused: str = ""


def pattern(recording: Recording) -> Pattern:
    """The pattern that the stack states for applications that state none."""
    return Pattern(str(recording.config[f"{recording.project}:pattern"]))


def turned(recording: Recording) -> dict[str, Any]:
    """The configuration that puts every application of a stack into the other pattern."""
    applications = wiring.items(recording.config.get(f"{recording.project}:applications"))
    return {
        f"{recording.project}:pattern": _other(pattern(recording)).value,
        f"{recording.project}:applications": [_turned(wiring.table(one)) for one in applications],
    }


def beside_other(root: Path, this: Recording) -> Comparison:
    """The stack in `root` that was recorded, beside itself in the other pattern: its program runs once more."""
    try:
        return compare(this, record(root, this.stack, config=turned(this)))
    except ProgramError as error:
        own = pattern(this)
        return Comparison(own.value, _other(own).value, refused=str(error))


def compare(this: Recording, other: Recording) -> Comparison:
    """What the other pattern would change."""
    facts = [dict(_facts(recording)) for recording in (this, other)]
    groups = [
        Group(title, tuple(_lines(*(one.get(title, {}) for one in facts))))
        for title in dict.fromkeys(title for one in facts for title in one)
    ]
    return Comparison(pattern(this).value, pattern(other).value, tuple(groups))


def _other(one: Pattern) -> Pattern:
    return Pattern.SERVICE if one is Pattern.SIDECAR else Pattern.SIDECAR


def _turned(application: Mapping[str, Any]) -> dict[str, Any]:
    own = {"pattern": _other(Pattern(application["pattern"])).value} if "pattern" in application else {}
    return {**application, **own}


Facts = Mapping[str, tuple[str, ...]]


def _lines(this: Facts, other: Facts) -> Iterator[Line]:
    for what in dict.fromkeys((*this, *other)):
        yield Line(what, this.get(what, ()), other.get(what, ()))


def _facts(recording: Recording) -> Iterator[tuple[str, Facts]]:
    runs = wiring.running(recording)
    yield "What runs", _running(recording, runs)
    yield "What it writes in a month", _written(recording, runs)
    yield "Where figures come from", _origins(recording)
    yield "Who evaluates alerts", _alerts(recording)
    yield "What roles may do", _permissions(recording)


def _running(recording: Recording, runs: Iterable[Running]) -> Facts:
    counted = [(run, month.tasks(run)) for run in runs]
    made = [resource for resource in recording.resources if resource.made]
    vcpu = sum(count * float(run.task.inputs.get("cpu") or 0) / 1024 for run, count in counted)
    memory = sum(count * float(run.task.inputs.get("memory") or 0) / 1024 for run, count in counted)
    containers = {
        f"containers of {run.name}": tuple(str(one.get("name")) for one in wiring.containers(run.task)) for run in runs
    }
    return {
        "ECS services": tuple(run.name for run in runs),
        "tasks": (str(sum(count for _, count in counted)),),
        "paid for": (f"{vcpu:g} vCPU", f"{memory:g} GiB of memory"),
        **containers,
        "resources": (str(len(made)),),
    }


def _written(recording: Recording, runs: Iterable[Running]) -> Facts:
    total = month.total(recording, runs)
    return {
        "samples into AMP": (f"{total.samples:,}",),
        "traces into X-Ray": (f"{total.traces:,}",),
        "spans of these traces": (f"{total.spans:,}",),
    }


def _origins(recording: Recording) -> Facts:
    applications = map(wiring.table, wiring.items(recording.config.get(f"{recording.project}:applications")))
    patterns = {Pattern(one.get("pattern", pattern(recording))) for one in applications}
    known = tuple(attribute.label for attribute in ATTRIBUTES if patterns & attribute.patterns)
    insights = [
        f"Container Insights: {setting.get('value')}"
        for cluster in recording.of_type(wiring.CLUSTER)
        for setting in map(wiring.table, wiring.items(cluster.inputs.get("settings")))
    ]
    return {
        **{f"queries of {title}": _asked(document) for title, document in _dashboards(recording)},
        "cluster": tuple(insights),
        "labels on series of applications": known,
        "panels": tuple(
            f"{title} / {panel['title']}"
            for title, document in _dashboards(recording)
            for panel in _panels(document)
            if panel.get("targets")
        ),
    }


def _dashboards(recording: Recording) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for resource in recording.of_type(wiring.DASHBOARD):
        document = wiring.table(wiring.parsed(resource.inputs.get("configJson")))
        yield str(document.get("title", resource.name)), document


def _panels(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for panel in map(wiring.table, wiring.items(document.get("panels"))):
        yield panel
        yield from _panels(panel)


def _asked(document: Mapping[str, Any]) -> tuple[str, ...]:
    """How many queries of a dashboard go to which data source."""
    asked = Counter(
        _uid(target) or _uid(panel)
        for panel in _panels(document)
        for target in map(wiring.table, wiring.items(panel.get("targets")))
    )
    return tuple(f"{asked[source.uid]} to {source.uid}" for source in SOURCES if asked[source.uid])


def _uid(asking: Mapping[str, Any]) -> str:
    source = asking.get("datasource")
    return source if isinstance(source, str) else wiring.text(wiring.table(source).get("uid"))


def _alerts(recording: Recording) -> Facts:
    names = [
        str(rule["alert"]) for group in wiring.rule_groups(recording) for rule in group["rules"] if "alert" in rule
    ]
    alarms = {wiring.aws_name(alarm) for alarm in recording.of_type(_ALARM)}
    return {"AMP rules": tuple(sorted(set(names))), "CloudWatch alarms": tuple(sorted(alarms))}


def _permissions(recording: Recording) -> Facts:
    roles = recording.of_type(wiring.ROLE)
    return {wiring.aws_name(role): tuple(sorted(set(_actions(recording, role)))) for role in roles}


def _actions(recording: Recording, role: Resource) -> Iterator[str]:
    given = wiring.permissions(recording, role)
    for statement in given.statements():
        said = statement.get("Action") or statement.get("NotAction")
        word = "" if statement.get("Effect") == "Allow" else "never "
        yield from (f"{word}{action}" for action in ([said] if isinstance(said, str) else wiring.items(said)))
    yield from (f"all of {arn}" for arn in given.managed)
