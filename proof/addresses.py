"""The addresses that a proof replaces, held against where the stack would answer: what is replaced is not run."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from preview import wiring
from proof.plan import CONFIGURATION, Container, Plan, Service, environment
from proof.verdict import Kind, Verdict

_REMOTE_WRITE: Final = re.compile(r"<[\w-]+\.prometheusEndpoint>api/v1/remote_write")
"""AMP's endpoint ends in a slash (`aws.amp.Workspace`, output `prometheusEndpoint`)."""

_TRACES: Final = r"\$\{env:XRAY_TRACES_ENDPOINT:-(.+)\}"
_PROXY: Final = "endpoint="
"""What stands before the address at which an SDK asks for X-Ray's sampling rules."""

_LISTENS: Final = r"\$\{env:OTLP_%s_ENDPOINT:-(?P<host>[^}:]+):(?P<port>\d+)\}"
_OWN_MACHINE: Final = ("localhost", "127.0.0.1")
_OTLP: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"


def checked(plan: Plan) -> list[Verdict]:
    """A verdict for every address that is rendered and that a proof cannot use."""
    return [
        *(verdict for service in plan.services if service.sidecar for verdict in _aws(plan, service, service.sidecar)),
        *(verdict for service in plan.applications for verdict in _application(plan, service)),
    ]


def _aws(plan: Plan, service: Service, collector: Container) -> Iterator[Verdict]:
    url = environment(collector).get("AWS_PROMETHEUS_ENDPOINT", "")
    wanted = f"{plan.central.endpoint}api/v1/remote_write" if plan.central else "<workspace>api/v1/remote_write"
    fits = url == wanted if plan.central else _REMOTE_WRITE.fullmatch(url)
    reason = "" if fits else "is not the remote-write URL of an AMP workspace"
    yield _verdict(f"remote write of {service.name}", wanted, url, reason)
    if traces := re.search(_TRACES, environment(collector).get(CONFIGURATION, "")):
        filled = traces[1].replace("${env:AWS_REGION}", environment(collector).get("AWS_REGION", ""))
        wanted = f"https://xray.{plan.region}.amazonaws.com/v1/traces"
        yield _verdict(f"traces of {service.name}", wanted, filled, "" if filled == wanted else "is not X-Ray's")


def _application(plan: Plan, service: Service) -> Iterator[Verdict]:
    container = service.container(service.name)
    variables = environment(container) if container else {}
    protocol = "GRPC" if variables.get("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc" else "HTTP"
    expected, reason = _otlp(plan, service, protocol, variables.get(_OTLP, ""))
    yield _verdict(f"OTLP endpoint of {service.name}", expected, variables.get(_OTLP, ""), reason)
    for name, value in variables.items():
        address = _address(value.removeprefix(_PROXY))
        if name != _OTLP and any(f".{domain}:" in address for domain in plan.domains):
            reason = "" if address in plan.listeners else "nobody in this stack answers there"
            yield _verdict(f"{name} of {service.name}", "a service of this stack", value, reason)


def _otlp(plan: Plan, service: Service, protocol: str, url: str) -> tuple[str, str]:
    """What the endpoint should be, and what is wrong with it."""
    carrier = service if service.sidecar else plan.collector
    listens = re.search(_LISTENS % protocol, _received_by(plan, carrier))
    if listens is None:
        return "a collector", f"no collector takes OTLP over {protocol}"
    host, _, port = _address(url).rpartition(":")
    if port != listens["port"]:
        return f"port {listens['port']}", f"the collector takes OTLP over {protocol} on port {listens['port']}"
    if service.sidecar:
        return f"localhost:{port}", "" if host in _OWN_MACHINE else "the collector is in the same task: localhost"
    if listens["host"] in _OWN_MACHINE:
        return f"port {port}", "the collector listens on its own machine only"
    known = sorted(address for address in plan.listeners if address.endswith(f":{port}"))
    return " or ".join(known), "" if f"{host}:{port}" in plan.listeners else "nobody in this stack answers there"


def _received_by(plan: Plan, carrier: Service | None) -> str:
    """The configuration of the collector that takes what applications send."""
    if carrier is None or carrier.receiver is None:
        return ""
    return plan.documents.get(wiring.configuration_path(carrier.family, str(carrier.receiver["name"])), "")


def _address(url: str) -> str:
    """`host:port` of a URL; empty if it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return ""
    return f"{parts.hostname}:{port}" if parts.hostname else ""


def _verdict(subject: str, expected: str, found: str, reason: str) -> Verdict:
    kind = Kind.FAILED if reason else Kind.CHECKED
    return Verdict(kind, "address", subject, expected=expected, found=found, reason=reason)
