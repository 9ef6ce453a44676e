"""Secrets stay where they are: a marker in every input that may hold one, searched for in everything that is written.

The inputs are found in the models, so that a new one without a marker here fails.
"""

import importlib
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import pytest
import yaml
from pydantic import BaseModel, SecretStr

import settings
from documents import model
from preview.recorder import ProgramError, Recording, Secret, record
from preview.render import documents
from proof.plan import plan
from tests.components.variants import INVENTORY, ROOT, STOREFRONT

MARKER = "m4rk3r-7f3a9c51"
"""What must not be found."""

Config = dict[str, Any]


def hidden(kind: Any, path: str = "", seen: tuple[type, ...] = ()) -> Iterator[tuple[str, str]]:
    """Where a model takes a secret, or the ARN of one: each path, with `[]` for entries, and which of the two."""
    origin = get_origin(kind)
    if origin is Annotated:
        inner, *said = get_args(kind)
        if any(getattr(one, "func", None) is model._secret_arn for one in said):
            yield path, "reference"
        else:
            yield from hidden(inner, path, seen)
    elif kind is SecretStr:
        yield path, "value"
    elif origin in (Union, UnionType):
        for one in get_args(kind):
            yield from hidden(one, path, seen)
    elif isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in seen:
        hints = get_type_hints(kind, include_extras=True)
        for name, field in kind.model_fields.items():
            yield from hidden(hints[name], f"{path}.{field.alias or name}".lstrip("."), (*seen, kind))
    elif origin is not None:
        for one in get_args(kind):
            yield from hidden(one, f"{path}[]", seen)


def application(**more: Any) -> Config:
    return {"applications": [STOREFRONT | more]}


def task(**more: Any) -> Config:
    return application() | {"tasks": [{"name": "nightly", "image": "shop/nightly:1.0.0", **more}]}


def subscription(**told: Any) -> Config:
    return application() | {"alerts": {"subscriptions": [told]}}


def firelens(secret: str) -> Config:
    return {"logs": {"firelens": {"options": {"Name": "http"}, "secretOptions": {"Http_Passwd": secret}}}}


def login(secret: str) -> Config:
    return {"container": {"extra": {"repositoryCredentials": {"credentialsParameter": secret}}}}


VALUES: Mapping[str, Callable[[str], Config]] = {
    "alerts.subscriptions[].https": lambda secret: subscription(https=f"https://example.com/{secret}"),
}
"""Stacks with a secret in their configuration, by where it stands."""

REFERENCES: Mapping[str, Callable[[str], Config]] = {
    "alerts.subscriptions[].pagerduty.secretArn": lambda secret: subscription(pagerduty={"secretArn": secret}),
    "applications[].container.extra.repositoryCredentials.credentialsParameter": lambda secret: application(
        **login(secret)
    ),
    "applications[].logs.firelens.secretOptions[]": lambda secret: application(**firelens(secret)),
    "applications[].secrets[]": lambda secret: application(secrets={"DB_PASSWORD": secret}),
    "destinations[].headers[]": lambda secret: (
        application()
        | {"destinations": [{"name": "vendor", "endpoint": "https://otlp.example.com", "headers": {"api-key": secret}}]}
    ),
    "tasks[].container.extra.repositoryCredentials.credentialsParameter": lambda secret: task(**login(secret)),
    "tasks[].logs.firelens.secretOptions[]": lambda secret: task(**firelens(secret)),
    "tasks[].secrets[]": lambda secret: task(secrets={"DB_PASSWORD": secret}),
}
"""Stacks with the ARN of a secret, by where it stands."""

