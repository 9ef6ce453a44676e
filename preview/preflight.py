"""What a deployment needs and lacks, in one line each, before Pulumi is started."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import botocore.session
import yaml
from botocore.exceptions import BotoCoreError

from documents.inputs import is_placeholder

_ROOT = Path(__file__).resolve().parent.parent


def missing(root: Path, stack: str) -> Iterator[str]:
    """Each thing that is missing, with what to do about it."""
    file = root / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        yield f"stack: there is no {file.name}; write one, or choose STACK=dev"
        return
    stack_file = cast(Mapping[str, Any], yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    config = cast(Mapping[str, Any], stack_file.get("config") or {})
    yield from _programs(config)
    yield from _account(config)
    for key, value in _texts(config):
        if is_placeholder(value):
            yield f"{key}: {value} is still to be filled in; write the value into {file.name}"


def _programs(config: Mapping[str, Any]) -> Iterator[str]:
    if not shutil.which("pulumi"):
        yield "pulumi: the CLI is not on PATH; install it from pulumi.com/docs/iac/download-install"
    builds = any("build" in key.split(".") for key, _ in _texts(config))
    if builds and not _docker_answers():
        yield "docker: the stack builds images, and no Docker engine answers; start one, or give image references"


def _account(config: Mapping[str, Any]) -> Iterator[str]:
    if not config.get("aws:region"):
        yield "region: the stack file has no aws:region; add one, for example aws:region: eu-west-1"
    try:
        credentials = botocore.session.Session(profile=config.get("aws:profile")).get_credentials()
    except BotoCoreError as error:
        yield f"credentials: {error}; run `aws configure` or set AWS_PROFILE"
        return
    if credentials is None:
        yield "credentials: AWS has none for you here; run `aws configure`, or set AWS_PROFILE"


def _docker_answers() -> bool:
    docker = shutil.which("docker")
    if not docker:
        return False
    answer = subprocess.run([docker, "version"], capture_output=True, check=False, env={**os.environ})
    return answer.returncode == 0


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a configuration, with its path."""
    if isinstance(value, str):
        yield key, value
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        inner = cast(Mapping[Any, Any], value).items()
    elif isinstance(value, list):
        inner = enumerate(cast(list[Any], value))
    for name, item in inner:
        yield from _texts(item, f"{key}.{name}" if key else str(name))


def main() -> int:
    """Print what is missing; 1 if anything is."""
    stack = sys.argv[1]
    found = list(missing(_ROOT, stack))
    for line in found:
        print(line, file=sys.stderr)  # noqa: T201
    if found:
        print(f"stack {stack!r} was not touched", file=sys.stderr)  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
