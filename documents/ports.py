"""Every port that a collector's containers listen on; the containers of a task share one network."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from documents.signals import Receiver

OTLP_GRPC: Final = 4317
OTLP_HTTP: Final = 4318
XRAY: Final = 2000
"""Of X-Ray's own daemon: segments over UDP, and sampling rules over TCP."""
STATSD: Final = 8125
ZIPKIN: Final = 9411
HEALTH: Final = 13133
TELEMETRY: Final = 8888

FRONT_HEALTH: Final = 13134
FRONT_TELEMETRY: Final = 8889
BEHIND_FRONT: Final = 14300
"""Where the collector of the service pattern takes what its front hands on."""

FIRST_BUFFER: Final = 14310
MOST_BUFFERS: Final = 20
BUFFERS: Final = ("xray", "application", "task", "collector", "cloudwatch")
"""Our buffers that have a port, each the next one."""

_NAMED: Final = (OTLP_GRPC, OTLP_HTTP, TELEMETRY, FRONT_TELEMETRY, HEALTH, FRONT_HEALTH, BEHIND_FRONT)
_BUFFERS: Final = range(FIRST_BUFFER, FIRST_BUFFER + MOST_BUFFERS)

OWN: Final = frozenset({*_NAMED, *_BUFFERS})
"""What an application beside a collector must not use."""

DESCRIBED: Final = f"{', '.join(map(str, _NAMED))} and {_BUFFERS[0]} to {_BUFFERS[-1]}"
"""The same in words."""


def buffer(name: str) -> int:
    """The port behind a buffer of ours."""
    return FIRST_BUFFER + BUFFERS.index(name)


class Protocol(StrEnum):
    """What a port speaks, below its application."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True)
class Port:
    """A port that clients send to. `speaks` is its application protocol as ECS names it, where ECS knows one."""

    name: str
    number: int
    protocol: Protocol = Protocol.TCP
    speaks: str | None = None


OTLP: Final = (Port("otlp-grpc", OTLP_GRPC, speaks="grpc"), Port("otlp-http", OTLP_HTTP, speaks="http"))

OPTIONAL: Final[Mapping[Receiver, tuple[Port, ...]]] = {
    Receiver.XRAY: (Port("xray-segments", XRAY, Protocol.UDP), Port("xray-sampling", XRAY)),
    Receiver.STATSD: (Port("statsd", STATSD, Protocol.UDP),),
    Receiver.ZIPKIN: (Port("zipkin", ZIPKIN, speaks="http"),),
}
"""What each receiver opens, and only where it is chosen."""


def opened(receivers: Iterable[Receiver]) -> tuple[Port, ...]:
    """The ports of these receivers, always in the same order."""
    chosen = frozenset(receivers)
    return tuple(port for receiver in Receiver if receiver in chosen for port in OPTIONAL[receiver])


def taken(receivers: Iterable[Receiver]) -> frozenset[int]:
    """What an application beside a collector with these receivers must not use."""
    return OWN | {port.number for port in opened(receivers)}


def described(receivers: Iterable[Receiver]) -> str:
    """The same in words."""
    return ", ".join([*(str(number) for number in sorted({port.number for port in opened(receivers)})), DESCRIBED])
