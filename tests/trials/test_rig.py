"""What a rig needs to know without running anything."""

import asyncio
import json

import pytest

from tests.proof.live import wanted
from trials.load import TRACES, Reply, Signal
from trials.rig import Figures, GoingOver, collecting, eventually

pytestmark = pytest.mark.slow

TELEMETRY = """\
# HELP otelcol_exporter_queue_size Current size
# TYPE otelcol_exporter_queue_size gauge
otelcol_exporter_queue_size{data_type="traces",exporter="otlp_grpc/xray"} 5
otelcol_exporter_queue_size{data_type="metrics",exporter="otlp_grpc/task"} 2.5e+01
otelcol_process_memory_rss 1.048576e+06
"""


def test_figures_are_read_by_name_and_labels() -> None:
    figures = Figures.of(TELEMETRY)
    assert figures.total("otelcol_exporter_queue_size") == 30
    assert figures.total("otelcol_exporter_queue_size", data_type="traces") == 5
    assert figures.total("otelcol_exporter_queue_size", data_type="traces", exporter="otlp_grpc/task") == 0
    assert figures.total("otelcol_process_memory_rss") == 2**20
    assert figures.total("otelcol_process") == 0


class Saying:
    """A transport that always replies the same."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply

    async def send(self, signal: Signal, body: bytes, seconds: float) -> Reply:
        return self.reply


def test_a_client_stays_with_a_replica_until_it_refuses() -> None:
    busy, free = Reply("503", retryable=True), Reply("200", accepted=True)
    first, second = Saying(free), Saying(free)
    transport = GoingOver([first, second])

    async def statuses(count: int) -> list[str]:
        return [(await transport.send(TRACES, b"", 1.0)).status for _ in range(count)]

    assert asyncio.run(statuses(2)) == ["200", "200"]
    first.reply = busy
    assert asyncio.run(statuses(3)) == ["503", "200", "200"]
    first.reply, second.reply = Reply("other", accepted=True), Reply("400")
    assert asyncio.run(statuses(2)) == ["400", "400"], "what is refused for good is refused everywhere"
    second.reply = busy
    assert asyncio.run(statuses(2)) == ["503", "other"]


def test_conditions_are_waited_for_and_not_longer() -> None:
    answers = iter([False, False, True])
    assert asyncio.run(eventually(lambda: next(answers), 10.0))
    assert not asyncio.run(eventually(lambda: False, 0.0))


def test_one_service_of_each_pattern_collects() -> None:
    assert [service.name for service in collecting(wanted("dev"))] == ["storefront"]
    assert [service.name for service in collecting(wanted("prod"))] == ["collector"]
    applications = [
        {"name": name, "image": "public.ecr.aws/shop/sample:1.0", "port": 8080, "pattern": pattern}
        for name, pattern in (("first", "service"), ("second", "sidecar"), ("third", "sidecar"))
    ]
    mixed = wanted("dev", config=json.loads(json.dumps({"applications": applications})))
    assert [service.name for service in collecting(mixed)] == ["collector", "second"]
