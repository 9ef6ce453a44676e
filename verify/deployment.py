"""What `pulumi up` left behind: the outputs of a stack."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

_SECONDS: Final = 120


class NotDeployedError(Exception):
    """There is nothing to verify; the text says what to do, in one line."""


@dataclass(frozen=True)
class Deployment:
    """The addresses of a stack. `metrics_url` is the base of the Prometheus API, `grafana_url` empty without it."""

    metrics_url: str
    grafana_url: str

    @property
    def workspace(self) -> str:
        """The id of the AMP workspace."""
        return self.metrics_url.rstrip("/").rpartition("/")[2]

    @property
    def grafana_workspace(self) -> str:
        """The id of the AMG workspace, which is the first label of its host name."""
        return (urlsplit(self.grafana_url).hostname or "").partition(".")[0]

    @property
    def region(self) -> str:
        """The region in the address of AMP, nothing where it is of another form."""
        labels = (urlsplit(self.metrics_url).hostname or "").split(".")
        return labels[1] if labels[0] == "aps-workspaces" and len(labels) > 1 else ""


def deployment(root: Path, stack: str) -> Deployment:
    """The deployment of a stack, from the Pulumi CLI. Raises NotDeployedError."""
    pulumi = shutil.which("pulumi")
    if pulumi is None:
        raise NotDeployedError("the Pulumi CLI is not on PATH; install it from pulumi.com/docs/iac/download-install")
    command = [pulumi, "stack", "output", "--json", "--non-interactive", "--stack", stack]
    try:
        ran = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotDeployedError(
            f"the Pulumi CLI does not answer ({type(error).__name__}); try `pulumi whoami`"
        ) from error
    if ran.returncode:
        raise NotDeployedError(_remedy(stack, ran.stderr))
    return read(stack, ran.stdout)


def read(stack: str, text: str) -> Deployment:
    """The deployment in the outputs, as JSON. Raises NotDeployedError if there is none."""
    try:
        outputs: Mapping[str, Any] = json.loads(text)
    except ValueError:
        raise NotDeployedError("`pulumi stack output --json` gave no JSON; update the Pulumi CLI") from None
    url = outputs.get("metricsQueryUrl")
    if not isinstance(url, str):
        raise NotDeployedError(f"stack {stack!r} has no deployment; run `make deploy STACK={stack}` first")
    return Deployment(url.removesuffix("/api/v1/query"), str(outputs.get("grafanaUrl") or ""))


def _remedy(stack: str, said: str) -> str:
    text = said.lower()
    if "access_token must be set" in text or "pulumi login" in text:
        return "the Pulumi CLI is not logged in; run `pulumi login`"
    if "no stack named" in text:
        return f"stack {stack!r} has no deployment; run `make deploy STACK={stack}` first"
    if "passphrase" in text:
        return "the stack's secrets need their passphrase; set PULUMI_CONFIG_PASSPHRASE"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return f"the Pulumi CLI refuses: {lines[-1] if lines else 'without a word'}"
