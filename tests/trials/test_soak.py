"""What a soak says, and with which exit code; what it measures is tested by the short outages."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.proof.live import wanted
from trials import soak
from trials.backends import Fault
from trials.load import Tally
from trials.rig import Lost
from trials.soak import MOST_REQUESTS, Outcome, main

HELD = Outcome(
    spans=Tally(61_000, 61_000, 0, 0, 0, {"200": 120}),
    samples=Tally(15_300, 15_300, 0, 0, 0, {"200": 306}),
    lost=Lost(0, 0),
    spans_twice=512,
    samples_twice=0,
    out_of_order=0,
    refused={},
    busiest=(MOST_REQUESTS, 5),
    late=61.25,
    memory={"collector": 131 * 2**20},
)


def stub(monkeypatch: pytest.MonkeyPatch, outcome: Callable[[Fault], Outcome]) -> None:
    async def one(*arguments: Any) -> Outcome:
        return outcome(arguments[-1])

    async def rate(plan: object, service: object, collector: object, folder: Path, latency: float) -> float:
        return 2500.0 - 1000 * latency

    monkeypatch.setattr(soak, "_planned", wanted)
    monkeypatch.setattr(soak, "_one", one)
    monkeypatch.setattr(soak, "_rate", rate)
    monkeypatch.setattr(soak, "program", lambda _: Path("/collector"))


def test_what_held_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stub(monkeypatch, lambda _: HELD)
    assert main(["dev"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    spans = ["503", "spans", "61,000", "61,000", "512", "20", "61.2", "s", "collector", "131", "MiB"]
    assert spans in lines
    assert ["refusing", "samples", "15,300", "15,300", "0", "0", "5"] in lines
    assert [line[0] for line in lines if line[1:3] == ["spans", "a"]] == ["2,500", "2,470"]


@pytest.mark.parametrize("lost", [Lost(1, 0), Lost(0, 50)])
def test_it_fails_if_anything_was_lost_in_any_outage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lost: Lost
) -> None:
    stub(monkeypatch, lambda fault: replace(HELD, lost=lost) if fault.hangs else HELD)
    assert main(["dev"]) == 1


def test_an_application_that_was_refused_has_noticed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stub(monkeypatch, lambda _: replace(HELD, spans=replace(HELD.spans, accepted=60_999, failed=1)))
    assert main(["dev"]) == 1


@pytest.mark.parametrize(
    "outcome",
    [
        replace(HELD, out_of_order=7),
        replace(HELD, busiest=(MOST_REQUESTS + 1, 5)),
        replace(HELD, busiest=(9, MOST_REQUESTS + 1)),
        replace(HELD, refused={"sample-too-old": 1}),
    ],
    ids=["out of order", "X-Ray hammered", "AMP hammered", "refused"],
)
def test_it_fails_if_a_back_end_got_what_it_should_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], outcome: Outcome
) -> None:
    stub(monkeypatch, lambda fault: outcome if fault.hangs else HELD)
    assert main(["dev"]) == 1


def test_a_stack_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere"]) == 2
    assert capsys.readouterr().err.startswith("soak: ")
