"""AWS's agents, which instrument an application from outside: its image stays as it is.

An agent is a folder of files. A container that ends before the application starts copies it from AWS's image into a
volume of the task, and environment variables make the application's runtime load it from there.

Sources: Amazon CloudWatch User Guide, "Deploy using the sidecar strategy" (Application Signals on Amazon ECS); the
Dockerfiles of aws-observability/aws-otel-{python,java,js,dotnet}-instrumentation at the tags below. Differently from
there, Application Signals is off, and metrics and traces go by OTLP to where the pattern says.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Final, cast

from pydantic import BeforeValidator

from documents import names
from documents.faults import Fault
from documents.model import ImageReference, Model

FOLDER: Final = "/otel-auto-instrumentation"
"""Where an application's container finds the agent."""

_REGISTRY: Final = "public.ecr.aws/aws-observability/adot-autoinstrumentation"


class Language(StrEnum):
    """A language that AWS has an agent for."""

    PYTHON = "python"
    JAVA = "java"
    NODE = "node"
    DOTNET = "dotnet"


@dataclass(frozen=True)
class Extended:
    """A variable in which others have their say too: what stands before and after theirs, and what lies between."""

    before: str
    separator: str
    after: str = ""

    def around(self, theirs: str) -> str:
        """The value in which `theirs`, which may be nothing, still holds."""
        return self.separator.join(part for part in (self.before, theirs, self.after) if part)


@dataclass(frozen=True)
class Agent:
    """The agent of a language: its image, what copies it into FOLDER, and the variables that load it; what depends on
    the processor stands in `by_architecture`."""

    image: str
    copy: Sequence[str]
    extended: Mapping[str, Extended]
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    by_architecture: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])

    def environment(self, architecture: str) -> dict[str, str]:
        """All variables that nobody else is expected to set."""
        return {**_EVERY, **self.variables, **self.by_architecture.get(architecture, {})}


_EVERY: Final[Mapping[str, str]] = {
    # On, it sends to a CloudWatch agent that is not there, and turns the metrics off that we ask for.
    "OTEL_AWS_APPLICATION_SIGNALS_ENABLED": "false",
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "otlp",
}

_COPY: Final = ("cp", "-a", "/autoinstrumentation/.", FOLDER)

AGENTS: Final[Mapping[Language, Agent]] = {
    Language.PYTHON: Agent(
        image=f"{_REGISTRY}-python:v0.19.0",
        copy=_COPY,
        # The interpreter loads `sitecustomize` from the first folder. The packages come last, so that a module of the
        # application is not taken from among them.
        extended={
            "PYTHONPATH": Extended(f"{FOLDER}/opentelemetry/instrumentation/auto_instrumentation", ":", FOLDER),
        },
        variables={
            # The image holds OpenTelemetry's own distribution too, and which one is found first is chance.
            "OTEL_PYTHON_DISTRO": "aws_distro",
            "OTEL_PYTHON_CONFIGURATOR": "aws_configurator",
            # Of the host and not of the task, or under names that are deprecated: each is a series to be paid for.
            "OTEL_PYTHON_SYSTEM_METRICS_EXCLUDED_METRICS": "system.*,process.runtime.*",
        },
    ),
    Language.JAVA: Agent(
        image=f"{_REGISTRY}-java:v2.29.0",
        copy=("cp", "/javaagent.jar", f"{FOLDER}/javaagent.jar"),
        extended={"JAVA_TOOL_OPTIONS": Extended(f"-javaagent:{FOLDER}/javaagent.jar", " ")},
    ),
    Language.NODE: Agent(
        image=f"{_REGISTRY}-node:v0.12.0",
        copy=_COPY,
        # First, because what is loaded before the agent stays uninstrumented.
        extended={"NODE_OPTIONS": Extended(f"--require {FOLDER}/autoinstrumentation.js", " ")},
        # Without this one nothing tells two tasks' series apart. The agent adds AWS's own and the environment.
        variables={"OTEL_NODE_RESOURCE_DETECTORS": "serviceinstance"},
    ),
    Language.DOTNET: Agent(
        image=f"{_REGISTRY}-dotnet:v1.14.0",
        copy=_COPY,
        extended={
            "DOTNET_STARTUP_HOOKS": Extended(f"{FOLDER}/net/OpenTelemetry.AutoInstrumentation.StartupHook.dll", ":"),
            "DOTNET_ADDITIONAL_DEPS": Extended(f"{FOLDER}/AdditionalDeps", ":"),
            "DOTNET_SHARED_STORE": Extended(f"{FOLDER}/store", ":"),
            "OTEL_DOTNET_AUTO_PLUGINS": Extended(
                "AWS.Distro.OpenTelemetry.AutoInstrumentation.Plugin, AWS.Distro.OpenTelemetry.AutoInstrumentation", ":"
            ),
        },
        variables={
            "CORECLR_ENABLE_PROFILING": "1",
            "CORECLR_PROFILER": "{918728DD-259F-4A6A-AC2B-B85E1B658318}",
            "OTEL_DOTNET_AUTO_HOME": FOLDER,
        },
        by_architecture={
            architecture: {"CORECLR_PROFILER_PATH": f"{FOLDER}/{runtime}/OpenTelemetry.AutoInstrumentation.Native.so"}
            for architecture, runtime in {"ARM64": "linux-arm64", "X86_64": "linux-x64"}.items()
        },
    ),
}
"""The tags are releases of the repositories above (July 2026), which publish their images under them."""

