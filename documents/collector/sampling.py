"""Which traces are kept once they are complete, and how all spans of a trace come to the one collector that decides."""

from typing import Final

from documents import ports
from documents.collector.buffer import Destination
from documents.collector.part import Part
from documents.signals import TailSampling, Traces

TAIL: Final = "tail_sampling"

RESOLVE_SECONDS: Final = 5
"""How often a front asks Cloud Map which collectors there are."""

_RETRY_SECONDS: Final = 8
"""SDKs wait 10 s for an answer (OpenTelemetry specification, `OTEL_EXPORTER_OTLP_TIMEOUT`)."""

_WAITING_SHARE: Final = 3
"""A third of a collector's memory is for traces that wait."""

_TRACE_KIB: Final = 32
"""A waiting trace of 8 spans with 10 attributes each from 8 processes held this much (measured, docs/signals.md)."""


def tail(chosen: TailSampling, memory: int) -> Part:
    """Keeps traces with an error, slow ones, and a ratio of the others, in a collector of `memory` MiB."""
    return Part(
        processors={
            TAIL: {
                "decision_wait": f"${{env:TRACE_DECISION_WAIT:-{chosen.wait_seconds}s}}",
                "num_traces": most_traces(memory),
                "policies": [
                    {"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}},
                    {"name": "slow", "type": "latency", "latency": {"threshold_ms": chosen.slower_than_ms}},
                    {
                        "name": "rest",
                        "type": "probabilistic",
                        "probabilistic": {"sampling_percentage": round(100 * chosen.ratio, 6)},
                    },
                ],
            }
        }
    )


def hold_seconds(traces: Traces) -> int:
    """How long a collector whose front has stopped still gets spans, or holds traces that wait: what is in a queue
    only after that must not be left behind by a stop that looks too early."""
    return traces.tail.wait_seconds + 2 * RESOLVE_SECONDS if traces.tail else 0


def most_traces(memory: int) -> int:
    """How many traces may wait in a collector of `memory` MiB; one more, and the oldest is lost."""
    return memory * 1024 // _WAITING_SHARE // _TRACE_KIB


def by_trace(namespace: str, service: str) -> Destination:
    """All spans of a trace to the same one of the collectors that Cloud Map knows as `service` in `namespace`."""
    return Destination(
        "load_balancing",
        Part(
            exporters={
                "load_balancing": {
                    "routing_key": "traceID",
                    "protocol": {
                        "otlp": {
                            "timeout": "5s",
                            "tls": {"insecure": True},
                            "sending_queue": {"enabled": False},
                            "retry_on_failure": {"enabled": False},
                        }
                    },
                    "resolver": {
                        "aws_cloud_map": {
                            "namespace": namespace,
                            "service_name": service,
                            "health_status": "HEALTHY",
                            "interval": f"{RESOLVE_SECONDS}s",
                            "timeout": f"{RESOLVE_SECONDS}s",
                            "port": f"${{env:BEHIND_FRONT_PORT:-{ports.BEHIND_FRONT}}}",
                        }
                    },
                    "retry_on_failure": {
                        "enabled": True,
                        "initial_interval": "1s",
                        "max_interval": "2s",
                        "max_elapsed_time": f"{_RETRY_SECONDS}s",
                    },
                }
            }
        ),
    )
