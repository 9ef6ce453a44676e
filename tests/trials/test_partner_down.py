"""A partner that is down, with its queue full: applications, X-Ray and AMP notice nothing."""

import asyncio
from typing import Any

import pytest

from tests.proof.live import wanted, with_collector
from tools.build import program
from trials.backends import Fault, OtlpBackend
from trials.load import Tally, http
from trials.rig import Figures, Lost, collecting, rig

pytestmark = pytest.mark.slow

SECONDS = 15.0
PATIENCE = 30.0
SMALL = 100_000
"""Bytes of the partner's queue: less than a second's spans, so that it is full almost at once."""

PARTNER = {"name": "acme", "endpoint": "https://otlp.example.com"}
EXPORTER = "otlp_http/acme"


def small(configuration: dict[str, Any]) -> None:
    if EXPORTER in configuration["exporters"]:
        configuration["exporters"][EXPORTER]["sending_queue"]["queue_size"] = SMALL


@pytest.mark.parametrize("pattern", ["sidecar", "service"])
@pytest.mark.parametrize("fault", [Fault(status=503), Fault(hangs=True)], ids=["503", "hanging"])
def test_nobody_else_notices(pattern: str, fault: Fault, tmp_path_factory: pytest.TempPathFactory) -> None:
    plan = with_collector(wanted("dev", config={"pattern": pattern, "destinations": [PARTNER]}), small)
    [service] = collecting(plan)
    folder = tmp_path_factory.mktemp(pattern)

    async def run() -> tuple[Tally, Tally, Lost, Figures]:
        partner = OtlpBackend({}, fault)
        async with (
            partner.open() as port,
            rig(
                plan,
                service,
                program("collector").resolve(),
                folder,
                elsewhere={"DESTINATION_ENDPOINT_ACME": port},
            ) as made,
            http(made.ports[0]) as transport,
        ):
            client = made.client(transport)
            running = asyncio.create_task(client.run())
            await asyncio.sleep(SECONDS)
            client.stop()
            await running
            await made.delivered([client], PATIENCE)
            assert partner.delivered.spans == {}
            return client.spans.tally, client.counters.tally, made.lost([client]), await made.figures()

    spans, samples, lost, figures = asyncio.run(run())
    for tally in (spans, samples):
        assert set(tally.answers) == {"200"}
        assert tally.accepted == tally.produced > 0
    assert lost == Lost(0, 0)
    # The test means something only if the queue was full; what that lost is counted.
    assert figures.total("otelcol_exporter_enqueue_failed_spans", exporter=EXPORTER) > 0
