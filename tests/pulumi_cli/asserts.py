"""What every run of the CLI has to be like."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from preview.engine import SECRET, SIGNATURE
from preview.recorder import Resource, Secret, record
from tests.pulumi_cli.providers import ACCOUNT, AUTONAMED
from tests.pulumi_cli.stack import PROJECT, Run, Stack

Known = Mapping[str, frozenset[str]]
"""What stands in a state for each placeholder of a recording; several where resources of different types have one
name."""

_PLACEHOLDER: Final = re.compile(r"(<[\w.-]+>)")
_POLICY: Final = '"Statement": ['


def assert_as_recorded(stack: Stack) -> None:
    """The engine's state is what `preview` records: the same resources with the same relations and inputs."""
    recorded = {resource.urn: resource for resource in record(stack.project, stack.name).resources}
    made = {_decrypted(urn, recorded): state for urn, state in stack.resources().items()}
    assert set(made) == set(recorded)
    known = known_of(made.values())
    root = f"urn:pulumi:{stack.name}::{PROJECT}::pulumi:pulumi:Stack::{PROJECT}-{stack.name}"
    for urn, resource in recorded.items():
        state = made[urn]
        assert state["parent"] == (resource.parent or root), urn
        assert sorted(state.get("dependencies", [])) == sorted(resource.dependencies), urn
        assert state.get("deletedWith", "") == resource.options.get("deleted_with", ""), urn
        assert bool(state.get("protect")) == bool(resource.options.get("protect")), urn
        if resource.custom:
            inputs = _compared(state["inputs"], resource), _compared(resource.inputs, resource)
            found = [*differences(*inputs, known)]
            assert not found, "\n".join([urn, *found])


def known_of(states: Iterable[Mapping[str, Any]]) -> Known:
    """The values of ids and outputs by the placeholders that a recording has for them."""
    found: dict[str, set[str]] = {"<account>": {ACCOUNT}}
    for state in states:
        name = state["urn"].rpartition("::")[2]
        for path, text in _texts(name, {**state.get("outputs", {}), "id": state.get("id")}):
            # The program asks for events of a cluster's services by the cluster's ARN, which a placeholder is not.
            services = text.replace(":cluster/", ":service/") if path.endswith(".arn") else text
            found.setdefault(f"<{path}>", set()).update({text, services})
    return {placeholder: frozenset(texts) for placeholder, texts in found.items()}


def differences(made: Any, recorded: Any, known: Known, path: str = "") -> Iterator[str]:
    """Paths at which a value of a state is not the recorded one, each with both; what is secret is only compared in
    being so."""
    match made, recorded:
        case Mapping(), _ if made.get(SIGNATURE) == SECRET:
            same = _holds_secret(recorded)
        case Mapping(), Mapping() if made.keys() == recorded.keys():
            for key in made:
                yield from differences(made[key], recorded[key], known, f"{path}.{key}" if path else key)
            return
        case list(), list() if path.endswith(".Resource"):
            # The program sorts them, and placeholders sort otherwise.
            same = len(made) == len(recorded) and all(any(_is(one, other, known) for one in made) for other in recorded)
        case list(), list() if len(made) == len(recorded):
            for index, (one, other) in enumerate(zip(made, recorded, strict=True)):
                yield from differences(one, other, known, f"{path}[{index}]")
            return
        case str(), str() if _POLICY in made and _POLICY in recorded:
            yield from differences(json.loads(made), json.loads(recorded), known, path)
            return
        case str(), str():
            same = _is(made, recorded, known)
        case _:
            same = made == recorded and isinstance(made, bool) == isinstance(recorded, bool)
    if not same:
        yield f"{path}: is {made!r}, and was recorded as {recorded!r}"


def _is(made: str, recorded: str, known: Known) -> bool:
    """Whether a text is the recorded one: its placeholders are values of those resources, the rest is as it is."""
    parts = (f"(?:{'|'.join(map(re.escape, known.get(part, {part})))})" for part in _PLACEHOLDER.split(recorded))
    return re.fullmatch("".join(parts), made) is not None


def _texts(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every value with its path, which has no indexes in a placeholder."""
    match value:
        case Mapping():
            for key, each in value.items():
                yield from _texts(f"{path}.{key}", each)
        case list():
            for each in value:
                yield from _texts(path, each)
        case _:
            yield path, str(value)


def _holds_secret(recorded: Any) -> bool:
    """Whether there is a secret in it: the engine encrypts a list or a map as a whole."""
    match recorded:
        case Secret():
            return True
        case Mapping():
            return any(map(_holds_secret, recorded.values()))
        case list():
            return any(map(_holds_secret, recorded))
        case _:
            return False


def _compared(inputs: Mapping[str, Any], resource: Resource) -> dict[str, Any]:
    """Inputs of a state or of a recording, without what engine and provider add, and without what stays as it was
    whatever is asked for."""
    left = {key for key in inputs if key.startswith("__")} | set(resource.options.get("ignore_changes", ()))
    left |= {"name"} if resource.type in AUTONAMED else set()
    left |= {"version"} if resource.type.startswith("pulumi:providers:") else set()
    return {key: value for key, value in inputs.items() if key not in left}


def _decrypted(urn: str, recorded: Iterable[str]) -> str:
    """The URN of the recording: the name of an encrypted address has its digest, and the preview does not know it."""
    beginning, kind, digest = urn.rpartition("-https-")
    if not kind:
        return urn
    assert len(digest) == len("012345")
    return next(other for other in recorded if other.startswith(f"{beginning}{kind}"))


def assert_prints_no_fault(run: Run) -> None:
    assert not run.warnings
    assert not [line for line in run.output.splitlines() if "error:" in line or "Traceback" in line]
