"""The stack's configuration as Pulumi hands it to the program, and the files that it names, as settings."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

import pulumi.runtime.config as pulumi_config

from documents.dashboards import Dashboard
from documents.environment import KEYS, Settings, read
from documents.faults import UNTOLD, Fault, Kind
from documents.names import Names
from project_files import ProjectFiles

__all__ = ["KEYS", "Settings", "encrypted_keys", "load", "program_config"]

_STRUCTURED: Final = KEYS - {"pattern", "protect"}
_MAY_HOLD_SECRETS: Final = frozenset({"alerts", "applications", "collector", "destinations", "grafana", "tasks"})
"""Keys whose text is not printed where it should have been structured."""


def program_config() -> dict[str, str]:
    """What Pulumi hands to the running program; it has no public way to list the keys, and a misspelt key needs one."""
    return {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}


def encrypted_keys() -> frozenset[str]:
    """The keys of the running program's configuration that hold a value which the stack file has encrypted."""
    marked = {key for key in program_config() if pulumi_config.is_config_secret(key)}
    return frozenset(marked.union(pulumi_config.get_config_secret_keys_env()))


def load(
    config: Mapping[str, str], names: Names, root: Path, encrypted: Collection[str] = ()
) -> tuple[Settings, tuple[Dashboard, ...]]:
    """The settings in a stack's configuration, and the dashboards that they import.

    `config` has the keys and texts that Pulumi hands to a program: `<project>:<key>`, structured values as JSON.
    Paths are relative to `root`. `encrypted` names the keys whose decrypted value must not end up in a document.
    Raises ConfigurationError with every fault of the values and of the files that they name.
    """
    own = {key.partition(":")[2]: text for key, text in config.items() if key.partition(":")[0] == names.project}
    faults: list[Fault] = []
    secret = _MAY_HOLD_SECRETS.union(key.partition(":")[2] for key in encrypted)
    values = {key: _value(key, text, faults, secret) for key, text in own.items()}
    faults += [
        Fault(
            key,
            "holds an encrypted value, which a task definition would show in plain text",
            "store it in Secrets Manager or SSM Parameter Store and give its ARN under `secrets`",
            UNTOLD,
        )
        for key in own
        # Addresses to which alerts go may hold keys, and stand in no document.
        if key != "alerts" and f"{names.project}:{key}" in encrypted
    ]
    return read(values, names, config.get("aws:region", ""), ProjectFiles(root), faults)


def _value(key: str, text: str, faults: list[Fault], secret: Collection[str]) -> Any:
    if key not in _STRUCTURED:
        # Pulumi hands over true and false as texts, too.
        return {"true": True, "false": False}.get(text, text) if key == "protect" else text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        got = Kind(text) if key in secret else text
        faults.append(Fault(key, "is not structured", "write it as a list or a map in the stack file", got))
        return {}
