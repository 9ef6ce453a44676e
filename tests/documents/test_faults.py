"""Faults as a person reads them."""

from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from documents.faults import UNTOLD, ConfigurationError, Fault, collect, faults_of, nearest, told, wrong


def _even(value: int) -> int:
    if value % 2:
        raise wrong("is odd", "give an even number", secret=value == 7)
    return value


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: Annotated[int, Field(ge=1, le=9)] = 1


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    even: Annotated[int, AfterValidator(_even)] = 0
    inner: Inner = Inner()
    several: Annotated[tuple[Inner, ...], Field(min_length=2)] = (Inner(), Inner())
    secrets: dict[str, int] = {}
    command: tuple[str, ...] = ()
    flag: bool = False
    needed: int


def faults(root: str = "stack", **values: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"needed": 1} | values)
    return [str(fault) for fault in faults_of(caught.value, Outer, root)]


def test_the_text_of_a_fault() -> None:
    assert str(Fault("a.b", "is wrong", "do this")) == "a.b: is wrong; do this"
    assert str(Fault("a.b", "is wrong", "do this", None)) == "a.b: is wrong (got None); do this"
    assert str(Fault("a", "is wrong", "do this", "x" * 100)) == f"a: is wrong (got '{'x' * 76}...); do this"


@pytest.mark.parametrize(
    ("value", "shown"), [({"DB": "hunter2"}, "a map"), (["hunter2"], "a list"), (("hunter2",), "a list")]
)
def test_what_is_in_a_container_is_not_shown(value: Any, shown: str) -> None:
    assert str(Fault("a", "is wrong", "do this", value)) == f"a: is wrong (got {shown}); do this"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"even": 3}, "stack.even: is odd (got 3); give an even number"),
        ({"even": 7}, "stack.even: is odd; give an even number"),
        ({"inner": {"size": 0}}, "stack.inner.size: is too small (got 0); give at least 1"),
        ({"inner": {"size": 10}}, "stack.inner.size: is too large (got 10); give at most 9"),
        ({"inner": {"sice": 1}}, "stack.inner.sice: is not a known key; did you mean 'size'?"),
        ({"inner": {"x": 1}}, "stack.inner.x: is not a known key; known: size"),
        ({"inner": 5}, "stack.inner: has the wrong type (got 5); give a map of keys and values"),
        ({"several": [{}]}, "stack.several: has too few entries (got 1); give at least 2"),
        ({"several": [{}, {}, {"sice": 1}]}, "stack.several.2.sice: is not a known key; did you mean 'size'?"),
        ({"several": "x"}, "stack.several: has the wrong type (got 'x'); give a list"),
        ({"secrets": {"A": "hunter2"}}, "stack.secrets.A: has the wrong type (got a text); give a whole number"),
        ({"command": "hunter2"}, "stack.command: has the wrong type (got a text); give a list"),
        ({"flag": "maybe"}, "stack.flag: has the wrong type (got 'maybe'); give true or false"),
        ({"needed": 1.5}, "stack.needed: has the wrong type (got 1.5); give a whole number"),
        ({"needed": None}, "stack.needed: has the wrong type (got None); give a whole number"),
        ({"neded": 1}, "stack.neded: is not a known key; did you mean 'needed'?"),
    ],
)
def test_each_kind_in_our_words(values: dict[str, Any], text: str) -> None:
    assert faults(**values) == [text]


@pytest.mark.parametrize(
    ("key", "fault", "text"),
    [
        ("a.b.0", Fault("a.b.0", "is wrong", "do this"), "a.b.0: is wrong (got 5); do this"),
        ("a.b.0, said", Fault("a.b.0", "is wrong", "do this", 6), "a.b.0: is wrong (got 6); do this"),
        ("a.b.0, untold", Fault("a.b.0", "is wrong", "do this", UNTOLD), "a.b.0: is wrong; do this"),
        ("dots in keys", Fault("tags.x.y", "is wrong", "do this"), "tags.x.y: is wrong (got 'z'); do this"),
        ("a map", Fault("a", "is wrong", "do this"), "a: is wrong; do this"),
        ("nothing there", Fault("a.c", "is wrong", "do this"), "a.c: is wrong; do this"),
        ("no such entry", Fault("a.b.1", "is wrong", "do this"), "a.b.1: is wrong; do this"),
        ("maybe a secret", Fault("a.environment.X", "is wrong", "do this"), "a.environment.X: is wrong; do this"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_value_is_taken_from_what_was_given(key: str, fault: Fault, text: str) -> None:
    values = {"a": {"b": [5], "environment": {"X": "hunter2"}}, "tags": {"x": 1, "x.y": "z"}}
    assert [str(one) for one in told([fault], values)] == [text], key


def test_all_at_once_and_without_a_root() -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"even": 1, "inner": {"size": 99}})
    assert [str(fault) for fault in faults_of(caught.value, Outer)] == [
        "even: is odd (got 1); give an even number",
        "inner.size: is too large (got 99); give at most 9",
        "needed: is missing; give it a value",
    ]


def test_the_error_has_a_line_for_each() -> None:
    error = ConfigurationError([Fault("a", "is b", "do c"), Fault("d", "is e", "do f")])
    assert str(error) == "  a: is b; do c\n  d: is e; do f"
    assert [fault.key for fault in error.faults] == ["a", "d"]


def test_collect() -> None:
    found: list[Fault] = []
    assert collect(found, lambda: Outer(needed=1), Outer, "x") == Outer(needed=1)
    assert found == []
    assert collect(found, lambda: Outer.model_validate({}), Outer, "x") is None

    def refused() -> Outer:
        raise ConfigurationError([Fault("y", "is wrong", "mend it")])

    assert collect(found, refused, Outer, "x") is None
    assert [str(fault) for fault in found] == ["x.needed: is missing; give it a value", "y: is wrong; mend it"]


def test_nearest() -> None:
    assert nearest("colector", ["collector", "metrics"]) == "did you mean 'collector'?"
    assert nearest("zzz", ["b", "a"]) == "known: a, b"
