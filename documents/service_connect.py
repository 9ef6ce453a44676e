"""Service Connect between applications: a proxy beside each task, through which requests from one to another pass.

Sources: Amazon ECS API Reference, ServiceConnectConfiguration, ServiceConnectService, TimeoutConfiguration and
PortMapping; Amazon ECS Developer Guide, "Amazon ECS Service Connect components" (who finds whom, and what a proxy
needs).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field, field_validator

from documents.faults import wrong
from documents.model import Model, Whole

PORT: Final = "application"
"""The name of an application's port in its task definition, which Service Connect goes by."""

LOG_STREAM: Final = "service-connect"
"""The beginning of the log streams of the proxies, which no application's lines are mistaken for."""

PROXY_MEMORY: Final = 64
"""MiB that AWS would have added to a task for its proxy, of which ECS tells the definition nothing."""

_PROXY_CPU: Final = 256
"""CPU units that AWS would have added for the same."""

_LONGEST_SECONDS: Final = 2_147_483_647


class Protocol(StrEnum):
    """What an application speaks on its port. A proxy balances connections of TCP, and requests of the others."""

    HTTP = "http"
    HTTP2 = "http2"
    GRPC = "grpc"
    TCP = "tcp"


Seconds = Annotated[Whole, Field(ge=0, le=_LONGEST_SECONDS)]


class ServiceConnect(Model):
    """How an application is reached through proxies."""

    protocol: Protocol = Protocol.HTTP
    """What it speaks on `port`; `tcp` for anything else."""
    request_timeout: Seconds | None = None
    """Seconds until a proxy gives up a request with 504, 0 for never; left out, 15. Not with `tcp`."""
    idle_timeout: Seconds | None = None
    """Seconds until a connection is closed on which nothing passes, 0 for never; left out, 300, with `tcp` 3600."""
    access_logs: bool = False
    """Whether the proxy writes a line of JSON for each request, without its query, to the log group."""

    @field_validator("request_timeout")
    @classmethod
    def _of_requests(cls, seconds: int | None, info: Any) -> int | None:
        if seconds is not None and info.data.get("protocol") is Protocol.TCP:
            raise wrong("is of requests, and TCP has none", "leave it out, or give idleTimeout")
        return seconds

    @property
    def port_mapping(self) -> dict[str, str]:
        """What the application's port mapping says for it; a port without a protocol is one of TCP."""
        return {"name": PORT} | ({} if self.protocol is Protocol.TCP else {"appProtocol": self.protocol.value})


def configuration(
    connect: ServiceConnect, *, name: str, port: int, address: str, namespace: Any, log: Mapping[str, Any]
) -> dict[str, Any]:
    """What the ECS service of an application says, in Pulumi's words: it finds others, and is found at the `address`
    and `port` that Cloud Map has for it as well. `namespace` is an ARN, `log` what a container definition says.
    """
    timeout = {
        key: seconds
        for key, seconds in (
            ("per_request_timeout_seconds", connect.request_timeout),
            ("idle_timeout_seconds", connect.idle_timeout),
        )
        if seconds is not None
    }
    offered: dict[str, Any] = {
        "port_name": PORT,
        # Cloud Map has the name itself already; no application's has an underscore.
        "discovery_name": f"{name}_connect",
        "client_alias": [{"port": port, "dns_name": address}],
    }
    if timeout:
        offered["timeout"] = timeout
    made: dict[str, Any] = {
        "enabled": True,
        "namespace": namespace,
        "services": [offered],
        "log_configuration": {"log_driver": log["logDriver"], "options": dict(log["options"])},
    }
    if connect.access_logs:
        # A query may hold what nobody should read.
        made["access_log_configuration"] = {"format": "JSON", "include_query_parameters": "DISABLED"}
    return made


def warnings(connect: ServiceConnect | None, cpu: int, key: str) -> list[str]:
    """What is allowed and yet tight: a task of so many CPU units that a proxy leaves its application few."""
    if connect is None or cpu > _PROXY_CPU:
        return []
    return [
        f"{key}.serviceConnect: a proxy should have {_PROXY_CPU} CPU units beside what the application needs, and the "
        f"whole task has {cpu}; give it more where it has more than a little to do"
    ]
