"""The package's plugin as the engine drives it: started as Pulumi starts it, asked over gRPC, answered by the monitor
that stands in place of the engine when the program itself is recorded."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import struct_pb2
from pulumi.runtime.proto import (
    engine_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

from preview.engine import SECRET, SIGNATURE, Log, Monitor
from preview.recording import UNKNOWN, Resource, Secret
from preview.stack import StackFiles, load
from settings import KEYS
from tests.components.variants import VARIANTS

ROOT = Path(__file__).parents[2]
ENVIRONMENT = "ecs-observability:index:Environment"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
NOT_KNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@dataclass(frozen=True)
class Output:
    """An output of another resource, as a program sends it; a value of `UNKNOWN` is one that nobody knows yet."""

    value: Any
    secret: bool = False
    of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Constructed:
    """What a component asked the engine for, and what it told the program."""

    urn: str
    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any]
    warnings: tuple[str, ...]


class RefusedError(Exception):
    """What the plugin said in place of a component. The text is what reaches the user."""


class _Served(resource_pb2_grpc.ResourceMonitorServicer):
    """The monitor behind gRPC."""

    def __init__(self, monitor: Monitor) -> None:
        for name in vars(resource_pb2_grpc.ResourceMonitorServicer):
            if not name.startswith("_") and name != "SupportsFeature" and hasattr(monitor, name):
                setattr(self, name, _answering(getattr(monitor, name)))

    def SupportsFeature(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        # A real engine takes output values; here they would hide what is in them.
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id != "outputValues")


def _answering(method: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda request, _context: method(request)


class Host:
    """A plugin that runs. `engine` is the log of the engine that started it."""

    def __init__(self, stub: provider_pb2_grpc.ResourceProviderStub, log: Log) -> None:
        self.stub = stub
        self._log = log

    def schema(self) -> dict[str, Any]:
        return json.loads(self.stub.GetSchema(provider_pb2.GetSchemaRequest()).schema)

    def construct(
        self,
        inputs: Mapping[str, Any],
        *,
        files: StackFiles | None = None,
        token: str = ENVIRONMENT,
        name: str = "shop",
        preview: bool = False,
        others: tuple[str, ...] = (),
        **request: Any,
    ) -> Constructed:
        """One component. `others` are URNs of resources that the program has made besides."""
        files = files or load(ROOT, "dev")
        monitor = Monitor(files, preview)
        monitor._answers |= dict.fromkeys(others, ("<id>", struct_pb2.Struct()))
        self._log.warnings.clear()
        with _monitor_of(monitor) as address:
            try:
                made = self.stub.Construct(
                    provider_pb2.ConstructRequest(
                        project=files.project,
                        stack=files.stack,
                        config={key: text for key, text in files.texts.items() if key.startswith("aws:")},
                        monitorEndpoint=address,
                        type=token,
                        name=name,
                        inputs=_struct(inputs),
                        dryRun=preview,
                        accepts_output_values=True,
                        **request,
                    ),
                    timeout=120,
                )
            except grpc.RpcError as error:
                raise RefusedError(error.details()) from None
        assert all(any(other in text for other in others) for text in monitor.refusals), monitor.refusal()
        outputs = struct_pb2.Struct()
        outputs.CopyFrom(made.state)
        return Constructed(made.urn, monitor.recorded(), _plain(outputs), tuple(self._log.warnings))

    def stack(self, name: str, *, preview: bool = False) -> Constructed:
        """The environment of a stack of this project, its examples or its variants."""
        files = files_of(name)
        return self.construct(inputs_of(files), files=files, preview=preview)


def files_of(stack: str) -> StackFiles:
    """What the stack's files say, as the recorder reads them."""
    if stack in VARIANTS:
        return load(ROOT, "dev", dict.fromkeys(KEYS) | dict(VARIANTS[stack]))
    return load(ROOT, stack)


def inputs_of(files: StackFiles) -> dict[str, Any]:
    """The stack's keys as inputs of the component."""
    own = {key.partition(":")[2]: text for key, text in files.texts.items() if key.startswith(f"{files.project}:")}
    values = {key: text if key == "pattern" else json.loads(text) for key, text in own.items()}
    return {
        key: Output(value, secret=True) if f"{files.project}:{key}" in files.secret_keys else value
        for key, value in values.items()
    }


@contextmanager
def host() -> Iterator[Host]:
    """The plugin, started in the project's folder."""
    log = Log()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    servicer = engine_pb2_grpc.EngineServicer()
    servicer.Log = lambda request, _context: log.Log(request)  # type: ignore[method-assign]
    engine_pb2_grpc.add_EngineServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with subprocess.Popen(
        [sys.executable, str(ROOT / "components"), f"127.0.0.1:{port}"],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "GRPC_VERBOSITY": "ERROR"},
    ) as plugin:
        try:
            assert plugin.stdout
            own = int(plugin.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{own}", options=_LARGE) as channel:
                yield Host(provider_pb2_grpc.ResourceProviderStub(channel), log)
        finally:
            plugin.terminate()
            server.stop(None)


_LARGE = [("grpc.max_receive_message_length", 100 * 1024 * 1024)]


@contextmanager
def _monitor_of(monitor: Monitor) -> Iterator[str]:
    server = grpc.server(futures.ThreadPoolExecutor(4), options=_LARGE)
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(_Served(monitor), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None)


def _struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update({key: _sent(value) for key, value in values.items() if value is not None})
    return made


def _sent(value: Any) -> Any:
    match value:
        case Output():
            known = {} if value.value is UNKNOWN else {"value": _sent(value.value)}
            return {SIGNATURE: OUTPUT, **known, "secret": value.secret, "dependencies": list(value.of)}
        case Secret():
            return {SIGNATURE: SECRET, "value": _sent(value.value)}
        case Mapping():
            return {key: _sent(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_sent(inner) for inner in value]
        case _:
            return NOT_KNOWN if value is UNKNOWN else value


def _plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    from preview.engine import _fields

    return _fields(struct)
