"""A stack of this project on the real Pulumi engine, in a folder of its own, with a cloud in a folder."""

import importlib.metadata
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import yaml

from tests.pulumi_cli.cloud import Call, Cloud
from tests.pulumi_cli.fake_grafana import FakeGrafana

ROOT: Final = Path(__file__).parents[2]
PROJECT: Final = "ecs-observability"
PROGRAMS: Final = ("pulumi", "pulumi-language-python")

KEY: Final = "0123456789abcdef0123456789abcdef"
ENDPOINT: Final = f"https://events.example.com/integration/{KEY}/enqueue"
"""An address with a key in it."""

_CHATS: Final = [
    {"chat": {"slack": {"workspace": "T0123ABCD", "channel": "C0123ABCD"}}, "severity": "warning"},
    {
        "chat": {
            "teams": {
                "tenant": "0f8fad5b-d9cb-469f-a165-70867728950e",
                "team": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
                "channel": "19%3aabc%40thread.tacv2",
            }
        }
    },
]
ALERTS: Final[Mapping[str, Any]] = {
    "traces": True,
    "subscriptions": [
        {"email": "people@example.com"},
        {"severity": "critical"},
        *_CHATS,
        {"pagerduty": {"secretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:pager-AbCdEf"}},
    ],
}
"""Everybody who can be told; the address of the second is encrypted into the stack's file."""

_PARTS: Final = ("Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml", "__main__.py", "project_files.py", "settings.py")
_ROOMS: Final = ("components", "documents", "sample")
_PLUGINS: Final = {"aws": "pulumi_aws", "docker-build": "pulumi_docker_build", "grafana": "pulumiverse_grafana"}
_SECONDS: Final = 240

_CLOCK: Final = """\
import os, time
_passed = time.monotonic
_then, _began = float(os.environ["PROGRAM_TIME"]), _passed()
time.time = lambda: _then + _passed() - _began
"""
"""The program's clock, for what happens on another day."""


@dataclass(frozen=True)
class Run:
    """One run of the CLI: its exit code, all that it printed, and the requests that reached the providers."""

    code: int
    output: str
    seconds: float
    calls: tuple[Call, ...]

    def of(self, operation: str, token: str = "") -> list[str]:
        """Names of the resources of a type that an operation was granted for, sorted."""
        return sorted(
            call.name
            for call in self.calls
            if call.operation == operation and call.type.endswith(token) and not call.error
        )

    @property
    def changes(self) -> list[str]:
        """Everything that was changed, in order."""
        return [str(call) for call in self.calls if call.operation != "read" and not call.error]

    @property
    def updated(self) -> list[str]:
        """What the CLI says it has updated, by type and name, sorted: after a refresh, what is not as it was."""
        return sorted(" ".join(found) for found in re.findall(r"^ ~ +(\S+) (\S+) updated", self.output, re.MULTILINE))

    @property
    def warnings(self) -> list[str]:
        return [line.strip() for line in self.output.splitlines() if re.search(r"\bwarning: ", line)]


