"""Who sends what to whom in a stack: a graph of containers, stores and those who ask, read from its resources."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from documents import travel
from documents.text import from_yaml
from preview import wiring
from preview.drawing import Arrow
from preview.recording import Recording, Resource
from preview.wiring import Running

_PARTNER: Final = re.compile(r"\$\{env:DESTINATION_\w+:-(https://.+)\}")


@dataclass(frozen=True)
class Node:
    """Something that sends or is sent to; `group` is the task that a container is in, and a `store` keeps things."""

    label: str
    group: str
    store: bool


class Flow:
    """A graph in the making. Nodes and edges come out in the order in which they were first named."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], str] = {}
        self.nodes: dict[str, Node] = {}
        self._edges: dict[Arrow, None] = {}

    @property
    def edges(self) -> tuple[Arrow, ...]:
        """What goes from one node to another, by their ids; each edge once."""
        return tuple(self._edges)

    def groups(self) -> dict[str, list[str]]:
        """The ids of the nodes in each group; those in none are in the group without a name."""
        found: dict[str, list[str]] = {}
        for each, node in self.nodes.items():
            found.setdefault(node.group, []).append(each)
        return found

    def node(self, label: str, group: str = "", *, store: bool = False) -> str:
        """The id of the node with that label within a group."""
        if (group, label) not in self._ids:
            self._ids[group, label] = each = f"n{len(self._ids)}"
            self.nodes[each] = Node(re.sub(r'["<>]', "", label), group, store)
        return self._ids[group, label]

    def edge(self, start: str, end: str, label: str) -> None:
        """An arrow; the same one twice is one."""
        self._edges[Arrow(start, end, label)] = None

    def mermaid(self) -> Iterator[str]:
        """The graph as Mermaid's text, with its fence; nothing when there is nothing to draw."""
        if not self.nodes:
            return
        yield "```mermaid"
        yield "flowchart LR"
        for index, (group, members) in enumerate(self.groups().items()):
            if group:
                yield f'  subgraph g{index}["{group}"]'
            for each in members:
                label = f'[("{self.nodes[each].label}")]' if self.nodes[each].store else f'["{self.nodes[each].label}"]'
                yield f"{'    ' if group else '  '}{each}{label}"
            if group:
                yield "  end"
        for edge in self.edges:
            yield f'  {edge.start} -->|"{edge.label}"| {edge.end}'
        yield "```"


def flow(recording: Recording, runs: tuple[Running, ...]) -> Flow:
    """Who sends what to whom, as far as the resources of a stack say it."""
    chart = Flow()
    for run in runs:
        for container in (*run.applications, *_carriers(run)):
            chart.node(wiring.text(container.get("name")), _task(run))
    for run in runs:
        _sends(recording, runs, run, chart)
        _registers(recording, run, chart)
    for grafana in recording.of_type(wiring.GRAFANA):
        asking = chart.node(f"Grafana {wiring.aws_name(grafana)}")
        for source in recording.of_type(wiring.DATA_SOURCE):
            if end := _back_end(recording, source, chart):
                chart.edge(asking, end, "asks")
    return chart


def _registers(recording: Recording, run: Running, chart: Flow) -> None:
    for namespace in (namespace for kind in wiring.NAMESPACES for namespace in recording.of_type(kind)):
        name = wiring.aws_name(namespace)
        if any(address.endswith(f".{name}") for address in run.addresses):
            chart.edge(_main(run, chart), chart.node(f"Cloud Map {name}", store=True), "registers in")


def _main(run: Running, chart: Flow) -> str:
    """The container that a service is there for."""
    return _node(run, (*run.applications, *_carriers(run))[0], chart)


def _node(run: Running, container: Mapping[str, Any], chart: Flow) -> str:
    return chart.node(wiring.text(container.get("name")), _task(run))


def _carriers(run: Running) -> tuple[Mapping[str, Any], ...]:
    """The containers that telemetry passes, in order."""
    return (*filter(wiring.is_collector, run.companions), *filter(None, (run.collector,)))


def _task(run: Running) -> str:
    return f"{run.name} task"


def _sends(recording: Recording, runs: tuple[Running, ...], run: Running, chart: Flow) -> None:
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


def _delivers(recording: Recording, start: str, collector: Mapping[str, Any], chart: Flow) -> None:
    """The edges that leave a collector."""
    for variable, value in sorted(wiring.environment(collector).items()):
        if variable != travel.CONTENT and (workspace := wiring.meant(recording, value, wiring.WORKSPACE)):
            chart.edge(start, _amp(workspace, chart), "remote write")
    if owner := wiring.central_account(recording):
        chart.edge(start, chart.node(f"AMP of account {owner}", store=True), "remote write")
    if re.search(r"^\s*awsxray(/\w+)?:", wiring.configuration(recording, collector), re.MULTILINE):
        chart.edge(start, chart.node("X-Ray", store=True), "segments")
    for end, word in _elsewhere(wiring.configuration(recording, collector)):
        chart.edge(start, chart.node(end, store=True), word)


def _elsewhere(configuration: str) -> Iterator[tuple[str, str]]:
    """Partners and CloudWatch, as far as a collector's configuration names them, and what is sent to each."""
    for name, settings in wiring.table(from_yaml(configuration).get("exporters")).items():
        moved = _PARTNER.fullmatch(wiring.text(wiring.table(settings).get("endpoint")))
        if moved:
            yield f"{name.partition('/')[2]} {moved[1]}", "OTLP"
        elif word := {"awsemf": "metrics", "awscloudwatchlogs": "logs"}.get(name):
            yield "CloudWatch", word


def _amp(workspace: Resource, chart: Flow) -> str:
    return chart.node(f"AMP {wiring.aws_name(workspace)}", store=True)


def _back_end(recording: Recording, source: Resource, chart: Flow) -> str:
    kind = wiring.text(source.inputs.get("type"))
    if workspace := wiring.meant(recording, source.inputs.get("url"), wiring.WORKSPACE):
        return _amp(workspace, chart)
    if "x-ray" in kind:
        return chart.node("X-Ray", store=True)
    return chart.node("CloudWatch", store=True) if kind == "cloudwatch" else ""
