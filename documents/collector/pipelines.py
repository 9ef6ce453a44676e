"""The configuration of the OpenTelemetry Collector for each pattern.

Environment variables carry what differs between a deployment and a proof of it (addresses, region, intervals); the
default beside each is what is shipped.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from documents import catalogue, fargate, names, ports
from documents.catalogue import SERVICE_INSTANCE, TASK_ID, Pattern
from documents.collector import (
    additions,
    cloudwatch,
    destinations,
    labels,
    partners,
    sampling,
    scraping,
    sources,
    statsd,
)
from documents.collector.buffer import STORAGE_PART, Destination, Signal
from documents.collector.flow import Flow, document, health, memory_limiter
from documents.collector.part import Configuration, Part, merged
from documents.collector.sources import Source
from documents.faults import Fault
from documents.origin import Origin
from documents.signals import Receiver, Scrape, Signals, TailSampling


@dataclass(frozen=True)
class CollectorInputs:
    """What one configuration depends on. `origin` is the ECS service in whose tasks the collector is; `memory` is the
    container's hard limit and `queue` the disk of each buffer, both in MiB; `scrape` is where the application beside a
    sidecar exposes metrics."""

    pattern: Pattern
    origin: Origin
    memory: int
    queue: int
    interval_seconds: int
    signals: Signals = field(default_factory=Signals)
    scrape: Scrape | None = None


def configuration(inputs: CollectorInputs) -> Configuration:
    """The configuration of the collector that delivers: the sidecar, or what stands behind the front of a service.

    Raises ConfigurationError if the user's additions conflict with ours.
    """
    return additions.merged(_ours(inputs), inputs.signals.additions.document)


def faults(inputs: CollectorInputs, image: str) -> list[Fault]:
    """Everything that would keep collectors of this image from starting, or would weaken what they guarantee."""
    alike = list(partners.faults(inputs.signals.destinations))
    if alike:
        inputs = replace(inputs, signals=inputs.signals.model_copy(update={"destinations": ()}))
    documents = [_ours(inputs), *([front(inputs)] if inputs.pattern is Pattern.SERVICE else [])]
    return [
        *alike,
        *_disk_faults(documents[0], inputs.queue),
        *additions.missing_in_release(documents, image),
        *additions.faults(documents[0], inputs.signals.additions.document, image),
    ]


def _disk_faults(ours: Configuration, queue: int) -> list[Fault]:
    """A fault if the queues could fill the disk of the task, which would stop all of them at once."""
    count = sum("storage" in exporter.get("sending_queue", {}) for exporter in ours["exporters"].values())
    if count * queue <= fargate.DISK_FOR_QUEUES:
        return []
    return [
        Fault(
            "collector.queue",
            f"makes {count} queues of {queue} MiB, and they may fill {fargate.DISK_FOR_QUEUES} MiB of the task's disk",
            f"give at most {fargate.DISK_FOR_QUEUES // count} MiB",
            queue,
        )
    ]


def _ours(inputs: CollectorInputs) -> Configuration:
    entrance = _ENTRANCES[inputs.pattern](inputs)
    flows = [each for flow in _flows(inputs, entrance) for each in _copied(flow, inputs)]
    parts = [
        health("HEALTH_CHECK_ENDPOINT", ports.HEALTH),
        destinations.signer(inputs.signals.central),
        STORAGE_PART,
        memory_limiter(inputs.memory),
        _shared(entrance),
        *([sampling.tail(entrance.tail, inputs.memory)] if entrance.tail else []),
        *(flow.part for flow in flows),
    ]
    return document(merged(parts), sources.telemetry(sources.TELEMETRY_PORT))


@dataclass(frozen=True)
class _Entrance:
    """Where telemetry comes in, which the pattern decides: `received` by OTLP, `spans` otherwise, and StatsD at `host`.
    `beside` says whether senders are in the collector's own task, and `collectors` are the ports at which the
    collectors of that task have their own figures, by container."""

    received: Source
    host: str
    collectors: Mapping[str, str]
    beside: bool = False
    spans: Sequence[Source] = ()
    tail: TailSampling | None = None

    @property
    def detected(self) -> tuple[str, ...]:
        """Processors that tell the task of who sends."""
        return ("resource_detection",) if self.beside else ()

    @property
    def identified(self) -> tuple[str, ...]:
        """The same, and for a process that has no name of its own that of its task."""
        return (*self.detected, _INSTANCE) if self.beside else ()


def _of_sidecar(inputs: CollectorInputs) -> _Entrance:
    return _Entrance(
        sources.otlp(sources.LOOPBACK),
        host=sources.LOOPBACK,
        collectors={catalogue.COLLECTOR_SERVICE: sources.TELEMETRY_PORT},
        beside=True,
        spans=sources.spans(inputs.signals.receivers, sources.LOOPBACK),
    )


def _of_service(inputs: CollectorInputs) -> _Entrance:
    tail = inputs.signals.traces.tail
    return _Entrance(
        sources.behind_front(shared=tail is not None),
        host=sources.EVERYWHERE,
        collectors={catalogue.COLLECTOR_SERVICE: sources.TELEMETRY_PORT, names.FRONT: sources.FRONT_TELEMETRY_PORT},
        tail=tail,
    )


_ENTRANCES: Final = {Pattern.SIDECAR: _of_sidecar, Pattern.SERVICE: _of_service}


def _flows(inputs: CollectorInputs, entrance: _Entrance) -> Iterator[Flow]:
    """All that a collector delivers."""
    application = destinations.amp("application", destinations.WITH_SUFFIXES, inputs.queue)
    yield _traces(inputs, entrance)
    yield _metrics(entrance, application)
    if inputs.scrape:
        yield _labelled("scraped", scraping.beside(inputs.scrape, inputs.interval_seconds, inputs.origin), application)
    if Receiver.STATSD in inputs.signals.receivers:
        yield from _statsd(inputs, entrance.host, application)
    yield of_collectors(inputs, entrance.collectors)
    if entrance.beside:
        yield _task(inputs)
    if inputs.signals.logs_to_cloudwatch:
        yield _logs(inputs, entrance)


def _traces(inputs: CollectorInputs, entrance: _Entrance) -> Flow:
    return Flow(
        Signal.TRACES,
        "",
        [entrance.received, *entrance.spans],
        (*entrance.detected, "resource/traces", *([sampling.TAIL] if entrance.tail else [])),
        [destinations.xray(inputs.queue, inputs.signals.traces, inputs.signals.central)],
    )


def _metrics(entrance: _Entrance, sent: Destination) -> Flow:
    return Flow(Signal.METRICS, "application", [entrance.received], (*entrance.identified, "resource/labels"), [sent])


def _logs(inputs: CollectorInputs, entrance: _Entrance) -> Flow:
    sent = cloudwatch.logs(inputs.origin, inputs.queue)
    return Flow(Signal.LOGS, "", [entrance.received], entrance.detected, [sent])


def _statsd(inputs: CollectorInputs, host: str, sent: Destination) -> Iterator[Flow]:
    """StatsD metrics are added up here and not in the front: what adds up must stop last, and two that add up may not
    write as one."""
    taken = host, inputs.interval_seconds, labels.of_task(inputs.origin.service, inputs.origin.attributes)
    yield _labelled("statsd-counters", statsd.counters(*taken), sent)
    yield _labelled("statsd", statsd.values(*taken), sent)


def _task(inputs: CollectorInputs) -> Flow:
    """The figures of the task that the collector is in; no other collector can see them."""
    figures = sources.task_metrics(inputs.interval_seconds, inputs.origin.attributes)
    return _labelled("task", figures, destinations.amp("task", destinations.WITHOUT_SUFFIXES, inputs.queue))


def of_collectors(inputs: CollectorInputs, telemetry_ports: Mapping[str, str]) -> Flow:
    """What the collectors of a task say of themselves. It is let through also when memory is short: that is when
    somebody wants to see it."""
    own = sources.own_telemetry(inputs.interval_seconds, inputs.origin.attributes, telemetry_ports)
    sent = destinations.amp("collector", destinations.WITH_SUFFIXES, inputs.queue)
    return replace(_labelled(catalogue.COLLECTOR_SERVICE, own, sent), limited=False)


def _labelled(name: str, source: Source, sent: Destination) -> Flow:
    """Metrics that know whose they are when they come in."""
    return Flow(Signal.METRICS, name, [source], ("resource/labels",), [sent])


def _shared(entrance: _Entrance) -> Part:
    """Processors of several flows."""
    processors = {
        "resource_detection": labels.detected(),
        "resource/traces": labels.lean(),
        "resource/labels": labels.allow_list(),
    }
    if entrance.beside:
        processors[_INSTANCE] = {"attributes": [labels.insert_from(SERVICE_INSTANCE, TASK_ID)]}
    return Part(processors=processors)


def _copied(flow: Flow, inputs: CollectorInputs) -> list[Flow]:
    """A flow, and the same telemetry once more for destinations whose trouble no client may feel. What collectors say
    of themselves stays with us: a partner would bill it, and nobody there asks for it."""
    if flow.name == catalogue.COLLECTOR_SERVICE:
        return [flow]
    copies: list[Flow] = []
    wanted = [one for one in inputs.signals.destinations if flow.signal in one.signals]
    if sent := [partners.partner(one, inputs.queue) for one in wanted]:
        if sampling.TAIL in flow.processors:
            # It decides later, and so it answers for nobody; a second one would need its memory twice.
            flow = replace(flow, destinations=[*flow.destinations, *sent])
        else:
            copies.append(flow.copy("partners", [], sent))
    if inputs.signals.metrics_to_cloudwatch and flow.signal is Signal.METRICS and flow.name in ("application", "task"):
        cloud = cloudwatch.metrics(inputs.origin, inputs.pattern, inputs.queue, inputs.interval_seconds)
        copies.append(flow.copy(cloudwatch.NAME, cloudwatch.PROCESSORS, [cloud]))
    return [flow, *copies]


def front(inputs: CollectorInputs) -> Configuration:
    """The configuration of the front in the service pattern, whose memory is that of `inputs`: it takes what
    applications send and answers only when a collector behind it has it. It holds nothing, so it can stop first."""
    received = sources.otlp(sources.EVERYWHERE, keepalive=True)
    traced = _BEHIND
    if inputs.signals.traces.tail:
        namespace = names.Names(inputs.origin.namespace, inputs.origin.environment).namespace
        traced = sampling.by_trace(namespace, inputs.origin.service)
    flows = [
        Flow(Signal.TRACES, "", [received, *sources.spans(inputs.signals.receivers, sources.EVERYWHERE)], (), [traced]),
        Flow(Signal.METRICS, "", [received], (), [_BEHIND]),
        *([Flow(Signal.LOGS, "", [received], (), [_BEHIND])] if inputs.signals.logs_to_cloudwatch else []),
    ]
    parts = [
        health("FRONT_HEALTH_CHECK_ENDPOINT", ports.FRONT_HEALTH),
        memory_limiter(inputs.memory),
        *(flow.part for flow in flows),
    ]
    return document(merged(parts), sources.telemetry(sources.FRONT_TELEMETRY_PORT))


_BEHIND: Final = Destination(
    "otlp_grpc",
    Part(
        exporters={
            "otlp_grpc": {
                "endpoint": sources.BEHIND_FRONT,
                "tls": {"insecure": True},
                "compression": "none",
                "retry_on_failure": {"enabled": False},
                "sending_queue": {"enabled": False},
            }
        }
    ),
)
"""To the collector behind a front."""

_INSTANCE: Final = "resource/application"
