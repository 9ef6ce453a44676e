"""Installing a Grafana plugin through Grafana's own API, before the data source that needs it is made."""

from typing import Final

import httpx
from tenacity import RetryCallState, Retrying, retry_if_result, wait_fixed

_INSTALLED: Final = (200, 409)
"""409 is Grafana's answer for a plugin that is there already."""

_FORBIDDEN: Final = 403
_HOPELESS: Final = (400, 401, _FORBIDDEN)
_ATTEMPTS: Final = 30
_PAUSE_SECONDS: Final = 2.0


class PluginError(RuntimeError):
    """A plugin could not be installed; the message never holds the token."""


def install_plugin(url: str, token: str, plugin: str, pause_seconds: float = _PAUSE_SECONDS) -> None:
    """Install a plugin and wait until Grafana has loaded it. Raises PluginError.

    A new workspace takes a while until its API answers and its first token is known everywhere, and Grafana tells
    nobody when it is ready, hence the attempts.
    """
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=30.0) as client:
        for path, method, good in (("install", "POST", _INSTALLED), ("settings", "GET", (200,))):
            body: dict[str, str] | None = {} if method == "POST" else None
            asked = client.build_request(method, f"{url}/api/plugins/{plugin}/{path}", json=body)
            attempts = Retrying(
                wait=wait_fixed(pause_seconds),
                retry=retry_if_result(lambda answer, good=good: answer not in good),
                stop=_given_up,
                retry_error_callback=_last_answer,
            )
            answer = attempts(_ask, client, asked)
            if answer not in good:
                said = f"HTTP {answer}" if isinstance(answer, int) else answer
                raise PluginError(f"Grafana did not install the plugin {plugin}: {said}; {_remedy(answer, url)}")


def _remedy(answer: int | str, url: str) -> str:
    # Otherwise Grafana itself has refused, and says more to a person.
    if isinstance(answer, str) or answer == _FORBIDDEN:
        return f"with grafana.networkAccess, run this from where it admits requests; otherwise see {url}/plugins"
    return f"see {url}/plugins"


def _ask(client: httpx.Client, request: httpx.Request) -> int | str:
    """The status of the answer, or what kept it from coming."""
    try:
        return client.send(request).status_code
    except httpx.HTTPError as error:
        return type(error).__name__


def _given_up(state: RetryCallState) -> bool:
    # The first token of a new workspace is refused for a few seconds: what says so later means it.
    refused = state.attempt_number > _ATTEMPTS // 3 and _last_answer(state) in _HOPELESS
    return refused or state.attempt_number >= _ATTEMPTS


def _last_answer(state: RetryCallState) -> int | str:
    if state.outcome is None:
        raise ValueError("nothing was asked")
    return state.outcome.result()
