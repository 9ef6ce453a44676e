"""A stack on two pages, for a person: what is made, what it may do, who reaches it, what talks to what."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from documents.model import is_placeholder, placeholder_in
from preview import alerts, compute, egress, month, reachability, traffic, unserved, wiring
from preview.costs import files, page
from preview.flow import flow
from preview.recording import Recording, Resource, Secret
from preview.wiring import Running

_MOST_NAMES: Final = 4
"""Names of one type in the table of components before the rest is only counted."""


def summary(recording: Recording, region: str = "", today: datetime.date | None = None) -> str:
    """The Markdown text. The same recording gives the same bytes, and no secret is in them; from `today` on, which is
    the machine's, prices are a year old and said to be. All dollars are by the prices of `region`, or else of the
    stack's; where these are not known, there are none."""
    today = today or datetime.datetime.now(tz=datetime.UTC).date()
    prices = files.chosen(recording.region, region)
    runs = wiring.running(recording)
    sections = (
        _title(recording, runs),
        _section("To be filled in before deployment", _pending(recording)),
        _section("Warnings", (f"- {warning}" for warning in recording.warnings)),
        _section("What talks to what", flow(recording, runs).mermaid()),
        _section("What runs", _services(recording, runs)),
        _section("What comes in", traffic.lines(recording, runs, prices)),
        _section("What runs by the clock or once", unserved.lines(recording, prices)),
        _section("What else may do what", _other_roles(recording, runs)),
        _section("Who reaches what", reachability.lines(recording)),
        _section("What compute costs in a month", compute.cost(recording, runs, prices)),
        _section("What the way out costs in a month", egress.lines(recording, runs, prices)),
        _section("What is watched", alerts.lines(recording)),
        _section("Who is told", alerts.told(recording)),
        _section("What it writes in a month", month.lines(recording, runs)),
        _section("What it costs in a month", page.section(recording, prices, today)),
        _section("What is made", _components(recording)),
        _section("Stack outputs", _outputs(recording)),
    )
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def components(recording: Recording) -> list[tuple[str, list[Resource]]]:
    """Every component with the resources that are its own, and first those that are in none."""
    members: dict[str, list[Resource]] = defaultdict(list)
    for resource in recording.resources:
        owner = wiring.component(recording, resource)
        key = owner.urn if owner else ""
        members[key].extend([resource] if resource is not owner else [])
    heads = {resource.urn: f"{wiring.short_type(resource)} {resource.name}" for resource in recording.resources}
    return [(heads.get(urn, "the stack itself"), members[urn]) for urn in sorted(members)]


def _title(recording: Recording, runs: Iterable[Running]) -> list[str]:
    made = [resource for resource in recording.resources if resource.made]
    patterns = sorted({pattern for run in runs if (pattern := _pattern(run))})
    return [
        f"# {recording.project}, stack {recording.stack}",
        "",
        f"{_count(len(made), 'resource')} in {recording.region}"
        + (f"; collector as {' and '.join(patterns)}" if patterns else "")
        + ". `<name.output>` stands for what AWS knows only after deployment.",
    ]


def _section(title: str, lines: Iterable[str]) -> list[str]:
    body = list(lines)
    return [f"## {title}", "", *body] if body else []