MISPLACED: Mapping[str, Callable[[str], Config]] = REFERENCES | {
    "environment": lambda secret: application(environment={"DB_PASSWORD": secret}),
    "environment as an address": lambda secret: application(environment={"DSN": f"postgres://shop:{secret}@db/shop"}),
    "environment of a task": lambda secret: task(environment={"API_KEY": secret}),
    "a wrong name": lambda secret: application(secret={"DB_PASSWORD": secret}),
    "command": lambda secret: application(command={"password": secret}),
    "an address without TLS": lambda secret: subscription(https=f"http://example.com/{secret}"),
    "an address as e-mail": lambda secret: subscription(https=f"https://example.com/{secret}", email="nobody"),
    "an address twice": lambda secret: (
        application() | {"alerts": {"subscriptions": [{"https": f"https://example.com/{secret}"}] * 2}}
    ),
    "a header that is none": lambda secret: (
        application()
        | {"destinations": [{"name": "v", "endpoint": "https://e.com", "headers": {"a b": f"{ARN}{secret}"}}]}
    ),
    "credentials in an address": lambda secret: (
        application() | {"destinations": [{"name": "vendor", "endpoint": f"https://me:{secret}@otlp.example.com"}]}
    ),
    "options": lambda secret: application(logs={"firelens": {"options": {"Http_Passwd": secret}}}),
}
"""Stacks that are refused, with a secret where none may be."""

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"


def test_every_input_that_may_hold_a_secret_has_a_marker() -> None:
    found = dict(hidden(settings.Settings))
    assert {path for path, kind in found.items() if kind == "value"} == set(VALUES)
    assert {path for path, kind in found.items() if kind == "reference"} == set(REFERENCES)


