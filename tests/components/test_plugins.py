"""Installing a plugin, against a Grafana that answers as a new workspace does."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from components import plugins
from components.plugins import PluginError, install_plugin

TOKEN = "glsa_not-to-be-told"
PLUGIN = "grafana-x-ray-datasource"
INSTALL = f"POST /api/plugins/{PLUGIN}/install"
SETTINGS = f"GET /api/plugins/{PLUGIN}/settings"


@dataclass
class Grafana:
    """Answers installs and settings with the given statuses in turn, the last one for ever."""

    install: Sequence[int] = (200,)
    settings: Sequence[int] = (200,)
    requests: list[str] = field(default_factory=list[str])
    tokens: set[str | None] = field(default_factory=set[str | None])
    bodies: set[bytes] = field(default_factory=set[bytes])
    url: str = ""

    def answer(self, request: str) -> int:
        self.requests.append(request)
        statuses = self.install if request == INSTALL else self.settings
        return statuses[min(self.requests.count(request), len(statuses)) - 1]


@pytest.fixture
def fake() -> Iterator[Grafana]:
    grafana = Grafana()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            grafana.tokens.add(self.headers["Authorization"])
            if length := int(self.headers.get("Content-Length", 0)):
                grafana.bodies.add(self.rfile.read(length))
            status = grafana.answer(f"{self.command} {self.path}")
            if not status:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(status)
            self.end_headers()
            self.wfile.write(f'{{"message": "{self.headers["Authorization"]}"}}'.encode())

        do_GET = do_POST = answer  # noqa: N815 - http.server names them

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server names it
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    grafana.url = f"http://127.0.0.1:{server.server_port}"
    yield grafana
    server.shutdown()
    thread.join()
    server.server_close()


def install(url: str) -> None:
    install_plugin(url, TOKEN, PLUGIN, pause_seconds=0)


def failure(url: str) -> str:
    with pytest.raises(PluginError) as caught:
        install(url)
    assert TOKEN not in str(caught.value)
    assert TOKEN not in repr(caught.value.__cause__)
    return str(caught.value)


def test_installed_and_loaded(fake: Grafana) -> None:
    install(fake.url)
    assert fake.requests == [INSTALL, SETTINGS]
    assert fake.tokens == {f"Bearer {TOKEN}"}
    assert fake.bodies == {b"{}"}


def test_there_already(fake: Grafana) -> None:
    fake.install = (409,)
    install(fake.url)
    assert fake.requests == [INSTALL, SETTINGS]


def test_it_waits_until_the_plugin_is_loaded(fake: Grafana) -> None:
    fake.settings = (404, 404, 500, 200)
    install(fake.url)
    assert fake.requests == [INSTALL, *[SETTINGS] * 4]


@pytest.mark.parametrize("status", [401, 403])
def test_the_first_token_of_a_new_workspace_is_refused_for_a_while(fake: Grafana, status: int) -> None:
    fake.install = (status, status, 200)
    fake.settings = (status, 200)
    install(fake.url)
    assert fake.requests == [*[INSTALL] * 3, *[SETTINGS] * 2]


def test_a_workspace_that_is_not_ready(fake: Grafana) -> None:
    fake.install = (502, 0, 503, 200)
    install(fake.url)
    assert fake.requests == [*[INSTALL] * 4, SETTINGS]


@pytest.mark.parametrize("status", [400, 401, 403])
def test_what_stays_refused_is_given_up_early(fake: Grafana, status: int) -> None:
    fake.install = (status,)
    message = failure(fake.url)
    assert message.startswith(f"Grafana did not install the plugin {PLUGIN}: HTTP {status}; ")
    assert message.endswith(f"see {fake.url}/plugins")
    # As the workspace answers somebody whom its network does not admit.
    assert ("grafana.networkAccess" in message) is (status == 403)
    assert 1 < len(fake.requests) < plugins._ATTEMPTS


def test_a_plugin_that_never_loads(fake: Grafana) -> None:
    fake.settings = (404,)
    assert "HTTP 404" in failure(fake.url)
    assert fake.requests == [INSTALL, *[SETTINGS] * plugins._ATTEMPTS]


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_ATTEMPTS", 3)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert failure(url) == (
        f"Grafana did not install the plugin {PLUGIN}: ConnectError; with grafana.networkAccess, run this from where "
        f"it admits requests; otherwise see {url}/plugins"
    )


def test_it_pauses_between_attempts_and_not_before_the_first(fake: Grafana, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    install_plugin(fake.url, TOKEN, PLUGIN)
    assert pauses == []
    fake.settings = (404, 404, 404, 200)
    install_plugin(fake.url, TOKEN, PLUGIN, pause_seconds=1.5)
    assert pauses
    assert set(pauses) == {1.5}
