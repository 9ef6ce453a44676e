"""AWS's agent for Python in an application that knows nothing of telemetry, with the environment that we render."""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from documents.instrumentation import FOLDER
from proof.plan import Plan, environment
from proof.processes import Program
from proof.segment import Segment
from proof.task import Task, base, free_ports
from proof.waiting import listens
from proof.web import LOOPBACK
from tests.proof.live import wanted
from tools import agent
from tools.build import program
from trials.rig import collecting, eventually, rig

pytestmark = pytest.mark.slow

OWN = "/srv/shop"
"""Where the application says that its modules are."""

MODULE = "def price(order: int) -> int:\n    return 10 * order\n"
APPLICATION = """
import os

import uvicorn
from fastapi import FastAPI, HTTPException
from shop import price

application = FastAPI()


@application.get("/orders/{order}")
def order(order: int) -> int:
    if order > 2:
        raise HTTPException(503)
    return price(order)


uvicorn.run(application, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=False)
"""

ORDERS = {
    "name": "orders",
    "image": "shop/orders:1.4.2",
    "port": 8080,
    "instrumentation": "python",
    "environment": {"PYTHONPATH": OWN, "OTEL_RESOURCE_ATTRIBUTES": "team=web"},
}
DURATION = "http_server_request_duration_seconds"
ASKED = (1, 2, 3, 1)
"""Orders; what is above two fails."""

WAIT = 60.0


@dataclass(frozen=True)
class Arrived:
    """What came out of the collector: segments of X-Ray without a parent, and the newest value of each series, which
    is a JSON object of its labels."""

    roots: tuple[Segment, ...]
    series: Mapping[str, float]

    def of(self, name: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series of a metric."""
        parsed = [(json.loads(labels), value) for labels, value in self.series.items()]
        return [(labels, value) for labels, value in parsed if labels["__name__"] == name]

    @property
    def whole(self) -> bool:
        """Whether it is all that was asked for."""
        return len(self.roots) == len(ASKED) and sum(value for _, value in self.of(f"{DURATION}_count")) == len(ASKED)


def started(plan: Plan, folder: Path, variables: Mapping[str, str]) -> Program:
    """The application with what its definition says, but for what is elsewhere on this machine."""
    (folder / "shop").mkdir()
    (folder / "shop" / "shop.py").write_text(MODULE)
    (folder / "application.py").write_text(APPLICATION)
    container = plan.applications[0].container("orders")
    assert container is not None
    rendered = environment(container)
    for there, here in {FOLDER: agent.installed(), OWN: folder / "shop"}.items():
        rendered = {name: value.replace(there, str(here)) for name, value in rendered.items()}
    return Program(
        "orders", [sys.executable, str(folder / "application.py")], {**base(folder), **rendered, **variables}
    )


async def arrived(plan: Plan, folder: Path) -> Arrived:
    [service] = collecting(plan)
    async with rig(plan, service, program("collector").resolve(), folder) as running:
        around, port = running.tasks[0].around, next(free_ports())
        own = Task(plan.applications[0], region=plan.region, cluster=plan.cluster, around=around)
        variables = {
            # The agent asks ECS's metadata endpoint who it is.
            **await own.metadata({"name": "orders"}),
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{LOOPBACK}:{running.ports[0]}",
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
            "OTEL_BSP_SCHEDULE_DELAY": "500",
            "PORT": str(port),
        }
        child = around.children.start(started(plan, folder, variables))
        await listens(child, port)
        async with httpx.AsyncClient(trust_env=False) as client:
            answers = [await client.get(f"http://{LOOPBACK}:{port}/orders/{order}") for order in ASKED]
        assert [answer.text for answer in answers[:2]] == ["10", "20"], "its own module is not where it says"

        def now() -> Arrived:
            newest = {
                json.dumps(dict(labels), sort_keys=True): samples[-1].value
                for labels, samples in running.amp.written.samples.items()
            }
            # The rig has sent a span of its own.
            roots = (one for one in running.xray.received.segments if not one.parent and str(port) in one.url)
            return Arrived(tuple(roots), newest)

        assert await eventually(lambda: now().whole, WAIT), child.log.read_text()
        return now()


@pytest.mark.parametrize("pattern", ["sidecar", "service"])
def test_traces_and_red_metrics_of_an_application_that_knows_nothing_of_them(pattern: str, tmp_path: Path) -> None:
    plan = wanted("dev", config={"pattern": pattern, "applications": [ORDERS]})
    seen = asyncio.run(arrived(plan, tmp_path))
    assert {one.name for one in seen.roots} == {"orders"}
    assert sorted((one.status, one.fault) for one in seen.roots) == [(200, False)] * 3 + [(503, True)]
    whose = {
        "job": "ecs-observability/orders",
        "aws_ecs_cluster_name": "ecs-observability-dev",
        "aws_ecs_service_name": "orders",
        "aws_ecs_task_family": "ecs-observability-dev-orders",
        "aws_ecs_task_revision": "1",
        "deployment_environment_name": "dev",
        "http_request_method": "GET",
        "http_route": "/orders/{order}",
    }
    counts = seen.of(f"{DURATION}_count")
    assert all(whose.items() <= labels.items() for labels, _ in counts)
    assert {labels["http_response_status_code"]: value for labels, value in counts} == {"200": 3, "503": 1}
    assert len({labels["instance"] for labels, _ in counts}) == 1
    # Classic buckets: the agent's own default are exponential ones, which our panels do not see.
    within = {labels["le"]: value for labels, value in seen.of(f"{DURATION}_bucket") if "error_type" not in labels}
    assert within["+Inf"] == 3
    assert "0.005" in within
    names = {json.loads(labels)["__name__"] for labels in seen.series}
    assert names.isdisjoint({"http_server_duration_milliseconds_count", "http_server_duration_count"})
    assert not [name for name in names if name.startswith(("system_", "process_runtime_"))]
