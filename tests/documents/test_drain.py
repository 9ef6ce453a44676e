"""The companion that makes ECS wait until the queues are empty, as a program."""

import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from documents import drain
from proof import shell

SECONDS = 30.0

OTHERS = """\
# HELP otelcol_exporter_queue_size Current size of the retry queue
# TYPE otelcol_exporter_queue_size gauge
otelcol_exporter_queue_capacity{exporter="otlp_grpc/xray"} 5.36870912e+08
otelcol_exporter_sent_spans_total{exporter="awsxray"} 4000
otelcol_exporter_queue_size_of_another_kind{exporter="awsxray"} 7
"""


def figures(*, waiting: str = "0", under_way: str = "0") -> str:
    """What a collector says of itself with so many bytes in a queue and so many requests under way."""
    return OTHERS + (
        'otelcol_exporter_queue_size{data_type="metrics",exporter="otlp_grpc/application"} 0\n'
        f'otelcol_exporter_queue_size{{data_type="traces",exporter="otlp_grpc/xray"}} {waiting}\n'
        f'otelcol_exporter_in_flight_requests{{exporter="awsxray"}} {under_way}\n'
        'otelcol_exporter_in_flight_requests{exporter="otlp_grpc/xray"} 0\n'
    )


EMPTY = figures()


class Collector:
    """Says the next of `answers` at each request after some seconds, and the last one from then on."""

    def __init__(self, answers: Sequence[str], seconds: float) -> None:
        self.paths: list[str] = []
        self.ended = threading.Event()
        said = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = answers[min(len(said.paths), len(answers) - 1)].encode()
                said.paths.append(self.path)
                said.ended.wait(seconds)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object, **more: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def end(self) -> None:
        """Ends, if it has not: from now on nobody listens there."""
        if self._thread.is_alive():
            self.ended.set()
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


@contextmanager
def collecting(*answers: str, seconds: float = 0) -> Iterator[Collector]:
    collector = Collector(answers, seconds)
    try:
        yield collector
    finally:
        collector.end()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def drained(folder: Path, port: int, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """The script as a container would run it, with `more` variables, once it waits for its end."""
    command = shell.program(folder, ["sh", "-c", drain.SCRIPT])
    variables = shell.environment(folder) | {"TELEMETRY_PORT": str(port)} | more
    with subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, start_new_session=True) as process:
        sleeping: list[psutil.Process] = []
        try:
            until(lambda: bool(psutil.Process(process.pid).children()))
            sleeping = psutil.Process(process.pid).children()
            yield process
        finally:
            for one in (*sleeping, psutil.Process(process.pid)) if process.poll() is None else sleeping:
                if one.is_running():
                    one.kill()


@pytest.fixture(params=["BusyBox", "the machine's own"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the programs of the image are: BusyBox's, or the machine's that stand for them."""
    if request.param == "BusyBox":
        if shutil.which("busybox") is None:
            pytest.skip("this machine has no BusyBox")
    else:
        which = shutil.which
        monkeypatch.setattr(shutil, "which", lambda name, **more: None if name == "busybox" else which(name, **more))
    return tmp_path


@pytest.mark.slow
def test_it_asks_nothing_before_its_task_stops(folder: Path) -> None:
    with collecting(EMPTY) as collector, drained(folder, collector.port) as process:
        assert process.poll() is None
        assert collector.paths == []


@pytest.mark.slow
def test_it_waits_until_it_has_seen_nothing_twice_in_a_row(folder: Path) -> None:
    """Between two components what is under way counts for neither, so once is not enough."""
    many, few, one = figures(waiting="1.048576e+06"), figures(waiting="10"), figures(under_way="1")
    answers = (many, EMPTY, few, EMPTY, one, EMPTY, EMPTY, many)
    with collecting(*answers) as collector, drained(folder, collector.port) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
        assert collector.paths == ["/metrics"] * 7


@pytest.mark.slow
def test_it_looks_at_the_queues_only_when_traces_are_decided(folder: Path) -> None:
    """What waits for a decision is in no queue yet."""
    began = time.monotonic()
    with collecting(EMPTY) as collector, drained(folder, collector.port, **{drain.HOLD: "3"}) as process:
        process.send_signal(signal.SIGTERM)
        until(lambda: bool(collector.paths))
        assert time.monotonic() - began >= 3
        assert process.wait(SECONDS) == 0


@pytest.mark.slow
def test_a_collector_that_is_slow_to_answer_is_not_gone(folder: Path) -> None:
    with collecting(EMPTY, seconds=60) as collector, drained(folder, collector.port) as process:
        process.send_signal(signal.SIGTERM)
        until(lambda: len(collector.paths) > 2)
        assert process.poll() is None


@pytest.mark.slow
def test_it_waits_as_long_as_something_is_left(folder: Path) -> None:
    with collecting(figures(waiting="1")) as collector, drained(folder, collector.port) as process:
        process.send_signal(signal.SIGTERM)
        until(lambda: len(collector.paths) > 3)
        assert process.poll() is None


@pytest.mark.slow
def test_without_figures_there_is_nothing_to_wait_for(folder: Path) -> None:
    with collecting(OTHERS) as collector, drained(folder, collector.port) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
        assert len(collector.paths) == 2


@pytest.mark.slow
def test_it_does_not_wait_for_a_collector_that_is_gone(folder: Path) -> None:
    with collecting(figures(waiting="1")) as collector, drained(folder, collector.port) as process:
        process.send_signal(signal.SIGTERM)
        until(lambda: len(collector.paths) > 0)
        collector.end()
        assert process.wait(SECONDS) == 0


def test_it_asks_where_the_collector_says_it_of_itself() -> None:
    assert 'url="http://127.0.0.1:${TELEMETRY_PORT:-8888}/metrics"' in drain.SCRIPT.splitlines()