class Stack:
    """One stack. Use it as a context: the Grafana that it may ask answers only there."""

    def __init__(self, folder: Path, name: str = "dev", cloud: Cloud | None = None) -> None:
        self.folder, self.name = folder, name
        self.project = folder / "project"
        self.cloud = cloud or Cloud(folder / "cloud")
        self.grafana = FakeGrafana(self.cloud, folder)

    @classmethod
    def new(cls, folder: Path, name: str = "dev", cloud: Cloud | None = None) -> Self:
        """A stack that was never deployed, from the files of this repository; `cloud` is there already."""
        project = folder / "project"
        project.mkdir(parents=True)
        for part in _PARTS:
            text = (ROOT / part).read_text(encoding="utf-8")
            # What only the user knows, as `make deploy` asks for it.
            (project / part).write_text(re.sub(r"<your ([^<>]*)>", lambda asked: _known(asked[1]), text))
        for room in _ROOMS:
            shutil.copytree(ROOT / room, project / room, ignore=shutil.ignore_patterns("__pycache__"))
        # The virtual environment that Pulumi.yaml names.
        (project / ".venv").symlink_to(sys.prefix)
        for package, distribution in _PLUGINS.items():
            _install_plugin(folder / "home", package, importlib.metadata.version(distribution))
        (folder / "state").mkdir()
        (folder / "clock").mkdir()
        (folder / "clock" / "sitecustomize.py").write_text(_CLOCK, encoding="utf-8")
        stack = cls(folder, name, cloud)
        stack.run("stack", "init", name)
        stack.configure(alerts=ALERTS)
        stack.run("config", "set", "--secret", "--path", f"{PROJECT}:alerts.subscriptions[1].https", ENDPOINT)
        return stack

    def copy(self, folder: Path) -> "Stack":
        """The same stack in another folder, as far as it was deployed."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Stack(folder, self.name)

    def __enter__(self) -> Self:
        self.grafana.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.grafana.__exit__()

    def configuration(self, key: str) -> Any:
        """What the stack's file says under a key of this project."""
        return self._document()["config"][f"{PROJECT}:{key}"]

    def configurations(self) -> dict[str, Any]:
        """What the stack's file says under each key of this project."""
        prefix = f"{PROJECT}:"
        config = self._document()["config"]
        return {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}

    def forget(self, key: str) -> None:
        """Take a key out of the stack's file."""
        document = self._document()
        del document["config"][f"{PROJECT}:{key}"]
        self._file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")

    def configure(self, **values: Any) -> None:
        """Set keys of the stack's file, structured."""
        document = self._document()
        document["config"] |= {f"{PROJECT}:{key}": value for key, value in values.items()}
        self._file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")

    def up(self, *arguments: str, **options: Any) -> Run:
        """`pulumi up` without its preview."""
        return self.run("up", "--yes", "--skip-preview", *arguments, **options)

    def run(
        self,
        *arguments: str,
        refuse: str = "",
        slow: str = "",
        first: str = "",
        day: int | None = None,
        code: int | None = 0,
    ) -> Run:
        """Run `pulumi`. Fails unless it exits with `code`; `refuse`, `slow` and `first` are for the stand-ins (see
        there). From a `day` on it is that day."""
        self.cloud.forget_calls()
        if day is not None:
            self.cloud.pass_to(day)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "SSL_CERT_FILE": str(self.grafana.trusted),
            "STANDIN_CLOUD": str(self.cloud.folder),
            "STANDIN_GRAFANA": self.grafana.address,
            "STANDIN_REFUSE": refuse,
            "STANDIN_SLOW": slow,
            "STANDIN_FIRST": first,
            "PYTHONPATH": str(self.folder / "clock"),
            "PROGRAM_TIME": str(self.cloud.now.timestamp()),
        }
        chosen = () if arguments[:2] == ("stack", "init") or arguments[0] == "package" else ("--stack", self.name)
        began = time.monotonic()
        done = subprocess.run(
            ["pulumi", *arguments, *chosen, "--non-interactive", "--color", "never"],
            cwd=self.project,
            env=environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
        run = Run(done.returncode, done.stdout, time.monotonic() - began, tuple(self.cloud.calls()))
        assert code is None or run.code == code, f"pulumi {' '.join(arguments)}: exit {run.code}\n{run.output}"
        return run

    @property
    def _file(self) -> Path:
        return self.project / f"Pulumi.{self.name}.yaml"

    def _document(self) -> dict[str, Any]:
        return yaml.safe_load(self._file.read_text(encoding="utf-8"))

    def resources(self) -> dict[str, dict[str, Any]]:
        """The state's resources by URN, without the stack itself and the providers that the engine adds."""
        path = self.folder / "state" / ".pulumi" / "stacks" / PROJECT / f"{self.name}.json"
        known = json.loads(path.read_text(encoding="utf-8"))["checkpoint"]["latest"].get("resources", [])
        return {each["urn"]: each for each in known if not _is_engines_own(each["urn"])}

    def state_text(self) -> str:
        """The state as it is stored."""
        return "".join(
            path.read_text(encoding="utf-8") for path in (self.folder / "state").rglob("*.json") if path.is_file()
        )

    def outputs(self) -> Mapping[str, Any]:
        return json.loads(self.run("stack", "output", "--json").output)


Fresh = Callable[[str], Stack]
"""Makes stacks that were never deployed, by name."""


def names_of(things: Iterable[Any]) -> set[str]:
    """`<type> <name>` of things or resources, to compare what exists."""
    return {f"{thing.type} {thing.name}" for thing in things}


def _known(what: str) -> str:
    """What a user would write where a stack file asks for it."""
    return {"account": "123456789012", "hosted zone": "Z0123456789ABCDEFGHIJ"}.get(
        what, "11112222-3333-4444-5555-666677778888"
    )


def _is_engines_own(urn: str) -> bool:
    token, name = urn.split("::")[2:4]
    return token == "pulumi:pulumi:Stack" or (token.startswith("pulumi:providers:") and name.startswith("default"))


def _install_plugin(home: Path, package: str, version: str) -> None:
    """A plugin as the CLI would have installed it, so that the engine checks its version."""
    folder = home / "plugins" / f"resource-{package}-v{version}"
    folder.mkdir(parents=True)
    program = folder / f"pulumi-resource-{package}"
    program.write_text(
        f"#!/bin/sh\nSTANDIN_PACKAGE={package} STANDIN_VERSION={version} PYTHONPATH='{ROOT}' "
        f"exec '{sys.executable}' -m tests.pulumi_cli.standin\n",
        encoding="utf-8",
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
