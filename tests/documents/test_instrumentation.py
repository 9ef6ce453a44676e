"""Agents that instrument from outside: what they add to a task, beside what the user has there, and what is refused."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from documents import inputs, instrumentation, task
from documents.faults import ConfigurationError
from documents.inputs import Application, Architecture, checked
from documents.instrumentation import AGENTS, FOLDER, AutoInstrumentation, Extended, Language

WEB = {"name": "web", "image": "shop/web:1", "port": 8080}
LOG = {"logDriver": "awslogs"}
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:path-AbCdEf"
EVERY = {
    "OTEL_AWS_APPLICATION_SIGNALS_ENABLED": "false",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_TRACES_EXPORTER": "otlp",
}
IMAGES = "public.ecr.aws/aws-observability/adot-autoinstrumentation"


def application(**values: Any) -> Application:
    return checked(Application, WEB | values, "web")


def instrumented(language: str, container: dict[str, Any] | None = None, architecture: str = "ARM64") -> list[Any]:
    agent = task.agent_additions(AutoInstrumentation(language=Language(language)), Architecture(architecture), LOG)
    return task.instrument([{"name": "web", "image": "shop/web:1"} | (container or {})], "web", agent)


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {pair["name"]: pair["value"] for pair in container["environment"]}


def faults(**values: Any) -> list[str]:
    return [str(fault) for fault in inputs.agent_fits(application(**values), "applications.0")]


def test_a_task_with_an_agent_whole() -> None:
    assert instrumented("java") == [
        {
            "name": "web",
            "image": "shop/web:1",
            "environment": [
                {"name": "JAVA_TOOL_OPTIONS", "value": "-javaagent:/otel-auto-instrumentation/javaagent.jar"},
                {"name": "OTEL_AWS_APPLICATION_SIGNALS_ENABLED", "value": "false"},
                {"name": "OTEL_METRICS_EXPORTER", "value": "otlp"},
                {"name": "OTEL_TRACES_EXPORTER", "value": "otlp"},
            ],
            "mountPoints": [
                {
                    "sourceVolume": "auto-instrumentation",
                    "containerPath": "/otel-auto-instrumentation",
                    "readOnly": True,
                }
            ],
            "dependsOn": [{"containerName": "auto-instrumentation", "condition": "SUCCESS"}],
        },
        {
            "name": "auto-instrumentation",
            "image": f"{IMAGES}-java:v2.29.0",
            "command": ["cp", "/javaagent.jar", "/otel-auto-instrumentation/javaagent.jar"],
            "essential": False,
            "cpu": 0,
            "mountPoints": [
                {
                    "sourceVolume": "auto-instrumentation",
                    "containerPath": "/otel-auto-instrumentation",
                    "readOnly": False,
                }
            ],
            "logConfiguration": LOG,
        },
    ]
    agent = task.agent_additions(AutoInstrumentation(language=Language.JAVA), Architecture.ARM64, LOG)
    assert agent.volumes == ("auto-instrumentation",)


@pytest.mark.parametrize(
    ("language", "image", "loads"),
    [
        (
            "python",
            f"{IMAGES}-python:v0.19.0",
            {
                "PYTHONPATH": f"{FOLDER}/opentelemetry/instrumentation/auto_instrumentation:{FOLDER}",
                "OTEL_PYTHON_DISTRO": "aws_distro",
                "OTEL_PYTHON_CONFIGURATOR": "aws_configurator",
                "OTEL_PYTHON_SYSTEM_METRICS_EXCLUDED_METRICS": "system.*,process.runtime.*",
            },
        ),
        (
            "node",
            f"{IMAGES}-node:v0.12.0",
            {
                "NODE_OPTIONS": f"--require {FOLDER}/autoinstrumentation.js",
                "OTEL_NODE_RESOURCE_DETECTORS": "serviceinstance",
            },
        ),
        (
            "dotnet",
            f"{IMAGES}-dotnet:v1.14.0",
            {
                "CORECLR_ENABLE_PROFILING": "1",
                "CORECLR_PROFILER": "{918728DD-259F-4A6A-AC2B-B85E1B658318}",
                "CORECLR_PROFILER_PATH": f"{FOLDER}/linux-arm64/OpenTelemetry.AutoInstrumentation.Native.so",
                "DOTNET_ADDITIONAL_DEPS": f"{FOLDER}/AdditionalDeps",
                "DOTNET_SHARED_STORE": f"{FOLDER}/store",
                "DOTNET_STARTUP_HOOKS": f"{FOLDER}/net/OpenTelemetry.AutoInstrumentation.StartupHook.dll",
                "OTEL_DOTNET_AUTO_HOME": FOLDER,
                "OTEL_DOTNET_AUTO_PLUGINS": "AWS.Distro.OpenTelemetry.AutoInstrumentation.Plugin, "
                "AWS.Distro.OpenTelemetry.AutoInstrumentation",
            },
        ),
    ],
)
def test_what_loads_the_agent_of_a_language(language: str, image: str, loads: dict[str, str]) -> None:
    web, copying = instrumented(language)
    assert environment(web) == EVERY | loads
    assert (copying["image"], copying["command"]) == (image, ["cp", "-a", "/autoinstrumentation/.", FOLDER])


def test_the_processor_decides_on_the_profiler() -> None:
    web, _ = instrumented("dotnet", architecture="X86_64")
    assert environment(web)["CORECLR_PROFILER_PATH"].startswith(f"{FOLDER}/linux-x64/")


@pytest.mark.parametrize(
    ("language", "variable", "own", "joined"),
    [
        (
            "python",
            "PYTHONPATH",
            "/srv/app",
            f"{FOLDER}/opentelemetry/instrumentation/auto_instrumentation:/srv/app:{FOLDER}",
        ),
        ("java", "JAVA_TOOL_OPTIONS", "-Xmx512m", f"-javaagent:{FOLDER}/javaagent.jar -Xmx512m"),
        (
            "node",
            "NODE_OPTIONS",
            "--max-old-space-size=384",
            f"--require {FOLDER}/autoinstrumentation.js --max-old-space-size=384",
        ),
        (
            "dotnet",
            "DOTNET_STARTUP_HOOKS",
            "/app/hook.dll",
            f"{FOLDER}/net/OpenTelemetry.AutoInstrumentation.StartupHook.dll:/app/hook.dll",
        ),
    ],
)
def test_what_loads_the_agent_stands_beside_what_the_user_says(
    language: str, variable: str, own: str, joined: str
) -> None:
    web, _ = instrumented(language, {"environment": [{"name": variable, "value": own}]})
    assert environment(web)[variable] == joined


def test_every_other_variable_is_the_users() -> None:
    alpine = f"{FOLDER}/linux-musl-arm64/OpenTelemetry.AutoInstrumentation.Native.so"
    web, _ = instrumented("dotnet", {"environment": [{"name": "CORECLR_PROFILER_PATH", "value": alpine}]})
    assert environment(web)["CORECLR_PROFILER_PATH"] == alpine
    web, _ = instrumented("node", {"secrets": [{"name": "OTEL_METRICS_EXPORTER", "valueFrom": SECRET}]})
    assert "OTEL_METRICS_EXPORTER" not in environment(web)


def test_mounts_and_waits_are_added_to_those_that_are_there() -> None:
    cache = {"sourceVolume": "cache", "containerPath": "/cache"}
    first = {"containerName": "migrate", "condition": "SUCCESS"}
    web, _ = instrumented("python", {"mountPoints": [cache], "dependsOn": [first]})
    assert [point["sourceVolume"] for point in web["mountPoints"]] == ["cache", "auto-instrumentation"]
    assert [wait["containerName"] for wait in web["dependsOn"]] == ["migrate", "auto-instrumentation"]


def test_a_secret_cannot_be_added_to() -> None:
    with pytest.raises(ValueError, match="PYTHONPATH is a secret, and must hold what loads the agent as well"):
        instrumented("python", {"secrets": [{"name": "PYTHONPATH", "valueFrom": SECRET}]})


def test_instrumenting_twice() -> None:
    agent = task.agent_additions(AutoInstrumentation(language=Language.NODE), Architecture.ARM64, LOG)
    with pytest.raises(ValueError, match="a container is named 'auto-instrumentation' already"):
        task.instrument(instrumented("node"), "web", agent)


@given(some.text(min_size=1).filter(lambda text: ":" not in text))
def test_what_somebody_else_says_is_found_again(theirs: str) -> None:
    assert Extended("/before", ":", "/after").around(theirs).split(":") == ["/before", theirs, "/after"]
    assert Extended("/before", ":").around("") == "/before"


def test_a_language_alone_or_with_an_image() -> None:
    assert application(instrumentation="python").instrumentation == AutoInstrumentation(language=Language.PYTHON)
    mirror = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/adot-python:v0.19.0"
    chosen = application(instrumentation={"language": "python", "image": mirror}).instrumentation
    assert chosen is not None
    assert chosen.source == mirror
    additions = task.agent_additions(chosen, Architecture.ARM64, LOG)
    assert additions.containers[0]["image"] == mirror


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (
            "ruby",
            "web.instrumentation.language: is not one of the choices (got 'ruby'); "
            "choose 'python', 'java', 'node' or 'dotnet'",
        ),
        (
            {"language": "java", "image": "mirror/adot-java"},
            "web.instrumentation.image: has neither tag nor digest (got 'mirror/adot-java'); "
            "pin it, for example mirror/adot-java:1.4.2",
        ),
        ({"langauge": "java"}, "web.instrumentation.language: is missing; give it a value"),
        (5, "web.instrumentation: has the wrong type (got 5); give a map of keys and values"),
    ],
)
def test_what_is_no_agent(value: Any, fault: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        application(instrumentation=value)
    assert fault in [str(one) for one in caught.value.faults]


def test_nothing_is_wrong_without_an_agent() -> None:
    assert faults(secrets={"PYTHONPATH": SECRET}) == []


def test_a_secret_in_the_place_of_what_loads_the_agent() -> None:
    assert faults(instrumentation="python", secrets={"PYTHONPATH": SECRET, "NODE_OPTIONS": SECRET}) == [
        "applications.0.secrets.PYTHONPATH: takes the place of what loads the agent for python, and a secret cannot be "
        "added to; give it under environment, where the two are joined"
    ]


def test_volumes_in_the_place_of_the_agents() -> None:
    volumes = {
        "auto-instrumentation": {"path": "/a"},
        "cache": {"path": "/cache"},
        "whole": {"path": FOLDER},
        "within": {"path": f"{FOLDER}/store"},
    }
    problem = "is the agent's volume, by its name or its path"
    assert faults(instrumentation="java", volumes=volumes) == [
        f"applications.0.volumes.auto-instrumentation: {problem} (got '/a'); choose another",
        f"applications.0.volumes.whole: {problem} (got '{FOLDER}'); choose another",
        f"applications.0.volumes.within: {problem} (got '{FOLDER}/store'); choose another",
    ]


def test_releases_for_dotnet_whose_arm_image_holds_the_wrong_files() -> None:
    old = {"language": "dotnet", "image": f"{IMAGES}-dotnet:v1.13.0"}
    assert faults(instrumentation=old) == [
        "applications.0.instrumentation.image: holds files for X86_64 only, with which an application does not start "
        f"on ARM64 (got '{IMAGES}-dotnet:v1.13.0'); use v1.14.0 or later, or architecture: X86_64"
    ]
    assert faults(instrumentation=old, architecture="X86_64") == []
    assert faults(instrumentation=old | {"language": "java"}) == []
    for fine in (f"{IMAGES}-dotnet:v1.14.0", f"{IMAGES}-dotnet:v2.0.0", f"mirror/dotnet@sha256:{'0' * 64}"):
        assert faults(instrumentation=old | {"image": fine}) == []


def test_an_application_cannot_have_the_name_of_the_agents_container() -> None:
    with pytest.raises(ConfigurationError, match="is the name of something of ours"):
        application(name="auto-instrumentation")


def test_the_agents_are_pinned_and_there_is_one_for_each_language() -> None:
    assert set(AGENTS) == set(Language)
    for agent in AGENTS.values():
        assert re.search(r":v\d+\.\d+\.\d+$", agent.image)
        assert not set(agent.extended).intersection(agent.environment("ARM64"))
        assert instrumentation.FOLDER in " ".join(agent.copy)
