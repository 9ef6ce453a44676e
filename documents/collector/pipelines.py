"""The configuration of the OpenTelemetry Collector for each pattern.

Environment variables carry what differs between a deployment and a proof of it (addresses, region, intervals); the
default beside each is what is shipped.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from documents import catalogue, ports
from documents.catalogue import SERVICE_INSTANCE, TASK_ID, Pattern
from documents.collector import (
    additions,
    cloudwatch,
    destinations,
    labels,
    optional,
    partners,
    sampling,
    scraping,
    sources,
)
from documents.collector.buffer import STORAGE_PART, Destination, Signal
from documents.collector.part import Configuration, Part, merged, pipeline
from documents.collector.sources import Source
from documents.faults import Fault
from documents.names import Names
from documents.origin import Origin
from documents.signals import Receiver, Scrape, Signals


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
        *additions.missing_in_release(documents, image),
        *additions.faults(documents[0], inputs.signals.additions.document, image),
    ]


def _ours(inputs: CollectorInputs) -> Configuration:
    sidecar = inputs.pattern is Pattern.SIDECAR
    own_ports = {catalogue.COLLECTOR_SERVICE: _TELEMETRY_PORT}
    if not sidecar:
        own_ports["front"] = _FRONT_TELEMETRY_PORT
    tail = None if sidecar else inputs.signals.traces.tail
    received = sources.otlp(sources.LOOPBACK) if sidecar else sources.behind_front(shared=tail is not None)
    own = sources.own_telemetry(inputs.interval_seconds, inputs.origin.attributes, own_ports)
    detected = ("resource_detection",) if sidecar else ()
    identified = ("resource/application",) if sidecar else ()
    application = [destinations.amp("application", destinations.WITH_SUFFIXES, inputs.queue)]
    flows = [
        Flow(
            Signal.TRACES,
            "",
            [received, *(optional.traces(inputs.signals.receivers, sources.LOOPBACK) if sidecar else [])],
            (*detected, "resource/traces", *([sampling.TAIL] if tail else [])),
            [destinations.xray(inputs.queue, inputs.signals.traces)],
        ),
        Flow(
            Signal.METRICS,
            "application",
            [received],
            (*detected, *identified, "resource/labels"),
            application,
        ),
        *_without_otlp(inputs, application),
        Flow(
            Signal.METRICS,
            "collector",
            [own],
            ("resource/labels",),
            [destinations.amp("collector", destinations.WITH_SUFFIXES, inputs.queue)],
            limited=False,
        ),
    ]
    if sidecar:
        flows.append(
            Flow(
                Signal.METRICS,
                "task",
                [sources.task_metrics(inputs.interval_seconds, inputs.origin.attributes)],
                ("resource/labels",),
                [destinations.amp("task", destinations.WITHOUT_SUFFIXES, inputs.queue)],
            )
        )
    if inputs.signals.logs_to_cloudwatch:
        flows.append(Flow(Signal.LOGS, "", [received], detected, [cloudwatch.logs(inputs.origin, inputs.queue)]))
    flows = [each for flow in flows for each in _copied(flow, inputs)]
    shared = Part(
        processors={
            "memory_limiter": memory_limiter(inputs.memory),
            "resource_detection": labels.detected(),
            "resource/traces": labels.lean(),
            "resource/labels": labels.allow_list(),
        }
    )
    if sidecar:
        identity = {"attributes": [labels.insert_from(SERVICE_INSTANCE, TASK_ID)]}
        shared = merged([shared, Part(processors={"resource/application": identity})])
    parts = [
        health("HEALTH_CHECK_ENDPOINT", ports.HEALTH),
        destinations.SIGV4_PART,
        STORAGE_PART,
        shared,
        *([sampling.tail(tail, inputs.memory)] if tail else []),
        *(flow.part for flow in flows),
    ]
    return document(merged(parts), sources.telemetry(_TELEMETRY_PORT))


def _copied(flow: "Flow", inputs: CollectorInputs) -> "list[Flow]":
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
        cloud = cloudwatch.metrics(inputs.origin, inputs.pattern, inputs.queue)
        copies.append(flow.copy(cloudwatch.NAME, cloudwatch.PROCESSORS, [cloud]))
    return [flow, *copies]


def _without_otlp(inputs: CollectorInputs, application: Sequence[Destination]) -> "list[Flow]":
    """Metrics of applications that do not come by OTLP. StatsD metrics are added up here and not in the front: what
    adds up must stop last, and two that add up may not write as one."""
    sidecar = inputs.pattern is Pattern.SIDECAR
    found: list[tuple[str, Source]] = []
    if sidecar and inputs.scrape:
        found.append(("scraped", scraping.beside(inputs.scrape, inputs.interval_seconds, inputs.origin)))
    if Receiver.STATSD in inputs.signals.receivers:
        host = sources.LOOPBACK if sidecar else sources.EVERYWHERE
        taken = host, inputs.interval_seconds, labels.of_task(inputs.origin.service, inputs.origin.attributes)
        found += [("statsd-counters", optional.statsd_counters(*taken)), ("statsd", optional.statsd_values(*taken))]
    return [Flow(Signal.METRICS, name, [source], ("resource/labels",), application) for name, source in found]


def front(inputs: CollectorInputs) -> Configuration:
    """The configuration of the front in the service pattern, whose memory is that of `inputs`: it takes what
    applications send and answers only when a collector behind it has it. It holds nothing, so it can stop first."""
    received = sources.otlp(sources.EVERYWHERE, keepalive=True)
    behind = Destination(
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
    traced = behind
    if inputs.signals.traces.tail:
        namespace = Names(inputs.origin.namespace, inputs.origin.environment).namespace
        traced = sampling.by_trace(namespace, inputs.origin.service)
    flows = [
        Flow(
            Signal.TRACES, "", [received, *optional.traces(inputs.signals.receivers, sources.EVERYWHERE)], (), [traced]
        ),
        Flow(Signal.METRICS, "", [received], (), [behind]),
        *([Flow(Signal.LOGS, "", [received], (), [behind])] if inputs.signals.logs_to_cloudwatch else []),
    ]
    limiter = Part(processors={"memory_limiter": memory_limiter(inputs.memory)})
    parts = [health("FRONT_HEALTH_CHECK_ENDPOINT", ports.FRONT_HEALTH), limiter, *(flow.part for flow in flows)]
    return document(merged(parts), sources.telemetry(_FRONT_TELEMETRY_PORT))


@dataclass(frozen=True)
class Flow:
    """One pipeline with everything that it names: from sources, through processors, to destinations."""

    signal: Signal
    name: str
    sources: Sequence[Source]
    processors: Sequence[str]
    destinations: Sequence[Destination]
    limited: bool = True

    def copy(self, name: str, processors: Sequence[str], sent: Sequence[Destination]) -> "Flow":
        """The same telemetry to other destinations, which may refuse it without the sources hearing of it."""
        return replace(
            self,
            name=f"{self.name}-{name}" if self.name else name,
            processors=[*self.processors, *processors, _APART],
            destinations=[Destination(one.exporter, merged([_APART_PART, one.part])) for one in sent],
        )

    @property
    def part(self) -> Part:
        """The pipeline and its components."""
        own = [processor for source in self.sources for processor in source.processors]
        passed = [*(["memory_limiter"] if self.limited else []), *own, *self.processors]
        made = pipeline(
            [receiver for source in self.sources for receiver in source.receivers],
            passed,
            [destination.exporter for destination in self.destinations],
        )
        named = Part(pipelines={f"{self.signal}/{self.name}" if self.name else str(self.signal): made})
        return merged([named, *(source.part for source in self.sources), *(one.part for one in self.destinations)])


_APART: Final = "batch"
_APART_PART: Final = Part(processors={_APART: {"timeout": "0s"}})


def memory_limiter(memory: int) -> Configuration:
    """Refuses data, which clients send again, before `memory` MiB are used and the process is killed."""
    return {"check_interval": "1s", "limit_mib": memory * 75 // 100, "spike_limit_mib": memory * 20 // 100}


def health(variable: str, port: int) -> Part:
    """What the health check of the container asks."""
    return Part(extensions={"health_check": {"endpoint": f"${{env:{variable}:-127.0.0.1:{port}}}"}})


def document(part: Part, telemetry: dict[str, Any]) -> Configuration:
    """The whole document, sections in the order in which data passes."""
    return {
        "extensions": dict(part.extensions),
        "receivers": dict(part.receivers),
        "processors": dict(part.processors),
        "exporters": dict(part.exporters),
        "service": {
            "extensions": list(part.extensions),
            "telemetry": telemetry,
            "pipelines": dict(part.pipelines),
        },
    }


_TELEMETRY_PORT = sources.telemetry_port("TELEMETRY_PORT", ports.TELEMETRY)
_FRONT_TELEMETRY_PORT = sources.telemetry_port("FRONT_TELEMETRY_PORT", ports.FRONT_TELEMETRY)
