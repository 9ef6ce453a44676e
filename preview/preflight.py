"""What a deployment needs and lacks, in one line each, before Pulumi is started."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import botocore.session
from botocore.exceptions import BotoCoreError

from documents.model import placeholder_in
from preview.recording import ProgramError
from preview.stack import EXAMPLES, mapping

_ROOT = Path(__file__).resolve().parent.parent


def missing_for_deploy(root: Path, stack: str) -> Iterator[str]:
    """Each thing that a deployment lacks, with what to do about it."""
    config = _config(root, stack)
    if isinstance(config, str):
        yield config
        return
    yield from _pulumi()
    yield from _docker(config)
    if not (config.get("aws:region") or _project_region(root)):
        yield "region: the stack file has no aws:region; add one, for example aws:region: eu-west-1"
    yield from _credentials(config)
    for key, value in _texts(config):
        if unfilled := placeholder_in(value):
            yield f"{key}: {unfilled} is still to be filled in; write the value into Pulumi.{stack}.yaml"


def missing_for_destroy(root: Path, stack: str) -> Iterator[str]:
    """Each thing that taking a stack down lacks."""
    found = _config(root, stack)
    config: Mapping[str, Any] = {} if isinstance(found, str) else found
    yield from _pulumi()
    yield from _credentials(config)
    for key, value in config.items():
        if key.endswith(":protect") and str(value).lower() == "true":
            yield (
                f"{key}: is true, so that Pulumi deletes nothing; set it to false, `make deploy STACK={stack}`, then "
                f"`make destroy STACK={stack}`"
            )


def asks_grafana_to_destroy(root: Path, stack: str) -> bool:
    """Whether the stack's dashboards are in a Grafana of others, which deletes them only for a token that is valid."""
    found = _config(root, stack)
    config: Mapping[str, Any] = {} if isinstance(found, str) else found
    return any(key.partition(":")[2] == "existing.grafana" for key, _ in _texts(config))


def _config(root: Path, stack: str) -> Mapping[str, Any] | str:
    """The configuration in a stack file, or the line that says why there is none."""
    file = root / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        example = root / EXAMPLES / file.name
        way = f"copy {EXAMPLES}/{file.name} beside Pulumi.yaml" if example.is_file() else "write one"
        return f"stack: there is no {file.name}; {way}, or choose STACK=dev"
    try:
        return _section(mapping(file))
    except ProgramError as error:
        return f"stack: {error}"


def _project_region(root: Path) -> Any:
    return _section(mapping(root / "Pulumi.yaml")).get("aws:region")


def _section(document: Mapping[str, Any]) -> Mapping[str, Any]:
    config = document.get("config")
    return cast(dict[str, Any], config) if isinstance(config, dict) else {}


def _pulumi() -> Iterator[str]:
    if not shutil.which("pulumi"):
        yield "pulumi: the CLI is not on PATH; install it from pulumi.com/docs/iac/download-install"


def _docker(config: Mapping[str, Any]) -> Iterator[str]:
    builds = any("build" in key.split(".") for key, _ in _texts(config))
    if builds and not _docker_answers():
        yield "docker: the stack builds images, and no Docker engine answers; start one, or give image references"


def _credentials(config: Mapping[str, Any]) -> Iterator[str]:
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


def main() -> None:
    """End with what is missing for `deploy STACK` or `destroy STACK`; without a word if nothing is. For `renewal STACK`
    the exit status is 0 if Grafana's token has to be renewed before the stack can be destroyed."""
    purpose, stack = sys.argv[1:]
    if purpose == "renewal":
        sys.exit(not asks_grafana_to_destroy(_ROOT, stack))
    missing = {"deploy": missing_for_deploy, "destroy": missing_for_destroy}[purpose]
    if found := list(missing(_ROOT, stack)):
        sys.exit("\n".join([*found, f"stack {stack!r} was not touched"]))


if __name__ == "__main__":
    main()
