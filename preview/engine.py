# ruff: noqa: ARG002, D102, N802 - the protocol names the methods, their arguments and what they do
"""What stands in place of the Pulumi engine: it keeps what a program asks for and refuses what the engine refuses.

Written after `pkg/resource/deploy/source_eval.go` and `sdk/go/common/resource/urn` of pulumi/pulumi.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NoReturn, cast

from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct, Value
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import engine_pb2, resource_pb2

from preview import computed, existing
from preview.recording import UNKNOWN, ProgramError, Resource, Secret
from preview.stack import StackFiles

_STACK: Final = "pulumi:pulumi:Stack"

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a mark, no password
_REFERENCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
"""Marks of special values in the engine's protocol (`sdk/go/common/resource/sig`)."""


class Log:
    """The engine's log. An error in it fails the run, as it fails `pulumi up`."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.errors: list[str] = []

    def Log(self, request: engine_pb2.LogRequest) -> Empty:
        if request.severity == engine_pb2.WARNING:
            self.warnings.append(request.message)
        elif request.severity == engine_pb2.ERROR:
            self.errors.append(request.message)
        return Empty()

    def RequirePulumiVersion(self, _request: engine_pb2.RequirePulumiVersionRequest) -> Empty:
        return Empty()


class _NoMocks(Mocks):
    """The monitor answers by itself; whatever else reaches the mocks is something that it does not know."""

    def call(self, args: MockCallArgs) -> NoReturn:
        raise ProgramError(f"a preview without the CLI cannot answer {args.token}")

    def new_resource(self, args: MockResourceArgs) -> NoReturn:
        raise ProgramError(f"a preview without the CLI cannot answer for {args.typ}")


class Monitor(MockMonitor):
    """Records registrations. The SDK calls it from several threads at once.

    It collects what the engine would refuse instead of failing at the first: a run names all of it.
    """

    def __init__(self, files: StackFiles, preview: bool) -> None:
        super().__init__(_NoMocks())
        self.region = files.texts.get("aws:region", "<region>")
        self.refusals: set[str] = set()
        self.stack_outputs: dict[str, Any] = {}
        self._files = files
        self._preview = preview
        self._root = ""
        self._lock = threading.Lock()
        self._resources: dict[str, Resource] = {}
        self._answers: dict[str, tuple[str, Struct]] = {}
        self._hooks: set[str] = set()

    def recorded(self) -> tuple[Resource, ...]:
        """Everything registered, sorted by URN."""
        return tuple(self._resources[urn] for urn in sorted(self._resources))

    def refusal(self) -> str:
        """The text of everything that was refused."""
        return "\n  ".join(("the Pulumi engine would refuse this program:", *sorted(self.refusals)))

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceResponse:
        with self._lock:
            urn = self._urn(request.parent, request.type, request.name)
            if request.type == _STACK:
                self._root = urn
                return resource_pb2.RegisterResourceResponse(urn=urn)
            self._check(urn, request)
            resource = Resource(
                urn=urn,
                type=request.type,
                name=request.name,
                parent="" if request.parent == self._root else request.parent,
                custom=request.custom,
                inputs=_fields(request.object),
                dependencies=_dependencies(request),
                provider=request.provider.rpartition("::")[0],
                options=self._options(request),
                outputs={},
            )
            self._resources.setdefault(urn, resource)
            if not request.custom:
                # A component's outputs are what its class makes of its children, never the engine's.
                self._answers[urn] = ("", Struct())
                return resource_pb2.RegisterResourceResponse(urn=urn)
            state = self._state(request.type, request.name, request.object, request.additionalSecretOutputs)
            identity = "" if self._preview else request.importId or f"<{request.name}.id>"
            self._answers[urn] = (identity, state)
            return resource_pb2.RegisterResourceResponse(urn=urn, id=identity, object=state)

    def ReadResource(self, request: resource_pb2.ReadResourceRequest) -> resource_pb2.ReadResourceResponse:
        with self._lock:
            urn = self._urn(request.parent, request.type, request.name)
            self._check(urn, request)
            self._resources.setdefault(
                urn,
                Resource(
                    urn=urn,
                    type=request.type,
                    name=request.name,
                    parent="" if request.parent == self._root else request.parent,
                    custom=True,
                    inputs=_fields(request.properties),
                    dependencies=tuple(sorted(request.dependencies)),
                    provider=request.provider.rpartition("::")[0],
                    options={"read": request.id},
                    outputs={},
                ),
            )
            state = self._state(request.type, request.name, request.properties, request.additionalSecretOutputs)
            self._answers[urn] = (request.id, state)
            return resource_pb2.ReadResourceResponse(urn=urn, properties=state)

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> Empty:
        with self._lock:
            outputs = _fields(request.outputs)
            if request.urn == self._root:
                self.stack_outputs = dict(outputs)
            elif request.urn in self._resources:
                self._resources[request.urn] = replace(self._resources[request.urn], outputs=outputs)
        return Empty()

    def RegisterResourceHook(self, request: resource_pb2.RegisterResourceHookRequest) -> Empty:
        return self._hook(request.name)

    def RegisterErrorHook(self, request: resource_pb2.RegisterErrorHookRequest) -> Empty:
        return self._hook(request.name)

    def RegisterStackTransform(self, request: object) -> NoReturn:
        raise ProgramError("a preview without the CLI does not run resource transforms")

    def RegisterStackInvokeTransform(self, request: object) -> NoReturn:
        raise ProgramError("a preview without the CLI does not run invoke transforms")

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> resource_pb2.ResourceInvokeResponse:
        arguments = _fields(request.args)
        response = resource_pb2.ResourceInvokeResponse()
        answer: Struct = getattr(response, "return")  # A keyword: the attribute has no other spelling.
        if request.tok == "pulumi:pulumi:getResource":
            identity, state = self._answers[arguments["urn"]]
            answer.update({"urn": arguments["urn"], "id": identity})
            answer.fields["state"].struct_value.CopyFrom(state)
        else:
            answer.update(self._invoked(request.tok, arguments))
            for output in _SECRET_ANSWERS & set(answer.fields):
                answer.fields[output].CopyFrom(_secret(answer.fields[output]))
        return response

    def _invoked(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        region = arguments.get("region") or self.region
        partition, suffix = _partition(region)
        if answer := existing.ANSWERS.get(token):
            return answer(existing.Asked(region, partition, suffix, arguments))
        match token.rpartition("/")[2]:
            case "getCallerIdentity:getCallerIdentity":
                return {"accountId": "<account>", "id": "<account>", "arn": "<caller.arn>", "userId": "<caller.id>"}
            case "getRegion:getRegion":
                names = dict.fromkeys(("region", "name", "id", "description"), region)
                return {**names, "endpoint": f"ec2.{region}.{suffix}"}
            case "getPartition:getPartition":
                reverse = ".".join(reversed(suffix.split(".")))
                return {"partition": partition, "id": partition, "dnsSuffix": suffix, "reverseDnsPrefix": reverse}
            case "getAvailabilityZones:getAvailabilityZones":
                names = [f"{region}{letter}" for letter in "abc"]
                zones = {"names": names, "zoneIds": [f"<{name}.zoneId>" for name in names], "groupNames": [region]}
                return {"id": region, "region": region, "state": arguments.get("state") or "available", **zones}
            case "getAuthorizationToken:getAuthorizationToken":
                outputs = ("authorizationToken", "expiresAt", "password", "proxyEndpoint")
                return {"id": region, "userName": "AWS", **{name: f"<registry.{name}>" for name in outputs}}
            case _:
                raise ProgramError(
                    f"the program asks AWS by {token}, and a preview without the CLI has no answer to that"
                )

    def _hook(self, name: str) -> Empty:
        with self._lock:
            if name in self._hooks:
                self.refusals.add(f"two resource hooks are named {name!r}")
            self._hooks.add(name)
        return Empty()

    def _urn(self, parent: str, token: str, name: str) -> str:
        """The URN as the engine makes it: with the types of all ancestors but the stack."""
        if parent and parent != self._root:
            token = f"{_qualified_type(parent)}${token}"
        return f"urn:pulumi:{self._files.stack}::{self._files.project}::{token}::{name}"

    def _check(
        self, urn: str, request: resource_pb2.RegisterResourceRequest | resource_pb2.ReadResourceRequest
    ) -> None:
        what = f"{request.type} {request.name!r}"
        if urn in self._resources:
            self.refusals.add(f"{what} is registered twice ({urn})")
        if not request.name:
            self.refusals.add(f"a resource of type {request.type} has an empty name")
        needed = [("has a parent", request.parent), ("has a provider", request.provider.rpartition("::")[0])]
        needed += [("depends on a resource", dependency) for dependency in request.dependencies]
        if isinstance(request, resource_pb2.RegisterResourceRequest):
            needed.append(("is deleted with a resource", request.deletedWith))
            self.refusals.update(f"{what} {fault}" for fault in self._faults(request))
        for how, other in needed:
            if other and other != self._root and other not in self._resources:
                self.refusals.add(f"{what} {how} that is not registered ({other})")

    def _faults(self, request: resource_pb2.RegisterResourceRequest) -> Iterator[str]:
        if request.custom and request.type.count(":") != _COLONS:
            yield "has a type that is not of the form package:module:Type"
        for names in _hooks(request).values():
            for name in names:
                if name not in self._hooks:
                    yield f"has a hook that is not registered ({name})"
        if cast("Any", request).transforms:
            yield "has transforms, which a preview without the CLI does not run"

    def _options(self, request: resource_pb2.RegisterResourceRequest) -> dict[str, Any]:
        parent = self._resources.get(request.parent)
        inherited = parent.options.get("deleted_with", "") if parent else ""
        options: dict[str, Any] = {
            "aliases": [_alias(alias) for alias in cast("Any", request).aliases],
            "custom_timeouts": {
                when: getattr(request.customTimeouts, when)
                for when in ("create", "update", "delete", "read")
                if getattr(request.customTimeouts, when)
            },
            "deleted_with": request.deletedWith or inherited,
            "hooks": _hooks(request),
            "ignore_changes": list(request.ignoreChanges),
            "import_id": request.importId,
            "protect": request.protect,
            "replace_on_changes": list(request.replaceOnChanges),
            "retain_on_delete": request.retainOnDelete,
        }
        if request.deleteBeforeReplaceDefined:
            options["delete_before_replace"] = request.deleteBeforeReplace
        if request.HasField("replacement_trigger"):
            options["replacement_trigger"] = _plain(request.replacement_trigger)
        return {
            key: options[key]
            for key in sorted(options)
            if options[key] or key in ("delete_before_replace", "replacement_trigger")
        }

    def _state(self, token: str, name: str, inputs: Struct, secret_outputs: Iterable[str]) -> Struct:
        """Outputs of a custom resource: its inputs, and a placeholder for everything that AWS computes."""
        state = Struct()
        state.CopyFrom(inputs)
        if self._preview:
            return state
        for output, (kind, required) in computed.outputs_of(token).items():
            if output in state.fields:
                continue
            if output == "region":
                state.fields[output].string_value = self.region
            elif output == "tagsAll":
                state.fields[output].CopyFrom(inputs.fields.get("tags", _EMPTY_MAP))
            elif required and (placeholder := computed.placeholder(kind, f"{name}.{output}")) is not None:
                state.update({output: placeholder})
        for output in secret_outputs:
            if output in state.fields and not _is_secret(state.fields[output]):
                state.fields[output].CopyFrom(_secret(state.fields[output]))
        return state


_EMPTY_MAP: Final = Value(struct_value=Struct())
_SECRET_ANSWERS: Final = frozenset({"authorizationToken", "password"})
"""Outputs of invokes that the provider marks as secret."""
_COLONS: Final = 2
"""In a type token: package:module:Type."""


def _partition(region: str) -> tuple[str, str]:
    """Partition and DNS suffix of a region (AWS General Reference, "AWS service endpoints")."""
    if region.startswith("cn-"):
        return "aws-cn", "amazonaws.com.cn"
    return ("aws-us-gov" if region.startswith("us-gov-") else "aws"), "amazonaws.com"


def _qualified_type(urn: str) -> str:
    return urn.split("::")[2]


def _dependencies(request: resource_pb2.RegisterResourceRequest) -> tuple[str, ...]:
    by_property = (urn for dependencies in request.propertyDependencies.values() for urn in dependencies.urns)
    return tuple(sorted({*request.dependencies, *by_property}))


_HOOK_TIMES: Final = (
    "before_create",
    "after_create",
    "before_update",
    "after_update",
    "before_delete",
    "after_delete",
    "on_error",
)


def _hooks(request: resource_pb2.RegisterResourceRequest) -> dict[str, list[str]]:
    bound = {time: list[str](getattr(request.hooks, time)) for time in _HOOK_TIMES}
    return {time: names for time, names in bound.items() if names}


def _alias(alias: Any) -> Any:
    if alias.HasField("urn"):
        return alias.urn
    spec = {"name": alias.spec.name, "type": alias.spec.type, "stack": alias.spec.stack, "project": alias.spec.project}
    spec["parent"] = alias.spec.parentUrn
    return {key: value for key, value in spec.items() if value} | ({"no_parent": True} if alias.spec.noParent else {})


def _fields(struct: Struct) -> dict[str, Any]:
    return {key: _plain(struct.fields[key]) for key in sorted(struct.fields)}


def _plain(value: Value) -> Any:
    """A value of the engine's protocol as Python has it."""
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value == rpc.UNKNOWN else value.string_value
        case "number_value":
            return int(value.number_value) if value.number_value.is_integer() else value.number_value
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [_plain(item) for item in value.list_value.values]
        case "struct_value":
            return _special(value.struct_value)
        case _:
            return None


def _special(struct: Struct) -> Any:
    """A map of the protocol; some are marked as something else."""
    fields = struct.fields
    match fields[SIGNATURE].string_value if SIGNATURE in fields else "":
        case "":
            return _fields(struct)
        case mark if mark == SECRET:
            return Secret(_plain(fields["value"]))
        case mark if mark == _REFERENCE:
            return fields["urn"].string_value
        case _:
            return {key: value for key, value in _fields(struct).items() if key != SIGNATURE}


def _is_secret(value: Value) -> bool:
    fields = value.struct_value.fields
    return SIGNATURE in fields and fields[SIGNATURE].string_value == SECRET


def _secret(value: Value) -> Value:
    wrapped = Value()
    wrapped.struct_value.update({SIGNATURE: SECRET})
    wrapped.struct_value.fields["value"].CopyFrom(value)
    return wrapped
