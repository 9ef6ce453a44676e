"""The state that each release leaves behind: made once with its program, and updated by every later one.

`python -m tests.pulumi_cli.releases 0.2.0` deploys the stacks `dev` and `prod` on the real engine and writes
`releases/0.2.0/<stack>.json` here. Such a file is never made again: it is what users of that release have.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.pulumi_cli.cloud import Thing
from tests.pulumi_cli.stack import ALERTS, PROJECT, Stack

FOLDER: Final = Path(__file__).parent / "releases"
STACKS: Final = ("dev", "prod")
_HOST: Final = "localhost:3000"
"""In place of the address at which Grafana workspaces answered."""

DASHBOARD: Final = "grafana:oss/dashboard:Dashboard"
_OF_A_MACHINE: Final = frozenset({"created", "modified", "sourcePosition", "stackTrace"})

State = dict[str, Any]


@dataclass(frozen=True)
class Release:
    """What a release has left behind for a stack of it.

    `file` is the stack's file, `engine` what the engine keeps beside the resources, `cloud` everything that exists; a
    thing without inputs or outputs has those of its resource. An output that says what the input of that name says is
    left out of `resources`, and of a dashboard's content all but its id, so that the files are small.
    """

    version: str
    stack: str
    file: Mapping[str, Any]
    engine: Mapping[str, Any]
    resources: tuple[State, ...]
    cloud: tuple[Mapping[str, Any], ...]

    @property
    def config(self) -> dict[str, Any]:
        """The keys of the stack's file without the project's name."""
        return {key.removeprefix(f"{PROJECT}:"): value for key, value in self.file["config"].items()}

    @property
    def own(self) -> dict[str, State]:
        """The resources by URN, without the stack itself and the providers that the engine adds."""
        ours = (one for one in self.resources if one["type"] != "pulumi:pulumi:Stack")
        return {one["urn"]: one for one in ours if not one["urn"].split("::")[3].startswith("default")}


def known() -> list[Release]:
    """Every stack of every release."""
    return [_read(path) for path in sorted(FOLDER.glob("*/*.json"))]


def restored(release: Release, folder: Path) -> Stack:
    """The stack in a new folder, as the release has left it, with the program as it is now."""
    stack = Stack.new(folder, release.stack)
    _stack_file(stack).write_text(yaml.safe_dump(release.file, sort_keys=False), encoding="utf-8")
    resources = [_filled(one) for one in release.resources]
    latest = {**release.engine["latest"], "resources": resources}
    checkpoint = {"stack": f"organization/{PROJECT}/{release.stack}", "latest": latest}
    _state_file(stack).write_text(json.dumps({**release.engine, "checkpoint": checkpoint}), encoding="utf-8")
    by_key = {(one["type"], one.get("id")): one for one in resources}
    for each in release.cloud:
        state = by_key.get((each["type"], each["id"]), {})
        same = {part: state[part] for part in ("inputs", "outputs") if part not in each}
        stack.cloud.put(Thing(**{**same, **each}), new=True)
        for _ in range(int(state.get("outputs", {}).get("revision", 0))):
            stack.cloud.revision(state["inputs"]["family"])
    return stack


def save(stack: Stack, version: str) -> Path:
    """Write what a deployed stack is, without anything of this machine."""
    ours = stack.grafana.address
    kept = json.loads(_state_file(stack).read_text(encoding="utf-8").replace(ours, _HOST))
    latest = kept.pop("checkpoint")["latest"]
    resources = [_small(one) for one in latest.pop("resources")]
    latest["manifest"]["time"] = "2026-01-01T00:00:00Z"
    by_key = {(one["type"], one.get("id")): _filled(one) for one in resources}
    release = Release(
        version=version,
        stack=stack.name,
        file=yaml.safe_load(_stack_file(stack).read_text(encoding="utf-8")),
        engine={**kept, "latest": latest},
        resources=tuple(resources),
        cloud=tuple(_thing(one, by_key, ours) for one in stack.cloud.things()),
    )
    path = FOLDER / version / f"{stack.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(_lines(release)), encoding="utf-8")
    return path


def _stack_file(stack: Stack) -> Path:
    return stack.project / f"Pulumi.{stack.name}.yaml"


def _state_file(stack: Stack) -> Path:
    return stack.folder / "state" / ".pulumi" / "stacks" / PROJECT / f"{stack.name}.json"


def _thing(thing: Thing, states: Mapping[tuple[str, str | None], State], grafana: str) -> dict[str, Any]:
    """A thing, without what its resource says as well; `grafana` is where workspaces answered."""
    said = json.loads(json.dumps(asdict(thing)).replace(grafana, _HOST))
    if thing.type == DASHBOARD:
        said |= {part: _dashboard(said[part]) for part in ("inputs", "outputs")}
    state = states.get((thing.type, thing.id), {})
    return {
        part: value for part, value in said.items() if part not in state or state[part] != value or part == "id"
    } | {"type": thing.type}


def _small(state: State) -> State:
    """A resource without what the engine has from this machine."""
    small = {key: value for key, value in state.items() if key not in _OF_A_MACHINE}
    if state["type"] == DASHBOARD:
        small |= {part: _dashboard(small[part]) for part in ("inputs", "outputs")}
    if _repeats(small):
        inputs = small["inputs"]
        assert set(inputs) <= set(small["outputs"]), state["urn"]
        small["outputs"] = {key: value for key, value in small["outputs"].items() if inputs.get(key) != value}
    return small


def _filled(state: State) -> State:
    """The resource with all of its outputs."""
    return {**state, "outputs": {**state["inputs"], **state["outputs"]}} if _repeats(state) else state


def _repeats(state: State) -> bool:
    """Whether the outputs have all that the inputs have, as those of our stand-ins do."""
    return state["custom"] and not state["type"].startswith("pulumi:")


def _dashboard(values: Mapping[str, Any]) -> dict[str, Any]:
    return {**values, "configJson": json.dumps({"uid": json.loads(values["configJson"])["uid"]})}


def _lines(release: Release) -> Iterator[str]:
    """JSON with one resource and one thing to a line."""
    yield "{\n"
    for name in ("version", "stack", "file", "engine"):
        yield f'"{name}": {json.dumps(getattr(release, name), sort_keys=True)},\n'
    yield f'"resources": [\n{_listed(release.resources)}\n],\n'
    yield f'"cloud": [\n{_listed(release.cloud)}\n]\n}}\n'


def _listed(values: Iterable[Mapping[str, Any]]) -> str:
    return ",\n".join(json.dumps(one, sort_keys=True) for one in values)


def _read(path: Path) -> Release:
    said = json.loads(path.read_text(encoding="utf-8"))
    return Release(**{**said, "resources": tuple(said["resources"]), "cloud": tuple(said["cloud"])})


def main() -> None:
    """Make the states of a release."""
    if len(sys.argv) != 2:
        print("give the version of the release, such as 0.2.0", file=sys.stderr)  # noqa: T201 - a command's answer
        sys.exit(2)
    version = sys.argv[1]
    if (FOLDER / version).exists():
        sys.exit(f"{FOLDER / version} is there already, and is what users of {version} have")
    for name in STACKS:
        with tempfile.TemporaryDirectory() as folder, Stack.new(Path(folder) / name, name) as stack:
            # The address with a key is none that a repository should hold, be it encrypted.
            stack.configure(
                alerts={**ALERTS, "subscriptions": [one for one in ALERTS["subscriptions"] if {*one} - {"severity"}]}
            )
            stack.up()
            stack.run("up", "--yes", "--skip-preview", "--expect-no-changes")
            print(os.path.relpath(save(stack, version)))  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
