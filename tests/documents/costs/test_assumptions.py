"""What a person may assume instead of what is assumed."""

from decimal import Decimal

import pytest

from documents import costs
from documents.costs import ASSUMPTIONS, Spread


def test_assumptions_are_one_figure_or_three() -> None:
    spreads, faults = costs.assumed(["requests=0.5", "viewers=1, 2,30"])
    assert faults == []
    assert spreads["requests"] == Spread(Decimal("0.5"), Decimal("0.5"), Decimal("0.5"))
    assert spreads["viewers"] == Spread(Decimal(1), Decimal(2), Decimal(30))
    assert spreads["load"] == ASSUMPTIONS["load"].spread


THREE = "write {0}=50, or {0}=5,50,200 for low, expected and high"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("requsts=5", "requsts: is no assumption; did you mean 'requests'?"),
        ("requests", f"requests: is not one number, nor three (got ''); {THREE.format('requests')}"),
        ("requests=", f"requests: is not one number, nor three (got ''); {THREE.format('requests')}"),
        ("requests=many", f"requests: is not one number, nor three (got 'many'); {THREE.format('requests')}"),
        ("requests=1,2", f"requests: is not one number, nor three (got '1,2'); {THREE.format('requests')}"),
        ("requests=nan", f"requests: is not one number, nor three (got 'nan'); {THREE.format('requests')}"),
        ("requests=-1", "requests: is out of bounds (got '-1'); give a number from 0 to 1,000,000,000,000"),
        ("requests=1e99", "requests: is out of bounds (got '1E+99'); give a number from 0 to 1,000,000,000,000"),
        ("load=1.5", "load: is no share (got '1.5'); give a number from 0 to 1"),
        ("viewers=1.5", "viewers: is no whole number (got '1.5'); give one without a fraction"),
        ("viewers=3,2,1", "viewers: does not ascend (got '3,2,1'); give low, expected and high in this order"),
    ],
)
def test_what_cannot_be_assumed_is_said(text: str, fault: str) -> None:
    assert [str(one) for one in costs.assumed([text])[1]] == [fault]


def test_all_faults_are_said_at_once() -> None:
    assert len(costs.assumed(["a=1", "load=2", "=", "viewers=x"])[1]) == 4
