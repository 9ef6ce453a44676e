"""Installing a Grafana plugin through Grafana's own API, before the data source that needs it is made."""

import http.client
import json
import time
import urllib.error
import urllib.request
from typing import Final

_INSTALLED: Final = (200, 409)
"""409 is Grafana's answer for a plugin that is there already."""

_HOPELESS: Final = (400, 401, 403)
_ATTEMPTS: Final = 30
_PAUSE_SECONDS: Final = 2.0


class PluginError(RuntimeError):
    """A plugin could not be installed; the message never holds the token."""


def install_plugin(url: str, token: str, plugin: str, pause_seconds: float = _PAUSE_SECONDS) -> None:
    """Install a plugin and wait until Grafana has loaded it. Raises PluginError.

    A new workspace takes a while until its API answers and its first token is known everywhere, hence the attempts.
    """
    for path, method, good in (("install", "POST", _INSTALLED), ("settings", "GET", (200,))):
        _until(
            f"{url}/api/plugins/{plugin}/{path}",
            token,
            method=method,
            good=good,
            plugin=plugin,
            pause_seconds=pause_seconds,
        )


def _until(url: str, token: str, *, method: str, good: tuple[int, ...], plugin: str, pause_seconds: float) -> None:
    answer = "no answer"
    for attempt in range(_ATTEMPTS):
        if attempt:
            # Grafana tells nobody when it is ready: there is nothing to wait for but the next answer.
            time.sleep(pause_seconds)
        status, answer = _ask(url, method, token)
        if status in good:
            return
        # The first token of a new workspace is refused for a few seconds.
        if status in _HOPELESS and attempt >= _ATTEMPTS // 3:
            break
    workspace = url.split("/api/", maxsplit=1)[0]
    raise PluginError(f"Grafana did not install the plugin {plugin}: {answer}; see {workspace}/plugins")


def _ask(url: str, method: str, token: str) -> tuple[int, str]:
    request = urllib.request.Request(  # noqa: S310 - the address of our own workspace
        url,
        method=method,
        data=json.dumps({}).encode() if method == "POST" else None,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - the same
            return response.status, ""
    except urllib.error.HTTPError as error:
        return error.code, f"HTTP {error.code}"
    except (OSError, http.client.HTTPException) as error:
        return 0, type(error).__name__
