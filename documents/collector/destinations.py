"""Where telemetry goes: exporters, each behind a buffer of its own, so that a back end in trouble blocks no other."""

from typing import Final

from documents import ports
from documents.central import Central
from documents.collector.buffer import Destination, Queue, Signal, buffered, queued
from documents.collector.part import Configuration, Part, literal, merged
from documents.signals import TraceEndpoint, Traces

WITH_SUFFIXES: Final = "UnderscoreEscapingWithSuffixes"
WITHOUT_SUFFIXES: Final = "UnderscoreEscapingWithoutSuffixes"

SIGV4: Final = "sigv4auth"

_XRAY_DOCUMENTS: Final = 50
"""Segment documents that X-Ray takes in a request (AWS X-Ray API Reference, PutTraceSegments)."""

_XRAY_SPANS: Final = 500
"""X-Ray's OTLP endpoint takes 10,000 spans and 5 MB before compression in a request (Amazon CloudWatch User Guide,
"OTLP Endpoints"): half a thousand may have 10 KB each."""

_XRAY_CONSUMERS: Final = 2

_XRAY_ATTEMPTS: Final = 100
"""The exporter's `max_retries` is the number of attempts that AWS's SDK makes within the exporter's 5 s."""

_SIGV4_XRAY: Final = f"{SIGV4}/xray"

_SAMPLES: Final = 1000
"""In a request to AMP."""


def signer(central: Central | None) -> Part:
    """What signs the requests to AMP."""
    return Part(extensions={SIGV4: _signer("aps", central)})


def _signer(service: str, central: Central | None) -> Configuration:
    """Signs as the task's role, or as the role of another account, whose session it asks of STS in its own region."""
    own: Configuration = {"region": "${env:AWS_REGION}", "service": service}
    return own | ({"assume_role": {"arn": central.role, **_external_id(central)}} if central else {})


def _external_id(central: Central) -> Configuration:
    return {"external_id": central.external_id} if central.external_id else {}


def xray(queue_mib: int, traces: Traces, central: Central | None = None) -> Destination:
    """X-Ray, by the entrance that `traces` chooses; that of the `central` account if it takes traces."""
    owner = central if central and central.traces else None
    if traces.endpoint is TraceEndpoint.OTLP:
        return _xray_otlp(queue_mib, owner)
    attributes = [literal(attribute) for attribute in traces.indexed_attributes]
    indexed = {"indexed_attributes": attributes} if attributes else {}
    role = {"role_arn": owner.role, **_external_id(owner)} if owner else {}
    return buffered(
        Signal.TRACES,
        "xray",
        "awsxray",
        {"region": "${env:AWS_REGION}", "max_retries": _XRAY_ATTEMPTS, **indexed, **role},
        queue=Queue(queue_mib, batch=_XRAY_DOCUMENTS, at_least=_XRAY_DOCUMENTS, consumers=_XRAY_CONSUMERS),
        port=ports.buffer("xray"),
    )


def _xray_otlp(queue_mib: int, owner: Central | None) -> Destination:
    """X-Ray's OTLP endpoint. Its exporter has a queue of its own, so it needs no hop."""
    sending = queued(
        "otlp_http/xray",
        {
            "traces_endpoint": "${env:XRAY_TRACES_ENDPOINT:-https://xray.${env:AWS_REGION}.amazonaws.com/v1/traces}",
            "auth": {"authenticator": _SIGV4_XRAY},
            "compression": "gzip",
        },
        Queue(queue_mib, batch=_XRAY_SPANS, at_least=_XRAY_SPANS, consumers=_XRAY_CONSUMERS),
    )
    signing = Part(extensions={_SIGV4_XRAY: _signer("xray", owner)})
    return Destination(sending.exporter, merged([signing, sending.part]))


def amp(name: str, naming: str, queue_mib: int) -> Destination:
    """The AMP workspace. `naming` is how names of metrics are translated."""
    return buffered(
        Signal.METRICS,
        name,
        f"prometheus_remote_write/{name}",
        _remote_write(naming),
        queue=Queue(queue_mib, batch=_SAMPLES),
        port=ports.buffer(name),
    )


def _remote_write(naming: str) -> Configuration:
    return {
        "endpoint": "${env:AWS_PROMETHEUS_ENDPOINT}",
        "auth": {"authenticator": SIGV4},
        "timeout": "60s",
        "retry_on_failure": {"enabled": False},
        "remote_write_queue": {"enabled": False},
        "max_batch_request_parallelism": 1,
        "translation_strategy": naming,
        "disable_scope_info": True,
        "target_info": {"enabled": False},
        "resource_to_telemetry_conversion": {"enabled": True, "exclude_service_attributes": True},
    }
