"""A cloud in a folder: what exists, one file for each thing, and the calls that made it so.

Every provider of a stack shares it, each in a process of its own, and a test reads it when they are gone.
"""

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

BEGINNING: Final = 2083 * 10 * 86400
"""The Unix time of day 0, in January 2027: the first second of one of the periods in which a stack renews its token."""

_LOCK = threading.Lock()


class RefusedError(Exception):
    """What the real service would answer to a request that cannot be granted."""


class HalfMadeError(Exception):
    """The thing is there, and then something went wrong: what the real providers say when a thing never gets ready."""


@dataclass(frozen=True)
class Thing:
    """Something that exists. `key` is unique among its `type`; `home` is the Grafana workspace or the bucket that it
    lives in."""

    type: str
    key: str
    name: str
    id: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    home: str = ""


@dataclass(frozen=True)
class Call:
    """One request to a provider, with Unix times in seconds; `error` is empty where it was granted."""

    operation: str
    type: str
    name: str
    began: float
    ended: float = 0.0
    error: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __str__(self) -> str:
        return f"{self.operation} {self.type} {self.name}"


class Cloud:
    """The folder. `calls` are in the order in which they ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._things = folder / "things"
        self._log = folder / "calls.jsonl"
        self._things.mkdir(parents=True, exist_ok=True)

    def things(self) -> list[Thing]:
        found: list[Thing] = []
        for path in sorted(self._things.glob("*.json")):
            # Another provider may remove a thing between the listing and the reading.
            with contextlib.suppress(FileNotFoundError):
                found.append(Thing(**json.loads(path.read_text(encoding="utf-8"))))
        return found

    def put(self, thing: Thing, *, new: bool) -> None:
        with _LOCK:
            path = self._path(thing.type, thing.key)
            if new and path.exists():
                raise RefusedError(f"{thing.type} {thing.key!r} exists already")
            if not new and not path.exists():
                raise RefusedError(f"{thing.type} {thing.key!r} does not exist")
            half = path.with_suffix(".half")
            half.write_text(json.dumps(asdict(thing)), encoding="utf-8")
            half.replace(path)

    def get(self, token: str, key: str) -> Thing | None:
        """What exists of a type by that key."""
        path = self._path(token, key)
        return Thing(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    def change(self, thing: Thing, **values: Any) -> None:
        """What somebody else does, of whom Pulumi does not know."""
        self.put(replace(thing, inputs={**thing.inputs, **values}, outputs={**thing.outputs, **values}), new=False)

    def remove(self, token: str, key: str) -> None:
        with _LOCK:
            self._path(token, key).unlink(missing_ok=True)

    def users_of(self, thing: Thing) -> list[Thing]:
        """Things whose inputs name this one."""
        marks = {json.dumps(value) for value in (thing.id, thing.outputs.get("arn")) if value}
        return [
            other
            for other in self.things()
            if (other.type, other.key) != (thing.type, thing.key)
            and any(mark in json.dumps({**other.inputs, "tags": None}) for mark in marks)
        ]

    def revision(self, family: str) -> int:
        """The next revision of a task definition; numbers are never used again."""
        with _LOCK:
            path = self.folder / "revisions.json"
            known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            known[family] = known.get(family, 0) + 1
            path.write_text(json.dumps(known), encoding="utf-8")
            return known[family]

    def install(self, home: str, plugin: str) -> bool:
        """Whether the plugin is new in that Grafana workspace."""
        marker = self.folder / "plugins" / quote(home, safe="") / plugin
        marker.parent.mkdir(parents=True, exist_ok=True)
        there = marker.exists()
        marker.touch()
        return not there

    def installed(self, home: str, plugin: str) -> bool:
        return (self.folder / "plugins" / quote(home, safe="") / plugin).exists()

    @property
    def now(self) -> datetime:
        """The beginning of the day that it is there."""
        path = self.folder / "day"
        days = int(path.read_text(encoding="utf-8")) if path.exists() else 0
        return datetime.fromtimestamp(BEGINNING + 86400 * days, UTC)

    def pass_to(self, day: int) -> None:
        """Make it that day."""
        (self.folder / "day").write_text(str(day), encoding="utf-8")

    def accepts(self, token: str) -> bool:
        """Whether some Grafana token that exists has this key, and has not expired."""
        return any(
            thing.outputs.get("key") == token and self.now < datetime.fromisoformat(thing.outputs["expiresAt"])
            for thing in self.things()
        )

    def is_first(self, mark: str) -> bool:
        """Whether nobody has asked this before."""
        path = self.folder / "seen" / hashlib.sha256(mark.encode()).hexdigest()
        path.parent.mkdir(exist_ok=True)
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    @contextlib.contextmanager
    def logged(self, operation: str, token: str, name: str, inputs: Mapping[str, Any]) -> Generator[None]:
        began, error = time.time(), ""
        try:
            yield
        except (RefusedError, HalfMadeError) as refused:
            error = str(refused)
            raise
        finally:
            call = Call(operation, token, name, began, time.time(), error, inputs)
            # One short write in append mode: providers in other processes write to the same file.
            with self._log.open("a", encoding="utf-8") as log:
                log.write(json.dumps(asdict(call)) + "\n")

    def calls(self) -> list[Call]:
        if not self._log.exists():
            return []
        lines = self._log.read_text(encoding="utf-8").splitlines()
        return sorted((Call(**json.loads(line)) for line in lines), key=lambda call: call.ended)

    def forget_calls(self) -> None:
        self._log.unlink(missing_ok=True)

    def _path(self, token: str, key: str) -> Path:
        return self._things / f"{quote(f'{token} {key}', safe='')}.json"
