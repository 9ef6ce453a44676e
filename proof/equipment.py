"""Whether a collector has the components that a stack needs: without them it would not even start."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from documents.adot import SECTIONS
from documents.text import from_yaml
from proof.plan import CONFIGURATION, Plan, environment

_SECONDS: Final = 20


class LackingError(Exception):
    """The collector cannot run the stack; the text says in one line what it lacks and what to do."""


def check(plan: Plan, collector: Path) -> None:
    """Raises LackingError if the collector says that it has no component of a kind that the stack configures.

    ADOT's own does not say what it has: then it is believed to have all, which the documents were checked against.
    """
    has = _components(collector)
    lacking = sorted(
        {
            kind
            for service in plan.services
            for container in service.collectors
            for section, kind in _used(environment(container)[CONFIGURATION])
            if has and _plain(kind) not in has.get(section, ())
        }
    )
    if lacking:
        raise LackingError(
            f"the collector at {collector} has no {', '.join(lacking)}, which is in ADOT only: "
            f"COLLECTOR=/path/to/aws-otel-collector make prove STACK={plan.stack}"
        )


def reads(collector: Path, scheme: str) -> bool:
    """Whether it reads its configuration from addresses of this scheme, such as `s3`, as far as it says."""
    has = _components(collector)
    return not has or scheme in has.get("providers", ())


def _used(configuration: str) -> set[tuple[str, str]]:
    document: Mapping[str, Any] = from_yaml(configuration)
    return {(section, name.split("/")[0]) for section in SECTIONS for name in document.get(section) or ()}


def _components(collector: Path) -> dict[str, set[str]]:
    """Kinds of components by section, schemes of addresses as `providers`; nothing if it has no such command."""
    said = subprocess.run([collector, "components"], capture_output=True, text=True, timeout=_SECONDS, check=False)
    if said.returncode:
        return {}
    found: dict[str, set[str]] = {}
    section = ""
    # Its YAML is not read as such: it is written by hand in the collector, and larger than what is asked of it.
    for line in said.stdout.splitlines():
        if head := re.fullmatch(r"([a-z]+):.*", line):
            section = head[1]
        elif name := re.fullmatch(r"\s+- (?:name|scheme): (\S+)", line):
            found.setdefault(section, set()).add(_plain(name[1]))
    return found


def _plain(kind: str) -> str:
    """Some components have a newer name with underscores beside the older one without, and only one is said."""
    return kind.replace("_", "")
