"""How many tasks load and the clock may ask for, and what does not go together."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from documents import scaling
from documents.faults import ConfigurationError
from documents.inputs import Application, Collector, checked
from documents.model import Model
from documents.scaling import CollectorScaling, Scaling, Target

APPLICATION = {"name": "web", "image": "shop/web:1", "port": 8080}
NIGHT = {"name": "night", "schedule": "cron(0 22 * * ? *)", "min": 1, "max": 2}
SALE = {"name": "sale", "schedule": "at(2027-11-26T00:00:00)", "timeZone": "Europe/Berlin", "min": 10, "max": 40}
CPU = "ECSServiceAverageCPUUtilization"
MEMORY = "ECSServiceAverageMemoryUtilization"


def application(**values: Any) -> Application:
    return checked(Application, APPLICATION | values, "web")


def faults(model: type[Model], **values: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        checked(model, values, "web")
    return [str(fault) for fault in caught.value.faults]


def test_an_application_is_held_by_cpu_and_begins_with_two() -> None:
    assert Scaling(max=10).model_dump() == {
        "min": 2,
        "max": 10,
        "cpu": 60,
        "memory": None,
        "scale_out_cooldown": 60,
        "scale_in_cooldown": 300,
        "requests_per_target": None,
        "schedules": (),
    }
    assert Scaling(max=10).targets == (Target("cpu", CPU, 60),)


def test_a_collector_is_held_by_both_and_goes_slowly() -> None:
    chosen = CollectorScaling(max=6)
    assert chosen.targets == (Target("cpu", CPU, 60), Target("memory", MEMORY, 70))
    assert (chosen.min, chosen.scale_out_cooldown, chosen.scale_in_cooldown) == (2, 60, 600)


def test_every_target_is_a_policy_of_its_own() -> None:
    chosen = Scaling(max=10, cpu=None, memory=80, requests_per_target=1200)
    assert chosen.targets == (Target("memory", MEMORY, 80), Target("requests", "ALBRequestCountPerTarget", 1200))


@pytest.mark.parametrize(
    ("values", "bounds"),
    [
        ({}, (2, 10)),
        ({"schedules": [NIGHT]}, (1, 10)),
        ({"schedules": [SALE]}, (2, 40)),
        ({"schedules": [NIGHT, SALE]}, (1, 40)),
    ],
)
def test_schedules_widen_the_bounds(values: Any, bounds: tuple[int, int]) -> None:
    chosen = checked(Scaling, {"max": 10} | values)
    assert (chosen.least, chosen.most) == bounds


def test_without_scaling_the_desired_count_is_all_there_is() -> None:
    fixed = application(desiredCount=3)
    assert (fixed.initial_tasks, fixed.least_tasks) == (3, 3)
    assert (Collector(desired_count=4).initial_tasks, Collector(desired_count=4).least_tasks) == (4, 4)


@given(some.integers(1, 20), some.integers(0, 20), some.integers(0, 40))
def test_a_service_begins_within_its_bounds(least: int, more: int, desired: int) -> None:
    chosen = Scaling(min=least, max=least + more)
    assert least <= chosen.initial(desired) <= least + more
    assert not least <= desired <= least + more or chosen.initial(desired) == desired


def test_what_must_run_is_the_least_that_any_schedule_allows() -> None:
    scaled = application(desiredCount=5, scaling={"max": 10, "schedules": [NIGHT]})
    assert (scaled.initial_tasks, scaled.least_tasks) == (5, 1)
    collector = Collector(desired_count=4, scaling=CollectorScaling(min=3, max=8))
    assert (collector.initial_tasks, collector.least_tasks) == (4, 3)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, ["web.max: is missing; give it a value"]),
        ({"max": 1}, ["web.max: is less than min, which is 2 (got 1); give min at most as much as max"]),
        ({"min": 0, "max": 5001}, ["web.min: is too small (got 0); give at least 1",
                                   "web.max: is too large (got 5001); give at most 5000"]),
        ({"max": 4, "cpu": 95}, ["web.cpu: is too large (got 95); give at most 90"]),
        ({"max": 4, "memory": 5}, ["web.memory: is too small (got 5); give at least 10"]),
        ({"max": 4, "scaleInCooldown": 3601}, ["web.scaleInCooldown: is too large (got 3601); give at most 3600"]),
        (
            {"max": 4, "cpu": None},
            ["web: has nothing that changes the number of tasks (got a map); "
             "give it a target, such as cpu, or leave it out"],
        ),
        ({"max": 4, "schedules": [NIGHT | {"min": 0}]}, ["web.schedules.0.min: is too small (got 0); give at least 1"]),
        (
            {"max": 4, "schedules": [NIGHT | {"max": 1, "min": 3}]},
            ["web.schedules.0.max: is less than min, which is 3 (got 1); give min at most as much as max"],
        ),
        (
            {"max": 4, "schedules": [NIGHT, SALE, NIGHT]},
            ["web.schedules: has night more than once (got a list); give each schedule a name of its own"],
        ),
        (
            {"max": 4, "schedules": [NIGHT | {"name": "at night"}]},
            ["web.schedules.0.name: is not a name (got 'at night'); "
             "use at most 64 letters, digits and hyphens, no hyphen at an end"],
        ),
    ],
)  # fmt: skip
def test_scaling_that_cannot_be(values: dict[str, Any], found: list[str]) -> None:
    assert faults(Scaling, **values) == found


def test_a_schedule_alone_may_decide() -> None:
    assert checked(Scaling, {"max": 4, "cpu": None, "schedules": [NIGHT]}).targets == ()


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"max": 6, "min": 1}, "web.min: is too small (got 1); give at least 2"),
        ({"max": 6, "scaleInCooldown": 120}, "web.scaleInCooldown: is too small (got 120); give at least 240"),
        ({"max": 6, "schedules": []}, "web.schedules: is not a known key; known: cpu, max, memory, min, "
                                      "scaleInCooldown, scaleOutCooldown"),
        ({"max": 6, "cpu": None, "memory": None}, "web: has nothing that changes the number of tasks (got a map); "
                                                  "give it a target, such as cpu, or leave it out"),
    ],
)  # fmt: skip
def test_collectors_are_two_at_least_and_go_one_after_the_other(values: dict[str, Any], found: str) -> None:
    assert faults(CollectorScaling, **values) == [found]


def test_an_application_does_not_begin_above_its_bounds() -> None:
    assert faults(Application, **APPLICATION, desiredCount=11, scaling={"max": 10}) == [
        "web.scaling: has max 10, and desiredCount is 11 (got a map); give at most as many, or leave desiredCount out: "
        "load decides once the service runs"
    ]


def test_requests_need_a_load_balancer() -> None:
    assert faults(Application, **APPLICATION, scaling={"max": 10, "requestsPerTarget": 500}) == [
        "web.scaling: counts requests per target of a load balancer, and this application has none (got a map); "
        "give it traffic, or leave requestsPerTarget out and scale by cpu"
    ]


def test_collectors_that_wait_for_whole_traces_are_not_scaled() -> None:
    found = scaling.collector_faults(CollectorScaling(max=6), tail=True, key="collector")
    assert [str(fault) for fault in found] == [
        "collector.scaling: changes the number of collectors, and with it where spans of a trace go while traces.tail "
        "waits for them; leave one of the two out, and give desiredCount for the busiest hour"
    ]
    assert scaling.collector_faults(CollectorScaling(max=6), tail=False, key="collector") == ()
    assert scaling.collector_faults(None, tail=True, key="collector") == ()
