# ruff: noqa: N802 - the protocol names the methods
"""A provider plugin that speaks the engine's protocol and has a folder for a cloud.

Started by the engine as `pulumi-resource-<package> <engine address>`. Environment: STANDIN_PACKAGE and STANDIN_VERSION
name the plugin, STANDIN_CLOUD is the folder, STANDIN_GRAFANA the address at which Grafana workspaces answer.
STANDIN_REFUSE and STANDIN_SLOW are regular expressions over `<operation> <type> <name>`: such requests fail, or linger.
STANDIN_FIRST is what comes of the first creation of each resource: it is "refused", or the thing is "half-made".
"""

import contextlib
import os
import re
import time
from collections.abc import Generator, Mapping
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from tests.pulumi_cli import behaviour, providers
from tests.pulumi_cli.cloud import Cloud, HalfMadeError, RefusedError, Thing

_STEADY_SECONDS = 0.5
"""How long an ECS service takes, so that an order of operations that is only luck shows."""

_LINGER_SECONDS = 3.0
"""Longer than everything else of a first deployment together, on two busy cores."""

_NOTHING = "(?!)"
_REGION = "eu-west-1"
_COMPUTED_LATER = ("contextHash", "digest", "ref")
_PROPERTY = provider_pb2.PropertyDiff
_REPLACING = {
    _PROPERTY.ADD: _PROPERTY.ADD_REPLACE,
    _PROPERTY.DELETE: _PROPERTY.DELETE_REPLACE,
    _PROPERTY.UPDATE: _PROPERTY.UPDATE_REPLACE,
}
_OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"


def _plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    return json_format.MessageToDict(struct)


def _struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(dict(values))
    return struct


