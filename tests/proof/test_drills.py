"""When the faults of a drill begin: not before those of the one before are over, whose queues would still be full."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from documents.alerting import alerts
from documents.alerting.model import Alert
from proof import drills
from proof.drills import Conductor, Fault
from proof.run import Run


class Rules:
    """The rules of a run. `lasting` says of alerts how often they are asked for before they are over."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.lasting: dict[str, int] = {}

    async def rule_groups(self) -> list[dict[str, Any]]:
        for name, times in self.lasting.items():
            self.lasting[name] = times - 1
            if times == 0:
                self.states[name] = "inactive"
        return [{"rules": [{"name": name, "state": state} for name, state in self.states.items()]}]


async def _never(_: object) -> None:
    await asyncio.Event().wait()


def test_a_drill_begins_when_queues_are_delivered_though_memory_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drills, "_SURE_SECONDS", 0.0)
    rules, seen = Rules(), dict[str, str]()
    stack = SimpleNamespace(load=lambda *_: SimpleNamespace(run=_never), began=0.0)
    conductor = Conductor(cast("Run", SimpleNamespace(stack=stack, server=rules)), lambda _: None)

    def fault(*about: Alert, over_after: int = 0) -> Fault:
        @asynccontextmanager
        async def there() -> AsyncGenerator[None]:
            seen.update(rules.states)
            rules.states |= {alert.name: "firing" for alert in about}
            yield
            rules.lasting |= {about[0].name: over_after}

        return Fault("", about, there)

    async def run() -> None:
        await conductor.act("", [fault(alerts.COLLECTOR_QUEUE, alerts.COLLECTOR_MEMORY, over_after=3)])
        await conductor.act("", [fault(alerts.COLLECTOR_DOWN)])

    asyncio.run(run())
    assert seen == {alerts.COLLECTOR_QUEUE.name: "inactive", alerts.COLLECTOR_MEMORY.name: "firing"}
