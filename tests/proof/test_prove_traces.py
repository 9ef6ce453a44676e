"""Traces by X-Ray's OTLP endpoint, by ratio and by tail sampling, run for real."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from proof import equipment
from proof.verdict import Kind
from tests.proof.live import ROOT, beside_dashboards, complaints, live, named, wanted
from tools.build import program

pytestmark = pytest.mark.slow

TAIL = {"pattern": "service", "traces": {"tail": {"slowerThanMs": 400, "ratio": 0.2}}}
OTLP = {"traces": {"endpoint": "otlp"}}


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_otlp_endpoint_gets_every_trace(stack: str, tmp_path: Path) -> None:
    with live(wanted(stack, config=OTLP), tmp_path) as running:
        judgement = running.judged()
        assert complaints(beside_dashboards(judgement)) == ""
        assert named(judgement.verdicts, "every trace is complete").kind is Kind.PROVED
        assert "a trace for each request" in [one.subject for one in judgement.verdicts]
        addresses = [one.found for one in judgement.verdicts if one.subject.startswith("traces of ")]
        assert set(addresses) == {"https://xray.eu-west-1.amazonaws.com/v1/traces"}


def test_a_ratio_keeps_whole_traces_with_what_is_indexed(tmp_path: Path) -> None:
    with live(wanted("dev", config={"traces": {"ratio": 0.3, "indexedAttributes": ["http.route"]}}), tmp_path) as it:
        judgement = it.judged()
        assert complaints(beside_dashboards(judgement)) == ""
        assert named(judgement.verdicts, "a trace for each request that is sampled").kind is Kind.PROVED
        segments = it.truth.traces.segments
        assert 0 < len({one.trace for one in segments}) < len(it.truth.sent)
        served = [one.annotations for one in segments if not one.subsegment]
        assert served == [{"http.route": "/orders/{order_id}"}] * len(served)


def lacking() -> str:
    """What the collector of these tests lacks for tail sampling."""
    try:
        equipment.check(wanted("dev", config=TAIL), program("collector"))
    except equipment.LackingError as error:
        return str(error)
    return ""


def test_tail_sampling_across_replicas(tmp_path: Path) -> None:
    if reason := lacking():
        pytest.skip(reason)
    with live(wanted("dev", config=TAIL), tmp_path) as running:
        judgement = running.judged()
        assert complaints(beside_dashboards(judgement)) == ""
        assert named(judgement.verdicts, "every trace is complete").kind is Kind.PROVED
        assert named(judgement.verdicts, "a trace for each request that is sampled").kind is Kind.PROVED
        # Both collectors decided: each of them signs with a key of its own, and neither has all.
        assert len([task for task in running.truth.tasks if task.service == "collector"]) == 2


def test_without_adot_such_a_stack_ends_with_one_line(tmp_path: Path) -> None:
    if not (reason := lacking()):
        pytest.skip("this collector lacks nothing")
    # A stack file of its own is not needed for a command that ends before anything starts.
    script = (
        "import sys; from proof import __main__ as command; from preview.recorder import record\n"
        f"command.record = lambda root, stack: record(root, stack, config={TAIL!r})\n"
        "sys.exit(command.main(['dev']))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=os.environ | {"COLUMNS": "200"}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr == f"proof: {reason.replace(str(program('collector')), str(program('collector').resolve()))}\n"
    assert "Traceback" not in ended.stdout
