"""The sample does exactly what its table says, and its telemetry leaves the process under the expected names."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.resources import Resource

from sample.app import create_app
from sample.behaviour import NORMAL_SECONDS, SLOW_SECONDS, duration_seconds, is_error, is_slow
from sample.environment import TELEMETRY_DEFAULTS, InvalidEnvironmentError, Settings, read
from sample.journal import Journal

_ROOT: Final = Path(__file__).parents[2]
_BIN: Final = Path(sys.executable).parent
_PATIENCE_SECONDS: Final = 60.0


# --- the table ---------------------------------------------------------------------------------------------------


def test_the_behaviour_of_ten_orders() -> None:
    assert [order for order in range(20) if is_slow(order)] == [7, 17]
    assert [order for order in range(20) if is_error(order)] == [3, 13]
    assert [duration_seconds(order) for order in range(10)] == [0.15] * 7 + [0.6] + [0.15] * 2


def _get(app: FastAPI, *paths: str) -> list[tuple[httpx.Response, float]]:
    """All at once, each with the seconds that its answer took."""

    async def one(client: httpx.AsyncClient, path: str) -> tuple[httpx.Response, float]:
        start = time.monotonic()
        response = await client.get(path)
        return response, time.monotonic() - start

    async def all_of_them() -> list[tuple[httpx.Response, float]]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sample") as client:
            return await asyncio.gather(*(one(client, path) for path in paths))

    return asyncio.run(all_of_them())


def _order(app: FastAPI, *order_ids: int) -> list[tuple[httpx.Response, float]]:
    return _get(app, *(f"/orders/{order_id}" for order_id in order_ids))


def _leaf(tmp_path: Path) -> FastAPI:
    return create_app(Settings(journal=tmp_path / "orders.journal"))


def _caller(downstream: httpx.AsyncBaseTransport) -> FastAPI:
    return create_app(Settings(downstream_url="http://leaf"), downstream)


def test_a_leaf_answers_by_the_table(tmp_path: Path) -> None:
    answers = _order(_leaf(tmp_path), *range(10))
    assert [response.status_code for response, _ in answers] == [200, 200, 200, 500, 200, 200, 200, 200, 200, 200]
    for order_id, (response, seconds) in enumerate(answers):
        # The clock of the event loop may fire a hair early; only the lower bound is ours to promise.
        assert seconds > duration_seconds(order_id) - 0.01
        if not is_error(order_id):
            assert response.json() == {"order_id": order_id, "receipt": response.json()["receipt"]}
    assert answers[7][1] > SLOW_SECONDS - 0.01 > NORMAL_SECONDS


def test_the_same_order_has_the_same_receipt(tmp_path: Path) -> None:
    first, again, other = (response.json()["receipt"] for response, _ in _order(_leaf(tmp_path), 1, 1, 2))
    assert first == again != other


def test_a_leaf_journals_what_it_did(tmp_path: Path) -> None:
    (response, _), _ = _order(_leaf(tmp_path), 4, 3)
    lines = (tmp_path / "orders.journal").read_text().splitlines()
    assert f"4 {response.json()['receipt']}" in lines
    assert sorted(line.split()[0] for line in lines) == ["3", "4"]


@pytest.mark.parametrize("order_id", ["x", "-1", "1.5"])
def test_an_order_has_a_whole_number(tmp_path: Path, order_id: str) -> None:
    ((response, _),) = _get(_leaf(tmp_path), f"/orders/{order_id}")
    assert response.status_code == 422
    assert not (tmp_path / "orders.journal").exists()


def test_a_caller_passes_on_what_its_downstream_answers(tmp_path: Path) -> None:
    leaf = _leaf(tmp_path)
    direct, _ = _order(leaf, 1)[0]
    answers = _order(_caller(httpx.ASGITransport(leaf)), 1, 3, 7)
    assert [response.status_code for response, _ in answers] == [200, 502, 200]
    assert answers[0][0].json() == direct.json()
    assert answers[1][0].json() == {"detail": "downstream answered 500"}
    assert answers[2][1] > SLOW_SECONDS - 0.01


def test_a_caller_adds_no_work_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unexpected(order_id: int) -> float:
        raise AssertionError(f"order {order_id} was worked on")

    monkeypatch.setattr("sample.app.duration_seconds", unexpected)
    journal = tmp_path / "orders.journal"
    settings = Settings(downstream_url="http://leaf", journal=journal)
    instant = httpx.MockTransport(lambda _: httpx.Response(200, json={"order_id": 7, "receipt": "r"}))
    ((response, _),) = _order(create_app(settings, instant), 7)
    assert response.json() == {"order_id": 7, "receipt": "r"}
    assert not journal.exists()


@pytest.mark.parametrize("status", [500, 503, 404])
def test_a_caller_answers_502_to_every_failure_below(status: int) -> None:
    ((response, _),) = _order(_caller(httpx.MockTransport(lambda _: httpx.Response(status))), 1)
    assert (response.status_code, response.json()) == (502, {"detail": f"downstream answered {status}"})


def test_a_caller_answers_502_without_a_downstream() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        message = "refused"
        raise httpx.ConnectError(message, request=request)

    ((response, _),) = _order(_caller(httpx.MockTransport(refuse)), 1)
    assert (response.status_code, response.json()) == (502, {"detail": "downstream did not answer: ConnectError"})


def test_healthz_of_a_caller_does_not_depend_on_its_downstream() -> None:
    ((response, _),) = _get(_caller(httpx.MockTransport(lambda _: httpx.Response(500))), "/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_the_journal_never_outgrows_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "orders.journal"
    journal = Journal(path, limit_bytes=100)
    sizes: list[int] = []
    for number in range(30):
        journal.append(f"{number:09}")
        sizes.append(path.stat().st_size)
    assert max(sizes) == 100
    assert sizes[:11] == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 10]
    assert path.read_text().splitlines()[-1] == "000000029"


# --- the environment ---------------------------------------------------------------------------------------------


def test_an_empty_environment_is_a_leaf_without_traffic() -> None:
    defaults = Settings("", 0, 8080, Path("/tmp/orders.journal"))
    assert read({}) == defaults
    assert read({"DOWNSTREAM_URL": "", "TRAFFIC_PER_MINUTE": "", "PORT": "", "JOURNAL": ""}) == defaults


def test_every_variable_is_read(tmp_path: Path) -> None:
    environ = {
        "DOWNSTREAM_URL": "http://orders.shop:8080/",
        "TRAFFIC_PER_MINUTE": "60",
        "PORT": "9000",
        "JOURNAL": str(tmp_path / "j"),
    }
    assert read(environ) == Settings("http://orders.shop:8080", 60, 9000, tmp_path / "j")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        *(
            ("TRAFFIC_PER_MINUTE", value, "a whole number from 0 to 6000")
            for value in ("-1", "6001", "1.5", "many", " 5", "1_000", "٣", "9" * 5000)
        ),
        *(("PORT", value, "a whole number from 1 to 65535") for value in ("0", "65536", "http")),
        *(
            ("DOWNSTREAM_URL", value, "look like http://orders:8080")
            for value in ("orders:8080", "ftp://orders", "http://", "http://orders:x", "http://orders:99999")
        ),
        *(("DOWNSTREAM_URL", value, "look like http://orders:8080") for value in ("http://a b", "http://a/?q=1", " ")),
        *(("JOURNAL", value, "name a file that can be written") for value in ("/no/such/folder/j", "/", "a\0b")),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str, expected: str) -> None:
    with pytest.raises(InvalidEnvironmentError) as caught:
        read({name: value})
    assert str(caught.value) == f"{name} must {'be ' if 'whole' in expected else ''}{expected}, not {value!r}"


@pytest.mark.slow
def test_all_wrong_values_are_named_on_one_line_with_exit_code_2() -> None:
    environ = _environment(TRAFFIC_PER_MINUTE="x", PORT="y", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    ended = subprocess.run(
        _command(_free_port()),
        cwd=_ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    assert ended.stderr == (
        "sample: TRAFFIC_PER_MINUTE must be a whole number from 0 to 6000, not 'x'; "
        "PORT must be a whole number from 1 to 65535, not 'y'\n"
    )
    assert (ended.returncode, ended.stdout) == (2, "")


def test_the_image_sets_the_telemetry_defaults() -> None:
    dockerfile = (_ROOT / "sample" / "Dockerfile").read_text()
    assert dict(re.findall(r"\b(OTEL_\w+)=(\S+)", dockerfile)) == TELEMETRY_DEFAULTS


def test_nobody_is_asked_about_ecs_where_ecs_is_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for variable in ("ECS_CONTAINER_METADATA_URI", "ECS_CONTAINER_METADATA_URI_V4", "OTEL_RESOURCE_ATTRIBUTES"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in {**TELEMETRY_DEFAULTS, "OTEL_SERVICE_NAME": "orders"}.items():
        monkeypatch.setenv(variable, value)
    found = Resource.create()
    sdk = {f"telemetry.sdk.{what}" for what in ("language", "name", "version")}
    assert set(found.attributes) == {"service.name", "service.instance.id", *sdk}
    assert caplog.messages == []


# --- the real process --------------------------------------------------------------------------------------------


class _Sink:
    """An OTLP/HTTP receiver that keeps what it gets."""

    def __init__(self) -> None:
        self.metrics: list[ExportMetricsServiceRequest] = []
        self.traces: list[ExportTraceServiceRequest] = []
        self.unexpected: list[str] = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/metrics":
                    sink.metrics.append(ExportMetricsServiceRequest.FromString(body))
                elif self.path == "/v1/traces":
                    sink.traces.append(ExportTraceServiceRequest.FromString(body))
                else:
                    sink.unexpected.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "_Sink":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def resources(self) -> list[dict[str, str]]:
        metrics = [_attributes(part.resource.attributes) for post in self.metrics for part in post.resource_metrics]
        return metrics + [_attributes(part.resource.attributes) for post in self.traces for part in post.resource_spans]

    def spans(self, service: str) -> list[Span]:
        return [
            span
            for post in self.traces
            for part in post.resource_spans
            if _attributes(part.resource.attributes)["service.name"] == service
            for scope in part.scope_spans
            for span in scope.spans
        ]

    def last_metrics(self, service: str) -> dict[str, Metric]:
        """Cumulative temporality: the last post says it all."""
        posts = [
            {metric.name: metric for scope in part.scope_metrics for metric in scope.metrics}
            for post in self.metrics
            for part in post.resource_metrics
            if _attributes(part.resource.attributes)["service.name"] == service
        ]
        return posts[-1] if posts else {}


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, str]:
    values: dict[str, str] = {}
    for pair in pairs:
        kind = pair.value.WhichOneof("value")
        assert kind is not None
        values[pair.key] = str(getattr(pair.value, kind))
    return values


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _environment(**variables: str) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("OTEL_") and name not in ("DOWNSTREAM_URL", "TRAFFIC_PER_MINUTE", "PORT", "JOURNAL")
    }
    path = f"{_BIN}{os.pathsep}{os.environ['PATH']}"
    return {**inherited, **TELEMETRY_DEFAULTS, "PATH": path, **variables}


def _command(port: int) -> list[str]:
    uvicorn = ["uvicorn", "sample.app:app", "--host", "127.0.0.1", "--port", str(port)]
    return [str(_BIN / "opentelemetry-instrument"), *uvicorn]


def _wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.02)


class _Sample:
    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self.log = log

    def get(self, path: str) -> int:
        return httpx.get(self.url + path, trust_env=False, timeout=_PATIENCE_SECONDS).status_code

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.get("/healthz") == 200
        except httpx.TransportError:
            return False

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(_PATIENCE_SECONDS) == -signal.SIGTERM, self.log.read_text()


@contextmanager
def _running(service: str, sink: _Sink, folder: Path, **variables: str) -> Generator[_Sample]:
    port = _free_port()
    environ = _environment(
        OTEL_SERVICE_NAME=service,
        OTEL_RESOURCE_ATTRIBUTES="service.namespace=shop",
        OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
        OTEL_SEMCONV_STABILITY_OPT_IN="http",
        OTEL_METRICS_EXEMPLAR_FILTER="always_off",
        OTEL_PROPAGATORS="tracecontext,baggage,xray",
        # Longer than the test: what arrives was sent on the way out.
        OTEL_METRIC_EXPORT_INTERVAL="600000",
        OTEL_BSP_SCHEDULE_DELAY="600000",
        PORT=str(port),
        JOURNAL=str(folder / f"{service}.journal"),
        **variables,
    )
    log = folder / f"{service}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(_command(port), cwd=_ROOT, env=environ, stdout=output, stderr=output)
    sample = _Sample(process, f"http://127.0.0.1:{port}", log)
    try:
        _wait_until(sample.is_ready, f"{service} answers")
        yield sample
    finally:
        process.kill()
        process.wait()


def _durations(metric: Metric) -> list[tuple[dict[str, str], int]]:
    points = [(_attributes(point.attributes), point.count) for point in metric.histogram.data_points]
    return sorted(points, key=lambda point: point[0]["http.response.status_code"])


@pytest.mark.slow
def test_telemetry_of_a_caller_and_its_leaf_survives_sigterm(tmp_path: Path) -> None:
    with ExitStack() as stack:
        sink = stack.enter_context(_Sink())
        leaf = stack.enter_context(_running("leaf", sink, tmp_path))
        caller = stack.enter_context(_running("caller", sink, tmp_path, DOWNSTREAM_URL=leaf.url))
        assert [caller.get(f"/orders/{order_id}") for order_id in (1, 3, 7)] == [200, 502, 200]
        assert sink.metrics == []
        assert sink.traces == []
        caller.terminate()
        leaf.terminate()

    assert sink.unexpected == []
    assert {resource["service.name"] for resource in sink.resources()} == {"caller", "leaf"}
    assert len({resource["service.instance.id"] for resource in sink.resources()}) == 2

    common = {"http.request.method": "GET", "network.protocol.version": "1.1"}
    served = {**common, "http.route": "/orders/{order_id}", "url.scheme": "http"}
    for service, failure in (("leaf", "500"), ("caller", "502")):
        metrics = sink.last_metrics(service)
        duration = metrics["http.server.request.duration"]
        assert duration.unit == "s"
        # Nothing about /healthz, although it was asked until it answered.
        assert _durations(duration) == [
            ({**served, "http.response.status_code": "200"}, 2),
            ({**served, "http.response.status_code": failure, "error.type": failure}, 1),
        ]
        assert set(metrics) - {"http.client.request.duration"} == {
            "cpython.gc.collections",
            "http.server.active_requests",
            "http.server.request.duration",
            "http.server.response.body.size",
            "process.cpu.time",
            "process.memory.usage",
        }
        for point in duration.histogram.data_points:
            assert list(point.explicit_bounds) == [
                0.005,
                0.01,
                0.025,
                0.05,
                0.075,
                0.1,
                0.25,
                0.5,
                0.75,
                1,
                2.5,
                5,
                7.5,
                10,
            ]
            assert list(point.exemplars) == []

    assert "http.client.request.duration" not in sink.last_metrics("leaf")
    called = sink.last_metrics("caller")["http.client.request.duration"]
    target = {**common, "server.address": "127.0.0.1", "server.port": leaf.url.rpartition(":")[2]}
    assert called.unit == "s"
    assert _durations(called) == [
        ({**target, "http.response.status_code": "200"}, 2),
        ({**target, "http.response.status_code": "500", "error.type": "500"}, 1),
    ]

    outside = [span for span in sink.spans("caller") if span.kind == Span.SPAN_KIND_SERVER]
    calls = {span.parent_span_id: span for span in sink.spans("caller") if span.kind == Span.SPAN_KIND_CLIENT}
    inside = {span.parent_span_id: span for span in sink.spans("leaf") if span.kind == Span.SPAN_KIND_SERVER}
    assert (len(outside), len(calls), len(inside)) == (3, 3, 3)
    assert len({span.trace_id for span in outside}) == 3
    paths: list[tuple[str, str]] = []
    for span in outside:
        call = calls[span.span_id]
        served_span = inside[call.span_id]
        assert span.parent_span_id == b""
        assert span.name == served_span.name == "GET /orders/{order_id}"
        assert span.trace_id == call.trace_id == served_span.trace_id
        paths.append((_attributes(span.attributes)["url.path"], _attributes(served_span.attributes)["url.path"]))
    assert sorted(paths) == [(f"/orders/{order_id}", f"/orders/{order_id}") for order_id in (1, 3, 7)]


@pytest.mark.slow
def test_own_traffic_is_ordinary_requests_with_one_trace_each(tmp_path: Path) -> None:
    with _Sink() as sink, _running("alone", sink, tmp_path, TRAFFIC_PER_MINUTE="1200") as sample:

        def answered() -> list[str]:
            return re.findall(r'"GET (/orders/\d+) HTTP/1.1" \d+', sample.log.read_text())

        _wait_until(lambda: len(answered()) >= 12, "the application has called itself twelve times")
        sample.terminate()
        assert "no answer" not in sample.log.read_text()
        assert "Traceback" not in sample.log.read_text()

    servers = [span for span in sink.spans("alone") if span.kind == Span.SPAN_KIND_SERVER]
    assert sorted(_attributes(span.attributes)["url.path"] for span in servers) == sorted(answered())
    assert sorted(answered()) == sorted(f"/orders/{number}" for number in range(len(answered())))
    assert len({span.trace_id for span in servers}) == len(servers)
    assert {span.parent_span_id for span in servers} == {b""}
    assert not [span for span in sink.spans("alone") if span.kind == Span.SPAN_KIND_CLIENT]
    assert "http.client.request.duration" not in sink.last_metrics("alone")
