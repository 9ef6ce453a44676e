"""A configuration from S3: the address that we render, read by the real ADOT collector from a stand-in for S3."""

import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from documents import travel
from proof import equipment
from proof.task import base, free_ports
from tools.build import program

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 30


class _S3(BaseHTTPRequestHandler):
    """Has one object, whatever it is asked for, and remembers what that was."""

    text = ""
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path.partition("?")[0])
        body = self.text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Says nothing."""


@pytest.fixture
def s3() -> Iterator[tuple[int, type[_S3]]]:
    handler = type("S3", (_S3,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], handler
        server.shutdown()


def test_adot_reads_what_the_definition_points_to(s3: tuple[int, type[_S3]], tmp_path: Path) -> None:
    collector = program("collector")
    if not equipment.reads(collector, "s3"):
        pytest.skip("only ADOT reads its configuration from S3: set COLLECTOR to it")
    port, bucket = s3
    ports = free_ports()
    bucket.text = (
        f"receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '127.0.0.1:{next(ports)}'}}}}}}}}\n"
        "exporters: {debug: {}}\n"
        f"service: {{telemetry: {{metrics: {{level: none}}}}, "
        "pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n"
    )
    key = travel.key("shop-dev-web", bucket.text)
    container = {"name": "collector", "command": [], "environment": [{"name": travel.CONTENT, "value": bucket.text}]}
    address = travel.address("shop-dev-config-123456789012", "eu-west-1", key)
    [moved] = travel.moved([container], {"collector": address})
    assert moved["environment"] == []
    variables = {
        "RUN_IN_CONTAINER": "True",
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    log = tmp_path / "log"
    with log.open("w") as out:
        child = subprocess.Popen(
            [collector, *moved["command"]], env=base(tmp_path) | variables, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "Everything is ready" not in log.read_text():
            assert child.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
    finally:
        child.terminate()
        child.wait(10)
    assert bucket.asked == [f"/shop-dev-config-123456789012/{key}"]