def _pending(recording: Recording) -> Iterator[str]:
    for key in sorted(recording.config):
        for path, value in _leaves(key, recording.config[key]):
            if isinstance(value, str) and (is_placeholder(value) or placeholder_in(value)):
                yield f"- `{path}`: `{value}`"


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in wiring.table(value).items():
            yield from _leaves(f"{path}.{key}", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(wiring.items(value)):
            yield from _leaves(f"{path}[{index}]", inner)
    else:
        yield path, value


def _components(recording: Recording) -> Iterator[str]:
    yield "| component | resources | which |"
    yield "|---|---:|---|"
    for title, resources in components(recording):
        if resources:
            yield f"| {title} | {len(resources)} | {'; '.join(_kinds(resources))} |"


def _kinds(resources: list[Resource]) -> Iterator[str]:
    by_type: dict[str, list[Resource]] = defaultdict(list)
    for resource in resources:
        by_type[wiring.short_type(resource)].append(resource)
    for kind in sorted(by_type):
        same = by_type[kind]
        # What only AWS knows tells nobody which one is meant.
        known = {name for name in map(wiring.known_as, same) if not wiring.PLACEHOLDER.fullmatch(name)}
        names = sorted(known - {""})
        names = names if len(names) == len(same) else []
        shown = [f"`{name}`" for name in names[:_MOST_NAMES]] + (["..."] if len(names) > _MOST_NAMES else [])
        count = f"{len(same)} x " if len(same) > 1 else ""
        yield " ".join((f"{count}{kind}", ", ".join(shown))).strip()


def _services(recording: Recording, runs: Iterable[Running]) -> Iterator[str]:
    first = True
    for run in runs:
        if not first:
            yield ""
        first = False
        yield from _service(recording, run)


def _service(recording: Recording, run: Running) -> Iterator[str]:
    inputs, task = run.service.inputs, run.task.inputs
    pattern = _pattern(run)
    kind = "application" if run.applications else "the collector's own service"
    yield f"### {run.name} ({kind}{f', {pattern} pattern' if run.applications and pattern else ''})"
    yield ""
    platform = wiring.table(task.get("runtimePlatform")).get("cpuArchitecture", "X86_64")
    count = inputs.get("desiredCount", 1)
    public = wiring.table(inputs.get("networkConfiguration")).get("assignPublicIp")
    yield (
        f"- {_count(count, 'task')} of {_cpu(task.get('cpu'))}, {task.get('memory')} MiB, {platform}, "
        f"{'with' if public else 'without'} a public address"
    )
    yield from compute.lines(recording, run)
    for container in (*run.applications, *run.companions, *filter(None, (run.collector,))):
        yield f"- container `{container.get('name')}`: {_container(container)}"
    if run.addresses:
        yield f"- found as {', '.join(f'`{address}`' for address in run.addresses)}{_by_proxy(run)}"
    for title, key in (("task", "taskRoleArn"), ("execution", "executionRoleArn")):
        if role := wiring.meant(recording, task.get(key), wiring.ROLE):
            yield from _may(recording, role, f"{title} role `{wiring.aws_name(role)}`")


def _by_proxy(run: Running) -> str:
    connected = wiring.table(run.service.inputs.get("serviceConnectConfiguration")).get("services")
    both = ", in DNS and through Service Connect" if run.service.inputs.get("serviceRegistries") else ""
    return both if connected else ""


def _pattern(run: Running) -> str:
    """`sidecar`, `service`, or nothing where no telemetry leaves."""
    if run.applications and run.collector:
        return "sidecar"
    exporting = any("OTEL_EXPORTER_OTLP_ENDPOINT" in wiring.environment(container) for container in run.applications)
    return "service" if exporting or not run.applications else ""


def _container(container: Mapping[str, Any]) -> str:
    ports = [str(port.get("containerPort")) for port in map(wiring.table, wiring.items(container.get("portMappings")))]
    share = [
        f"{container['cpu']} CPU units" if container.get("cpu") else "",
        f"at most {container['memory']} MiB" if container.get("memory") else "",
        f"port{'s' if len(ports) > 1 else ''} {' and '.join(ports)}" if ports else "",
        "" if container.get("essential", True) else "not essential",
    ]
    waits = [
        f"after `{wait.get('containerName')}` is {wait.get('condition')}"
        for wait in map(wiring.table, wiring.items(container.get("dependsOn")))
    ]
    secrets = [wiring.text(wiring.table(secret).get("name")) for secret in wiring.items(container.get("secrets"))]
    given = [f"secrets {', '.join(f'`{name}`' for name in secrets)}"] if secrets else []
    return ", ".join([f"`{container.get('image')}`", *filter(None, share), *waits, *given])


def _cpu(units: Any) -> str:
    return f"{int(units) / 1024:g} vCPU" if str(units).isdigit() else f"{units} vCPU"


def _count(number: Any, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _may(recording: Recording, role: Resource, who: str) -> Iterator[str]:
    given = wiring.permissions(recording, role)
    lines = [_statement(statement) for statement in given.statements()]
    lines += [f"everything in the managed policy `{arn}`" for arn in given.managed]
    yield f"- {who} may" if lines else f"- {who} may do nothing"
    yield from (f"  - {line}" for line in lines)


def _statement(statement: Mapping[str, Any]) -> str:
    effect = "" if statement.get("Effect") == "Allow" else "**never** "
    actions = _listed(statement.get("Action")) or f"everything but {_listed(statement.get('NotAction'))}"
    resources = _listed(statement.get("Resource")) or f"everything but {_listed(statement.get('NotResource'))}"
    conditions = [
        f"{key} {operator} {_listed(value)}"
        for operator, by_key in wiring.table(statement.get("Condition")).items()
        for key, value in wiring.table(by_key).items()
    ]
    return f"{effect}{actions} on {resources}" + (f" where {' and '.join(conditions)}" if conditions else "")


def _listed(value: Any) -> str:
    if value == "*":
        return "everything"
    texts = [value] if isinstance(value, str) else list(wiring.items(value))
    return ", ".join(f"`{one}`" for one in texts)


def _other_roles(recording: Recording, runs: Iterable[Running]) -> Iterator[str]:
    shown = {
        role.urn
        for run in runs
        for key in ("taskRoleArn", "executionRoleArn")
        if (role := wiring.meant(recording, run.task.inputs.get(key), wiring.ROLE))
    }
    for role in recording.of_type(wiring.ROLE):
        if role.urn not in shown:
            yield from _may(recording, role, f"role `{wiring.aws_name(role)}`, assumed by {_trusted(recording, role)},")


def _trusted(recording: Recording, role: Resource) -> str:
    trust = wiring.table(wiring.permissions(recording, role).trust).get("Statement")
    principals = [
        _listed(value)
        for statement in map(wiring.table, wiring.items(trust))
        for value in wiring.table(statement.get("Principal")).values()
    ]
    return ", ".join(principals) or "everyone"


def _outputs(recording: Recording) -> Iterator[str]:
    if recording.outputs:
        yield "| output | value |"
        yield "|---|---|"
    for name in sorted(recording.outputs):
        for path, value in _leaves(name, recording.outputs[name]):
            yield f"| {path} | {_output(value)} |"


def _output(value: Any) -> str:
    """A value as a cell; a policy in it would make the table unreadable."""
    if isinstance(value, Secret):
        return repr(value)
    if isinstance(wiring.parsed(value), dict):
        return f"a JSON document of {len(value):,} characters"
    return f"`{value}`".replace("|", "\\|")