_DOTNET_ON_ARM: Final = (1, 14, 0)
"""The first release whose ARM64 image holds files for ARM64: with older ones an application fails to start
(CHANGELOG.md of aws-otel-dotnet-instrumentation, v1.14.0)."""


class AutoInstrumentation(Model):
    """By which agent an application is instrumented."""

    language: Language
    """Which of AWS's agents."""
    image: ImageReference | None = None
    """The agent from another image; left out, AWS's own of a known release."""

    @property
    def agent(self) -> Agent:
        """The agent of the language."""
        return AGENTS[self.language]

    @property
    def source(self) -> str:
        """The image that the agent comes from."""
        return self.image or self.agent.image


def _by_language(value: Any) -> Any:
    return {"language": value} if isinstance(value, str) else value


Instrumented = Annotated[
    AutoInstrumentation, BeforeValidator(_by_language, json_schema_input_type=Language | AutoInstrumentation)
]
"""An agent, which the name of its language alone may choose."""


def faults(
    wanted: AutoInstrumentation | None,
    *,
    architecture: str,
    secrets: Mapping[str, str],
    volumes: Mapping[str, str],
    key: str,
) -> list[Fault]:
    """Why the agent would not load, or the task not start. `volumes` are paths by name, `key` is the application's."""
    if wanted is None:
        return []
    return [
        *_secret_faults(wanted, secrets, key),
        *_volume_faults(volumes, key),
        *_architecture_faults(wanted, architecture, key),
    ]


def _secret_faults(wanted: AutoInstrumentation, secrets: Mapping[str, str], key: str) -> list[Fault]:
    return [
        Fault(
            f"{key}.secrets.{name}",
            f"takes the place of what loads the agent for {wanted.language}, and a secret cannot be added to",
            "give it under environment, where the two are joined",
        )
        for name in sorted(secrets)
        if name in wanted.agent.extended
    ]


def _volume_faults(volumes: Mapping[str, str], key: str) -> list[Fault]:
    return [
        Fault(f"{key}.volumes.{name}", "is the agent's volume, by its name or its path", "choose another", path)
        for name, path in sorted(volumes.items())
        if name == names.AGENT or path == FOLDER or path.startswith(f"{FOLDER}/")
    ]


def _architecture_faults(wanted: AutoInstrumentation, architecture: str, key: str) -> list[Fault]:
    release = re.search(r":v(\d+)\.(\d+)\.(\d+)", wanted.source)
    if wanted.language is not Language.DOTNET or architecture != "ARM64" or not release:
        return []
    if tuple(map(int, cast(Sequence[str], release.groups()))) >= _DOTNET_ON_ARM:
        return []
    return [
        Fault(
            f"{key}.instrumentation.image",
            "holds files for X86_64 only, with which an application does not start on ARM64",
            f"use v{'.'.join(map(str, _DOTNET_ON_ARM))} or later, or architecture: X86_64",
            wanted.source,
        )
    ]