@pytest.fixture
def deployable(tmp_path: Path) -> Callable[[Config], Path]:
    """Writes the stack `marked` of this project, with a configuration, into a folder of its own."""

    def write(config: Config) -> Path:
        for name in ("Pulumi.yaml", "__main__.py"):
            shutil.copy(ROOT / name, tmp_path)
        keys = {f"ecs-observability:{key}": value for key, value in config.items()} | {"aws:region": "eu-west-1"}
        (tmp_path / "Pulumi.marked.yaml").write_text(yaml.safe_dump({"config": keys}))
        return tmp_path

    return write


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(
        command, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


def assert_hidden(text: str, where: str) -> None:
    """Without the value in the message of a failure, too."""
    assert MARKER not in text, where


@pytest.mark.slow
@pytest.mark.parametrize("path", VALUES)
def test_a_secret_is_in_nothing_that_a_command_writes_or_prints(
    path: str, deployable: Callable[[Config], Path]
) -> None:
    folder = deployable(VALUES[path](MARKER))
    stack_file = folder / "Pulumi.marked.yaml"
    rendered = run(folder, "preview", "marked")
    assert (rendered.returncode, rendered.stderr) == (0, "")
    preflight = run(folder, "preview.preflight", "deploy", "marked")
    assert_hidden(rendered.stdout + preflight.stdout + preflight.stderr, "printed")
    written = [one for one in folder.rglob("*") if one.is_file() and one != stack_file]
    assert any(one.name == "compose.yaml" for one in written)
    assert any(one.parent.name == "alertmanager" for one in written)
    for one in written:
        assert_hidden(one.read_text(encoding="utf-8"), str(one.relative_to(folder)))


@pytest.mark.slow
@pytest.mark.parametrize("path", VALUES)
def test_a_secret_is_in_no_input_in_the_clear_and_in_no_proof(path: str) -> None:
    nothing = dict.fromkeys(settings.KEYS)
    recording = record(ROOT, "dev", config=nothing | dict(VALUES[path](MARKER)))
    clear = [text for resource in recording.resources for text in texts(resource.inputs)]
    assert MARKER not in "\n".join(clear)
    veiled = [secret for resource in recording.resources for secret in secrets(resource.inputs)]
    assert any(MARKER in str(secret.value) for secret in veiled), "it reaches AWS after all"
    assert MARKER not in "\n".join(texts(recording.outputs)) + "\n".join(recording.warnings)
    # All that the report page shows comes from the documents and from this plan of what is run.
    rendered = documents(recording)
    assert MARKER not in json.dumps(rendered) + repr(plan(recording, rendered))


@pytest.mark.slow
@pytest.mark.parametrize("path", REFERENCES)
def test_a_reference_is_a_reference_everywhere(path: str) -> None:
    """ECS and AMP read the secret by its ARN; no variable, argument or label has it."""
    nothing = dict.fromkeys(settings.KEYS)
    arn = f"{ARN}marked-AbCdEf"
    rendered = documents(record(ROOT, "dev", config=nothing | dict(REFERENCES[path](arn))))
    tasks = {name: json.loads(text) for name, text in rendered.items() if name.startswith("tasks/")}
    keys = {key for definition in tasks.values() for key, text in leaves(definition) if arn in text}
    assert keys <= {"valueFrom", "credentialsParameter"}
    assert keys or "pagerduty" in path


@pytest.mark.slow
@pytest.mark.parametrize("path", MISPLACED)
def test_a_secret_in_a_wrong_place_is_refused_without_being_shown(path: str) -> None:
    nothing = dict.fromkeys(settings.KEYS)
    with pytest.raises(ProgramError) as refused:
        record(ROOT, "dev", config=nothing | dict(MISPLACED[path](MARKER)))
    assert_hidden(str(refused.value), "the message")


@pytest.mark.slow
def test_a_command_that_refuses_says_no_more_than_the_message(deployable: Callable[[Config], Path]) -> None:
    folder = deployable(MISPLACED["environment as an address"](MARKER))
    refused = run(folder, "preview", "marked")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: ")
    assert_hidden(refused.stdout + refused.stderr, "printed")
    assert not (folder / "build").exists()


def answered(recording: Recording) -> Iterator[tuple[str, str]]:
    """What AWS answers and keeps secret, as the SDK's classes have it: placeholder and type."""
    for resource in recording.resources:
        if resource.type.startswith("aws:"):
            module = importlib.import_module(f"pulumi_aws.{re.split('[:/]', resource.type)[1]}")
            source = inspect.getsource(getattr(module, resource.type.rpartition(":")[2]))
            for names in re.findall(r"additional_secret_outputs=\[([^\]]*)\]", source):
                for output in re.findall(r'"(\w+)"', names):
                    yield f"<{resource.name}.{output}>", resource.type


@pytest.mark.slow
def test_what_aws_answers_in_secret_goes_on_in_secret() -> None:
    """Grafana's token, above all; and the login to ECR, with which images are pushed."""
    nothing = dict.fromkeys(settings.KEYS)
    built: Config = {"applications": [STOREFRONT | {"image": {"build": "./sample"}}, INVENTORY]}
    recording = record(ROOT, "dev", config=nothing | dict(built))
    found = dict(answered(recording))
    assert "aws:grafana/workspaceServiceAccountToken:WorkspaceServiceAccountToken" in found.values()
    clear = "\n".join([*texts([one.inputs for one in recording.resources]), *texts(recording.outputs)])
    assert not [placeholder for placeholder in found if placeholder in clear]
    for token, key in (("pulumi:providers:grafana", "auth"), ("docker-build:index:Image", "registries")):
        [resource] = recording.of_type(token)
        assert list(secrets(resource.inputs[key])), f"{token} has a secret {key}"


def texts(value: Any) -> Iterator[str]:
    """All texts in the clear, keys included."""
    match value:
        case Mapping():
            for key, inner in value.items():
                yield str(key)
                yield from texts(inner)
        case list() | tuple():
            for inner in value:
                yield from texts(inner)
        case str():
            yield value
        case _:
            return


def secrets(value: Any) -> Iterator[Secret]:
    match value:
        case Secret():
            yield value
        case Mapping():
            for inner in value.values():
                yield from secrets(inner)
        case list() | tuple():
            for inner in value:
                yield from secrets(inner)
        case _:
            return


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text with the last key on its way."""
    match value:
        case Mapping():
            for name, inner in value.items():
                yield from leaves(inner, str(name))
        case list():
            for inner in value:
                yield from leaves(inner, key)
        case str():
            yield key, value
        case _:
            return
