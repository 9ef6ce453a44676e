"""Configurations by the hundred: what is right is taken and made into documents, what is wrong is refused in words.

`make fuzz` tries thousands, and others each time; see tests/conftest.py.
"""

import contextlib
import copy
import gc
import json
import re
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, assume, example, given, note, seed, settings
from hypothesis import strategies as some
from pydantic import BaseModel

from documents import environment
from documents.environment import Settings
from documents.faults import ConfigurationError, Fault, shown
from tests import configurations, hostile
from tests.configurations import MANY, Configuration

REGION = "eu-west-1"


def generated(few: int) -> settings:
    """So many examples, or thousands. None is made smaller once it fails: that would take minutes."""
    return settings(
        max_examples=5000 if MANY else few,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


@generated(100)
@given(configurations.configurations())
def test_what_is_right_is_taken_whole(values: Configuration) -> None:
    """And everything that follows from it without AWS can be had, or AMP's limits are named."""
    found = configurations.load(values)
    assert found == configurations.load(copy.deepcopy(values))
    assert all(isinstance(text, str) and "\n" not in text for text in environment.warnings(found))
    with contextlib.suppress(ConfigurationError):
        environment.rules_of(found, configurations.NAMES, values["aws:region"])


def keys_of(model: type[BaseModel]) -> Iterator[str]:
    """Every key that a stack file may have, by the model that it is of."""
    for name, field in model.model_fields.items():
        yield f"{model.__name__}.{field.alias or name}"
        for inner in configurations.models_in(field.annotation):
            yield from keys_of(inner)


def keys_in(model: type[BaseModel], values: Any) -> Iterator[str]:
    """Those that these values have."""
    if isinstance(values, list):
        for one in values:
            yield from keys_in(model, one)
    if not isinstance(values, dict):
        return
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    if not set(values) & set(fields):
        # A map of models by names that a user chooses.
        yield from keys_in(model, list(values.values()))
    for name in set(values) & set(fields):
        yield f"{model.__name__}.{name}"
        for inner in configurations.models_in(fields[name].annotation):
            yield from keys_in(inner, values[name])


@pytest.mark.slow
def test_every_key_is_tried() -> None:
    """Or the generator knows too little of a new key for it ever to be right."""
    untried = set(keys_of(Settings))
    for number in range(10):
        if untried:
            _try(number, untried)
    assert sorted(untried) == []


def _try(number: int, untried: set[str]) -> None:
    """Takes out the keys of some hundred stacks, the same for the same number."""

    @seed(number)
    @settings(
        max_examples=500,
        derandomize=False,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(configurations.configurations())
    def try_one(values: Configuration) -> None:
        untried.difference_update(keys_in(Settings, values))

    try_one()


# What is wrong


NUMBERS = (0, -1, 2**31, 2**63, 10**400, 0.5, 1e308, float("nan"), float("inf"), float("-inf"))
WRONG = some.sampled_from(
    (None, True, False, "", " ", "x", "\0", "\ud800", [], {}, [[]], [None], {"": None}, {"a": {"b": [1]}}, *NUMBERS)
) | some.sampled_from(hostile.TEXTS)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a configuration."""
    pairs: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*path, key)
        yield from places(inner, (*path, key))


def at(values: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        values = values[step]
    return values


@some.composite
def damaged(draw: some.DrawFn) -> Configuration:
    """A configuration that is right but for one to three things. By chance they may be right again."""
    values = copy.deepcopy(draw(configurations.configurations()))
    for _ in range(draw(some.integers(1, 3))):
        paths = [path for path in places(values) if path[0] != "aws:region"]
        if not paths:
            break
        path = draw(some.sampled_from(paths))
        holder, last = at(values, path[:-1]), path[-1]
        match draw(some.sampled_from(("replaced", "removed", "misspelt", "twice", "wrapped", "deep", "long"))):
            case "removed":
                del holder[last]
            case "misspelt" if isinstance(holder, dict):
                holder[draw(some.sampled_from((f"{last}s", last[:-1], last.swapcase(), f"{last}\n")))] = holder.pop(
                    last
                )
            case "twice" if isinstance(holder, list):
                holder.append(copy.deepcopy(holder[last]))
            case "wrapped":
                holder[last] = draw(some.sampled_from(([holder[last]], {"x": holder[last]})))
            case "deep":
                for _ in range(200):
                    holder[last] = [holder[last]]
            case "long":
                holder[last] = draw(some.sampled_from(("x" * 10_000, ["x"] * 1000)))
            case _:
                # The next thing may be wrong in it.
                holder[last] = copy.deepcopy(draw(WRONG))
    return values


def refused(values: Configuration) -> tuple[Fault, ...]:
    """Why it is refused; nothing if it is taken."""
    try:
        configurations.load(values)
    except ConfigurationError as error:
        return error.faults
    return ()


SECRET = re.compile(
    r"\b(secrets|environment|command|entryPoint|headers|https|options|secretOptions|secretArn|credentialsParameter"
    r"|xml|destinations\.\d+\.endpoint)\b|^collector\.additions\b|^(alerts|applications|collector|destinations|grafana|tasks)$"
)
"""Keys whose values are told to nobody."""
OF_THE_KEY = re.compile(
    r"is (missing|not a known key)|has a prefix that AWS keeps|has the variable name|is a name of \d+ characters"
)
"""What is wrong with a key, whatever its value is."""


def value_of(values: Configuration, key: str) -> Any:
    """What was given at a key; nothing where it leads nowhere."""
    here: Any = values
    while key and (step := configurations.next_step(here, key)) is not None:
        here, key = here[step], key[len(str(step)) + 1 :]
    return None if key else here


def names_its_value(fault: Fault, values: Configuration) -> bool:
    """A text and a number are named as they are given; of a list or a map it is said what is wrong in it."""
    value = value_of(values, fault.key)
    if SECRET.search(fault.key) or OF_THE_KEY.match(fault.problem) or value is None:
        return True
    if not isinstance(value, str | int | float):
        return True
    told = [value, json.dumps(value)]
    # Pulumi hands over texts: a number at the top is one, and a text may be read as a number.
    with contextlib.suppress(ValueError, TypeError):
        told.append(json.loads(cast("str", value)))
    return any(f" (got {shown(each)})" in str(fault) for each in told)


@generated(150)
@given(damaged())
@example({"aws:region": REGION, "applications": [{"name": "a", "image": "a:1", "port": 10**400}]})
@example({"aws:region": REGION, "applications": [{"name": "a", "image": "a:1", "port": 80, "command": ["\0"]}]})
def test_what_is_wrong_is_refused_with_key_value_and_remedy(values: Configuration) -> None:
    faults = refused(values)
    # Otherwise it was not wrong.
    assume(faults)
    for fault in faults:
        note(str(fault))
        assert fault.key
        assert names_its_value(fault, values), fault
        assert fault.problem
        assert fault.remedy
        # Short enough to be read, whatever it is about.
        assert len(str(fault)) < 1200
        assert str(fault).isprintable()
        # What stands below the first key may be a user's own words, and every key begins with one of ours.
        first = re.split(r"[.]", fault.key)[0]
        assert first in environment.KEYS or first in values or first == "stack"


def test_the_keys_of_maps_are_shown_as_they_can_be_read() -> None:
    values = {"aws:region": REGION, "applications": [{"name": "a", "image": "a:1", "port": 80}]}
    [fault] = refused(values | {"tags": {"a\nb": "c"}})
    assert str(fault).startswith("tags.a\\nb: has characters that AWS refuses in tags")


@pytest.mark.parametrize("key", ["command", "environment", "tags"])
def test_nul_is_refused_wherever_a_text_stands(key: str) -> None:
    """No process can be given it."""
    application: dict[str, Any] = {"name": "a", "image": "a:1", "port": 80}
    values: dict[str, Any] = {"aws:region": REGION, "applications": [application]}
    match key:
        case "command":
            application[key] = ["serve", hostile.NUL]
        case "environment":
            application[key] = {"A": hostile.NUL}
        case _:
            values[key] = {"A": hostile.NUL}
    assert len(refused(values)) == 1


def test_numbers_that_are_none() -> None:
    text = json.dumps([{"name": "a", "image": "a:1", "port": float("nan"), "cpu": float("inf")}])
    values = {"aws:region": REGION, "applications": json.loads(text)}
    assert [fault.key for fault in refused(values)] == [f"applications.0.{key}" for key in ("cpu", "port")]


# Absurd sizes


def one_application(**more: Any) -> Configuration:
    return {"aws:region": REGION, "applications": [{"name": "a", "image": "a:1", "port": 80} | more]}


@pytest.mark.parametrize(
    ("values", "key", "problem"),
    [
        ({"name": "x" * 10_000}, "applications.0.name", "is too long for a DNS name"),
        ({"environment": {"DESCRIPTION": "x" * 1_000_000}}, "applications.0", "says 1,00"),
        ({"environment": {f"V{index}": "" for index in range(10_000)}}, "applications.0", "says 1"),
        (
            {"container": {"extra": {"dockerLabels": {f"label-{index}": "" for index in range(10_000)}}}},
            "applications.0",
            "says 1",
        ),
        ({"image": "x" * 1_000_000}, "applications.0.image", "has neither tag nor digest"),
    ],
)
def test_absurd_sizes(values: dict[str, Any], key: str, problem: str) -> None:
    [fault] = refused(one_application(**values))
    assert (fault.key, fault.problem[: len(problem)]) == (key, problem)
    assert len(str(fault)) < 1200


def test_ten_thousand_tags() -> None:
    [fault] = refused(one_application() | {"tags": {f"tag-{index}": "" for index in range(10_000)}})
    assert str(fault) == "tags: has 10000 tags; give at most 47; AWS takes 50 with our own"


def test_500_applications() -> None:
    """They are read in no more time for each than ten are; AMP's quota of rules is what a stack of them is held to."""

    def seconds(number: int) -> tuple[float, Settings]:
        one = {"image": "a:1", "port": 80, "pattern": "service"}
        values = {"aws:region": REGION, "applications": [one | {"name": f"a-{index}"} for index in range(number)]}
        # What collecting takes depends on what other tests have left.
        gc.disable()
        try:
            began = time.process_time()
            found = configurations.load(values)
            return time.process_time() - began, found
        finally:
            gc.enable()

    seconds(10)
    few, _ = seconds(50)
    many, found = seconds(500)
    assert len(found.applications) == 500
    assert many < 10 * few * 3
    with pytest.raises(ConfigurationError) as caught:
        environment.rules_of(found, configurations.NAMES, REGION)
    [fault] = caught.value.faults
    assert fault.key == "applications"
    assert fault.remedy == "spread them over more stacks"