class StandIn(provider_pb2_grpc.ResourceProviderServicer):
    def __init__(
        self,
        package: str,
        version: str,
        cloud: Cloud,
        *,
        grafana: str,
        refuse: re.Pattern[str],
        slow: re.Pattern[str],
        first: str,
    ) -> None:
        self._package, self._version, self._cloud, self._grafana = package, version, cloud, grafana
        self._refuse, self._slow, self._first = refuse, slow, first
        self._home = ""
        self._token = ""

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_resources=True)

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=self._version)

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.GetSchemaResponse(schema="{}")

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        same = _plain(request.old_inputs) == _plain(request.news)
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_NONE if same else provider_pb2.DiffResponse.DIFF_SOME
        )

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        # Not `args`: there the engine marks secrets, whatever the handshake said.
        self._home = request.variables["grafana:config:url"].rpartition("/")[2]
        self._token = request.variables["grafana:config:auth"]
        return provider_pb2.ConfigureResponse(supportsPreview=True, acceptResources=True)

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        inputs = _plain(request.news)
        if request.type in providers.AUTONAMED and not {"name", "namePrefix"}.intersection(inputs):
            former = _plain(request.olds).get("name")
            inputs["name"] = former or f"{request.name}-{request.randomSeed.hex()[:7]}"
            inputs["__autonamed"] = True
        return provider_pb2.CheckResponse(inputs=_struct(inputs))

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        old, new = _plain(request.old_inputs), _plain(request.news)
        if request.type == "docker-build:index:Image":
            _compare_images(old, new, _plain(request.olds))
        changes = {
            path: kind
            for path, kind in _changes(old, new)
            if kind != _PROPERTY.DELETE or path not in providers.KEPT.get(request.type, ())
        }
        if refusal := providers.refused_change(request.type, changes, new):
            context.abort(grpc.StatusCode.UNKNOWN, refusal)
        replaced = {path for path in changes if providers.is_replaced(request.type, _named(path), old, new)}
        detailed = {
            path: _PROPERTY(kind=_REPLACING[kind] if path in replaced else kind, inputDiff=True)
            for path, kind in changes.items()
        }
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changes else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=sorted({_named(path).split(".")[0] for path in changes}),
            replaces=sorted({_named(path).split(".")[0] for path in replaced}),
            detailedDiff=detailed,
            hasDetailedDiff=True,
            deleteBeforeReplace=bool(replaced) and "__autonamed" not in new and providers.deletes_first(old, new),
        )

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        inputs = _plain(request.properties)
        if request.preview:
            later = dict.fromkeys(_COMPUTED_LATER, providers.UNKNOWN) if self._package == "docker-build" else {}
            return provider_pb2.CreateResponse(properties=_struct({**later, **inputs}))
        with self._granted("create", request, context, inputs):
            revision = self._cloud.revision(inputs["family"]) if "family" in inputs else 0
            id_ = providers.identity(request.type, request.name, inputs)
            outputs = {
                **inputs,
                **providers.computed(
                    request.type, id_, inputs, grafana=self._grafana, revision=revision, now=self._cloud.now
                ),
            }
            self._check_home(request.type, inputs)
            behaviour.check_creation(self._cloud, request.type, inputs)
            thing = self._thing(request, id_, inputs, outputs)
            there = self._cloud.get(thing.type, thing.key) is not None
            self._cloud.put(thing, new=not (thing.type in providers.KNOWN_AGAIN and there))
            if self._is_to_be("half-made", request):
                half = provider_pb2.ErrorResourceInitFailed(
                    id=id_, properties=_struct(outputs), inputs=request.properties, reasons=["it never got ready"]
                )
                raise HalfMadeError(half)
        return provider_pb2.CreateResponse(id=id_, properties=_struct(outputs))

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._granted("read", request, context, {}):
            self._check_home(request.type, {})
            thing = self._existing(request, _plain(request.properties))
        if thing is None:
            return provider_pb2.ReadResponse()
        known = {name: thing.outputs[name] for name in _plain(request.inputs) if name in thing.outputs}
        return provider_pb2.ReadResponse(id=thing.id, properties=_struct(thing.outputs), inputs=_struct(known))

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        inputs, olds = _plain(request.news), _plain(request.olds)
        former = {name: value for name, value in olds.items() if name not in _plain(request.old_inputs)}
        if request.preview:
            later = dict.fromkeys(_COMPUTED_LATER, providers.UNKNOWN) if self._package == "docker-build" else {}
            return provider_pb2.UpdateResponse(properties=_struct({**former, **inputs, **later}))
        with self._granted("update", request, context, inputs):
            self._check_home(request.type, inputs)
            there = self._existing(request, olds)
            if there is None:
                raise RefusedError(f"{request.type} {request.id!r} does not exist")
            if self._package == "docker-build":
                former = providers.computed(request.type, request.id, inputs)
            else:
                former = {name: there.outputs[name] for name in former if name in there.outputs}
            # What an update does not change stays as it is, whatever Pulumi takes it for.
            same = {name: there.outputs[name] for name in inputs if olds.get(name) == inputs[name]}
            outputs = {**former, **inputs, **same}
            if request.type == behaviour.SERVICE:
                behaviour.check_creation(self._cloud, request.type, outputs)
            self._cloud.put(self._thing(request, request.id, {**inputs, **same}, outputs), new=False)
            if request.type == behaviour.SERVICE and outputs["taskDefinition"] != olds["taskDefinition"]:
                behaviour.shift(self._cloud, outputs)
        return provider_pb2.UpdateResponse(properties=_struct(outputs))

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._granted("delete", request, context, {}):
            self._check_home(request.type, {})
            outputs = _plain(request.properties)
            thing = self._existing(request, outputs) or self._thing(request, request.id, {}, outputs)
            behaviour.check_deletion(self._cloud, thing)
            self._cloud.remove(thing.type, thing.key)
            for inside in self._cloud.things():
                if inside.home == thing.id:
                    self._cloud.remove(inside.type, inside.key)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            found = providers.answer(request.tok, _plain(request.args), _REGION, self._cloud.things())
        except KeyError:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the stand-in does not know the function {request.tok}")
        if request.tok == "aws:grafana/getWorkspace:getWorkspace":
            found = {**found, "endpoint": f"{self._grafana}/{found['workspaceId']}"}
        response = provider_pb2.InvokeResponse()
        # A keyword: the field has no other spelling.
        getattr(response, "return").CopyFrom(_struct(found))
        return response

    @contextlib.contextmanager
    def _granted(
        self, operation: str, request: Any, context: grpc.ServicerContext, inputs: Mapping[str, Any]
    ) -> Generator[None]:
        """Logs a request, and turns a refusal into the error that the engine shows."""
        try:
            with self._cloud.logged(operation, request.type, request.name, inputs):
                self._obey(f"{operation} {request.type} {request.name}")
                self._refuse_first(operation, request)
                if request.type == behaviour.SERVICE:
                    time.sleep(_STEADY_SECONDS)
                yield
        except RefusedError as refused:
            context.abort(grpc.StatusCode.UNKNOWN, str(refused))
        except HalfMadeError as error:
            [half] = error.args
            status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=half.reasons[0])
            status.details.add().Pack(half)
            # The part of an error by which the engine learns that the thing is there.
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
            context.abort(grpc.StatusCode.UNKNOWN, half.reasons[0])

    def _obey(self, what: str) -> None:
        if self._slow.search(what):
            time.sleep(_LINGER_SECONDS)
        if self._refuse.search(what):
            raise RefusedError("the stand-in was told to refuse this")

    def _refuse_first(self, operation: str, request: Any) -> None:
        if operation == "create" and self._is_to_be("refused", request):
            raise RefusedError("the stand-in refuses each creation once")

    def _is_to_be(self, outcome: str, request: Any) -> bool:
        return outcome == self._first and self._cloud.is_first(f"{outcome} {request.type} {request.name}")

    def _thing(self, request: Any, id_: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> Thing:
        inside_grafana = self._package == "grafana"
        home = self._home if inside_grafana else ""
        if request.type.startswith("aws:grafana/workspaceServiceAccount"):
            home = str(outputs["workspaceId"])
        if request.type == _OBJECT:
            # Ours go with their bucket (`force_destroy`).
            home = str(outputs["bucket"])
        key = str(outputs["arn"]) if request.type.endswith(":TaskDefinition") else f"{home} {id_}".strip()
        return Thing(request.type, key, request.name, id_, inputs, outputs, home)

    def _existing(self, request: Any, outputs: Mapping[str, Any]) -> Thing | None:
        """What is there, as it is."""
        thing = self._thing(request, request.id, {}, outputs)
        return self._cloud.get(thing.type, thing.key)

    def _check_home(self, token: str, inputs: Mapping[str, Any]) -> None:
        """What Grafana refuses: a token that is not there any more, a data source without its plugin."""
        if self._package != "grafana":
            return
        if not self._cloud.accepts(self._token):
            raise RefusedError("401: the token is not valid")
        plugin = str(inputs.get("type")) if token == "grafana:oss/dataSource:DataSource" else ""
        if plugin in providers.GRAFANA_PLUGINS and not self._cloud.installed(self._home, plugin):
            raise RefusedError(f"the plugin {plugin} is not installed")


def _compare_images(old: dict[str, Any], new: dict[str, Any], state: Mapping[str, Any]) -> None:
    """docker-build compares the content of the build context, and leaves the password of a registry aside."""
    for inputs in (old, new):
        for registry in inputs.get("registries", []):
            if isinstance(registry, dict):
                registry.pop("password", None)
    old["contextHash"], new["contextHash"] = state.get("contextHash"), providers.context_hash(new)


def _changes(old: Any, new: Any, path: str = "") -> list[tuple[str, provider_pb2.PropertyDiff.Kind.ValueType]]:
    """Paths of what differs, in the engine's notation, with the kind of the difference."""
    if old == new:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        parts = sorted({*old, *new})
        return [
            change
            for part in parts
            if not part.startswith("__")
            for change in _changes(old.get(part), new.get(part), f"{path}.{part}" if path else part)
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            change
            for index, (before, after) in enumerate(zip(old, new, strict=True))
            for change in _changes(before, after, f"{path}[{index}]")
        ]
    kind = _PROPERTY.ADD if old is None else _PROPERTY.DELETE if new is None else _PROPERTY.UPDATE
    return [(path, kind)]


def _named(path: str) -> str:
    return re.sub(r"\[\d+\]", "", path)


def main() -> None:
    provider = StandIn(
        os.environ["STANDIN_PACKAGE"],
        os.environ["STANDIN_VERSION"],
        Cloud(Path(os.environ["STANDIN_CLOUD"])),
        grafana=os.environ["STANDIN_GRAFANA"],
        refuse=re.compile(os.environ["STANDIN_REFUSE"] or _NOTHING),
        slow=re.compile(os.environ["STANDIN_SLOW"] or _NOTHING),
        first=os.environ["STANDIN_FIRST"],
    )
    server = grpc.server(futures.ThreadPoolExecutor(16))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201 - the engine reads the port from standard output
    server.wait_for_termination()


if __name__ == "__main__":
    main()
