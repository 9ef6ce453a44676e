"""What a stack turns on besides OTLP, for real and in both patterns: scraping and StatsD with any collector, X-Ray's
SDK and Zipkin with ADOT's."""

import json
import secrets
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from documents import names
from proof import equipment
from proof.equipment import LackingError
from proof.verdicts import Judgement, Kind, Verdict
from proof.web import LOOPBACK
from tests.proof.live import Live, complaints, live, wanted
from tools.build import program

pytestmark = pytest.mark.slow


def config(pattern: str, *receivers: str, **collector: Any) -> dict[str, Any]:
    """Two applications as small as they can be; the second exposes metrics."""
    return {
        "pattern": pattern,
        "applications": [
            {"name": "storefront", "image": "public.ecr.aws/shop/sample:1.0", "port": 8080},
            {
                "name": "inventory",
                "image": "public.ecr.aws/shop/sample:1.0",
                "port": 8080,
                "desiredCount": 2,
                "metrics": {"port": 9464},
            },
        ],
        "collector": {"receivers": list(receivers), **collector},
        "grafana": {"enabled": False},
    }


def area(judgement: Judgement, name: str) -> dict[str, Verdict]:
    return {one.subject: one for one in judgement.others if one.area == name}


@pytest.mark.parametrize("pattern", ["sidecar", "service"])
def test_scraping_and_statsd_agree_with_the_load(pattern: str, tmp_path: Path) -> None:
    with live(wanted("dev", config=config(pattern, "statsd")), tmp_path) as alive:
        judgement = alive.judged()
    assert complaints(judgement) == ""
    scraped, pushed = area(judgement, "scraped"), area(judgement, "StatsD")
    assert {subject: one.kind for subject, one in scraped.items()} == {"requests of inventory": Kind.PROVED}
    assert {subject: one.kind for subject, one in pushed.items()} == {
        "requests of storefront": Kind.PROVED,
        "requests of inventory": Kind.PROVED,
    }


@pytest.mark.parametrize("pattern", ["sidecar", "service"])
def test_segments_of_the_xray_sdk_and_spans_of_zipkin_arrive(pattern: str, tmp_path: Path) -> None:
    plan = wanted("dev", config=config(pattern, "xray", "zipkin"))
    try:
        equipment.check(plan, program("collector"))
    except LackingError as error:
        pytest.skip(str(error))
    with live(plan, tmp_path) as alive:
        judgement = alive.judged()
        segment, span = send_segment(alive), send_span(alive)
        until(lambda: {segment, span} <= {one.id for one in alive.run.stack.traces.segments})
        found = {one.id: one for one in alive.run.stack.traces.segments}
        assert (found[segment].name, found[segment].status) == ("legacy", 200)
        assert (found[span].name, found[span].status, found[span].fault) == ("stock", 500, True)
        # The proxy signs what SDKs ask, or the stand-in would refuse it.
        with httpx.Client(trust_env=False) as client:
            for path in ("GetSamplingRules", "SamplingTargets"):
                asked = client.post(f"http://{LOOPBACK}:{port(alive, 'XRAY_SDK_ENDPOINT')}/{path}", json={})
                assert asked.status_code == 200, asked.text
        assert alive.run.stack.traces.refused == {}
    assert complaints(judgement) == ""


def port(alive: Live, variable: str) -> int:
    """Where the first collector that applications send to takes what the variable moves."""
    return next(task for task in alive.run.stack.tasks if task.service.container(names.COLLECTOR)).port(variable)


def send_segment(alive: Live) -> str:
    """As X-Ray's SDKs send it: a header and a document in a datagram. Its id."""
    now, made = time.time(), secrets.token_hex(8)
    document = {
        "trace_id": f"1-{int(now):08x}-{secrets.token_hex(12)}",
        "id": made,
        "name": "legacy",
        "start_time": now - 0.1,
        "end_time": now,
        "http": {"request": {"method": "GET", "url": "http://legacy/"}, "response": {"status": 200}},
    }
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        datagram = b'{"format":"json","version":1}\n' + json.dumps(document).encode()
        sender.sendto(datagram, (LOOPBACK, port(alive, "XRAY_SDK_ENDPOINT")))
    return made


def send_span(alive: Live) -> str:
    """As Zipkin's clients send it. Its id."""
    now, made = time.time(), secrets.token_hex(8)
    span = {
        "traceId": f"{int(now):08x}{secrets.token_hex(12)}",
        "id": made,
        "name": "get /",
        "kind": "SERVER",
        "timestamp": int(now * 1e6) - 1000,
        "duration": 1000,
        "localEndpoint": {"serviceName": "stock"},
        "tags": {"http.method": "GET", "http.status_code": "500"},
    }
    url = f"http://{LOOPBACK}:{port(alive, 'ZIPKIN_ENDPOINT')}/api/v2/spans"
    answer = httpx.Client(trust_env=False).post(url, json=[span])
    assert answer.status_code == 202, answer.text
    return made


def until(condition: Callable[[], bool]) -> None:
    """Waits for a condition."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
