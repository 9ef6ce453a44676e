"""What telemetry passes from a source to its destinations, and the document that all of it makes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from documents.collector.buffer import Destination, Signal
from documents.collector.part import Configuration, Part, merged, pipeline
from documents.collector.sources import Source

_APART: Final = "batch"
_APART_PART: Final = Part(processors={_APART: {"timeout": "0s"}})


@dataclass(frozen=True)
class Flow:
    """One pipeline with everything that it names: from sources, through processors, to destinations. Without a `name`
    it has that of its signal alone; `limited` says whether it refuses data while memory is short."""

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


def memory_limiter(memory: int) -> Part:
    """Refuses data, which clients send again, before `memory` MiB are used and the process is killed."""
    limits = {"check_interval": "1s", "limit_mib": memory * 75 // 100, "spike_limit_mib": memory * 20 // 100}
    return Part(processors={"memory_limiter": limits})


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
