"""Each example for real: its collectors, dashboards and rules, driven for some seconds."""

from dataclasses import replace
from pathlib import Path

import pytest

from proof.plan import Plan
from proof.stack import Timing
from proof.verdict import Kind
from tests.components.variants import EXAMPLES
from tests.proof.live import beside_dashboards, complaints, equipped, live, named, wanted

pytestmark = pytest.mark.slow

TIMING = Timing(steady=20.0, first=30.0, last=20.0)


def lean(plan: Plan) -> Plan:
    """With one task of each application where CloudWatch counts them: two of five services are more processes than a
    small machine has time for. Sidecars are counted by rules, which know how many there should be."""
    if plan.collector is None:
        return plan
    return replace(plan, applications=tuple(replace(one, count=1) for one in plan.applications))


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_produces_telemetry(example: str, tmp_path: Path) -> None:
    with live(lean(equipped(wanted(example))), tmp_path, TIMING) as running:
        judgement = running.judged()
    assert complaints(beside_dashboards(judgement)) == ""
    assert named(judgement.others, "every trace is complete").kind is Kind.PROVED
    # How close each value comes needs a longer look, that of `make prove`.
    assert [one.subject for one in judgement.failed if one.found == "no data"] == []
