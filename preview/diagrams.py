"""Two pictures of a stack, made from its resources: what is made and where it stands, and which way telemetry goes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from preview import wiring
from preview.drawing import Arrow, Box, Kind, picture
from preview.flow import Flow, flow
from preview.recording import Recording, Resource
from preview.wiring import Running

_KEY: Final = "aws:kms/key:Key"
_REPOSITORY: Final = "aws:ecr/repository:Repository"

_CLOUDWATCH: Final = "CloudWatch"
_REGISTERS: Final = "registers in"
_MOST: Final = 34
"""Letters of a line of names."""


def made(recording: Recording) -> str:
    """What a stack makes, each thing in what it stands in, as SVG."""
    cluster = Box("ECS cluster", (_cluster(recording),), tuple(_services(recording)))
    inside = (*_entrance(recording), *_subnets(recording), *_endpoints(recording), cluster)
    vpc = next((_cidr(one) for one in recording.of_type(wiring.VPC)), "that exists")
    left = Box(f"VPC {vpc}", (), inside)
    return picture(
        f"What the stack {recording.stack} makes",
        "Network, cluster and services at the left, and what they write to and are watched by at the right.",
        [[left], list(_beside(recording))],
    )


def telemetry(recording: Recording) -> str:
    """Which way metrics, traces and alerts of a stack go, as SVG."""
    graph = flow(recording, wiring.running(recording))
    edges = [edge for edge in graph.edges if edge.label != _REGISTERS]
    told = _told(recording)
    watching = graph.node(_CLOUDWATCH, store=True) if recording.of_type(wiring.ALARM) else ""
    stores = [each for each, node in graph.nodes.items() if node.store and not node.label.startswith("Cloud Map")]
    # X-Ray sends no alerts, so that fewer arrows cross where it is not between those that do.
    stores.sort(key=lambda each: graph.nodes[each].label != "X-Ray")
    asking = [each for each, node in graph.nodes.items() if not node.group and not node.store]
    applications, collectors = _columns(recording, graph, edges)
    return picture(
        f"Which way telemetry of the stack {recording.stack} goes",
        "; ".join(f"{graph.nodes[one.start].label} to {graph.nodes[one.end].label}: {one.label}" for one in edges),
        [
            column
            for column in (
                applications,
                collectors,
                [_node(graph, each, Kind.STORE) for each in stores],
                [*(_node(graph, each, Kind.FRAME) for each in asking), *told],
            )
            if column
        ],
        [*edges, *_alerts(graph, stores, watching, told)],
    )


def _columns(recording: Recording, graph: Flow, edges: Sequence[Arrow]) -> tuple[list[Box], list[Box]]:
    """The tasks with an application in them, and those of collectors alone."""
    own = {f"{run.name} task" for run in wiring.running(recording) if run.applications}
    led = {(edge.start, edge.end): edge.label for edge in edges}
    columns: tuple[list[Box], list[Box]] = ([], [])
    for group, members in graph.groups().items():
        if group:
            inner = tuple(
                _node(graph, each, _kind(graph, each, edges), led.get((each, below), ""))
                for each, below in zip(members, [*members[1:], ""], strict=True)
            )
            columns[group not in own].append(Box(group, (), inner, kind=Kind.TASK))
    return columns


def _kind(graph: Flow, each: str, edges: Sequence[Arrow]) -> Kind:
    """A collector is what others of the stack send telemetry to."""
    received = {edge.label.partition(" ")[0] for edge in edges if edge.end == each and graph.nodes[edge.start].group}
    return Kind.COLLECTOR if "OTLP" in received else Kind.CONTAINER


def _node(graph: Flow, each: str, kind: Kind, leads: str = "") -> Box:
    title, _, name = graph.nodes[each].label.partition(" ")
    return Box(title, (name,) if name else (), kind=kind, key=each, leads=leads)


def _told(recording: Recording) -> list[Box]:
    topics = sorted(wiring.aws_name(one).rpartition("-")[2] for one in recording.of_type(wiring.TOPIC))
    people = Counter(wiring.text(one.inputs.get("protocol")) for one in recording.of_type(wiring.SUBSCRIPTION))
    leads = "notifications" if people else ""
    boxes = [Box("SNS topics", tuple(_folded(topics)), key="topics", leads=leads)]
    if people:
        kinds = tuple(f"{kind}, {_count(number, 'subscription')}" for kind, number in sorted(people.items()))
        boxes.append(Box("People", kinds, kind=Kind.PERSON, key="people"))
    return boxes if topics else []


def _alerts(graph: Flow, stores: Sequence[str], watching: str, told: Sequence[Box]) -> Iterator[Arrow]:
    if not told:
        return
    for each in stores:
        if graph.nodes[each].label.startswith("AMP"):
            yield Arrow(each, "topics", "alerts")
    if watching:
        yield Arrow(watching, "topics", "alarms")
    if len(told) > 1:
        yield Arrow("topics", "people", told[0].leads)


def _cluster(recording: Recording) -> str:
    return next((wiring.aws_name(one) for one in recording.of_type(wiring.CLUSTER)), "one that exists")


def _services(recording: Recording) -> Iterator[Box]:
    for run in wiring.running(recording):
        containers = [
            *(Box(_called(one), kind=Kind.CONTAINER) for one in run.applications),
            *(Box(_called(one), kind=Kind.COLLECTOR) for one in run.companions),
            *([Box(_called(run.collector), kind=Kind.COLLECTOR)] if run.collector else []),
        ]
        task = run.task.inputs
        size = f"{int(task['cpu']) / 1024:g} vCPU and {task['memory']} MiB"
        lines = (f"{_tasks(recording, run)} of {size}",)
        yield Box(f"service {run.name}", lines, tuple(containers), row=True, kind=Kind.TASK)


def _called(container: Any) -> str:
    return wiring.text(wiring.table(container).get("name"))


def _tasks(recording: Recording, run: Running) -> str:
    if bounds := wiring.scaling(recording, run):
        return f"{bounds.inputs['minCapacity']} to {bounds.inputs['maxCapacity']} tasks"
    return _count(run.service.inputs.get("desiredCount", 1), "task")


def _entrance(recording: Recording) -> Iterator[Box]:
    for balancer in recording.of_type(wiring.BALANCER):
        reach = "private addresses only" if balancer.inputs.get("internal") else "reached from the internet"
        yield Box("Load balancer", (f"HTTPS, {reach}",))


def _subnets(recording: Recording) -> Iterator[Box]:
    boxes = tuple(
        Box(wiring.text(one.inputs.get("availabilityZone")), (_cidr(one),)) for one in recording.of_type(wiring.SUBNET)
    )
    public = any(
        wiring.table(run.service.inputs.get("networkConfiguration")).get("assignPublicIp")
        for run in wiring.running(recording)
    )
    gateways = len(recording.of_type(wiring.NAT_GATEWAY))
    way = f", {_count(gateways, 'NAT gateway')}" if gateways else ""
    if boxes:
        yield Box(f"{'Public' if public else 'Private'} subnets for tasks{way}", (), boxes, row=True)


def _endpoints(recording: Recording) -> Iterator[Box]:
    names = [wiring.text(one.inputs.get("serviceName")) for one in recording.of_type(wiring.ENDPOINT)]
    if names:
        short = sorted(name.removeprefix(f"com.amazonaws.{recording.region}.") for name in names)
        yield Box(f"{len(names)} endpoints of AWS services", (", ".join(short),))


def _beside(recording: Recording) -> Iterator[Box]:
    """What is in no VPC."""
    rules = Counter("alerting" if "alert" in rule else "recording" for rule in _rules(recording))
    for workspace in recording.of_type(wiring.WORKSPACE):
        said = [f"{number} {kind} rules" for kind, number in sorted(rules.items())]
        yield Box("AMP workspace", (wiring.aws_name(workspace), *said), kind=Kind.STORE)
    boards, sources = len(recording.of_type(wiring.DASHBOARD)), len(recording.of_type(wiring.DATA_SOURCE))
    for workspace in recording.of_type(wiring.GRAFANA):
        has = f"{_count(boards, 'dashboard')}, {_count(sources, 'data source')}"
        yield Box("Grafana workspace", (wiring.aws_name(workspace), has), kind=Kind.STORE)
    yield Box("X-Ray", ("of the account",), kind=Kind.STORE)
    groups, alarms = len(recording.of_type(wiring.LOG_GROUP)), len(recording.of_type(wiring.ALARM))
    yield Box(_CLOUDWATCH, (_count(groups, "log group"), _count(alarms, "alarm")), kind=Kind.STORE)
    for namespace in (one for kind in wiring.NAMESPACES for one in recording.of_type(kind)):
        yield Box("Cloud Map", (wiring.aws_name(namespace),))
    if repositories := recording.of_type(_REPOSITORY):
        yield Box("ECR", (_count(len(repositories), "repository", "repositories"),))
    if keys := recording.of_type(_KEY):
        yield Box("KMS", (_count(len(keys), "key"),))
    yield from (Box(one.title, one.lines, kind=one.kind) for one in _told(recording))


def _rules(recording: Recording) -> Iterator[Any]:
    return (wiring.table(rule) for group in wiring.rule_groups(recording) for rule in wiring.items(group.get("rules")))


def _cidr(resource: Resource) -> str:
    return wiring.text(resource.inputs.get("cidrBlock"))


def _folded(names: Sequence[str]) -> Iterator[str]:
    """Names in lines of a length."""
    line = ""
    for name in names:
        if line and len(line) + len(name) > _MOST:
            yield f"{line},"
            line = name
        else:
            line = f"{line}, {name}" if line else name
    if line:
        yield line


def _count(number: Any, what: str, several: str = "") -> str:
    return f"{number} {what}" if number == 1 else f"{number} {several or f'{what}s'}"
