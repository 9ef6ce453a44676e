"""Texts that mean something to the collector's own language go through the real one, and arrive as what they were."""

import asyncio
import gzip
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from proof.otlp import PROTOBUF
from proof.web import Answer, Request, serve
from tests import hostile
from tests.proof.live import wanted
from tools.build import MissingProgram, program
from trials.rig import collecting, eventually, rig

pytestmark = pytest.mark.slow

TEXTS = [text for text in hostile.TEXTS if text]
IN_HEADERS = [
    text
    for text in TEXTS
    if text.isascii() and text.isprintable() and text == text.strip() and not re.fullmatch(r"\?|\{\{.+\}\}", text)
]
"""HTTP takes no others in a header. What is a map of maps to YAML ends the collector: docs/destinations.md."""

SENT = {f"sent.{index}": text for index, text in enumerate(TEXTS)} | dict.fromkeys(TEXTS, "by its name")
ADDED = {f"added.{index}": text for index, text in enumerate(TEXTS)}
HEADERS = {f"h{index}": text for index, text in enumerate(IN_HEADERS)}
PREFIX = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"
PATIENCE = 30.0
NAME = '"}) or vector(1) #${env:HOME}'


def variable(header: str) -> str:
    return f"DESTINATION_HEADER_ACME_{header.upper()}"


def doubled(text: str) -> str:
    """As it is written where `$` is the collector's own."""
    return text.replace("$", "$$")


def insertion(key: str, value: str) -> dict[str, str]:
    return {"key": key, "value": doubled(value), "action": "insert"}


CONFIG: Mapping[str, Any] = {
    "pattern": "sidecar",
    "traces": {"indexedAttributes": TEXTS},
    "destinations": [
        {
            "name": "acme",
            "endpoint": "https://example.com",
            "signals": ["traces"],
            "headers": {name: f"{PREFIX}{name}-AbCdEf" for name in HEADERS},
        }
    ],
    "collector": {
        "additions": {
            "processors": {"attributes/mine": {"actions": [insertion(*one) for one in ADDED.items()]}},
            "service": {"pipelines": {"traces/partners": {"processors": ["attributes/mine"]}}},
        }
    },
}


def attributes(texts: Mapping[str, str]) -> Iterable[KeyValue]:
    return [KeyValue(key=key, value=AnyValue(string_value=text)) for key, text in texts.items()]


def told(pairs: Iterable[KeyValue]) -> dict[str, str]:
    return {pair.key: pair.value.string_value for pair in pairs}


def request(resource: Mapping[str, str]) -> bytes:
    made = ExportTraceServiceRequest()
    spans = made.resource_spans.add()
    spans.resource.attributes.extend(attributes(resource))
    # X-Ray reads the time of a trace in its id.
    now = time.time_ns()
    identity = int(now / 1e9).to_bytes(4, "big") + bytes(range(12))
    span = spans.scope_spans.add().spans.add(trace_id=identity, span_id=bytes(range(1, 9)), name=NAME, kind=2)
    span.start_time_unix_nano, span.end_time_unix_nano = now, now + 1
    span.attributes.extend(attributes(SENT))
    return made.SerializeToString()


class Partner:
    """Keeps what comes as it comes."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def handle(self, request: Request) -> Answer:
        self.requests.append(request)
        return Answer(HTTPStatus.OK, b"", PROTOBUF)


@pytest.fixture(scope="module")
def arrived(tmp_path_factory: pytest.TempPathFactory) -> Request:
    """The one request with which the span arrives at the partner."""
    try:
        collector = program("collector").resolve()
    except MissingProgram as missing:
        pytest.skip(str(missing))
    plan = wanted("dev", config=CONFIG)
    [service] = collecting(plan)
    partner = Partner()

    async def run() -> None:
        async with (
            serve(partner.handle) as port,
            rig(
                plan,
                service,
                collector,
                tmp_path_factory.mktemp("hostile"),
                elsewhere={"DESTINATION_ENDPOINT_ACME": port},
            ) as made,
            httpx.AsyncClient(trust_env=False) as client,
        ):
            answer = await client.post(
                f"http://127.0.0.1:{made.ports[0]}/v1/traces",
                content=request(made.resource()),
                headers={"content-type": PROTOBUF},
            )
            assert answer.status_code == HTTPStatus.OK
            assert await eventually(lambda: any(map(ours, partner.requests)), PATIENCE)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            "proof.plan.secret_value", {variable(name): doubled(text) for name, text in HEADERS.items()}.__getitem__
        )
        asyncio.run(run())
    return next(filter(ours, partner.requests))


def spans(request: Request) -> Iterator[Span]:
    zipped = request.headers.get("content-encoding") == "gzip"
    body = ExportTraceServiceRequest.FromString(gzip.decompress(request.body) if zipped else request.body)
    for resource in body.resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans


def ours(request: Request) -> bool:
    return any(span.name == NAME for span in spans(request))


def test_what_applications_say_of_a_span(arrived: Request) -> None:
    [span] = [span for span in spans(arrived) if span.name == NAME]
    said = told(span.attributes)
    assert {key: said.get(key) for key in SENT} == SENT


def test_what_the_stack_file_adds_to_it(arrived: Request) -> None:
    [span] = [span for span in spans(arrived) if span.name == NAME]
    said = told(span.attributes)
    assert {key: said.get(key) for key in ADDED} == ADDED


def test_secrets_in_headers(arrived: Request) -> None:
    """They come in by the environment, where the collector looks for variables and for YAML once more."""
    assert {name: arrived.headers.get(name) for name in HEADERS} == HEADERS
