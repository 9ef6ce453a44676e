"""How a configuration reaches its collector: in the task definition, or from S3 where that would be too large.

In both ways a changed configuration is a new revision of the task definition, so that ECS rolls it out and back: what
is in S3 has its hash in its name, and stays there as long as the stack, since a rollback starts an older revision.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

Container = dict[str, Any]

MOST_BYTES: Final = 65_536
"""Of a task definition (Amazon ECS Developer Guide, "Amazon ECS service quotas"). In which encoding AWS does not say,
so we count the longest: JSON with everything beyond ASCII escaped."""

RESERVE: Final = 8_192
"""Bytes for what is unknown while the choice is made, or no container's: addresses, digests, what other resources give,
the variables that we add to an application, roles, tags."""

FOREIGN: Final = 16_384
"""Bytes left to the containers of a task definition that somebody else has made."""

MOST_OF_A_USER: Final = MOST_BYTES - FOREIGN
"""Bytes that a user may say of an application or a task; the rest is for our own containers beside it, whose
configurations travel by S3 where they are large, and for what is unknown."""

CONTENT: Final = "AOT_CONFIG_CONTENT"
"""The variable from which ADOT reads its configuration; with it, `--config` counts for nothing."""

_OPTION: Final = re.compile(r"--config=(?P<address>s3://\S+/collector/\S+/(?P<digest>[0-9a-f]{64})\.yaml)")
_CHINA: Final = "cn-"


def size(containers: Sequence[Mapping[str, Any]]) -> int:
    """Bytes of container definitions in a task definition."""
    return len(json.dumps(list(containers)))


def too_large(containers: Sequence[Container], beside: int) -> dict[str, str]:
    """The configurations that have to come from S3 for a definition to fit, by container: the largest ones, and no more
    than need be. `beside` is the size of the definition's other containers in bytes."""
    excess = size(containers) + beside + RESERVE - MOST_BYTES
    carried = {container["name"]: text for container in containers if (text := content(container)) is not None}
    moved: dict[str, str] = {}
    for name in sorted(carried, key=lambda name: len(carried[name]), reverse=True):
        if excess > 0:
            moved[name] = carried[name]
            excess -= size([{"": carried[name]}])
    return moved


def content(container: Mapping[str, Any]) -> str | None:
    """The configuration that a container definition carries itself."""
    return next((pair["value"] for pair in container.get("environment", ()) if pair["name"] == CONTENT), None)


def key(family: str, text: str) -> str:
    """The name of a configuration in the bucket, which changes with every byte of it."""
    return f"{folder(family)}/{digest(text)}.yaml"


def folder(family: str) -> str:
    """Where the configurations of a task definition family are, of all its revisions."""
    return f"collector/{family}"


def digest(text: str) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def address(bucket: str, region: str, name: str) -> str:
    """What `--config` takes; ADOT knows no other form of S3's addresses."""
    domain = "amazonaws.com.cn" if region.startswith(_CHINA) else "amazonaws.com"
    return f"s3://{bucket}.s3.{region}.{domain}/{name}"


def moved(containers: Sequence[Container], addresses: Mapping[str, str]) -> list[Container]:
    """Container definitions, where those in `addresses` read their configuration there instead of carrying it."""
    return [
        _reading(container, addresses[container["name"]]) if container["name"] in addresses else container
        for container in containers
    ]


def source(container: Mapping[str, Any]) -> str | None:
    """The address in S3 that a container definition reads its configuration from."""
    return next((found["address"] for found in _options(container)), None)


def carrying(container: Mapping[str, Any], text: str) -> Container:
    """The definition with its configuration in it instead of its address: the reverse of `moved`.

    Raises ValueError if `text` is not what the container would read.
    """
    if {found["digest"] for found in _options(container)} != {digest(text)}:
        raise ValueError("is not the configuration that the container reads")
    command = [word for word in container["command"] if not _OPTION.fullmatch(word)]
    environment = [*container["environment"], {"name": CONTENT, "value": text}]
    return {**container, "command": command, "environment": environment}


def _options(container: Mapping[str, Any]) -> list[re.Match[str]]:
    return [found for word in container.get("command") or () if (found := _OPTION.fullmatch(str(word)))]


def _reading(container: Container, location: str) -> Container:
    environment = [pair for pair in container["environment"] if pair["name"] != CONTENT]
    return container | {"command": [f"--config={location}", *container["command"]], "environment": environment}


class TooLargeError(ValueError):
    """ECS would refuse container definitions for their size, which is `problem`."""

    def __init__(self, bytes_: int) -> None:
        self.problem: Final = f"the container definitions have {bytes_:,} bytes, and ECS takes {MOST_BYTES:,}"
        super().__init__(
            f"{self.problem}; shorten the environments, or give the pattern the size of your own containers "
            "(documents.travel.size)"
        )


def checked(containers: Sequence[Container]) -> list[Container]:
    """The same definitions. Raises TooLargeError if ECS would refuse them for their size."""
    if (bytes_ := size(containers)) > MOST_BYTES:
        raise TooLargeError(bytes_)
    return list(containers)
