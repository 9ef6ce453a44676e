"""Mixes of Fargate and Fargate Spot, and those that do not work."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from documents import compute, inputs
from documents.compute import Capacity, Share
from documents.faults import ConfigurationError
from documents.inputs import Application, Collector, checked

APPLICATION = {"name": "web", "image": "shop/web:1", "port": 8080}


def application(**values: Any) -> Application:
    return checked(Application, APPLICATION | values, "web")


def faults(**values: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        application(**values)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("values", "strategy"),
    [
        ({"spotPercent": 75}, (Share("FARGATE", 25, 1), Share("FARGATE_SPOT", 75))),
        ({"spotPercent": 50, "base": 0}, (Share("FARGATE", 50), Share("FARGATE_SPOT", 50))),
        ({"spotPercent": 100, "base": 0}, (Share("FARGATE_SPOT", 100),)),
        ({"spotPercent": 0}, (Share("FARGATE", 100, 1),)),
    ],
)
def test_the_strategy(values: dict[str, int], strategy: tuple[Share, ...]) -> None:
    assert checked(Capacity, values).strategy == strategy


@given(some.integers(0, 100), some.integers(0, 5000))
def test_ecs_takes_every_strategy(percent: int, base: int) -> None:
    """At least one weight above 0, none of them 0, one base at most, weights up to 1000."""
    chosen = Capacity(spot_percent=percent, base=0 if percent == 100 else base)
    assert sum(share.weight for share in chosen.strategy) == 100
    assert all(0 < share.weight <= 1000 for share in chosen.strategy)
    assert sum(share.base > 0 for share in chosen.strategy) <= 1


@pytest.mark.parametrize(
    ("capacity", "found"),
    [
        ({}, ["web.capacity.spotPercent: is missing; give it a value"]),
        ({"spotPercent": 101}, ["web.capacity.spotPercent: is too large (got 101); give at most 100"]),
        (
            {"spotPercent": 100},
            ["web.capacity.base: is for Fargate, which has no weight where 100 percent are on Spot (got 1); "
             "give 0, or fewer percent"],
        ),
        (
            {"spotPercent": 50},
            ["web.capacity: has a base of 1, and there are never more tasks than 1: none is on Spot (got a map); "
             "give a smaller base, or more tasks, or leave capacity out"],
        ),
    ],
)  # fmt: skip
def test_a_mix_that_cannot_be(capacity: dict[str, int], found: list[str]) -> None:
    assert faults(capacity=capacity) == found


@pytest.mark.parametrize("more", [{"desiredCount": 3}, {"scaling": {"max": 3}}])
def test_the_base_is_held_against_the_most_tasks(more: dict[str, Any]) -> None:
    assert application(capacity={"spotPercent": 50, "base": 2}, **more).on_spot
    assert len(faults(capacity={"spotPercent": 50, "base": 3}, **more)) == 1


def test_the_way_back_from_spot_has_no_such_fault() -> None:
    assert not application(capacity={"spotPercent": 0, "base": 1}).on_spot
    assert not application().on_spot


def test_spot_alone_is_warned_of() -> None:
    assert compute.warnings(Capacity(spot_percent=100, base=0), "applications.0") == [
        "applications.0.capacity: no task runs while AWS has no Spot to spare; give a base, and less than 100 percent"
    ]
    assert compute.warnings(Capacity(spot_percent=99), "x") == compute.warnings(None, "x") == []


@pytest.mark.parametrize("architecture", ["ARM64", "X86_64"])
def test_both_processors_run_on_spot(architecture: str) -> None:
    assert application(architecture=architecture, capacity={"spotPercent": 50, "base": 0}).on_spot


def stopping(seconds: int, **more: Any) -> list[str]:
    chosen = application(container={"stopTimeout": seconds}, **more)
    return [str(fault) for fault in inputs.sidecar_fits(chosen, Collector(), (), "web")]


def test_a_sidecar_on_spot_needs_some_of_the_two_minutes() -> None:
    spot = {"capacity": {"spotPercent": 50, "base": 0}}
    assert stopping(90, **spot) == stopping(120) == []
    assert stopping(100, **spot) == [
        "web.container.stopTimeout: leaves the sidecar's queues 20 of the 120 seconds that Spot gives a whole task to "
        "stop (got 100); give at most 90, or leave capacity out, or choose the service pattern"
    ]
