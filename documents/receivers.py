"""What a user chose to take besides OTLP: where the pattern allows it, and what clients are told."""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from documents import ports
from documents.collector import statsd
from documents.faults import Fault
from documents.ports import Protocol
from documents.signals import Receiver

_FLUSH_SECONDS: Final = 5
"""From the end of a StatsD interval until what it counted is in the queue."""

_TOLD: Final[Mapping[Receiver, Callable[[str], dict[str, str]]]] = {
    # AWS X-Ray Developer Guide, "Running the X-Ray daemon on Amazon ECS".
    Receiver.XRAY: lambda host: {"AWS_XRAY_DAEMON_ADDRESS": f"{host}:{ports.XRAY}"},
    # No standard has them; many clients read these two. DD_AGENT_HOST would also redirect Datadog's tracers.
    Receiver.STATSD: lambda host: {"STATSD_HOST": host, "STATSD_PORT": str(ports.STATSD)},
    # OpenTelemetry specification, "SDK environment variables", Zipkin exporter.
    Receiver.ZIPKIN: lambda host: {"OTEL_EXPORTER_ZIPKIN_ENDPOINT": f"http://{host}:{ports.ZIPKIN}/api/v2/spans"},
}


def environment(receivers: Collection[Receiver], host: str) -> dict[str, str]:
    """Variables by which clients in an application find the collector at `host`."""
    return {name: value for one in Receiver if one in receivers for name, value in _TOLD[one](host).items()}


def service_faults(receivers: Collection[Receiver], *, by_name: bool) -> list[Fault]:
    """Faults of a collector service. `by_name` says whether it is found by Cloud Map."""
    refused = [one for one in Receiver if one in receivers and _needs_udp(one)]
    if by_name or not refused:
        return []
    return [
        Fault(
            "collector.receivers",
            f"has {' and '.join(refused)}, whose clients send UDP, which cannot pass Service Connect",
            "use collector.discovery: cloudMap, or leave them out",
        )
    ]


def hold_seconds(receivers: Collection[Receiver], interval_seconds: int) -> int:
    """How long a collector still adds up what StatsD clients have counted, after they have stopped."""
    return statsd.seconds_of(interval_seconds) + _FLUSH_SECONDS if Receiver.STATSD in receivers else 0


def _needs_udp(receiver: Receiver) -> bool:
    return any(port.protocol is Protocol.UDP for port in ports.OPTIONAL[receiver])
