"""The price of each way out of a network, by hand."""

import pytest

from preview import egress, wiring
from preview.costs import files
from tests.components.variants import recorded

pytestmark = pytest.mark.slow

NOTE = (
    "List prices of us-east-1 (docs/costs.md), 730 hours; what leaves for the internet, or passes from zone to zone on "
    "its way to one NAT gateway, is billed besides."
)


def lines(stack: str) -> list[str]:
    recording = recorded(stack)
    return list(egress.lines(recording, wiring.running(recording), files.load("us-east-1")))


def test_a_stack_with_nat() -> None:
    assert lines("private") == [
        "| way out | chosen | dollars a month | and for each GB |",
        "|---|---|---:|---:|",
        # An application with its sidecar, another, and two collectors: 4 x 0.005 x 730.
        "| a public address for each task, of which there are 4 |  | 14.60 | 0 |",
        # (0.045 + 0.005) x 730.
        "| one NAT gateway | yes | 36.50 | 0.045 |",
        "| a NAT gateway in each of 2 zones |  | 73.00 | 0.045 |",
        # 5 x 2 x 0.01 x 730.
        "| endpoints of 5 services in 2 zones |  | 73.00 | 0.01 |",
        "",
        "Endpoints would be, or are: `aps-workspaces`, `ecr.api`, `ecr.dkr`, `logs`, `xray`; S3's costs nothing.",
        # (73.00 - 36.50) / (0.045 - 0.01).
        "They cost less than one NAT gateway from 1,043 GB a month.",
        NOTE,
    ]


@pytest.mark.parametrize(
    ("stack", "row"),
    [
        ("dev", "| a public address for each task, of which there are 2 | yes | 7.30 | 0 |"),
        ("private-zones", "| a NAT gateway in each of 3 zones | yes | 109.50 | 0.045 |"),
        # 10 x 2 x 0.01 x 730.
        ("closed-with-all", "| endpoints of 10 services in 2 zones | yes | 146.00 | 0.01 |"),
    ],
)
def test_the_chosen_way(stack: str, row: str) -> None:
    assert [line for line in lines(stack) if "| yes |" in line] == [row]


def test_the_endpoints_that_would_be_made_are_those_that_are_made() -> None:
    recording = recorded("closed-with-all")
    made = {
        each.inputs["serviceName"].removeprefix("com.amazonaws.eu-central-1.")
        for each in recording.of_type(wiring.ENDPOINT)
    }
    text = next(line for line in lines("closed-with-all") if line.startswith("Endpoints"))
    listed = ", ".join(f"`{name}`" for name in sorted(made - {"s3"}))
    assert text == f"Endpoints would be, or are: {listed}; S3's costs nothing."


def test_the_ways_out_without_prices() -> None:
    recording = recorded("private")
    assert list(egress.lines(recording, wiring.running(recording), None)) == [
        "| way out | chosen |",
        "|---|---|",
        "| a public address for each task, of which there are 4 |  |",
        "| one NAT gateway | yes |",
        "| a NAT gateway in each of 2 zones |  |",
        "| endpoints of 5 services in 2 zones |  |",
        "",
        "Endpoints would be, or are: `aps-workspaces`, `ecr.api`, `ecr.dkr`, `logs`, `xray`; S3's costs nothing.",
        files.NO_DOLLARS,
    ]


def test_a_network_of_others_has_its_price_elsewhere() -> None:
    assert lines("existing-network") == []
