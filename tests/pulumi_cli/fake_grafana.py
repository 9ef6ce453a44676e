"""What an AMG workspace answers to the program itself, over TLS as the real one."""

import http.server
import ssl
import threading
from pathlib import Path
from typing import Self

import trustme

from tests.pulumi_cli.cloud import Cloud


class FakeGrafana:
    """Serves `https://<address>/<workspace id>/api/plugins/...` for a cloud; `trusted` is the file of its authority.

    A workspace needs a while until it knows its first token: the first request of each workspace is refused.
    """

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.requests: list[str] = []
        authority = trustme.CA()
        self.trusted = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.trusted))
        grafana, woken = self, set[str]()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                self._answer()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
                pass

            def _answer(self) -> None:
                grafana.requests.append(f"{self.command} {self.path}")
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status = self._status()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _status(self) -> int:
                match self.path.split("/"):
                    case ["", workspace, "api", "plugins", plugin, request]:
                        pass
                    case _:
                        return 404
                if not cloud.accepts(self.headers.get("Authorization", "").removeprefix("Bearer ")):
                    return 401
                if workspace not in woken:
                    woken.add(workspace)
                    return 401
                if request == "install" and self.command == "POST":
                    return 200 if cloud.install(workspace, plugin) else 409
                return 200 if cloud.installed(workspace, plugin) else 404

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"localhost:{self._server.server_address[1]}"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
