"""A stack on two pages, for a person: what is made, what it may do, who reaches it, what talks to what."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from documents import travel
from documents.model import is_placeholder, placeholder_in
from documents.text import from_yaml
from preview import alerts, compute, egress, month, reachability, traffic, unserved, wiring
from preview.recording import Recording, Resource, Secret
from preview.wiring import Running

_WORKSPACE: Final = "aws:amp/workspace:Workspace"
_GRAFANA: Final = "aws:grafana/workspace:Workspace"
_DATA_SOURCE: Final = "grafana:oss/dataSource:DataSource"
_PARTNER: Final = re.compile(r"\$\{env:DESTINATION_\w+:-(https://.+)\}")

_MOST_NAMES: Final = 4
"""Names of one type in the table of components before the rest is only counted."""


def summary(recording: Recording) -> str:
    """The Markdown text. The same recording gives the same bytes, and no secret is in them."""
    runs = wiring.running(recording)
    sections = (
        _title(recording, runs),
        _section("To be filled in before deployment", _pending(recording)),
        _section("Warnings", (f"- {warning}" for warning in recording.warnings)),
        _section("What talks to what", _flowchart(recording, runs)),
        _section("What runs", _services(recording, runs)),
        _section("What comes in", traffic.lines(recording, runs)),
        _section("What runs by the clock or once", unserved.lines(recording)),
        _section("What else may do what", _other_roles(recording, runs)),
        _section("Who reaches what", reachability.lines(recording)),
        _section("What compute costs in a month", compute.cost(recording, runs)),
        _section("What the way out costs in a month", egress.lines(recording, runs)),
        _section("What is watched", alerts.lines(recording)),
        _section("Who is told", alerts.told(recording)),
        _section("What it writes in a month", month.lines(recording, runs)),
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
    made = [resource for resource in recording.resources if resource.custom and "read" not in resource.options]
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


class _Chart:
    """A Mermaid flowchart in the making. Nodes and edges come out in the order in which they were first named."""

    def __init__(self) -> None:
        self._nodes: dict[str, str] = {}
        self._groups: dict[str, list[str]] = {}
        self._edges: dict[tuple[str, str, str], None] = {}

    def node(self, label: str, group: str = "", form: str = '["{}"]') -> str:
        """The id of the node with that label within a group."""
        key = f"{group}/{label}"
        if key not in self._nodes:
            self._nodes[key] = f"n{len(self._nodes)}"
            shown = form.format(re.sub(r'["<>]', "", label))
            self._groups.setdefault(group, []).append(f"{self._nodes[key]}{shown}")
        return self._nodes[key]

    def edge(self, start: str, end: str, label: str) -> None:
        """An arrow; the same one twice is one."""
        self._edges[start, end, label] = None

    def lines(self) -> Iterator[str]:
        """The text, with its fence; nothing when there is nothing to draw."""
        if not self._nodes:
            return
        yield "```mermaid"
        yield "flowchart LR"
        for index, (group, nodes) in enumerate(self._groups.items()):
            if group:
                yield f'  subgraph g{index}["{group}"]'
            yield from (f"    {node}" if group else f"  {node}" for node in nodes)
            if group:
                yield "  end"
        for start, end, label in self._edges:
            yield f'  {start} -->|"{label}"| {end}'
        yield "```"


_CYLINDER: Final = '[("{}")]'


def _flowchart(recording: Recording, runs: tuple[Running, ...]) -> Iterator[str]:
    chart = _Chart()
    for run in runs:
        for container in (*run.applications, *_carriers(run)):
            chart.node(wiring.text(container.get("name")), _task(run))
    for run in runs:
        _sends(recording, runs, run, chart)
        _registers(recording, run, chart)
    for grafana in recording.of_type(_GRAFANA):
        asking = chart.node(f"Grafana {wiring.aws_name(grafana)}")
        for source in recording.of_type(_DATA_SOURCE):
            if end := _back_end(recording, source, chart):
                chart.edge(asking, end, "asks")
    yield from chart.lines()


def _registers(recording: Recording, run: Running, chart: _Chart) -> None:
    for namespace in (namespace for kind in wiring.NAMESPACES for namespace in recording.of_type(kind)):
        name = wiring.aws_name(namespace)
        if any(address.endswith(f".{name}") for address in run.addresses):
            chart.edge(_main(run, chart), chart.node(f"Cloud Map {name}", form=_CYLINDER), "registers in")


def _main(run: Running, chart: _Chart) -> str:
    """The container that a service is there for."""
    return _node(run, (*run.applications, *_carriers(run))[0], chart)


def _node(run: Running, container: Mapping[str, Any], chart: _Chart) -> str:
    return chart.node(wiring.text(container.get("name")), _task(run))


def _carriers(run: Running) -> tuple[Mapping[str, Any], ...]:
    """The containers that telemetry passes, in order."""
    return (*filter(wiring.is_collector, run.companions), *filter(None, (run.collector,)))


def _task(run: Running) -> str:
    return f"{run.name} task"


def _sends(recording: Recording, runs: tuple[Running, ...], run: Running, chart: _Chart) -> None:
    """The edges that leave the containers of one service."""
    for container in run.applications:
        start = _node(run, container, chart)
        for variable, value in sorted(wiring.environment(container).items()):
            word = "OTLP" if variable.startswith("OTEL_") else "calls"
            for other in runs:
                if any(re.search(rf"(?<![\w.-]){re.escape(address)}(?![\w.-])", value) for address in other.addresses):
                    chart.edge(start, _main(other, chart), word)
        for carrier in _carriers(run)[:1]:
            chart.edge(start, _node(run, carrier, chart), "OTLP on localhost")
    for one, other in pairwise(_carriers(run)):
        chart.edge(_node(run, one, chart), _node(run, other, chart), "OTLP on localhost")
    if run.collector is not None:
        _delivers(recording, _node(run, run.collector, chart), run.collector, chart)


def _delivers(recording: Recording, start: str, collector: Mapping[str, Any], chart: _Chart) -> None:
    """The edges that leave a collector."""
    for variable, value in sorted(wiring.environment(collector).items()):
        if variable != travel.CONTENT and (workspace := wiring.meant(recording, value, _WORKSPACE)):
            chart.edge(start, _amp(workspace, chart), "remote write")
    if owner := wiring.central_account(recording):
        chart.edge(start, chart.node(f"AMP of account {owner}", form=_CYLINDER), "remote write")
    if re.search(r"^\s*awsxray(/\w+)?:", wiring.configuration(recording, collector), re.MULTILINE):
        chart.edge(start, chart.node("X-Ray", form=_CYLINDER), "segments")
    for end, word in _elsewhere(wiring.configuration(recording, collector)):
        chart.edge(start, chart.node(end, form=_CYLINDER), word)


def _elsewhere(configuration: str) -> Iterator[tuple[str, str]]:
    """Partners and CloudWatch, as far as a collector's configuration names them, and what is sent to each."""
    for name, settings in wiring.table(from_yaml(configuration).get("exporters")).items():
        moved = _PARTNER.fullmatch(wiring.text(wiring.table(settings).get("endpoint")))
        if moved:
            yield f"{name.partition('/')[2]} {moved[1]}", "OTLP"
        elif word := {"awsemf": "metrics", "awscloudwatchlogs": "logs"}.get(name):
            yield "CloudWatch", word


def _amp(workspace: Resource, chart: _Chart) -> str:
    return chart.node(f"AMP {wiring.aws_name(workspace)}", form=_CYLINDER)


def _back_end(recording: Recording, source: Resource, chart: _Chart) -> str:
    kind = wiring.text(source.inputs.get("type"))
    if workspace := wiring.meant(recording, source.inputs.get("url"), _WORKSPACE):
        return _amp(workspace, chart)
    if "x-ray" in kind:
        return chart.node("X-Ray", form=_CYLINDER)
    return chart.node("CloudWatch", form=_CYLINDER) if kind == "cloudwatch" else ""
