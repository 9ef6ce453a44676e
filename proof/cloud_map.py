"""AWS Cloud Map as far as a front asks it: which tasks of a service there are, each with an address on loopback.

The machine's loopback is a whole network, so tasks that share a port, as tasks on AWS do, have addresses of their own.
AWS's SDK puts `data-` before the host that it asks, a name that nobody could resolve here: so it asks by a proxy.
"""

import itertools
import json
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from proof import sigv4
from proof.web import LOOPBACK, Answer, Request, serve

_HOST: Final = "cloud-map"
_TARGET: Final = "Route53AutoNaming_v20170314.DiscoverInstances"


class CloudMap:
    """Knows the tasks behind one name, `service.namespace`, and the `port` that all of them listen on."""

    def __init__(self, known: Mapping[str, sigv4.Credentials], region: str, name: str, port: int) -> None:
        self.port: Final = port
        self.refused: Final[Counter[str]] = Counter()
        self._known = known
        self._scope = sigv4.Scope(region, "servicediscovery")
        self._name = name
        self._numbers = itertools.count(1)
        self._registered: list[str] = []
        self._proxy = 0

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which AWS's SDK in a collector comes here. Loopback addresses are not asked by proxy."""
        return {
            "AWS_ENDPOINT_URL_SERVICEDISCOVERY": f"http://{_HOST}",
            "HTTP_PROXY": f"http://{LOOPBACK}:{self._proxy}",
        }

    def register(self) -> str:
        """An address for one more task."""
        number = next(self._numbers)
        self._registered.append(f"127.0.{number}.1")
        return self._registered[-1]

    def deregister(self, address: str) -> None:
        """Forgets a task, as ECS does before it stops one."""
        self._registered.remove(address)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Answers until the context ends."""
        async with serve(self._handle) as self._proxy:
            yield

    async def _handle(self, request: Request) -> Answer:
        asked = replace(request, path=request.path.removeprefix(f"http://data-{_HOST}") or "/")
        try:
            sigv4.verify(asked, self._known, self._scope)
        except sigv4.RefusedError as error:
            return self._refuse(HTTPStatus.FORBIDDEN, "AccessDeniedException", str(error))
        wanted = json.loads(request.body)
        if request.headers.get("x-amz-target") != _TARGET:
            return self._refuse(HTTPStatus.BAD_REQUEST, "UnknownOperationException", str(request.headers))
        if f"{wanted['ServiceName']}.{wanted['NamespaceName']}" != self._name:
            return self._refuse(HTTPStatus.BAD_REQUEST, "ServiceNotFound", str(wanted))
        instances = [
            {"InstanceId": address, "HealthStatus": "HEALTHY", "Attributes": {"AWS_INSTANCE_IPV4": address}}
            for address in self._registered
        ]
        return Answer(body=json.dumps({"Instances": instances}).encode(), content_type="application/x-amz-json-1.1")

    def _refuse(self, status: HTTPStatus, kind: str, reason: str) -> Answer:
        self.refused[f"{kind}: {reason}"] += 1
        return Answer(status, json.dumps({"__type": kind, "Message": reason}).encode(), "application/x-amz-json-1.1")
