"""One task: what ECS stops when, and where its ports are."""

import socket
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from proof.task import Address, free_ports, stopping_order
from tests.proof.live import wanted


def container(name: str, *waits_for: str) -> dict[str, Any]:
    waits = [{"containerName": other, "condition": "START"} for other in waits_for]
    return {"name": name, **({"dependsOn": waits} if waits else {})}


def order(*containers: dict[str, Any]) -> list[list[str]]:
    return [[one["name"] for one in ending] for ending in stopping_order(containers)]


def test_what_waited_for_another_stops_before_it() -> None:
    web, drain, collector = (
        container("web", "collector", "drain"),
        container("drain", "collector"),
        container("collector"),
    )
    assert order(collector, drain, web) == order(web, drain, collector) == [["web"], ["drain"], ["collector"]]


def test_what_nobody_waits_for_stops_at_once_and_together() -> None:
    assert order() == []
    assert order(container("a"), container("b"), container("c", "b")) == [["a", "c"], ["b"]]


@given(some.lists(some.sets(some.integers(0, 7)), max_size=8), some.randoms())
def test_every_container_stops_once_and_after_all_that_need_it(needs: list[set[int]], random: Any) -> None:
    """Each may need those of lower numbers, so there is no circle, as ECS demands."""
    containers = [
        container(str(number), *(str(other) for other in sorted(others) if other < number))
        for number, others in enumerate(needs)
    ]
    random.shuffle(containers)
    ending = order(*containers)
    assert sorted(name for together in ending for name in together) == sorted(one["name"] for one in containers)
    when = {name: step for step, together in enumerate(ending) for name in together}
    for one in containers:
        for needed in one.get("dependsOn", ()):
            assert when[one["name"]] < when[needed["containerName"]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stack", "service", "expected"),
    [
        ("dev", "storefront", [["storefront"], ["drain"], ["collector"]]),
        ("prod", "storefront", [["storefront"]]),
        ("prod", "collector", [["front"], ["drain"], ["collector"]]),
    ],
)
def test_the_shipped_stacks_stop_their_collectors_last(stack: str, service: str, expected: list[list[str]]) -> None:
    [found] = [one for one in wanted(stack).services if one.name == service]
    assert order(*found.definition["containerDefinitions"]) == expected


def test_an_sdk_goes_to_the_port_of_its_protocol() -> None:
    address = Address(grpc=4317, http=4318)
    assert address.url({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}) == "http://127.0.0.1:4317"
    assert address.url({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}) == "http://127.0.0.1:4318"
    assert address.url({}) == "http://127.0.0.1:4318"


def test_a_port_that_is_given_is_free_and_given_once() -> None:
    ports = list(islice(free_ports(), 200))
    assert len(set(ports)) == 200
    assert all(10_000 <= port < 32_000 for port in ports)
    with socket.create_server(("127.0.0.1", ports[0])):
        assert ports[0] not in islice(free_ports(), 21_000)
